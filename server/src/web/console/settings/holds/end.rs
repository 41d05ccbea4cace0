//! Ending a legal hold.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};

use super::place_of;
use crate::app::App;
use crate::error::{Error, Result};
use crate::model::{HoldId, Permission};
use crate::operations::holds;
use crate::web::console::confirm;
use crate::web::console::failure::{Failure, go};
use crate::web::console::form::{Errors, Form, Sent};
use crate::web::console::page::{Frame, Place, Question};
use crate::web::console::settings::errors_or_confirm;
use crate::web::console::visitor::Visitor;

fn here(id: &HoldId) -> String {
    format!("/console/holds/{id}/end")
}

async fn page(app: &App, visitor: &Visitor, id: &HoldId, errors: &Errors) -> Result<(Question, Place)> {
    let wanted = id.clone();
    let (place, lying) = visitor
        .read(app, "show hold", move |tx, context| {
            let lying = holds::show(tx, context, &wanted)?;
            Ok((Place::of(tx, &lying.hold.council)?, lying))
        })
        .await?;
    if !visitor.may(Permission::CancelOrder, &place.id) {
        return Err(Error::forbidden("your role does not allow this"));
    }
    let action = here(id);
    let form = Form::new(&action, visitor.token(app, &action)?, "End the legal hold").danger();
    let title = format!("End the legal hold on {}?", lying.tag);
    let frame = Frame::new(app, visitor, title, Some(&place))?.with(errors);
    let question = Question::new(frame, form)
        .back(place_of(&place), "Legal holds")
        .fact("Item", lying.item)
        .fact("Why it was put on", lying.hold.reason)
        .fact("Put on by", format!("{}, on {}", lying.added_by_name, place.zone.when(lying.hold.added_at)));
    if let Some(at) = lying.hold.ended_at {
        let question = question.lead(format!("This hold has ended on {}.", place.zone.when(at)));
        return Ok((Question { form: None, ..question }, place));
    }
    let question = question
        .lead("The device can then be erased again like any other. End the hold only when what is on it is not needed any more: ask \
               whoever had it put on.")
        .lead("An order to erase it that the hold stopped is not carried out by itself: it waits until somebody lets it go on, or \
               takes it back.");
    Ok((question, place))
}

/// GET: the question, for whoever has just confirmed who he is.
pub(in crate::web::console::settings) async fn show(
    app: Data<App>,
    visitor: Visitor,
    path: Path<HoldId>,
) -> Result<HttpResponse, Failure> {
    let id = path.into_inner();
    let (question, _) = page(&app, &visitor, &id, &Errors::default()).await?;
    if question.form.is_some() && !visitor.is_fresh(&app) {
        return Err(confirm::first(&here(&id)));
    }
    question.answer()
}

/// POST: ends it.
pub(in crate::web::console::settings) async fn send(
    app: Data<App>,
    visitor: Visitor,
    sent: Sent,
    path: Path<HoldId>,
) -> Result<HttpResponse, Failure> {
    let id = path.into_inner();
    let (_, place) = page(&app, &visitor, &id, &Errors::default()).await?;
    let hold = id.clone();
    let done =
        visitor.change(&app, &sent, "end hold", move |tx, context| holds::end(tx, context, &hold).map(drop)).await;
    match done {
        Ok(()) => Ok(go(&place_of(&place))),
        Err(error) => page(&app, &visitor, &id, &errors_or_confirm(error, &here(&id))?).await?.0.answer(),
    }
}
