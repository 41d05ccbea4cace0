//! What the stand-in remembers of every call, for those who check what a server did.

use serde::Serialize;
use serde_json::Value;

/// One call to any of Google's services.
#[derive(Debug, Clone, Serialize)]
pub struct CallRecord {
    /// Counts from 1.
    pub number: u64,
    /// When it came, milliseconds since 1970, on the clock that does not move with [`super::GoogleCloud::move_clock`].
    pub at: i64,
    /// Its short name: `token`, a method as in the discovery document without `androidmanagement.` (such as
    /// `enterprises.policies.patch`), `subscriptions.pull` and so on for Pub/Sub, or `unknown`.
    pub call: String,
    /// The HTTP method.
    pub method: String,
    /// The path.
    pub path: String,
    /// The query.
    pub query: Vec<(String, String)>,
    /// The body as it came; empty for the token endpoint, whose body is a secret.
    pub body: String,
    /// The project of the caller's service account, when the caller was known.
    pub project: Option<String>,
    /// The status answered; `None` when no answer was sent.
    pub status: Option<u16>,
    /// The answer's body, for everything but successful reads and the token endpoint.
    pub answer: Option<Value>,
    /// Whether what was asked was done.
    pub done: bool,
    /// The fault that was put in its way.
    pub fault: Option<super::Fault>,
    /// Why it was refused, one line for each reason.
    pub problems: Vec<String>,
    /// What Google would pass over in silence.
    pub notes: Vec<String>,
}

impl CallRecord {
    /// The body as JSON; `Null` when it is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }
}

/// What the judge by Google's discovery document had to say so far.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Judgement {
    /// How many requests to the Android Management API were judged, whatever was answered to them; none in a build without the
    /// feature `judge`.
    pub requests: u64,
    /// How many of them had a body.
    pub bodies: u64,
    /// What was wrong with them, one line for each fault.
    pub refused: Vec<String>,
}

impl Judgement {
    /// That there was something to judge and that all of it passed.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn nothing_wrong(&self) -> std::result::Result<(), String> {
        match (self.requests, self.refused.as_slice()) {
            (0, _) => Err("nothing was judged".into()),
            (_, []) => Ok(()),
            (_, refused) => Err(format!("Google's discovery document refuses: {}", refused.join("; "))),
        }
    }
}
