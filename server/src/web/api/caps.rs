//! Caps on orders over the API: show, change, thaw; of a council and of the whole installation.

use actix_web::http::StatusCode;
use actix_web::web::{self, Json};
use actix_web::{HttpResponse, get, post};
use serde::Deserialize;
use utoipa_actix_web::service_config::ServiceConfig;

use super::caller::Caller;
use super::problem::Problem;
use crate::app::App;
use crate::error::Result as Outcome;
use crate::model::Permission;
use crate::operations::caps::{self, CapScope, CapsView};
use crate::operations::{Context, councils};
use crate::store::Transaction;

pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(show)
        .service(raise)
        .service(approve_raise)
        .service(thaw)
        .service(show_installation)
        .service(raise_installation)
        .service(approve_raise_installation)
        .service(thaw_installation);
}

/// New caps.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct ChangeCaps {
    /// How many orders may be approved in an hour.
    per_hour: i64,
    /// How many orders may be approved in a day.
    per_day: i64,
}

/// The scope that a path names; `None` is the whole installation.
fn scope(tx: &mut Transaction<'_>, context: &Context, council: Option<&String>) -> Outcome<CapScope> {
    match council {
        Some(council) => councils::permitted(tx, context, council, Permission::Read).map(CapScope::Council),
        None => Ok(CapScope::Installation),
    }
}

async fn shown(app: &App, caller: &Caller, council: Option<String>) -> Result<Json<CapsView>, Problem> {
    caller
        .read(app, "show caps", move |tx, context| {
            let scope = scope(tx, context, council.as_ref())?;
            caps::show(tx, context, &scope)
        })
        .await
        .map(Json)
}

async fn changed(
    app: &App,
    caller: &Caller,
    name: &'static str,
    council: Option<String>,
    change: impl Fn(&mut Transaction<'_>, &Context, &CapScope) -> Outcome<CapsView> + Send + 'static,
) -> Result<HttpResponse, Problem> {
    caller
        .write(app, name, StatusCode::OK, move |tx, context| {
            let scope = scope(tx, context, council.as_ref())?;
            change(tx, context, &scope)
        })
        .await
}

/// Shows a council's caps, what counts against them, and whether orders are frozen.
#[utoipa::path(tag = "caps", responses((status = OK, body = CapsView)))]
#[get("/councils/{council}/caps")]
async fn show(app: web::Data<App>, caller: Caller, path: web::Path<String>) -> Result<Json<CapsView>, Problem> {
    shown(&app, &caller, Some(path.into_inner())).await
}

/// Changes a council's caps. Lowering counts at once; raising needs a second person and then 24 hours.
#[utoipa::path(tag = "caps", responses((status = OK, body = CapsView)))]
#[post("/councils/{council}/caps/raise")]
async fn raise(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<String>,
    body: Json<ChangeCaps>,
) -> Result<HttpResponse, Problem> {
    let ChangeCaps { per_hour, per_day } = body.into_inner();
    let change = move |tx: &mut Transaction<'_>, context: &Context, scope: &CapScope| {
        caps::change(tx, context, scope, per_hour, per_day)
    };
    changed(&app, &caller, "change caps", Some(path.into_inner()), change).await
}

/// Agrees, as the second person, to raise a council's caps.
#[utoipa::path(tag = "caps", responses((status = OK, body = CapsView)))]
#[post("/councils/{council}/caps/approve-raise")]
async fn approve_raise(app: web::Data<App>, caller: Caller, path: web::Path<String>) -> Result<HttpResponse, Problem> {
    changed(&app, &caller, "approve raise of caps", Some(path.into_inner()), caps::approve_raise).await
}

/// Thaws a council's frozen orders: the first person asks, the second agrees.
#[utoipa::path(tag = "caps", responses((status = OK, body = CapsView)))]
#[post("/councils/{council}/caps/thaw")]
async fn thaw(app: web::Data<App>, caller: Caller, path: web::Path<String>) -> Result<HttpResponse, Problem> {
    changed(&app, &caller, "thaw orders", Some(path.into_inner()), caps::thaw).await
}

/// Shows the installation's caps, what counts against them, and whether orders are frozen.
#[utoipa::path(tag = "caps", responses((status = OK, body = CapsView)))]
#[get("/caps")]
async fn show_installation(app: web::Data<App>, caller: Caller) -> Result<Json<CapsView>, Problem> {
    shown(&app, &caller, None).await
}

/// Changes the installation's caps. Lowering counts at once; raising needs a second provider and then 24 hours.
#[utoipa::path(tag = "caps", responses((status = OK, body = CapsView)))]
#[post("/caps/raise")]
async fn raise_installation(
    app: web::Data<App>,
    caller: Caller,
    body: Json<ChangeCaps>,
) -> Result<HttpResponse, Problem> {
    let ChangeCaps { per_hour, per_day } = body.into_inner();
    let change = move |tx: &mut Transaction<'_>, context: &Context, scope: &CapScope| {
        caps::change(tx, context, scope, per_hour, per_day)
    };
    changed(&app, &caller, "change caps", None, change).await
}

/// Agrees, as the second provider, to raise the installation's caps.
#[utoipa::path(tag = "caps", responses((status = OK, body = CapsView)))]
#[post("/caps/approve-raise")]
async fn approve_raise_installation(app: web::Data<App>, caller: Caller) -> Result<HttpResponse, Problem> {
    changed(&app, &caller, "approve raise of caps", None, caps::approve_raise).await
}

/// Thaws the installation's frozen orders: the first provider asks, the second agrees.
#[utoipa::path(tag = "caps", responses((status = OK, body = CapsView)))]
#[post("/caps/thaw")]
async fn thaw_installation(app: web::Data<App>, caller: Caller) -> Result<HttpResponse, Problem> {
    changed(&app, &caller, "thaw orders", None, caps::thaw).await
}
