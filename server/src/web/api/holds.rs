//! Legal holds over the API.

use actix_web::http::StatusCode;
use actix_web::web::{self, Json};
use actix_web::{HttpResponse, get, post};
use serde::Deserialize;
use utoipa_actix_web::service_config::ServiceConfig;

use super::caller::Caller;
use super::page::{Page, PageQuery};
use super::problem::Problem;
use crate::app::App;
use crate::model::{DeviceId, HoldId, Permission};
use crate::operations::councils;
use crate::operations::holds::{self, HoldView};

pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(add).service(list).service(end);
}

/// A legal hold to add.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct AddHold {
    /// The device on which nothing may be destroyed.
    device: DeviceId,
    /// Why.
    reason: String,
}

/// Puts a device under a legal hold; its approved orders are held at once.
#[utoipa::path(tag = "holds", responses((status = CREATED, body = HoldView)))]
#[post("/councils/{council}/holds")]
async fn add(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<String>,
    body: Json<AddHold>,
) -> Result<HttpResponse, Problem> {
    let (council, body) = (path.into_inner(), body.into_inner());
    caller
        .write(&app, "add hold", StatusCode::CREATED, move |tx, context| {
            let council = councils::permitted(tx, context, &council, Permission::CancelOrder)?;
            holds::add_in(tx, context, &council, &body.device, &body.reason)
        })
        .await
}

/// Lists the council's legal holds, also those that ended.
#[utoipa::path(tag = "holds", params(PageQuery), responses((status = OK, body = Page<HoldView>)))]
#[get("/councils/{council}/holds")]
async fn list(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<String>,
    query: web::Query<PageQuery>,
) -> Result<Json<Page<HoldView>>, Problem> {
    let (council, query) = (path.into_inner(), query.into_inner());
    caller
        .read(&app, "list holds", move |tx, context| {
            let council = councils::permitted(tx, context, &council, Permission::Read)?;
            let rows = holds::list(tx, context, &council, query.after.as_deref(), query.rows()?)?;
            Page::of(&query, rows, |row| row.id.to_string(), |row| row)
        })
        .await
        .map(Json)
}

/// Ends a legal hold. Orders that it held wait to be resumed or cancelled.
#[utoipa::path(tag = "holds", responses((status = OK, body = HoldView)))]
#[post("/holds/{hold}/end")]
async fn end(app: web::Data<App>, caller: Caller, path: web::Path<HoldId>) -> Result<HttpResponse, Problem> {
    let hold = path.into_inner();
    caller.write(&app, "end hold", StatusCode::OK, move |tx, context| holds::end(tx, context, &hold)).await
}
