//! Ending an account.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};

use super::place_of;
use crate::app::App;
use crate::error::Result;
use crate::model::OperatorId;
use crate::operations::operators;
use crate::web::console::failure::{Failure, go};
use crate::web::console::form::{Errors, Form, Sent};
use crate::web::console::page::{Frame, Question};
use crate::web::console::visitor::Visitor;

async fn page(app: &App, visitor: &Visitor, id: &OperatorId, errors: &Errors) -> Result<Question> {
    let wanted = id.clone();
    let (place, operator) = visitor
        .read(app, "show operator", move |tx, context| {
            operators::require_change(tx, context, &wanted)?;
            super::with_council(tx, context, &wanted)
        })
        .await?;
    let action = format!("{}/end", place_of(id));
    let form = Form::new(&action, visitor.token(app, &action)?, "End this account").danger();
    let title = format!("End the account of {}?", operator.name);
    let frame = Frame::new(app, visitor, title, place.as_ref())?.with(errors);
    let mut question = Question::new(frame, form).back(place_of(id), "Back to this operator");
    if visitor.signed_in.operator == *id {
        question = question.warning("This is your own account. You will be signed out and cannot come back.");
    }
    Ok(question
        .lead("They are signed out everywhere at once, and the tokens that they issued stop working.")
        .lead(
            "What they asked for and nobody has approved yet is taken back; orders that they had a part in and that no \
               phone has carried out are held for somebody else to look at.",
        )
        .lead("What they did stays in the audit trail. An ended account cannot be opened again."))
}

/// GET: the question.
pub(super) async fn show(app: Data<App>, visitor: Visitor, path: Path<String>) -> Result<HttpResponse, Failure> {
    page(&app, &visitor, &OperatorId::from(path.into_inner()), &Errors::default()).await?.answer()
}

/// POST: ends it.
pub(super) async fn send(
    app: Data<App>,
    visitor: Visitor,
    sent: Sent,
    path: Path<String>,
) -> Result<HttpResponse, Failure> {
    let id = OperatorId::from(path.into_inner());
    let operator = id.clone();
    let done = visitor
        .change(&app, &sent, "end operator", move |tx, context| operators::end(tx, context, &operator).map(drop))
        .await;
    match done {
        Ok(()) => Ok(go(&place_of(&id))),
        Err(error) => page(&app, &visitor, &id, &Errors::of(error)?).await?.answer(),
    }
}
