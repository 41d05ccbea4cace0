//! Cryptographic messages (RFC 5652) as devices send and expect them: reading BER, writing DER, signatures and envelopes with OpenSSL's primitives.
//!
//! OpenSSL's own CMS functions are not used for reading because SCEP needs the signed attributes and
//! a check of every algorithm before it is used, and because a parser that keeps the exact bytes can
//! be tried with arbitrary input on its own.

mod algorithm;
mod enveloped;
mod signed;

pub(crate) use algorithm::enable_legacy_ciphers;
pub use algorithm::{ContentCipher, Digest};
pub use enveloped::{Envelope, EnvelopeProblem, encrypt};
pub(crate) use signed::{Attribute, Signature, certificates_only, find, sign};
pub use signed::{SignatureProblem, SignedMessage, VerifiedSigner};
