//! From an empty installation to a council whose phones are looked after: steps that can be left and gone on with at any time.

mod apple;
mod council;
mod google;
mod steps;

use actix_web::web::{ServiceConfig, get, post};

use super::page::Place;
use super::visitor::Visitor;
use crate::app::App;
use crate::error::{Error, Result};
use crate::model::Permission;
use crate::operations::councils;
use crate::store::councils::Council;
use crate::store::{self};

/// The pages about getting started.
pub(super) fn configure(config: &mut ServiceConfig) {
    config
        .route("/add-council", get().to(council::show))
        .route("/add-council", post().to(council::send))
        .route("/councils/{council}/set-up", get().to(steps::show))
        .route("/councils/{council}/apple", get().to(apple::show))
        .route("/councils/{council}/apple", post().to(apple::import))
        .route("/councils/{council}/apple/request", post().to(apple::request))
        .route("/councils/{council}/google", get().to(google::show))
        .route("/councils/{council}/google", post().to(google::sign_up))
        .route("/settings/google", get().to(google::show_project))
        .route("/settings/google", post().to(google::send_project));
}

/// The council in the address, for whoever may set it up.
async fn council_of(app: &App, visitor: &Visitor, name: &str) -> Result<(Council, Place)> {
    let name = name.to_owned();
    let council = visitor
        .read(app, "council", move |tx, context| {
            let id = councils::permitted(tx, context, &name, Permission::Read)?;
            store::councils::find(tx, &id)?.ok_or(Error::NotFound("council"))
        })
        .await?;
    if !visitor.may(Permission::Settings, &council.id) {
        return Err(Error::forbidden("your role does not allow this"));
    }
    let place = Place::from(council.clone());
    Ok((council, place))
}
