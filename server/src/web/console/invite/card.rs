//! The card that a holder keeps apart from the phone: what to do when it is lost. Nothing on it is a secret, but for the report
//! code, where there is one.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Query};
use askama::Template;
use serde::Deserialize;

use crate::app::App;
use crate::error::Result;
use crate::model::AssetId;
use crate::operations::assets::{self, Shown};
use crate::web::console::failure::Failure;
use crate::web::console::page::{Frame, Place, draw};
use crate::web::console::visitor::Visitor;

/// What is to be printed on it.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Asked {
    /// Whom to ring; kept nowhere.
    ring: Option<String>,
}

#[derive(Template)]
#[template(path = "console/card.html")]
struct Page {
    frame: Frame,
    place: Place,
    tag: String,
    item: String,
    holders: Vec<String>,
    number: Option<String>,
    ring: String,
    here: String,
}

/// GET: the card.
pub(super) async fn show(
    app: Data<App>,
    visitor: Visitor,
    path: Path<String>,
    asked: Query<Asked>,
) -> Result<HttpResponse, Failure> {
    let id = AssetId::from(path.into_inner());
    let (place, shown): (Place, Shown) = visitor
        .read(&app, "item", move |tx, context| {
            let shown = assets::show(tx, context, &id)?;
            Ok((Place::of(tx, &shown.asset.council_id)?, shown))
        })
        .await?;
    let asset = shown.asset;
    let letters = asked.into_inner().ring.unwrap_or_default();
    let page = Page {
        frame: Frame::new(&app, &visitor, format!("Holder\u{2019}s card for {}", asset.tag), Some(&place))?,
        item: format!("{} {}", asset.make, asset.model).trim().to_owned(),
        holders: shown.custody.into_iter().filter(|held| held.until.is_none()).map(|held| held.name).collect(),
        number: asset.phone_number,
        ring: letters.trim().chars().filter(|letter| !letter.is_control()).take(60).collect(),
        here: format!("/console/assets/{}/card", asset.id),
        tag: asset.tag,
        place,
    };
    draw(StatusCode::OK, &page)
}
