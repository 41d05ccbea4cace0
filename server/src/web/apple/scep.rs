//! SCEP (RFC 8894): where a device gets its identity. What cannot be granted is a CertRep FAILURE with HTTP 200.

use std::sync::Arc;

use actix_web::web::{self, Path};
use actix_web::{HttpRequest, HttpResponse};
use beadle_enrollment::authority::{Authority, IssueRequest, Serial};
use beadle_enrollment::scep::{
    self, CONTENT_TYPE_CA_CERTIFICATE, CONTENT_TYPE_CAPABILITIES, CONTENT_TYPE_MESSAGE, FailInfo, Header, Request,
};

use super::{authorities, bare, read_body};
use crate::app::App;
use crate::error::{Error, Result};
use crate::keys::{random_bytes, sha256_hex};
use crate::model::{Actor, AuthorityId, CouncilId, Moment};
use crate::operations::enroll::{self, CertificateRequest, Decision, IDENTITY_STANDS, Signed};
use crate::store::councils::Council;

/// The most that a SCEP message may have, in bytes.
const LIMIT: usize = 64 * 1024;

struct Service {
    council: Council,
    authority_id: AuthorityId,
    authority: Arc<Authority>,
}

async fn service(app: &App, council: &str) -> Result<Service> {
    let id = CouncilId::from(council);
    let (council, row) = app.database.read("find authority", move |tx| enroll::authority(tx, &id)).await?;
    let authority = authorities::open(&app.keys, &row)?;
    Ok(Service { council, authority_id: row.id, authority })
}

fn parameter(request: &HttpRequest, name: &str) -> Option<String> {
    url::form_urlencoded::parse(request.query_string().as_bytes())
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}

/// GET: GetCACaps, GetCACert, and PKIOperation with the message in the query.
pub(super) async fn get(app: web::Data<App>, council: Path<String>, request: HttpRequest) -> HttpResponse {
    let service = match service(&app, &council).await {
        Ok(service) => service,
        Err(problem) => return bare(&problem),
    };
    match parameter(&request, "operation").as_deref() {
        Some("GetCACaps") => HttpResponse::Ok().content_type(CONTENT_TYPE_CAPABILITIES).body(scep::capabilities()),
        Some("GetCACert") => {
            HttpResponse::Ok().content_type(CONTENT_TYPE_CA_CERTIFICATE).body(scep::ca_certificate(&service.authority))
        }
        Some("PKIOperation") => {
            let message = parameter(&request, "message").unwrap_or_default();
            match scep::decode_get_message(&message) {
                Ok(message) if message.len() <= LIMIT => operate(&app, service, message).await,
                _ => HttpResponse::BadRequest().finish(),
            }
        }
        _ => HttpResponse::BadRequest().finish(),
    }
}

/// POST: PKIOperation. The message is the body, whatever else stands in the query.
pub(super) async fn post(
    app: web::Data<App>,
    council: Path<String>,
    request: HttpRequest,
    payload: web::Payload,
) -> HttpResponse {
    if parameter(&request, "operation").is_some_and(|operation| operation != "PKIOperation") {
        return HttpResponse::BadRequest().finish();
    }
    let message = match read_body(&request, payload, LIMIT).await {
        Ok(message) => message.to_vec(),
        Err(refused) => return refused,
    };
    match service(&app, &council).await {
        Ok(service) => operate(&app, service, message).await,
        Err(problem) => bare(&problem),
    }
}

async fn operate(app: &App, service: Service, message: Vec<u8>) -> HttpResponse {
    match answer(app, service, message).await {
        Ok(Some(reply)) => HttpResponse::Ok().content_type(CONTENT_TYPE_MESSAGE).body(reply),
        Ok(None) => HttpResponse::BadRequest().finish(),
        Err(problem) => bare(&problem),
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|problem| Err(Error::internal(problem)))
}

