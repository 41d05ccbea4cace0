//! Quarantine over the API.

use actix_web::http::StatusCode;
use actix_web::web::{self, Json};
use actix_web::{HttpResponse, get, post};
use utoipa_actix_web::service_config::ServiceConfig;

use super::caller::Caller;
use super::problem::Problem;
use crate::app::App;
use crate::operations::quarantine::{self, QuarantineView};

pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(show).service(end);
}

/// Shows whether the server is in quarantine after a restore, and which orders must be reconciled.
#[utoipa::path(tag = "quarantine", responses((status = OK, body = QuarantineView)))]
#[get("/quarantine")]
async fn show(app: web::Data<App>, caller: Caller) -> Result<Json<QuarantineView>, Problem> {
    caller.read(&app, "show quarantine", quarantine::show).await.map(Json)
}

/// Ends quarantine, once every order was cancelled or resumed.
#[utoipa::path(tag = "quarantine", responses((status = OK, body = QuarantineView)))]
#[post("/quarantine/end")]
async fn end(app: web::Data<App>, caller: Caller) -> Result<HttpResponse, Problem> {
    caller.write(&app, "end quarantine", StatusCode::OK, quarantine::end).await
}
