//! One-time invitation codes: 128 random bits that a person can read out, and of which only a hash is stored.

use crate::certificate::sha256_hex;
use std::fmt;
use std::str::FromStr;

/// Crockford's base32: no I, L, O or U, which are misread or misheard.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const LENGTH: usize = 26;

/// An invitation's code. It is a secret: `Debug` does not show it, and only [`Code::hash`] is stored.
#[derive(Clone, PartialEq, Eq)]
pub struct Code(u128);

/// The text is not an invitation code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an invitation code: 26 letters and digits are expected")]
pub struct NotACode;

impl Code {
    /// Makes a code of 16 random bytes.
    #[must_use]
    pub fn from_random(random: [u8; 16]) -> Code {
        Code(u128::from_be_bytes(random))
    }

    /// Reads a code as a person may type it: any case, spaces and hyphens anywhere, `O` for `0`, `I` or `L` for `1`.
    ///
    /// # Errors
    /// [`NotACode`].
    pub fn parse(text: &str) -> Result<Code, NotACode> {
        let mut value: u128 = 0;
        let mut digits = 0;
        for character in text.chars() {
            let character = match character.to_ascii_uppercase() {
                ' ' | '-' => continue,
                'O' => '0',
                'I' | 'L' => '1',
                other => other,
            };
            let digit = ALPHABET.iter().position(|known| char::from(*known) == character).ok_or(NotACode)?;
            // 26 digits hold 130 bits, so the first has only three.
            if digits == LENGTH || (digits == 0 && digit > 7) {
                return Err(NotACode);
            }
            value = value << 5 | digit as u128;
            digits += 1;
        }
        if digits == LENGTH { Ok(Code(value)) } else { Err(NotACode) }
    }

    /// What is stored and looked up: SHA-256 of the 16 bytes, lower-case hex.
    #[must_use]
    pub fn hash(&self) -> String {
        sha256_hex(&self.0.to_be_bytes())
    }

    /// The code in groups, for reading it out.
    #[must_use]
    pub fn grouped(&self) -> String {
        let plain = self.to_string();
        let mut grouped = String::with_capacity(LENGTH + 5);
        for (index, character) in plain.chars().enumerate() {
            if index > 0 && index % 5 == 0 && index < 25 {
                grouped.push('-');
            }
            grouped.push(character);
        }
        grouped
    }
}

/// The form for links: 26 upper-case letters and digits.
impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for index in (0..LENGTH).rev() {
            let digit = (self.0 >> (5 * index)) as usize & 31;
            let character = ALPHABET.get(digit).copied().unwrap_or(b'0');
            write!(formatter, "{}", char::from(character))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Code(secret)")
    }
}

impl FromStr for Code {
    type Err = NotACode;

    fn from_str(text: &str) -> Result<Code, NotACode> {
        Code::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_code_survives_being_typed_by_hand() {
        let code = Code::from_random([0xff; 16]);
        assert_eq!(code.to_string(), "7ZZZZZZZZZZZZZZZZZZZZZZZZZ");
        let zero_and_one = Code::from_random([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
        assert_eq!(Code::parse("ooooo-OOOOO 00000 00000 00000 l"), Ok(zero_and_one));
        assert_eq!(format!("{code:?}"), "Code(secret)");
        assert_eq!(code.grouped(), "7ZZZZ-ZZZZZ-ZZZZZ-ZZZZZ-ZZZZZZ");
    }

    #[test]
    fn what_is_not_a_code_is_refused() {
        for text in [
            "",
            "7",
            "8ZZZZZZZZZZZZZZZZZZZZZZZZZ",
            "7ZZZZZZZZZZZZZZZZZZZZZZZZZZ",
            "7ZZZZZZZZZZZZZZZZZZZZZZZZU",
            "7ZZZZZZZZZZZZZZZZZZZZZZZZé",
        ] {
            assert_eq!(Code::parse(text), Err(NotACode), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn display_and_parse_agree(random: [u8; 16]) {
            let code = Code::from_random(random);
            prop_assert_eq!(Code::parse(&code.to_string()), Ok(code.clone()));
            prop_assert_eq!(Code::parse(&code.grouped().to_lowercase()), Ok(code.clone()));
            prop_assert_eq!(code.hash().len(), 64);
        }

        #[test]
        fn any_text_is_parsed_or_refused(text in ".{0,60}") {
            let _ = Code::parse(&text);
        }
    }
}
