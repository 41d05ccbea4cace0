//! Passkeys: signing in with one, confirming with one, and one's own list of them.

mod list;
mod part;
mod register;
mod sign_in;

use actix_web::HttpRequest;
use actix_web::http::header::HOST;
use actix_web::web::{ServiceConfig, get, post};

pub(super) use part::{Part, confirm_part, sign_in_part};
pub(super) use register::NEW;

use crate::app::App;
use crate::error::Result;
use crate::operations::passkeys;

/// The pages and the two questions that scripts fetch.
pub(super) fn configure(config: &mut ServiceConfig) {
    config
        .route(sign_in::ROUTE, post().to(sign_in::send))
        .route(sign_in::BEGIN_ROUTE, post().to(sign_in::begin))
        .route("/confirm/passkey", post().to(sign_in::confirm))
        .route("/confirm/passkey/begin", post().to(sign_in::begin_confirm))
        .route("/account/second-factor/passkey", get().to(register::show))
        .route("/account/second-factor/passkey", post().to(register::send))
        .route("/account/second-factor/passkey/begin", post().to(register::begin))
        .route("/account/passkeys", get().to(list::show))
        .route("/account/passkeys/{passkey}", get().to(list::one))
        .route("/account/passkeys/{passkey}/name", post().to(list::rename))
        .route("/account/passkeys/{passkey}/remove", get().to(list::ask))
        .route("/account/passkeys/{passkey}/remove", post().to(list::remove));
}

/// What a browser says it came to.
pub(super) fn host(request: &HttpRequest) -> String {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    // HTTP/2 has it in the address.
    let host = host.or_else(|| request.uri().authority().map(|authority| authority.as_str()));
    host.unwrap_or_default().chars().take(300).collect()
}

/// The configured public address that this page is at, if passkeys can be used there.
pub(super) async fn address(app: &App, request: &HttpRequest) -> Result<Option<String>> {
    let host = host(request);
    app.database.read("public address", move |tx| passkeys::address(tx, &host)).await
}
