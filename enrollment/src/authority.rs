//! A council's certificate authority: it issues the identities of the council's devices and recognises them again.
//!
//! The same RSA key signs certificates and SCEP answers and opens SCEP envelopes, because small
//! clients use the one certificate they get for all three (RFC 8894, 2.1.2).

use crate::Error;
use crate::certificate::{acceptable_device_key, fitted, from_asn1_time, public_key_info, sha256_hex, to_asn1_time};
use chrono::{DateTime, TimeDelta, Utc};
use openssl::asn1::Asn1Integer;
use openssl::bn::BigNum;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{HasPublic, PKey, PKeyRef, Private, Public};
use openssl::rsa::Rsa;
use openssl::x509::extension::{
    AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAlternativeName, SubjectKeyIdentifier,
};
use openssl::x509::{X509, X509Builder, X509ExtendedKeyUsage, X509Name, X509NameRef};
use std::cmp::Ordering;
use std::fmt;
use std::net::IpAddr;
use zeroize::Zeroizing;

/// The longest common name and organisation that every client accepts, in bytes.
pub const NAME_LIMIT: usize = 64;

/// How far before its NotBefore an identity is believed, since two clocks never agree.
pub const CLOCK_TOLERANCE: TimeDelta = TimeDelta::minutes(10);

/// A certificate's serial number: positive, at most 20 bytes (RFC 5280, 4.1.2.2), shown as lower-case hex.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Serial(Vec<u8>);

impl Serial {
    /// A serial number from 16 random bytes; the top bit is cleared and the next one set, so that it is positive and always 16 bytes long.
    #[must_use]
    pub fn from_random(mut random: [u8; 16]) -> Serial {
        random[0] = (random[0] & 0x7f) | 0x40;
        Serial(random.to_vec())
    }

    /// A fresh serial number from OpenSSL's random generator.
    ///
    /// # Errors
    /// [`Error::Cryptography`] when the generator fails.
    pub fn random() -> Result<Serial, Error> {
        let mut bytes = [0; 16];
        openssl::rand::rand_bytes(&mut bytes)?;
        Ok(Serial::from_random(bytes))
    }

    /// Reads the form that `Display` writes.
    ///
    /// # Errors
    /// [`Error::Serial`] when it is not hex, zero or too long.
    pub fn from_hex(text: &str) -> Result<Serial, Error> {
        let bytes = hex::decode(text).map_err(|_| Error::Serial)?;
        Serial::from_bytes(&bytes)
    }

    fn from_bytes(bytes: &[u8]) -> Result<Serial, Error> {
        let significant: Vec<u8> = bytes.iter().copied().skip_while(|b| *b == 0).collect();
        let negative_at_twenty = significant.len() == 20 && significant[0] >= 0x80;
        if significant.is_empty() || significant.len() > 20 || negative_at_twenty {
            return Err(Error::Serial);
        }
        Ok(Serial(significant))
    }

    fn to_asn1(&self) -> Result<Asn1Integer, Error> {
        Ok(Asn1Integer::from_bn(&*BigNum::from_slice(&self.0)?)?)
    }
}

impl fmt::Display for Serial {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&hex::encode(&self.0))
    }
}

/// What goes into a device's identity certificate; the server decides all of it, the device only brings its key.
#[derive(Debug, Clone)]
pub struct IssueRequest<'a> {
    /// The subject's common name, 1 to 64 bytes; best the enrolment's id.
    pub common_name: &'a str,
    /// The subject's organisation, the council's name; cut to 64 bytes.
    pub organization: Option<&'a str>,
    /// The serial number, which must never have been used by this authority.
    pub serial: Serial,
    /// First moment of validity, truncated to seconds; moved to the authority's own beginning if that is later.
    pub not_before: DateTime<Utc>,
    /// Last moment of validity; shortened to the authority's own end.
    pub not_after: DateTime<Utc>,
    /// SubjectPublicKeyInfo of the requester, RSA of 2048 bits or more.
    pub public_key_der: &'a [u8],
    /// A URI for the subject alternative name, for instance a URN of the enrolment.
    pub uri: Option<&'a str>,
}

/// A certificate just issued, with what the server stores about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuedCertificate {
    /// The certificate.
    pub der: Vec<u8>,
    /// SHA-256 of `der`, lower-case hex.
    pub fingerprint: String,
    /// The serial number, lower-case hex.
    pub serial: String,
    /// First moment of validity.
    pub not_before: DateTime<Utc>,
    /// Last moment of validity, perhaps earlier than asked for.
    pub not_after: DateTime<Utc>,
}

/// A TLS certificate for a server, with its own new key.
#[derive(Clone)]
pub struct ServerCertificate {
    /// The certificate.
    pub certificate_der: Vec<u8>,
    /// Its RSA key as unencrypted PKCS#8.
    pub private_key_der: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for ServerCertificate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ServerCertificate").finish_non_exhaustive()
    }
}

