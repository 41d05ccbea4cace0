//! Which digests, signature schemes and ciphers are known, by object identifier; anything else is refused by name.

use crate::ber::{Element, Malformed, OBJECT_IDENTIFIER};
use crate::oid;
use openssl::hash::MessageDigest;
use openssl::pkey::Id;
use openssl::provider::Provider;
use openssl::symm::Cipher;
use std::sync::OnceLock;

/// A digest algorithm of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Digest {
    /// MD5: only ever accepted where legacy clients are allowed.
    Md5,
    /// SHA-1, which older Apple devices still sign with.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl Digest {
    pub(crate) fn from_oid(content: &[u8]) -> Option<Digest> {
        match content {
            oid::MD5 => Some(Digest::Md5),
            oid::SHA1 => Some(Digest::Sha1),
            oid::SHA256 => Some(Digest::Sha256),
            oid::SHA384 => Some(Digest::Sha384),
            oid::SHA512 => Some(Digest::Sha512),
            _ => None,
        }
    }

    pub(crate) fn openssl(self) -> MessageDigest {
        match self {
            Digest::Md5 => MessageDigest::md5(),
            Digest::Sha1 => MessageDigest::sha1(),
            Digest::Sha256 => MessageDigest::sha256(),
            Digest::Sha384 => MessageDigest::sha384(),
            Digest::Sha512 => MessageDigest::sha512(),
        }
    }
}

/// A signature algorithm as sent: the kind of key, and the digest where the identifier names one.
pub(crate) struct Scheme {
    pub(crate) key: Id,
    pub(crate) digest: Option<Digest>,
}

impl Scheme {
    pub(crate) fn from_oid(content: &[u8]) -> Option<Scheme> {
        let (key, digest) = match content {
            oid::RSA => (Id::RSA, None),
            oid::RSA_MD5 => (Id::RSA, Some(Digest::Md5)),
            oid::RSA_SHA1 | oid::RSA_SHA1_OIW => (Id::RSA, Some(Digest::Sha1)),
            oid::RSA_SHA256 => (Id::RSA, Some(Digest::Sha256)),
            oid::RSA_SHA384 => (Id::RSA, Some(Digest::Sha384)),
            oid::RSA_SHA512 => (Id::RSA, Some(Digest::Sha512)),
            oid::EC_PUBLIC_KEY => (Id::EC, None),
            oid::ECDSA_SHA1 => (Id::EC, Some(Digest::Sha1)),
            oid::ECDSA_SHA256 => (Id::EC, Some(Digest::Sha256)),
            oid::ECDSA_SHA384 => (Id::EC, Some(Digest::Sha384)),
            oid::ECDSA_SHA512 => (Id::EC, Some(Digest::Sha512)),
            _ => return None,
        };
        Some(Scheme { key, digest })
    }
}

/// A cipher of an envelope's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContentCipher {
    /// AES-128 in CBC mode.
    Aes128,
    /// AES-192 in CBC mode.
    Aes192,
    /// AES-256 in CBC mode.
    Aes256,
    /// Triple DES in CBC mode, which older Apple devices use.
    TripleDes,
    /// Single DES in CBC mode: only where legacy clients are allowed.
    Des,
}

impl ContentCipher {
    pub(crate) fn from_oid(content: &[u8]) -> Option<ContentCipher> {
        match content {
            oid::AES_128_CBC => Some(ContentCipher::Aes128),
            oid::AES_192_CBC => Some(ContentCipher::Aes192),
            oid::AES_256_CBC => Some(ContentCipher::Aes256),
            oid::DES_EDE3_CBC => Some(ContentCipher::TripleDes),
            oid::DES_CBC => Some(ContentCipher::Des),
            _ => None,
        }
    }

    pub(crate) fn oid(self) -> &'static [u8] {
        match self {
            ContentCipher::Aes128 => oid::AES_128_CBC,
            ContentCipher::Aes192 => oid::AES_192_CBC,
            ContentCipher::Aes256 => oid::AES_256_CBC,
            ContentCipher::TripleDes => oid::DES_EDE3_CBC,
            ContentCipher::Des => oid::DES_CBC,
        }
    }

    pub(crate) fn openssl(self) -> Cipher {
        match self {
            ContentCipher::Aes128 => Cipher::aes_128_cbc(),
            ContentCipher::Aes192 => Cipher::aes_192_cbc(),
            ContentCipher::Aes256 => Cipher::aes_256_cbc(),
            ContentCipher::TripleDes => Cipher::des_ede3_cbc(),
            ContentCipher::Des => Cipher::des_cbc(),
        }
    }

    pub(crate) fn key_length(self) -> usize {
        match self {
            ContentCipher::Aes128 => 16,
            ContentCipher::Aes192 | ContentCipher::TripleDes => 24,
            ContentCipher::Aes256 => 32,
            ContentCipher::Des => 8,
        }
    }

    pub(crate) fn iv_length(self) -> usize {
        match self {
            ContentCipher::Aes128 | ContentCipher::Aes192 | ContentCipher::Aes256 => 16,
            ContentCipher::TripleDes | ContentCipher::Des => 8,
        }
    }
}

/// Loads OpenSSL's legacy provider, once, for the life of the process; false when this OpenSSL has none.
///
/// The default provider is kept: loading without that makes SHA-256 and AES fail everywhere.
pub(crate) fn enable_legacy_ciphers() -> bool {
    static LEGACY: OnceLock<Option<Provider>> = OnceLock::new();
    LEGACY.get_or_init(|| Provider::try_load(None, "legacy", true).ok()).is_some()
}

/// An AlgorithmIdentifier: its object identifier's bytes, and the parameters if there are any.
pub(crate) fn algorithm_identifier<'a>(sequence: &Element<'a>) -> Result<(&'a [u8], Option<Element<'a>>), Malformed> {
    let mut fields = sequence.children();
    let identifier = fields.expect(OBJECT_IDENTIFIER)?;
    let parameters = if fields.is_empty() { None } else { Some(fields.next()?) };
    Ok((identifier.content, parameters))
}
