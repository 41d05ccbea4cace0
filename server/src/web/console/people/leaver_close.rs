//! Closing the return of one thing, with how it ended.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};

use super::place_of_leaver;
use crate::app::App;
use crate::error::{Error, Result};
use crate::model::{CaseId, Permission};
use crate::operations::leavers;
use crate::web::console::failure::{Failure, go};
use crate::web::console::form::{Errors, Field, Form, Sent};
use crate::web::console::page::{Frame, Question};
use crate::web::console::visitor::Visitor;

async fn page(app: &App, visitor: &Visitor, id: &CaseId, errors: &Errors) -> Result<Question> {
    let (case, action) = (id.clone(), format!("{}/close", place_of_leaver(id)));
    let (place, detail, _) =
        visitor.read(app, "show leaver case", move |tx, context| super::leaver_case(tx, context, &case)).await?;
    if !visitor.may(Permission::CancelOrder, &place.id) {
        return Err(Error::forbidden("your role does not allow this"));
    }
    let field = Field::lines("outcome", "How did it end?")
        .hint("One sentence is enough, for example: erased, and in the safe with its charger.")
        .most(2000);
    let form = Form::new(&action, visitor.token(app, &action)?, "Close its return").fields(vec![field]);
    let title = format!("Close the return of {}", detail.case.asset_tag);
    Ok(Question::new(Frame::new(app, visitor, title, Some(&place))?.with(errors), form)
        .back(place_of_leaver(id), "Back to its return")
        .lead("Afterwards nothing can be erased by this return any more. Its timeline stays."))
}

/// GET: the form.
pub(super) async fn show(app: Data<App>, visitor: Visitor, path: Path<String>) -> Result<HttpResponse, Failure> {
    page(&app, &visitor, &CaseId::from(path.into_inner()), &Errors::default()).await?.answer()
}

/// POST: closes it, and goes on with the checklist.
pub(super) async fn send(
    app: Data<App>,
    visitor: Visitor,
    sent: Sent,
    path: Path<String>,
) -> Result<HttpResponse, Failure> {
    let id = CaseId::from(path.into_inner());
    let (case, outcome) = (id.clone(), sent.text("outcome"));
    let done = visitor
        .change(&app, &sent, "close leaver case", move |tx, context| {
            leavers::close(tx, context, &case, &outcome)?;
            Ok(super::leaver_case(tx, context, &case)?.2.map(|(person, _)| person))
        })
        .await;
    match done {
        Ok(Some(person)) => Ok(go(&format!("{}/leaving", super::place_of(&person)))),
        Ok(None) => Ok(go(&place_of_leaver(&id))),
        Err(error) => page(&app, &visitor, &id, &Errors::of(error)?).await?.filled(&sent).answer(),
    }
}
