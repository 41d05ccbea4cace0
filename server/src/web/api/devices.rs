//! Devices over the API: what they are, what they report, what is asked of them; confirming, locking, clearing a PIN.

use actix_web::http::StatusCode;
use actix_web::web::{self, Json};
use actix_web::{HttpResponse, get, post};
use serde::{Deserialize, Serialize};
use utoipa_actix_web::service_config::ServiceConfig;

use super::caller::Caller;
use super::page::{Page, PageQuery};
use super::problem::Problem;
use crate::app::App;
use crate::error::Error;
use crate::model::{
    AssetId, CaseId, CommandId, CommandKind, CommandState, Confirmation, CouncilId, DeviceId, EnrolmentId,
    EnrolmentState, Mode, Moment, Ownership, Platform, Sight, sight,
};
use crate::operations::devices::{self, Managed};
use crate::operations::reports::{self, AndroidReport, DeviceSetting};
use crate::operations::{commands, councils};
use crate::sealing::Purpose;
use crate::store;
use crate::store::commands::CommandRow;

pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list)
        .service(show)
        .service(list_commands)
        .service(cancel_command)
        .service(confirm)
        .service(lock)
        .service(clear_passcode)
        .service(bypass_code);
}

/// A managed phone or tablet.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct DeviceView {
    id: DeviceId,
    council: CouncilId,
    asset: AssetId,
    platform: Platform,
    /// The serial number that it reports.
    serial: Option<String>,
    /// Apple's name of the product, for instance iPhone15,2.
    product: Option<String>,
    /// The name that its holder gave it.
    name: Option<String>,
    os_version: Option<String>,
    imei: Option<String>,
    iccid: Option<String>,
    phone_number: Option<String>,
    created_at: Moment,
    /// When another phone took its place, if one did.
    retired_at: Option<Moment>,
    /// Whether it gave the code that opens its Activation Lock.
    has_bypass_code: bool,
    /// Its newest enrolment.
    enrolment: Option<EnrolmentView>,
}

/// One generation of a device under management.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct EnrolmentView {
    id: EnrolmentId,
    generation: i64,
    mode: Mode,
    ownership: Ownership,
    state: EnrolmentState,
    /// Whether the clerk must confirm that this phone is the asset's.
    confirmation: Confirmation,
    /// Whether the device reports another mode than its invitation says; then nothing may be erased.
    mode_disagrees: bool,
    /// Whether the push service can wake it.
    can_be_woken: bool,
    /// Whether its PIN could be cleared.
    can_clear_passcode: bool,
    authenticated_at: Moment,
    enrolled_at: Option<Moment>,
    last_seen_at: Moment,
    /// Until when its identity certificate is valid; renewal starts by itself.
    identity_not_after: Option<Moment>,
    /// The version of the policy whose profile it reports.
    profile_version: Option<i64>,
    ended_at: Option<Moment>,
    end_reason: Option<String>,
}

impl From<Managed> for DeviceView {
    fn from(managed: Managed) -> Self {
        let Managed { device, enrolment, bypass_code_at } = managed;
        Self {
            has_bypass_code: bypass_code_at.is_some(),
            id: device.id,
            council: device.council_id,
            asset: device.asset_id,
            platform: device.platform,
            serial: device.serial,
            product: device.product,
            name: device.name,
            os_version: device.os_version,
            imei: device.imei,
            iccid: device.iccid,
            phone_number: device.phone_number,
            created_at: device.created_at,
            retired_at: device.retired_at,
            enrolment: enrolment.map(|enrolment| EnrolmentView {
                can_be_woken: enrolment.push_token.is_some()
                    && enrolment.push_retired_at.is_none()
                    && enrolment.ended_at.is_none(),
                can_clear_passcode: enrolment.sealed_unlock_token.is_some() && enrolment.ended_at.is_none(),
                id: enrolment.id,
                generation: enrolment.generation,
                mode: enrolment.mode,
                ownership: enrolment.ownership,
                state: enrolment.state,
                confirmation: enrolment.confirmation,
                mode_disagrees: enrolment.mode_disagrees,
                authenticated_at: enrolment.authenticated_at,
                enrolled_at: enrolment.enrolled_at,
                last_seen_at: enrolment.last_seen_at,
                identity_not_after: enrolment.identity_not_after,
                profile_version: enrolment.profile_version,
                ended_at: enrolment.ended_at,
                end_reason: enrolment.end_reason,
            }),
        }
    }
}

