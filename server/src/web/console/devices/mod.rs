//! The council's phones and tablets: the list, what one of them reports and what can be done with it.

mod clear_pin;
mod confirm;
mod list;
mod show;
mod words;

use actix_web::web::{ServiceConfig, get, post};

use super::page::Place;
use crate::error::Result;
use crate::model::DeviceId;
use crate::operations::Context;
use crate::operations::devices::{self, Whole};
use crate::store::Transaction;

pub(super) use words::mode_words;

/// The pages about devices.
pub(super) fn configure(config: &mut ServiceConfig) {
    config
        .route("/councils/{council}/devices", get().to(list::show))
        .route("/devices/{device}", get().to(show::show))
        .route("/devices/{device}/confirm", get().to(confirm::show))
        .route("/devices/{device}/confirm", post().to(confirm::send))
        .route("/devices/{device}/clear-pin", get().to(clear_pin::show))
        .route("/devices/{device}/clear-pin", post().to(clear_pin::send));
}

/// The address of a device.
pub(super) fn place_of(device: &DeviceId) -> String {
    format!("/console/devices/{device}")
}

/// Everything about a device, with its council.
pub(super) fn with_council(tx: &mut Transaction<'_>, context: &Context, id: &DeviceId) -> Result<(Place, Whole)> {
    let whole = devices::whole(tx, context, id)?;
    Ok((Place::of(tx, &whole.managed.device.council_id)?, whole))
}
