//! What a page says when it cannot do what was asked: plain words, one way on, and nothing of what went wrong inside.

use actix_web::http::StatusCode;
use actix_web::http::header::{LOCATION, RETRY_AFTER};
use actix_web::{HttpResponse, ResponseError};
use askama::Template;

use super::files::{SCRIPT_URL, STYLE_URL};
use crate::error::Error;
use crate::model::CONFIRM_FIRST;
use crate::web::api::problem::Problem;

/// Why a page is not shown.
#[derive(Debug)]
pub(super) enum Failure {
    /// An operation refused.
    Refused(Error),
    /// Nobody is signed in, or no longer; afterwards the page at this address is wanted.
    SignIn(Option<String>),
    /// Whoever watches a page is no longer signed in.
    Over,
    /// Something else comes first, at this address.
    First(String),
    /// The form came from another site.
    Foreign,
    /// The form's token is missing, of another session, or too old.
    Stale,
    /// The body is too long or too slow.
    Body(StatusCode),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Unauthenticated(_) => Self::SignIn(None),
            other => Self::Refused(other),
        }
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Body(problem.status_code())
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Refused(error) => error.fmt(formatter),
            other => write!(formatter, "{other:?}"),
        }
    }
}

#[derive(Template)]
#[template(path = "console/failure.html")]
struct Page<'a> {
    style: &'a str,
    script: &'a str,
    title: &'a str,
    words: &'a [String],
}

fn page(status: StatusCode, title: &str, words: &[String]) -> HttpResponse {
    let page = Page { style: &STYLE_URL, script: &SCRIPT_URL, title, words };
    match page.render() {
        Ok(html) => HttpResponse::build(status).content_type("text/html; charset=utf-8").body(html),
        Err(problem) => {
            tracing::error!(%problem, "a page could not be drawn");
            HttpResponse::ServiceUnavailable().finish()
        }
    }
}

/// The page for an address that leads nowhere, or to something that is not this person's.
pub(super) fn not_found() -> HttpResponse {
    page(
        StatusCode::NOT_FOUND,
        "Page not found",
        &[
            "There is nothing here, or it belongs to another council.".to_owned(),
            "If you typed the address, check that it is right. If you followed a link, what it led to may be gone."
                .to_owned(),
        ],
    )
}

/// A whole minute or more as words.
pub(super) fn wait(seconds: u64) -> String {
    match seconds.div_ceil(60) {
        0 | 1 => "a minute".to_owned(),
        minutes => format!("{minutes} minutes"),
    }
}

/// A sentence as a page shows it.
pub(super) fn sentence(text: &str) -> String {
    let mut letters = text.trim().chars();
    let Some(first) = letters.next() else { return String::new() };
    format!("{}{}", first.to_uppercase(), letters.as_str())
}

impl Failure {
    fn refused(error: &Error) -> HttpResponse {
        let unavailable = |title| {
            let mut answer = page(
                StatusCode::SERVICE_UNAVAILABLE,
                title,
                &["Nothing was changed. Try again in a few minutes.".to_owned(),
                  "If a phone is lost and this goes on, ring the mobile network and have its SIM barred; then try again."
                      .to_owned()],
            );
            answer.headers_mut().insert(RETRY_AFTER, actix_web::http::header::HeaderValue::from_static("5"));
            answer
        };
        match error {
            Error::NotFound(_) => not_found(),
            Error::Invalid { problem, .. } => {
                page(StatusCode::UNPROCESSABLE_ENTITY, "There is a problem with what was sent", &[sentence(problem)])
            }
            Error::Conflict(words) => {
                page(StatusCode::CONFLICT, "That is not possible as things stand", &[sentence(words)])
            }
            Error::Forbidden(words) if words == CONFIRM_FIRST => page(
                StatusCode::FORBIDDEN,
                "Confirm that it is you",
                &[
                    "Nothing was changed. This needs your password and code again, because five minutes have passed."
                        .to_owned(),
                    "Go back, and open the page again: it asks for them.".to_owned(),
                ],
            ),
            Error::Forbidden(words) => page(StatusCode::FORBIDDEN, "You cannot do this", &[sentence(words)]),
            Error::Unauthenticated(_) => go("/console/sign-in"),
            Error::TooMany { retry_after_seconds } => page(
                StatusCode::TOO_MANY_REQUESTS,
                "Too many tries",
                &[format!("Try again in {}.", wait(*retry_after_seconds))],
            ),
            // The texts of these two name files, hosts and statements.
            Error::Unavailable(problem) => {
                tracing::warn!(%problem, "a page could not be shown");
                unavailable("Beadle cannot do this just now")
            }
            Error::Internal(problem) => {
                tracing::error!(%problem, "a page could not be shown");
                unavailable("Sorry, there is a problem with Beadle")
            }
        }
    }
}

/// Sends the browser to another page, by a request that changes nothing.
pub(super) fn go(place: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((LOCATION, place)).finish()
}

impl ResponseError for Failure {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Over => StatusCode::OK,
            Self::Refused(_) | Self::SignIn(_) | Self::First(_) => StatusCode::SEE_OTHER,
            Self::Foreign | Self::Stale => StatusCode::FORBIDDEN,
            Self::Body(status) => *status,
        }
    }

    fn error_response(&self) -> HttpResponse {
        match self {
            Self::Refused(error) => Self::refused(error),
            Self::SignIn(None) => go("/console/sign-in"),
            Self::SignIn(Some(then)) => {
                let query: String =
                    url::form_urlencoded::Serializer::new(String::new()).append_pair("then", then).finish();
                go(&format!("/console/sign-in?{query}"))
            }
            Self::Over => HttpResponse::Ok().content_type("text/event-stream").body("event: over\ndata: over\n\n"),
            Self::First(place) => go(place),
            Self::Foreign => page(
                StatusCode::FORBIDDEN,
                "This form did not come from Beadle",
                &[
                    "Nothing was changed. Another website may have tried to send it for you.".to_owned(),
                    "If you filled it in here yourself, open the page again and send it once more.".to_owned(),
                ],
            ),
            Self::Stale => page(
                StatusCode::FORBIDDEN,
                "This form can no longer be used",
                &[
                    "Nothing was changed. It is too old, or was opened before you last signed in.".to_owned(),
                    "Open the page again and fill it in once more.".to_owned(),
                ],
            ),
            Self::Body(status) => page(
                *status,
                "That was too much, or too slow",
                &["Nothing was changed. Shorten what you entered, or try again with a better connection.".to_owned()],
            ),
        }
    }
}
