//! Leaver cases over the API.

use actix_web::http::StatusCode;
use actix_web::web::{self, Json};
use actix_web::{HttpResponse, get, post};
use serde::Deserialize;
use utoipa_actix_web::service_config::ServiceConfig;

use super::caller::Caller;
use super::losses::CloseCase;
use super::page::{Page, PageQuery};
use super::problem::Problem;
use crate::app::App;
use crate::model::{AssetId, CaseId, Permission};
use crate::operations::cases::{CaseDetail, CaseView, DetailAnswer};
use crate::operations::{councils, leavers};

pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(open).service(list).service(show).service(close);
}

/// A leaver case to open.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct OpenLeaver {
    /// The item that is given back.
    asset: AssetId,
    /// Who leaves, and what else is to be known.
    #[serde(default)]
    note: String,
}

/// Opens a leaver case; one that is open already is given back.
///
/// A token that may not read gets a receipt.
#[utoipa::path(tag = "leavers", responses((status = CREATED, body = DetailAnswer)))]
#[post("/councils/{council}/leavers")]
async fn open(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<String>,
    body: Json<OpenLeaver>,
) -> Result<HttpResponse, Problem> {
    let (council, body) = (path.into_inner(), body.into_inner());
    caller
        .write(&app, "open leaver case", StatusCode::CREATED, move |tx, context| {
            let council = councils::permitted(tx, context, &council, Permission::Register)?;
            leavers::open_in(tx, context, &council, &body.asset, &body.note)
        })
        .await
}

/// Lists the council's leaver cases.
#[utoipa::path(tag = "leavers", params(PageQuery), responses((status = OK, body = Page<CaseView>)))]
#[get("/councils/{council}/leavers")]
async fn list(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<String>,
    query: web::Query<PageQuery>,
) -> Result<Json<Page<CaseView>>, Problem> {
    let (council, query) = (path.into_inner(), query.into_inner());
    caller
        .read(&app, "list leaver cases", move |tx, context| {
            let council = councils::permitted(tx, context, &council, Permission::Read)?;
            let rows = leavers::list(tx, context, &council, query.after.as_deref(), query.rows()?)?;
            Page::of(&query, rows, |row| row.id.to_string(), |row| row)
        })
        .await
        .map(Json)
}

/// Shows a leaver case with its orders and timeline.
#[utoipa::path(tag = "leavers", responses((status = OK, body = CaseDetail)))]
#[get("/leavers/{leaver}")]
async fn show(app: web::Data<App>, caller: Caller, path: web::Path<CaseId>) -> Result<Json<CaseDetail>, Problem> {
    let case = path.into_inner();
    caller.read(&app, "show leaver case", move |tx, context| leavers::show(tx, context, &case)).await.map(Json)
}

/// Closes a leaver case; refused while an order is not at its end.
#[utoipa::path(tag = "leavers", responses((status = OK, body = CaseDetail)))]
#[post("/leavers/{leaver}/close")]
async fn close(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<CaseId>,
    body: Json<CloseCase>,
) -> Result<HttpResponse, Problem> {
    let (case, outcome) = (path.into_inner(), body.into_inner().outcome);
    caller
        .write(&app, "close leaver case", StatusCode::OK, move |tx, context| {
            leavers::close(tx, context, &case, &outcome)
        })
        .await
}
