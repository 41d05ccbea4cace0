//! The equipment register over the API.

use actix_web::http::StatusCode;
use actix_web::web::{self, Json};
use actix_web::{HttpResponse, get, patch, post};
use serde::Deserialize;
use utoipa_actix_web::service_config::ServiceConfig;

use super::asset_views::{AssetDetail, AssetView};
use super::caller::Caller;
use super::page::{Page, PageQuery};
use super::problem::Problem;
use crate::app::App;
use crate::model::{AssetId, AssetKind, Moment, Ownership, PersonId, Platform};
use crate::operations::assets::{self, Description, Wanted, Which};

pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(add)
        .service(list)
        .service(show_named)
        .service(show)
        .service(change)
        .service(hand_over)
        .service(dispose);
}

/// An item to add to the register.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct AddAsset {
    /// What is written on its label; no other item of the council may have it.
    tag: String,
    kind: AssetKind,
    make: String,
    model: Option<String>,
    /// Whose management protocol it speaks, if any.
    platform: Option<Platform>,
    /// Whose it is; the council's unless given.
    ownership: Option<Ownership>,
    serial: Option<String>,
    /// 15 digits; the phone shows it when *#06# is dialled.
    imei: Option<String>,
    /// The number of its SIM card.
    sim: Option<String>,
    phone_number: Option<String>,
    note: Option<String>,
    /// What is known of how it is backed up.
    backup_note: Option<String>,
    /// The people who hold it from now on.
    #[serde(default)]
    holders: Vec<PersonId>,
}

/// Adds an item to the council's equipment register.
#[utoipa::path(tag = "assets", responses((status = CREATED, body = AssetView)))]
#[post("/councils/{council}/assets")]
async fn add(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<String>,
    body: Json<AddAsset>,
) -> Result<HttpResponse, Problem> {
    let (council, body) = (path.into_inner(), body.into_inner());
    let new = Description {
        tag: Some(body.tag),
        kind: Some(body.kind),
        make: Some(body.make),
        model: body.model,
        platform: body.platform,
        ownership: body.ownership,
        serial: body.serial,
        imei: body.imei,
        sim: body.sim,
        phone_number: body.phone_number,
        note: body.note,
        backup_note: body.backup_note,
    };
    caller
        .write(&app, "add asset", StatusCode::CREATED, move |tx, context| {
            assets::add(tx, context, &council, &new, &body.holders).map(AssetView::from)
        })
        .await
}

/// Which items to list. Only one of `tag`, `serial` and `search` may be given; with one of them the answer is the first
/// items that fit, without further pages.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct AssetsQuery {
    /// The `next` of the page before; nothing for the first page.
    after: Option<String>,
    /// How many items, 1 to 200; 50 unless given.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<i64>,
    /// The item with this tag.
    tag: Option<String>,
    /// The item with this serial number.
    serial: Option<String>,
    /// The start of a tag, the last three or more digits of a telephone number, a whole IMEI or a whole serial number.
    search: Option<String>,
    /// Items disposed of, too; false unless given.
    disposed: Option<bool>,
}

/// Lists the council's equipment.
#[utoipa::path(tag = "assets", params(AssetsQuery), responses((status = OK, body = Page<AssetView>)))]
#[get("/councils/{council}/assets")]
async fn list(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<String>,
    query: web::Query<AssetsQuery>,
) -> Result<Json<Page<AssetView>>, Problem> {
    let (council, query) = (path.into_inner(), query.into_inner());
    let wanted = Wanted {
        tag: query.tag,
        serial: query.serial,
        search: query.search,
        which: if query.disposed.unwrap_or(false) { Which::All } else { Which::InUse },
    };
    let paged = wanted.tag.is_none() && wanted.serial.is_none() && wanted.search.is_none();
    let query = PageQuery { after: query.after, limit: query.limit };
    caller
        .read(&app, "list assets", move |tx, context| {
            let rows = assets::list(tx, context, &council, &wanted, query.after.as_deref(), query.rows()?)?;
            let mut page = Page::of(&query, rows, |row| row.asset.id.to_string(), AssetView::from)?;
            if !paged {
                page.next = None;
            }
            Ok(page)
        })
        .await
        .map(Json)
}