/// Who a certificate says its bearer is, once it is known to be this authority's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// SHA-256 of the certificate's DER, lower-case hex: what an enrolment is pinned to.
    pub fingerprint: String,
    /// The serial number, lower-case hex.
    pub serial: String,
    /// The subject's common name, empty if there is none.
    pub common_name: String,
    /// SHA-256 of the SubjectPublicKeyInfo, lower-case hex.
    pub public_key_fingerprint: String,
    /// First moment of validity.
    pub not_before: DateTime<Utc>,
    /// Last moment of validity.
    pub not_after: DateTime<Utc>,
}

/// Why a certificate is not taken as a device's identity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdentityProblem {
    /// It is not a certificate in DER.
    #[error("not a certificate in DER")]
    Malformed,
    /// It was not signed by this council's authority.
    #[error("not issued by this authority")]
    NotIssuedHere,
    /// The authority signed it, but not as a device's identity (its own certificate, or a server's).
    #[error("not a device's identity")]
    NotAnIdentity,
    /// Its validity begins in the future, by more than [`CLOCK_TOLERANCE`].
    #[error("not valid before {not_before}")]
    NotYetValid {
        /// First moment of validity.
        not_before: DateTime<Utc>,
    },
    /// It is this authority's, but over. If it is still pinned to an enrolment it is served renewal only.
    #[error("expired on {}", .0.not_after)]
    Expired(Box<Identity>),
}

/// A council's authority: certificate and private key.
#[derive(Clone)]
pub struct Authority {
    certificate: X509,
    certificate_der: Vec<u8>,
    public_key: PKey<Public>,
    private_key: PKey<Private>,
    private_key_der: Zeroizing<Vec<u8>>,
    not_before: DateTime<Utc>,
    not_after: DateTime<Utc>,
}

impl fmt::Debug for Authority {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Authority")
            .field("fingerprint", &fingerprint(&self.certificate_der))
            .finish_non_exhaustive()
    }
}

impl Authority {
    /// Makes a new RSA-2048 key and a self-signed certificate for it. The name is cut to 64 bytes.
    ///
    /// # Errors
    /// [`Error::CommonName`] for an empty name, [`Error::Validity`] for an empty period.
    pub fn create(
        common_name: &str,
        serial: Serial,
        not_before: DateTime<Utc>,
        not_after: DateTime<Utc>,
    ) -> Result<Authority, Error> {
        let private_key = new_rsa_key()?;
        let name = subject(fitted(common_name, NAME_LIMIT), None)?;
        let mut builder = begin(&name, &name, &serial, not_before, not_after, &private_key)?;
        builder.append_extension(BasicConstraints::new().critical().ca().pathlen(0).build()?)?;
        builder.append_extension(
            KeyUsage::new().critical().key_cert_sign().crl_sign().digital_signature().key_encipherment().build()?,
        )?;
        let key_identifier = SubjectKeyIdentifier::new().build(&builder.x509v3_context(None, None))?;
        builder.append_extension(key_identifier)?;
        builder.sign(&private_key, MessageDigest::sha256())?;
        Authority::assemble(builder.build(), private_key)
    }

    /// Puts a stored authority together again.
    ///
    /// # Errors
    /// [`Error::Unreadable`] or [`Error::KeyMismatch`] when the parts are not what [`Authority::create`] made.
    pub fn from_parts(certificate_der: &[u8], private_key_pkcs8_der: &[u8]) -> Result<Authority, Error> {
        let certificate =
            X509::from_der(certificate_der).map_err(|_| Error::Unreadable("the authority's certificate"))?;
        let private_key = PKey::private_key_from_pkcs8(private_key_pkcs8_der)
            .map_err(|_| Error::Unreadable("the authority's private key"))?;
        Authority::assemble(certificate, private_key)
    }

    fn assemble(certificate: X509, private_key: PKey<Private>) -> Result<Authority, Error> {
        let public_key = certificate.public_key()?;
        if !acceptable_device_key(&public_key) {
            return Err(Error::UnacceptableKey);
        }
        if !public_key.public_eq(&private_key) {
            return Err(Error::KeyMismatch);
        }
        let date = |time| from_asn1_time(time).ok_or(Error::Unreadable("the authority's validity"));
        Ok(Authority {
            certificate_der: certificate.to_der()?,
            not_before: date(certificate.not_before())?,
            not_after: date(certificate.not_after())?,
            private_key_der: Zeroizing::new(private_key.private_key_to_pkcs8()?),
            certificate,
            public_key,
            private_key,
        })
    }

    /// The authority's certificate: the whole answer to GetCACert.
    #[must_use]
    pub fn certificate_der(&self) -> Vec<u8> {
        self.certificate_der.clone()
    }

