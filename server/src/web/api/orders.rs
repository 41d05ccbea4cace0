//! Orders over the API: asked for by one person, approved by another, both freshly signed in. There is no bulk of any
//! kind.

use actix_web::http::StatusCode;
use actix_web::web::{self, Json};
use actix_web::{HttpResponse, get, post};
use serde::Deserialize;
use utoipa_actix_web::service_config::ServiceConfig;

use super::caller::Caller;
use super::page::{Page, PageQuery};
use super::problem::Problem;
use crate::app::App;
use crate::model::{CaseId, OrderId, OrderState, Permission};
use crate::operations::councils;
use crate::operations::orders::{self, NewOrder, OrderView};

pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(request_for_loss)
        .service(request_for_leaver)
        .service(list)
        .service(show)
        .service(approve)
        .service(refuse)
        .service(cancel)
        .service(resume);
}

/// An order to ask for.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct RequestOrder {
    /// The asset tag of the device, typed in by hand.
    asset_tag: String,
    /// Why it must be erased.
    reason: String,
}

async fn ask(app: &App, caller: &Caller, case: CaseId, body: RequestOrder) -> Result<HttpResponse, Problem> {
    let new = NewOrder { case, asset_tag: body.asset_tag, reason: body.reason };
    caller.write(app, "request order", StatusCode::CREATED, move |tx, context| orders::request(tx, context, &new)).await
}

/// Asks to erase a lost device. The answer says in one sentence what will be destroyed.
#[utoipa::path(tag = "orders", responses((status = CREATED, body = OrderView)))]
#[post("/losses/{loss}/orders")]
async fn request_for_loss(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<CaseId>,
    body: Json<RequestOrder>,
) -> Result<HttpResponse, Problem> {
    ask(&app, &caller, path.into_inner(), body.into_inner()).await
}

/// Asks to erase a device that is given back. The answer says in one sentence what will be destroyed.
#[utoipa::path(tag = "orders", responses((status = CREATED, body = OrderView)))]
#[post("/leavers/{leaver}/orders")]
async fn request_for_leaver(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<CaseId>,
    body: Json<RequestOrder>,
) -> Result<HttpResponse, Problem> {
    ask(&app, &caller, path.into_inner(), body.into_inner()).await
}

/// Which orders.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct OrdersQuery {
    /// Only those in this state.
    state: Option<OrderState>,
    /// The `next` of the page before; nothing for the first page.
    after: Option<String>,
    /// How many items, 1 to 200; 50 unless given.
    limit: Option<i64>,
}

/// Lists the council's orders.
#[utoipa::path(tag = "orders", params(OrdersQuery), responses((status = OK, body = Page<OrderView>)))]
#[get("/councils/{council}/orders")]
async fn list(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<String>,
    query: web::Query<OrdersQuery>,
) -> Result<Json<Page<OrderView>>, Problem> {
    let (council, query) = (path.into_inner(), query.into_inner());
    let page = PageQuery { after: query.after, limit: query.limit };
    caller
        .read(&app, "list orders", move |tx, context| {
            let council = councils::permitted(tx, context, &council, Permission::Read)?;
            let rows = orders::list(tx, context, &council, query.state, page.after.as_deref(), page.rows()?)?;
            Page::of(&page, rows, |row| row.id.to_string(), |row| row)
        })
        .await
        .map(Json)
}

/// Shows an order.
#[utoipa::path(tag = "orders", responses((status = OK, body = OrderView)))]
#[get("/orders/{order}")]
async fn show(app: web::Data<App>, caller: Caller, path: web::Path<OrderId>) -> Result<Json<OrderView>, Problem> {
    let order = path.into_inner();
    caller.read(&app, "show order", move |tx, context| orders::show(tx, context, &order)).await.map(Json)
}

/// Approves an order, as the second person. Over the cap it is held and orders freeze.
#[utoipa::path(tag = "orders", responses((status = OK, body = OrderView)))]
#[post("/orders/{order}/approve")]
async fn approve(app: web::Data<App>, caller: Caller, path: web::Path<OrderId>) -> Result<HttpResponse, Problem> {
    let order = path.into_inner();
    caller.write(&app, "approve order", StatusCode::OK, move |tx, context| orders::approve(tx, context, &order)).await
}

/// Why an order is refused.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct RefuseOrder {
    /// In words; may be empty.
    #[serde(default)]
    reason: String,
}

/// Refuses an order that waits for approval.
#[utoipa::path(tag = "orders", responses((status = OK, body = OrderView)))]
#[post("/orders/{order}/refuse")]
async fn refuse(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<OrderId>,
    body: Json<RefuseOrder>,
) -> Result<HttpResponse, Problem> {
    let (order, reason) = (path.into_inner(), body.into_inner().reason);
    caller
        .write(&app, "refuse order", StatusCode::OK, move |tx, context| orders::refuse(tx, context, &order, &reason))
        .await
}

/// Takes back an order that the device has not fetched.
#[utoipa::path(tag = "orders", responses((status = OK, body = OrderView)))]
#[post("/orders/{order}/cancel")]
async fn cancel(app: web::Data<App>, caller: Caller, path: web::Path<OrderId>) -> Result<HttpResponse, Problem> {
    let order = path.into_inner();
    caller.write(&app, "cancel order", StatusCode::OK, move |tx, context| orders::cancel(tx, context, &order)).await
}

/// Lets a held order go on, once its cause has ended; in quarantine, says that it still stands.
#[utoipa::path(tag = "orders", responses((status = OK, body = OrderView)))]
#[post("/orders/{order}/resume")]
async fn resume(app: web::Data<App>, caller: Caller, path: web::Path<OrderId>) -> Result<HttpResponse, Problem> {
    let order = path.into_inner();
    caller.write(&app, "resume order", StatusCode::OK, move |tx, context| orders::resume(tx, context, &order)).await
}
