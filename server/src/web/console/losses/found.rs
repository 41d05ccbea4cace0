//! The phone was found: what has not reached it is taken back, and Lost Mode ends.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};

use crate::app::App;
use crate::error::{Error, Result};
use crate::model::{CaseId, Permission};
use crate::operations::losses;
use crate::web::console::failure::{Failure, go};
use crate::web::console::form::{Form, Sent};
use crate::web::console::page::{Frame, Question};
use crate::web::console::visitor::Visitor;

/// GET: what it does, and the button.
pub(in crate::web::console) async fn show(
    app: Data<App>,
    visitor: Visitor,
    path: Path<String>,
) -> Result<HttpResponse, Failure> {
    let id = CaseId::from(path.into_inner());
    let (case, action) = (id.clone(), format!("{}/found", super::place_of(&id)));
    let (place, detail) =
        visitor.read(&app, "show loss", move |tx, context| super::with_council(tx, context, &case)).await?;
    if !visitor.may(Permission::CancelOrder, &place.id) {
        return Err(Error::forbidden("your role does not allow this").into());
    }
    let ordered = detail.orders.iter().any(|order| !order.state.is_rest());
    let form = Form::new(&action, visitor.token(&app, &action)?, "It has been found");
    let title = format!("{} has been found", detail.case.asset_tag);
    let mut question = Question::new(Frame::new(&app, &visitor, title, Some(&place))?, form)
        .back(super::place_of(&id), "Back to the lost phone")
        .lead("Say this only when the phone is back in safe hands.")
        .lead("If it is in Lost Mode, that ends, and the phone can be used again with its PIN. It counts as back in use once \
               the phone itself has answered.");
    if ordered {
        question = question.warning(
            "There is an order to erase this phone. It is cancelled, if the phone has not fetched it yet. If it has, it \
             cannot be called back.",
        );
    }
    question.answer()
}

/// POST: marks it as found.
pub(in crate::web::console) async fn send(
    app: Data<App>,
    visitor: Visitor,
    sent: Sent,
    path: Path<String>,
) -> Result<HttpResponse, Failure> {
    let id = CaseId::from(path.into_inner());
    let case = id.clone();
    visitor.change(&app, &sent, "loss found", move |tx, context| losses::found(tx, context, &case).map(drop)).await?;
    Ok(go(&super::place_of(&id)))
}
