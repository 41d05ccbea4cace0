//! A small BER writer and reader of its own, since Apple's devices send indefinite lengths that most encoders cannot make.

use crate::{Error, Result};

/// SEQUENCE, constructed.
pub const SEQUENCE: u8 = 0x30;
/// SET, constructed.
pub const SET: u8 = 0x31;
/// OCTET STRING, primitive.
pub const OCTET_STRING: u8 = 0x04;
/// PrintableString.
pub const PRINTABLE_STRING: u8 = 0x13;
/// `[0]`, constructed.
pub const CONTEXT_0: u8 = 0xa0;

const CONSTRUCTED: u8 = 0x20;
const END_OF_CONTENTS: [u8; 2] = [0, 0];
const DEEPEST: usize = 32;

/// One element with its length written in front (DER where the content is DER).
pub fn definite(tag: u8, content: impl AsRef<[u8]>) -> Vec<u8> {
    let content = content.as_ref();
    let mut out = Vec::with_capacity(content.len() + 6);
    out.push(tag);
    match u8::try_from(content.len()) {
        Ok(short) if short < 0x80 => out.push(short),
        _ => {
            let bytes = content.len().to_be_bytes();
            let significant: Vec<u8> = bytes.iter().copied().skip_while(|byte| *byte == 0).collect();
            out.push(0x80 | u8::try_from(significant.len()).unwrap_or(8));
            out.extend(significant);
        }
    }
    out.extend_from_slice(content);
    out
}

/// One constructed element of indefinite length: `tag 80 … 00 00`.
pub fn indefinite(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let mut out = vec![tag | CONSTRUCTED, 0x80];
    for part in parts {
        out.extend_from_slice(part);
    }
    out.extend(END_OF_CONTENTS);
    out
}

/// A SEQUENCE of definite length.
pub fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    definite(SEQUENCE, parts.concat())
}

/// A SET OF in DER order, of definite length.
pub fn set_of(mut parts: Vec<Vec<u8>>) -> Vec<u8> {
    parts.sort();
    definite(SET, parts.concat())
}

/// An octet string cut into chunks under a constructed tag of indefinite length, as Apple's streaming encoder writes it.
pub fn chunked(tag: u8, content: &[u8], chunk: usize) -> Vec<u8> {
    let chunks: Vec<Vec<u8>> = content.chunks(chunk.max(1)).map(|part| definite(OCTET_STRING, part)).collect();
    let parts: Vec<&[u8]> = chunks.iter().map(Vec::as_slice).collect();
    indefinite(tag, &parts)
}

/// A small non-negative INTEGER.
pub fn small_integer(value: u8) -> Vec<u8> {
    if value < 0x80 { definite(0x02, [value]) } else { definite(0x02, [0, value]) }
}

/// NULL.
pub fn null() -> Vec<u8> {
    vec![0x05, 0x00]
}

/// An OBJECT IDENTIFIER from its dotted form; arcs that are not numbers are left out.
pub fn object_identifier(dotted: &str) -> Vec<u8> {
    let arcs: Vec<u64> = dotted.split('.').filter_map(|arc| arc.parse().ok()).collect();
    let mut content = Vec::new();
    let first = arcs.first().copied().unwrap_or(0) * 40 + arcs.get(1).copied().unwrap_or(0);
    for arc in std::iter::once(first).chain(arcs.into_iter().skip(2)) {
        let mut groups = vec![(arc & 0x7f) as u8];
        let mut rest = arc >> 7;
        while rest > 0 {
            groups.push((rest & 0x7f) as u8 | 0x80);
            rest >>= 7;
        }
        content.extend(groups.into_iter().rev());
    }
    definite(0x06, content)
}

/// An AlgorithmIdentifier with NULL parameters.
pub fn algorithm(dotted: &str) -> Vec<u8> {
    sequence(&[&object_identifier(dotted), &null()])
}

/// One element of a BER message, borrowed from it.
#[derive(Debug, Clone, Copy)]
pub struct Element<'a> {
    /// The identifier octet (low tag numbers only).
    pub tag: u8,
    /// The content, without length and end-of-contents octets.
    pub content: &'a [u8],
    /// The whole element as it stood in the message.
    pub whole: &'a [u8],
}

/// Reads one element from the front; answers it and what follows.
///
/// # Errors
/// [`Error::Malformed`] for truncated, over-deep or high-tag-number input.
pub fn read(input: &[u8]) -> Result<(Element<'_>, &[u8])> {
    read_at(input, 0)
}

/// Reads one element that must fill the input.
///
/// # Errors
/// [`Error::Malformed`] as for [`read`], and when anything follows.
pub fn read_only(input: &[u8]) -> Result<Element<'_>> {
    let (element, rest) = read(input)?;
    if rest.is_empty() { Ok(element) } else { Err(Error::Malformed("octets after the end")) }
}

