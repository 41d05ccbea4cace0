//! What the holder of an Android phone opens, and where Google's sign-up page leads back to.

use actix_web::http::StatusCode;
use actix_web::web::{self, Path, Query, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::api::google::picture;
use super::apple::{message_page, parse_code, style_headers};
use super::visitor::Visitor;
use crate::app::App;
use crate::error::Error;
use crate::google::{self, Code};
use crate::model::Actor;

/// The URL that Google's sign-up page leads back to; the code page is beside the invitation's other pages.
pub(crate) fn configure(config: &mut ServiceConfig) {
    config.route("/google/{state}", web::get().to(returned));
}

#[derive(Template)]
#[template(path = "android_code.html")]
struct CodePage {
    style: &'static str,
    /// The code as a picture, made by us.
    svg: String,
    /// The link, for a personal phone.
    link: Option<String>,
    until: String,
    /// The page is looked at on an Android phone.
    on_android: bool,
}

/// POST: makes the code or link, at the moment when somebody looks at it.
pub(crate) async fn code(app: web::Data<App>, code: Path<String>, request: HttpRequest) -> HttpResponse {
    let Some(code) = parse_code(&code) else {
        return message_page(
            StatusCode::NOT_FOUND,
            "There is no such invitation. Check the link: it must be complete.",
        );
    };
    let context = app.context(Actor::System);
    let made = match google::code_by_link(&app, context, code.hash()).await {
        Ok(made) => made,
        Err(Error::NotFound(_)) => {
            return message_page(StatusCode::NOT_FOUND, "There is no such invitation. Ask the clerk for a new one.");
        }
        Err(Error::Conflict(words)) => return message_page(StatusCode::CONFLICT, &sentence(&words)),
        Err(Error::TooMany { .. }) => {
            return message_page(
                StatusCode::TOO_MANY_REQUESTS,
                "Too many codes were made for this invitation. Wait an hour and open the link again.",
            );
        }
        Err(problem) => {
            tracing::error!(%problem, "a code could not be made");
            return message_page(
                StatusCode::SERVICE_UNAVAILABLE,
                "Google cannot be reached just now. Try again in a few minutes; this link stays good.",
            );
        }
    };
    let (text, link, expires_at) = match made {
        Code::Scan { text, expires_at } => (text, None, expires_at),
        Code::Link { link, expires_at } => (link.clone(), Some(link.to_string()), expires_at),
    };
    let page = picture(&text).map(|svg| CodePage {
        style: super::apple::STYLE,
        svg,
        link,
        until: expires_at.utc().format("%d %B %Y, %H:%M UTC").to_string(),
        on_android: Visitor::of(&request) == Visitor::Android,
    });
    match page.map_err(|problem| problem.to_string()).and_then(|page| page.render().map_err(|it| it.to_string())) {
        Ok(html) => style_headers(StatusCode::OK).content_type("text/html; charset=utf-8").body(html),
        Err(problem) => {
            tracing::error!(%problem, "a code's page could not be drawn");
            HttpResponse::ServiceUnavailable().finish()
        }
    }
}

fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    let first: String = letters.next().map(|letter| letter.to_uppercase().collect()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Returned {
    enterprise_token: Option<String>,
}

/// GET: Google's page sent its visitor back with a token for the enterprise.
async fn returned(app: web::Data<App>, state: Path<String>, query: Query<Returned>) -> HttpResponse {
    let Some(token) = query.into_inner().enterprise_token.filter(|token| !token.is_empty()) else {
        return message_page(
            StatusCode::BAD_REQUEST,
            "Google sent nothing back: the sign-up was not finished. Begin it again with the clerk or the provider.",
        );
    };
    match google::finish_sign_up(&app, &state, &token).await {
        Ok(council) => message_page(
            StatusCode::OK,
            &format!("{council} is connected to Google. You can close this page; Android phones can now be invited."),
        ),
        Err(Error::NotFound(_)) => {
            message_page(StatusCode::NOT_FOUND, "This page belongs to no sign-up that Beadle began.")
        }
        Err(Error::Conflict(words)) => message_page(StatusCode::CONFLICT, &sentence(&words)),
        Err(problem) => {
            tracing::error!(%problem, "a sign-up could not be finished");
            message_page(
                StatusCode::SERVICE_UNAVAILABLE,
                "Google cannot be reached just now. Load this page again in a few minutes.",
            )
        }
    }
}
