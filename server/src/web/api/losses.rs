//! Losses over the API: report, which locks; found; notes; close.

use actix_web::http::StatusCode;
use actix_web::web::{self, Json};
use actix_web::{HttpResponse, get, post};
use serde::Deserialize;
use utoipa_actix_web::service_config::ServiceConfig;

use super::caller::Caller;
use super::page::{Page, PageQuery};
use super::problem::Problem;
use crate::app::App;
use crate::model::{AssetId, CaseId, Moment, Permission};
use crate::operations::cases::{CaseDetail, CaseView, DetailAnswer};
use crate::operations::councils;
use crate::operations::losses::{self, Evidence, Found, NewLoss, Notes, Reported};

pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(report)
        .service(list)
        .service(show)
        .service(lock)
        .service(found)
        .service(note)
        .service(close)
        .service(evidence);
}

/// A loss to report. Only the item is needed; the rest may follow.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct ReportLoss {
    /// The item on the register.
    asset: AssetId,
    /// Who told of it.
    #[serde(default)]
    reporter: String,
    /// When it happened, if known.
    happened_at: Option<Moment>,
    /// Where.
    #[serde(default)]
    place: String,
    /// How.
    #[serde(default)]
    circumstances: String,
    /// When the council became aware; now unless given. The 72 hours for notifying a breach run from then.
    aware_at: Option<Moment>,
    /// Shown on the locked screen; the council's name unless given.
    #[serde(default)]
    contact_message: String,
    /// The number shown on the locked screen.
    #[serde(default)]
    contact_number: String,
    /// The police's reference.
    #[serde(default)]
    police_reference: String,
}

impl From<ReportLoss> for NewLoss {
    fn from(body: ReportLoss) -> Self {
        Self {
            asset: body.asset,
            reporter: body.reporter,
            happened_at: body.happened_at,
            place: body.place,
            circumstances: body.circumstances,
            aware_at: body.aware_at,
            contact_message: body.contact_message,
            contact_number: body.contact_number,
            police_reference: body.police_reference,
        }
    }
}

/// Reports a loss and locks the device at once. A second report of the same item gives the open case and locks again.
#[utoipa::path(tag = "losses", responses((status = CREATED, body = Reported)))]
#[post("/councils/{council}/losses")]
async fn report(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<String>,
    body: Json<ReportLoss>,
) -> Result<HttpResponse, Problem> {
    let (council, new) = (path.into_inner(), NewLoss::from(body.into_inner()));
    caller
        .write(&app, "report loss", StatusCode::CREATED, move |tx, context| {
            let council = councils::permitted(tx, context, &council, Permission::Report)?;
            losses::report_in(tx, context, &council, &new)
        })
        .await
}

/// Lists the council's losses.
#[utoipa::path(tag = "losses", params(PageQuery), responses((status = OK, body = Page<CaseView>)))]
#[get("/councils/{council}/losses")]
async fn list(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<String>,
    query: web::Query<PageQuery>,
) -> Result<Json<Page<CaseView>>, Problem> {
    let (council, query) = (path.into_inner(), query.into_inner());
    caller
        .read(&app, "list losses", move |tx, context| {
            let council = councils::permitted(tx, context, &council, Permission::Read)?;
            let rows = losses::list(tx, context, &council, query.after.as_deref(), query.rows()?)?;
            Page::of(&query, rows, |row| row.id.to_string(), |row| row)
        })
        .await
        .map(Json)
}

/// Shows a loss with its orders and timeline.
#[utoipa::path(tag = "losses", responses((status = OK, body = CaseDetail)))]
#[get("/losses/{loss}")]
async fn show(app: web::Data<App>, caller: Caller, path: web::Path<CaseId>) -> Result<Json<CaseDetail>, Problem> {
    let case = path.into_inner();
    caller.read(&app, "show loss", move |tx, context| losses::show(tx, context, &case)).await.map(Json)
}

/// Sends the lock of an open loss again.
#[utoipa::path(tag = "losses", responses((status = OK, body = Reported)))]
#[post("/losses/{loss}/lock")]
async fn lock(app: web::Data<App>, caller: Caller, path: web::Path<CaseId>) -> Result<HttpResponse, Problem> {
    let case = path.into_inner();
    caller
        .write(&app, "lock lost device", StatusCode::OK, move |tx, context| losses::lock_again(tx, context, &case))
        .await
}

/// Marks it as found: takes back what the phone has not fetched, and ends Lost Mode.
#[utoipa::path(tag = "losses", responses((status = OK, body = Found)))]
#[post("/losses/{loss}/found")]
async fn found(app: web::Data<App>, caller: Caller, path: web::Path<CaseId>) -> Result<HttpResponse, Problem> {
    let case = path.into_inner();
    caller.write(&app, "loss found", StatusCode::OK, move |tx, context| losses::found(tx, context, &case)).await
}

/// What became known later; what is left out stays.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct AddNotes {
    /// The police's reference.
    police_reference: Option<String>,
    /// Where it happened.
    place: Option<String>,
    /// How it happened.
    circumstances: Option<String>,
}

/// Adds to a case what became known later.
///
/// A token that may not read gets a receipt.
#[utoipa::path(tag = "losses", responses((status = OK, body = DetailAnswer)))]
#[post("/losses/{loss}/notes")]
async fn note(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<CaseId>,
    body: Json<AddNotes>,
) -> Result<HttpResponse, Problem> {
    let (case, body) = (path.into_inner(), body.into_inner());
    let notes = Notes { police_reference: body.police_reference, place: body.place, circumstances: body.circumstances };
    caller.write(&app, "note loss", StatusCode::OK, move |tx, context| losses::note(tx, context, &case, &notes)).await
}

/// How a case ended.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CloseCase {
    /// In words.
    pub(super) outcome: String,
}

/// Closes a loss; refused while an order is not at its end.
#[utoipa::path(tag = "losses", responses((status = OK, body = CaseDetail)))]
#[post("/losses/{loss}/close")]
async fn close(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<CaseId>,
    body: Json<CloseCase>,
) -> Result<HttpResponse, Problem> {
    let (case, outcome) = (path.into_inner(), body.into_inner().outcome);
    caller
        .write(&app, "close loss", StatusCode::OK, move |tx, context| losses::close(tx, context, &case, &outcome))
        .await
}

/// The evidence of a loss, for the police, an insurer or the Information Commissioner: what is known of it, and what the audit
/// trail says, row by row.
#[utoipa::path(tag = "losses", responses((status = OK, body = Evidence)))]
#[get("/losses/{loss}/evidence")]
async fn evidence(app: web::Data<App>, caller: Caller, path: web::Path<CaseId>) -> Result<HttpResponse, Problem> {
    let case = path.into_inner();
    let file = caller
        .read(&app, "evidence of a loss", move |tx, context| losses::evidence(tx, context, &case, None)?.file())
        .await?;
    // To the letter what the console gives, so that its SHA-256 is the same.
    Ok(HttpResponse::Ok().content_type("application/json").body(file))
}
