//! The equipment register: what there is, who holds it and held it, managed or not.

mod dispose;
mod edit;
mod export;
mod faults;
mod hand_over;
mod list;
mod show;
mod take_back;

use actix_web::web::{ServiceConfig, get, post};

use super::page::Place;
use super::visitor::Visitor;
use crate::app::App;
use crate::error::{Error, Result};
use crate::model::{AssetId, AssetKind, Permission};
use crate::operations::Context;
use crate::operations::assets::{self, Shown};
use crate::store::Transaction;

/// The pages of the register.
pub(super) fn configure(config: &mut ServiceConfig) {
    config
        .route("/councils/{council}/equipment", get().to(list::show))
        .route("/councils/{council}/equipment/new", get().to(edit::show_new))
        .route("/councils/{council}/equipment/new", post().to(edit::send_new))
        .route("/councils/{council}/equipment.csv", get().to(export::show))
        .route("/assets/{asset}", get().to(show::show))
        .route("/assets/{asset}/change", get().to(edit::show))
        .route("/assets/{asset}/change", post().to(edit::send))
        .route("/assets/{asset}/hand-over", get().to(hand_over::choose))
        .route("/assets/{asset}/hand-over/{person}", get().to(hand_over::show))
        .route("/assets/{asset}/hand-over/{person}", post().to(hand_over::send))
        .route("/assets/{asset}/take-back", get().to(take_back::show))
        .route("/assets/{asset}/take-back", post().to(take_back::send))
        .route("/assets/{asset}/dispose", get().to(dispose::show))
        .route("/assets/{asset}/dispose", post().to(dispose::send))
        .route("/assets/{asset}/fault", get().to(faults::show_new))
        .route("/assets/{asset}/fault", post().to(faults::send_new))
        .route("/faults/{fault}", get().to(faults::show))
        .route("/faults/{fault}", post().to(faults::send));
}

/// What an item can be, in words.
const KINDS: [(&str, &str); 4] = [
    ("phone", "A phone"),
    ("tablet", "A tablet"),
    ("dongle", "A dongle: a modem or key that plugs in"),
    ("other", "Something else, such as a laptop or a camera"),
];

/// The address of an item.
fn place_of(asset: &AssetId) -> String {
    format!("/console/assets/{asset}")
}

/// A kind in a word.
fn kind_word(kind: &str) -> &'static str {
    match kind.parse() {
        Ok(AssetKind::Phone) => "Phone",
        Ok(AssetKind::Tablet) => "Tablet",
        Ok(AssetKind::Dongle) => "Dongle",
        Ok(AssetKind::Other) | Err(_) => "Something else",
    }
}

/// An item with its council.
fn with_council(tx: &mut Transaction<'_>, context: &Context, id: &AssetId) -> Result<(Place, Shown)> {
    let shown = assets::show(tx, context, id)?;
    Ok((Place::of(tx, &shown.asset.council_id)?, shown))
}

/// An item for whoever may change it.
async fn changeable(app: &App, visitor: &Visitor, id: &AssetId) -> Result<(Place, Shown)> {
    let id = id.clone();
    let (place, shown) = visitor.read(app, "show item", move |tx, context| with_council(tx, context, &id)).await?;
    if !visitor.may(Permission::Register, &place.id) {
        return Err(Error::forbidden("your role does not allow this"));
    }
    Ok((place, shown))
}

/// The names of those who hold it now.
fn holders(shown: &Shown) -> Vec<&str> {
    shown.custody.iter().filter(|held| held.until.is_none()).map(|held| held.name.as_str()).collect()
}

/// Whether the item is a device under management now.
fn is_managed(shown: &Shown) -> bool {
    let enrolment = shown.device.as_ref().and_then(|(_, enrolment)| enrolment.as_ref());
    enrolment.is_some_and(|enrolment| enrolment.ended_at.is_none())
}
