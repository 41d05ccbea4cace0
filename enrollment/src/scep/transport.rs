//! What SCEP puts around its messages: capabilities, content types, and the base64 of GET requests in all its variants.

use crate::authority::Authority;
use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Content type of GetCACert's answer, exactly as clients compare it: one certificate, no chain.
pub const CONTENT_TYPE_CA_CERTIFICATE: &str = "application/x-x509-ca-cert";
/// Content type of PKIOperation's request and answer.
pub const CONTENT_TYPE_MESSAGE: &str = "application/x-pki-message";
/// Content type of GetCACaps's answer.
pub const CONTENT_TYPE_CAPABILITIES: &str = "text/plain";

/// The answer to GetCACaps, one capability a line (RFC 8894, 3.5.2).
///
/// SHA-1 and DES are not among them: a client that reads the list uses SHA-256 and AES. SHA-384 is no
/// word of the RFC's, but strongSwan 5.9 only believes in SHA-256 where it stands too.
#[must_use]
pub fn capabilities() -> &'static str {
    "AES\nPOSTPKIOperation\nRenewal\nSCEPStandard\nSHA-256\nSHA-384\nSHA-512\n"
}

/// The answer to GetCACert: the authority's certificate in DER and nothing else.
#[must_use]
pub fn ca_certificate(authority: &Authority) -> Vec<u8> {
    authority.certificate_der()
}

/// The `message` of a GET request is no base64.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the message is not base64")]
pub struct NotBase64;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Decodes the `message` parameter of a GET request, percent-decoded already or not.
///
/// Clients send standard or URL-safe base64, with or without padding, and a `+` often arrives as a space.
///
/// # Errors
/// [`NotBase64`].
pub fn decode_get_message(query_value: &str) -> Result<Vec<u8>, NotBase64> {
    let mut characters = Vec::with_capacity(query_value.len());
    let mut bytes = query_value.bytes();
    while let Some(byte) = bytes.next() {
        let byte = match byte {
            b'%' => {
                let digit = |byte: Option<u8>| {
                    byte.and_then(|byte| char::from(byte).to_digit(16)).and_then(|digit| u8::try_from(digit).ok())
                };
                let high = digit(bytes.next()).ok_or(NotBase64)?;
                let low = digit(bytes.next()).ok_or(NotBase64)?;
                high << 4 | low
            }
            other => other,
        };
        match byte {
            b' ' | b'-' => characters.push(b'+'),
            b'_' => characters.push(b'/'),
            b'\r' | b'\n' | b'\t' => {}
            other => characters.push(other),
        }
    }
    let message = BASE64.decode(characters).map_err(|_| NotBase64)?;
    if message.is_empty() { Err(NotBase64) } else { Ok(message) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_variant_of_base64_is_read() {
        let message = [0xfb, 0xff, 0xbf, 0x01];
        for text in ["+/+/AQ==", "+/+/AQ", "-_-_AQ", " / /AQ==", "%2B%2F%2b%2fAQ%3D%3D", "+/+/\r\nAQ=="] {
            assert_eq!(decode_get_message(text), Ok(message.to_vec()), "{text:?}");
        }
        for text in ["", "%", "%2", "%zz", "***", "A"] {
            assert_eq!(decode_get_message(text), Err(NotBase64), "{text:?}");
        }
    }

    #[test]
    fn clients_look_for_these_words() {
        for word in ["POSTPKIOperation", "SHA-256", "SHA-384", "AES", "SCEPStandard", "Renewal"] {
            assert!(capabilities().lines().any(|line| line == word));
        }
    }

    proptest! {
        #[test]
        fn any_text_is_decoded_or_refused(text in ".{0,200}") {
            let _ = decode_get_message(&text);
        }
    }
}
