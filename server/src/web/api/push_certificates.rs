//! Push certificates over the API: asking for one, importing what Apple gave, seeing where they stand.

use actix_web::http::StatusCode;
use actix_web::web::{self, Json};
use actix_web::{HttpResponse, get, post};
use serde::{Deserialize, Serialize};
use utoipa_actix_web::service_config::ServiceConfig;

use super::caller::Caller;
use super::problem::Problem;
use crate::app::App;
use crate::error::Error;
use crate::model::{Permission, PushCertificateId};
use crate::operations::councils;
use crate::operations::push_certificates::{self, Status};
use crate::store;
use crate::web::push_certificates::{make_request, read_certificate};

pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(request).service(import).service(status);
}

const SIGNED: &str = "Save vendor_signed_request to a file and upload it at https://identity.apple.com/pushcert, signed in \
                      with an Apple Account that belongs to the council and will not be lost. For a renewal choose Renew \
                      beside the present certificate, not Create. Then import the file that Apple gives you.";
const UNSIGNED: &str = "Apple's portal takes a request only when a vendor has signed it. The provider of this server can sign \
                        it (vendor.certificate and vendor.key in the settings), or have it signed by mdmcert.download: send \
                        csr_pem there, with an address for the answer. Then upload the signed request at \
                        https://identity.apple.com/pushcert and import the file that Apple gives you.";

/// A request for a push certificate.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
struct RequestView {
    id: PushCertificateId,
    /// The request, PEM; Apple does not take it as it is.
    csr_pem: String,
    /// The request as Apple's portal takes it, when the provider's vendor certificate is set.
    vendor_signed_request: Option<String>,
    /// What to do with it.
    what_next: &'static str,
}

/// Makes a key and a request for a push certificate, also for a renewal; the key never leaves the server.
#[utoipa::path(tag = "push certificates", responses((status = CREATED, body = RequestView)))]
#[post("/councils/{council}/apple/push-certificate/request")]
async fn request(app: web::Data<App>, caller: Caller, path: web::Path<String>) -> Result<HttpResponse, Problem> {
    let name = path.into_inner();
    let council = caller
        .read(&app, "council for a request", move |tx, context| {
            let id = councils::permitted(tx, context, &name, Permission::Settings)?;
            store::councils::find(tx, &id)?.ok_or(Error::NotFound("council"))
        })
        .await?;
    let made = make_request(&app, council).await?;
    let view = RequestView {
        id: made.row.id.clone(),
        csr_pem: made.csr_pem,
        what_next: if made.vendor_signed.is_some() { SIGNED } else { UNSIGNED },
        vendor_signed_request: made.vendor_signed,
    };
    let row = made.row;
    caller
        .write(&app, "request push certificate", StatusCode::CREATED, move |tx, context| {
            push_certificates::request(tx, context, &row)?;
            Ok(view.clone())
        })
        .await
}

/// What Apple's portal gave.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct ImportCertificate {
    /// The certificate, PEM.
    certificate: String,
    /// The Apple Account that made it; it alone can renew it.
    apple_account: String,
    /// Take a certificate with another topic on purpose: every phone has to enrol again.
    #[serde(default)]
    new_topic: bool,
}

/// Takes a certificate of Apple's portal into use.
#[utoipa::path(tag = "push certificates", responses((status = OK, body = Vec<Status>)))]
#[post("/councils/{council}/apple/push-certificate/import")]
async fn import(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<String>,
    body: Json<ImportCertificate>,
) -> Result<HttpResponse, Problem> {
    let (name, body) = (path.into_inner(), body.into_inner());
    let (council, candidates) = caller
        .read(&app, "keys for an import", move |tx, context| {
            let council = councils::permitted(tx, context, &name, Permission::Settings)?;
            let candidates = push_certificates::candidates(tx, context, &council)?;
            Ok((council, candidates))
        })
        .await?;
    let ImportCertificate { certificate, apple_account, new_topic } = body;
    let import = read_certificate(&app, candidates, certificate, apple_account, new_topic).await?;
    caller
        .write(&app, "import push certificate", StatusCode::OK, move |tx, context| {
            push_certificates::import(tx, context, &council, &import)?;
            push_certificates::status(tx, context, &council)
        })
        .await
}

/// Shows where a council's push certificates stand: topic, Apple Account, end, and the phones that need each.
#[utoipa::path(tag = "push certificates", responses((status = OK, body = Vec<Status>)))]
#[get("/councils/{council}/apple/push-certificate")]
async fn status(app: web::Data<App>, caller: Caller, path: web::Path<String>) -> Result<Json<Vec<Status>>, Problem> {
    let name = path.into_inner();
    caller
        .read(&app, "push certificates", move |tx, context| {
            let council = councils::permitted(tx, context, &name, Permission::Read)?;
            push_certificates::status(tx, context, &council)
        })
        .await
        .map(Json)
}
