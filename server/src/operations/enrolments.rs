//! A phone becomes an asset, in a new generation, and ceases to be: the same for every platform.

use serde_json::{Value, json};

use super::check_in::as_device;
use super::{Context, alerts, audit, commands, orders, register};
use crate::error::{Error, Result};
use crate::model::{Confirmation, DeviceId, EnrolmentId, EnrolmentState, Mode, Moment, Platform};
use crate::store::devices::{Description, Device};
use crate::store::enrolments::Enrolment;
use crate::store::invitations::Invitation;
use crate::store::{self, Transaction};

/// The alert about a phone in another mode than it was invited to.
const MODE_DISAGREES: &str = "mode_disagrees";

/// What comes with an accepted invitation.
#[derive(Debug)]
pub(super) struct Newcomer<'a> {
    /// The invitation.
    pub(super) invitation: &'a Invitation,
    /// What the platform knows the phone by.
    pub(super) udid: &'a str,
    /// The mode that it really has; the invitation's, where the platform has not said otherwise.
    pub(super) mode: Mode,
    /// It is not what the invitation said.
    pub(super) mode_disagrees: bool,
    /// What pins the enrolment to its phone.
    pub(super) fingerprint: &'a str,
    /// Apple's push topic.
    pub(super) topic: Option<String>,
    /// When its certificate ends.
    pub(super) identity_not_after: Option<Moment>,
    /// What it says of itself.
    pub(super) says: &'a Description,
    /// What else stands in the trail.
    pub(super) details: Value,
}

