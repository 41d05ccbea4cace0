//! The page that an invitation leads to: what the council can see and do, whom to ask, and the button that accepts.

use std::sync::LazyLock;

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_SECURITY_POLICY, REFERRER_POLICY};
use actix_web::web::{self, Form, Path};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use askama::Template;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use beadle_enrollment::invitation::Code;

use crate::app::App;
use crate::error::{Error, Result};
use crate::model::{Actor, Ownership, Platform, Sight, sight};
use crate::operations::enroll::{self, Landing, NOTICE_VERSION, Standing};
use crate::web::api::guard::client_address;
use crate::web::visitor::Visitor;

pub(crate) const STYLE: &str = "body{font:1.1rem/1.5 -apple-system,system-ui,sans-serif;max-width:38rem;margin:0 auto;padding:1.5rem;\
color:#1a1a1a;background:#fff;overflow-wrap:anywhere}h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:1.5rem}li{margin:.3rem 0}\
svg{max-width:100%;height:auto}a{color:#14532d}\
button,a.get{display:inline-block;font:inherit;font-weight:600;padding:.8rem 1.4rem;border-radius:.5rem;border:2px solid #14532d;\
background:#14532d;color:#fff;text-decoration:none}button:focus-visible,a:focus-visible{outline:3px solid #b45309;outline-offset:3px}\
.note{border-left:4px solid #b45309;padding-left:1rem}\
@media(prefers-color-scheme:dark){body{background:#111;color:#eee}a{color:#bbf7d0}button,a.get{background:#bbf7d0;color:#052e16;border-color:#bbf7d0}}";

static POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = STANDARD.encode(openssl::sha::sha256(STYLE.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
});

#[derive(Template)]
#[template(path = "apple_landing.html")]
struct Page<'a> {
    style: &'static str,
    title: String,
    council: Option<&'a str>,
    asset: &'a str,
    /// Why it does not go on; then nothing else is shown.
    refusal: Option<&'a str>,
    notice: &'static str,
    /// Why nothing can be done on this kind of phone.
    wrong_kind: Option<&'static str>,
    /// What to do on what opened the page.
    next_step: Option<&'static str>,
    sight: Option<Sight>,
    /// Where the form goes.
    action: Option<String>,
    /// Where the profile is.
    profile: Option<String>,
    /// Where the code of an Android phone is made.
    android: Option<String>,
    /// The phone is the holder's own.
    personal: bool,
}

fn refusal(standing: Standing) -> Option<(StatusCode, &'static str)> {
    Some(match standing {
        Standing::Open | Standing::Accepted => return None,
        Standing::Used => (
            StatusCode::GONE,
            "This invitation was used: a device has enrolled with it. If that was not you, tell the clerk at once.",
        ),
        Standing::Withdrawn => {
            (StatusCode::GONE, "This invitation was taken back by the council. Ask the clerk for a new one.")
        }
        Standing::Expired => (StatusCode::GONE, "This invitation has run out. Ask the clerk for a new one."),
        Standing::PersonalApple => (
            StatusCode::FORBIDDEN,
            "Your own iPhone or iPad cannot be enrolled yet. The only way there is today would give the council far more \
             power over it than it should have, so Beadle does not offer it. Nothing was changed on your phone.",
        ),
        Standing::NoGoogle => (
            StatusCode::CONFLICT,
            "The council has not finished setting up: it is not connected to Google, without which Android phones cannot be \
             managed. Tell the clerk; this link stays good and you can use it afterwards.",
        ),
        Standing::NotSetUp => (
            StatusCode::CONFLICT,
            "The council has not finished setting up: it has no valid push certificate from Apple, without which phones \
             cannot be managed. Tell the clerk; this link stays good and you can use it afterwards.",
        ),
    })
}

/// GET: shows the notice, or why it cannot go on. Uses nothing up, however often a mail scanner opens it.
pub(super) async fn show(app: web::Data<App>, code: Path<String>, request: HttpRequest) -> HttpResponse {
    let Some(code) = parse(&code) else { return unknown().await };
    let (hash, now) = (code.hash(), app.clock.now());
    let found = app.database.read("show invitation", move |tx| enroll::landing(tx, now, &hash)).await;
    page_of(found, &code, Visitor::of(&request))
}

/// What the form sends.
#[derive(serde::Deserialize)]
pub(super) struct Acceptance {
    notice: String,
}

