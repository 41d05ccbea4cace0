//! What a device says about its own management: that it has come, where it can be woken, that it goes.
//!
//! A refusal is an outcome, not an error: the alert that it raises must be committed.

#[cfg(test)]
mod tests;

use chrono::Duration;
use serde_json::json;

use super::{Context, alerts, audit, commands, jobs, orders, reports};
use crate::error::{Error, Result};
use crate::model::{
    Actor, Confirmation, CouncilId, DeviceId, EnrolmentId, EnrolmentState, InvitationState, Mode, Moment, Platform,
};
use crate::store::certificates::Certificate;
use crate::store::devices::{Description, Device};
use crate::store::enrolments::{Enrolment, Tokens};
use crate::store::invitations::Invitation;
use crate::store::{self, Transaction};

/// How long after its invitation's end a phone that has its certificate may still finish enrolling.
const FINISHING: Duration = Duration::hours(1);

/// What became of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Done, or done before.
    Done,
    /// Refused; the reason is for the log.
    Refused(&'static str),
    /// The message lacks what it must have.
    Incomplete(&'static str),
}

/// Whom a certificate belongs to.
#[derive(Clone, Debug)]
pub enum Identified {
    /// To this enrolment, which is pinned to it.
    Pinned(Box<Enrolment>),
    /// To this enrolment, by a renewal that the device has not checked in with yet.
    Renewed(Box<Enrolment>, Box<Certificate>),
    /// To nobody that may speak here.
    Refused(&'static str),
}

/// Finds whom the certificate with this SHA-256 belongs to. `device` is the UDID (or EnrollmentID) that the message gives.
pub fn identify(
    tx: &mut Transaction<'_>,
    council: &CouncilId,
    fingerprint: &str,
    device: Option<&str>,
) -> Result<Identified> {
    let Some(certificate) = store::certificates::find_by_fingerprint(tx, fingerprint)? else {
        return Ok(Identified::Refused("the certificate is not known here"));
    };
    if certificate.council_id != *council {
        return Ok(Identified::Refused("the certificate is another council's"));
    }
    let Some(enrolment) = &certificate.enrolment_id else {
        return Ok(Identified::Refused("the certificate has not checked in yet"));
    };
    let enrolment = store::enrolments::find(tx, council, enrolment)?
        .ok_or_else(|| Error::internal("a certificate's enrolment is missing"))?;
    if certificate.revoked_at.is_some() {
        return Ok(Identified::Refused("the certificate was revoked"));
    }
    if enrolment.ended_at.is_some() {
        return Ok(Identified::Refused("the device is no longer under management"));
    }
    if let Some(told) = device
        && store::devices::find(tx, &enrolment.device_id)?.is_some_and(|known| !known.udid.eq_ignore_ascii_case(told))
    {
        return Ok(Identified::Refused("the certificate is another device's"));
    }
    if enrolment.fingerprint == fingerprint {
        return Ok(Identified::Pinned(Box::new(enrolment)));
    }
    Ok(Identified::Renewed(Box::new(enrolment), Box::new(certificate)))
}

/// The context of what a device itself causes.
#[must_use]
pub fn as_device(context: &Context, enrolment: &Enrolment) -> Context {
    let actor = Actor::Device {
        council: enrolment.council_id.clone(),
        device: enrolment.device_id.clone(),
        enrolment: enrolment.id.clone(),
    };
    Context { actor, ..context.clone() }
}

/// Moves the pin of an enrolment to its renewed identity; queue, state and tokens stay, the old identity is revoked.
pub fn adopt_renewal(
    tx: &mut Transaction<'_>,
    context: &Context,
    enrolment: &Enrolment,
    certificate: &Certificate,
) -> Result<()> {
    let council = &enrolment.council_id;
    audit::lock(tx, council)?;
    store::enrolments::set_identity(tx, enrolment, &certificate.fingerprint, certificate.not_after)?;
    let keep = Some(certificate.fingerprint.as_str());
    store::certificates::revoke_of_enrolment(tx, council, &enrolment.id, keep, context.now, "renewed")?;
    commands::renewed(tx, context, enrolment, certificate)?;
    for alert in ["renewal_failed", "identity_expires"] {
        alerts::end(tx, context, council, alert, enrolment.device_id.as_str())?;
    }
    let details = json!({ "serial": certificate.serial, "not_after": certificate.not_after });
    audit::record(tx, context, council, "identity renewed", enrolment.id.as_str(), details)
}

/// What an Authenticate says.
#[derive(Clone, Debug, Default)]
pub struct Arrival {
    /// UDID, or EnrollmentID under User Enrollment.
    pub udid: Option<String>,
    /// Whether it is an EnrollmentID.
    pub user_enrolment: bool,
    /// The push topic.
    pub topic: Option<String>,
    /// What else it says about itself.
    pub description: Description,
}

/// Authenticate: binds invitation, certificate and device, or recognises a renewal.
pub fn authenticate(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: &CouncilId,
    fingerprint: &str,
    arrival: &Arrival,
) -> Result<Outcome> {
    let Some(udid) = arrival.udid.as_deref().map(str::trim).filter(|udid| !udid.is_empty()) else {
        return Ok(Outcome::Incomplete("neither UDID nor EnrollmentID"));
    };
    let Some(certificate) = store::certificates::find_by_fingerprint(tx, fingerprint)? else {
        return Ok(Outcome::Refused("the certificate is not known here"));
    };
    audit::lock(tx, &certificate.council_id)?;
    // Read again under the lock: another Authenticate may have bound it meanwhile.
    let certificate = store::certificates::find_by_fingerprint(tx, fingerprint)?
        .ok_or_else(|| Error::internal("a certificate vanished"))?;
    if certificate.council_id != *council {
        return misuse(tx, context, &certificate, "a device identity of this council was shown to another council");
    }
    if certificate.revoked_at.is_some() {
        return misuse(tx, context, &certificate, "a revoked device identity was shown again");
    }
    if context.now > certificate.not_after {
        return Ok(Outcome::Refused("the certificate has expired"));
    }
    match (&certificate.enrolment_id, &certificate.invitation_id) {
        (Some(enrolment), _) => again(tx, context, &certificate, enrolment, udid),
        (None, Some(invitation)) => {
            let invitation = store::invitations::find_of_council(tx, council, invitation)?
                .ok_or_else(|| Error::internal("a certificate's invitation is missing"))?;
            first(tx, context, &certificate, &invitation, udid, arrival)
        }
        (None, None) => Err(Error::internal("a certificate belongs to neither an invitation nor an enrolment")),
    }
}

fn misuse(
    tx: &mut Transaction<'_>,
    context: &Context,
    certificate: &Certificate,
    problem: &'static str,
) -> Result<Outcome> {
    let message = format!("Refused: {problem} (certificate {}).", certificate.serial);
    alerts::raise(tx, context, &certificate.council_id, "identity_misused", &certificate.serial, &message)?;
    Ok(Outcome::Refused(problem))
}

/// Authenticate with a certificate that is an enrolment's already: a repeat, or its renewal.
fn again(
    tx: &mut Transaction<'_>,
    context: &Context,
    certificate: &Certificate,
    enrolment: &EnrolmentId,
    udid: &str,
) -> Result<Outcome> {
    let enrolment = store::enrolments::find(tx, &certificate.council_id, enrolment)?
        .ok_or_else(|| Error::internal("a certificate's enrolment is missing"))?;
    let device = store::devices::find(tx, &enrolment.device_id)?.ok_or(Error::NotFound("device"))?;
    if !device.udid.eq_ignore_ascii_case(udid) {
        return misuse(tx, context, certificate, "one device's identity was shown by another device");
    }
    if enrolment.ended_at.is_some() {
        return misuse(tx, context, certificate, "the identity of a device that has left management was shown again");
    }
    if enrolment.fingerprint != certificate.fingerprint {
        adopt_renewal(tx, &as_device(context, &enrolment), &enrolment, certificate)?;
    }
    store::enrolments::touch(tx, &enrolment, context.now)?;
    Ok(Outcome::Done)
}

/// The first Authenticate with a certificate.
fn first(
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
            store::devices::retire(tx, &other, context.now)?;
        }
    }
    let (device, old) = match known {
        Some(device) if device.asset_id == invitation.asset_id => {
            if device.retired_at.is_some() {
                store::devices::reinstate(tx, &device, &invitation.asset_id)?;
            }
            let old = store::enrolments::live_of_device(tx, council, &device.id)?;
            (device, old)
        }
        Some(device) if device.retired_at.is_some() => {
            store::devices::reinstate(tx, &device, &invitation.asset_id)?;
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
    let confirmation = compare_serial(tx, &device, device_says.serial.as_deref(), latest.as_ref())?;
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

fn compare_serial(
    tx: &mut Transaction<'_>,
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
            store::devices::take_serial_over(tx, council, asset, reported)?;
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
        alerts::raise(tx, context, &device.council_id, "mode_disagrees", new.id.as_str(), message)?;
    }
    alerts::end(tx, context, &device.council_id, "left_management", subject)
}

/// What a TokenUpdate says; the secrets are sealed for the enrolment `sealed_for` already.
#[derive(Clone, Debug)]
pub struct TokenChange {
    /// The enrolment whose id the secrets are bound to.
    pub sealed_for: EnrolmentId,
    /// The push topic, if the message has one.
    pub topic: Option<String>,
    /// The push token, hexadecimal.
    pub push_token: String,
    /// PushMagic, sealed.
    pub sealed_push_magic: Vec<u8>,
    /// UnlockToken, sealed; only when the message has one.
    pub sealed_unlock_token: Option<Vec<u8>>,
    /// Whether Automated Device Enrollment waits for DeviceConfigured.
    pub awaiting_configuration: bool,
}

/// TokenUpdate: where the device can be woken. The first after Authenticate means that it is under management.
pub fn token_update(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: &CouncilId,
    fingerprint: &str,
    device: Option<&str>,
    change: &TokenChange,
) -> Result<Outcome> {
    let enrolment = match identify(tx, council, fingerprint, device)? {
        Identified::Refused(reason) => return Ok(Outcome::Refused(reason)),
        Identified::Pinned(enrolment) => enrolment,
        Identified::Renewed(enrolment, certificate) => {
            adopt_renewal(tx, &as_device(context, &enrolment), &enrolment, &certificate)?;
            enrolment
        }
    };
    if enrolment.id != change.sealed_for {
        return Err(Error::Unavailable("the enrolment changed while its tokens were sealed".to_owned()));
    }
    let context = &as_device(context, &enrolment);
    let tokens = Tokens {
        topic: change.topic.as_deref(),
        push_token: &change.push_token,
        sealed_push_magic: &change.sealed_push_magic,
        sealed_unlock_token: change.sealed_unlock_token.as_deref(),
    };
    store::enrolments::set_tokens(tx, &enrolment, &tokens, context.now)?;
    store::enrolments::touch(tx, &enrolment, context.now)?;
    if enrolment.state != EnrolmentState::Authenticated {
        // What waited while the push service refused the former token can be pushed again.
        if enrolment.push_retired_at.is_some() {
            alerts::end(tx, context, council, jobs::PUSH_RETIRED, enrolment.id.as_str())?;
            jobs::wake(tx, context, council, &enrolment.id)?;
        }
        return Ok(Outcome::Done);
    }
    audit::lock(tx, council)?;
    if store::enrolments::mark_enrolled(tx, &enrolment, context.now)? {
        let enrolment = store::enrolments::find(tx, council, &enrolment.id)?.ok_or(Error::NotFound("enrolment"))?;
        let details = json!({ "device": enrolment.device_id, "mode": enrolment.mode });
        audit::record(tx, context, council, "device enrolled", enrolment.id.as_str(), details)?;
        reports::refresh(tx, context, &enrolment)?;
        if change.awaiting_configuration && enrolment.mode == Mode::Supervised {
            commands::queue(tx, context, &enrolment, &configured())?;
        }
    }
    Ok(Outcome::Done)
}

/// After everything else that is queued at enrolment: the set-up assistant goes on.
fn configured() -> commands::NewCommand {
    commands::NewCommand {
        kind: crate::model::CommandKind::DeviceConfigured,
        payload: json!({}),
        priority: 90,
        case: None,
        expires_in: Duration::days(7),
        supersede_key: Some("device_configured"),
    }
}

/// CheckOut: the holder removed management. Nothing is delivered afterwards.
pub fn check_out(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: &CouncilId,
    fingerprint: &str,
    device: Option<&str>,
) -> Result<Outcome> {
    let enrolment = match identify(tx, council, fingerprint, device)? {
        Identified::Refused("the device is no longer under management" | "the certificate was revoked") => {
            return Ok(Outcome::Done);
        }
        Identified::Refused(reason) => return Ok(Outcome::Refused(reason)),
        Identified::Pinned(enrolment) | Identified::Renewed(enrolment, _) => enrolment,
    };
    let context = &as_device(context, &enrolment);
    audit::lock(tx, council)?;
    end(tx, context, &enrolment, "checked_out", "the device left management")?;
    orders::on_left_management(tx, context, &enrolment)?;
    let device = store::devices::find(tx, &enrolment.device_id)?.ok_or(Error::NotFound("device"))?;
    let tag = store::devices::asset_tag_and_serial(tx, council, &device.asset_id)?.map(|(tag, _)| tag);
    let message = format!(
        "The management of {} was removed on the phone itself. The council can no longer see, lock or wipe it; invite it \
         again.",
        tag.unwrap_or_default()
    );
    alerts::raise(tx, context, council, "left_management", device.id.as_str(), &message)?;
    let details = json!({ "device": device.id, "reason": "checked_out" });
    audit::record(tx, context, council, "device left management", enrolment.id.as_str(), details)?;
    Ok(Outcome::Done)
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
    Ok(true)
}

/// When an enrolment was last heard from, for pages; a device that is silent may be off.
#[must_use]
pub fn is_silent(enrolment: &Enrolment, now: Moment) -> bool {
    now - enrolment.last_seen_at > Duration::days(14)
}

/// The enrolment as it stands in this transaction.
pub fn current(tx: &mut Transaction<'_>, enrolment: &Enrolment) -> Result<Enrolment> {
    store::enrolments::find(tx, &enrolment.council_id, &enrolment.id)?.ok_or(Error::NotFound("enrolment"))
}
