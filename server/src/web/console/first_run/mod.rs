//! The first run: from the set-up code that the first start printed to the first operator.

mod operator;

use actix_web::web::{ServiceConfig, get, post};

pub(super) use operator::{HERE, enter, is_set_up, wrong};

/// The pages of the first run.
pub(super) fn configure(config: &mut ServiceConfig) {
    config.route("/set-up", get().to(operator::show)).route("/set-up", post().to(operator::send));
}
