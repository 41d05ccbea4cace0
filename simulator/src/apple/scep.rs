//! The client's side of SCEP (RFC 8894) as an iPhone speaks it: makes requests and judges the authority's answers.

use openssl::hash::{MessageDigest, hash};
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::sign::Signer;
use openssl::x509::{X509, X509Name, X509NameRef};

use super::certificate::{self, DAY, Purpose};
use super::cms::{self, ContentCipher, Digest};
use super::{ber, keys::Identity};
use crate::error::server;
use crate::{Error, Result};

const MESSAGE_TYPE: &str = "2.16.840.1.113733.1.9.2";
const PKI_STATUS: &str = "2.16.840.1.113733.1.9.3";
const FAIL_INFO: &str = "2.16.840.1.113733.1.9.4";
const SENDER_NONCE: &str = "2.16.840.1.113733.1.9.5";
const RECIPIENT_NONCE: &str = "2.16.840.1.113733.1.9.6";
const TRANSACTION_ID: &str = "2.16.840.1.113733.1.9.7";
const CHALLENGE_PASSWORD: &str = "1.2.840.113549.1.9.7";

/// What an authority says it can do, matched by line as devices do.
#[derive(Debug, Clone, Default)]
pub struct Capabilities(Vec<String>);

impl Capabilities {
    /// Reads the answer to GetCACaps.
    pub fn parse(text: &str) -> Self {
        Self(text.lines().map(|line| line.trim().to_ascii_lowercase()).filter(|line| !line.is_empty()).collect())
    }

    /// Whether a capability was named (without regard to case).
    pub fn has(&self, capability: &str) -> bool {
        self.0.iter().any(|line| line.eq_ignore_ascii_case(capability))
    }

    /// The digest a client uses after reading these.
    pub fn digest(&self) -> Digest {
        if self.has("SHA-256") || self.has("SCEPStandard") { Digest::Sha256 } else { Digest::Sha1 }
    }

    /// The cipher a client uses after reading these.
    pub fn cipher(&self) -> ContentCipher {
        if self.has("AES") || self.has("SCEPStandard") { ContentCipher::Aes128 } else { ContentCipher::TripleDes }
    }
}

/// The authority's certificates: who issues, and to whom requests are encrypted.
#[derive(Debug, Clone)]
pub struct Authority {
    /// The issuing certificate.
    pub issuer: X509,
    /// Recipients of the envelope: all RSA certificates answered, as small clients do.
    pub recipients: Vec<X509>,
}

impl Authority {
    /// Reads the answer to GetCACert.
    ///
    /// # Errors
    /// [`Error::Server`] when the content type is neither of the two the RFC allows, or no authority is inside.
    pub fn parse(content_type: &str, body: &[u8]) -> Result<Self> {
        let all = match content_type {
            "application/x-x509-ca-cert" => vec![X509::from_der(body)?],
            "application/x-x509-ca-ra-cert" => cms::read_signed(body)?.certificates,
            other => return Err(server(format!("GetCACert has content type {other:?}"))),
        };
        let issuer = all
            .iter()
            .find(|candidate| all.iter().all(|other| candidate.issued(other) == openssl::x509::X509VerifyResult::OK))
            .or(all.first())
            .cloned()
            .ok_or_else(|| server("GetCACert answered no certificate"))?;
        for certificate in &all {
            if certificate.public_key()?.rsa().is_err() {
                return Err(server("an authority certificate is not RSA: clients encrypt to all of them"));
            }
        }
        Ok(Self { issuer, recipients: all })
    }

    /// Whether the issuer has this fingerprint: MD5, SHA-1, SHA-256 or SHA-512, told by its length.
    ///
    /// # Errors
    /// [`Error::Server`] when the length is none of theirs or the fingerprint differs.
    pub fn check_fingerprint(&self, expected: &[u8]) -> Result<()> {
        let digest = match expected.len() {
            16 => MessageDigest::md5(),
            20 => MessageDigest::sha1(),
            32 => MessageDigest::sha256(),
            64 => MessageDigest::sha512(),
            other => return Err(server(format!("CAFingerprint has {other} octets"))),
        };
        if *self.issuer.digest(digest)? == *expected {
            Ok(())
        } else {
            Err(server("CAFingerprint is not that of the authority"))
        }
    }
}

