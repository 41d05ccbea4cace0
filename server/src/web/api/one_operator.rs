//! One-operator working over the API.

use actix_web::http::StatusCode;
use actix_web::web::{self, Json};
use actix_web::{HttpResponse, delete, get, post};
use serde::Deserialize;
use utoipa_actix_web::service_config::ServiceConfig;

use super::caller::Caller;
use super::problem::Problem;
use crate::app::App;
use crate::model::Permission;
use crate::operations::councils;
use crate::operations::one_operator::{self, Hearer, NewSetting, OneOperatorView};

pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(show).service(announce).service(end);
}

/// Shows whether one operator works alone in the council, and who was told.
#[utoipa::path(tag = "one operator", responses((status = OK, body = OneOperatorView)))]
#[get("/councils/{council}/one-operator")]
async fn show(app: web::Data<App>, caller: Caller, path: web::Path<String>) -> Result<Json<OneOperatorView>, Problem> {
    let council = path.into_inner();
    caller
        .read(&app, "show one-operator working", move |tx, context| {
            let council = councils::permitted(tx, context, &council, Permission::Read)?;
            one_operator::show(tx, context, &council)
        })
        .await
        .map(Json)
}

/// An announcement of one-operator working.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Announcement {
    /// Why one person must be enough.
    reason: String,
    /// One to three people who are told of each order by mail, as a rule the chair.
    hearers: Vec<Hearer>,
}

/// Announces that one operator works alone. Everyone is told by mail; it takes effect 72 hours after the last of them was. Needs
/// the council's own clerk, who signed in again within five minutes.
#[utoipa::path(tag = "one operator", responses((status = CREATED, body = OneOperatorView)))]
#[post("/councils/{council}/one-operator")]
async fn announce(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<String>,
    body: Json<Announcement>,
) -> Result<HttpResponse, Problem> {
    let (council, body) = (path.into_inner(), body.into_inner());
    let new = NewSetting { reason: body.reason, hearers: body.hearers };
    caller
        .write(&app, "announce one-operator working", StatusCode::CREATED, move |tx, context| {
            let council = councils::permitted(tx, context, &council, Permission::RequestOrder)?;
            one_operator::begin(tx, context, &council, &new)
        })
        .await
}

/// Ends one-operator working at once, announced or in effect.
#[utoipa::path(tag = "one operator", responses((status = OK, body = OneOperatorView)))]
#[delete("/councils/{council}/one-operator")]
async fn end(app: web::Data<App>, caller: Caller, path: web::Path<String>) -> Result<HttpResponse, Problem> {
    let council = path.into_inner();
    caller
        .write(&app, "end one-operator working", StatusCode::OK, move |tx, context| {
            let council = councils::permitted(tx, context, &council, Permission::CancelOrder)?;
            one_operator::end(tx, context, &council)
        })
        .await
}
