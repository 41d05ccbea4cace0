//! Closing a case, with how it ended.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};

use crate::app::App;
use crate::error::{Error, Result};
use crate::model::{CaseId, Permission};
use crate::operations::losses;
use crate::web::console::failure::{Failure, go};
use crate::web::console::form::{Errors, Field, Form, Sent};
use crate::web::console::page::{Frame, Question};
use crate::web::console::visitor::Visitor;

async fn page(app: &App, visitor: &Visitor, id: &CaseId, errors: &Errors) -> Result<Question> {
    let (case, action) = (id.clone(), format!("{}/close", super::place_of(id)));
    let (place, detail) =
        visitor.read(app, "show loss", move |tx, context| super::with_council(tx, context, &case)).await?;
    if !visitor.may(Permission::CancelOrder, &place.id) {
        return Err(Error::forbidden("your role does not allow this"));
    }
    let field = Field::lines("outcome", "How did it end?").hint("One sentence is enough. It stays with the case.");
    let form = Form::new(&action, visitor.token(app, &action)?, "Close the case").fields(vec![field]);
    let title = format!("Close the case of {}", detail.case.asset_tag);
    Ok(Question::new(Frame::new(app, visitor, title, Some(&place))?.with(errors), form)
        .back(super::place_of(id), "Back to the lost phone")
        .lead("Nothing more can be written into a closed case. Its timeline stays."))
}

/// GET: the form.
pub(in crate::web::console) async fn show(
    app: Data<App>,
    visitor: Visitor,
    path: Path<String>,
) -> Result<HttpResponse, Failure> {
    page(&app, &visitor, &CaseId::from(path.into_inner()), &Errors::default()).await?.answer()
}

/// POST: closes it.
pub(in crate::web::console) async fn send(
    app: Data<App>,
    visitor: Visitor,
    sent: Sent,
    path: Path<String>,
) -> Result<HttpResponse, Failure> {
    let id = CaseId::from(path.into_inner());
    let (case, outcome) = (id.clone(), sent.text("outcome"));
    let done = visitor
        .change(&app, &sent, "close loss", move |tx, context| losses::close(tx, context, &case, &outcome).map(drop))
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
