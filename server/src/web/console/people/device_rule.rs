//! Whether somebody works with the council's own devices only.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};

use super::place_of;
use crate::app::App;
use crate::error::{Error, Result};
use crate::model::{Permission, PersonId};
use crate::operations::people::{self, Description};
use crate::web::console::failure::{Failure, go};
use crate::web::console::form::{Errors, Field, Form, Sent};
use crate::web::console::page::{Frame, Question};
use crate::web::console::visitor::Visitor;

async fn page(app: &App, visitor: &Visitor, id: &PersonId, errors: &Errors) -> Result<Question> {
    let wanted = id.clone();
    let (place, person, _) =
        visitor.read(app, "show person", move |tx, context| super::with_council(tx, context, &wanted)).await?;
    if !visitor.may(Permission::Register, &place.id) {
        return Err(Error::forbidden("your role does not allow this"));
    }
    let action = format!("{}/devices", place_of(id));
    let choice = Field::choice(
        "rule",
        "Which devices may they use for the council\u{2019}s work?",
        &[
            ("council", "Council devices only"),
            ("any", "Council devices, and their own phone if the council invites it"),
        ],
    )
    .value(if person.council_device_only { "council" } else { "any" });
    let form = Form::new(&action, visitor.token(app, &action)?, "Save").fields(vec![choice]);
    let title = format!("Devices that {} may use", person.name);
    let frame = Frame::new(app, visitor, title, Some(&place))?.with(errors);
    Ok(Question::new(frame, form).back(place_of(id), "Back to this person").lead(
        "Somebody with council devices only cannot be invited with a personal phone. A personal phone that is enrolled \
         already stays enrolled until its holder leaves or gives it up.",
    ))
}

/// GET: the question.
pub(super) async fn show(app: Data<App>, visitor: Visitor, path: Path<String>) -> Result<HttpResponse, Failure> {
    page(&app, &visitor, &PersonId::from(path.into_inner()), &Errors::default()).await?.answer()
}

/// POST: keeps the answer.
pub(super) async fn send(
    app: Data<App>,
    visitor: Visitor,
    sent: Sent,
    path: Path<String>,
) -> Result<HttpResponse, Failure> {
    let id = PersonId::from(path.into_inner());
    let only = match sent.text("rule").as_str() {
        "council" => Ok(true),
        "any" => Ok(false),
        _ => Err(Error::invalid("rule", "Choose one")),
    };
    let done = match only {
        Err(error) => Err(error),
        Ok(only) => {
            let change = Description { council_device_only: Some(only), ..Description::default() };
            let person = id.clone();
            visitor
                .change(&app, &sent, "change person", move |tx, context| {
                    people::change(tx, context, &person, &change).map(drop)
                })
                .await
        }
    };
    match done {
        Ok(()) => Ok(go(&place_of(&id))),
        Err(error) => page(&app, &visitor, &id, &Errors::of(error)?).await?.filled(&sent).answer(),
    }
}
