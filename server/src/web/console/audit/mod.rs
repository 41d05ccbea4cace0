//! The council's audit trail: read from the newest row back, searched, verified, and taken away as a file.

mod export;
mod show;
mod verify;

pub(super) use show::detail_words;

use actix_web::web::{ServiceConfig, get, post};

use super::page::Place;
use super::visitor::Visitor;
use crate::app::App;
use crate::error::Result;
use crate::model::Permission;
use crate::operations::councils;

/// The pages about the trail.
pub(super) fn configure(config: &mut ServiceConfig) {
    config
        .route("/councils/{council}/audit", get().to(show::show))
        .route("/councils/{council}/audit/verify", post().to(verify::send))
        .route("/councils/{council}/audit.jsonl", get().to(export::show));
}

async fn place_of(app: &App, visitor: &Visitor, council: &str) -> Result<Place> {
    let name = council.to_owned();
    visitor
        .read(app, "council", move |tx, context| {
            let council = councils::permitted(tx, context, &name, Permission::Read)?;
            Place::of(tx, &council)
        })
        .await
}
