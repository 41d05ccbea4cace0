//! Reading a PKIOperation: every algorithm, signature and message type is checked before anything is believed, and what is not known is refused.

use super::csr::Csr;
use super::{FailInfo, Header};
use crate::authority::{Authority, Identity};
use crate::ber::Element;
use crate::cms::{
    Attribute, ContentCipher, Digest, Envelope, EnvelopeProblem, SignatureProblem, SignedMessage, VerifiedSigner,
    enable_legacy_ciphers, find,
};
use crate::oid;
use openssl::pkey::{PKey, Public};
use openssl::x509::X509;
use std::fmt;

/// The two kinds of request that are served; every other message type is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageType {
    /// A first request (19), signed with the new key itself and authorised by a challenge.
    PkcsReq,
    /// A renewal (17), signed with an identity this authority issued.
    RenewalReq,
}

/// A request whose signatures are right. Whether it is *authorised* is for the server to decide.
#[derive(Clone)]
pub struct Request {
    /// The client's transaction id.
    pub transaction_id: String,
    /// The client's nonce.
    pub sender_nonce: Vec<u8>,
    /// First request or renewal.
    pub message_type: MessageType,
    /// What is asked for.
    pub csr: Csr,
    /// The certificate the message was signed with, and to which the answer is encrypted.
    pub signer_certificate_der: Vec<u8>,
    /// For a renewal, the identity that signed. Its time is *not* checked: an expired one may still be pinned, and is served renewal only.
    pub renewal_of: Option<Identity>,
    /// The cipher the client used, and gets its answer in.
    pub cipher: ContentCipher,
}

impl fmt::Debug for Request {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Request")
            .field("transaction_id", &self.transaction_id)
            .field("message_type", &self.message_type)
            .field("csr", &self.csr)
            .field("renewal_of", &self.renewal_of)
            .field("cipher", &self.cipher)
            .finish_non_exhaustive()
    }
}

impl Request {
    /// What the answer echoes.
    #[must_use]
    pub fn header(&self) -> Header {
        Header { transaction_id: self.transaction_id.clone(), sender_nonce: self.sender_nonce.clone() }
    }
}

/// A message that gets no certificate, with what is needed to say so in SCEP's own form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("SCEP request refused: {reason}")]
pub struct Refusal {
    /// What to echo in a CertRep FAILURE; absent where the message was too broken to answer.
    pub header: Option<Header>,
    /// What to tell the client.
    pub fail_info: FailInfo,
    /// What to tell the operator.
    pub reason: RefusalReason,
}

/// What was wrong with a message, in more detail than the client is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RefusalReason {
    /// The outer signed message.
    #[error("{0}")]
    Signature(SignatureProblem),
    /// Transaction id or nonce missing or too long.
    #[error("transaction id or sender nonce is missing or too long")]
    Header,
    /// No message type, or one that is not served.
    #[error("the message type is not served")]
    MessageType,
    /// An algorithm that only legacy clients use, and those are not allowed.
    #[error("the message uses an algorithm that is not accepted")]
    Algorithm,
    /// The envelope.
    #[error("{0}")]
    Envelope(EnvelopeProblem),
    /// The certification request cannot be read.
    #[error("the certification request is malformed")]
    Request,
    /// The key is not RSA of 2048 bits or more.
    #[error("the requested key is not RSA of 2048 bits or more")]
    Key,
    /// The certification request is not signed with its own key.
    #[error("the certification request is not signed with its own key")]
    RequestSignature,
    /// A first request that is not signed by a self-signed certificate of the requested key.
    #[error("the message is not signed with the requested key")]
    NotSelfSigned,
    /// A renewal that is not signed with an identity of this authority.
    #[error("the renewal is not signed with an identity of this authority")]
    NotAnIdentity,
}

/// Reads and checks a PKIOperation.
///
/// Single DES and MD5 are refused unless `legacy_allowed`. SHA-1 is accepted for the message's signature:
/// older iPads sign with nothing else, and forging it would take a second preimage, not a collision.
///
/// # Errors
/// [`Refusal`], which can be answered with [`super::failure`] where it has a header.
pub fn parse_request(message: &[u8], authority: &Authority, legacy_allowed: bool) -> Result<Request, Refusal> {
    let refuse = |header: Option<Header>, (fail_info, reason)| Refusal { header, fail_info, reason };
    let signed = SignedMessage::read(message).map_err(|problem| refuse(None, problem.into()))?;
    // The header is only echoed: a client whose signature is not understood is still told so.
    let header = signed.unverified_attributes().and_then(read_header);
    let signer = match signed.verify(None) {
        Ok(signer) => signer,
        Err(problem) => return Err(refuse(header, problem.into())),
    };
    let Some(header) = header else {
        let missing = (FailInfo::BadRequest, RefusalReason::Header);
        return Err(refuse(None, missing));
    };
    checked(&signed, &signer, &header, authority, legacy_allowed).map_err(|problem| refuse(Some(header), problem))
}

