//! The first Authenticate with a certificate: a phone becomes an asset, in a new generation.

use chrono::Duration;
use serde_json::json;

use super::authenticate::Arrival;
use super::misuse::misuse;
use super::told::{compare_serial, tell_of};
use super::{Outcome, as_device, end};
use crate::error::{Error, Result};
use crate::model::{DeviceId, EnrolmentId, EnrolmentState, InvitationState, Mode, Platform};
use crate::operations::{Context, audit, orders, register};
use crate::store::certificates::Certificate;
use crate::store::devices::Device;
use crate::store::enrolments::Enrolment;
use crate::store::invitations::Invitation;
use crate::store::{self, Transaction};

/// How long after its invitation's end a phone that has its certificate may still finish enrolling.
const FINISHING: Duration = Duration::hours(1);

/// The first Authenticate with a certificate.
pub(super) fn first(
    tx: &mut Transaction<'_>,
    context: &Context,
    certificate: &Certificate,
    invitation: &Invitation,
    udid: &str,
    arrival: &Arrival,
) -> Result<Outcome> {
    match invitation.state {
        InvitationState::Accepted => {}
        InvitationState::Used => {
            return misuse(tx, context, certificate, "a second device tried to enrol with an invitation that was used");
        }
        InvitationState::Open | InvitationState::Withdrawn => {
            return Ok(Outcome::Refused("the invitation no longer stands"));
        }
    }
    if context.now > invitation.expires_at + FINISHING {
        return Ok(Outcome::Refused("the invitation has expired"));
    }
    let council = &invitation.council_id;
    let known = store::devices::find_by_udid(tx, council, udid)?;
    let holder = store::devices::of_asset(tx, council, &invitation.asset_id)?;
    // The asset may be another phone already: then this one replaces it, unless that one is still under management.
    if let Some(other) = holder.filter(|holder| holder.udid != udid) {
        if store::enrolments::live_of_device(tx, council, &other.id)?.is_some() {
            return misuse(tx, context, certificate, "another device is enrolled as this asset already");
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
        Some(_) => {
            return misuse(tx, context, certificate, "a device tried to enrol with an invitation for another asset");
        }
        None => (new_device(tx, context, invitation, udid, arrival)?, None),
    };
    let device = Device { asset_id: invitation.asset_id.clone(), ..device };
    let device_says = &arrival.description;
    let latest = store::enrolments::latest_of_device(tx, council, &device.id)?;
    let confirmation = compare_serial(tx, context, &device, device_says.serial.as_deref(), latest.as_ref())?;
    store::devices::describe(tx, council, &device.id, device_says)?;
    if let Some(old) = &old {
        end(tx, context, old, "re_enrolled", "the device enrolled again")?;
    }
    let new = Enrolment {
        council_id: council.clone(),
        id: EnrolmentId::new(),
        device_id: device.id.clone(),
        generation: latest.as_ref().map_or(1, |latest| latest.generation + 1),
        platform: Platform::Apple,
        mode: invitation.mode,
        ownership: invitation.ownership,
        invitation_id: invitation.id.clone(),
        state: EnrolmentState::Authenticated,
        confirmation,
        mode_disagrees: arrival.user_enrolment != (invitation.mode == Mode::User),
        fingerprint: certificate.fingerprint.clone(),
        topic: arrival.topic.clone(),
        push_token: None,
        push_token_at: None,
        sealed_push_magic: None,
        sealed_unlock_token: None,
        push_retired_at: None,
        last_push_at: None,
        push_attempts: 0,
        authenticated_at: context.now,
        enrolled_at: None,
        last_seen_at: context.now,
        identity_not_after: Some(certificate.not_after),
        renewal_started_at: None,
        profile_version: None,
        ended_at: None,
        end_reason: None,
    };
    store::enrolments::insert(tx, &new)?;
    if !store::certificates::bind(tx, certificate, &new.id)?
        || !store::invitations::mark_used(tx, invitation, context.now)?
    {
        return Err(Error::internal("a certificate or invitation was used twice under the council's lock"));
    }
    let context = &as_device(context, &new);
    if let Some(old) = &old {
        orders::on_re_enrolment(tx, context, old, &new)?;
    }
    tell_of(tx, context, &new, &device, device_says.serial.as_deref())?;
    let details = json!({
        "device": device.id, "udid": udid, "serial": device_says.serial, "mode": new.mode, "generation": new.generation,
        "invitation": invitation.id, "certificate": certificate.serial, "replaces": old.map(|old| old.id),
    });
    audit::record(tx, context, council, "device authenticated", new.id.as_str(), details)?;
    Ok(Outcome::Done)
}

fn new_device(
    tx: &mut Transaction<'_>,
    context: &Context,
    invitation: &Invitation,
    udid: &str,
    arrival: &Arrival,
) -> Result<Device> {
    let says = arrival.description.clone();
    let device = Device {
        council_id: invitation.council_id.clone(),
        id: DeviceId::new(),
        asset_id: invitation.asset_id.clone(),
        platform: Platform::Apple,
        udid: udid.to_owned(),
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