/// POST: accepts, and shows where the profile is.
pub(super) async fn accept(
    app: web::Data<App>,
    code: Path<String>,
    request: HttpRequest,
    form: Form<Acceptance>,
) -> HttpResponse {
    let Some(code) = parse(&code) else { return unknown().await };
    let address = client_address(&request, &app.config.proxy.addresses).0;
    let (hash, context, notice) = (code.hash(), app.context(Actor::System), form.into_inner().notice);
    let found =
        app.database.write("accept invitation", move |tx| enroll::accept(tx, &context, &hash, &address, &notice)).await;
    page_of(found, &code, Visitor::of(&request))
}

/// The page of a link that leads nowhere.
pub(super) async fn unknown() -> HttpResponse {
    message(
        StatusCode::NOT_FOUND,
        "There is no such invitation. Check the link: it must be complete. If it is, ask the clerk for a new one.",
    )
}

pub(crate) fn parse_code(code: &str) -> Option<Code> {
    parse(code)
}

pub(super) fn parse(code: &str) -> Option<Code> {
    Code::parse(code).ok()
}

pub(super) fn page_of(found: Result<Landing>, code: &Code, visitor: Visitor) -> HttpResponse {
    match found {
        Ok(landing) => page(&landing, code, visitor),
        Err(Error::NotFound(_)) => message(
            StatusCode::NOT_FOUND,
            "There is no such invitation. Check the link: it must be complete. If it is, ask the clerk for a new one.",
        ),
        Err(Error::Conflict(_)) => message(
            StatusCode::CONFLICT,
            "The notice has changed since you opened it. Open the link again and read it once more.",
        ),
        Err(Error::TooMany { .. }) => message(
            StatusCode::TOO_MANY_REQUESTS,
            "The profile was fetched too often. Wait a quarter of an hour and open the link again.",
        ),
        Err(problem) => {
            tracing::error!(%problem, "an invitation could not be shown");
            message(StatusCode::SERVICE_UNAVAILABLE, "Beadle cannot answer just now. Try again in a few minutes.")
        }
    }
}

pub(super) fn page(landing: &Landing, code: &Code, visitor: Visitor) -> HttpResponse {
    let name = landing.council.name.as_str();
    let refused = refusal(landing.standing);
    let open = refused.is_none();
    let (mode, ownership) = (landing.invitation.mode, landing.invitation.ownership);
    let wrong_kind = visitor.wrong_kind(mode).filter(|_| open);
    // On the wrong kind of phone there is nothing to press: what it would fetch does nothing there.
    let (may_accept, accepted) = match landing.standing {
        Standing::Open => (wrong_kind.is_none(), false),
        Standing::Accepted => (false, wrong_kind.is_none()),
        _ => (false, false),
    };
    let android = landing.invitation.mode.platform() == Platform::Android;
    let page = Page {
        style: STYLE,
        title: format!("{name}: device management"),
        council: Some(name),
        asset: &landing.asset_tag,
        refusal: refused.map(|(_, words)| words),
        notice: NOTICE_VERSION,
        wrong_kind,
        next_step: visitor.next_step(mode, ownership).filter(|_| open && wrong_kind.is_none()),
        sight: open.then(|| sight(mode, ownership)),
        action: may_accept.then(|| format!("/i/{code}")),
        profile: (accepted && !android).then(|| format!("/i/{code}/beadle.mobileconfig")),
        android: (accepted && android).then(|| format!("/i/{code}/android")),
        personal: ownership == Ownership::Personal,
    };
    draw(refused.map_or(StatusCode::OK, |(status, _)| status), &page)
}

/// A page that says one thing.
pub(crate) fn message_page(status: StatusCode, words: &str) -> HttpResponse {
    message(status, words)
}

fn message(status: StatusCode, words: &str) -> HttpResponse {
    let page = Page {
        style: STYLE,
        title: "Device management".to_owned(),
        council: None,
        asset: "",
        refusal: Some(words),
        notice: NOTICE_VERSION,
        wrong_kind: None,
        next_step: None,
        sight: None,
        action: None,
        profile: None,
        android: None,
        personal: false,
    };
    draw(status, &page)
}

fn draw(status: StatusCode, page: &Page<'_>) -> HttpResponse {
    match page.render() {
        Ok(html) => style_headers(status).content_type("text/html; charset=utf-8").body(html),
        Err(problem) => {
            tracing::error!(%problem, "a page could not be drawn");
            HttpResponse::ServiceUnavailable().finish()
        }
    }
}

/// An answer with the headers of the holder's pages.
pub(crate) fn style_headers(status: StatusCode) -> HttpResponseBuilder {
    let mut answer = HttpResponse::build(status);
    answer
        .insert_header((CONTENT_SECURITY_POLICY, POLICY.as_str()))
        // The code in the address must not reach another site.
        .insert_header((REFERRER_POLICY, "no-referrer"));
    answer
}
