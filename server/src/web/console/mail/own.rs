//! One's own mail address: where one is told what happens.

use actix_web::HttpResponse;
use actix_web::web::Data;

use super::super::confirm;
use super::super::failure::{Failure, go};
use super::super::form::{Errors, Field, Form, Sent};
use super::super::page::{Frame, Question};
use super::super::visitor::Visitor;
use crate::app::App;
use crate::error::Error;
use crate::model::CONFIRM_FIRST;
use crate::operations::{accounts, mail};

const HERE: &str = "/console/account/mail";

async fn page(app: &App, visitor: &Visitor, sent: Option<&Sent>, errors: &Errors) -> Result<HttpResponse, Failure> {
    let (operator, _) = visitor.read(app, "show account", accounts::show).await?;
    let field = Field::line("mail", "Mail address")
        .hint("Leave it empty to be told nothing by mail.")
        .autocomplete("email")
        .most(254)
        .value(operator.mail.unwrap_or_default());
    let mut form = Form::new(HERE, visitor.token(app, HERE)?, "Save").fields(vec![field]);
    if let Some(sent) = sent {
        form = form.filled(sent);
    }
    Question::new(Frame::new(app, visitor, "Your mail address", None)?.with(errors), form)
        .back("/console/account", "Your account")
        .lead("Beadle tells you by mail when a phone is lost and when an order to erase one waits for a decision.")
        .lead(
            "Choose an address that you can read without your phone. After a change you cannot approve orders for 72 hours, \
             and the old address is told.",
        )
        .answer()
}

/// GET: the form.
pub(in super::super) async fn show(app: Data<App>, visitor: Visitor) -> Result<HttpResponse, Failure> {
    if !visitor.is_fresh(&app) {
        return Err(confirm::first(HERE));
    }
    page(&app, &visitor, None, &Errors::default()).await
}

/// POST: changes it.
pub(in super::super) async fn send(app: Data<App>, visitor: Visitor, sent: Sent) -> Result<HttpResponse, Failure> {
    let address = sent.text("mail");
    let done = visitor
        .change(&app, &sent, "change mail address", move |tx, context| mail::change_own_address(tx, context, &address))
        .await;
    match done {
        Ok(()) => Ok(go("/console/account")),
        Err(Error::Forbidden(words)) if words == CONFIRM_FIRST => Err(confirm::first(HERE)),
        Err(Error::Invalid { problem, .. }) => {
            page(&app, &visitor, Some(&sent), &Errors::one("mail", &format!("The mail address {problem}"))).await
        }
        Err(error) => page(&app, &visitor, Some(&sent), &Errors::of(error)?).await,
    }
}
