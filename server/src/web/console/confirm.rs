//! Confirming who one is before anything that destroys or opens.

use actix_web::web::{Data, Query};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;

use super::failure::{Failure, go};
use super::form::{Errors, Field, Form, Sent};
use super::page::{Frame, Question};
use super::passkeys;
use super::sign_in::{own_place, second_factor, shown};
use super::visitor::Visitor;
use crate::app::App;
use crate::error::{Error, Result};
use crate::operations::{self, accounts, sign_in};
use crate::web::sign_in::{self as door, Who};

const HERE: &str = "/console/confirm";

/// What comes afterwards, and with what one confirms.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Asked {
    then: Option<String>,
    with: Option<String>,
}

/// Sends to this page first, and back to `then` afterwards.
pub(super) fn first(then: &str) -> Failure {
    let query: String = url::form_urlencoded::Serializer::new(String::new()).append_pair("then", then).finish();
    Failure::First(format!("{HERE}?{query}"))
}

/// The page once more, with what was wrong with the passkey.
pub(super) async fn again(
    app: &App,
    request: &HttpRequest,
    visitor: &Visitor,
    then: Option<String>,
    errors: &Errors,
) -> Result<Question> {
    page(app, request, visitor, &Asked { then, with: None }, errors).await
}

async fn page(app: &App, request: &HttpRequest, visitor: &Visitor, asked: &Asked, errors: &Errors) -> Result<Question> {
    let (operator, own) = visitor
        .read(app, "show account", |tx, context| {
            Ok((accounts::show(tx, context)?.0, operations::passkeys::list(tx, context)?))
        })
        .await?;
    let address = passkeys::address(app, request).await?;
    let then = own_place(asked.then.as_deref());
    let recovery = asked.with.as_deref() == Some("recovery");
    let (second, other) = second_factor(HERE, recovery, then.as_deref(), false);
    let fields = vec![Field::password("password", "Password", "current-password"), second];
    let mut form = Form::new(HERE, visitor.token(app, HERE)?, "Confirm").fields(fields).username(&operator.login);
    if let Some(then) = &then {
        form = form.hidden("then", then);
    }
    if recovery {
        form = form.hidden("with", "recovery");
    }
    let frame = Frame::new(app, visitor, "Confirm that it is you", None)?.with(errors);
    let mut question = Question::new(frame, form);
    if address.is_some_and(|here| own.iter().any(|passkey| passkey.address == here)) {
        question = question.passkey(passkeys::confirm_part(app, &visitor.binding, then.as_deref())?);
    }
    Ok(question
        .lead("What you are about to do destroys data, opens a phone, or changes who is told. Show your password and a code once more.")
        .lead("This counts for five minutes.")
        .link(other.0, &other.1))
}

/// GET: the form.
pub(super) async fn show(
    app: Data<App>,
    request: HttpRequest,
    visitor: Visitor,
    asked: Query<Asked>,
) -> Result<HttpResponse, Failure> {
    page(&app, &request, &visitor, &asked, &Errors::default()).await?.answer()
}

/// POST: confirms.
pub(super) async fn send(
    app: Data<App>,
    request: HttpRequest,
    visitor: Visitor,
    sent: Sent,
) -> Result<HttpResponse, Failure> {
    let asked = Asked { then: sent.given("then"), with: sent.given("with") };
    let checked = door::check(&app, Who::SignedIn(&visitor.signed_in), &shown(&sent), &visitor.address).await;
    let done = match checked {
        Ok((tried, second)) => {
            let confirm = move |tx: &mut crate::store::Transaction<'_>, context: &crate::operations::Context| {
                sign_in::confirm(tx, context, &tried, &second).map(drop)
            };
            visitor.change(&app, &sent, "confirm session", confirm).await
        }
        Err(error) => Err(error),
    };
    match done {
        Ok(()) => Ok(go(&own_place(asked.then.as_deref()).unwrap_or_else(|| "/console".to_owned()))),
        Err(error) => {
            let errors = match error {
                Error::Unauthenticated(_) => Errors::one("password", "The password or the code is wrong"),
                Error::Invalid { field, .. } if field == "totp" => {
                    Errors::one("totp", "Enter the code of your authenticator app, and your password once more")
                }
                other => Errors::of(other)?,
            };
            page(&app, &request, &visitor, &asked, &errors).await?.answer()
        }
    }
}
