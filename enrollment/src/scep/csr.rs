//! The PKCS#10 request inside a SCEP message: only its key and its challenge are used, whatever else it asks for.

use super::FailInfo;
use super::request::RefusalReason;
use crate::ber::{self, BIT_STRING, INTEGER, Malformed, OBJECT_IDENTIFIER, SEQUENCE, SET};
use crate::certificate::{acceptable_device_key, readable_name, sha256_hex};
use crate::der::context;
use crate::oid;
use openssl::pkey::{PKey, Public};
use openssl::x509::X509Req;
use std::fmt;

/// A certification request whose own signature has been checked.
#[derive(Clone, PartialEq, Eq)]
pub struct Csr {
    /// The request itself, without what follows it.
    pub der: Vec<u8>,
    /// SubjectPublicKeyInfo, as OpenSSL writes it.
    pub public_key_der: Vec<u8>,
    /// SHA-256 of `public_key_der`, lower-case hex.
    pub public_key_fingerprint: String,
    /// The challenge password, if there is one. Secret: it is not shown by `Debug`.
    pub challenge: Option<String>,
    /// The subject that was asked for, for people to read; it is never used.
    pub subject: String,
    fingerprint: String,
}

impl fmt::Debug for Csr {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Csr")
            .field("subject", &self.subject)
            .field("public_key_fingerprint", &self.public_key_fingerprint)
            .field("has_challenge", &self.challenge.is_some())
            .finish_non_exhaustive()
    }
}

impl Csr {
    /// SHA-256 of what the request signs (its CertificationRequestInfo), lower-case hex: the same request again gets the same certificate.
    ///
    /// The bytes around it are not covered by the signature, so they make no other request.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.fingerprint.clone()
    }

    pub(super) fn read(bytes: &[u8], legacy_allowed: bool) -> Result<(Csr, PKey<Public>), (FailInfo, RefusalReason)> {
        let malformed = (FailInfo::BadRequest, RefusalReason::Request);
        let outline = outline(bytes).map_err(|_| malformed)?;
        if outline.signature_algorithm == oid::RSA_MD5 && !legacy_allowed {
            return Err((FailInfo::BadAlg, RefusalReason::Algorithm));
        }
        let request = X509Req::from_der(&outline.der).map_err(|_| malformed)?;
        let unacceptable = (FailInfo::BadAlg, RefusalReason::Key);
        let key = request.public_key().map_err(|_| unacceptable)?;
        if !acceptable_device_key(&key) {
            return Err(unacceptable);
        }
        if !request.verify(&key).unwrap_or(false) {
            return Err((FailInfo::BadMessageCheck, RefusalReason::RequestSignature));
        }
        let public_key_der = key.public_key_to_der().map_err(|_| unacceptable)?;
        let csr = Csr {
            public_key_fingerprint: sha256_hex(&public_key_der),
            public_key_der,
            challenge: outline.challenge,
            subject: readable_name(request.subject_name()),
            fingerprint: outline.fingerprint,
            der: outline.der,
        };
        Ok((csr, key))
    }
}

struct Outline {
    der: Vec<u8>,
    signature_algorithm: Vec<u8>,
    challenge: Option<String>,
    fingerprint: String,
}

fn outline(bytes: &[u8]) -> Result<Outline, Malformed> {
    let der = ber::first(bytes)?.tagged(SEQUENCE)?.definite()?.into_owned();
    let mut outer = ber::first(&der)?.children();
    let information = outer.expect(SEQUENCE)?;
    let fingerprint = sha256_hex(information.whole);
    let mut information = information.children();
    let signature_algorithm = outer.expect(SEQUENCE)?.children().expect(OBJECT_IDENTIFIER)?.content.to_vec();
    outer.expect(BIT_STRING)?;
    information.expect(INTEGER)?;
    information.expect(SEQUENCE)?;
    information.expect(SEQUENCE)?;
    let mut challenge = None;
    if let Some(attributes) = information.take(context(0))? {
        for attribute in attributes.children().all()? {
            let mut fields = attribute.tagged(SEQUENCE)?.children();
            if fields.expect(OBJECT_IDENTIFIER)?.content != oid::CHALLENGE_PASSWORD {
                continue;
            }
            let mut values = fields.expect(SET)?.children();
            let value = values.next()?;
            // Two challenges would let the one that is checked differ from the one that is logged.
            if challenge.is_some() || !values.is_empty() {
                return Err(Malformed);
            }
            challenge = Some(text(value.tag, value.content)?);
        }
    }
    Ok(Outline { signature_algorithm, challenge, fingerprint, der })
}

/// A DirectoryString or IA5String (RFC 2985, 5.4.1).
fn text(tag: u8, content: &[u8]) -> Result<String, Malformed> {
    const BMP_STRING: u8 = 0x1e;
    const LIKE_UTF8: [u8; 4] = [0x0c, 0x13, 0x14, 0x16];
    if LIKE_UTF8.contains(&tag) {
        return String::from_utf8(content.to_vec()).map_err(|_| Malformed);
    }
    if tag != BMP_STRING {
        return Err(Malformed);
    }
    let (pairs, rest) = content.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(Malformed);
    }
    let units: Vec<u16> = pairs.iter().map(|pair| u16::from_be_bytes(*pair)).collect();
    String::from_utf16(&units).map_err(|_| Malformed)
}
