//! The caller's own account over the API: password, second factor, recovery codes.

use actix_web::http::StatusCode;
use actix_web::web::{self, Json};
use actix_web::{HttpResponse, get, post};
use serde::{Deserialize, Serialize};
use utoipa_actix_web::service_config::ServiceConfig;
use zeroize::Zeroizing;

use super::caller::{Address, Caller};
use super::operators::OperatorView;
use super::problem::Problem;
use super::sessions::signed_in;
use crate::app::App;
use crate::model::Moment;
use crate::operations::accounts;
use crate::web::sign_in as door;

pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(show)
        .service(change_password)
        .service(begin_second_factor)
        .service(confirm_second_factor)
        .service(renew_recovery_codes);
}

/// The caller's account.
#[derive(Serialize, utoipa::ToSchema)]
struct Account {
    #[serde(flatten)]
    operator: OperatorView,
    must_change_password: bool,
    /// How many recovery codes are left.
    recovery_codes_left: i64,
    /// Whether this session showed a second factor.
    session_mfa: bool,
    /// When password and second factor were last shown in this session.
    reauthenticated_at: Option<Moment>,
}

/// Shows the caller's own account.
#[utoipa::path(tag = "account", responses((status = OK, body = Account)))]
#[get("/account")]
async fn show(app: web::Data<App>, caller: Caller) -> Result<Json<Account>, Problem> {
    let own = signed_in(&caller)?;
    caller
        .read(&app, "show account", move |tx, context| {
            let (operator, recovery_codes_left) = accounts::show(tx, context)?;
            Ok(Account {
                must_change_password: operator.must_change_password,
                operator: OperatorView::of(operator, false),
                recovery_codes_left,
                session_mfa: own.mfa,
                reauthenticated_at: own.reauthenticated_at,
            })
        })
        .await
        .map(Json)
}

/// The old and the new password.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct ChangePassword {
    current: String,
    /// At least 12 characters, or three words.
    new: String,
}

/// Changes the caller's own password, and ends his other sign-ins.
#[utoipa::path(tag = "account", responses((status = NO_CONTENT)))]
#[post("/account/password")]
async fn change_password(
    app: web::Data<App>,
    caller: Caller,
    address: Address,
    body: Json<ChangePassword>,
) -> Result<HttpResponse, Problem> {
    let (body, own) = (body.into_inner(), signed_in(&caller)?);
    let (current, new) = (Zeroizing::new(body.current), Zeroizing::new(body.new));
    let new = door::new_password(&app, &own, current, new, &address.0).await?;
    caller.write(&app, "change password", StatusCode::NO_CONTENT, move |tx, context| new.keep(tx, context)).await
}

/// What an authenticator app needs.
#[derive(Serialize, utoipa::ToSchema)]
struct BegunSecondFactor {
    /// The seed in base 32, for typing; shown once.
    secret: String,
    /// The same as a link, for a QR code.
    otpauth_url: String,
}

/// Begins setting up an authenticator app; it counts once a code of it was confirmed.
#[utoipa::path(tag = "account", responses((status = CREATED, body = BegunSecondFactor)))]
#[post("/account/totp")]
async fn begin_second_factor(app: web::Data<App>, caller: Caller) -> Result<HttpResponse, Problem> {
    signed_in(&caller)?;
    caller
        .write(&app, "begin second factor", StatusCode::CREATED, |tx, context| {
            let begun = accounts::begin_second_factor(tx, context)?;
            Ok(BegunSecondFactor { secret: begun.secret.to_string(), otpauth_url: begun.link.to_string() })
        })
        .await
}

/// A code of the new app.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct ConfirmSecondFactor {
    /// The six digits that the app shows now.
    code: String,
}

/// Recovery codes, shown once.
#[derive(Serialize, utoipa::ToSchema)]
struct RecoveryCodes {
    /// Each signs in once in place of the app. Print them; keep them with the deeds.
    recovery_codes: Vec<String>,
}

fn shown(codes: &[Zeroizing<String>]) -> RecoveryCodes {
    RecoveryCodes { recovery_codes: codes.iter().map(|code| code.to_string()).collect() }
}

/// Ends setting up an authenticator app with a code of it, and gives ten recovery codes.
#[utoipa::path(tag = "account", responses((status = OK, body = RecoveryCodes)))]
#[post("/account/totp/confirm")]
async fn confirm_second_factor(
    app: web::Data<App>,
    caller: Caller,
    body: Json<ConfirmSecondFactor>,
) -> Result<HttpResponse, Problem> {
    let code = body.into_inner().code;
    signed_in(&caller)?;
    caller
        .write(&app, "confirm second factor", StatusCode::OK, move |tx, context| {
            accounts::confirm_second_factor(tx, context, &code).map(|codes| shown(&codes))
        })
        .await
}

/// Gives ten new recovery codes in place of the old ones.
#[utoipa::path(tag = "account", responses((status = OK, body = RecoveryCodes)))]
#[post("/account/recovery-codes")]
async fn renew_recovery_codes(app: web::Data<App>, caller: Caller) -> Result<HttpResponse, Problem> {
    signed_in(&caller)?;
    caller
        .write(&app, "renew recovery codes", StatusCode::OK, |tx, context| {
            accounts::renew_recovery_codes(tx, context).map(|codes| shown(&codes))
        })
        .await
}
