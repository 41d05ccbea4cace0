//! What one attempt at a call came to: Google's statuses and error bodies, and connections that break.
//!
//! Source: Google, "Cloud APIs: errors" (the JSON form of `google.rpc.Status`), RFC 6749 5.2 for the token endpoint.

use std::time::Duration;

use reqwest::header::RETRY_AFTER;
use reqwest::{RequestBuilder, Response, StatusCode};
use serde::Deserialize;

use super::failure::{Failure, shortened};
use crate::error::Error;
use crate::platform::outgoing;

/// The most that an answer may have, in bytes: a hundred devices with long lists of apps fit.
const LIMIT: usize = 64 * 1024 * 1024;

/// What one attempt came to.
#[derive(Debug)]
pub(super) enum Attempt {
    /// It was done; the body.
    Done(Vec<u8>),
    /// It never arrived, or was turned away at the door: certainly not done.
    NotDone { after: Option<Duration>, problem: String },
    /// 503: by Google's word not done, though one of its many layers may be mistaken.
    Busy { after: Option<Duration>, problem: String },
    /// It may have been done, or not.
    Lost { after: Option<Duration>, problem: String },
    /// 401, the credentials were not accepted: certainly not done.
    Unauthorised { reason: String, message: String },
    /// It was answered, and another attempt would be answered alike.
    Failed(Failure),
}

/// Sends once.
pub(super) async fn attempt(request: RequestBuilder) -> Attempt {
    let response = match request.send().await {
        Ok(response) => response,
        Err(problem) if problem.is_builder() => {
            return Attempt::Failed(Failure::Fault(Error::Internal(format!("a call to Google: {}", words(&problem)))));
        }
        Err(problem) if problem.is_connect() => {
            return Attempt::NotDone { after: None, problem: words(&problem) };
        }
        Err(problem) => return Attempt::Lost { after: None, problem: words(&problem) },
    };
    let status = response.status();
    let after = retry_after(&response);
    match body(response).await {
        Ok(body) if status.is_success() => Attempt::Done(body),
        Ok(body) => read_refusal(status, after, &body),
        // A refusal stands, whether or not its reason arrives.
        Err(_) if !status.is_success() => read_refusal(status, after, b""),
        Err(problem) => Attempt::Lost { after, problem },
    }
}

/// Seconds only: Google sends no dates.
fn retry_after(response: &Response) -> Option<Duration> {
    let seconds: u64 = response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

async fn body(mut response: Response) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    while let Some(part) = response.chunk().await.map_err(|problem| words(&problem))? {
        if body.len() + part.len() > LIMIT {
            return Err("the answer is longer than anything Google sends".to_owned());
        }
        body.extend_from_slice(&part);
    }
    Ok(body)
}

/// Tells a status other than success.
fn read_refusal(status: StatusCode, after: Option<Duration>, body: &[u8]) -> Attempt {
    let told = Told::read(body);
    let problem = format!("{} {}: {}", status.as_u16(), told.reason, told.message);
    match status {
        StatusCode::UNAUTHORIZED => Attempt::Unauthorised { reason: told.reason, message: told.message },
        StatusCode::TOO_MANY_REQUESTS => Attempt::NotDone { after, problem },
        StatusCode::SERVICE_UNAVAILABLE => Attempt::Busy { after, problem },
        // Only in Google's own form: the same status from a proxy, or from a wrong address, must not end an enrolment.
        StatusCode::NOT_FOUND | StatusCode::GONE | StatusCode::INTERNAL_SERVER_ERROR if told.says_not_found(status) => {
            Attempt::Failed(Failure::NotFound)
        }
        StatusCode::CONFLICT if told.reason == "ABORTED" => Attempt::NotDone { after, problem },
        StatusCode::REQUEST_TIMEOUT => Attempt::Lost { after, problem },
        status if status.is_server_error() => Attempt::Lost { after, problem },
        _ if told.reason == "DELETED" => Attempt::Failed(Failure::NotFound),
        status => {
            Attempt::Failed(Failure::Refused { status: status.as_u16(), reason: told.reason, message: told.message })
        }
    }
}

/// What an error body says, in either of its two forms.
struct Told {
    googles: bool,
    reason: String,
    message: String,
}

