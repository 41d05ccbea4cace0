//! The `Mdm-Signature` header: proof, through any proxy, that a device's identity sent this very body.
//!
//! Real devices send BER of indefinite lengths with SHA-1 and no signed attributes, others SHA-256
//! with them; both are accepted here. The signature is checked against the certificate inside; whose it
//! is, the server looks up by the certificate's fingerprint. Source: Apple, "Passing an identity certificate through a proxy".

use crate::cms::{Digest, SignatureProblem, SignedMessage};
use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Who signed the body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signer {
    /// The certificate whose key made the signature; not yet known to be anybody's.
    pub certificate_der: Vec<u8>,
}

/// Checks the header's signature over the body.
///
/// # Errors
/// [`SignatureProblem`]; a header that is not base64 is `Malformed`.
pub fn verify(header: &str, body: &[u8]) -> Result<Signer, SignatureProblem> {
    let message = if header.bytes().any(|byte| byte.is_ascii_whitespace()) {
        BASE64.decode(header.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect::<Vec<u8>>())
    } else {
        BASE64.decode(header)
    };
    let message = message.map_err(|_| SignatureProblem::Malformed)?;
    let message = SignedMessage::read(&message)?;
    let signer = message.verify(Some(body))?;
    match signer.digest {
        Digest::Md5 => Err(SignatureProblem::Algorithm),
        Digest::Sha1 | Digest::Sha256 | Digest::Sha384 | Digest::Sha512 => {
            Ok(Signer { certificate_der: signer.certificate_der.into_owned() })
        }
    }
}
