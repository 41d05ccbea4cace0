//! Locking: Lost Mode as part of a loss, otherwise the screen.

use chrono::Duration;
use serde_json::json;

use super::{live, visible};
use crate::error::{Error, Result};
use crate::model::{
    CaseId, CaseKind, CaseState, CommandId, CommandKind, Confirmation, CouncilId, DeviceId, Mode, Permission, Platform,
};
use crate::operations::commands::{self, NewCommand};
use crate::operations::{Context, audit, reports};
use crate::store::cases::Case;
use crate::store::commands::CommandRow;
use crate::store::devices::Device;
use crate::store::enrolments::Enrolment;
use crate::store::{self, Transaction};

/// How long a lock is worth delivering: a phone found in a drawer after a month must still lock.
const LOCK_STANDS: Duration = Duration::days(90);
/// At most one lock, or end of a lock, is under way.
const LOCK_KEY: &str = "lock";

/// A lock that was sent.
#[derive(Clone, Debug)]
pub struct Locked {
    /// The command.
    pub command: CommandId,
    /// What the caller must know at once.
    pub warnings: Vec<String>,
}

/// Locks a device without a report of a loss, and says what stands in the way.
pub fn lock_plainly(
    tx: &mut Transaction<'_>,
    context: &Context,
    id: &DeviceId,
    message: &str,
    phone_number: &str,
) -> Result<Locked> {
    let command = lock(tx, context, id, message, phone_number, None)?;
    let device = visible(tx, context, id)?;
    let enrolment = live(tx, &device)?;
    let lost = open_loss(tx, &device)?.is_some();
    Ok(Locked { command, warnings: warnings(tx, context, &enrolment, lost)? })
}

/// Locks a device. One person may do it. Lost Mode, where the device is supervised, belongs to a loss, whose end is its end:
/// without one the screen is locked, which its holder opens with the PIN. A lock of a device that is reported lost counts
/// as that loss's, whether or not it is said.
///
/// `message` and `phone_number` are shown on the locked screen; without either, the loss's, or the council's name.
pub fn lock(
    tx: &mut Transaction<'_>,
    context: &Context,
    id: &DeviceId,
    message: &str,
    phone_number: &str,
    case: Option<&CaseId>,
) -> Result<CommandId> {
    let device = visible(tx, context, id)?;
    let permission = if case.is_some() { Permission::Report } else { Permission::Lock };
    context.actor.require(permission, &device.council_id)?;
    context.actor.require_own(&device.asset_id)?;
    audit::lock(tx, &device.council_id)?;
    let enrolment = live(tx, &device)?;
    let loss = match case {
        Some(_) => None,
        None => open_loss(tx, &device)?,
    };
    let case = case.or(loss.as_ref().map(|loss| &loss.id));
    let lost_mode = case.is_some() && has_lost_mode(tx, &enrolment)?;
    let kind = if lost_mode { CommandKind::EnableLostMode } else { CommandKind::DeviceLock };
    let first = |said: &str, kept: Option<&String>| match said.trim() {
        "" => kept.map_or_else(String::new, |kept| kept.trim().to_owned()),
        said => said.to_owned(),
    };
    // Without text the phone does not say whether the lock had an effect, and Lost Mode is refused.
    let message = match first(message, loss.as_ref().map(|loss| &loss.contact_message)) {
        text if text.is_empty() => default_message(tx, &device.council_id)?,
        text => text.chars().take(500).collect(),
    };
    let mut payload = json!({ "message": message });
    let phone_number = first(phone_number, loss.as_ref().map(|loss| &loss.contact_number));
    let phone_number: String = phone_number.chars().take(50).collect();
    if let (Some(fields), false) = (payload.as_object_mut(), phone_number.is_empty()) {
        fields.insert("phone_number".to_owned(), phone_number.into());
    }
    let command = commands::queue(tx, context, &enrolment, &lock_command(kind, payload, case))?;
    let details = json!({ "command": command, "kind": kind, "case": case });
    audit::record(tx, context, &device.council_id, "device locked", device.id.as_str(), details)?;
    Ok(command)
}

/// Whether the device can be put into lost mode.
fn has_lost_mode(tx: &mut Transaction<'_>, enrolment: &Enrolment) -> Result<bool> {
    let forbidden = CommandKind::EnableLostMode.refusal(enrolment.mode, enrolment.ownership).is_some();
    let least_api_level = match enrolment.mode {
        _ if forbidden || enrolment.mode_disagrees => return Ok(false),
        Mode::Supervised => return Ok(true),
        // Android 11, and 13 where the phone has a personal side (Google, Command.startLostModeParams).
        Mode::FullyManaged => 30,
        Mode::CompanyWorkProfile => 33,
        Mode::Device | Mode::User | Mode::PersonalWorkProfile => return Ok(false),
    };
    Ok(store::android_enrolments::find(tx, &enrolment.council_id, &enrolment.id)?
        .and_then(|android| android.api_level)
        .is_some_and(|level| level >= least_api_level))
}

/// A phone that could not go into lost mode is locked instead.
pub(crate) fn lock_instead(
    tx: &mut Transaction<'_>,
    context: &Context,
    enrolment: &Enrolment,
    failed: &CommandRow,
) -> Result<()> {
    let payload: serde_json::Value = serde_json::from_str(&failed.payload)?;
    let lock = lock_command(CommandKind::DeviceLock, payload, failed.case_id.as_ref());
    let command = commands::queue(tx, context, enrolment, &lock)?;
    let details = json!({ "command": command, "kind": CommandKind::DeviceLock, "instead_of": failed.id });
    audit::record(tx, context, &enrolment.council_id, "device locked", enrolment.device_id.as_str(), details)
}

