//! What an Android phone reports of the policy, by way of Google.

use std::collections::BTreeMap;

use beadle_profiles::android::report::{self, PolicyState, Reported};
use serde_json::Value;

use super::judge::keep;
use super::policy_in_force;
use crate::error::Result;
use crate::model::Posture;
use crate::operations::android::{Seen, observe, policies as google_policies};
use crate::operations::{Context, alerts, policies};
use crate::store::enrolments::Enrolment;
use crate::store::{self, Transaction};

/// The alert about a phone that does not obey.
const NOT_COMPLIANT: &str = "policy_not_obeyed";
/// The alert about a phone that may have been tampered with.
const COMPROMISED: &str = "phone_compromised";

/// Judges every setting by what was just read of the phone.
pub(in crate::operations) fn judge_android(
    tx: &mut Transaction<'_>,
    context: &Context,
    enrolment: &Enrolment,
    seen: &Seen,
) -> Result<()> {
    judge(tx, context, enrolment, &seen.raw)
}

/// Judges anew what the phone said last, because the policy changed.
pub(super) fn judge_again(tx: &mut Transaction<'_>, context: &Context, enrolment: &Enrolment) -> Result<()> {
    match store::reports::find_named(tx, &enrolment.council_id, &enrolment.id, observe::REPORT)? {
        Some(report) => judge(tx, context, enrolment, &serde_json::from_str(&report.answer)?),
        None => Ok(()),
    }
}

/// Whether the phone said last that no PIN, pattern or password is set (`deviceSettings.isDeviceSecure`). A phone that did not say
/// is not said to have none.
pub(in crate::operations) fn says_no_passcode(tx: &mut Transaction<'_>, enrolment: &Enrolment) -> Result<bool> {
    let report = store::reports::find_named(tx, &enrolment.council_id, &enrolment.id, observe::REPORT)?;
    let Some(report) = report else { return Ok(false) };
    let device: Value = serde_json::from_str(&report.answer)?;
    let secure = device.get("deviceSettings").and_then(|settings| settings.get("isDeviceSecure"));
    Ok(secure.and_then(Value::as_bool) == Some(false))
}

/// The council's present policy for a phone, and what Google has of it.
pub(super) struct AtGoogle {
    version: policies::Version,
    posture: Posture,
    /// The policy's full name.
    pub(super) name: String,
    /// Google's number for it; `None` while Google has not taken it.
    pub(super) number: Option<i64>,
}

/// What Google has of the policy in force; `None` where there is none, or the council is not connected.
pub(super) fn at_google(tx: &mut Transaction<'_>, enrolment: &Enrolment) -> Result<Option<AtGoogle>> {
    let council = &enrolment.council_id;
    let (Some(version), Some(android), Some(enterprise)) = (
        policy_in_force(tx, enrolment)?,
        store::android_enrolments::find(tx, council, &enrolment.id)?,
        store::google_enterprises::current(tx, council)?,
    ) else {
        return Ok(None);
    };
    let posture = android.posture_sent;
    let at = store::android_policies::find(tx, council, enrolment.mode, posture)?;
    // Google's number counts only for the version in force: one that was refused, or not sent yet, is in force nowhere.
    let number = at.filter(|row| row.sent_version == Some(version.version)).and_then(|row| row.google_version);
    let name = google_policies::name(&enterprise.name, enrolment.mode, posture);
    Ok(Some(AtGoogle { version, posture, name, number }))
}

fn judge(tx: &mut Transaction<'_>, context: &Context, enrolment: &Enrolment, device: &Value) -> Result<()> {
    let Some(AtGoogle { version, posture, name, number }) = at_google(tx, enrolment)? else { return Ok(()) };
    let reported = Reported { device, policy_name: &name, policy_version_at_google: number };
    let nothing = BTreeMap::new();
    let (mode, ownership) = (enrolment.mode, enrolment.ownership);
    let profile_context = policies::android_context(mode, ownership, posture, version.version, &nothing)?;
    let today = context.now.utc().date_naive();
    keep(tx, context, enrolment, report::in_force(&version.policy, &profile_context, &reported, today))?;
    let applied = report::policy_state(&reported) == PolicyState::Applied;
    store::reports::set_profile_version(tx, enrolment, applied.then_some(version.version))?;
    tell(tx, context, enrolment, &report::summary(&reported, today))
}

/// Tells people of what the phone reports against itself.
fn tell(tx: &mut Transaction<'_>, context: &Context, enrolment: &Enrolment, summary: &report::Summary) -> Result<()> {
    let (council, subject) = (&enrolment.council_id, enrolment.device_id.as_str());
    if summary.compliant == Some(false) {
        let told: Vec<&str> = summary.non_compliance.iter().map(|detail| detail.told.as_str()).take(5).collect();
        let message = format!("This phone does not obey the council's policy in everything: {}.", told.join("; "));
        alerts::raise(tx, context, council, NOT_COMPLIANT, subject, &message)?;
    } else if summary.compliant == Some(true) {
        alerts::end(tx, context, council, NOT_COMPLIANT, subject)?;
    }
    if summary.compromised {
        let message =
            "Google reports that this phone may have been tampered with. Look at it, and do not trust what it says.";
        alerts::raise(tx, context, council, COMPROMISED, subject, message)?;
    } else if summary.posture.is_some() {
        alerts::end(tx, context, council, COMPROMISED, subject)?;
    }
    Ok(())
}
