//! Agreeing to higher limits, as the second person.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};

use super::words_of;
use crate::app::App;
use crate::error::Result;
use crate::operations::caps;
use crate::web::console::confirm;
use crate::web::console::failure::{Failure, go};
use crate::web::console::form::{Errors, Form, Sent};
use crate::web::console::page::{Frame, Question};
use crate::web::console::settings::errors_or_confirm;
use crate::web::console::visitor::Visitor;

/// The question and where it is.
async fn page(app: &App, visitor: &Visitor, council: Option<&String>, errors: &Errors) -> Result<(Question, String)> {
    let limits = super::look(app, visitor, council).await?;
    limits.require()?;
    let action = format!("{}/raise", limits.home);
    let form = Form::new(&action, visitor.token(app, &action)?, "Agree to the higher limits");
    let frame = Frame::new(app, visitor, "Raise the limits on erasing?", limits.place.as_ref())?.with(errors);
    let question = Question::new(frame, form).back(&limits.home, "Limits on erasing");
    let waiting = limits.view.pending_raise.as_ref().filter(|raise| raise.approved_by.is_none());
    let Some(raise) = waiting else {
        return Ok((Question { form: None, ..question.lead("Nobody asks to raise them any more.") }, action));
    };
    let question = question
        .lead("The more phones may be erased in a day, the more a stolen account can destroy. Speak to whoever asked before you \
               agree.")
        .lead("The higher limits count 24 hours after you agree. To refuse, change the limits to what they are now.")
        .fact("Now at most", words_of(limits.view.per_hour, limits.view.per_day))
        .fact("Then at most", words_of(raise.per_hour, raise.per_day))
        .fact("Asked for by", format!("{}, on {}", raise.requested_by_name, limits.zone.when(raise.requested_at)));
    Ok((question.link(format!("{}/change", limits.home), "Change the limits instead"), action))
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

/// POST: agrees.
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
        .change(&app, &sent, "approve raise of caps", move |tx, context| {
            let scope = super::scope(tx, context, named.as_ref())?;
            caps::approve_raise(tx, context, &scope).map(drop)
        })
        .await;
    match done {
        Ok(()) => Ok(go(here.trim_end_matches("/raise"))),
        Err(error) => page(&app, &visitor, council.as_ref(), &errors_or_confirm(error, &here)?).await?.0.answer(),
    }
}
