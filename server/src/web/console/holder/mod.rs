//! For whoever holds a phone and has no account: the code on his card reports it lost, and shows what the council can see.

pub(super) mod card;
mod lost;

use actix_web::middleware::from_fn;
use actix_web::web::{self, ServiceConfig, get, post};

use super::failure::not_found;
use super::guard;

/// The public pages, under one short address.
pub(super) fn configure(config: &mut ServiceConfig) {
    config.service(
        web::scope("/lost")
            .wrap(from_fn(guard::guard))
            .route("", get().to(lost::show))
            .route("", post().to(lost::enter))
            .route("/report", post().to(lost::report))
            .route("/phone", post().to(lost::phone))
            .default_service(web::to(async || not_found())),
    );
}
