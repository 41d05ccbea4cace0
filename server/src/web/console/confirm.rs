//! Confirming who one is before anything that destroys or opens.

use actix_web::HttpResponse;
use actix_web::web::{Data, Query};
use serde::Deserialize;

use super::failure::{Failure, go};
use super::form::{Errors, Field, Form, Sent};
use super::page::{Frame, Question};
use super::sign_in::{own_place, second_factor, shown};
use super::visitor::Visitor;
use crate::app::App;
use crate::error::{Error, Result};
use crate::operations::{accounts, sign_in};
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

async fn page(app: &App, visitor: &Visitor, asked: &Asked, errors: &Errors) -> Result<Question> {
    let (operator, _) = visitor.read(app, "show account", accounts::show).await?;
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
    Ok(Question::new(frame, form)
        .lead("What you are about to do destroys data, opens a phone, or changes who is told. Show your password and a code once more.")
        .lead("This counts for five minutes.")
        .link(other.0, &other.1))
}

/// GET: the form.
pub(super) async fn show(app: Data<App>, visitor: Visitor, asked: Query<Asked>) -> Result<HttpResponse, Failure> {
    page(&app, &visitor, &asked, &Errors::default()).await?.answer()
}

/// POST: confirms.
pub(super) async fn send(app: Data<App>, visitor: Visitor, sent: Sent) -> Result<HttpResponse, Failure> {
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
            page(&app, &visitor, &asked, &errors).await?.answer()
        }
    }
}
