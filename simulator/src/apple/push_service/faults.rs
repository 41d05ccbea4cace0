//! What a test can make go wrong at the push service, how often, and for whom.

use std::time::Duration;

/// Something that goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Answers this status with Apple's reason for it, or the given one. 200 answers well but delivers nothing.
    Answer {
        /// The HTTP status.
        status: u16,
        /// The reason in the body; Apple's usual one when absent.
        reason: Option<String>,
        /// Seconds in a `Retry-After` header.
        retry_after: Option<u64>,
    },
    /// Never answers; the connection stays open.
    Hang,
    /// Closes the connection without an answer.
    DropConnection,
    /// Sends GOAWAY and closes; the request is not answered.
    GoAway,
    /// Answers as usual, later.
    Delay(Duration),
}

impl Fault {
    /// Answers this status with Apple's usual reason.
    pub fn status(status: u16) -> Self {
        Self::Answer { status, reason: None, retry_after: None }
    }
}

/// How often a fault happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Times {
    /// For so many pushes.
    Next(u32),
    /// Until cleared.
    Always,
}

#[derive(Default)]
pub(crate) struct Faults(Vec<Rule>);

struct Rule {
    token: Option<String>,
    fault: Fault,
    times: Times,
}

impl Faults {
    pub(crate) fn add(&mut self, token: Option<String>, fault: Fault, times: Times) {
        self.0.push(Rule { token, fault, times });
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// The fault for a push to this token, if any; the oldest rule comes first, and a spent one is forgotten.
    pub(crate) fn take(&mut self, token: &str) -> Option<Fault> {
        self.0.retain(|rule| rule.times != Times::Next(0));
        let rule = self.0.iter_mut().find(|rule| rule.token.as_deref().is_none_or(|only| only == token))?;
        if let Times::Next(left) = &mut rule.times {
            *left -= 1;
        }
        Some(rule.fault.clone())
    }
}

/// Apple's reason for a status that a fault answers.
pub(crate) fn usual_reason(status: u16) -> &'static str {
    match status {
        400 => "BadDeviceToken",
        403 => "BadCertificate",
        404 => "BadPath",
        405 => "MethodNotAllowed",
        410 => "Unregistered",
        413 => "PayloadTooLarge",
        429 => "TooManyRequests",
        500 => "InternalServerError",
        503 => "ServiceUnavailable",
        _ => "Unknown",
    }
}
