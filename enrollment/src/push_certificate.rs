//! A council's push certificate: the request that a vendor signs for Apple's portal, and reading what the portal gives back.

use crate::Error;
use crate::authority::{new_rsa_key, subject};
use crate::certificate::{fitted, from_asn1_time, sha256_hex};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{Id, PKey, Private};
use openssl::sign::Signer;
use openssl::x509::{X509, X509Req, X509ReqBuilder};
use plist::{Dictionary, Value};
use std::fmt;
use zeroize::Zeroizing;

/// What every MDM push topic begins with.
pub const TOPIC_PREFIX: &str = "com.apple.mgmt.";

/// A new key and the request for its certificate.
#[derive(Clone)]
pub struct PushRequest {
    /// The RSA-2048 key as unencrypted PKCS#8, to be sealed before it is stored.
    pub private_key_der: Zeroizing<Vec<u8>>,
    /// The PKCS#10 request.
    pub csr_der: Vec<u8>,
    /// The same request in PEM.
    pub csr_pem: String,
}

impl fmt::Debug for PushRequest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("PushRequest").finish_non_exhaustive()
    }
}

/// Makes a key and a certificate request for it. The name (cut to 64 bytes) only helps people; Apple chooses its own.
///
/// # Errors
/// [`Error::CommonName`] for an empty name.
pub fn request(common_name: &str) -> Result<PushRequest, Error> {
    let key = new_rsa_key()?;
    let mut builder = X509ReqBuilder::new()?;
    builder.set_version(0)?;
    let name = subject(fitted(common_name, crate::authority::NAME_LIMIT), None)?;
    builder.set_subject_name(&name)?;
    builder.set_pubkey(&key)?;
    builder.sign(&key, MessageDigest::sha256())?;
    let csr = builder.build();
    Ok(PushRequest {
        private_key_der: Zeroizing::new(key.private_key_to_pkcs8()?),
        csr_der: csr.to_der()?,
        csr_pem: String::from_utf8_lossy(&csr.to_pem()?).into_owned(),
    })
}

/// The request in the form Apple's push certificate portal takes: base64 of a property list with the request, the vendor's chain and the vendor's signature.
///
/// `vendor_chain_pem` begins with the vendor's certificate, followed by Apple's intermediate and root;
/// `vendor_key` is the vendor's RSA key in PEM or DER (unencrypted). The signature is SHA-256 with RSA over the
/// request's DER. Source: Apple, "Setting up push notifications for your MDM customers".
///
/// # Errors
/// [`Error::Unreadable`] for a part that cannot be read, [`Error::KeyMismatch`] when key and first certificate do not fit.
pub fn vendor_signed_request(csr_der: &[u8], vendor_chain_pem: &[u8], vendor_key: &[u8]) -> Result<String, Error> {
    let csr = X509Req::from_der(csr_der).map_err(|_| Error::Unreadable("the request"))?;
    let csr_der = csr.to_der()?;
    let chain =
        X509::stack_from_pem(vendor_chain_pem).map_err(|_| Error::Unreadable("the vendor's certificate chain"))?;
    let vendor = chain.first().ok_or(Error::Unreadable("the vendor's certificate chain"))?;
    let key: PKey<Private> = PKey::private_key_from_der(vendor_key)
        .or_else(|_| PKey::private_key_from_pem_callback(vendor_key, |_| Ok(0)))
        .map_err(|_| Error::Unreadable("the vendor's key"))?;
    if key.id() != Id::RSA {
        return Err(Error::UnacceptableKey);
    }
    if !vendor.public_key()?.public_eq(&key) {
        return Err(Error::KeyMismatch);
    }
    let mut chain_pem = String::new();
    for certificate in &chain {
        chain_pem.push_str(&String::from_utf8_lossy(&certificate.to_pem()?));
    }
    let signature = Signer::new(MessageDigest::sha256(), &key)?.sign_oneshot_to_vec(&csr_der)?;
    let mut request = Dictionary::new();
    for (field, text) in [
        ("PushCertRequestCSR", STANDARD.encode(&csr_der)),
        ("PushCertCertificateChain", chain_pem),
        ("PushCertSignature", STANDARD.encode(signature)),
    ] {
        request.insert(field.to_owned(), Value::String(text));
    }
    let mut xml = Vec::new();
    Value::Dictionary(request).to_writer_xml(&mut xml)?;
    Ok(STANDARD.encode(xml))
}

/// A push certificate as Apple issued it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushCertificate {
    /// The subject's UID, `com.apple.mgmt.…`: the topic devices listen to.
    pub topic: String,
    /// First moment of validity.
    pub not_before: DateTime<Utc>,
    /// Last moment of validity.
    pub not_after: DateTime<Utc>,
    /// The certificate.
    pub certificate_der: Vec<u8>,
    /// SHA-256 of the certificate, lower-case hex.
    pub fingerprint: String,
    /// SubjectPublicKeyInfo.
    pub public_key_der: Vec<u8>,
}

/// Why a file is not a push certificate for MDM.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// It holds no certificate in PEM or DER.
    #[error("the file holds no certificate")]
    NotACertificate,
    /// The subject has no UID.
    #[error("the certificate names no push topic (its subject has no UID)")]
    NoTopic,
    /// The UID is not an MDM topic: a certificate for an app, or a vendor's.
    #[error("{0:?} is not an MDM push topic: it must begin with com.apple.mgmt.")]
    WrongTopic(String),
}

/// Reads a push certificate from PEM (the first certificate in it) or DER. Whether it is in its time is for the caller to judge.
///
/// # Errors
/// [`Problem`].
pub fn inspect(file: &[u8]) -> Result<PushCertificate, Problem> {
    let certificate = X509::stack_from_pem(file)
        .ok()
        .and_then(|certificates| certificates.into_iter().next())
        .or_else(|| X509::from_der(file).ok())
        .ok_or(Problem::NotACertificate)?;
    let unreadable = |_| Problem::NotACertificate;
    let topic = certificate
        .subject_name()
        .entries_by_nid(Nid::USERID)
        .next()
        .and_then(|entry| entry.data().to_string().ok())
        .ok_or(Problem::NoTopic)?;
    if topic.strip_prefix(TOPIC_PREFIX).is_none_or(str::is_empty) {
        return Err(Problem::WrongTopic(topic));
    }
    let certificate_der = certificate.to_der().map_err(unreadable)?;
    let date = |time| from_asn1_time(time).ok_or(Problem::NotACertificate);
    let key = certificate.public_key().map_err(unreadable)?;
    Ok(PushCertificate {
        topic,
        not_before: date(certificate.not_before())?,
        not_after: date(certificate.not_after())?,
        fingerprint: sha256_hex(&certificate_der),
        certificate_der,
        public_key_der: key.public_key_to_der().map_err(unreadable)?,
    })
}

/// Whether a private key (PKCS#8, PKCS#1 or SEC 1 in DER) is the certificate's.
#[must_use]
pub fn matches_key(certificate: &PushCertificate, private_key_der: &[u8]) -> bool {
    let Ok(private) = PKey::private_key_from_der(private_key_der) else {
        return false;
    };
    PKey::public_key_from_der(&certificate.public_key_der).is_ok_and(|public| public.public_eq(&private))
}