    /// The private key as unencrypted PKCS#8, to be sealed before it is stored.
    #[must_use]
    pub fn private_key_der(&self) -> Vec<u8> {
        self.private_key_der.to_vec()
    }

    /// First and last moment of the authority's own validity.
    #[must_use]
    pub fn validity(&self) -> (DateTime<Utc>, DateTime<Utc>) {
        (self.not_before, self.not_after)
    }

    pub(crate) fn certificate_bytes(&self) -> &[u8] {
        &self.certificate_der
    }

    pub(crate) fn private_key(&self) -> &PKeyRef<Private> {
        &self.private_key
    }

    /// Issues a device's identity: TLS client authentication only, everything but the key chosen by the caller.
    ///
    /// # Errors
    /// [`Error::UnacceptableKey`], [`Error::CommonName`], [`Error::Validity`], [`Error::AlternativeName`].
    pub fn issue(&self, request: &IssueRequest<'_>) -> Result<IssuedCertificate, Error> {
        let key = PKey::public_key_from_der(request.public_key_der).map_err(|_| Error::UnacceptableKey)?;
        if !acceptable_device_key(&key) {
            return Err(Error::UnacceptableKey);
        }
        let organization = request.organization.map(|name| fitted(name, NAME_LIMIT));
        let name = subject(request.common_name, organization)?;
        let not_before = request.not_before.max(self.not_before);
        let not_after = request.not_after.min(self.not_after);
        let mut builder = self.begin_leaf(
            &name,
            &request.serial,
            (not_before, not_after),
            &key,
            ExtendedKeyUsage::new().client_auth(),
        )?;
        if let Some(uri) = request.uri {
            let names = SubjectAlternativeName::new()
                .uri(uri)
                .build(&builder.x509v3_context(Some(&self.certificate), None))
                .map_err(|_| Error::AlternativeName(uri.to_owned()))?;
            builder.append_extension(names)?;
        }
        builder.sign(&self.private_key, MessageDigest::sha256())?;
        let certificate = builder.build();
        let der = certificate.to_der()?;
        let date = |time| from_asn1_time(time).ok_or(Error::Validity);
        Ok(IssuedCertificate {
            fingerprint: fingerprint(&der),
            serial: request.serial.to_string(),
            not_before: date(certificate.not_before())?,
            not_after: date(certificate.not_after())?,
            der,
        })
    }

    /// Issues a TLS server certificate with a new key, for trying Beadle out without a public one.
    ///
    /// `names` are DNS names or IP addresses; the first becomes the common name.
    ///
    /// # Errors
    /// [`Error::AlternativeName`] for a name that cannot stand in a certificate, [`Error::CommonName`] without any.
    pub fn issue_server_certificate(
        &self,
        names: &[&str],
        serial: Serial,
        not_before: DateTime<Utc>,
        not_after: DateTime<Utc>,
    ) -> Result<ServerCertificate, Error> {
        let key = new_rsa_key()?;
        let first = names.first().ok_or(Error::CommonName)?;
        let name = subject(fitted(first, NAME_LIMIT), None)?;
        let mut builder = self.begin_leaf(
            &name,
            &serial,
            (not_before.max(self.not_before), not_after.min(self.not_after)),
            &key,
            ExtendedKeyUsage::new().server_auth(),
        )?;
        let mut alternatives = SubjectAlternativeName::new();
        for name in names {
            if name.parse::<IpAddr>().is_ok() {
                alternatives.ip(name);
            } else if is_dns_name(name) {
                alternatives.dns(name);
            } else {
                return Err(Error::AlternativeName((*name).to_owned()));
            }
        }
        let alternatives = alternatives.build(&builder.x509v3_context(Some(&self.certificate), None))?;
        builder.append_extension(alternatives)?;
        builder.sign(&self.private_key, MessageDigest::sha256())?;
        Ok(ServerCertificate {
            certificate_der: builder.build().to_der()?,
            private_key_der: Zeroizing::new(key.private_key_to_pkcs8()?),
        })
    }

    fn begin_leaf<T: HasPublic>(
        &self,
        name: &X509NameRef,
        serial: &Serial,
        (not_before, not_after): (DateTime<Utc>, DateTime<Utc>),
        key: &PKeyRef<T>,
        purpose: &mut ExtendedKeyUsage,
    ) -> Result<X509Builder, Error> {
        let issuer = self.certificate.subject_name();
        let mut builder = begin(name, issuer, serial, not_before, not_after, key)?;
        builder.append_extension(BasicConstraints::new().critical().build()?)?;
        builder.append_extension(KeyUsage::new().critical().digital_signature().key_encipherment().build()?)?;
        builder.append_extension(purpose.build()?)?;
        let context = builder.x509v3_context(Some(&self.certificate), None);
        let own = SubjectKeyIdentifier::new().build(&context)?;
        let issuers = AuthorityKeyIdentifier::new().keyid(true).build(&context)?;
        builder.append_extension(own)?;
        builder.append_extension(issuers)?;
        Ok(builder)
    }

