//! Writing DER: the few shapes that certificates' wrappers and CMS messages need.

use crate::ber::{INTEGER, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, SET};

/// Context-specific constructed tag `[number]`.
pub(crate) const fn context(number: u8) -> u8 {
    0xa0 | number
}

pub(crate) const PRINTABLE_STRING: u8 = 0x13;
pub(crate) const UTF8_STRING: u8 = 0x0c;

pub(crate) fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(content.len() + 6);
    out.push(tag);
    let length = content.len();
    if let Ok(short) = u8::try_from(length)
        && short < 0x80
    {
        out.push(short);
    } else {
        let bytes = length.to_be_bytes();
        let significant = bytes.iter().skip_while(|byte| **byte == 0);
        let count = significant.clone().count() as u8;
        out.push(0x80 | count);
        out.extend(significant);
    }
    out.extend_from_slice(content);
    out
}

fn joined(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    element(tag, &parts.concat())
}

pub(crate) fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    joined(SEQUENCE, parts)
}

pub(crate) fn set(parts: &[&[u8]]) -> Vec<u8> {
    joined(SET, parts)
}

/// The content of a SET OF: elements in ascending order of their encodings (X.690, 11.6).
pub(crate) fn sorted(mut elements: Vec<Vec<u8>>) -> Vec<u8> {
    elements.sort();
    elements.concat()
}

pub(crate) fn object_identifier(content: &[u8]) -> Vec<u8> {
    element(OBJECT_IDENTIFIER, content)
}

pub(crate) fn octet_string(content: &[u8]) -> Vec<u8> {
    element(OCTET_STRING, content)
}

pub(crate) fn small_integer(value: u8) -> Vec<u8> {
    debug_assert!(value < 0x80);
    element(INTEGER, &[value])
}

/// AlgorithmIdentifier with NULL parameters, as RSA and digests are usually written.
pub(crate) fn algorithm_with_null(oid: &[u8]) -> Vec<u8> {
    sequence(&[&object_identifier(oid), &[0x05, 0x00]])
}

/// AlgorithmIdentifier without parameters, as ECDSA must be written (RFC 5754, 3.3).
pub(crate) fn algorithm(oid: &[u8]) -> Vec<u8> {
    sequence(&[&object_identifier(oid)])
}

/// A PrintableString where the text allows it, otherwise a UTF8String.
pub(crate) fn text(value: &str) -> Vec<u8> {
    let printable = value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b" '()+,-./:=?".contains(&byte));
    let tag = if printable { PRINTABLE_STRING } else { UTF8_STRING };
    element(tag, value.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_shortest() {
        for (length, header) in [
            (0usize, vec![0x04, 0x00]),
            (127, vec![0x04, 0x7f]),
            (128, vec![0x04, 0x81, 0x80]),
            (256, vec![0x04, 0x82, 0x01, 0x00]),
            (70_000, vec![0x04, 0x83, 0x01, 0x11, 0x70]),
        ] {
            let written = octet_string(&vec![7; length]);
            assert!(written.starts_with(&header));
            assert_eq!(written.len(), header.len() + length);
        }
    }

    #[test]
    fn text_is_printable_where_it_can_be() {
        assert_eq!(text("AB+/=").first(), Some(&PRINTABLE_STRING));
        assert_eq!(text("a_b").first(), Some(&UTF8_STRING));
    }
}