/// What a request asks for.
pub struct RequestOptions<'a> {
    /// The subject asked for.
    pub subject: X509Name,
    /// The challenge of the enrolment profile.
    pub challenge: Option<&'a str>,
    /// `"19"` is PKCSReq; `"17"` is RenewalReq; anything else to try the server.
    pub message_type: &'a str,
    /// Digest of the signature.
    pub digest: Digest,
    /// Cipher of the envelope.
    pub cipher: ContentCipher,
    /// Sign with this identity rather than with a certificate the new key signs itself.
    pub signed_by: Option<&'a Identity>,
    /// The time now, seconds since 1970.
    pub now: i64,
}

/// A request as sent, with what is needed to read the answer, or to send the very same octets again.
#[derive(Clone)]
pub struct Request {
    /// The pkiMessage (BER).
    pub message: Vec<u8>,
    /// The transaction.
    pub transaction_id: String,
    /// Our nonce, which the answer must repeat.
    pub sender_nonce: Vec<u8>,
    key: PKey<Private>,
    signer: Identity,
}

impl Request {
    /// Makes a request for a certificate on `key`.
    ///
    /// # Errors
    /// [`Error::Cryptography`] when OpenSSL refuses a key or a certificate.
    pub fn new(key: &PKey<Private>, authority: &Authority, options: &RequestOptions<'_>) -> Result<Self> {
        let signer = match options.signed_by {
            Some(identity) => identity.clone(),
            None => {
                let valid = (options.now - DAY, options.now + 365 * DAY);
                let own = certificate::issue(&options.subject, key, None, Some(key), Purpose::Signer, valid)?;
                Identity { key: key.clone(), certificate: own }
            }
        };
        let csr = certification_request(&options.subject, key, options.challenge)?;
        let envelope = cms::envelop(options.cipher, &authority.recipients, &csr)?;
        let transaction_id = hex::encode_upper(hash(MessageDigest::sha1(), &key.public_key_to_der()?)?);
        let mut sender_nonce = vec![0; 16];
        openssl::rand::rand_bytes(&mut sender_nonce)?;
        let printable = |text: &str| ber::definite(ber::PRINTABLE_STRING, text);
        let attributes = vec![
            cms::attribute(MESSAGE_TYPE, &printable(options.message_type)),
            cms::attribute(SENDER_NONCE, &ber::definite(ber::OCTET_STRING, &sender_nonce)),
            cms::attribute(TRANSACTION_ID, &printable(&transaction_id)),
        ];
        let message = cms::sign_enclosing(options.digest, &signer.key, &signer.certificate, &envelope, attributes)?;
        Ok(Self { message, transaction_id, sender_nonce, key: key.clone(), signer })
    }

    /// Judges a CertRep as an iPhone would.
    ///
    /// # Errors
    /// [`Error::ScepRefused`] for a well-formed refusal, [`Error::Server`] when the answer breaks RFC 8894, among others
    /// a signer that is not the authority, a foreign nonce, or a certificate on another key.
    pub fn read_reply(&self, content_type: &str, body: &[u8], authority: &Authority) -> Result<X509> {
        if content_type != "application/x-pki-message" {
            return Err(server(format!("PKIOperation has content type {content_type:?}")));
        }
        let signed = cms::read_signed(body)?;
        let signer = signed.signer.as_ref().ok_or_else(|| server("CertRep is not signed"))?.to_der()?;
        let mut known = false;
        for certificate in authority.recipients.iter().chain([&authority.issuer]) {
            known |= certificate.to_der()? == signer;
        }
        if !known {
            return Err(server("CertRep is signed by someone else than the authority"));
        }
        let attribute = |identifier, what: &str| {
            signed.attribute(identifier).ok_or_else(|| server(format!("CertRep lacks {what}")))
        };
        if attribute(MESSAGE_TYPE, "messageType")? != b"3" {
            return Err(server("the answer is not a CertRep"));
        }
        if attribute(TRANSACTION_ID, "transactionID")? != self.transaction_id.as_bytes() {
            return Err(server("CertRep belongs to another transaction"));
        }
        if attribute(RECIPIENT_NONCE, "recipientNonce")? != self.sender_nonce {
            return Err(server("CertRep does not repeat our nonce"));
        }
        attribute(SENDER_NONCE, "senderNonce")?;
        match attribute(PKI_STATUS, "pkiStatus")? {
            b"0" => self.read_certificate(&signed.content, authority),
            b"2" => {
                let reason = attribute(FAIL_INFO, "failInfo")?;
                Err(Error::ScepRefused(String::from_utf8_lossy(reason).into_owned()))
            }
            b"3" => Err(server("the request is pending, which nobody will ever approve")),
            other => Err(server(format!("pkiStatus {:?}", String::from_utf8_lossy(other)))),
        }
    }

