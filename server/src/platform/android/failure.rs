//! What can come of a call to Google, named by what the caller can do about it.

use std::time::Duration;

use crate::error::Error;

/// Why a call has no answer.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Failure {
    /// There is no such thing at Google, or not any more.
    #[error("Google knows no such thing, or no longer")]
    NotFound,
    /// It was certainly not done, or may be done twice without harm: try later.
    #[error("Google cannot do it just now: {problem}")]
    Again {
        /// How long Google asked to be left alone; absent where it did not say.
        after: Option<Duration>,
        /// What happened, for the log.
        problem: String,
    },
    /// Our own limiter lets nothing through for so long: nothing was sent, and Google said nothing.
    #[error("the quota at Google is used up for now")]
    Paced {
        /// When to come back.
        after: Duration,
    },
    /// The answer was lost, and it may have been done: look (operations.list) before it is repeated.
    #[error("it is not known whether Google did it: {problem}")]
    Unclear {
        /// What happened, for the log.
        problem: String,
    },
    /// Google will not do it; the same call would be refused again.
    #[error("Google refused it: {message} ({status} {reason})")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// Google's word for it: `INVALID_ARGUMENT`, `PERMISSION_DENIED`, `invalid_grant`, …
        reason: String,
        /// Google's explanation, shortened.
        message: String,
    },
    /// Google does not accept the project's key, or lets it do nothing here: it says nothing about what was asked, which was
    /// certainly not done and stands until the key is right again.
    #[error("Google refuses the project's key: {message} ({status} {reason})")]
    KeyRefused {
        /// The HTTP status.
        status: u16,
        /// Google's word for it: `PERMISSION_DENIED`, `invalid_grant`, …
        reason: String,
        /// Google's explanation, shortened.
        message: String,
    },
    /// A fault of ours; nothing was sent.
    #[error(transparent)]
    Fault(Error),
}

impl Failure {
    /// Try later, with no word about when.
    pub(super) fn again(problem: impl Into<String>) -> Self {
        Self::Again { after: None, problem: problem.into() }
    }

    /// A refusal that concerns who asks, not what is asked.
    pub(super) fn of_key(self) -> Self {
        match self {
            Self::Refused { status, reason, message } => Self::KeyRefused { status, reason, message },
            other => other,
        }
    }

    /// Whether Google refused with this word.
    pub(super) fn is_refused_as(&self, word: &str) -> bool {
        matches!(self, Self::Refused { reason, .. } if reason == word)
    }
}

/// What our own side says before anything is sent: a limiter that asks for patience is no fault.
impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::TooMany { retry_after_seconds } => Self::Paced { after: Duration::from_secs(retry_after_seconds) },
            Error::Unavailable(problem) => Self::again(problem),
            other => Self::Fault(other),
        }
    }
}

/// For operations that have nothing better to say about it.
impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::NotFound => Self::NotFound("resource at Google"),
            Failure::Again { .. } | Failure::Paced { .. } | Failure::Unclear { .. } => {
                Self::Unavailable(failure.to_string())
            }
            Failure::Refused { .. } | Failure::KeyRefused { .. } => Self::Conflict(failure.to_string()),
            Failure::Fault(error) => error,
        }
    }
}

/// The most of a foreign text that is kept, in characters.
const LONGEST: usize = 400;

/// A foreign text as it may be shown and logged: one line, of bounded length.
pub(super) fn shortened(text: &str) -> String {
    let mut kept: String =
        text.chars().take(LONGEST).map(|character| if character.is_control() { ' ' } else { character }).collect();
    if text.chars().nth(LONGEST).is_some() {
        kept.push('…');
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_limiter_asks_for_patience_and_our_own_faults_stay_ours() {
        let busy = Failure::from(Error::TooMany { retry_after_seconds: 7 });
        assert!(matches!(busy, Failure::Paced { after } if after == Duration::from_secs(7)));
        assert!(matches!(Error::from(busy), Error::Unavailable(_)));
        assert!(matches!(Failure::from(Error::Unavailable("x".to_owned())), Failure::Again { after: None, .. }));
        assert!(matches!(Failure::from(Error::internal("x")), Failure::Fault(Error::Internal(_))));
        assert!(matches!(Error::from(Failure::NotFound), Error::NotFound(_)));
        assert!(matches!(Error::from(Failure::again("x")), Error::Unavailable(_)));
    }

    #[test]
    fn foreign_text_is_one_line_of_bounded_length() {
        assert_eq!(shortened("a\nb\u{7}c"), "a b c");
        let long = shortened(&"é".repeat(5000));
        assert_eq!(long.chars().count(), LONGEST + 1);
        assert!(long.ends_with('…'));
    }
}
