//! The test message: to one's own address, and what the mail server really said to it.

use actix_web::HttpResponse;
use actix_web::web::Data;

use super::super::failure::{Failure, go};
use super::super::form::{Errors, Form, Sent};
use super::super::page::{Frame, Question};
use super::super::visitor::Visitor;
use super::server::HERE;
use crate::app::App;
use crate::error::Error;
use crate::mail;
use crate::operations::{accounts, mail as settings};

const TEST: &str = "/console/settings/mail/test";

async fn page(app: &App, visitor: &Visitor, errors: &Errors) -> Result<HttpResponse, Failure> {
    if visitor.read(app, "show mail server", settings::show).await?.is_none() {
        return Ok(go(HERE));
    }
    let (operator, _) = visitor.read(app, "show account", accounts::show).await?;
    let frame = Frame::new(app, visitor, "Send a test message", None)?.with(errors);
    match operator.mail {
        Some(to) => Question::new(frame, Form::new(TEST, visitor.token(app, TEST)?, "Send the test message"))
            .lead("Beadle sends it now and shows what the mail server says. That can take half a minute.")
            .fact("To", to),
        None => Question::plain(frame)
            .lead("It is sent to your own address, and your account has none yet.")
            .link("/console/account/mail", "Enter your mail address"),
    }
    .back(HERE, "Mail")
    .answer()
}

/// GET: to whom it goes.
pub(in super::super) async fn show(app: Data<App>, visitor: Visitor) -> Result<HttpResponse, Failure> {
    page(&app, &visitor, &Errors::default()).await
}

/// What a second click sees, perhaps while the first still waits for the mail server.
fn again(app: &App, visitor: &Visitor) -> Result<HttpResponse, Failure> {
    Question::plain(Frame::new(app, visitor, "The test message was sent already", None)?)
        .lead("It was sent when you pressed the button first, and not again. The mail settings show what the mail server said.")
        .link(HERE, "Back to the mail settings")
        .answer()
}

/// POST: sends it, once for each form: a second click, or a step back, sends nothing.
pub(in super::super) async fn send(app: Data<App>, visitor: Visitor, sent: Sent) -> Result<HttpResponse, Failure> {
    let first = visitor
        .first(&app, &sent, "send a test message", |tx, context| {
            settings::server(tx, context)?.map(drop).ok_or(Error::NotFound("mail server"))
        })
        .await;
    match first {
        Ok(true) => {}
        Ok(false) => return again(&app, &visitor),
        Err(Error::NotFound(_)) => return Ok(go(HERE)),
        Err(error) => return Err(error.into()),
    }
    match mail::try_out(&app, app.context(visitor.actor())).await {
        Ok(Ok(said)) => Question::plain(Frame::new(&app, &visitor, "The mail server accepted the message", None)?)
            .lead("Look whether it arrives, also among the unwanted mail.")
            .fact("The mail server said", said)
            .link(HERE, "Back to the mail settings")
            .answer(),
        Ok(Err(words)) => page(&app, &visitor, &Errors::one("", &words)).await,
        Err(Error::NotFound(_)) => Ok(go(HERE)),
        Err(error) => page(&app, &visitor, &Errors::of(error)?).await,
    }
}