    /// Recognises a device's identity at a moment: signed by *this* authority, for a client, in its time.
    ///
    /// Signature alone proves nothing about who sent it; the caller has checked that the sender holds the key.
    ///
    /// # Errors
    /// [`IdentityProblem`]; `Expired` carries the identity, since a pinned one is still served renewal.
    pub fn verify_identity(&self, certificate_der: &[u8], at: DateTime<Utc>) -> Result<Identity, IdentityProblem> {
        let identity = self.recognise(certificate_der)?;
        if at > identity.not_after {
            return Err(IdentityProblem::Expired(Box::new(identity)));
        }
        let early = identity.not_before.signed_duration_since(at) > CLOCK_TOLERANCE;
        if early {
            return Err(IdentityProblem::NotYetValid { not_before: identity.not_before });
        }
        Ok(identity)
    }

    /// Like [`Authority::verify_identity`], whatever the time.
    pub(crate) fn recognise(&self, certificate_der: &[u8]) -> Result<Identity, IdentityProblem> {
        let malformed = |_| IdentityProblem::Malformed;
        let certificate = X509::from_der(certificate_der).map_err(malformed)?;
        // The signature does not cover the outer wrapping: only the one true encoding has the pinned fingerprint.
        if certificate.to_der().map_err(malformed)? != certificate_der {
            return Err(IdentityProblem::Malformed);
        }
        let issuer = certificate.issuer_name();
        let ours = self.certificate.subject_name();
        if issuer.try_cmp(ours).map_err(malformed)? != Ordering::Equal
            || !certificate.verify(&self.public_key).unwrap_or(false)
        {
            return Err(IdentityProblem::NotIssuedHere);
        }
        let for_clients =
            certificate.extended_key_usage().is_some_and(|usage| usage.contains(X509ExtendedKeyUsage::SSL_CLIENT));
        if !for_clients {
            return Err(IdentityProblem::NotAnIdentity);
        }
        let key = public_key_info(certificate_der).map_err(|_| IdentityProblem::Malformed)?;
        let date = |time| from_asn1_time(time).ok_or(IdentityProblem::Malformed);
        let serial = certificate.serial_number().to_bn().map_err(malformed)?.to_vec();
        let common_name = certificate
            .subject_name()
            .entries_by_nid(Nid::COMMONNAME)
            .next()
            .and_then(|entry| entry.data().to_string().ok())
            .unwrap_or_default();
        Ok(Identity {
            fingerprint: fingerprint(certificate_der),
            serial: hex::encode(serial),
            common_name,
            public_key_fingerprint: sha256_hex(key),
            not_before: date(certificate.not_before())?,
            not_after: date(certificate.not_after())?,
        })
    }
}

/// SHA-256 of a certificate's DER (or of any bytes), lower-case hex.
#[must_use]
pub fn fingerprint(der: &[u8]) -> String {
    sha256_hex(der)
}

pub(crate) fn new_rsa_key() -> Result<PKey<Private>, Error> {
    Ok(PKey::from_rsa(Rsa::generate(2048)?)?)
}

pub(crate) fn subject(common_name: &str, organization: Option<&str>) -> Result<X509Name, Error> {
    if common_name.is_empty() || common_name.len() > NAME_LIMIT {
        return Err(Error::CommonName);
    }
    let mut name = X509Name::builder()?;
    if let Some(organization) = organization.filter(|text| !text.is_empty()) {
        name.append_entry_by_nid(Nid::ORGANIZATIONNAME, organization)?;
    }
    name.append_entry_by_nid(Nid::COMMONNAME, common_name)?;
    Ok(name.build())
}

fn begin<T: HasPublic>(
    name: &X509NameRef,
    issuer: &X509NameRef,
    serial: &Serial,
    not_before: DateTime<Utc>,
    not_after: DateTime<Utc>,
    key: &PKeyRef<T>,
) -> Result<X509Builder, Error> {
    if not_after <= not_before {
        return Err(Error::Validity);
    }
    let mut builder = X509::builder()?;
    builder.set_version(2)?;
    builder.set_serial_number(&*serial.to_asn1()?)?;
    builder.set_subject_name(name)?;
    builder.set_issuer_name(issuer)?;
    builder.set_not_before(&*to_asn1_time(not_before)?)?;
    builder.set_not_after(&*to_asn1_time(not_after)?)?;
    builder.set_pubkey(key)?;
    Ok(builder)
}

fn is_dns_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 253
        && name.split('.').all(|label| {
            !label.is_empty()
                && label.len() <= 63
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'*')
        })
}