/// What became of it.
#[derive(Debug)]
pub(super) enum Outcome {
    /// It is the asset now.
    Enrolled(Box<Enrolment>),
    /// It is refused, and people are to be told.
    Misuse(&'static str),
}

/// Makes the phone the invitation's asset. The caller holds the council's lock, has checked that the invitation stands, and
/// uses it up.
pub(super) fn enrol(tx: &mut Transaction<'_>, context: &Context, new: &Newcomer<'_>) -> Result<Outcome> {
    let (invitation, udid) = (new.invitation, new.udid);
    let council = &invitation.council_id;
    let known = store::devices::find_by_udid(tx, council, udid)?;
    let holder = store::devices::of_asset(tx, council, &invitation.asset_id)?;
    // The asset may be another phone already: then this one replaces it, unless that one is still under management.
    if let Some(other) = holder.filter(|holder| holder.udid != udid) {
        if let Some(live) = store::enrolments::live_of_device(tx, council, &other.id)? {
            if !is_invited_anew(&live, invitation) {
                return Ok(Outcome::Misuse("another device is enrolled as this asset already"));
            }
            end(tx, context, &live, "re_enrolled", "the phone was invited again in the mode it really has")?;
            orders::on_left_management(tx, context, &live)?;
        }
        if known.as_ref().is_none_or(|known| known.retired_at.is_some()) {
            register::retire(tx, context, &other, &invitation.id)?;
        }
    }
    let (device, old) = match known {
        Some(device) if device.asset_id == invitation.asset_id => {
            if device.retired_at.is_some() {
                register::reinstate(tx, context, &device, invitation)?;
            }
            let old = store::enrolments::live_of_device(tx, council, &device.id)?;
            (device, old)
        }
        Some(device) if device.retired_at.is_some() => {
            register::reinstate(tx, context, &device, invitation)?;
            (device, None)
        }
        Some(_) => return Ok(Outcome::Misuse("a device tried to enrol with an invitation for another asset")),
        None => (new_device(tx, context, new)?, None),
    };
    let device = Device { asset_id: invitation.asset_id.clone(), ..device };
    let latest = store::enrolments::latest_of_device(tx, council, &device.id)?;
    let confirmation = compare_serial(tx, context, &device, new.says.serial.as_deref(), latest.as_ref())?;
    store::devices::describe(tx, &device, new.says)?;
    if let Some(old) = &old {
        end(tx, context, old, "re_enrolled", "the device enrolled again")?;
    }
    let row = Enrolment {
        council_id: council.clone(),
        id: EnrolmentId::new(),
        device_id: device.id.clone(),
        generation: latest.as_ref().map_or(1, |latest| latest.generation + 1),
        platform: new.mode.platform(),
        mode: new.mode,
        ownership: invitation.ownership,
        invitation_id: invitation.id.clone(),
        state: EnrolmentState::Authenticated,
        confirmation,
        mode_disagrees: new.mode_disagrees,
        fingerprint: new.fingerprint.to_owned(),
        topic: new.topic.clone(),
        push_token: None,
        push_token_at: None,
        sealed_push_magic: None,
        sealed_unlock_token: None,
        push_retired_at: None,
        authenticated_at: context.now,
        enrolled_at: None,
        last_seen_at: context.now,
        identity_not_after: new.identity_not_after,
        renewal_started_at: None,
        profile_version: None,
        ended_at: None,
        end_reason: None,
        judgement: None,
    };
    store::enrolments::insert(tx, &row)?;
    let context = &as_device(context, &row);
    if let Some(old) = &old {
        orders::on_re_enrolment(tx, context, old, &row)?;
    }
    tell_of(tx, context, &row, &device, new.says.serial.as_deref())?;
    let mut details = json!({
        "device": device.id, "udid": udid, "serial": new.says.serial, "mode": row.mode, "generation": row.generation,
        "invitation": invitation.id, "replaces": old.map(|old| old.id),
    });
    if let (Some(details), Value::Object(more)) = (details.as_object_mut(), new.details.clone()) {
        details.extend(more);
    }
    audit::record(tx, context, council, "device authenticated", row.id.as_str(), details)?;
    Ok(Outcome::Enrolled(Box::new(row)))
}

/// Whether an invitation made since is the answer to a phone that came in another mode than it was invited to. An Android phone
/// that changes between personal and council-owned is another device to Google, and nobody is told of its reset.
fn is_invited_anew(live: &Enrolment, invitation: &Invitation) -> bool {
    live.mode_disagrees && live.platform == Platform::Android && invitation.created_at > live.authenticated_at
}

fn new_device(tx: &mut Transaction<'_>, context: &Context, new: &Newcomer<'_>) -> Result<Device> {
    let says = new.says.clone();
    let device = Device {
        council_id: new.invitation.council_id.clone(),
        id: DeviceId::new(),
        asset_id: new.invitation.asset_id.clone(),
        platform: new.mode.platform(),
        udid: new.udid.to_owned(),
        serial: says.serial,
        product: says.product,
        name: says.name,
        os_version: says.os_version,
        imei: says.imei,
        iccid: says.iccid,
        phone_number: says.phone_number,
        created_at: context.now,
        retired_at: None,
    };
    store::devices::insert(tx, &device)?;
    Ok(device)
}

/// Ends an enrolment: its open commands are taken back and its certificates revoked. `false` when it had ended before.
///
/// The caller settles what becomes of its order, and records it.
pub fn end(
    tx: &mut Transaction<'_>,
    context: &Context,
    enrolment: &Enrolment,
    reason: &str,
    words: &str,
) -> Result<bool> {
    let (council, id) = (&enrolment.council_id, &enrolment.id);
    if !store::enrolments::end(tx, council, id, context.now, reason)? {
        return Ok(false);
    }
    commands::cancel_all(tx, context, enrolment, words)?;
    store::certificates::revoke_of_enrolment(tx, council, id, None, context.now, reason)?;
    // Resolved, one way or the other: a new enrolment is judged by itself.
    alerts::end(tx, context, council, MODE_DISAGREES, id.as_str())?;
    Ok(true)
}

/// Tells people that a phone left management, and records it.
pub(super) fn left(tx: &mut Transaction<'_>, context: &Context, enrolment: &Enrolment, details: Value) -> Result<()> {
    let council = &enrolment.council_id;
    let device = store::devices::find(tx, &enrolment.device_id)?.ok_or(Error::NotFound("device"))?;
    let tag = store::devices::asset_tag_and_serial(tx, council, &device.asset_id)?.map(|(tag, _)| tag);
    let message = format!(
        "The management of {} was removed on the phone itself. The council can no longer see, lock or wipe it; invite it \
         again.",
        tag.unwrap_or_default()
    );
    alerts::raise(tx, context, council, "left_management", device.id.as_str(), &message)?;
    audit::record(tx, context, council, "device left management", enrolment.id.as_str(), details)
}

/// Whether the clerk must confirm that the phone is the asset's: its serial number is compared with the register.
fn compare_serial(
    tx: &mut Transaction<'_>,
    context: &Context,
    device: &Device,
    reported: Option<&str>,
    latest: Option<&Enrolment>,
) -> Result<Confirmation> {
    let (council, asset) = (&device.council_id, &device.asset_id);
    let registered = store::devices::asset_tag_and_serial(tx, council, asset)?
        .and_then(|(_, serial)| serial)
        .filter(|serial| !serial.trim().is_empty());
    Ok(match (registered, reported) {
        (None, None) => Confirmation::NotNeeded,
        (None, Some(reported)) => {
            register::take_serial_over(tx, context, council, asset, reported)?;
            Confirmation::NotNeeded
        }
        (Some(registered), Some(reported)) if registered.trim().eq_ignore_ascii_case(reported.trim()) => {
            Confirmation::NotNeeded
        }
        // The clerk has said once that this very phone is the asset's; that stands.
        _ if latest.is_some_and(|latest| latest.confirmation == Confirmation::Confirmed) => Confirmation::Confirmed,
        _ => Confirmation::Waiting,
    })
}

/// Tells people of what is odd about a new enrolment.
fn tell_of(
    tx: &mut Transaction<'_>,
    context: &Context,
    new: &Enrolment,
    device: &Device,
    serial: Option<&str>,
) -> Result<()> {
    let subject = device.id.as_str();
    if new.confirmation == Confirmation::Waiting
        && let Some(serial) = serial
    {
        let (tag, registered) =
            store::devices::asset_tag_and_serial(tx, &device.council_id, &device.asset_id)?.unwrap_or_default();
        let message = format!(
            "The phone that enrolled as {tag} reports the serial number {serial}, but the register says {}. Check which \
             phone it is: confirm it, or correct the register and invite again.",
            registered.unwrap_or_default()
        );
        alerts::raise(tx, context, &device.council_id, "serial_differs", subject, &message)?;
    }
    if new.mode_disagrees {
        let message = "The phone enrolled in another mode than its invitation says. Until this is resolved it cannot be \
                       wiped: invite it again in the mode it really has.";
        alerts::raise(tx, context, &device.council_id, MODE_DISAGREES, new.id.as_str(), message)?;
    }
    alerts::end(tx, context, &device.council_id, "left_management", subject)
}
