//! Mail: the installation's mail server with a test message, and one's own address.

mod own;
mod server;
mod trial;

use actix_web::web::{ServiceConfig, get, post};

/// The pages about mail.
pub(super) fn configure(config: &mut ServiceConfig) {
    config
        .route("/settings/mail", get().to(server::show))
        .route("/settings/mail/change", get().to(server::form))
        .route("/settings/mail/change", post().to(server::send))
        .route("/settings/mail/remove", get().to(server::remove))
        .route("/settings/mail/remove", post().to(server::send_remove))
        .route("/settings/mail/test", get().to(trial::show))
        .route("/settings/mail/test", post().to(trial::send))
        .route("/account/mail", get().to(own::show))
        .route("/account/mail", post().to(own::send));
}
