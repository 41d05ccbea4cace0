//! Disposing of an item: its history stays, and nothing else.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};

use super::{holders, place_of};
use crate::app::App;
use crate::error::Result;
use crate::model::{AssetId, Ownership};
use crate::operations::assets;
use crate::web::console::failure::{Failure, go};
use crate::web::console::form::{Errors, Form, Sent};
use crate::web::console::page::{Frame, Question};
use crate::web::console::visitor::Visitor;

async fn page(app: &App, visitor: &Visitor, id: &AssetId, errors: &Errors) -> Result<Question> {
    let (place, shown) = super::changeable(app, visitor, id).await?;
    let (asset, action) = (&shown.asset, format!("{}/dispose", place_of(id)));
    let form = Form::new(&action, visitor.token(app, &action)?, "It is disposed of").danger();
    let frame = Frame::new(app, visitor, format!("Dispose of {}?", asset.tag), Some(&place))?.with(errors);
    let now = holders(&shown);
    let question = Question::new(frame, form)
        .back(place_of(id), "Back to this item")
        .fact("Item", format!("{} {}", asset.make, asset.model).trim())
        .fact("Held by", if now.is_empty() { "Nobody".to_owned() } else { now.join(", ") })
        .lead("It leaves the register: nobody holds it any more, and it can be found only among what was disposed of. This \
               cannot be taken back.");
    Ok(if asset.ownership == Ownership::Council {
        question.lead("See to it that nothing of the council\u{2019}s is left on it, and that its SIM card is out.")
    } else {
        question
    })
}

/// GET: the question.
pub(super) async fn show(app: Data<App>, visitor: Visitor, path: Path<String>) -> Result<HttpResponse, Failure> {
    page(&app, &visitor, &AssetId::from(path.into_inner()), &Errors::default()).await?.answer()
}

/// POST: it is disposed of.
pub(super) async fn send(
    app: Data<App>,
    visitor: Visitor,
    sent: Sent,
    path: Path<String>,
) -> Result<HttpResponse, Failure> {
    let id = AssetId::from(path.into_inner());
    let asset = id.clone();
    let done = visitor
        .change(&app, &sent, "dispose of item", move |tx, context| assets::dispose(tx, context, &asset).map(drop))
        .await;
    match done {
        Ok(()) => Ok(go(&place_of(&id))),
        Err(error) => page(&app, &visitor, &id, &Errors::of(error)?).await?.answer(),
    }
}
