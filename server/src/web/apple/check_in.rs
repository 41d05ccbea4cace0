//! Check-in: Authenticate, TokenUpdate, CheckOut. Everything else is refused cleanly.

use actix_web::web::{self, Path};
use actix_web::{HttpRequest, HttpResponse};

use super::{bare, read_body, refuse, signer, tell_of_misuse};
use crate::app::App;
use crate::error::Result;
use crate::model::{Actor, CouncilId};
use crate::operations::check_in::{self, Arrival, Identified, Outcome, TokenChange};
use crate::platform::apple::message::{CheckIn, Who, parse_check_in};
use crate::sealing::Purpose;
use crate::store::devices::Description;

/// The most that a check-in message may have, in bytes.
const LIMIT: usize = 512 * 1024;

/// PUT: one check-in message.
pub(super) async fn receive(
    app: web::Data<App>,
    council: Path<String>,
    request: HttpRequest,
    payload: web::Payload,
) -> HttpResponse {
    let body = match read_body(&request, payload, LIMIT).await {
        Ok(body) => body,
        Err(refused) => return refused,
    };
    let fingerprint = match signer(&request, &body) {
        Ok(fingerprint) => fingerprint,
        Err(refused) => return refused,
    };
    let message = match parse_check_in(&body) {
        Ok(message) => message,
        Err(problem) => {
            tracing::warn!(%problem, "a check-in message cannot be read");
            return HttpResponse::BadRequest().finish();
        }
    };
    match serve(&app, CouncilId::from(council.into_inner()), fingerprint, message).await {
        Ok(Outcome::Done) => HttpResponse::Ok().finish(),
        Ok(Outcome::Refused(reason)) => refuse(reason),
        Ok(Outcome::Unfit(problem)) => {
            tracing::warn!(problem, "a check-in message is not acceptable");
            HttpResponse::BadRequest().finish()
        }
        Ok(Outcome::Incomplete(what)) => {
            tracing::warn!(what, "a check-in message is incomplete");
            HttpResponse::BadRequest().finish()
        }
        Err(problem) => bare(&problem),
    }
}

async fn serve(app: &App, council: CouncilId, fingerprint: String, message: CheckIn) -> Result<Outcome> {
    let context = app.context(Actor::System);
    match message {
        CheckIn::Authenticate { who, topic, about } => {
            let arrival = Arrival {
                user_enrolment: who.udid.is_none() && who.enrolment_id.is_some(),
                udid: who.id().map(str::to_owned),
                topic,
                description: Description {
                    serial: about.serial,
                    product: about.product,
                    name: about.name,
                    os_version: about.os_version,
                    imei: about.imei,
                    iccid: None,
                    phone_number: None,
                },
            };
            app.database
                .write("apple authenticate", move |tx| {
                    check_in::authenticate(tx, &context, &council, &fingerprint, &arrival)
                })
                .await
        }
        CheckIn::TokenUpdate { who, topic, token, push_magic, unlock_token, awaiting_configuration } => {
            let (Some(token), Some(magic)) = (token, push_magic.filter(|magic| !magic.is_empty())) else {
                return Ok(Outcome::Incomplete("Token or PushMagic"));
            };
            let (asked, of, fp) = (council.clone(), who.clone(), fingerprint.clone());
            let found =
                app.database.read("apple identity", move |tx| check_in::identify(tx, &asked, &fp, of.id())).await?;
            let enrolment = match found {
                Identified::Refused(reason) => return Ok(Outcome::Refused(reason)),
                Identified::Misused(certificate, how) => {
                    return tell_of_misuse(app, certificate, how).await.map(Outcome::Refused);
                }
                Identified::Pinned(caller) | Identified::Renewed(caller, _) => caller.enrolment,
            };
            // Sealed here, since a transaction is no place for encryption.
            let seal =
                |purpose, secret: &[u8]| app.keys.sealer.seal(purpose, council.as_str(), enrolment.id.as_str(), secret);
            let change = TokenChange {
                sealed_push_magic: seal(Purpose::PushMagic, magic.as_bytes())?,
                sealed_unlock_token: match unlock_token {
                    Some(token) => Some(seal(Purpose::UnlockToken, &token)?),
                    None => None,
                },
                sealed_for: enrolment.id.clone(),
                topic,
                push_token: hex::encode(token),
                awaiting_configuration,
            };
            app.database
                .write("apple token update", move |tx| {
                    check_in::token_update(tx, &context, &council, &fingerprint, who.id(), &change)
                })
                .await
        }
        CheckIn::CheckOut { who } => check_out(app, council, fingerprint, who).await,
        CheckIn::NotServed(kind) => {
            tracing::info!(kind, "a check-in message that is not served");
            Ok(Outcome::Incomplete("a message type that is served"))
        }
    }
}

async fn check_out(app: &App, council: CouncilId, fingerprint: String, who: Who) -> Result<Outcome> {
    let context = app.context(Actor::System);
    app.database
        .write("apple check-out", move |tx| check_in::check_out(tx, &context, &council, &fingerprint, who.id()))
        .await
}