/// Something asked of a device.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct CommandView {
    id: CommandId,
    kind: CommandKind,
    /// Queued: waits to be fetched. Sent: was given to the device, which has not answered. Only what is acknowledged was done.
    state: CommandState,
    priority: i64,
    case: Option<CaseId>,
    created_by: String,
    created_at: Moment,
    expires_at: Moment,
    sent_at: Option<Moment>,
    /// How often it was given to the device.
    offers: i64,
    ended_at: Option<Moment>,
    /// What the device said, where that is kept.
    #[schema(value_type = Option<Object>)]
    answer: Option<serde_json::Value>,
    /// Why it waits, failed, or had no effect.
    problem: Option<String>,
}

impl From<CommandRow> for CommandView {
    fn from(row: CommandRow) -> Self {
        Self {
            id: row.id,
            kind: row.kind,
            state: row.state,
            priority: row.priority,
            case: row.case_id,
            created_by: row.created_by,
            created_at: row.created_at,
            expires_at: row.expires_at,
            sent_at: row.sent_at,
            offers: row.offers,
            ended_at: row.ended_at,
            answer: row.answer.and_then(|answer| serde_json::from_str(&answer).ok()),
            problem: row.problem,
        }
    }
}

/// A device with what it reports, what is asked of it, and what the council can see.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct DeviceDetail {
    #[serde(flatten)]
    device: DeviceView,
    /// Setting by setting, what the device reports: never what was only sent.
    settings: Vec<DeviceSetting>,
    /// What an Android phone reports beside the single settings: its policy, locks, encryption, patches and security.
    android: Option<AndroidReport>,
    /// The newest twenty commands.
    commands: Vec<CommandView>,
    /// What the council can see and do on it, by its real mode.
    sight: Option<Sight>,
}

/// Lists a council's devices.
#[utoipa::path(tag = "devices", params(PageQuery), responses((status = OK, body = Page<DeviceView>)))]
#[get("/councils/{council}/devices")]
async fn list(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<String>,
    query: web::Query<PageQuery>,
) -> Result<Json<Page<DeviceView>>, Problem> {
    let (council, query) = (path.into_inner(), query.into_inner());
    caller
        .read(&app, "list devices", move |tx, context| {
            let council = councils::permitted(tx, context, &council, crate::model::Permission::Read)?;
            let rows = devices::list(tx, context, &council, query.after.as_deref(), query.rows()?)?;
            Page::of(&query, rows, |row| row.device.id.to_string(), DeviceView::from)
        })
        .await
        .map(Json)
}

/// Shows a device: what it reports, what is asked of it, what the council can and cannot see.
#[utoipa::path(tag = "devices", responses((status = OK, body = DeviceDetail)))]
#[get("/devices/{id}")]
async fn show(app: web::Data<App>, caller: Caller, path: web::Path<String>) -> Result<Json<DeviceDetail>, Problem> {
    let id = DeviceId::from(path.into_inner());
    caller
        .read(&app, "show device", move |tx, context| {
            let managed = devices::show(tx, context, &id)?;
            let mut detail = DeviceDetail {
                sight: managed.enrolment.as_ref().map(|enrolment| sight(enrolment.mode, enrolment.ownership)),
                settings: Vec::new(),
                android: None,
                commands: Vec::new(),
                device: managed.clone().into(),
            };
            if let Some(enrolment) = &managed.enrolment {
                let council = &enrolment.council_id;
                detail.settings = reports::settings(tx, enrolment)?;
                detail.android = reports::android_report(tx, context, enrolment)?;
                let rows = commands::list(tx, context, council, &enrolment.id, None, 20)?;
                detail.commands = rows.into_iter().map(CommandView::from).collect();
            }
            Ok(detail)
        })
        .await
        .map(Json)
}

/// Lists what was asked of a device's newest enrolment, newest first.
#[utoipa::path(tag = "devices", params(PageQuery), responses((status = OK, body = Page<CommandView>)))]
#[get("/devices/{id}/commands")]
async fn list_commands(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<String>,
    query: web::Query<PageQuery>,
) -> Result<Json<Page<CommandView>>, Problem> {
    let (id, query) = (DeviceId::from(path.into_inner()), query.into_inner());
    caller
        .read(&app, "list commands", move |tx, context| {
            let rows = match devices::show(tx, context, &id)?.enrolment {
                None => Vec::new(),
                Some(enrolment) => {
                    let after = query.after.as_deref();
                    commands::list(tx, context, &enrolment.council_id, &enrolment.id, after, query.rows()?)?
                }
            };
            Page::of(&query, rows, |row| row.id.to_string(), CommandView::from)
        })
        .await
        .map(Json)
}

