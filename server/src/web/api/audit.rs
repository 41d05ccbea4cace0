//! The audit trail over the API: verified, exported, and anchored elsewhere.

use actix_web::web::{self, Json};
use actix_web::{get, post};
use serde::{Deserialize, Serialize};
use utoipa_actix_web::service_config::ServiceConfig;

use super::caller::Caller;
use super::page::{Page, PageQuery};
use super::problem::Problem;
use crate::app::App;
use crate::error::Error;
use crate::model::Permission;
use crate::operations::audit::{self, Checkpoint, ExportedRow, Verification};
use crate::operations::councils;

pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(of_council)
        .service(of_installation)
        .service(verify_council)
        .service(verify_all)
        .service(checkpoints);
}

fn after(query: &PageQuery) -> Result<i64, Error> {
    match &query.after {
        None => Ok(0),
        Some(text) => text.parse().map_err(|_| Error::invalid("after", "must be the `next` of the page before")),
    }
}

/// Exports a council's audit trail, oldest first.
#[utoipa::path(tag = "audit", params(PageQuery), responses((status = OK, body = Page<ExportedRow>)))]
#[get("/councils/{council}/audit")]
async fn of_council(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<String>,
    query: web::Query<PageQuery>,
) -> Result<Json<Page<ExportedRow>>, Problem> {
    let (council, query) = (path.into_inner(), query.into_inner());
    caller
        .read(&app, "export audit trail", move |tx, context| {
            let council = councils::permitted(tx, context, &council, Permission::Read)?;
            let rows = audit::export(tx, context, Some(&council), after(&query)?, query.rows()?)?;
            Page::of(&query, rows, |row| row.seq.to_string(), |row| row)
        })
        .await
        .map(Json)
}

/// Exports the installation's own audit trail, oldest first.
#[utoipa::path(tag = "audit", params(PageQuery), responses((status = OK, body = Page<ExportedRow>)))]
#[get("/audit")]
async fn of_installation(
    app: web::Data<App>,
    caller: Caller,
    query: web::Query<PageQuery>,
) -> Result<Json<Page<ExportedRow>>, Problem> {
    let query = query.into_inner();
    caller
        .read(&app, "export audit trail", move |tx, context| {
            let rows = audit::export(tx, context, None, after(&query)?, query.rows()?)?;
            Page::of(&query, rows, |row| row.seq.to_string(), |row| row)
        })
        .await
        .map(Json)
}

/// What to verify against.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Verify {
    /// The ends of chains as kept elsewhere; a trail that falls short of them lost its end.
    #[serde(default)]
    checkpoints: Vec<Checkpoint>,
    /// The same as the anchor's file, or `GET /audit/checkpoints`, has them.
    anchor: Option<Anchor>,
}

/// What is read of an anchor's file.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = AnchorFile)]
struct Anchor {
    /// The ends of chains.
    checkpoints: Vec<Checkpoint>,
}

impl Verify {
    fn all(self) -> Vec<Checkpoint> {
        self.anchor.into_iter().flat_map(|anchor| anchor.checkpoints).chain(self.checkpoints).collect()
    }
}

/// What the verification of several chains found.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Verified {
    /// Each chain.
    chains: Vec<Verification>,
    /// Whether all are whole.
    whole: bool,
}

impl From<Vec<Verification>> for Verified {
    fn from(chains: Vec<Verification>) -> Self {
        Self { whole: chains.iter().all(|chain| chain.problems.is_empty()), chains }
    }
}

/// Verifies a council's audit trail.
#[utoipa::path(tag = "audit", responses((status = OK, body = Verified)), extensions(("x-not-repeated" = json!(true))))]
#[post("/councils/{council}/audit/verify")]
async fn verify_council(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<String>,
    body: Json<Verify>,
) -> Result<Json<Verified>, Problem> {
    let (council, known) = (path.into_inner(), body.into_inner().all());
    caller
        .read(&app, "verify audit trail", move |tx, context| {
            let council = councils::permitted(tx, context, &council, Permission::Read)?;
            Ok(vec![audit::verify_council(tx, context, &council, &known)?].into())
        })
        .await
        .map(Json)
}

/// Verifies every council's audit trail and the installation's.
#[utoipa::path(tag = "audit", responses((status = OK, body = Verified)), extensions(("x-not-repeated" = json!(true))))]
#[post("/audit/verify")]
async fn verify_all(app: web::Data<App>, caller: Caller, body: Json<Verify>) -> Result<Json<Verified>, Problem> {
    let known = body.into_inner().all();
    caller
        .read(&app, "verify audit trail", move |tx, context| audit::verify_all(tx, context, &known).map(Verified::from))
        .await
        .map(Json)
}

/// The ends of all chains.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Checkpoints {
    /// One for each chain.
    checkpoints: Vec<Checkpoint>,
}

/// The ends of all audit chains, to be kept elsewhere.
#[utoipa::path(tag = "audit", responses((status = OK, body = Checkpoints)))]
#[get("/audit/checkpoints")]
async fn checkpoints(app: web::Data<App>, caller: Caller) -> Result<Json<Checkpoints>, Problem> {
    caller
        .read(&app, "audit checkpoints", |tx, context| {
            audit::permitted_checkpoints(tx, context).map(|checkpoints| Checkpoints { checkpoints })
        })
        .await
        .map(Json)
}
