//! Reading BER as devices really send it: indefinite lengths and split strings at any level, exact bytes kept, depth bounded.
//!
//! A structure-by-structure decoder would re-encode what it read, and a signature is over the bytes
//! that were sent. So this reader only cuts slices. It refuses what no certificate or CMS message
//! needs (tags above 30, lengths of more than four bytes, nesting deeper than [`DEEPEST`]), never
//! recurses further than that, and never panics. X.690 is the source.

use crate::der;
use std::borrow::Cow;

/// How deep elements of indefinite length may nest; a SCEP request needs about eight levels.
const DEEPEST: usize = 24;

pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const SET: u8 = 0x31;
const CONSTRUCTED: u8 = 0x20;

/// The bytes are not the BER that was expected there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not well-formed BER")]
pub(crate) struct Malformed;

/// One element: identifier, and the slices of the whole and of its contents.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Element<'a> {
    /// Class, constructed bit and number, as sent.
    pub(crate) tag: u8,
    /// The contents, without end-of-contents bytes.
    pub(crate) content: &'a [u8],
    /// Identifier, length, contents and, if any, end-of-contents bytes.
    pub(crate) whole: &'a [u8],
    indefinite: bool,
}

/// Walks over neighbouring elements.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader { rest: bytes }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn next(&mut self) -> Result<Element<'a>, Malformed> {
        let (element, rest) = split(self.rest, 0)?;
        self.rest = rest;
        Ok(element)
    }

    pub(crate) fn expect(&mut self, tag: u8) -> Result<Element<'a>, Malformed> {
        self.next()?.tagged(tag)
    }

    /// The next element if it has this tag; otherwise nothing is consumed.
    pub(crate) fn take(&mut self, tag: u8) -> Result<Option<Element<'a>>, Malformed> {
        match self.rest.first() {
            Some(first) if *first == tag => self.next().map(Some),
            _ => Ok(None),
        }
    }

    /// Every remaining element.
    pub(crate) fn all(mut self) -> Result<Vec<Element<'a>>, Malformed> {
        let mut elements = Vec::new();
        while !self.is_empty() {
            elements.push(self.next()?);
        }
        Ok(elements)
    }
}

/// The first element of `bytes`; what follows it is ignored, as padding after a message is harmless.
pub(crate) fn first(bytes: &[u8]) -> Result<Element<'_>, Malformed> {
    split(bytes, 0).map(|(element, _)| element)
}

fn split(bytes: &[u8], depth: usize) -> Result<(Element<'_>, &[u8]), Malformed> {
    if depth > DEEPEST {
        return Err(Malformed);
    }
    let (&tag, after_tag) = bytes.split_first().ok_or(Malformed)?;
    if tag == 0 || tag & 0x1f == 0x1f {
        return Err(Malformed);
    }
    let (&first, after_first) = after_tag.split_first().ok_or(Malformed)?;
    if first == 0x80 {
        if tag & CONSTRUCTED == 0 {
            return Err(Malformed);
        }
        return split_indefinite(bytes, after_first, tag, depth);
    }
    let (length, after_length) = if first < 0x80 {
        (usize::from(first), after_first)
    } else {
        let (length, rest) = after_first
            .split_at_checked(usize::from(first & 0x7f))
            .filter(|(length, _)| length.len() <= 4)
            .ok_or(Malformed)?;
        let length = length.iter().fold(0usize, |sum, byte| (sum << 8) | usize::from(*byte));
        (length, rest)
    };
    let (content, rest) = after_length.split_at_checked(length).ok_or(Malformed)?;
    Ok((element(bytes, rest, tag, content, false), rest))
}

fn split_indefinite<'a>(
    bytes: &'a [u8],
    contents: &'a [u8],
    tag: u8,
    depth: usize,
) -> Result<(Element<'a>, &'a [u8]), Malformed> {
    let mut remaining = contents;
    loop {
        if let Some(rest) = remaining.strip_prefix(&[0, 0]) {
            let content = before(contents, remaining);
            return Ok((element(bytes, rest, tag, content, true), rest));
        }
        remaining = split(remaining, depth + 1)?.1;
    }
}

fn element<'a>(bytes: &'a [u8], rest: &'a [u8], tag: u8, content: &'a [u8], indefinite: bool) -> Element<'a> {
    Element { tag, content, whole: before(bytes, rest), indefinite }
}

/// The part of `all` before its suffix `rest`.
fn before<'a>(all: &'a [u8], rest: &[u8]) -> &'a [u8] {
    let length = all.len().saturating_sub(rest.len());
    all.get(..length).unwrap_or_default()
}

