//! Reporting a loss: a case is opened, or the open one told again, and the device locked at once.

use chrono::Duration;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::lock::lock;
use super::short;
use crate::error::{Error, Result};
use crate::model::{AssetId, CaseId, CaseKind, CaseState, CommandId, CouncilId, Moment, Permission};
use crate::operations::cases::{self, CaseAnswer};
use crate::operations::{Context, alerts, audit};
use crate::store::cases::Case;
use crate::store::devices::Device;
use crate::store::{self, Transaction};

/// What a person tells about a loss.
#[derive(Clone, Debug)]
pub struct NewLoss {
    /// The item on the register.
    pub asset: AssetId,
    /// Who told of it.
    pub reporter: String,
    /// When it happened, if known.
    pub happened_at: Option<Moment>,
    /// Where.
    pub place: String,
    /// How.
    pub circumstances: String,
    /// When the council became aware, if not just now; the breach clock runs from then.
    pub aware_at: Option<Moment>,
    /// Shown on the locked screen; empty for the council's name.
    pub contact_message: String,
    /// The number shown on the locked screen.
    pub contact_number: String,
    /// The police's reference, if there is one already.
    pub police_reference: String,
}

/// What became of a report.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Reported {
    /// The case; no more than a receipt for whoever may not read cases.
    pub case: CaseAnswer,
    /// Whether this report opened it; otherwise it was open already, and the lock was sent again.
    pub opened: bool,
    /// The lock that was sent.
    pub lock: Option<CommandId>,
    /// What the reporter must know at once.
    pub warnings: Vec<String>,
}

/// Reports a loss and locks the device at once. Caps, freezes and quarantine do not hold it up. A second report of the
/// same item gives the open case and locks again.
///
/// # Errors
/// `NotFound` for an item that the caller does not see; `Invalid` for a time in the future.
pub fn report(tx: &mut Transaction<'_>, context: &Context, new: &NewLoss) -> Result<Reported> {
    let asset = store::cases::asset(tx, &new.asset)?
        .filter(|asset| context.actor.sees(&asset.council_id))
        .ok_or(Error::NotFound("asset"))?;
    let council = asset.council_id.clone();
    context.actor.require(Permission::Report, &council)?;
    context.actor.require_own(&asset.id)?;
    // A clock a little behind must not stand between a clerk and a lock.
    let latest = context.now + Duration::minutes(10);
    for (field, at) in [("happened_at", new.happened_at), ("aware_at", new.aware_at)] {
        if at.is_some_and(|at| at > latest) {
            return Err(Error::invalid(field, "lies in the future"));
        }
    }
    audit::lock(tx, &council)?;
    let device = store::devices::of_asset(tx, &council, &asset.id)?;
    let open = store::cases::unclosed_of_asset(tx, &council, &asset.id, CaseKind::Loss)?;
    let opened = open.is_none();
    let case = match open {
        Some(case) => again(tx, context, case, new, device.as_ref())?,
        None => open_case(tx, context, &council, new, device.as_ref())?,
    };
    let mut warnings = Vec::new();
    let lock = lock(tx, context, &case, device.as_ref(), &mut warnings)?;
    let message = format!("{} was reported lost by {}.", asset.tag, case.reporter);
    alerts::raise(tx, context, &council, "loss_reported", case.id.as_str(), &message)?;
    Ok(Reported { case: cases::answer(tx, context, &case)?, opened, lock, warnings })
}

/// Like [`report`], refusing an item of another council than the one that was named.
///
/// # Errors
/// As [`report`]; `NotFound` for an item of another council.
pub fn report_in(tx: &mut Transaction<'_>, context: &Context, council: &CouncilId, new: &NewLoss) -> Result<Reported> {
    cases::require_asset_of(tx, council, &new.asset)?;
    report(tx, context, new)
}

/// Sends the lock of an open loss again.
///
/// # Errors
/// `Conflict` when the case is not open.
pub fn lock_again(tx: &mut Transaction<'_>, context: &Context, id: &CaseId) -> Result<Reported> {
    let case = cases::locked(tx, context, id, CaseKind::Loss)?;
    context.actor.require(Permission::Report, &case.council_id)?;
    context.actor.require_own(&case.asset_id)?;
    if case.state != CaseState::Open {
        return Err(Error::conflict("the case is not open: report the loss again if the phone is missing again"));
    }
    let device = match &case.device_id {
        Some(device) => store::devices::find(tx, device)?,
        None => None,
    };
    let mut warnings = Vec::new();
    let lock = lock(tx, context, &case, device.as_ref(), &mut warnings)?;
    Ok(Reported { case: cases::answer(tx, context, &case)?, opened: false, lock, warnings })
}

fn open_case(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: &CouncilId,
    new: &NewLoss,
    device: Option<&Device>,
) -> Result<Case> {
    let case = Case {
        council_id: council.clone(),
        id: CaseId::new(),
        kind: CaseKind::Loss,
        asset_id: new.asset.clone(),
        device_id: device.map(|device| device.id.clone()),
        state: CaseState::Open,
        reported_by: context.actor.label(),
        reporter: short(&new.reporter, 200),
        reported_at: context.now,
        happened_at: new.happened_at,
        place: short(&new.place, 500),
        circumstances: short(&new.circumstances, 4000),
        aware_at: new.aware_at.unwrap_or(context.now),
        contact_message: short(&new.contact_message, 500),
        contact_number: short(&new.contact_number, 50),
        police_reference: short(&new.police_reference, 200),
        found_at: None,
        found_by: None,
        back_in_use_at: None,
        closed_at: None,
        closed_by: None,
        outcome: None,
    };
    store::cases::insert(tx, &case)?;
    let details = json!({
        "asset": case.asset_id, "device": case.device_id, "reporter": case.reporter, "happened_at": case.happened_at,
        "place": case.place, "circumstances": case.circumstances, "aware_at": case.aware_at,
    });
    audit::record(tx, context, council, "loss.reported", case.id.as_str(), details)?;
    Ok(case)
}

/// A further report of an open case: what is new in it is taken over, and a thing that was found is lost again.
fn again(
    tx: &mut Transaction<'_>,
    context: &Context,
    mut case: Case,
    new: &NewLoss,
    device: Option<&Device>,
) -> Result<Case> {
    let take = |kept: &mut String, said: &str, limit| {
        if !said.trim().is_empty() {
            *kept = short(said, limit);
        }
    };
    take(&mut case.place, &new.place, 500);
    take(&mut case.circumstances, &new.circumstances, 4000);
    take(&mut case.contact_message, &new.contact_message, 500);
    take(&mut case.contact_number, &new.contact_number, 50);
    take(&mut case.police_reference, &new.police_reference, 200);
    let was = case.state;
    case.state = CaseState::Open;
    case.found_at = None;
    case.found_by = None;
    case.back_in_use_at = None;
    // The item may have been given another phone since, or been enrolled after the first report.
    if let Some(device) = device {
        case.device_id = Some(device.id.clone());
    }
    store::cases::update(tx, &case)?;
    let details = json!({ "reporter": new.reporter, "was": was, "place": case.place });
    audit::record(tx, context, &case.council_id, "loss.reported_again", case.id.as_str(), details)?;
    Ok(case)
}
