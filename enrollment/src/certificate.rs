//! What CMS needs of a certificate beyond OpenSSL's reading: the exact bytes of issuer and serial number, digests, and dates as chrono knows them.

use crate::ber::{self, BIT_STRING, INTEGER, Malformed, OBJECT_IDENTIFIER, SEQUENCE};
use crate::{Error, der, oid};
use chrono::{DateTime, TimeDelta, Utc};
use openssl::asn1::{Asn1Time, Asn1TimeRef};
use openssl::bn::BigNum;
use openssl::pkey::{HasPublic, Id, PKey, PKeyRef, Public};
use openssl::rsa::Rsa;
use openssl::sha::{sha1, sha256};
use openssl::x509::X509NameRef;

/// Issuer and serial number of a certificate, as elements of its own bytes (RFC 5652, 10.2.4).
pub(crate) struct IssuerAndSerial<'a> {
    pub(crate) issuer: &'a [u8],
    pub(crate) serial: &'a [u8],
}

impl<'a> IssuerAndSerial<'a> {
    pub(crate) fn of(certificate_der: &'a [u8]) -> Result<IssuerAndSerial<'a>, Malformed> {
        let certificate = ber::first(certificate_der)?.tagged(SEQUENCE)?;
        let mut fields = certificate.children().expect(SEQUENCE)?.children();
        fields.take(der::context(0))?;
        let serial = fields.expect(INTEGER)?;
        fields.expect(SEQUENCE)?;
        let issuer = fields.expect(SEQUENCE)?;
        Ok(IssuerAndSerial { issuer: issuer.whole, serial: serial.whole })
    }

    pub(crate) fn to_der(&self) -> Vec<u8> {
        der::sequence(&[self.issuer, self.serial])
    }
}

/// The SubjectPublicKeyInfo of a certificate, as it stands there (encoding it anew costs OpenSSL more than checking a signature).
pub(crate) fn public_key_info(certificate_der: &[u8]) -> Result<&[u8], Malformed> {
    let certificate = ber::first(certificate_der)?.tagged(SEQUENCE)?;
    let mut fields = certificate.children().expect(SEQUENCE)?.children();
    fields.take(der::context(0))?;
    fields.expect(INTEGER)?;
    // Signature algorithm, issuer, validity, subject.
    for _ in 0..4 {
        fields.expect(SEQUENCE)?;
    }
    Ok(fields.expect(SEQUENCE)?.whole)
}

/// The key of a certificate. An RSA key is read from its two numbers: OpenSSL's own reading of a whole certificate, and its
/// search for a decoder of the key, cost more than checking a signature.
pub(crate) fn public_key(certificate_der: &[u8]) -> Result<PKey<Public>, Malformed> {
    let whole = public_key_info(certificate_der)?;
    let mut fields = ber::first(whole)?.tagged(SEQUENCE)?.children();
    let algorithm = fields.expect(SEQUENCE)?.children().expect(OBJECT_IDENTIFIER)?;
    if algorithm.content != oid::RSA {
        return PKey::public_key_from_der(whole).map_err(|_| Malformed);
    }
    let bits = fields.expect(BIT_STRING)?.content;
    let [0, numbers @ ..] = bits else { return Err(Malformed) };
    let mut numbers = ber::first(numbers)?.tagged(SEQUENCE)?.children();
    let (modulus, exponent) = (numbers.expect(INTEGER)?.content, numbers.expect(INTEGER)?.content);
    let number = |bytes: &[u8]| match bytes.first() {
        Some(first) if *first < 0x80 => BigNum::from_slice(bytes).map_err(|_| Malformed),
        _ => Err(Malformed),
    };
    Rsa::from_public_components(number(modulus)?, number(exponent)?).and_then(PKey::from_rsa).map_err(|_| Malformed)
}

pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    hex::encode(sha256(bytes))
}

pub(crate) fn sha1_bytes(bytes: &[u8]) -> [u8; 20] {
    sha1(bytes)
}

pub(crate) fn to_asn1_time(time: DateTime<Utc>) -> Result<Asn1Time, Error> {
    Ok(Asn1Time::from_unix(time.timestamp())?)
}

pub(crate) fn from_asn1_time(time: &Asn1TimeRef) -> Option<DateTime<Utc>> {
    let since = Asn1Time::from_unix(0).ok()?.diff(time).ok()?;
    let elapsed =
        TimeDelta::try_days(i64::from(since.days))?.checked_add(&TimeDelta::try_seconds(i64::from(since.secs))?)?;
    DateTime::UNIX_EPOCH.checked_add_signed(elapsed)
}

/// Only RSA keys of a size that is neither weak nor a way to make the server sweat.
pub(crate) fn acceptable_device_key<T: HasPublic>(key: &PKeyRef<T>) -> bool {
    key.id() == Id::RSA && (2048..=8192).contains(&key.bits())
}

/// A name for people to read, `CN=…, O=…`; undecodable parts are left out.
pub(crate) fn readable_name(name: &X509NameRef) -> String {
    let parts: Vec<String> = name
        .entries()
        .filter_map(|entry| {
            let kind = entry.object().nid().short_name().ok()?;
            let value = entry.data().to_string().ok()?;
            Some(format!("{kind}={value}"))
        })
        .collect();
    parts.join(", ")
}

/// The longest beginning of `text` that has at most `bytes` bytes and ends between characters.
pub(crate) fn fitted(text: &str, bytes: usize) -> &str {
    let mut end = bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default().trim()
}
