//! What an Apple device and its holder talk to: the invitation's page, SCEP, check-in, commands. Nothing here answers 401,
//! and a fault of ours is 503, since a phone that is told otherwise leaves management for good.

mod authorities;
mod bypass_code;
mod check_in;
mod command;
mod landing;
mod profile;
mod scep;
#[cfg(test)]
mod tests;

pub(crate) use landing::{STYLE, message_page, parse_code, style_headers};

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_LENGTH, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use actix_web::middleware::{Next, from_fn};
use actix_web::web::{self, Bytes, BytesMut, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use beadle_enrollment::mdm_signature::{LastSigner, verify};
use futures_util::StreamExt as _;

use crate::app::App;
use crate::error::Error;
use crate::model::Actor;
use crate::operations::check_in::{self as identities, Misuse};
use crate::store::certificates::Certificate;

/// Every URL that devices and holders use.
pub(crate) fn configure(config: &mut ServiceConfig) {
    config
        .service(
            web::scope("/i")
                .wrap(from_fn(never_unenrol))
                .route("/{code}", web::get().to(landing::show))
                .route("/{code}", web::post().to(landing::accept))
                .route("/{code}/android", web::post().to(crate::web::android::code))
                .route("/{code}/beadle.mobileconfig", web::get().to(profile::deliver))
                .default_service(web::to(landing::unknown)),
        )
        .service(
            web::scope("/scep")
                .wrap(from_fn(never_unenrol))
                .route("/{council}", web::get().to(scep::get))
                .route("/{council}", web::post().to(scep::post))
                .default_service(web::to(not_here)),
        )
        .service(
            web::scope("/mdm")
                .wrap(from_fn(never_unenrol))
                .route("/{council}/command", web::put().to(command::receive))
                .route("/{council}/command", web::post().to(command::receive))
                .route("/{council}/check-in", web::put().to(check_in::receive))
                .route("/{council}/check-in", web::post().to(check_in::receive))
                .default_service(web::to(not_here)),
        );
}

async fn not_here() -> HttpResponse {
    HttpResponse::NotFound().finish()
}

/// The last word on every answer: whatever went wrong inside, and wherever, no device is told 401.
async fn never_unenrol(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    // The request must not be held on to here: routing needs it to itself.
    let mut answer = match next.call(request).await {
        Ok(answer) => answer.map_into_boxed_body(),
        Err(problem) => {
            let status = harmless(problem.as_response_error().status_code());
            tracing::warn!(%problem, %status, "a device's request failed");
            return Err(InternalError::new("refused", status).into());
        }
    };
    let status = harmless(answer.status());
    if status != answer.status() {
        tracing::error!(was = %answer.status(), path = answer.request().path(), "answered 503 in its place");
        answer = answer.into_response(HttpResponse::new(status));
    }
    let headers = answer.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    Ok(answer)
}

fn harmless(status: StatusCode) -> StatusCode {
    if status == StatusCode::UNAUTHORIZED || status.is_server_error() {
        StatusCode::SERVICE_UNAVAILABLE
    } else {
        status
    }
}

/// An error as a device is told it: a bare status.
fn bare(problem: &Error) -> HttpResponse {
    let status = match problem {
        Error::NotFound(_) => StatusCode::NOT_FOUND,
        Error::Invalid { .. } | Error::Conflict(_) => StatusCode::BAD_REQUEST,
        Error::Unauthenticated(_) | Error::Forbidden(_) => StatusCode::FORBIDDEN,
        Error::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
        Error::Unavailable(_) | Error::Internal(_) => StatusCode::SERVICE_UNAVAILABLE,
    };
    tracing::warn!(%problem, %status, "a device's request was not served");
    HttpResponse::new(status)
}

/// Reads a body up to `limit` bytes; more is refused before it is held in memory.
async fn read_body(request: &HttpRequest, mut payload: web::Payload, limit: usize) -> Result<Bytes, HttpResponse> {
    let told: Option<usize> = request
        .headers()
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok())
        .and_then(|text| text.parse().ok());
    if told.is_some_and(|length| length > limit) {
        return Err(HttpResponse::PayloadTooLarge().force_close().finish());
    }
    let read = async {
        let mut body = BytesMut::with_capacity(told.unwrap_or(0));
        while let Some(chunk) = payload.next().await {
            let chunk = chunk.map_err(|_| HttpResponse::BadRequest().force_close().finish())?;
            if body.len() + chunk.len() > limit {
                return Err(HttpResponse::PayloadTooLarge().force_close().finish());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body.freeze())
    };
    let Some(app) = request.app_data::<web::Data<App>>() else {
        return Err(bare(&Error::internal("the web server was started without its App")));
    };
    match tokio::time::timeout(Duration::from_secs(app.config.limits.request_seconds), read).await {
        Ok(body) => body,
        Err(_) => Err(HttpResponse::RequestTimeout().force_close().finish()),
    }
}

/// Which device spoke last on a connection.
#[derive(Debug, Default)]
pub(crate) struct Speaker(Mutex<LastSigner>);

/// The SHA-256 of the certificate whose key signed this body. Whose it is, is not yet known.
#[expect(clippy::result_large_err, reason = "the refusal is the answer that goes out")]
fn signer(request: &HttpRequest, body: &[u8]) -> Result<String, HttpResponse> {
    let Some(header) = request.headers().get("Mdm-Signature").and_then(|header| header.to_str().ok()) else {
        tracing::warn!(path = request.path(), "refused: no Mdm-Signature");
        return Err(HttpResponse::BadRequest().finish());
    };
    let verified = match request.conn_data::<Speaker>() {
        Some(speaker) => verify(header, body, &mut speaker.0.lock().unwrap_or_else(PoisonError::into_inner)),
        None => verify(header, body, &mut LastSigner::default()),
    };
    match verified {
        Ok(signer) => Ok(beadle_enrollment::authority::fingerprint(&signer.certificate_der)),
        Err(problem) => {
            tracing::warn!(path = request.path(), %problem, "refused: the Mdm-Signature is wrong");
            Err(HttpResponse::Forbidden().finish())
        }
    }
}

/// Tells the council whose identity was shown where it does not belong.
async fn tell_of_misuse(app: &App, certificate: Box<Certificate>, how: Misuse) -> crate::error::Result<&'static str> {
    let context = app.context(Actor::System);
    app.database
        .write("identity misused", move |tx| identities::refuse_misuse(tx, &context, &certificate, how).map(drop))
        .await?;
    Ok(how.words())
}

/// Refuses an identity: never 401, and never with the body that makes a device leave management.
fn refuse(reason: &str) -> HttpResponse {
    tracing::warn!(reason, "refused a device");
    HttpResponse::Forbidden().finish()
}
