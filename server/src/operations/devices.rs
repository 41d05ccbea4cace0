//! What a person does to one device: confirm that it is the asset's, lock it, clear its PIN, see its bypass code.

mod bypass_code;
mod glance;
mod lock;
#[cfg(test)]
mod tests;
mod whole;

pub use bypass_code::{BypassCode, show_bypass_code};
pub use glance::{Glance, glances};
pub use lock::{Locked, lock, lock_plainly, unlock_lost_mode};
pub(crate) use lock::{lock_instead, warnings};
pub use whole::{Reported, Rule, Whole, whole};

use chrono::Duration;
use serde_json::json;

use super::commands::{self, NewCommand};
use super::{Context, alerts, audit};
use crate::error::{Error, Result};
use crate::model::{CommandId, CommandKind, Confirmation, CouncilId, DeviceId, Moment, Permission};
use crate::store::devices::Device;
use crate::store::enrolments::Enrolment;
use crate::store::{self, Transaction};

/// How long clearing a PIN is worth delivering: nobody should find the phone open a week later.
const CLEARING_STANDS: Duration = Duration::hours(24);

/// A device with its newest enrolment.
#[derive(Clone, Debug)]
pub struct Managed {
    /// The device.
    pub device: Device,
    /// Its newest enrolment, ended or not.
    pub enrolment: Option<Enrolment>,
    /// When it gave the code that opens its Activation Lock, if it did.
    pub bypass_code_at: Option<Moment>,
}

fn managed(tx: &mut Transaction<'_>, device: Device) -> Result<Managed> {
    let enrolment = store::enrolments::latest_of_device(tx, &device.council_id, &device.id)?;
    let bypass_code_at = store::devices::bypass_code_at(tx, &device)?;
    Ok(Managed { device, enrolment, bypass_code_at })
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
    store::devices::page(tx, council, after, limit)?.into_iter().map(|device| managed(tx, device)).collect()
}

/// One device.
pub fn show(tx: &mut Transaction<'_>, context: &Context, id: &DeviceId) -> Result<Managed> {
    let device = visible(tx, context, id)?;
    context.actor.require(Permission::Read, &device.council_id)?;
    managed(tx, device)
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
    let enrolment = clearable(tx, &device)?;
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

/// Whether the PIN of a device could be cleared as things stand, for a page that asks before it offers.
///
/// # Errors
/// What [`clear_passcode`] would refuse, but for the fresh sign-in and the note.
pub fn may_clear_passcode(tx: &mut Transaction<'_>, context: &Context, id: &DeviceId) -> Result<()> {
    let device = visible(tx, context, id)?;
    context.actor.require(Permission::ClearPasscode, &device.council_id)?;
    let enrolment = clearable(tx, &device)?;
    commands::check(&enrolment, CommandKind::ClearPasscode)
}

fn clearable(tx: &mut Transaction<'_>, device: &Device) -> Result<Enrolment> {
    if store::devices::is_not_back_from_loss(tx, device)? {
        return Err(Error::conflict(
            "this device was reported lost and has not said since that it is back in use: clearing its PIN would open it \
             for whoever has it",
        ));
    }
    let enrolment = live(tx, device)?;
    if enrolment.confirmation == Confirmation::Waiting {
        return Err(Error::conflict("confirm first that this phone is the asset's: its serial number differs"));
    }
    Ok(enrolment)
}
