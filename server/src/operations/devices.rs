//! What a person does to one device: confirm that it is the asset's, lock it, clear its PIN.

use chrono::Duration;
use serde_json::json;

use super::commands::{self, NewCommand};
use super::{Context, alerts, audit};
use crate::error::{Error, Result};
use crate::model::{CaseId, CommandId, CommandKind, Confirmation, CouncilId, DeviceId, Mode, Permission};
use crate::store::devices::Device;
use crate::store::enrolments::Enrolment;
use crate::store::{self, Transaction};

/// How long a lock is worth delivering: a phone found in a drawer after a month must still lock.
const LOCK_STANDS: Duration = Duration::days(90);
/// How long clearing a PIN is worth delivering: nobody should find the phone open a week later.
const CLEARING_STANDS: Duration = Duration::hours(24);
/// At most one lock, or end of a lock, is under way.
const LOCK_KEY: &str = "lock";

/// A device with its newest enrolment.
#[derive(Clone, Debug)]
pub struct Managed {
    /// The device.
    pub device: Device,
    /// Its newest enrolment, ended or not.
    pub enrolment: Option<Enrolment>,
}

/// The council's devices after `after`, by id.
pub fn list(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: &CouncilId,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Managed>> {
    context.actor.require(Permission::Read, council)?;
    let mut found = Vec::new();
    for device in store::devices::page(tx, council, after, limit)? {
        let enrolment = store::enrolments::latest_of_device(tx, council, &device.id)?;
        found.push(Managed { device, enrolment });
    }
    Ok(found)
}

/// One device.
pub fn show(tx: &mut Transaction<'_>, context: &Context, id: &DeviceId) -> Result<Managed> {
    let device = visible(tx, context, id)?;
    context.actor.require(Permission::Read, &device.council_id)?;
    let enrolment = store::enrolments::latest_of_device(tx, &device.council_id, &device.id)?;
    Ok(Managed { device, enrolment })
}

fn visible(tx: &mut Transaction<'_>, context: &Context, id: &DeviceId) -> Result<Device> {
    store::devices::find(tx, id)?
        .filter(|device| context.actor.sees(&device.council_id))
        .ok_or(Error::NotFound("device"))
}

fn live(tx: &mut Transaction<'_>, device: &Device) -> Result<Enrolment> {
    store::enrolments::live_of_device(tx, &device.council_id, &device.id)?
        .ok_or_else(|| Error::conflict("the device is not under management: it has left, or never enrolled"))
}

/// The clerk confirms that this phone is the asset's although its serial number differs.
pub fn confirm(tx: &mut Transaction<'_>, context: &Context, id: &DeviceId) -> Result<Managed> {
    let device = visible(tx, context, id)?;
    context.actor.require(Permission::Register, &device.council_id)?;
    audit::lock(tx, &device.council_id)?;
    let enrolment = live(tx, &device)?;
    if enrolment.confirmation == Confirmation::Waiting {
        store::enrolments::set_confirmation(tx, &enrolment, Confirmation::Confirmed)?;
        alerts::end(tx, context, &device.council_id, "serial_differs", device.id.as_str())?;
        let details = json!({ "serial": device.serial, "asset": device.asset_id, "enrolment": enrolment.id });
        audit::record(tx, context, &device.council_id, "device confirmed", device.id.as_str(), details)?;
    }
    show(tx, context, id)
}

/// Locks a device: Lost Mode where it is supervised, otherwise its screen. One person may do it.
///
/// `message` and `phone_number` are shown on the locked screen; without either, the council's name is.
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
    audit::lock(tx, &device.council_id)?;
    let enrolment = live(tx, &device)?;
    let lost_mode = enrolment.mode == Mode::Supervised && !enrolment.mode_disagrees;
    let kind = if lost_mode { CommandKind::EnableLostMode } else { CommandKind::DeviceLock };
    // Without text the phone does not say whether the lock had an effect, and Lost Mode is refused.
    let message = match message.trim() {
        "" => default_message(tx, &device.council_id)?,
        text => text.chars().take(500).collect(),
    };
    let mut payload = json!({ "message": message });
    let phone_number: String = phone_number.trim().chars().take(50).collect();
    if let (Some(fields), false) = (payload.as_object_mut(), phone_number.is_empty()) {
        fields.insert("phone_number".to_owned(), phone_number.into());
    }
    let command = commands::queue(tx, context, &enrolment, &lock_command(kind, payload, case))?;
    let details = json!({ "command": command, "kind": kind, "case": case });
    audit::record(tx, context, &device.council_id, "device locked", device.id.as_str(), details)?;
    Ok(command)
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

/// Clears a forgotten PIN, which opens the phone: by a person who has just signed in again, with a note of how the caller was
/// recognised, and never while the phone is reported lost.
pub fn clear_passcode(
    tx: &mut Transaction<'_>,
    context: &Context,
    id: &DeviceId,
    recognised_by: &str,
) -> Result<CommandId> {
    let device = visible(tx, context, id)?;
    context.actor.require(Permission::ClearPasscode, &device.council_id)?;
    context.actor.require_fresh(context.now)?;
    let recognised_by = recognised_by.trim();
    if recognised_by.chars().count() < 5 {
        return Err(Error::invalid(
            "recognised_by",
            "say how you recognised the caller, for instance \"came to the office in person\"",
        ));
    }
    audit::lock(tx, &device.council_id)?;
    if store::devices::is_not_back_from_loss(tx, &device)? {
        return Err(Error::conflict(
            "this device was reported lost and has not said since that it is back in use: clearing its PIN would open it \
             for whoever has it",
        ));
    }
    let enrolment = live(tx, &device)?;
    if enrolment.confirmation == Confirmation::Waiting {
        return Err(Error::conflict("confirm first that this phone is the asset's: its serial number differs"));
    }
    let command = NewCommand {
        kind: CommandKind::ClearPasscode,
        payload: json!({}),
        priority: 10,
        case: None,
        expires_in: CLEARING_STANDS,
        supersede_key: Some("clear_passcode"),
    };
    let command = commands::queue(tx, context, &enrolment, &command)?;
    let details = json!({ "command": command, "recognised_by": recognised_by });
    audit::record(tx, context, &device.council_id, "PIN cleared", device.id.as_str(), details)?;
    Ok(command)
}
