//! Makes and reads the certificates that the stand-ins need, with OpenSSL's X.509 alone.

use openssl::asn1::{Asn1Integer, Asn1Time};
use openssl::bn::{BigNum, MsbOption};
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{HasPublic, PKey, PKeyRef, Private};
use openssl::x509::extension::{BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAlternativeName};
use openssl::x509::{X509, X509Name, X509NameRef, X509Ref};

use super::ber;
use crate::{Error, Result};

/// A day in seconds.
pub const DAY: i64 = 86_400;

/// What a certificate is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// It signs other certificates.
    Authority,
    /// It names a TLS server on this machine.
    LoopbackServer,
    /// It is shown by a TLS client (a push certificate).
    Client,
    /// It signs for a vendor, or a SCEP request for its own key.
    Signer,
}

/// Who signs: the certificate and its key.
#[derive(Clone)]
pub struct Issuer {
    /// The signer's certificate.
    pub certificate: X509,
    /// The signer's private key.
    pub key: PKey<Private>,
}

/// A new P-256 key, for the stand-ins' own TLS and authorities.
///
/// # Errors
/// [`Error::Cryptography`] when OpenSSL has no randomness.
pub fn elliptic_key() -> Result<PKey<Private>> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
    Ok(PKey::from_ec_key(EcKey::generate(&group)?)?)
}

/// A distinguished name from pairs such as `("CN", "iPhone")` or `("2.5.4.5", "…")`.
///
/// # Errors
/// [`Error::Cryptography`] when a pair is not one OpenSSL knows.
pub fn name(pairs: &[(&str, &str)]) -> Result<X509Name> {
    let mut builder = X509Name::builder()?;
    for (field, value) in pairs {
        builder.append_entry_by_text(field, value)?;
    }
    Ok(builder.build())
}

/// A certificate for `public`, signed by `issuer`, or by its own `key` when there is none. Times are seconds since 1970.
///
/// # Errors
/// [`Error::Cryptography`] when OpenSSL refuses, for instance a time outside its range.
pub fn issue<T: HasPublic>(
    subject: &X509NameRef,
    public: &PKeyRef<T>,
    issuer: Option<&Issuer>,
    own_key: Option<&PKeyRef<Private>>,
    purpose: Purpose,
    valid: (i64, i64),
) -> Result<X509> {
    let mut builder = X509::builder()?;
    builder.set_version(2)?;
    let mut serial = BigNum::new()?;
    serial.rand(120, MsbOption::ONE, false)?;
    builder.set_serial_number(&*Asn1Integer::from_bn(&serial)?)?;
    builder.set_subject_name(subject)?;
    builder.set_issuer_name(issuer.map_or(subject, |issuer| issuer.certificate.subject_name()))?;
    builder.set_pubkey(public)?;
    builder.set_not_before(&*Asn1Time::from_unix(valid.0)?)?;
    builder.set_not_after(&*Asn1Time::from_unix(valid.1)?)?;
    match purpose {
        Purpose::Authority => {
            builder.append_extension(BasicConstraints::new().critical().ca().build()?)?;
            builder.append_extension(KeyUsage::new().critical().key_cert_sign().crl_sign().build()?)?;
        }
        Purpose::LoopbackServer => {
            builder.append_extension(ExtendedKeyUsage::new().server_auth().build()?)?;
            let names = SubjectAlternativeName::new()
                .dns("localhost")
                .ip("127.0.0.1")
                .build(&builder.x509v3_context(issuer.map(|issuer| &*issuer.certificate), None))?;
            builder.append_extension(names)?;
        }
        Purpose::Client => {
            builder.append_extension(KeyUsage::new().critical().digital_signature().build()?)?;
            builder.append_extension(ExtendedKeyUsage::new().client_auth().build()?)?;
        }
        Purpose::Signer => {
            builder.append_extension(KeyUsage::new().critical().digital_signature().key_encipherment().build()?)?;
        }
    }
    let key = issuer.map(|issuer| &*issuer.key).or(own_key).ok_or(Error::State("a certificate needs a signer"))?;
    builder.sign(key, MessageDigest::sha256())?;
    Ok(builder.build())
}

/// The text of the first entry of this kind in a certificate's subject.
pub fn subject_entry(certificate: &X509Ref, kind: Nid) -> Option<String> {
    let entry = certificate.subject_name().entries_by_nid(kind).next()?;
    Some(entry.data().to_string().ok()?.to_string())
}

/// The raw issuer Name and serialNumber of a certificate, as IssuerAndSerialNumber carries them (RFC 5652, 10.2.4).
///
/// # Errors
/// [`Error::Malformed`] when the certificate is not what X.509 says.
pub fn issuer_and_serial(certificate: &X509Ref) -> Result<Vec<u8>> {
    let der = certificate.to_der()?;
    let outer = ber::read_only(&der)?.children()?;
    let inner = ber::expect(outer.first(), ber::SEQUENCE, "certificate")?;
    let skip = usize::from(inner.first().is_some_and(|first| first.tag == ber::CONTEXT_0));
    match (inner.get(skip), inner.get(skip + 2)) {
        (Some(serial), Some(issuer)) => Ok(ber::sequence(&[issuer.whole, serial.whole])),
        _ => Err(Error::Malformed("certificate")),
    }
}

/// SHA-256 of the certificate's DER, in lower-case hex.
///
/// # Errors
/// [`Error::Cryptography`] when OpenSSL cannot encode it.
pub fn fingerprint(certificate: &X509Ref) -> Result<String> {
    Ok(hex::encode(certificate.digest(MessageDigest::sha256())?))
}
