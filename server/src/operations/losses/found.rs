//! What was lost is found: undone as far as the phone has not fetched it, and back in use once the phone says so.

use chrono::Duration;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::error::{Error, Result};
use crate::model::{CaseId, CaseKind, CaseState, CommandKind, CommandState, Moment, Permission, Platform};
use crate::operations::cases::{self, CaseDetail};
use crate::operations::commands::{self, NewCommand};
use crate::operations::{Context, alerts, audit, devices, jobs, orders};
use crate::store::cases::Case;
use crate::store::enrolments::Enrolment;
use crate::store::{self, Transaction};

/// What became of "found".
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Found {
    /// The case with its timeline.
    pub case: CaseDetail,
    /// What the caller must know at once, for instance that an order was fetched already.
    pub warnings: Vec<String>,
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
        warnings.push(format!("Too late to call back the order to erase it: {}.", order.words()));
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
    } else if enrolment.platform == Platform::Android {
        // It reports by itself; meanwhile what Google still has of the lock is taken back, and its everyday policy returns.
        jobs::wake(tx, context, &enrolment.council_id, &enrolment.id)?;
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

/// The device was heard from at `at`: later than it was found, or it is no news.
pub fn on_contact_at(tx: &mut Transaction<'_>, context: &Context, enrolment: &Enrolment, at: Moment) -> Result<()> {
    let found = store::cases::unclosed_of_device(tx, &enrolment.council_id, &enrolment.device_id)?
        .iter()
        .any(|case| case.state == CaseState::Found && case.found_at.is_some_and(|found| at > found));
    if found { on_contact(tx, context, enrolment) } else { Ok(()) }
}
