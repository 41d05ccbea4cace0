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

/// POST: sends it. A second click sends a second one, which does no harm.
pub(in super::super) async fn send(app: Data<App>, visitor: Visitor, _: Sent) -> Result<HttpResponse, Failure> {
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
