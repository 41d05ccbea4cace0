//! CMS as Apple's devices write it: indefinite lengths, and signatures with or without signed attributes.

mod read;
#[cfg(test)]
mod tests;

use openssl::cms::{CMSOptions, CmsContentInfo};
use openssl::encrypt::Encrypter;
use openssl::hash::{MessageDigest, hash};
use openssl::pkey::{PKey, PKeyRef, Private};
use openssl::rsa::Padding;
use openssl::sign::Signer;
use openssl::symm::{Cipher, encrypt};
use openssl::x509::{X509, X509Ref};

use super::ber;
use super::certificate::issuer_and_serial;
use crate::Result;

pub use read::{Signed, read_signed};

pub(crate) const DATA: &str = "1.2.840.113549.1.7.1";
pub(crate) const SIGNED_DATA: &str = "1.2.840.113549.1.7.2";
const ENVELOPED_DATA: &str = "1.2.840.113549.1.7.3";
const CONTENT_TYPE: &str = "1.2.840.113549.1.9.3";
const MESSAGE_DIGEST: &str = "1.2.840.113549.1.9.4";
const SIGNING_TIME: &str = "1.2.840.113549.1.9.5";
const RSA: &str = "1.2.840.113549.1.1.1";
/// Apple's encoder streams; so many octets go into one chunk.
const CHUNK: usize = 1024;

/// Which digest a signature uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Digest {
    /// SHA-1, as older devices sign.
    #[default]
    Sha1,
    /// SHA-256.
    Sha256,
}

impl Digest {
    fn openssl(self) -> MessageDigest {
        match self {
            Self::Sha1 => MessageDigest::sha1(),
            Self::Sha256 => MessageDigest::sha256(),
        }
    }

    fn identifier(self) -> &'static str {
        match self {
            Self::Sha1 => "1.3.14.3.2.26",
            Self::Sha256 => "2.16.840.1.101.3.4.2.1",
        }
    }

    fn with_rsa(self) -> &'static str {
        match self {
            Self::Sha1 => "1.2.840.113549.1.1.5",
            Self::Sha256 => "1.2.840.113549.1.1.11",
        }
    }
}

/// How a phone signs its messages in `Mdm-Signature`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SignatureStyle {
    /// SHA-1 over the body itself, no signed attributes: what was captured from real devices.
    #[default]
    Sha1WithoutAttributes,
    /// SHA-256 with content type, digest and signing time as signed attributes.
    Sha256WithAttributes,
}

/// How the content of a SCEP request is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContentCipher {
    /// AES-128-CBC.
    Aes128,
    /// AES-256-CBC.
    Aes256,
    /// Triple DES in CBC mode.
    TripleDes,
    /// Single DES, which a council's authority is to refuse unless told otherwise.
    SingleDes,
}

/// A detached signature over `body`, as sent (base64) in `Mdm-Signature`. `at` is the signing time, seconds since 1970.
///
/// # Errors
/// [`crate::Error::Cryptography`] when the key cannot sign.
pub fn sign_detached(
    style: SignatureStyle,
    key: &PKeyRef<Private>,
    certificate: &X509Ref,
    body: &[u8],
    at: i64,
) -> Result<Vec<u8>> {
    let (digest, attributes) = match style {
        SignatureStyle::Sha1WithoutAttributes => (Digest::Sha1, None),
        SignatureStyle::Sha256WithAttributes => {
            let time = attribute(SIGNING_TIME, &ber::definite(0x17, utc_time(at).as_bytes()));
            (Digest::Sha256, Some(vec![time]))
        }
    };
    let signer = signer_info(digest, key, certificate, body, attributes)?;
    signed_data(digest, None, &certificate.to_der()?, &signer)
}

/// A signature that carries its content and the given signed attributes beside content type and digest (SCEP's pkiMessage).
///
/// # Errors
/// [`crate::Error::Cryptography`] when the key cannot sign.
pub fn sign_enclosing(
    digest: Digest,
    key: &PKeyRef<Private>,
    certificate: &X509Ref,
    content: &[u8],
    attributes: Vec<Vec<u8>>,
) -> Result<Vec<u8>> {
    let signer = signer_info(digest, key, certificate, content, Some(attributes))?;
    signed_data(digest, Some(content), &certificate.to_der()?, &signer)
}

/// One attribute with one value.
pub fn attribute(identifier: &str, value: &[u8]) -> Vec<u8> {
    ber::sequence(&[&ber::object_identifier(identifier), &ber::definite(ber::SET, value)])
}

fn signer_info(
    digest: Digest,
    key: &PKeyRef<Private>,
    certificate: &X509Ref,
    content: &[u8],
    attributes: Option<Vec<Vec<u8>>>,
) -> Result<Vec<u8>> {
    let mut signer = Signer::new(digest.openssl(), key)?;
    let mut signed_attributes = Vec::new();
    if let Some(mut attributes) = attributes {
        attributes.push(attribute(CONTENT_TYPE, &ber::object_identifier(DATA)));
        let imprint = hash(digest.openssl(), content)?;
        attributes.push(attribute(MESSAGE_DIGEST, &ber::definite(ber::OCTET_STRING, imprint)));
        let set = ber::set_of(attributes);
        signer.update(&set)?;
        signed_attributes = set;
        // What is signed is a SET OF; what is sent is the same octets under [0] (RFC 5652, 5.4).
        if let Some(tag) = signed_attributes.first_mut() {
            *tag = ber::CONTEXT_0;
        }
    } else {
        signer.update(content)?;
    }
    Ok(ber::sequence(&[
        &ber::small_integer(1),
        &issuer_and_serial(certificate)?,
        &ber::algorithm(digest.identifier()),
        &signed_attributes,
        &ber::algorithm(digest.with_rsa()),
        &ber::definite(ber::OCTET_STRING, signer.sign_to_vec()?),
    ]))
}

