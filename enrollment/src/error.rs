//! What can go wrong when this crate makes something; problems with what others sent have types of their own beside their parsers.

use openssl::error::ErrorStack;

/// Why a certificate, message or profile could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// OpenSSL refused an operation that was expected to work.
    #[error("cryptographic operation failed: {0}")]
    Cryptography(#[from] ErrorStack),
    /// A stored certificate or key cannot be read.
    #[error("{0} cannot be read")]
    Unreadable(&'static str),
    /// A certificate and a private key that should belong together do not.
    #[error("the private key does not belong to the certificate")]
    KeyMismatch,
    /// A public key is not RSA of 2048 to 8192 bits, the only kind Apple's SCEP makes and this server accepts.
    #[error("the public key is not RSA of 2048 bits or more")]
    UnacceptableKey,
    /// A common name is empty or longer than the 64 bytes that every client accepts.
    #[error("the common name must have 1 to 64 bytes")]
    CommonName,
    /// The validity would be empty, also because it lies outside the authority's own.
    #[error("the validity period is empty or lies outside the authority's")]
    Validity,
    /// A serial number is zero, negative or longer than 20 bytes (RFC 5280, 4.1.2.2).
    #[error("a serial number must be positive and at most 20 bytes long")]
    Serial,
    /// A name or address that cannot stand in a certificate.
    #[error("{0:?} cannot be a subject alternative name")]
    AlternativeName(String),
    /// A field of a profile does not meet what Apple's schema asks of it.
    #[error("{field} of the enrolment profile: {problem}")]
    Profile {
        /// The field, as this crate names it.
        field: &'static str,
        /// What would be right.
        problem: &'static str,
    },
    /// A profile could not be written as a property list.
    #[error("property list: {0}")]
    PropertyList(#[from] plist::Error),
}
