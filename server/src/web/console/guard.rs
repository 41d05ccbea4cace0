//! The console's gate: who it is, whether a form is this server's own, and the headers of every page.

use std::net::IpAddr;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderMap, HeaderName, HeaderValue, ORIGIN, REFERRER_POLICY, SET_COOKIE,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use actix_web::middleware::Next;
use actix_web::{HttpMessage as _, HttpRequest, ResponseError as _, web};

use super::cookie;
use super::failure::Failure;
use super::form::{Sent, TOKEN};
use super::form_token;
use super::passkeys;
use super::visitor::Visitor;
use crate::app::App;
use crate::error::{Error, Result};
use crate::keys::random_bytes;
use crate::operations::sign_in::{self, Credential};
use crate::web::api::caller::RequestHash;
use crate::web::api::guard::{client_address, read_body};

/// The policy of every page: own stylesheet, own script, own forms, and nothing else.
pub(super) const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                                 form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// What needs no sign-in.
const OPEN: &[&str] = &[
    "/console/set-up",
    "/console/sign-in",
    "/console/break-glass",
    "/console/sign-in/passkey",
    "/console/sign-in/passkey/begin",
    "/lost",
    "/lost/report",
    "/lost/phone",
    "/stop",
];
/// Where the files are, which need none either.
const FILES: &str = "/console/files/";
/// What someone may open whose initial password must be changed.
const PASSWORD: &str = "/console/account/password";
/// What someone may open who has no second factor yet.
const SECOND_FACTOR: &str = "/console/account/second-factor";
/// How one gets out again.
const SIGN_OUT: &str = "/console/sign-out";

/// What the form of someone not signed in is bound to, and where he comes from.
#[derive(Clone, Debug)]
pub(super) struct Stranger {
    pub(super) binding: String,
    pub(super) address: String,
}

