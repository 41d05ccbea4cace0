//! What can go wrong for a simulated phone or cloud, named by who is at fault.

/// Why a simulated phone or cloud could not go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The connection failed, or the answer was not HTTP.
    #[error("connection: {0}")]
    Http(#[from] reqwest::Error),
    /// The server answered with a status that stops a phone.
    #[error("{url} answered {status}: {body}")]
    Status {
        /// What was asked for.
        url: String,
        /// The HTTP status.
        status: u16,
        /// The beginning of the body.
        body: String,
    },
    /// OpenSSL refused a key, a certificate or a message.
    #[error("cryptography: {0}")]
    Cryptography(#[from] openssl::error::ErrorStack),
    /// Reading or writing failed.
    #[error("input or output: {0}")]
    Io(#[from] std::io::Error),
    /// A property list could not be read or written.
    #[error("property list: {0}")]
    PropertyList(#[from] plist::Error),
    /// A BER or DER message is malformed.
    #[error("malformed message: {0}")]
    Malformed(&'static str),
    /// The server did something a phone does not accept.
    #[error("the server is at fault: {0}")]
    Server(String),
    /// The authority refused to issue a certificate (RFC 8894, failInfo).
    #[error("the certificate authority refused: failInfo {0}")]
    ScepRefused(String),
    /// The phone cannot do this in the state it is in.
    #[error("the phone cannot do this now: {0}")]
    State(&'static str),
}

/// The result of something a simulated phone or cloud does.
pub type Result<T> = std::result::Result<T, Error>;

/// Shorthand for a complaint about the server.
pub(crate) fn server(complaint: impl Into<String>) -> Error {
    Error::Server(complaint.into())
}
