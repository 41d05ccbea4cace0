//! What can go wrong, named by what the caller can do about it; each door draws it in its own way.

use diesel::result::{DatabaseErrorKind, Error as Diesel};

/// The one error of the server.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// There is no such thing, or not for this caller.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// The input is wrong; nothing was changed.
    #[error("{field}: {problem}")]
    Invalid {
        /// The field, as the caller named it.
        field: String,
        /// What is wrong and what would be right, in plain words.
        problem: String,
    },
    /// The input is right but the state of things forbids it.
    #[error("{0}")]
    Conflict(String),
    /// The caller has not shown who he is.
    #[error("{0}")]
    Unauthenticated(String),
    /// The caller may not do this.
    #[error("{0}")]
    Forbidden(String),
    /// Too many tries.
    #[error("too many tries; try again in {retry_after_seconds} seconds")]
    TooMany {
        /// When a new try makes sense, in seconds.
        retry_after_seconds: u64,
    },
    /// The server cannot do it just now; the same request may succeed later.
    #[error("not available just now: {0}")]
    Unavailable(String),
    /// A fault of ours; the text goes to the log, not to the caller.
    #[error("internal fault: {0}")]
    Internal(String),
}

/// The result of everything in the server.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// Wrong input in `field`.
    pub fn invalid(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Invalid { field: field.into(), problem: problem.into() }
    }

    /// The state of things forbids it.
    pub fn conflict(problem: impl Into<String>) -> Self {
        Self::Conflict(problem.into())
    }

    /// The caller may not do this.
    pub fn forbidden(problem: impl Into<String>) -> Self {
        Self::Forbidden(problem.into())
    }

    /// A fault of ours.
    pub fn internal(problem: impl std::fmt::Display) -> Self {
        Self::Internal(problem.to_string())
    }
}

impl From<Diesel> for Error {
    fn from(error: Diesel) -> Self {
        let text = error.to_string();
        match error {
            Diesel::DatabaseError(DatabaseErrorKind::ClosedConnection, _) | Diesel::BrokenTransactionManager => {
                Self::Unavailable(text)
            }
            Diesel::DatabaseError(DatabaseErrorKind::Unknown, _)
                if text.contains("database or disk is full")
                    || text.contains("database is locked")
                    || text.contains("disk I/O error")
                    || text.contains("No space left") =>
            {
                Self::Unavailable(text)
            }
            _ => Self::Internal(text),
        }
    }
}

impl From<openssl::error::ErrorStack> for Error {
    fn from(error: openssl::error::ErrorStack) -> Self {
        Self::Internal(format!("cryptography: {error}"))
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Self::Internal(format!("stored JSON: {error}"))
    }
}
