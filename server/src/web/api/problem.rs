//! Errors as the API draws them: problem JSON (RFC 9457), with no word of what went wrong inside the server.

use actix_web::error::{JsonPayloadError, PathError, QueryPayloadError};
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::web::{JsonConfig, PathConfig, QueryConfig};
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use serde::Serialize;

use crate::error::Error;
use crate::model::CONFIRM_FIRST;

/// The most that the API reads of a body, in bytes.
pub(crate) const BODY_LIMIT: usize = 64 * 1024;

/// Why a request was refused, or failed (RFC 9457).
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Problem {
    /// What kind of problem, for programs: a URN that never changes.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The kind in words.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What is wrong and what to do about it.
    detail: String,
    /// The field that is wrong, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    /// When a new try makes sense, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_seconds: Option<u64>,
}

impl Problem {
    fn new(status: StatusCode, kind: &'static str, title: &'static str, detail: impl Into<String>) -> Self {
        Self { kind, title, status: status.as_u16(), detail: detail.into(), field: None, retry_after_seconds: None }
    }

    /// The body is longer than the API reads.
    pub(crate) fn too_large() -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "urn:beadle:problem:too-large",
            "Too large",
            format!("the body may have at most {} kB", BODY_LIMIT / 1024),
        )
    }

    /// The body did not arrive in time.
    pub(crate) fn too_slow(seconds: u64) -> Self {
        Self::new(
            StatusCode::REQUEST_TIMEOUT,
            "urn:beadle:problem:too-slow",
            "Too slow",
            format!("the body did not arrive within {seconds} seconds"),
        )
    }

    /// The same Idempotency-Key came with another request.
    pub(crate) fn key_reused() -> Self {
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "urn:beadle:problem:idempotency-key-reused",
            "Idempotency-Key used before",
            "this Idempotency-Key was used for another request within the last 24 hours; make a new one",
        )
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let detail = error.to_string();
        match error {
            Error::NotFound(_) => Self::new(StatusCode::NOT_FOUND, "urn:beadle:problem:not-found", "Not found", detail),
            Error::Invalid { field, problem } => Self {
                field: Some(field),
                ..Self::new(StatusCode::BAD_REQUEST, "urn:beadle:problem:invalid", "Invalid input", problem)
            },
            Error::Conflict(_) => {
                Self::new(StatusCode::CONFLICT, "urn:beadle:problem:conflict", "Not possible as things stand", detail)
            }
            Error::Unauthenticated(_) => {
                Self::new(StatusCode::UNAUTHORIZED, "urn:beadle:problem:unauthenticated", "Sign in first", detail)
            }
            Error::Forbidden(text) if text == CONFIRM_FIRST => {
                Self::new(StatusCode::FORBIDDEN, "urn:beadle:problem:confirm-first", "Confirm that it is you", detail)
            }
            Error::Forbidden(_) => {
                Self::new(StatusCode::FORBIDDEN, "urn:beadle:problem:forbidden", "Not allowed", detail)
            }
            Error::TooMany { retry_after_seconds } => Self {
                retry_after_seconds: Some(retry_after_seconds),
                ..Self::new(StatusCode::TOO_MANY_REQUESTS, "urn:beadle:problem:too-many", "Too many tries", detail)
            },
            // The texts of these two name files, hosts and statements; they went to the log where they arose.
            Error::Unavailable(_) => Self {
                retry_after_seconds: Some(5),
                ..Self::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "urn:beadle:problem:unavailable",
                    "Not available just now",
                    "the server cannot do this just now; try again shortly",
                )
            },
            Error::Internal(_) => Self::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "urn:beadle:problem:internal",
                "Fault of the server",
                "something went wrong in the server; its log says what",
            ),
        }
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}: {}", self.title, self.detail)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let mut answer = HttpResponse::build(self.status_code());
        answer.content_type("application/problem+json").insert_header((CACHE_CONTROL, "no-store"));
        if self.status == StatusCode::UNAUTHORIZED.as_u16() {
            answer.insert_header((WWW_AUTHENTICATE, "Bearer"));
        }
        if let Some(seconds) = self.retry_after_seconds {
            answer.insert_header((RETRY_AFTER, seconds.to_string()));
        }
        answer.body(serde_json::to_string(self).unwrap_or_default())
    }
}

/// The answer for a URL that the API does not have.
pub(crate) async fn unknown_route() -> Result<HttpResponse, Problem> {
    Err(Error::NotFound("operation: see /api/v1/docs").into())
}

fn malformed(field: &str, problem: impl std::fmt::Display) -> actix_web::Error {
    Problem::from(Error::invalid(field, problem.to_string())).into()
}

/// How a wrong JSON body is answered.
pub(crate) fn json_errors() -> JsonConfig {
    JsonConfig::default().limit(BODY_LIMIT).error_handler(|error, _: &HttpRequest| match error {
        JsonPayloadError::Overflow { .. } | JsonPayloadError::OverflowKnownLength { .. } => Problem::too_large().into(),
        JsonPayloadError::ContentType => {
            malformed("body", "must be JSON, with the header Content-Type: application/json")
        }
        JsonPayloadError::Deserialize(error) => malformed("body", error),
        error => malformed("body", error),
    })
}

/// How a wrong part of the path is answered.
pub(crate) fn path_errors() -> PathConfig {
    PathConfig::default().error_handler(|error, _: &HttpRequest| match error {
        PathError::Deserialize(error) => malformed("path", error),
        error => malformed("path", error),
    })
}

/// How a wrong query is answered.
pub(crate) fn query_errors() -> QueryConfig {
    QueryConfig::default().error_handler(|error, _: &HttpRequest| match error {
        QueryPayloadError::Deserialize(error) => malformed("query", error),
        error => malformed("query", error),
    })
}
