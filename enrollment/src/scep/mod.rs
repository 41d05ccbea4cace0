//! SCEP (RFC 8894): how a device asks the council's authority for its identity, and how it is answered.
//!
//! The challenge is *read* here and *judged* by the server, which knows what it issued. The server also
//! remembers which request (by [`Csr::fingerprint`]) got which certificate, so that a repeated message
//! gets the same certificate and never a second one.

mod csr;
mod reply;
mod request;
mod transport;

pub use csr::Csr;
pub use reply::{failure, success};
pub use request::{MessageType, Refusal, RefusalReason, Request, parse_request};
pub use transport::{
    CONTENT_TYPE_CA_CERTIFICATE, CONTENT_TYPE_CAPABILITIES, CONTENT_TYPE_MESSAGE, NotBase64, ca_certificate,
    capabilities, decode_get_message,
};

/// What identifies a transaction, echoed in the answer whether it succeeds or fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The client's transaction id, at most 256 bytes.
    pub transaction_id: String,
    /// The client's nonce, 1 to 64 bytes, which comes back as recipient nonce.
    pub sender_nonce: Vec<u8>,
}

/// Why a request got no certificate, in SCEP's five words (RFC 8894, 3.2.1.4.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailInfo {
    /// Unrecognised or unsupported algorithm.
    BadAlg,
    /// Integrity check failed: signature, envelope.
    BadMessageCheck,
    /// Transaction not permitted or supported: wrong challenge, unknown message type, used before.
    BadRequest,
    /// The signing time is too far off.
    BadTime,
    /// No certificate matches.
    BadCertId,
}

impl FailInfo {
    /// The number that stands in the answer.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            FailInfo::BadAlg => "0",
            FailInfo::BadMessageCheck => "1",
            FailInfo::BadRequest => "2",
            FailInfo::BadTime => "3",
            FailInfo::BadCertId => "4",
        }
    }
}
