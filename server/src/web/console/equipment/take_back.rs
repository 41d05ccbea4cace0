//! The office has an item back: nobody holds it any more.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};

use super::hand_over::{AT, since_field};
use super::{holders, is_managed, place_of};
use crate::app::App;
use crate::error::Result;
use crate::model::AssetId;
use crate::operations::assets;
use crate::web::console::failure::{Failure, go};
use crate::web::console::form::{Errors, Form, Sent};
use crate::web::console::page::{Frame, Question};
use crate::web::console::visitor::Visitor;

async fn page(app: &App, visitor: &Visitor, id: &AssetId, errors: &Errors) -> Result<Question> {
    let (place, shown) = super::changeable(app, visitor, id).await?;
    let action = format!("{}/take-back", place_of(id));
    let form = Form::new(&action, visitor.token(app, &action)?, "It is back").fields(vec![since_field()]);
    let frame = Frame::new(app, visitor, format!("Take {} back", shown.asset.tag), Some(&place))?.with(errors);
    let mut question = Question::new(frame, form)
        .back(place_of(id), "Back to this item")
        .fact("Item", format!("{} {}", shown.asset.make, shown.asset.model).trim())
        .fact("Held by", holders(&shown).join(", "));
    if is_managed(&shown) {
        question = question.lead(
            "It stays under management, with everything that is on it. If its holder leaves, begin with the checklist on \
             their page.",
        );
    }
    Ok(question)
}

/// GET: the question.
pub(super) async fn show(app: Data<App>, visitor: Visitor, path: Path<String>) -> Result<HttpResponse, Failure> {
    page(&app, &visitor, &AssetId::from(path.into_inner()), &Errors::default()).await?.answer()
}

/// POST: it is back.
pub(super) async fn send(
    app: Data<App>,
    visitor: Visitor,
    sent: Sent,
    path: Path<String>,
) -> Result<HttpResponse, Failure> {
    let id = AssetId::from(path.into_inner());
    let (place, _) = super::changeable(&app, &visitor, &id).await?;
    let done = match place.zone.entered("at", &sent.text("at")) {
        Err(error) => Err(error),
        Ok(at) => {
            let asset = id.clone();
            visitor
                .change(&app, &sent, "take back", move |tx, context| {
                    assets::hand_over_at(tx, context, &asset, &[], false, at).map(drop)
                })
                .await
        }
    };
    match done {
        Ok(()) => Ok(go(&place_of(&id))),
        Err(error) => page(&app, &visitor, &id, &Errors::of(error)?.named(&AT)).await?.filled(&sent).answer(),
    }
}
