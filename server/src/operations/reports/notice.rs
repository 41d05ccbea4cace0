//! What in a report a person should hear of: another mode, a profile that is gone.

use beadle_enrollment::apple::management_profile_identifier;
use beadle_profiles::apple::report::{ProfileState, Reported, management_profile_missing, profile_state};
use chrono::Duration;
use serde_json::Value;

use super::sim::text_of;
use super::{answer, policy_in_force, put_profile_back, sim};
use crate::error::Result;
use crate::model::{CommandKind, Confirmation, Mode};
use crate::operations::{Context, alerts, policies, register};
use crate::store::devices::{Description, Device};
use crate::store::enrolments::Enrolment;
use crate::store::reports::Report;
use crate::store::{self, Transaction};

/// A phone that has not reported the policy's profile a day after its enrolment is worth a word.
const SETTLING: Duration = Duration::days(1);

/// What DeviceInformation says about the phone itself.
pub(super) fn device_information(
    tx: &mut Transaction<'_>,
    context: &Context,
    enrolment: &Enrolment,
    answer: &Value,
    before: Option<&Report>,
) -> Result<()> {
    let Some(facts) = answer.get("QueryResponses").filter(|facts| facts.is_object()) else { return Ok(()) };
    let Some(device) = store::devices::find(tx, &enrolment.device_id)? else { return Ok(()) };
    let text = |key: &str| text_of(facts, key);
    let line = |key: &str| sim::first_line(facts, key);
    let description = Description {
        // A serial number never changes: one that differs is looked into, not taken over.
        serial: text("SerialNumber").filter(|_| device.serial.is_none()),
        product: text("ProductName"),
        name: text("DeviceName"),
        os_version: text("OSVersion"),
        imei: line("IMEI"),
        iccid: line("ICCID"),
        phone_number: line("PhoneNumber"),
    };
    serial(tx, context, enrolment, &device, text("SerialNumber"))?;
    sim::compare(tx, context, &device, facts, before)?;
    mode(tx, context, enrolment, facts.get("IsSupervised").and_then(Value::as_bool))?;
    store::devices::describe(tx, &device, &description)?;
    if enrolment.identity_not_after.is_some_and(|end| end - context.now > Duration::days(30)) {
        alerts::end_identity_alerts(tx, context, &enrolment.council_id, enrolment.id.as_str())?;
    }
    Ok(())
}

fn serial(
    tx: &mut Transaction<'_>,
    context: &Context,
    enrolment: &Enrolment,
    device: &Device,
    reported: Option<String>,
) -> Result<()> {
    let Some(reported) = reported else { return Ok(()) };
    let expected = match &device.serial {
        Some(known) => Some(known.clone()),
        None => store::reports::serial_of_asset(tx, &device.council_id, &device.asset_id)?,
    };
    let Some(expected) = expected.filter(|expected| !expected.eq_ignore_ascii_case(&reported)) else { return Ok(()) };
    if device.serial.is_none() && enrolment.confirmation == Confirmation::NotNeeded {
        register::set_confirmation(tx, context, enrolment, Confirmation::Waiting, &reported)?;
    }
    let message = format!(
        "The phone reports serial number {reported}, but {expected} was expected. Confirm which phone this is before \
         anything is decided about it."
    );
    alerts::raise(tx, context, &device.council_id, "serial_differs", device.id.as_str(), &message)
}

fn mode(tx: &mut Transaction<'_>, context: &Context, enrolment: &Enrolment, supervised: Option<bool>) -> Result<()> {
    let Some(supervised) = supervised else { return Ok(()) };
    let (council, subject) = (&enrolment.council_id, enrolment.id.as_str());
    let disagrees = supervised != (enrolment.mode == Mode::Supervised);
    if disagrees != enrolment.mode_disagrees {
        register::set_mode_disagrees(tx, context, enrolment, disagrees)?;
    }
    if !disagrees {
        return alerts::end(tx, context, council, "mode_disagrees", subject);
    }
    let message = if supervised {
        "This phone reports that it is supervised, but it was invited as one that is not. Nothing can be erased until \
         this is resolved: enrol it again with the right invitation."
    } else {
        "This phone was invited as supervised, but reports that it is not: Lost Mode is not available and its holder can \
         remove the council's management. Nothing can be erased until this is resolved: supervise it and enrol it again, \
         or enrol it again as not supervised."
    };
    alerts::raise(tx, context, council, "mode_disagrees", subject, message)
}

/// What ProfileList says: whether the policy is on the phone, and whether management still is what it was.
pub(super) fn profile_list(
    tx: &mut Transaction<'_>,
    context: &Context,
    enrolment: &Enrolment,
    answer: &Value,
    before: Option<&Report>,
) -> Result<()> {
    let Some(profiles) = answer::profiles_of(answer) else { return Ok(()) };
    let reported = Reported { profile_list: Some(profiles), ..Reported::default() };
    management(tx, context, enrolment, &reported, before)?;
    let Some(version) = policy_in_force(tx, enrolment)? else { return Ok(()) };
    let nothing = std::collections::BTreeMap::new();
    let state = profile_state(&policies::context_of(enrolment, version.version, &nothing)?, &reported);
    let (council, subject) = (&enrolment.council_id, enrolment.id.as_str());
    match state {
        ProfileState::Installed => {
            if enrolment.profile_version != Some(version.version) {
                store::reports::set_profile_version(tx, enrolment, Some(version.version))?;
            }
            alerts::end(tx, context, council, "policy_missing", subject)
        }
        ProfileState::OtherVersion => put_profile_back(tx, context, enrolment, version.version),
        ProfileState::Missing => {
            let late = enrolment.enrolled_at.is_some_and(|at| context.now - at > SETTLING);
            if enrolment.profile_version.is_some() || late {
                let message = "The council's policy is not on this phone: it lists its profiles, and ours is not among \
                               them. It is sent again, at most once a day; if it keeps vanishing, ask the holder.";
                alerts::raise(tx, context, council, "policy_missing", subject, message)?;
            }
            put_profile_back(tx, context, enrolment, version.version)?;
            match enrolment.profile_version {
                Some(_) => store::reports::set_profile_version(tx, enrolment, None),
                None => Ok(()),
            }
        }
        ProfileState::Unknown => Ok(()),
    }
}

/// A phone that answers is managed, so a list without the management profile is asked for again before anybody is told.
fn management(
    tx: &mut Transaction<'_>,
    context: &Context,
    enrolment: &Enrolment,
    reported: &Reported,
    before: Option<&Report>,
) -> Result<()> {
    let (council, subject) = (&enrolment.council_id, enrolment.id.as_str());
    let identifier = management_profile_identifier(council.as_str());
    if management_profile_missing(reported, &identifier) != Some(true) {
        return alerts::end(tx, context, council, "management_changed", subject);
    }
    let earlier = match before {
        Some(report) => answer::profiles_of(&serde_json::from_str(&report.answer)?),
        None => None,
    };
    let earlier = Reported { profile_list: earlier, ..Reported::default() };
    if management_profile_missing(&earlier, &identifier) == Some(true) {
        let message = "This phone no longer lists the council's management profile under its own name, yet still answers. \
                       Look at the phone: somebody changed how it is managed.";
        return alerts::raise(tx, context, council, "management_changed", subject, message);
    }
    super::ask(tx, context, enrolment, CommandKind::ProfileList, &[])
}