fn open_loss(tx: &mut Transaction<'_>, device: &Device) -> Result<Option<Case>> {
    let unclosed = store::cases::unclosed_of_asset(tx, &device.council_id, &device.asset_id, CaseKind::Loss)?;
    Ok(unclosed.filter(|case| case.state == CaseState::Open))
}

/// Ends Lost Mode; a phone that is only locked is opened by its holder with its PIN.
pub fn unlock_lost_mode(
    tx: &mut Transaction<'_>,
    context: &Context,
    id: &DeviceId,
    case: Option<&CaseId>,
) -> Result<CommandId> {
    let device = visible(tx, context, id)?;
    context.actor.require(Permission::CancelOrder, &device.council_id)?;
    audit::lock(tx, &device.council_id)?;
    let enrolment = live(tx, &device)?;
    let command =
        commands::queue(tx, context, &enrolment, &lock_command(CommandKind::DisableLostMode, json!({}), case))?;
    let details = json!({ "command": command, "case": case });
    audit::record(tx, context, &device.council_id, "Lost Mode ended", device.id.as_str(), details)?;
    Ok(command)
}

fn lock_command(kind: CommandKind, payload: serde_json::Value, case: Option<&CaseId>) -> NewCommand {
    NewCommand {
        kind,
        payload,
        priority: 0,
        case: case.cloned(),
        expires_in: LOCK_STANDS,
        supersede_key: Some(LOCK_KEY),
    }
}

fn default_message(tx: &mut Transaction<'_>, council: &CouncilId) -> Result<String> {
    let council = store::councils::find(tx, council)?.ok_or(Error::NotFound("council"))?;
    Ok(format!("This device belongs to {}. Please return it.", council.name))
}

/// What whoever locks this device must know at once; `lost`: as part of a loss.
pub(crate) fn warnings(
    tx: &mut Transaction<'_>,
    context: &Context,
    enrolment: &Enrolment,
    lost: bool,
) -> Result<Vec<String>> {
    let mut warnings: Vec<String> = match enrolment.platform {
        Platform::Apple => warn_of_push(tx, context, enrolment)?.into_iter().collect(),
        Platform::Android => warn_of_google(tx, enrolment)?.into_iter().collect(),
    };
    let lost_mode = has_lost_mode(tx, enrolment)?;
    if !(lost_mode && lost)
        && enrolment.platform == Platform::Android
        && reports::android_says_no_passcode(tx, enrolment)?
    {
        warnings.push(
            "This phone reports that no PIN is set: a lock has no effect, and whoever holds it can open it.".to_owned(),
        );
    }
    let words = match enrolment.mode {
        _ if lost_mode && lost => None,
        _ if lost_mode => Some(
            "Its screen is locked, and it opens with its PIN. If it is lost, report the loss: that puts it into Lost Mode.",
        ),
        Mode::Supervised | Mode::Device | Mode::User => Some(
            "This phone is not supervised: its screen is locked, and it opens with its PIN. There is no Lost Mode.",
        ),
        Mode::FullyManaged => {
            Some("This phone's Android has no lost mode: its screen is locked, and it opens with its PIN.")
        }
        // Google, Command.type LOCK: a separate work lock is all that is locked, on a company-owned phone too.
        Mode::CompanyWorkProfile => Some(
            "This phone has no lost mode that it can be put into: it is locked, and it opens with its PIN. If its work profile \
             has a lock of its own, only the work profile is locked.",
        ),
        Mode::PersonalWorkProfile => Some(
            "This is the holder's own phone: it is locked, and it opens with its PIN. If its work profile has a lock of its own, \
             only the work profile is locked.",
        ),
    };
    warnings.extend(words.map(str::to_owned));
    if enrolment.confirmation == Confirmation::Waiting {
        warnings.push(
            "It was never confirmed that this phone is this item: its serial number is not the one on the register."
                .to_owned(),
        );
    }
    Ok(warnings)
}

/// What stands between the server and an Android phone, if anything does.
fn warn_of_google(tx: &mut Transaction<'_>, enrolment: &Enrolment) -> Result<Option<String>> {
    let connected = store::google_enterprises::current(tx, &enrolment.council_id)?.is_some();
    Ok((!connected).then(|| "The council is no longer connected to Google: nothing reaches this phone.".to_owned()))
}

/// What stands between the server and the phone, if anything does.
fn warn_of_push(tx: &mut Transaction<'_>, context: &Context, enrolment: &Enrolment) -> Result<Option<String>> {
    let late = "The lock reaches the phone only when it happens to ask by itself";
    let end = match &enrolment.topic {
        Some(topic) => store::cases::push_certificate_end(tx, &enrolment.council_id, topic)?,
        None => None,
    };
    Ok(match end {
        None => Some(format!("The council has no push certificate that this phone listens to. {late}.")),
        Some(Some(end)) if end <= context.now => Some(format!(
            "The council's push certificate expired on {}. {late}. Renew it now with the same Apple Account.",
            end.utc().format("%d %B %Y")
        )),
        _ if enrolment.push_token.is_none() || enrolment.push_retired_at.is_some() => {
            Some(format!("Apple no longer accepts wake-ups for this phone. {late}."))
        }
        _ => None,
    })
}
