//! What was read of a device at Google is written down: a notification is only a hint, this is what counts.

use serde_json::json;

use super::super::check_in::as_device;
use super::super::{Context, alerts, audit, jobs, losses, reports};
use super::arrive::arrive;
use super::gone::gone;
use super::{Seen, enterprise_of};
use crate::error::{Error, Result};
use crate::model::{Moment, Posture};
use crate::store::android_enrolments::AndroidEnrolment;
use crate::store::enrolments::Enrolment;
use crate::store::reports::Report;
use crate::store::{self, Transaction};

/// The kind under which a device's last answer is kept.
pub const REPORT: &str = "android_device";
/// Google's word for a device that it no longer manages.
const DELETED: &str = "DELETED";
/// In lost mode: what it reports is not the word of somebody who uses it.
const LOST: &str = "LOST";
/// Google's word for a device that is still being set up.
const PROVISIONING: &str = "PROVISIONING";
/// The longest answer that is kept, in bytes; a device's answer has some tens of thousands.
const LONGEST: usize = 1024 * 1024;

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Observed {
    /// It is this enrolment.
    Known(Box<EnrolmentName>),
    /// It is nobody's that Beadle manages.
    Unknown,
    /// It has gone.
    Gone,
}

/// An enrolment and its council.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnrolmentName {
    /// The council.
    pub council: crate::model::CouncilId,
    /// The enrolment.
    pub enrolment: crate::model::EnrolmentId,
}

/// Takes in a device as Google had it at `asked_at`. Answers that overtook each other do no harm: an older one changes nothing.
pub fn observe(tx: &mut Transaction<'_>, context: &Context, seen: &Seen, asked_at: Moment) -> Result<Observed> {
    let Some(enterprise) = enterprise_of(&seen.name) else { return Ok(Observed::Unknown) };
    let Some(enterprise) = store::google_enterprises::find_by_name(tx, enterprise)? else {
        return Ok(Observed::Unknown);
    };
    let council = enterprise.council_id;
    let Some(row) = store::android_enrolments::find_by_device(tx, &seen.name)? else {
        if seen.state == DELETED || seen.state == PROVISIONING {
            return Ok(Observed::Unknown);
        }
        let Some(enrolment) = arrive(tx, context, &council, seen)? else { return Ok(Observed::Unknown) };
        let row = store::android_enrolments::find_by_device(tx, &seen.name)?
            .ok_or_else(|| Error::internal("an enrolment just made is missing"))?;
        keep(tx, context, &enrolment, &row, seen, asked_at)?;
        return Ok(known(&enrolment));
    };
    if row.council_id != council {
        return Err(Error::internal("a device's council is not its enterprise's"));
    }
    let enrolment = store::enrolments::find(tx, &council, &row.enrolment_id)?
        .ok_or_else(|| Error::internal("an Android enrolment is missing"))?;
    if enrolment.ended_at.is_some() || row.read_at > asked_at {
        return Ok(known(&enrolment));
    }
    if seen.state == DELETED {
        gone(tx, context, &enrolment, "Google says that the device was deleted")?;
        return Ok(Observed::Gone);
    }
    keep(tx, context, &enrolment, &row, seen, asked_at)?;
    Ok(known(&enrolment))
}

/// A phone was heard from, and has just been read: what waits for it goes on. Only where Google has something of it under way is
/// there more to ask; to read the phone itself once more would cost a call for every report.
pub fn look_at_what_waits(tx: &mut Transaction<'_>, context: &Context, of: &EnrolmentName) -> Result<()> {
    if store::google_operations::open_of_enrolment(tx, &of.council, &of.enrolment)?.is_empty() {
        jobs::wake(tx, context, &of.council, &of.enrolment)
    } else {
        jobs::wake_with_hint(tx, context, &of.council, &of.enrolment)
    }
}

fn known(enrolment: &Enrolment) -> Observed {
    Observed::Known(Box::new(EnrolmentName { council: enrolment.council_id.clone(), enrolment: enrolment.id.clone() }))
}

fn keep(
    tx: &mut Transaction<'_>,
    context: &Context,
    enrolment: &Enrolment,
    row: &AndroidEnrolment,
    seen: &Seen,
    asked_at: Moment,
) -> Result<()> {
    let context = &as_device(context, enrolment);
    let council = &enrolment.council_id;
    // The council's lock first, as everywhere: what follows may have to be recorded.
    audit::lock(tx, council)?;
    if let Some(mode) = seen.mode {
        set_disagreement(tx, context, enrolment, mode != enrolment.mode)?;
    }
    let heard = seen.reported_at.filter(|at| row.reported_at.is_none_or(|known| *at > known));
    store::android_enrolments::set_read(
        tx,
        &AndroidEnrolment {
            api_level: seen.api_level.or(row.api_level),
            google_state: seen.state.clone(),
            reported_at: heard.or(row.reported_at),
            read_at: asked_at,
            ..row.clone()
        },
    )?;
    if let Some(device) = store::devices::find(tx, &enrolment.device_id)? {
        store::devices::describe(tx, &device, &seen.description)?;
    }
    let answer = seen.raw.to_string();
    if answer.len() <= LONGEST {
        let received_at = seen.reported_at.unwrap_or(asked_at);
        let report = Report {
            council_id: council.clone(),
            enrolment_id: enrolment.id.clone(),
            kind: REPORT.to_owned(),
            answer,
            received_at,
        };
        store::reports::put(tx, &report)?;
    }
    reports::judge_android(tx, context, enrolment, seen)?;
    if let Some(at) = heard
        && at > enrolment.last_seen_at
    {
        store::enrolments::touch(tx, &enrolment.council_id, &enrolment.id, at)?;
        if !is_in_lost_mode(seen) {
            losses::on_contact_at(tx, context, enrolment, at)?;
        }
    }
    Ok(())
}

/// Google tells apart what the phone is to be (`state`) and what it is (`appliedState`, schema `Device`); lost mode shows in the
/// second, and as long as either says so, nobody uses the phone.
fn is_in_lost_mode(seen: &Seen) -> bool {
    seen.applied_state.as_deref() == Some(LOST) || seen.state == LOST
}

/// The mode is what Google reports; while it is not what the holder was invited to, nothing destructive leaves for the phone.
fn set_disagreement(tx: &mut Transaction<'_>, context: &Context, enrolment: &Enrolment, disagrees: bool) -> Result<()> {
    if disagrees == enrolment.mode_disagrees || !disagrees {
        return Ok(());
    }
    let council = &enrolment.council_id;
    store::enrolments::set_mode_disagrees(tx, enrolment, true)?;
    let message = "Google reports that this phone is managed in another way than its holder was invited to. Until this is \
                   resolved it cannot be wiped: invite it again in the mode it really has.";
    alerts::raise(tx, context, council, "mode_disagrees", enrolment.id.as_str(), message)?;
    audit::record(tx, context, council, "device mode disagrees", enrolment.id.as_str(), json!({}))
}

/// The policy that a phone is to have: while it is reported lost, the one that shows nothing on its lock screen.
pub(super) fn wanted_posture(tx: &mut Transaction<'_>, enrolment: &Enrolment) -> Result<Posture> {
    let device = store::devices::find(tx, &enrolment.device_id)?.ok_or(Error::NotFound("device"))?;
    Ok(if store::devices::has_open_loss(tx, &device)? { Posture::Lost } else { Posture::Everyday })
}
