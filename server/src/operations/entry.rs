//! The checks that every text entered in the register passes, so that a slip of the pen is heard of at once.

use crate::error::{Error, Result};

/// A text that must be there: trimmed, 1 to `most` characters on one line.
pub(crate) fn required(field: &str, text: &str, most: usize) -> Result<String> {
    optional(field, text, most)?.ok_or_else(|| Error::invalid(field, "must not be empty"))
}

/// A text that may be left out: trimmed, at most `most` characters on one line; an empty one is none.
pub(crate) fn optional(field: &str, text: &str, most: usize) -> Result<Option<String>> {
    let text = text.trim();
    if text.chars().count() > most || text.chars().any(char::is_control) {
        return Err(Error::invalid(field, format!("must be one line of at most {most} characters")));
    }
    Ok(Some(text.to_owned()).filter(|text| !text.is_empty()))
}

/// A mail address, as far as it can be told from its look.
pub(crate) fn email(field: &str, text: &str) -> Result<Option<String>> {
    let Some(text) = optional(field, text, 254)? else { return Ok(None) };
    let right = text.split_once('@').is_some_and(|(name, host)| {
        !name.is_empty() && host.contains('.') && !host.starts_with('.') && !host.ends_with('.') && !host.contains('@')
    });
    if !right || text.contains(char::is_whitespace) {
        return Err(Error::invalid(field, "must be a mail address, as in \"clerk@example-parish.gov.uk\""));
    }
    Ok(Some(text))
}

/// A telephone number as people write it.
pub(crate) fn phone(field: &str, text: &str) -> Result<Option<String>> {
    let Some(text) = optional(field, text, 40)? else { return Ok(None) };
    let digits = text.chars().filter(char::is_ascii_digit).count();
    let rest = text.chars().all(|character| character.is_ascii_digit() || " +-().".contains(character));
    if !rest || !(3..=20).contains(&digits) {
        return Err(Error::invalid(field, "must be a telephone number, as in \"07700 900123\""));
    }
    Ok(Some(text))
}

/// The digits of a telephone number as dialled at home: "+44 7700…" and "07700…" are one number.
pub(crate) fn dialled(phone: &str) -> String {
    let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
    let abroad = if phone.trim_start().starts_with('+') { Some(digits.as_str()) } else { digits.strip_prefix("00") };
    match abroad.and_then(|digits| digits.strip_prefix("44")) {
        Some(national) => format!("0{}", national.strip_prefix('0').unwrap_or(national)),
        None => digits,
    }
}

/// An IMEI: 14 to 16 digits; spaces and hyphens are dropped.
pub(crate) fn imei(field: &str, text: &str) -> Result<Option<String>> {
    let Some(text) = optional(field, text, 40)? else { return Ok(None) };
    let digits: String = text.chars().filter(|character| !" -/".contains(*character)).collect();
    if !(14..=16).contains(&digits.len()) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Error::invalid(field, "must have 15 digits; the phone shows it when *#06# is dialled"));
    }
    Ok(Some(digits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_the_same_at_home_and_from_abroad() {
        for text in ["07700 900123", "+44 7700 900123", "0044 (0)7700-900123", "+44 (0) 7700 900 123"] {
            assert_eq!(dialled(text), "07700900123", "{text}");
        }
        assert_eq!(dialled("+353 1 555 0100"), "35315550100");
    }

    #[test]
    fn slips_are_refused() {
        assert!(required("name", "  ", 10).is_err());
        assert!(required("name", "a\nb", 10).is_err());
        assert!(required("name", &"x".repeat(11), 10).is_err());
        assert!(email("email", "clerk at example").is_err());
        assert!(email("email", "a@b@c.uk").is_err());
        assert!(phone("phone", "ring me").is_err());
        assert!(imei("imei", "1234").is_err());
    }

    #[test]
    fn what_is_right_is_kept_as_written() {
        assert_eq!(email("email", " a@b.uk ").expect("right").as_deref(), Some("a@b.uk"));
        assert_eq!(phone("phone", "01736 (55) 01").expect("right").as_deref(), Some("01736 (55) 01"));
        assert_eq!(imei("imei", "35 693803-564380 9").expect("right").as_deref(), Some("356938035643809"));
        assert_eq!(optional("note", "", 5).expect("right"), None);
    }
}