/// Takes back a command that the device has not answered.
#[utoipa::path(tag = "devices", responses((status = OK, body = CommandView)))]
#[post("/commands/{id}/cancel")]
async fn cancel_command(app: web::Data<App>, caller: Caller, path: web::Path<String>) -> Result<HttpResponse, Problem> {
    let id = CommandId::from(path.into_inner());
    caller
        .write(&app, "cancel command", StatusCode::OK, move |tx, context| {
            commands::cancel(tx, context, &id).map(CommandView::from)
        })
        .await
}

/// Confirms that this phone is the asset's although its serial number differs.
#[utoipa::path(tag = "devices", responses((status = OK, body = DeviceView)))]
#[post("/devices/{id}/confirm")]
async fn confirm(app: web::Data<App>, caller: Caller, path: web::Path<String>) -> Result<HttpResponse, Problem> {
    let id = DeviceId::from(path.into_inner());
    caller
        .write(&app, "confirm device", StatusCode::OK, move |tx, context| {
            devices::confirm(tx, context, &id).map(DeviceView::from)
        })
        .await
}

/// What a locked device shows.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
struct LockBody {
    /// The text; the council's name unless given.
    message: String,
    /// A telephone number to ring.
    phone_number: String,
}

/// A command just queued.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Queued {
    command: CommandView,
}

/// A lock just queued.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct LockQueued {
    command: CommandView,
    /// What the caller must know at once, for instance that the phone cannot be woken.
    warnings: Vec<String>,
}

/// Locks a device's screen; if it is reported lost and supervised, Lost Mode. It is done when the command is acknowledged.
#[utoipa::path(tag = "devices", responses((status = ACCEPTED, body = LockQueued)))]
#[post("/devices/{id}/lock")]
async fn lock(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<String>,
    body: Json<LockBody>,
) -> Result<HttpResponse, Problem> {
    let (id, body) = (DeviceId::from(path.into_inner()), body.into_inner());
    caller
        .write(&app, "lock device", StatusCode::ACCEPTED, move |tx, context| {
            let locked = devices::lock_plainly(tx, context, &id, &body.message, &body.phone_number)?;
            let Queued { command } = queued(tx, &locked.command)?;
            Ok(LockQueued { command, warnings: locked.warnings })
        })
        .await
}

/// Who asks for a PIN to be cleared.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct ClearPasscode {
    /// How the caller was recognised, for instance "came to the office in person".
    recognised_by: String,
}

/// Clears a forgotten PIN, which opens the phone. Needs a sign-in confirmed within five minutes; refused while it is lost.
#[utoipa::path(tag = "devices", responses((status = ACCEPTED, body = Queued)))]
#[post("/devices/{id}/clear-passcode")]
async fn clear_passcode(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<String>,
    body: Json<ClearPasscode>,
) -> Result<HttpResponse, Problem> {
    let (id, body) = (DeviceId::from(path.into_inner()), body.into_inner());
    caller
        .write(&app, "clear passcode", StatusCode::ACCEPTED, move |tx, context| {
            let command = devices::clear_passcode(tx, context, &id, &body.recognised_by)?;
            queued(tx, &command)
        })
        .await
}

/// The code that opens a device's Activation Lock.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct BypassCodeView {
    /// Entered in the field for the password while the phone is set up, with the field for the Apple Account left empty.
    code: String,
    /// When the phone gave it. A phone that was supervised anew since has another.
    given_at: Moment,
}

/// Shows the code that opens a device's Activation Lock, on record. Needs a sign-in confirmed within five minutes.
#[utoipa::path(tag = "devices", responses((status = OK, body = BypassCodeView)), extensions(("x-not-repeated" = json!(true))))]
#[post("/devices/{id}/activation-lock-bypass-code")]
async fn bypass_code(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<String>,
) -> Result<Json<BypassCodeView>, Problem> {
    let id = DeviceId::from(path.into_inner());
    let found = caller
        .write_once(&app, "show bypass code", move |tx, context| devices::show_bypass_code(tx, context, &id))
        .await?;
    let (council, device) = (found.council.as_str(), found.device.as_str());
    let code = app.keys.sealer.open(Purpose::BypassCode, council, device, &found.sealed)?;
    let code = String::from_utf8(code.to_vec()).map_err(Error::internal)?;
    Ok(Json(BypassCodeView { code, given_at: found.given_at }))
}

fn queued(tx: &mut store::Transaction<'_>, command: &CommandId) -> Result<Queued, Error> {
    let row = store::commands::find_any(tx, command)?.ok_or(Error::NotFound("command"))?;
    Ok(Queued { command: row.into() })
}
