//! Losses: reported and locked at once by one person, and undone again when the thing is found.

use chrono::Duration;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::cases::{self, CaseDetail, CaseView};
use super::commands::{self, NewCommand};
use super::{Context, alerts, audit, devices, orders};
use crate::error::{Error, Result};
use crate::model::{
    AssetId, CaseId, CaseKind, CaseState, CommandId, CommandKind, CommandState, CouncilId, Moment, Permission,
};
use crate::store::cases::Case;
use crate::store::devices::Device;
use crate::store::enrolments::Enrolment;
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
    /// The case.
    pub case: CaseView,
    /// Whether this report opened it; otherwise it was open already, and the lock was sent again.
    pub opened: bool,
    /// The lock that was sent.
    pub lock: Option<CommandId>,
    /// What the reporter must know at once.
    pub warnings: Vec<String>,
}

/// What became of "found".
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Found {
    /// The case with its timeline.
    pub case: CaseDetail,
    /// What the caller must know at once, for instance that an order was fetched already.
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
    Ok(Reported { case: cases::view(tx, &case)?, opened, lock, warnings })
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
    if case.state != CaseState::Open {
        return Err(Error::conflict("the case is not open: report the loss again if the phone is missing again"));
    }
    let device = match &case.device_id {
        Some(device) => store::devices::find(tx, device)?,
        None => None,
    };
    let mut warnings = Vec::new();
    let lock = lock(tx, context, &case, device.as_ref(), &mut warnings)?;
    Ok(Reported { case: cases::view(tx, &case)?, opened: false, lock, warnings })
}

fn short(text: &str, limit: usize) -> String {
    text.trim().chars().take(limit).collect()
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

fn lock(
    tx: &mut Transaction<'_>,
    context: &Context,
    case: &Case,
    device: Option<&Device>,
    warnings: &mut Vec<String>,
) -> Result<Option<CommandId>> {
    let enrolment = match device {
        Some(device) => store::enrolments::live_of_device(tx, &case.council_id, &device.id)?,
        None => None,
    };
    let (Some(device), Some(enrolment)) = (device, enrolment) else {
        warnings.push(
            "This item is not managed by Beadle: it cannot be locked or erased from here. Ring the mobile network and have \
             SIM and IMEI blocked."
                .to_owned(),
        );
        return Ok(None);
    };
    warnings.extend(devices::warnings(tx, context, &enrolment, true)?);
    match devices::lock(tx, context, &device.id, &case.contact_message, &case.contact_number, Some(&case.id)) {
        Ok(command) => Ok(Some(command)),
        // The report counts although the phone cannot be locked; nothing was written when this is said.
        Err(Error::Conflict(problem)) => {
            warnings.push(format!("The phone could not be locked: {problem}."));
            Ok(None)
        }
        Err(problem) => Err(problem),
    }
}

/// The thing was found: takes back everything that the phone has not fetched, and ends Lost Mode. It counts as back in
/// use once the phone itself answers.
///
/// # Errors
/// `Conflict` when the case is not open.
pub fn found(tx: &mut Transaction<'_>, context: &Context, id: &CaseId) -> Result<Found> {
    let mut case = cases::locked(tx, context, id, CaseKind::Loss)?;
    context.actor.require(Permission::CancelOrder, &case.council_id)?;
    if case.state != CaseState::Open {
        return Err(Error::conflict("the case is not open: it was marked as found, or closed, already"));
    }
    let mut warnings = Vec::new();
    for order in orders::cancel_for_case(tx, context, &case.council_id, &case.id)? {
        warnings.push(format!("Too late to call back the order to erase it: {}.", order.state.words()));
    }
    case.state = CaseState::Found;
    case.found_at = Some(context.now);
    case.found_by = Some(context.actor.label());
    store::cases::update(tx, &case)?;
    audit::record(tx, context, &case.council_id, "loss.found", case.id.as_str(), json!({ "device": case.device_id }))?;
    alerts::end(tx, context, &case.council_id, "loss_reported", case.id.as_str())?;
    let enrolment = match &case.device_id {
        Some(device) => store::enrolments::live_of_device(tx, &case.council_id, device)?,
        None => None,
    };
    if let Some(enrolment) = enrolment {
        unlock(tx, context, &case, &enrolment)?;
    }
    Ok(Found { case: cases::detail(tx, &case)?, warnings })
}

fn unlock(tx: &mut Transaction<'_>, context: &Context, case: &Case, enrolment: &Enrolment) -> Result<()> {
    // Lost Mode that the phone never fetched needs no end; one that may be on does.
    let maybe_on = store::cases::commands(tx, &case.council_id, &case.id)?
        .iter()
        .any(|command| command.kind == CommandKind::EnableLostMode && command.sent_at.is_some());
    let taken_back = "the device was found";
    let (cancelled, now) = (CommandState::Cancelled, context.now);
    store::commands::finish_open(tx, enrolment, None, Some("lock"), cancelled, now, taken_back)?;
    if maybe_on {
        devices::unlock_lost_mode(tx, context, &enrolment.device_id, Some(&case.id))?;
    } else {
        // Asked so that it answers: "back in use" is the phone's word, not ours.
        let ask = NewCommand {
            kind: CommandKind::DeviceInformation,
            payload: json!({}),
            priority: 0,
            case: Some(case.id.clone()),
            expires_in: Duration::days(30),
            supersede_key: None,
        };
        commands::queue(tx, context, enrolment, &ask)?;
    }
    Ok(())
}

/// The device was heard from: if it was found and no end of Lost Mode is awaited, it is back in use.
pub fn on_contact(tx: &mut Transaction<'_>, context: &Context, enrolment: &Enrolment) -> Result<()> {
    let awaited = |tx: &mut Transaction<'_>| -> Result<Vec<Case>> {
        Ok(store::cases::unclosed_of_device(tx, &enrolment.council_id, &enrolment.device_id)?
            .into_iter()
            .filter(|case| case.state == CaseState::Found && case.back_in_use_at.is_none())
            .collect())
    };
    if awaited(tx)?.is_empty() {
        return Ok(());
    }
    audit::lock(tx, &enrolment.council_id)?;
    for mut case in awaited(tx)? {
        let still_in_lost_mode = store::cases::commands(tx, &case.council_id, &case.id)?
            .iter()
            .rfind(|command| command.kind == CommandKind::DisableLostMode)
            .is_some_and(|command| {
                // An error means that it is not in Lost Mode; anything else but its word leaves it open.
                !matches!(command.state, CommandState::Acknowledged | CommandState::Failed)
            });
        if still_in_lost_mode {
            continue;
        }
        case.back_in_use_at = Some(context.now);
        store::cases::update(tx, &case)?;
        let details = json!({ "enrolment": enrolment.id });
        audit::record(tx, context, &case.council_id, "loss.back_in_use", case.id.as_str(), details)?;
    }
    Ok(())
}

