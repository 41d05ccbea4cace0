//! A new passkey for one's own account.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use super::part::Part;
use super::{address, sign_in};
use crate::app::App;
use crate::error::{Error, Result};
use crate::model::CONFIRM_FIRST;
use crate::operations::passkeys::{self, Purpose};
use crate::web::console::confirm;
use crate::web::console::failure::{Failure, go};
use crate::web::console::form::{Errors, Field, Sent};
use crate::web::console::page::{Frame, Question};
use crate::web::console::second_factor::codes_page;
use crate::web::console::visitor::Visitor;

/// Where a new passkey is made.
pub(in crate::web::console) const NEW: &str = "/console/account/second-factor/passkey";
const SECOND_FACTOR: &str = "/console/account/second-factor";
const LIST: &str = "/console/account/passkeys";

async fn page(
    app: &App,
    request: &HttpRequest,
    visitor: &Visitor,
    errors: &Errors,
    name: &str,
) -> Result<HttpResponse, Failure> {
    let frame = Frame::new(app, visitor, "Add a passkey", None)?.with(errors);
    let (back, words) = if visitor.signed_in.mfa { (LIST, "Your passkeys") } else { (SECOND_FACTOR, "Back") };
    let question = Question::plain(frame).back(back, words);
    if address(app, request).await?.is_none() {
        return question
            .lead(
                "Passkeys cannot be used at this address. Open Beadle at your council's own address, which is a name.",
            )
            .link(SECOND_FACTOR, "Set up an authenticator app instead")
            .answer();
    }
    let field = Field::line("name", "What is it on?")
        .hint("So that you can tell it from others, for example: work laptop.")
        .value(name)
        .most(60)
        .marked(errors);
    let part = Part::new(app, &visitor.binding, NEW, "create", "Make a passkey")?.fields(vec![field]);
    question
        .lead("Your phone, computer or security key keeps the passkey, and opens it with your finger, your face or its PIN. \
               No code is typed, and no false page can ask you for it.")
        .lead("If your phone is the one most likely to be lost, make a passkey on your computer too.")
        .without_scripts("Your browser makes no passkeys, or does not run the scripts that they need.")
        .passkey(part)
        .link(SECOND_FACTOR, "Set up an authenticator app instead")
        .answer()
}

/// GET: the form.
pub(super) async fn show(app: Data<App>, request: HttpRequest, visitor: Visitor) -> Result<HttpResponse, Failure> {
    if visitor.signed_in.mfa && !visitor.is_fresh(&app) {
        return Err(confirm::first(NEW));
    }
    page(&app, &request, &visitor, &Errors::default(), "").await
}

/// POST, by the script: the question.
pub(super) async fn begin(
    app: Data<App>,
    request: HttpRequest,
    visitor: Visitor,
    _: Sent,
) -> Result<HttpResponse, Failure> {
    let address = address(&app, &request).await?.ok_or_else(sign_in::no_address)?;
    let (binding, context) = (visitor.binding.clone(), app.context(visitor.actor()));
    let begun = app
        .database
        .write("ask for a passkey", move |tx| passkeys::begin_registration(tx, &context, &binding, &address))
        .await?;
    Ok(HttpResponse::Ok().json(begun.options))
}

async fn register(app: &App, visitor: &Visitor, sent: &Sent) -> Result<Vec<String>> {
    let (binding, now) = (visitor.binding.clone(), app.clock.now());
    let taken =
        app.database.write("take a question", move |tx| passkeys::take(tx, Purpose::Register, &binding, now)).await?;
    let right = match taken {
        Some(ceremony) => passkeys::register(&ceremony, &sent.text("answer"))?,
        None => None,
    };
    let right = right.ok_or_else(|| {
        Error::conflict("the passkey was not accepted, or it took longer than five minutes: try once more")
    })?;
    let name = sent.text("name");
    visitor
        .change(app, sent, "add a passkey", move |tx, context| {
            let codes = passkeys::keep(tx, context, &name, &right)?;
            Ok(codes.iter().map(|code| code.to_string()).collect::<Vec<String>>())
        })
        .await
}

/// POST: keeps it.
pub(super) async fn send(
    app: Data<App>,
    request: HttpRequest,
    visitor: Visitor,
    sent: Sent,
) -> Result<HttpResponse, Failure> {
    match register(&app, &visitor, &sent).await {
        Ok(codes) if codes.is_empty() => Ok(go(LIST)),
        Ok(codes) => codes_page(&app, &visitor, codes),
        Err(Error::Forbidden(words)) if words == CONFIRM_FIRST => Err(confirm::first(NEW)),
        Err(error) => page(&app, &request, &visitor, &Errors::of(error)?, &sent.text("name")).await,
    }
}
