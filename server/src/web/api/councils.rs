//! Councils over the API.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::web::{self, Json};
use actix_web::{HttpResponse, get, patch, post};
use beadle_profiles::policy::Preset;
use serde::{Deserialize, Serialize};
use utoipa_actix_web::service_config::ServiceConfig;

use super::caller::Caller;
use super::page::{Page, PageQuery};
use super::problem::Problem;
use crate::app::App;
use crate::error::Error;
use crate::model::{CouncilId, Moment, Permission};
use crate::operations::councils::{self, NewCouncil};
use crate::store::councils::{Council, Counts};

pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(add).service(list).service(show).service(change);
}

/// A council.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct CouncilView {
    id: CouncilId,
    /// Its short name.
    slug: String,
    name: String,
    /// The address that its devices know.
    public_url: String,
    time_zone: String,
    /// Whether devices that know only single DES and MD5 may enrol.
    scep_legacy: bool,
    created_at: Moment,
    /// When it left, if it did.
    ended_at: Option<Moment>,
}

impl From<Council> for CouncilView {
    fn from(council: Council) -> Self {
        Self {
            id: council.id,
            slug: council.slug,
            name: council.name,
            public_url: council.public_url,
            time_zone: council.time_zone,
            scep_legacy: council.scep_legacy,
            created_at: council.created_at,
            ended_at: council.ended_at,
        }
    }
}

/// A council to add.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct AddCouncil {
    /// Its name, as it signs letters.
    name: String,
    /// Its short name for URLs and the command line: small letters, digits, hyphens.
    slug: String,
    /// Its own https address; devices can never be told another one.
    public_url: String,
    /// Its time zone; Europe/London unless given.
    time_zone: Option<String>,
    /// The policy to start from: germoe, coreley or council-template (unless given).
    preset: Option<String>,
}

/// Adds a council, with its certificate authority, policy and audit trail.
#[utoipa::path(tag = "councils", responses((status = CREATED, body = CouncilView)))]
#[post("/councils")]
async fn add(app: web::Data<App>, caller: Caller, body: Json<AddCouncil>) -> Result<HttpResponse, Problem> {
    // Checked again inside; here it saves making a key for someone who may not.
    caller.actor.require_installation(Permission::Installation)?;
    let body = body.into_inner();
    let preset = match &body.preset {
        None => Preset::CouncilTemplate,
        Some(word) => word.parse().map_err(|problem| Error::invalid("preset", format!("{problem}")))?,
    };
    let new = NewCouncil {
        name: body.name,
        slug: body.slug,
        public_url: body.public_url,
        time_zone: body.time_zone.unwrap_or_else(|| "Europe/London".to_owned()),
        preset,
    };
    let (keys, now) = (Arc::clone(&app.keys), app.clock.now());
    let prepared =
        tokio::task::spawn_blocking(move || councils::prepare(&keys, now, &new)).await.map_err(Error::internal)??;
    caller
        .write(&app, "add council", StatusCode::CREATED, move |tx, context| {
            councils::add(tx, context, &prepared).map(CouncilView::from)
        })
        .await
}

/// Lists the councils that the caller sees.
#[utoipa::path(tag = "councils", params(PageQuery), responses((status = OK, body = Page<CouncilView>)))]
#[get("/councils")]
async fn list(
    app: web::Data<App>,
    caller: Caller,
    query: web::Query<PageQuery>,
) -> Result<Json<Page<CouncilView>>, Problem> {
    let query = query.into_inner();
    caller
        .read(&app, "list councils", move |tx, context| {
            let rows = councils::list(tx, context, query.after.as_deref(), query.rows()?)?;
            Page::of(&query, rows, |row| row.id.to_string(), CouncilView::from)
        })
        .await
        .map(Json)
}

/// A council and how much there is of it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct CouncilDetail {
    #[serde(flatten)]
    council: CouncilView,
    counts: Counts,
}

/// Shows a council, named by id or short name.
#[utoipa::path(tag = "councils", responses((status = OK, body = CouncilDetail)))]
#[get("/councils/{council}")]
async fn show(app: web::Data<App>, caller: Caller, path: web::Path<String>) -> Result<Json<CouncilDetail>, Problem> {
    let council = path.into_inner();
    caller
        .read(&app, "show council", move |tx, context| {
            let (council, counts) = councils::show(tx, context, &council)?;
            Ok(CouncilDetail { council: council.into(), counts })
        })
        .await
        .map(Json)
}

/// What to change of a council; what is left out stays.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct ChangeCouncil {
    name: Option<String>,
    time_zone: Option<String>,
    /// Whether devices that know only single DES and MD5 may enrol.
    scep_legacy: Option<bool>,
}

/// Changes the settings of a council. Its public address can never change.
#[utoipa::path(tag = "councils", responses((status = OK, body = CouncilView)))]
#[patch("/councils/{council}")]
async fn change(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<String>,
    body: Json<ChangeCouncil>,
) -> Result<HttpResponse, Problem> {
    let (council, body) = (path.into_inner(), body.into_inner());
    let change = councils::Change { name: body.name, time_zone: body.time_zone, scep_legacy: body.scep_legacy };
    caller
        .write(&app, "change council", StatusCode::OK, move |tx, context| {
            councils::change(tx, context, &council, &change).map(CouncilView::from)
        })
        .await
}