/// The phone said that Lost Mode has ended.
pub fn on_lost_mode_ended(tx: &mut Transaction<'_>, context: &Context, enrolment: &Enrolment) -> Result<()> {
    on_contact(tx, context, enrolment)
}

/// What may be added to a case later.
#[derive(Clone, Debug, Default)]
pub struct Notes {
    /// The police's reference.
    pub police_reference: Option<String>,
    /// Where it happened.
    pub place: Option<String>,
    /// How it happened.
    pub circumstances: Option<String>,
}

/// Adds to a case what became known later.
///
/// # Errors
/// `Conflict` when the case is closed.
pub fn note(tx: &mut Transaction<'_>, context: &Context, id: &CaseId, notes: &Notes) -> Result<CaseDetail> {
    let mut case = cases::locked(tx, context, id, CaseKind::Loss)?;
    context.actor.require(Permission::Report, &case.council_id)?;
    if case.state == CaseState::Closed {
        return Err(Error::conflict("the case is closed"));
    }
    for (kept, said, limit) in [
        (&mut case.police_reference, &notes.police_reference, 200),
        (&mut case.place, &notes.place, 500),
        (&mut case.circumstances, &notes.circumstances, 4000),
    ] {
        if let Some(said) = said {
            *kept = short(said, limit);
        }
    }
    store::cases::update(tx, &case)?;
    let details = json!({
        "police_reference": notes.police_reference, "place": notes.place, "circumstances": notes.circumstances,
    });
    audit::record(tx, context, &case.council_id, "case.noted", case.id.as_str(), details)?;
    cases::detail(tx, &case)
}

/// Closes a loss case.
///
/// # Errors
/// `Conflict` while an order is not at its end; `Invalid` without an outcome.
pub fn close(tx: &mut Transaction<'_>, context: &Context, id: &CaseId, outcome: &str) -> Result<CaseDetail> {
    let closed = cases::close(tx, context, id, CaseKind::Loss, outcome)?;
    alerts::end(tx, context, &closed.case.council, "loss_reported", id.as_str())?;
    Ok(closed)
}

/// One loss case with its timeline.
///
/// # Errors
/// `NotFound` when there is none that the caller sees.
pub fn show(tx: &mut Transaction<'_>, context: &Context, id: &CaseId) -> Result<CaseDetail> {
    cases::show(tx, context, id, CaseKind::Loss)
}

/// The council's loss cases after `after`, by id.
///
/// # Errors
/// `NotFound` when the caller does not see the council.
pub fn list(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: &CouncilId,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<CaseView>> {
    cases::list(tx, context, council, CaseKind::Loss, after, limit)
}