impl From<SignatureProblem> for (FailInfo, RefusalReason) {
    fn from(problem: SignatureProblem) -> (FailInfo, RefusalReason) {
        let fail_info = match problem {
            SignatureProblem::Algorithm => FailInfo::BadAlg,
            SignatureProblem::Malformed
            | SignatureProblem::NotOneSigner
            | SignatureProblem::CertificateMissing
            | SignatureProblem::ContentMissing
            | SignatureProblem::Attributes
            | SignatureProblem::WrongSignature => FailInfo::BadMessageCheck,
        };
        (fail_info, RefusalReason::Signature(problem))
    }
}

impl From<EnvelopeProblem> for (FailInfo, RefusalReason) {
    fn from(problem: EnvelopeProblem) -> (FailInfo, RefusalReason) {
        let fail_info = match problem {
            EnvelopeProblem::Algorithm => FailInfo::BadAlg,
            EnvelopeProblem::Malformed | EnvelopeProblem::NotForUs | EnvelopeProblem::Undecipherable => {
                FailInfo::BadMessageCheck
            }
        };
        (fail_info, RefusalReason::Envelope(problem))
    }
}

fn checked(
    signed: &SignedMessage<'_>,
    signer: &VerifiedSigner<'_>,
    header: &Header,
    authority: &Authority,
    legacy_allowed: bool,
) -> Result<Request, (FailInfo, RefusalReason)> {
    if signed.content_type() != oid::DATA {
        return Err((FailInfo::BadRequest, RefusalReason::Signature(SignatureProblem::Malformed)));
    }
    let message_type = signer.attribute(oid::SCEP_MESSAGE_TYPE).and_then(text);
    let message_type = match message_type.as_deref() {
        Some("19") => MessageType::PkcsReq,
        Some("17") => MessageType::RenewalReq,
        // CertRep 3, CertPoll 20, GetCert 21, GetCRL 22, and whatever comes to anybody's mind.
        Some(_) | None => return Err((FailInfo::BadRequest, RefusalReason::MessageType)),
    };
    match signer.digest {
        Digest::Md5 if !legacy_allowed => {
            return Err((FailInfo::BadAlg, RefusalReason::Algorithm));
        }
        Digest::Md5 | Digest::Sha1 | Digest::Sha256 | Digest::Sha384 | Digest::Sha512 => {}
    }
    let content = signed.content().unwrap_or_default();
    let envelope = Envelope::read(content)?;
    match envelope.cipher() {
        ContentCipher::Des if !(legacy_allowed && enable_legacy_ciphers()) => {
            return Err((FailInfo::BadAlg, RefusalReason::Algorithm));
        }
        ContentCipher::Aes128
        | ContentCipher::Aes192
        | ContentCipher::Aes256
        | ContentCipher::TripleDes
        | ContentCipher::Des => {}
    }
    let request = envelope.open(authority.certificate_bytes(), authority.private_key())?;
    let (csr, key) = Csr::read(&request, legacy_allowed)?;
    let renewal_of = match message_type {
        MessageType::PkcsReq => {
            self_signed_with(signer, &key)?;
            None
        }
        MessageType::RenewalReq => {
            let identity = authority
                .recognise(&signer.certificate_der)
                .map_err(|_| (FailInfo::BadRequest, RefusalReason::NotAnIdentity))?;
            Some(identity)
        }
    };
    Ok(Request {
        transaction_id: header.transaction_id.clone(),
        sender_nonce: header.sender_nonce.clone(),
        message_type,
        csr,
        signer_certificate_der: signer.certificate_der.to_vec(),
        renewal_of,
        cipher: envelope.cipher(),
    })
}

fn self_signed_with(signer: &VerifiedSigner<'_>, key: &PKey<Public>) -> Result<(), (FailInfo, RefusalReason)> {
    let own = signer.public_key.public_eq(key)
        && X509::from_der(&signer.certificate_der).is_ok_and(|certificate| certificate.verify(key).unwrap_or(false));
    if own { Ok(()) } else { Err((FailInfo::BadMessageCheck, RefusalReason::NotSelfSigned)) }
}

fn read_header(attributes: Vec<Attribute<'_>>) -> Option<Header> {
    let transaction_id = text(find(&attributes, oid::SCEP_TRANSACTION_ID)?)?;
    let sender_nonce = find(&attributes, oid::SCEP_SENDER_NONCE)?.octets().ok()?.into_owned();
    let fits = (1..=256).contains(&transaction_id.len())
        && (1..=64).contains(&sender_nonce.len())
        && !transaction_id.chars().any(char::is_control);
    fits.then_some(Header { transaction_id, sender_nonce })
}

/// The text of an attribute, in whichever string type the client chose.
fn text(value: Element<'_>) -> Option<String> {
    String::from_utf8(value.content.to_vec()).ok()
}
