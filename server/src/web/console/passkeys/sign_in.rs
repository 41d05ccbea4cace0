//! Signing in with a passkey, and showing with one that it is still the same person.

use actix_web::http::header::{SET_COOKIE, USER_AGENT};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use super::address;
use crate::app::App;
use crate::error::{Error, Result};
use crate::operations::{passkeys, sign_in};
use crate::web::console::failure::{Failure, go};
use crate::web::console::form::{Errors, Sent};
use crate::web::console::sign_in::{own_place, page, stranger};
use crate::web::console::visitor::Visitor;
use crate::web::console::{confirm, cookie};
use crate::web::sign_in as door;

pub(super) const ROUTE: &str = "/sign-in/passkey";
pub(super) const BEGIN_ROUTE: &str = "/sign-in/passkey/begin";
pub(super) const SIGN_IN: &str = "/console/sign-in/passkey";
pub(super) const CONFIRM: &str = "/console/confirm/passkey";

const NOT_RIGHT: &str = "That passkey was not accepted. It may have been removed, or have waited too long: try once more, or \
                         sign in with your password";

pub(super) fn no_address() -> Error {
    Error::conflict("passkeys cannot be used at this address")
}

/// POST, by the script: the question.
pub(super) async fn begin(app: Data<App>, request: HttpRequest, _: Sent) -> Result<HttpResponse, Failure> {
    let stranger = stranger(&request)?;
    let address = address(&app, &request).await?.ok_or_else(no_address)?;
    let (binding, now) = (stranger.binding, app.clock.now());
    let begun =
        app.database.write("ask a passkey", move |tx| passkeys::begin_sign_in(tx, &binding, &address, now)).await?;
    Ok(HttpResponse::Ok().json(begun.options))
}

/// POST: signs in.
pub(super) async fn send(app: Data<App>, request: HttpRequest, sent: Sent) -> Result<HttpResponse, Failure> {
    let stranger = stranger(&request)?;
    let agent = request.headers().get(USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
    match door::sign_in_with_passkey(&app, &stranger.binding, &sent.text("answer"), &stranger.address, agent).await {
        Ok(opened) => {
            let then = own_place(sent.given("then").as_deref()).unwrap_or_else(|| "/console".to_owned());
            let mut answer = go(&then);
            answer.headers_mut().append(SET_COOKIE, cookie::set(cookie::SESSION, &opened.token)?);
            Ok(answer)
        }
        Err(error) => {
            let errors = match error {
                Error::Unauthenticated(_) => Errors::one("", NOT_RIGHT),
                other => Errors::of(other)?,
            };
            let then = sent.given("then");
            page(&app, &request, &stranger, (then.as_deref(), false, false), &errors, "").await?.answer()
        }
    }
}

/// POST, by the script: the question to whoever is signed in.
pub(super) async fn begin_confirm(
    app: Data<App>,
    request: HttpRequest,
    visitor: Visitor,
    _: Sent,
) -> Result<HttpResponse, Failure> {
    let address = address(&app, &request).await?.ok_or_else(no_address)?;
    let (binding, context) = (visitor.binding.clone(), app.context(visitor.actor()));
    let begun = app
        .database
        .write("ask a passkey again", move |tx| passkeys::begin_confirmation(tx, &context, &binding, &address))
        .await?;
    Ok(HttpResponse::Ok().json(begun.options))
}

/// POST: confirms.
pub(super) async fn confirm(
    app: Data<App>,
    request: HttpRequest,
    visitor: Visitor,
    sent: Sent,
) -> Result<HttpResponse, Failure> {
    let checked = door::check_passkey(
        &app,
        door::Who::SignedIn(&visitor.signed_in),
        &visitor.binding,
        &sent.text("answer"),
        &visitor.address,
    )
    .await;
    let done = match checked {
        Ok((tried, second)) => {
            visitor
                .change(&app, &sent, "confirm session", move |tx, context| {
                    sign_in::confirm(tx, context, &tried, &second).map(drop)
                })
                .await
        }
        Err(error) => Err(error),
    };
    match done {
        Ok(()) => Ok(go(&own_place(sent.given("then").as_deref()).unwrap_or_else(|| "/console".to_owned()))),
        Err(error) => {
            let errors = match error {
                Error::Unauthenticated(_) => Errors::one("", NOT_RIGHT),
                other => Errors::of(other)?,
            };
            confirm::again(&app, &request, &visitor, sent.given("then"), &errors).await?.answer()
        }
    }
}
