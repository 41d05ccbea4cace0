//! What became known later: the police's reference, where it happened, how.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};

use crate::app::App;
use crate::error::{Error, Result};
use crate::model::{CaseId, Permission};
use crate::operations::cases::CaseDetail;
use crate::operations::losses::{self, Notes};
use crate::web::console::failure::{Failure, go};
use crate::web::console::form::{Errors, Field, Form, Sent};
use crate::web::console::page::{Frame, Place, Question};
use crate::web::console::visitor::Visitor;

async fn page(app: &App, visitor: &Visitor, id: &CaseId, errors: &Errors) -> Result<Question> {
    let case = id.clone();
    let (place, detail): (Place, CaseDetail) =
        visitor.read(app, "show loss", move |tx, context| super::with_council(tx, context, &case)).await?;
    if !visitor.may(Permission::Report, &place.id) {
        return Err(Error::forbidden("your role does not allow this"));
    }
    let (action, case) = (format!("{}/notes", super::place_of(id)), detail.case);
    let fields = vec![
        Field::line("police_reference", "Police reference").value(case.police_reference).short(),
        Field::line("place", "Where it was lost").value(case.place).most(500),
        Field::lines("circumstances", "What happened").value(case.circumstances).most(4000),
    ];
    let form = Form::new(&action, visitor.token(app, &action)?, "Save").fields(fields);
    let title = format!("{}: what is known", case.asset_tag);
    let frame = Frame::new(app, visitor, title, Some(&place))?.with(errors);
    Ok(Question::new(frame, form).back(super::place_of(id), "Back to the lost phone"))
}

/// GET: the form, with what is known.
pub(in crate::web::console) async fn show(
    app: Data<App>,
    visitor: Visitor,
    path: Path<String>,
) -> Result<HttpResponse, Failure> {
    page(&app, &visitor, &CaseId::from(path.into_inner()), &Errors::default()).await?.answer()
}

/// POST: keeps it.
pub(in crate::web::console) async fn send(
    app: Data<App>,
    visitor: Visitor,
    sent: Sent,
    path: Path<String>,
) -> Result<HttpResponse, Failure> {
    let id = CaseId::from(path.into_inner());
    let (case, notes) = (
        id.clone(),
        Notes {
            police_reference: Some(sent.text("police_reference")),
            place: Some(sent.text("place")),
            circumstances: Some(sent.text("circumstances")),
        },
    );
    let done = visitor
        .change(&app, &sent, "note loss", move |tx, context| losses::note(tx, context, &case, &notes).map(drop))
        .await;
    match done {
        Ok(()) => Ok(go(&super::place_of(&id))),
        Err(error) => {
            let question = page(&app, &visitor, &id, &Errors::of(error)?).await?;
            let form = question.form.map(|form| form.filled(&sent));
            Question { form, ..question }.answer()
        }
    }
}