impl<'a> Element<'a> {
    pub(crate) fn tagged(self, tag: u8) -> Result<Element<'a>, Malformed> {
        if self.tag == tag { Ok(self) } else { Err(Malformed) }
    }

    pub(crate) fn children(&self) -> Reader<'a> {
        Reader::new(self.content)
    }

    /// The bytes of an OCTET STRING, or of an implicitly tagged one, joined if it was sent in pieces.
    pub(crate) fn octets(&self) -> Result<Cow<'a, [u8]>, Malformed> {
        if self.tag & CONSTRUCTED == 0 {
            return Ok(Cow::Borrowed(self.content));
        }
        let mut joined = Vec::new();
        self.join_octets(&mut joined, 0)?;
        Ok(Cow::Owned(joined))
    }

    fn join_octets(&self, joined: &mut Vec<u8>, depth: usize) -> Result<(), Malformed> {
        if depth > DEEPEST {
            return Err(Malformed);
        }
        for piece in self.children().all()? {
            match piece.tag {
                OCTET_STRING => joined.extend_from_slice(piece.content),
                tag if tag == OCTET_STRING | CONSTRUCTED => {
                    piece.join_octets(joined, depth + 1)?;
                }
                _ => return Err(Malformed),
            }
        }
        Ok(())
    }

    /// The bytes as sent where the length is definite, otherwise the same element in DER lengths.
    pub(crate) fn definite(&self) -> Result<Cow<'a, [u8]>, Malformed> {
        if self.indefinite { self.to_der().map(Cow::Owned) } else { Ok(Cow::Borrowed(self.whole)) }
    }

    /// The same element with definite, shortest lengths and joined octet strings. Sets keep their order.
    pub(crate) fn to_der(self) -> Result<Vec<u8>, Malformed> {
        self.to_der_within(0)
    }

    fn to_der_within(self, depth: usize) -> Result<Vec<u8>, Malformed> {
        if depth > DEEPEST {
            return Err(Malformed);
        }
        if self.tag & CONSTRUCTED == 0 {
            return Ok(der::element(self.tag, self.content));
        }
        if self.tag == OCTET_STRING | CONSTRUCTED {
            return Ok(der::element(OCTET_STRING, &self.octets()?));
        }
        let mut content = Vec::with_capacity(self.content.len());
        for child in self.children().all()? {
            content.extend_from_slice(&child.to_der_within(depth + 1)?);
        }
        Ok(der::element(self.tag, &content))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn indefinite_lengths_nest_and_join() {
        // SEQUENCE { OCTET STRING in two pieces, one of them split again }
        let bytes = [0x30, 0x80, 0x24, 0x80, 0x04, 0x02, 1, 2, 0x24, 0x80, 0x04, 0x01, 3, 0, 0, 0, 0, 0, 0, 0xff];
        let sequence = first(&bytes).unwrap();
        assert_eq!(sequence.whole.len(), bytes.len() - 1);
        let string = sequence.children().next().unwrap();
        assert_eq!(string.octets().unwrap().as_ref(), &[1, 2, 3]);
        assert_eq!(sequence.to_der().unwrap(), [0x30, 0x05, 0x04, 0x03, 1, 2, 3]);
    }

    #[test]
    fn deep_nesting_is_refused_and_does_not_exhaust_the_stack() {
        for unit in [&[0x30u8, 0x80][..], &[0x24, 0x80], &[0xa0, 0x80]] {
            let bytes = unit.repeat(200_000);
            assert!(first(&bytes).is_err());
        }
        // Definite nesting is only descended into on request; conversion is bounded too.
        let mut nested = vec![0x04, 0x00];
        for _ in 0..100 {
            nested = der::element(0x30, &nested);
        }
        assert!(first(&nested).unwrap().to_der().is_err());
    }

    #[test]
    fn lengths_beyond_the_input_are_refused() {
        for bytes in [
            &[][..],
            &[0x30],
            &[0x30, 0x01],
            &[0x30, 0x82, 0x01],
            &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 0x00],
            &[0x30, 0x85, 0, 0, 0, 0, 0],
            &[0x04, 0x80, 0, 0],
            &[0x1f, 0x81, 0x01, 0x00],
            &[0x30, 0x80, 0x00],
        ] {
            assert!(first(bytes).is_err(), "{bytes:02x?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            if let Ok(element) = first(&bytes) {
                prop_assert!(element.whole.len() <= bytes.len());
                let _ = element.octets();
                let _ = element.children().all();
                if let Ok(der) = element.to_der() {
                    let again = first(&der).expect("what was written can be read");
                    prop_assert_eq!(again.to_der().expect("twice"), der);
                }
            }
        }
    }
}
