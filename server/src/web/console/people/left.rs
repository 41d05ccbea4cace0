//! Somebody has left: the last step, with what it ends.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};

use super::place_of;
use crate::app::App;
use crate::error::{Error, Result};
use crate::model::{Permission, PersonId};
use crate::operations::people;
use crate::web::console::failure::{Failure, go};
use crate::web::console::form::{Errors, Form, Sent};
use crate::web::console::page::{Frame, Question};
use crate::web::console::visitor::Visitor;

async fn page(app: &App, visitor: &Visitor, id: &PersonId, errors: &Errors) -> Result<Question> {
    let wanted = id.clone();
    let (place, person, _) =
        visitor.read(app, "show person", move |tx, context| super::with_council(tx, context, &wanted)).await?;
    if !visitor.may(Permission::Register, &place.id) {
        return Err(Error::forbidden("your role does not allow this"));
    }
    let action = format!("{}/left", place_of(id));
    let form = Form::new(&action, visitor.token(app, &action)?, "They have left");
    let title = format!("Has {} left?", person.name);
    let frame = Frame::new(app, visitor, title, Some(&place))?.with(errors);
    Ok(Question::new(frame, form)
        .back(format!("{}/leaving", place_of(id)), "Back to the checklist")
        .lead("Invitations of theirs that are still open end, and nothing can be handed to them any more.")
        .lead("What they held, and when, stays on the register. If they come back, add them again."))
}

/// GET: the question.
pub(super) async fn show(app: Data<App>, visitor: Visitor, path: Path<String>) -> Result<HttpResponse, Failure> {
    page(&app, &visitor, &PersonId::from(path.into_inner()), &Errors::default()).await?.answer()
}

/// POST: they have left.
pub(super) async fn send(
    app: Data<App>,
    visitor: Visitor,
    sent: Sent,
    path: Path<String>,
) -> Result<HttpResponse, Failure> {
    let id = PersonId::from(path.into_inner());
    let person = id.clone();
    let done =
        visitor.change(&app, &sent, "end person", move |tx, context| people::end(tx, context, &person).map(drop)).await;
    match done {
        Ok(()) => Ok(go(&place_of(&id))),
        Err(error) => page(&app, &visitor, &id, &Errors::of(error)?).await?.answer(),
    }
}