fn read_at(input: &[u8], depth: usize) -> Result<(Element<'_>, &[u8])> {
    if depth > DEEPEST {
        return Err(Error::Malformed("nested too deep"));
    }
    let truncated = Error::Malformed("truncated");
    let Some((&tag, after_tag)) = input.split_first() else {
        return Err(truncated);
    };
    if tag & 0x1f == 0x1f {
        return Err(Error::Malformed("high tag number"));
    }
    let Some((&first, mut rest)) = after_tag.split_first() else {
        return Err(truncated);
    };
    if first == 0x80 {
        if tag & CONSTRUCTED == 0 {
            return Err(Error::Malformed("primitive of indefinite length"));
        }
        let start = rest;
        loop {
            if let Some(after) = rest.strip_prefix(&END_OF_CONTENTS) {
                let content = start.get(..start.len() - rest.len()).ok_or(truncated)?;
                let whole = input.get(..input.len() - after.len()).ok_or(Error::Malformed("truncated"))?;
                return Ok((Element { tag, content, whole }, after));
            }
            rest = read_at(rest, depth + 1)?.1;
        }
    }
    let mut length = usize::from(first);
    if first > 0x80 {
        let count = usize::from(first & 0x7f);
        if count > 4 || rest.len() < count {
            return Err(Error::Malformed("length"));
        }
        let (bytes, after) = rest.split_at(count);
        length = bytes.iter().fold(0, |sum, byte| (sum << 8) | usize::from(*byte));
        rest = after;
    }
    if rest.len() < length {
        return Err(truncated);
    }
    let (content, after) = rest.split_at(length);
    let whole = input.get(..input.len() - after.len()).ok_or(truncated)?;
    Ok((Element { tag, content, whole }, after))
}

impl<'a> Element<'a> {
    /// The elements inside.
    ///
    /// # Errors
    /// [`Error::Malformed`] when the content is not a row of elements.
    pub fn children(&self) -> Result<Vec<Element<'a>>> {
        let mut rest = self.content;
        let mut children = Vec::new();
        while !rest.is_empty() {
            let (child, after) = read(rest)?;
            children.push(child);
            rest = after;
        }
        Ok(children)
    }

    /// The octets of a string, joined when it was sent in chunks.
    ///
    /// # Errors
    /// [`Error::Malformed`] when the chunks are not elements.
    pub fn octets(&self) -> Result<Vec<u8>> {
        if self.tag & CONSTRUCTED == 0 {
            return Ok(self.content.to_vec());
        }
        let mut joined = Vec::new();
        for chunk in self.children()? {
            joined.extend(chunk.octets()?);
        }
        Ok(joined)
    }

    /// Whether this is the named OBJECT IDENTIFIER.
    pub fn is_identifier(&self, dotted: &str) -> bool {
        self.whole == object_identifier(dotted)
    }
}

/// The children of an element that must have the given tag.
pub(crate) fn expect<'a>(element: Option<&Element<'a>>, tag: u8, what: &'static str) -> Result<Vec<Element<'a>>> {
    match element {
        Some(element) if element.tag == tag => element.children(),
        _ => Err(Error::Malformed(what)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_and_identifiers_match_known_octets() {
        assert_eq!(definite(OCTET_STRING, [0; 3]), [4, 3, 0, 0, 0]);
        assert_eq!(&definite(OCTET_STRING, [0; 200])[..3], [4, 0x81, 200]);
        assert_eq!(&definite(OCTET_STRING, [0; 300])[..4], [4, 0x82, 1, 44]);
        assert_eq!(object_identifier("1.2.840.113549.1.7.2"), [6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2]);
    }

    #[test]
    fn indefinite_lengths_are_read_back() {
        let message = indefinite(SEQUENCE, &[&small_integer(1), &chunked(OCTET_STRING, b"hello world", 4)]);
        let element = read_only(&message).expect("reads");
        let children = element.children().expect("children");
        assert_eq!(children.len(), 2);
        assert_eq!(children[1].octets().expect("octets"), b"hello world");
        assert_eq!(children[1].whole.last_chunk(), Some(&[0, 0]));
    }

    proptest::proptest! {
        #[test]
        fn reading_never_panics(input in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            if let Ok((element, _)) = read(&input) {
                let _ = element.children();
                let _ = element.octets();
            }
        }

        #[test]
        fn chunks_join(content in proptest::collection::vec(proptest::num::u8::ANY, 0..500), chunk in 1usize..50) {
            let written = chunked(OCTET_STRING, &content, chunk);
            proptest::prop_assert_eq!(read_only(&written).expect("reads").octets().expect("joins"), content);
        }
    }
}
