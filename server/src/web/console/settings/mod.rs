//! What is set once and looked at seldom: limits on erasing, legal holds, quarantine, the council itself, tokens, retention.

mod details;
mod holds;
mod limits;
mod quarantine;
mod retention;
mod tokens;

use actix_web::web::{ServiceConfig, get, post};

use super::confirm;
use super::failure::Failure;
use super::form::Errors;
use crate::error::Error;
use crate::model::CONFIRM_FIRST;

pub(super) use limits::{ALL_COUNCILS as LIMITS_OF_ALL, place_of as limits_of};
pub(super) use quarantine::PLACE as QUARANTINE;

/// The pages about settings.
pub(super) fn configure(config: &mut ServiceConfig) {
    config
        .route("/quarantine", get().to(quarantine::show))
        .route("/quarantine/end", get().to(quarantine::show_end))
        .route("/quarantine/end", post().to(quarantine::send_end))
        .route("/councils/{council}/details", get().to(details::show))
        .route("/councils/{council}/details", post().to(details::send))
        .route("/councils/{council}/retention", get().to(retention::show))
        .route("/councils/{council}/tokens", get().to(tokens::list::show))
        .route("/councils/{council}/tokens/new", get().to(tokens::make::show))
        .route("/councils/{council}/tokens/new", post().to(tokens::make::send))
        .route("/tokens/{token}/end", get().to(tokens::end::show))
        .route("/tokens/{token}/end", post().to(tokens::end::send))
        .route("/councils/{council}/holds", get().to(holds::list::show))
        .route("/councils/{council}/holds/new", get().to(holds::find::show))
        .route("/devices/{device}/hold", get().to(holds::add::show))
        .route("/devices/{device}/hold", post().to(holds::add::send))
        .route("/holds/{hold}/end", get().to(holds::end::show))
        .route("/holds/{hold}/end", post().to(holds::end::send))
        .route("/limits", get().to(limits::show::show))
        .route("/limits/change", get().to(limits::change::show))
        .route("/limits/change", post().to(limits::change::send))
        .route("/limits/raise", get().to(limits::raise::show))
        .route("/limits/raise", post().to(limits::raise::send))
        .route("/limits/thaw", get().to(limits::thaw::show))
        .route("/limits/thaw", post().to(limits::thaw::send))
        .route("/councils/{council}/limits", get().to(limits::show::show))
        .route("/councils/{council}/limits/change", get().to(limits::change::show))
        .route("/councils/{council}/limits/change", post().to(limits::change::send))
        .route("/councils/{council}/limits/raise", get().to(limits::raise::show))
        .route("/councils/{council}/limits/raise", post().to(limits::raise::send))
        .route("/councils/{council}/limits/thaw", get().to(limits::thaw::show))
        .route("/councils/{council}/limits/thaw", post().to(limits::thaw::send));
}

/// What was wrong, beside the form; whoever must confirm who he is goes there first and then comes back to `here`.
fn errors_or_confirm(error: Error, here: &str) -> Result<Errors, Failure> {
    match error {
        Error::Forbidden(words) if words == CONFIRM_FIRST => Err(confirm::first(here)),
        other => Errors::of(other),
    }
}
