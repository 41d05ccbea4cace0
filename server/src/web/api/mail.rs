//! Mail over the API: the installation's mail server, a test message, and the caller's own address.

use actix_web::http::StatusCode;
use actix_web::web::{self, Json};
use actix_web::{HttpResponse, delete, get, post, put};
use serde::{Deserialize, Serialize};
use utoipa_actix_web::service_config::ServiceConfig;
use zeroize::Zeroizing;

use super::caller::Caller;
use super::problem::Problem;
use super::sessions::signed_in;
use crate::app::App;
use crate::error::Error;
use crate::mail::{seal_password, try_out};
use crate::model::MailSecurity;
use crate::operations::mail::{self, NewServer, ServerView};

pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(show).service(set).service(remove).service(test).service(own);
}

/// Shows the mail server of the installation, without its password.
#[utoipa::path(tag = "installation", responses((status = OK, body = ServerView)))]
#[get("/mail/server")]
async fn show(app: web::Data<App>, caller: Caller) -> Result<Json<ServerView>, Problem> {
    caller
        .read(&app, "show mail server", |tx, context| mail::show(tx, context)?.ok_or(Error::NotFound("mail server")))
        .await
        .map(Json)
}

/// A mail server to use.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct NewMailServer {
    /// Its name or address.
    host: String,
    #[schema(minimum = 1)]
    port: u16,
    /// starttls, tls, or none: the last for a server on this same machine only.
    security: MailSecurity,
    /// Who the installation is there; left out to send without signing in.
    username: Option<String>,
    /// Kept sealed and never shown. Left out, the one for the same server and user name stays.
    password: Option<String>,
    /// The address that messages come from.
    sender: String,
}

/// Sets the mail server for the whole installation. Needs a provider who signed in again within five minutes.
#[utoipa::path(tag = "installation", responses((status = OK, body = ServerView)))]
#[put("/mail/server")]
async fn set(app: web::Data<App>, caller: Caller, body: Json<NewMailServer>) -> Result<HttpResponse, Problem> {
    let body = body.into_inner();
    let password = body.password.map(Zeroizing::new);
    let new = NewServer {
        host: body.host,
        port: i64::from(body.port),
        security: body.security,
        username: body.username.unwrap_or_default(),
        sealed_password: password.map(|password| seal_password(&app, &password)).transpose()?,
        sender: body.sender,
    };
    caller.write(&app, "set mail server", StatusCode::OK, move |tx, context| mail::put(tx, context, &new)).await
}

/// Takes the mail server away: nothing is sent any more. Needs a provider who signed in again within five minutes.
#[utoipa::path(tag = "installation", responses((status = NO_CONTENT)))]
#[delete("/mail/server")]
async fn remove(app: web::Data<App>, caller: Caller) -> Result<HttpResponse, Problem> {
    caller.write(&app, "remove mail server", StatusCode::NO_CONTENT, mail::remove).await
}

/// What came of a test message.
#[derive(Serialize, utoipa::ToSchema)]
struct Tested {
    /// Whether the mail server accepted it.
    accepted: bool,
    /// What the server said, or what went wrong, in words.
    said: String,
}

/// Sends a test message to the caller's own address, now, and tells what the mail server said.
#[utoipa::path(tag = "installation", responses((status = OK, body = Tested)), extensions(("x-not-repeated" = json!(true))))]
#[post("/mail/test")]
async fn test(app: web::Data<App>, caller: Caller) -> Result<Json<Tested>, Problem> {
    let context = caller.context(&app);
    Ok(Json(match try_out(&app, context).await? {
        Ok(said) => Tested { accepted: true, said },
        Err(said) => Tested { accepted: false, said },
    }))
}

/// An address.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct OwnAddress {
    /// The mail address; empty for none.
    mail: String,
}

/// Changes the caller's own mail address; the old one is told. Needs a sign-in within five minutes.
///
/// The account waits 72 hours before it approves again.
#[utoipa::path(tag = "account", responses((status = NO_CONTENT)))]
#[put("/account/mail")]
async fn own(app: web::Data<App>, caller: Caller, body: Json<OwnAddress>) -> Result<HttpResponse, Problem> {
    signed_in(&caller)?;
    let address = body.into_inner().mail;
    caller
        .write(&app, "change mail address", StatusCode::NO_CONTENT, move |tx, context| {
            mail::change_own_address(tx, context, &address)
        })
        .await
}
