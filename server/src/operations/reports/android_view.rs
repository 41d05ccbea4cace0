//! What people are shown of an Android phone beside the single settings: what it reports by way of Google, never what was sent.

use beadle_profiles::android::report::{self, Reported, Summary};
use serde::Serialize;

use super::android::at_google;
use crate::error::Result;
use crate::model::{Moment, Platform, Posture};
use crate::operations::Context;
use crate::operations::android::observe;
use crate::store::android_enrolments::AndroidEnrolment;
use crate::store::enrolments::Enrolment;
use crate::store::{self, Transaction};

/// What an Android phone reports. What it has not said is absent.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct AndroidReport {
    /// Its state at Google, in Google's word.
    pub state: String,
    /// Where the council's present policy stands on it: applied, not_accepted (Google has not taken it, or refused it),
    /// other_version, other_policy, removed or unknown.
    pub policy: String,
    /// The version of the council's present policy, as Google counts; absent while Google has not taken it.
    pub policy_version: Option<i64>,
    /// The version that the phone applies, as Google counts.
    pub applied_version: Option<i64>,
    /// The full name of the policy that it applies.
    pub applied_policy: Option<String>,
    /// Which of the council's policies it is to have: the everyday one, or that of lost phones.
    pub posture_wanted: Posture,
    /// Whether it says that it complies.
    pub compliant: Option<bool>,
    /// What it does not comply with, and why.
    pub non_compliance: Vec<NonCompliance>,
    /// The rules of its locks, as it applies them.
    pub locks: Vec<AppliedLock>,
    /// Whether a PIN or password is set.
    pub locked_with_pin: Option<bool>,
    /// Its encryption, in words.
    pub encryption: Option<String>,
    /// Google's judgement of its security, in words.
    pub security: Option<String>,
    /// Google says that it may have been tampered with.
    pub compromised: bool,
    /// The risks that Google names, in words.
    pub risks: Vec<String>,
    /// Its Android version.
    pub android_version: Option<String>,
    /// Its security patch level, as it spells it.
    pub patch_level: Option<String>,
    /// Days since the date of the patch level.
    pub patch_age_days: Option<i64>,
    /// When it last sent a report, as Google spells it.
    pub last_report: Option<String>,
    /// When it last fetched its policy, as Google spells it.
    pub last_policy_sync: Option<String>,
    /// When Beadle last read it at Google.
    pub read_at: Moment,
}

/// One thing that an Android phone does not comply with.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[schema(as = AndroidNonCompliance)]
pub struct NonCompliance {
    /// The reason in words.
    pub told: String,
    /// The titles of the council's settings that it touches.
    pub settings: Vec<String>,
    /// Google's name for the place.
    pub field: String,
    /// Google's name for the reason.
    pub reason: String,
}

/// The rules of one lock, as an Android phone applies them.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct AppliedLock {
    /// Which lock.
    pub lock: String,
    /// Its rules, in words.
    pub rules: Vec<String>,
}

/// What the phone of an enrolment reported last; `None` for an iPhone, and for a phone that was never read.
pub fn android_report(
    tx: &mut Transaction<'_>,
    context: &Context,
    enrolment: &Enrolment,
) -> Result<Option<AndroidReport>> {
    if enrolment.platform != Platform::Android {
        return Ok(None);
    }
    let (council, id) = (&enrolment.council_id, &enrolment.id);
    let (Some(kept), Some(android)) = (
        store::reports::find_named(tx, council, id, observe::REPORT)?,
        store::android_enrolments::find(tx, council, id)?,
    ) else {
        return Ok(None);
    };
    let known = at_google(tx, enrolment)?;
    let device = serde_json::from_str(&kept.answer)?;
    let reported = Reported {
        device: &device,
        policy_name: known.as_ref().map_or("", |known| &known.name),
        policy_version_at_google: known.as_ref().and_then(|known| known.number),
    };
    let summary = report::summary(&reported, context.now.utc().date_naive());
    Ok(Some(shown(summary, android, reported.policy_version_at_google)))
}

fn shown(summary: Summary, android: AndroidEnrolment, policy_version: Option<i64>) -> AndroidReport {
    let non_compliance = summary.non_compliance.into_iter().map(|detail| NonCompliance {
        told: detail.told,
        settings: detail.settings.into_iter().map(str::to_owned).collect(),
        field: detail.field,
        reason: detail.reason,
    });
    let locks = summary.locks.into_iter().map(|lock| AppliedLock { lock: lock.lock.to_owned(), rules: lock.rules });
    AndroidReport {
        state: android.google_state,
        policy: summary.policy.as_str().to_owned(),
        policy_version,
        applied_version: summary.applied_version,
        applied_policy: summary.applied_policy,
        posture_wanted: android.posture,
        compliant: summary.compliant,
        non_compliance: non_compliance.collect(),
        locks: locks.collect(),
        locked_with_pin: summary.locked_with_pin,
        encryption: summary.encryption,
        security: summary.posture,
        compromised: summary.compromised,
        risks: summary.risks,
        android_version: summary.android_version,
        patch_level: summary.patch_level,
        patch_age_days: summary.patch_age_days,
        last_report: summary.last_report,
        last_policy_sync: summary.last_policy_sync,
        read_at: android.read_at,
    }
}