fn signed_data(digest: Digest, content: Option<&[u8]>, certificate: &[u8], signer: &[u8]) -> Result<Vec<u8>> {
    let enclosed = content
        .map(|content| ber::indefinite(ber::CONTEXT_0, &[&ber::chunked(ber::OCTET_STRING, content, CHUNK)]))
        .unwrap_or_default();
    let body = ber::indefinite(
        ber::SEQUENCE,
        &[
            &ber::small_integer(1),
            &ber::definite(ber::SET, ber::algorithm(digest.identifier())),
            &ber::indefinite(ber::SEQUENCE, &[&ber::object_identifier(DATA), &enclosed]),
            &ber::definite(ber::CONTEXT_0, certificate),
            &ber::definite(ber::SET, signer),
        ],
    );
    Ok(content_info(SIGNED_DATA, &body))
}

fn content_info(kind: &str, body: &[u8]) -> Vec<u8> {
    ber::indefinite(ber::SEQUENCE, &[&ber::object_identifier(kind), &ber::indefinite(ber::CONTEXT_0, &[body])])
}

/// Content encrypted to each recipient's RSA key, chunked and of indefinite length as Apple's encoder writes it.
///
/// # Errors
/// [`crate::Error::Cryptography`] when a recipient's key is not RSA.
pub fn envelop(cipher: ContentCipher, recipients: &[X509], content: &[u8]) -> Result<Vec<u8>> {
    let (symmetric, identifier, key_length, iv_length) = match cipher {
        ContentCipher::Aes128 => (Cipher::aes_128_cbc(), "2.16.840.1.101.3.4.1.2", 16, 16),
        ContentCipher::Aes256 => (Cipher::aes_256_cbc(), "2.16.840.1.101.3.4.1.42", 32, 16),
        ContentCipher::TripleDes => (Cipher::des_ede3_cbc(), "1.2.840.113549.3.7", 24, 8),
        ContentCipher::SingleDes => (Cipher::des_ede3_cbc(), "1.3.14.3.2.7", 8, 8),
    };
    let mut key = vec![0; key_length];
    openssl::rand::rand_bytes(&mut key)?;
    let mut iv = vec![0; iv_length];
    openssl::rand::rand_bytes(&mut iv)?;
    // Triple DES with the same key three times is single DES; OpenSSL 3 keeps single DES in its legacy provider.
    let working_key = if cipher == ContentCipher::SingleDes { key.repeat(3) } else { key.clone() };
    let encrypted = encrypt(symmetric, &working_key, Some(&iv), content)?;
    let mut infos = Vec::new();
    for recipient in recipients {
        let public = recipient.public_key()?;
        let mut encrypter = Encrypter::new(&public)?;
        encrypter.set_rsa_padding(Padding::PKCS1)?;
        let mut wrapped = vec![0; encrypter.encrypt_len(&key)?];
        let length = encrypter.encrypt(&key, &mut wrapped)?;
        wrapped.truncate(length);
        infos.push(ber::sequence(&[
            &ber::small_integer(0),
            &issuer_and_serial(recipient)?,
            &ber::algorithm(RSA),
            &ber::definite(ber::OCTET_STRING, wrapped),
        ]));
    }
    let parameters = ber::sequence(&[&ber::object_identifier(identifier), &ber::definite(ber::OCTET_STRING, iv)]);
    let info = ber::indefinite(
        ber::SEQUENCE,
        &[&ber::object_identifier(DATA), &parameters, &ber::chunked(ber::CONTEXT_0, &encrypted, CHUNK)],
    );
    let body = ber::indefinite(ber::SEQUENCE, &[&ber::small_integer(0), &ber::set_of(infos), &info]);
    Ok(content_info(ENVELOPED_DATA, &body))
}

/// Opens an EnvelopedData addressed to this certificate's key.
///
/// # Errors
/// [`crate::Error::Cryptography`] when it is addressed to another key or damaged.
pub fn open_envelope(envelope: &[u8], key: &PKey<Private>, certificate: &X509) -> Result<Vec<u8>> {
    Ok(CmsContentInfo::from_der(envelope)?.decrypt(key, certificate)?)
}

/// Verifies a detached signature with OpenSSL's own CMS code, for tests of what this file writes.
///
/// # Errors
/// [`crate::Error::Cryptography`] when OpenSSL refuses it.
pub fn openssl_verify_detached(signature: &[u8], body: &[u8]) -> Result<()> {
    let options = CMSOptions::NO_SIGNER_CERT_VERIFY | CMSOptions::BINARY;
    Ok(CmsContentInfo::from_der(signature)?.verify(None, None, Some(body), None, options)?)
}

/// `YYMMDDhhmmssZ`.
fn utc_time(unix: i64) -> String {
    let (days, second) = (unix.div_euclid(86_400), unix.rem_euclid(86_400));
    // Civil date from days since 1970, after Howard Hinnant's description.
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_index + 2) / 5 + 1;
    let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!(
        "{:02}{month:02}{day:02}{:02}{:02}{:02}Z",
        year.rem_euclid(100),
        second / 3600,
        second / 60 % 60,
        second % 60
    )
}
