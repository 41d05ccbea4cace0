//! Thawing: the first person asks, the second agrees.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};

use crate::app::App;
use crate::error::Result;
use crate::operations::caps;
use crate::web::console::confirm;
use crate::web::console::failure::{Failure, go, sentence};
use crate::web::console::form::{Errors, Form, Sent};
use crate::web::console::page::{Frame, Question};
use crate::web::console::settings::errors_or_confirm;
use crate::web::console::visitor::Visitor;

/// The question and where it is.
async fn page(app: &App, visitor: &Visitor, council: Option<&String>, errors: &Errors) -> Result<(Question, String)> {
    let limits = super::look(app, visitor, council).await?;
    limits.require()?;
    let action = format!("{}/thaw", limits.home);
    let asked = limits.view.freeze.as_ref().and_then(|freeze| freeze.thaw_requested_by_name.clone());
    let (title, button) = match &asked {
        None => ("Ask to thaw erasing?", "Ask to thaw"),
        Some(_) => ("Thaw erasing?", "Thaw"),
    };
    let form = Form::new(&action, visitor.token(app, &action)?, button).danger();
    let frame = Frame::new(app, visitor, title, limits.place.as_ref())?.with(errors);
    let question = Question::new(frame, form).back(&limits.home, "Limits on erasing");
    let Some(freeze) = limits.view.freeze.as_ref().filter(|_| limits.own_freeze()) else {
        return Ok((Question { form: None, ..question.lead("It is not frozen here.") }, action));
    };
    let mut question = question
        .fact("Frozen since", limits.zone.when(freeze.frozen_at))
        .fact("Why it is frozen", format!("{}.", sentence(&freeze.reason)));
    if let Some(name) = asked {
        question = question.fact("Thawing asked for by", name);
    }
    let question = question
        .lead("Speak to everyone whose name stands under an order, in person or on a number that you know. Only if they say that \
               they approved it themselves, go on.")
        .lead("Two people must thaw: one asks, another agrees within 72 hours. Orders that were held are not carried out by \
               themselves then: each must be let go on from its own page, and no faster than the limits allow.");
    Ok((question, action))
}

/// GET: the question, for whoever has just confirmed who he is.
pub(in crate::web::console::settings) async fn show(
    app: Data<App>,
    visitor: Visitor,
    path: Option<Path<String>>,
) -> Result<HttpResponse, Failure> {
    let (question, here) = page(&app, &visitor, super::named(path).as_ref(), &Errors::default()).await?;
    if question.form.is_some() && !visitor.is_fresh(&app) {
        return Err(confirm::first(&here));
    }
    question.answer()
}

/// POST: asks, or agrees.
pub(in crate::web::console::settings) async fn send(
    app: Data<App>,
    visitor: Visitor,
    sent: Sent,
    path: Option<Path<String>>,
) -> Result<HttpResponse, Failure> {
    let council = super::named(path);
    let (_, here) = page(&app, &visitor, council.as_ref(), &Errors::default()).await?;
    let named = council.clone();
    let done = visitor
        .change(&app, &sent, "thaw orders", move |tx, context| {
            let scope = super::scope(tx, context, named.as_ref())?;
            caps::thaw(tx, context, &scope).map(drop)
        })
        .await;
    match done {
        Ok(()) => Ok(go(here.trim_end_matches("/thaw"))),
        Err(error) => page(&app, &visitor, council.as_ref(), &errors_or_confirm(error, &here)?).await?.0.answer(),
    }
}