    fn read_certificate(&self, envelope: &[u8], authority: &Authority) -> Result<X509> {
        let opened = cms::open_envelope(envelope, &self.signer.key, &self.signer.certificate)?;
        let inner = cms::read_signed(&opened)?;
        let issued = inner.certificates.first().ok_or_else(|| server("CertRep carries no certificate"))?;
        if !issued.public_key()?.public_eq(&self.key) {
            return Err(server("the first certificate of the CertRep is not for our key"));
        }
        if !issued.verify(&*authority.issuer.public_key()?)? {
            return Err(server("the issued certificate is not signed by the authority"));
        }
        Ok(issued.clone())
    }
}

/// A PKCS #10 request with a challengePassword (RFC 2986, RFC 2985 5.4.1), signed with SHA-256.
///
/// # Errors
/// [`Error::Cryptography`] when the key cannot sign.
pub fn certification_request(subject: &X509NameRef, key: &PKey<Private>, challenge: Option<&str>) -> Result<Vec<u8>> {
    let attributes = challenge.map_or_else(Vec::new, |challenge| {
        // Apple's encoder writes a PrintableString where the characters allow it.
        let printable = challenge.bytes().all(|byte| byte.is_ascii_alphanumeric() || b" '()+,-./:=?".contains(&byte));
        let tag = if printable { ber::PRINTABLE_STRING } else { 0x0c };
        cms::attribute(CHALLENGE_PASSWORD, &ber::definite(tag, challenge))
    });
    let information = ber::sequence(&[
        &ber::small_integer(0),
        &subject.to_der()?,
        &key.public_key_to_der()?,
        &ber::definite(ber::CONTEXT_0, attributes),
    ]);
    let mut signer = Signer::new(MessageDigest::sha256(), key)?;
    signer.update(&information)?;
    let mut bits = vec![0];
    bits.extend(signer.sign_to_vec()?);
    Ok(ber::sequence(&[&information, &ber::algorithm("1.2.840.113549.1.1.11"), &ber::definite(0x03, bits)]))
}

/// The subject of a SCEP payload, `[[["CN", "…"]], …]`, as a name.
///
/// # Errors
/// [`Error::Server`] when it is not pairs of strings, [`Error::Cryptography`] for attributes OpenSSL does not know.
pub fn subject_of_payload(subject: Option<&plist::Value>) -> Result<X509Name> {
    let wrong = || server("Subject of the SCEP payload is not an array of pairs");
    let mut builder = X509Name::builder()?;
    let Some(subject) = subject else {
        return Ok(builder.build());
    };
    for set in subject.as_array().ok_or_else(wrong)? {
        for pair in set.as_array().ok_or_else(wrong)? {
            let pair = pair.as_array().ok_or_else(wrong)?;
            let texts: Vec<&str> = pair.iter().filter_map(plist::Value::as_string).collect();
            let [field, value] = texts.as_slice() else {
                return Err(wrong());
            };
            if *field == "CN" {
                builder.append_entry_by_nid(Nid::COMMONNAME, value)?;
            } else {
                builder.append_entry_by_text(field, value)?;
            }
        }
    }
    Ok(builder.build())
}