/// Lets a request through once it is known whose it is, and gives every answer its headers.
pub(super) async fn guard(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let Some(app) = request.app_data::<web::Data<App>>().cloned() else {
        return Err(Failure::Refused(Error::internal("the web server was started without its App")).into());
    };
    let file = request.path().starts_with(FILES);
    let mut visit = None;
    let admitted = if file { Ok(()) } else { admit(&app, &mut request, &mut visit).await };
    let mut answer = match admitted {
        Ok(()) => next.call(request).await?.map_into_boxed_body(),
        Err(failure) => {
            // A stream that led to a page would be an error in the browser, and would say nothing to whoever watches.
            let watches = request.path().ends_with("/live") && matches!(failure, Failure::SignIn(_));
            let failure = if watches { Failure::Over } else { failure };
            let answer = failure.error_response();
            request.into_response(answer).map_into_boxed_body()
        }
    };
    let headers = answer.headers_mut();
    if !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    for (name, value) in [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        // Not "no-referrer": with that, browsers do not say where a form comes from.
        (REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Some(visit) = visit {
        headers.append(SET_COOKIE, visit);
    }
    Ok(answer)
}

async fn admit(app: &App, request: &mut ServiceRequest, visit: &mut Option<HeaderValue>) -> Result<(), Failure> {
    let changes = ![Method::GET, Method::HEAD].contains(request.method());
    if changes && !is_own(request.headers(), &passkeys::host(request.request())) {
        return Err(Failure::Foreign);
    }
    let address = client_address(request.request(), &trusted(app)).0;
    let binding = if OPEN.contains(&request.path()) {
        let binding = stranger(request.headers(), visit)?;
        request.extensions_mut().insert(Stranger { binding: binding.clone(), address });
        binding
    } else {
        let visitor = authenticate(app, request.request(), address).await?;
        let binding = visitor.binding.clone();
        request.extensions_mut().insert(visitor);
        binding
    };
    if changes {
        let sent = receive(app, request, &binding).await?;
        request.extensions_mut().insert(sent);
    }
    Ok(())
}

fn trusted(app: &App) -> Vec<IpAddr> {
    app.config.proxy.addresses.clone()
}

/// Whether a form comes from a page of this very server. Browsers say so, and no page can make them say otherwise; what
/// says nothing is no browser of these ten years.
fn is_own(headers: &HeaderMap, host: &str) -> bool {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text(HeaderName::from_static("sec-fetch-site")) {
        return site == "same-origin";
    }
    let Some(origin) = text(ORIGIN).filter(|_| !host.is_empty()) else { return false };
    origin.split_once("://").is_some_and(|(_, from)| from.eq_ignore_ascii_case(host))
}

/// The random value that the sign-in form is bound to; a new one where the browser has none.
fn stranger(headers: &HeaderMap, visit: &mut Option<HeaderValue>) -> Result<String> {
    if let Some(known) = cookie::read(headers, cookie::VISIT) {
        return Ok(format!("visit {known}"));
    }
    let new = hex::encode(random_bytes::<16>()?);
    *visit = Some(cookie::set(cookie::VISIT, &new)?);
    Ok(format!("visit {new}"))
}

async fn authenticate(app: &App, request: &HttpRequest, address: String) -> Result<Visitor, Failure> {
    let path = request.path().to_owned();
    // A form that is sent after the session ended is lost; its page is where to begin again.
    let then = request.uri().path_and_query().map(|place| place.as_str().to_owned());
    let then = if request.method() == Method::GET { then } else { None };
    let Some(token) = cookie::read(request.headers(), cookie::SESSION) else { return Err(Failure::SignIn(then)) };
    let credential = Credential::session(token);
    let (asked, now) = (credential.clone(), app.clock.now());
    let found = app.database.read("authenticate", move |tx| sign_in::authenticate(tx, &asked, now)).await;
    let found = match found {
        Ok(found) => found,
        Err(Error::Unauthenticated(_)) => return Err(Failure::SignIn(then)),
        Err(other) => return Err(other.into()),
    };
    // Watching a page is no use of it: only what a person does keeps the sign-in.
    if let Some(session) = found.seen.filter(|_| !path.ends_with("/live")) {
        app.database.write("session seen", move |tx| sign_in::seen(tx, &session, now)).await?;
    }
    let Some(signed_in) = found.actor.signed_in().cloned() else { return Err(Failure::SignIn(then)) };
    if signed_in.must_change_password && path != PASSWORD && path != SIGN_OUT {
        return Err(Failure::First(PASSWORD.to_owned()));
    }
    let sets_up = path.starts_with(SECOND_FACTOR) || path == PASSWORD || path == SIGN_OUT;
    if !signed_in.mfa && !sets_up {
        return Err(Failure::First(SECOND_FACTOR.to_owned()));
    }
    let Credential::Session { token_hash } = &credential else { return Err(Failure::SignIn(then)) };
    Ok(Visitor { signed_in, binding: format!("session {token_hash}"), credential, address })
}

async fn receive(app: &App, request: &mut ServiceRequest, binding: &str) -> Result<Sent, Failure> {
    let body = read_body(request.take_payload(), app.config.limits.request_seconds).await?;
    let hash = RequestHash::of(&app.keys, request.method(), request.uri(), &body)?.0;
    let fields = Sent::parse(&body);
    let token = fields.get(TOKEN).map(String::as_str).unwrap_or_default();
    let nonce = form_token::verify(&app.keys, binding, request.path(), token, app.clock.now())?;
    nonce.map(|nonce| Sent { fields, nonce, hash }).ok_or(Failure::Stale)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn only_this_servers_own_forms_count() {
        let host = ("host", "phones.example");
        assert!(is_own(&headers(&[("sec-fetch-site", "same-origin")]), "phones.example"));
        assert!(is_own(&headers(&[("origin", "https://phones.example")]), "phones.example"));
        for foreign in [
            vec![host],
            vec![host, ("sec-fetch-site", "cross-site"), ("origin", "https://phones.example")],
            vec![host, ("sec-fetch-site", "same-site")],
            vec![host, ("sec-fetch-site", "none")],
            vec![host, ("origin", "null")],
            vec![host, ("origin", "https://evil.example")],
            vec![host, ("origin", "https://phones.example.evil.example")],
        ] {
            assert!(!is_own(&headers(&foreign), "phones.example"), "{foreign:?}");
        }
    }
}
