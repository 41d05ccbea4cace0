//! Changing name, sign-in name and mail address of an operator.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};

use super::{LABELS, place_of};
use crate::app::App;
use crate::error::Result;
use crate::model::OperatorId;
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
    let action = format!("{}/change", place_of(id));
    let fields = vec![
        Field::line("name", "Name").value(operator.name.clone()).most(100),
        Field::line("login", "Sign-in name").value(operator.login).most(64).short(),
        Field::line("mail", "Mail address (optional)")
            .hint("Where they are told of a loss, and of what waits for their decision.")
            .value(operator.mail.unwrap_or_default())
            .most(254),
    ];
    let form = Form::new(&action, visitor.token(app, &action)?, "Save").fields(fields);
    let title = format!("Change {}", operator.name);
    let frame = Frame::new(app, visitor, title, place.as_ref())?.with(errors);
    Ok(Question::new(frame, form)
        .back(place_of(id), "Back to this operator")
        .lead("After a new sign-in name or mail address the account waits 72 hours before it may approve again."))
}

/// GET: the form, with what is known.
pub(super) async fn show(app: Data<App>, visitor: Visitor, path: Path<String>) -> Result<HttpResponse, Failure> {
    page(&app, &visitor, &OperatorId::from(path.into_inner()), &Errors::default()).await?.answer()
}

/// POST: keeps it.
pub(super) async fn send(
    app: Data<App>,
    visitor: Visitor,
    sent: Sent,
    path: Path<String>,
) -> Result<HttpResponse, Failure> {
    let id = OperatorId::from(path.into_inner());
    let change = Change {
        name: Some(sent.text("name")),
        login: Some(sent.text("login")),
        mail: Some(sent.text("mail")),
        role: None,
    };
    let operator = id.clone();
    let done = visitor
        .change(&app, &sent, "change operator", move |tx, context| {
            operators::change(tx, context, &operator, &change).map(drop)
        })
        .await;
    match done {
        Ok(()) => Ok(go(&place_of(&id))),
        Err(error) => page(&app, &visitor, &id, &Errors::of(error)?.named(&LABELS)).await?.filled(&sent).answer(),
    }
}