#[derive(Deserialize)]
struct ErrorBody {
    error: Option<ErrorField>,
    error_description: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum ErrorField {
    /// Of the token endpoint.
    Word(String),
    /// Of the APIs.
    Status { status: Option<String>, message: Option<String> },
}

impl Told {
    fn read(body: &[u8]) -> Self {
        let read: Option<ErrorBody> = serde_json::from_slice(body).ok();
        let description = read.as_ref().and_then(|read| read.error_description.clone());
        let (googles, reason, message) = match read.and_then(|read| read.error) {
            Some(ErrorField::Status { status, message }) => (true, status, message),
            Some(ErrorField::Word(word)) => (false, Some(word), description),
            None => (false, None, None),
        };
        let or_nothing = |text: Option<String>| {
            text.filter(|text| !text.trim().is_empty())
                .map_or_else(|| "no reason given".to_owned(), |text| shortened(&text))
        };
        Self { googles, reason: or_nothing(reason), message: or_nothing(message) }
    }

    /// Google answers 500 for what it cannot find, too.
    fn says_not_found(&self, status: StatusCode) -> bool {
        self.googles
            && (status != StatusCode::INTERNAL_SERVER_ERROR || self.message.contains("Requested entity was not found"))
    }
}

fn words(problem: &reqwest::Error) -> String {
    shortened(&outgoing::words(problem))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(status: u16, body: &str) -> Attempt {
        read_refusal(StatusCode::from_u16(status).expect("a status"), None, body.as_bytes())
    }

    fn google(status: u16, word: &str, message: &str) -> Attempt {
        let body = serde_json::json!({ "error": { "code": status, "message": message, "status": word } });
        read(status, &body.to_string())
    }

    #[test]
    fn absence_is_believed_only_in_googles_own_form() {
        for told in [
            google(404, "NOT_FOUND", "Device not found."),
            google(410, "NOT_FOUND", "Gone."),
            google(500, "INTERNAL", "Requested entity was not found."),
            google(400, "DELETED", "The device was deleted."),
        ] {
            assert!(matches!(told, Attempt::Failed(Failure::NotFound)), "{told:?}");
        }
        for told in [read(404, "<html>404</html>"), read(404, ""), read(404, "{\"error\":\"not_found\"}")] {
            assert!(matches!(told, Attempt::Failed(Failure::Refused { status: 404, .. })), "{told:?}");
        }
        let unclear = google(500, "INTERNAL", "Internal error encountered.");
        assert!(matches!(unclear, Attempt::Lost { .. }), "{unclear:?}");
        assert!(matches!(read(500, "Requested entity was not found"), Attempt::Lost { .. }));
    }

    #[test]
    fn each_status_is_told_apart() {
        assert!(matches!(google(401, "UNAUTHENTICATED", "m"), Attempt::Unauthorised { .. }));
        assert!(matches!(google(429, "RESOURCE_EXHAUSTED", "m"), Attempt::NotDone { .. }));
        assert!(matches!(google(409, "ABORTED", "m"), Attempt::NotDone { .. }));
        assert!(matches!(google(503, "UNAVAILABLE", "m"), Attempt::Busy { .. }));
        for status in [408, 500, 502, 504] {
            assert!(matches!(read(status, "{}"), Attempt::Lost { .. }), "{status}");
        }
        let Attempt::Failed(Failure::Refused { status, reason, message }) = google(409, "ALREADY_EXISTS", "It exists.")
        else {
            panic!("not refused")
        };
        assert_eq!((status, reason.as_str(), message.as_str()), (409, "ALREADY_EXISTS", "It exists."));
        let oauth = read(400, r#"{"error":"invalid_grant","error_description":"Invalid JWT Signature."}"#);
        let Attempt::Failed(Failure::Refused { reason, message, .. }) = oauth else { panic!("not refused") };
        assert_eq!((reason.as_str(), message.as_str()), ("invalid_grant", "Invalid JWT Signature."));
        let redirect = read(302, "");
        assert!(matches!(redirect, Attempt::Failed(Failure::Refused { status: 302, .. })), "{redirect:?}");
    }

    #[test]
    fn what_is_shown_is_bounded() {
        let Attempt::Failed(Failure::Refused { message, .. }) = google(400, "INVALID_ARGUMENT", &"x".repeat(9000))
        else {
            panic!("not refused")
        };
        assert!(message.chars().count() < 500);
    }

    proptest! {
        #[test]
        fn any_error_body_is_read(status in 300u16..600, body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read_refusal(StatusCode::from_u16(status).expect("a status"), None, &body);
        }
    }
}