/// Shows an item, with who held it, the device that it is and its open cases.
#[utoipa::path(tag = "assets", responses((status = OK, body = AssetDetail)))]
#[get("/assets/{asset}")]
async fn show(app: web::Data<App>, caller: Caller, path: web::Path<AssetId>) -> Result<Json<AssetDetail>, Problem> {
    let id = path.into_inner();
    caller
        .read(&app, "show asset", move |tx, context| assets::show(tx, context, &id).map(AssetDetail::from))
        .await
        .map(Json)
}

/// The same, for an item of the council named by id or tag.
#[utoipa::path(tag = "assets", operation_id = "show_asset_by_tag", responses((status = OK, body = AssetDetail)))]
#[get("/councils/{council}/assets/{asset}")]
async fn show_named(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<(String, String)>,
) -> Result<Json<AssetDetail>, Problem> {
    let (council, name) = path.into_inner();
    caller
        .read(&app, "show asset", move |tx, context| {
            assets::show_named(tx, context, &council, &name).map(AssetDetail::from)
        })
        .await
        .map(Json)
}

/// What to change of an item; what is left out stays, an empty text clears.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct ChangeAsset {
    tag: Option<String>,
    kind: Option<AssetKind>,
    make: Option<String>,
    model: Option<String>,
    /// Cannot change while a device is enrolled or invited as this item.
    platform: Option<Platform>,
    /// Cannot change while a device is enrolled or invited as this item.
    ownership: Option<Ownership>,
    serial: Option<String>,
    imei: Option<String>,
    sim: Option<String>,
    phone_number: Option<String>,
    note: Option<String>,
    /// What is known of how it is backed up.
    backup_note: Option<String>,
}

/// Changes what is written about an item.
#[utoipa::path(tag = "assets", responses((status = OK, body = AssetView)))]
#[patch("/assets/{asset}")]
async fn change(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<AssetId>,
    body: Json<ChangeAsset>,
) -> Result<HttpResponse, Problem> {
    let (id, body) = (path.into_inner(), body.into_inner());
    let change = Description {
        tag: body.tag,
        kind: body.kind,
        make: body.make,
        model: body.model,
        platform: body.platform,
        ownership: body.ownership,
        serial: body.serial,
        imei: body.imei,
        sim: body.sim,
        phone_number: body.phone_number,
        note: body.note,
        backup_note: body.backup_note,
    };
    caller
        .write(&app, "change asset", StatusCode::OK, move |tx, context| {
            assets::change(tx, context, &id, &change).map(AssetView::from)
        })
        .await
}

/// To whom an item is handed.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct HandOver {
    /// The people who hold it from now on; nobody means that the office has it back.
    holders: Vec<PersonId>,
    /// Whether former holders keep it together with them; false unless given.
    shared: Option<bool>,
    /// When it changed hands; now unless given, and not before it last did.
    at: Option<Moment>,
}

/// Hands an item over. Former holders give it up, unless it is shared with them.
#[utoipa::path(tag = "assets", responses((status = OK, body = AssetView)))]
#[post("/assets/{asset}/holders")]
async fn hand_over(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<AssetId>,
    body: Json<HandOver>,
) -> Result<HttpResponse, Problem> {
    let (id, body) = (path.into_inner(), body.into_inner());
    caller
        .write(&app, "hand asset over", StatusCode::OK, move |tx, context| {
            let shared = body.shared.unwrap_or(false);
            assets::hand_over_at(tx, context, &id, &body.holders, shared, body.at).map(AssetView::from)
        })
        .await
}

/// Notes that an item was disposed of. Refused while a device is enrolled as it or a case is open.
#[utoipa::path(tag = "assets", responses((status = OK, body = AssetView)))]
#[post("/assets/{asset}/dispose")]
async fn dispose(app: web::Data<App>, caller: Caller, path: web::Path<AssetId>) -> Result<HttpResponse, Problem> {
    let id = path.into_inner();
    caller
        .write(&app, "dispose of asset", StatusCode::OK, move |tx, context| {
            assets::dispose(tx, context, &id).map(AssetView::from)
        })
        .await
}