/// The CertRep; `None` for a message too broken to be answered in kind.
async fn answer(app: &App, service: Service, message: Vec<u8>) -> Result<Option<Vec<u8>>> {
    let legacy = service.council.scep_legacy;
    let authority = Arc::clone(&service.authority);
    let parsed = blocking(move || Ok(scep::parse_request(&message, &authority, legacy))).await?;
    let request = match parsed {
        Ok(request) => request,
        Err(refusal) => {
            tracing::warn!(%refusal, council = %service.council.id, "a certificate was refused");
            return match refusal.header {
                Some(header) => fail(&service, header, refusal.fail_info).await.map(Some),
                None => Ok(None),
            };
        }
    };
    let asked = CertificateRequest {
        council: service.council.id.clone(),
        challenge_hash: request.csr.challenge.as_ref().map(|challenge| sha256_hex(challenge.as_bytes())),
        public_key_fingerprint: request.csr.public_key_fingerprint.clone(),
        request_fingerprint: request.csr.fingerprint(),
        renewal_of: request.renewal_of.as_ref().map(|identity| identity.fingerprint.clone()),
    };
    match decide(app, &service, &request, &asked).await? {
        Decision::Existing(certificate) => {
            let authority = Arc::clone(&service.authority);
            blocking(move || {
                let nonce = random_bytes()?;
                scep::success(&authority, &request, &certificate, &nonce).map(Some).map_err(Error::internal)
            })
            .await
        }
        Decision::Refused { reason, alert } => {
            tracing::warn!(reason, council = %service.council.id, "a certificate was refused");
            if alert {
                let context = app.context(Actor::System);
                app.database
                    .write("warn of a SCEP request", move |tx| enroll::warn_of_request(tx, &context, &asked, reason))
                    .await?;
            }
            fail(&service, request.header(), FailInfo::BadRequest).await.map(Some)
        }
        Decision::Issue => Err(Error::internal("a certificate was recorded without being issued")),
    }
}

async fn decide(app: &App, service: &Service, request: &Request, asked: &CertificateRequest) -> Result<Decision> {
    let (now, looked_up) = (app.clock.now(), asked.clone());
    let decision = app.database.read("judge SCEP request", move |tx| enroll::decide(tx, now, &looked_up)).await?;
    if !matches!(decision, Decision::Issue) {
        return Ok(decision);
    }
    let (authority, authority_id) = (Arc::clone(&service.authority), service.authority_id.clone());
    let (public_key, council) = (request.csr.public_key_der.clone(), service.council.name.clone());
    let signed = blocking(move || sign(&authority, authority_id, now, &public_key, &council)).await?;
    let (context, asked) = (app.context(Actor::System), asked.clone());
    app.database.write("record certificate", move |tx| enroll::record(tx, &context, &asked, &signed)).await
}

fn sign(
    authority: &Authority,
    authority_id: AuthorityId,
    now: Moment,
    public_key_der: &[u8],
    council: &str,
) -> Result<Signed> {
    let serial = Serial::random().map_err(Error::internal)?;
    // The subject is ours to choose: what the request asks for is not looked at.
    let short: String = serial.to_string().chars().take(12).collect();
    let issued = authority
        .issue(&IssueRequest {
            common_name: &format!("Beadle device {short}"),
            organization: Some(council),
            serial,
            not_before: (now - chrono::Duration::minutes(10)).utc(),
            not_after: (now + IDENTITY_STANDS).utc(),
            public_key_der,
            uri: None,
        })
        .map_err(Error::internal)?;
    Ok(Signed {
        authority: authority_id,
        serial: issued.serial,
        fingerprint: issued.fingerprint,
        der: issued.der,
        not_before: issued.not_before.into(),
        not_after: issued.not_after.into(),
    })
}

async fn fail(service: &Service, header: Header, why: FailInfo) -> Result<Vec<u8>> {
    let authority = Arc::clone(&service.authority);
    blocking(move || scep::failure(&authority, &header, why, &random_bytes()?).map_err(Error::internal)).await
}
