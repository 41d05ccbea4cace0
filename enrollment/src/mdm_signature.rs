//! The `Mdm-Signature` header: proof, through any proxy, that a device's identity sent this very body.
//!
//! Real devices send BER of indefinite lengths with SHA-1 and no signed attributes, others SHA-256
//! with them; both are accepted here. The signature is checked against the certificate inside; whose it
//! is, the server looks up by the certificate's fingerprint. Source: Apple, "Passing an identity certificate through a proxy".

use crate::certificate::public_key;
use crate::cms::{Digest, SignatureProblem, SignedMessage};
use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use openssl::pkey::{PKey, Public};

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

/// Whose signature was right last on one connection. A device says several things in a visit, and its key need not be read out of its
/// certificate and made ready for each.
#[derive(Debug, Default)]
pub struct LastSigner(Option<(Vec<u8>, PKey<Public>)>);

impl LastSigner {
    fn key_of(&self, certificate: &[u8]) -> Result<PKey<Public>, SignatureProblem> {
        match &self.0 {
            Some((known, key)) if known == certificate => Ok(key.clone()),
            _ => Ok(public_key(certificate)?),
        }
    }
}

/// Checks the header's signature over the body; `last` is what is remembered from one message to the next.
///
/// # Errors
/// [`SignatureProblem`]; a header that is not base64 is `Malformed`.
pub fn verify(header: &str, body: &[u8], last: &mut LastSigner) -> Result<Signer, SignatureProblem> {
    let message = if header.bytes().any(|byte| byte.is_ascii_whitespace()) {
        BASE64.decode(header.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect::<Vec<u8>>())
    } else {
        BASE64.decode(header)
    };
    let message = message.map_err(|_| SignatureProblem::Malformed)?;
    let message = SignedMessage::read(&message)?;
    let signer = message.verify_by(Some(body), |certificate| last.key_of(certificate))?;
    if signer.digest == Digest::Md5 {
        return Err(SignatureProblem::Algorithm);
    }
    let certificate_der = signer.certificate_der.into_owned();
    if last.0.as_ref().is_none_or(|(known, _)| *known != certificate_der) {
        last.0 = Some((certificate_der.clone(), signer.public_key));
    }
    Ok(Signer { certificate_der })
}
