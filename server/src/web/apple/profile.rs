//! Delivers the enrolment profile: signed by the council's own authority, with a challenge of its own each time.
//!
//! A public TLS certificate would let the phone show "Verified", but its key does not belong in this part of the server; the
//! council's authority is the one root that the profile itself brings along.

use actix_web::http::header::{CONTENT_DISPOSITION, REFERRER_POLICY};
use actix_web::web::{self, Path};
use actix_web::{HttpRequest, HttpResponse};
use openssl::x509::X509;

use super::authorities;
use super::landing::{page, page_of, parse, unknown};
use crate::app::App;
use crate::config::{Config, TlsMode};
use crate::error::{Error, Result};
use crate::model::Actor;
use crate::operations::enroll::{self, Delivery};
use crate::platform::apple::profile::{CouncilFacts, EnrolmentFacts, enrolment_profile};
use crate::web::visitor::Visitor;

/// What iOS takes for a configuration profile.
const CONTENT_TYPE: &str = "application/x-apple-aspen-config";

/// GET: the profile of an accepted invitation.
pub(super) async fn deliver(app: web::Data<App>, code: Path<String>, request: HttpRequest) -> HttpResponse {
    let Some(code) = parse(&code) else { return unknown().await };
    let (hash, context, visitor) = (code.hash(), app.context(Actor::System), Visitor::of(&request));
    let minted = app.database.write("deliver profile", move |tx| enroll::deliver(tx, &context, &hash)).await;
    let delivery = match minted {
        Ok(Ok(delivery)) => delivery,
        Ok(Err(landing)) => return page(&landing, &code, visitor),
        Err(problem) => return page_of(Err(problem), &code, visitor),
    };
    let signed = {
        let app = app.clone();
        tokio::task::spawn_blocking(move || sign(&app, &delivery))
            .await
            .unwrap_or_else(|problem| Err(Error::internal(problem)))
    };
    match signed {
        Ok(profile) => HttpResponse::Ok()
            .content_type(CONTENT_TYPE)
            .insert_header((CONTENT_DISPOSITION, "attachment; filename=\"beadle.mobileconfig\""))
            .insert_header((REFERRER_POLICY, "no-referrer"))
            .body(profile),
        Err(problem) => page_of(Err(problem), &code, visitor),
    }
}

fn sign(app: &App, delivery: &Delivery) -> Result<Vec<u8>> {
    let (council, invitation) = (&delivery.landing.council, &delivery.landing.invitation);
    let authority = authorities::open(&app.keys, &delivery.authority)?;
    let roots = tls_roots(&app.config);
    let facts = CouncilFacts {
        id: council.id.as_str(),
        name: &council.name,
        public_url: &council.public_url,
        authority_certificate: &delivery.authority.certificate,
        extra_tls_roots: &roots,
    };
    let enrolment = EnrolmentFacts {
        mode: invitation.mode,
        ownership: invitation.ownership,
        topic: &delivery.topic,
        token: invitation.id.as_str(),
    };
    let xml = enrolment_profile(&facts, &enrolment, &delivery.challenge).map_err(Error::internal)?;
    let key = zeroize::Zeroizing::new(authority.private_key_der());
    beadle_enrollment::apple::sign_profile(&xml, &delivery.authority.certificate, &[], &key).map_err(Error::internal)
}

/// The certificate that a phone must be given to trust this server, where Beadle made it itself.
pub(super) fn tls_roots(config: &Config) -> Vec<Vec<u8>> {
    if config.tls.mode != TlsMode::SelfSigned {
        return Vec::new();
    }
    let file = config.data_folder.join("tls").join("certificate.pem");
    let certificates = std::fs::read(file).ok().and_then(|pem| X509::stack_from_pem(&pem).ok()).unwrap_or_default();
    certificates.iter().filter_map(|certificate| certificate.to_der().ok()).collect()
}
