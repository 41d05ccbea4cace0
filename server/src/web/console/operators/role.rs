//! Another role within the council.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};

use super::{ROLES, place_of};
use crate::app::App;
use crate::error::{Error, Result};
use crate::model::{OperatorId, Role};
use crate::operations::operators::{self, Change};
use crate::web::console::failure::{Failure, go};
use crate::web::console::form::{Errors, Field, Form, Sent};
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
    let action = format!("{}/role", place_of(id));
    let choice = Field::choice("role", "Role", &ROLES).value(operator.role.as_str());
    let form = Form::new(&action, visitor.token(app, &action)?, "Change the role").fields(vec![choice]);
    let title = format!("Role of {}", operator.name);
    let frame = Frame::new(app, visitor, title, place.as_ref())?.with(errors);
    Ok(Question::new(frame, form).back(place_of(id), "Back to this operator").lead(
        "With another role the account waits 72 hours before it may approve, and the tokens that it issued stop working.",
    ))
}

/// GET: the question.
pub(super) async fn show(app: Data<App>, visitor: Visitor, path: Path<String>) -> Result<HttpResponse, Failure> {
    page(&app, &visitor, &OperatorId::from(path.into_inner()), &Errors::default()).await?.answer()
}

/// POST: changes it.
pub(super) async fn send(
    app: Data<App>,
    visitor: Visitor,
    sent: Sent,
    path: Path<String>,
) -> Result<HttpResponse, Failure> {
    let id = OperatorId::from(path.into_inner());
    let role: Option<Role> = sent.text("role").parse().ok();
    let done = match role {
        None => Err(Error::invalid("role", "Choose a role")),
        Some(role) => {
            let (operator, change) = (id.clone(), Change { role: Some(role), ..Change::default() });
            visitor
                .change(&app, &sent, "change operator", move |tx, context| {
                    operators::change(tx, context, &operator, &change).map(drop)
                })
                .await
        }
    };
    match done {
        Ok(()) => Ok(go(&place_of(&id))),
        Err(error) => page(&app, &visitor, &id, &Errors::of(error)?).await?.filled(&sent).answer(),
    }
}
