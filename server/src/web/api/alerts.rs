//! Alerts over the API: what needs a person's attention.

use actix_web::http::StatusCode;
use actix_web::web::{self, Json};
use actix_web::{HttpResponse, get, post};
use serde::{Deserialize, Serialize};
use utoipa_actix_web::service_config::ServiceConfig;

use super::caller::Caller;
use super::page::{Page, PageQuery};
use super::problem::Problem;
use crate::app::App;
use crate::model::{AlertId, CouncilId, Moment, Permission};
use crate::operations::{alerts, councils};
use crate::store::alerts::Alert;

pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list).service(acknowledge);
}

/// Something that needs a person's attention.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct AlertView {
    id: AlertId,
    council: CouncilId,
    /// What kind of thing it is, for programs.
    kind: String,
    /// The id of what it is about.
    subject: String,
    /// What is the matter, in words.
    message: String,
    raised_at: Moment,
    /// When it was over or somebody acknowledged it; nothing while it is open.
    ended_at: Option<Moment>,
    ended_by: Option<String>,
}

impl From<Alert> for AlertView {
    fn from(alert: Alert) -> Self {
        Self {
            id: alert.id,
            council: alert.council_id,
            kind: alert.kind,
            subject: alert.subject,
            message: alert.message,
            raised_at: alert.raised_at,
            ended_at: alert.ended_at,
            ended_by: alert.ended_by,
        }
    }
}

/// Which alerts to list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct AlertsQuery {
    /// The `next` of the page before; nothing for the first page.
    after: Option<String>,
    /// How many items, 1 to 200; 50 unless given.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<i64>,
    /// Those that are over, too; false unless given.
    ended: Option<bool>,
}

/// Lists the council's alerts.
#[utoipa::path(tag = "alerts", params(AlertsQuery), responses((status = OK, body = Page<AlertView>)))]
#[get("/councils/{council}/alerts")]
async fn list(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<String>,
    query: web::Query<AlertsQuery>,
) -> Result<Json<Page<AlertView>>, Problem> {
    let (council, query) = (path.into_inner(), query.into_inner());
    let (open_only, query) = (!query.ended.unwrap_or(false), PageQuery { after: query.after, limit: query.limit });
    caller
        .read(&app, "list alerts", move |tx, context| {
            let council = councils::permitted(tx, context, &council, Permission::Read)?;
            let rows = alerts::list(tx, context, &council, open_only, query.after.as_deref(), query.rows()?)?;
            Page::of(&query, rows, |row| row.id.to_string(), AlertView::from)
        })
        .await
        .map(Json)
}

/// Acknowledges an alert, which ends it. What is still wrong raises a new one.
#[utoipa::path(tag = "alerts", responses((status = OK, body = AlertView)))]
#[post("/alerts/{alert}/acknowledge")]
async fn acknowledge(app: web::Data<App>, caller: Caller, path: web::Path<AlertId>) -> Result<HttpResponse, Problem> {
    let id = path.into_inner();
    caller
        .write(&app, "acknowledge alert", StatusCode::OK, move |tx, context| {
            alerts::acknowledge(tx, context, &id).map(AlertView::from)
        })
        .await
}
