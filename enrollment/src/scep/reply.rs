//! Answering a PKIOperation: CertRep with the certificate, or CertRep with the reason why not (RFC 8894, 3.3.2).

use super::request::Request;
use super::{FailInfo, Header};
use crate::authority::Authority;
use crate::cms::{Signature, certificates_only, encrypt, sign};
use crate::{Error, der, oid};

const CERT_REP: &str = "3";
const SUCCESS: &str = "0";
const FAILURE: &str = "2";

/// The answer that carries the certificate, encrypted to the requester in the cipher it used.
///
/// `sender_nonce` is 16 fresh random bytes.
///
/// # Errors
/// [`Error`] when the signer's certificate cannot be encrypted to.
pub fn success(
    authority: &Authority,
    request: &Request,
    issued_der: &[u8],
    sender_nonce: &[u8; 16],
) -> Result<Vec<u8>, Error> {
    let certificates = certificates_only(&[issued_der]);
    let envelope = encrypt(&certificates, &request.signer_certificate_der, request.cipher)?;
    let header = request.header();
    answer(authority, &header, Some(&envelope), SUCCESS, None, sender_nonce)
}

/// The answer that says why there is no certificate. A refusal without a header cannot be answered this way.
///
/// # Errors
/// [`Error::Cryptography`].
pub fn failure(
    authority: &Authority,
    header: &Header,
    fail_info: FailInfo,
    sender_nonce: &[u8; 16],
) -> Result<Vec<u8>, Error> {
    answer(authority, header, None, FAILURE, Some(fail_info), sender_nonce)
}

fn answer(
    authority: &Authority,
    header: &Header,
    content: Option<&[u8]>,
    status: &str,
    fail_info: Option<FailInfo>,
    sender_nonce: &[u8; 16],
) -> Result<Vec<u8>, Error> {
    let mut attributes = vec![
        (oid::SCEP_MESSAGE_TYPE, der::text(CERT_REP)),
        (oid::SCEP_PKI_STATUS, der::text(status)),
        (oid::SCEP_TRANSACTION_ID, der::text(&header.transaction_id)),
        (oid::SCEP_SENDER_NONCE, der::octet_string(sender_nonce)),
        (oid::SCEP_RECIPIENT_NONCE, der::octet_string(&header.sender_nonce)),
    ];
    if let Some(fail_info) = fail_info {
        attributes.push((oid::SCEP_FAIL_INFO, der::text(fail_info.code())));
    }
    sign(
        content,
        &Signature {
            certificate_der: authority.certificate_bytes(),
            key: authority.private_key(),
            chain: &[],
            attributes: &attributes,
        },
    )
}
