//! What people are shown of an Android phone beside the single settings.

use chrono::NaiveDate;
use serde::Serialize;

use super::applied_lock::{AppliedLock, applied_locks};
use super::device::Device;
use super::{PolicyState, Reported, policy_state, words};
use crate::setting;

/// What a phone reports about itself and its policy. What it has not said is absent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Where the council's present policy stands on it.
    pub policy: PolicyState,
    /// The full name of the policy it applies.
    pub applied_policy: Option<String>,
    /// The version of it, as Google counts.
    pub applied_version: Option<i64>,
    /// Whether it says that it complies.
    pub compliant: Option<bool>,
    /// What it does not comply with.
    pub non_compliance: Vec<NonCompliance>,
    /// The rules of its locks, as it applies them.
    pub locks: Vec<AppliedLock>,
    /// Google's judgement of its security, in words.
    pub posture: Option<String>,
    /// Google says that it may have been tampered with.
    pub compromised: bool,
    /// The risks Google names, in words.
    pub risks: Vec<String>,
    /// Its encryption, in words.
    pub encryption: Option<String>,
    /// Whether a PIN or password is set.
    pub locked_with_pin: Option<bool>,
    /// Its Android version.
    pub android_version: Option<String>,
    /// Its security patch level, as it spells it.
    pub patch_level: Option<String>,
    /// Days since the date of the patch level.
    pub patch_age_days: Option<i64>,
    /// When it last sent a report (RFC 3339), as Google spells it.
    pub last_report: Option<String>,
    /// When it last fetched its policy (RFC 3339), as Google spells it.
    pub last_policy_sync: Option<String>,
}

/// One thing a phone does not comply with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NonCompliance {
    /// The titles of the policy's settings that it touches; empty where it is none of the council's.
    pub settings: Vec<&'static str>,
    /// Google's name for the place.
    pub field: String,
    /// Google's name for the reason.
    pub reason: String,
    /// The reason in words.
    pub told: String,
}

/// Sums up a phone's report. `today` is the date by which the age of its patches is counted.
pub fn summary(reported: &Reported<'_>, today: NaiveDate) -> Summary {
    let device = Device(reported.device);
    let text = |pointer: &str| device.text(pointer).map(words::shown);
    let patch_level = device.text("/softwareInfo/securityPatchLevel");
    let risks = device.list("/securityPosture/postureDetails").into_iter().flatten();
    Summary {
        policy: policy_state(reported),
        applied_policy: device.text("/appliedPolicyName").map(str::to_owned),
        applied_version: device.number("/appliedPolicyVersion"),
        compliant: device.flag("/policyCompliant"),
        non_compliance: non_compliance(device),
        locks: applied_locks(device),
        compromised: device.text("/securityPosture/devicePosture") == Some("POTENTIALLY_COMPROMISED"),
        posture: device.text("/securityPosture/devicePosture").map(words::posture),
        risks: risks.filter_map(|detail| detail.get("securityRisk")?.as_str()).map(words::risk).collect(),
        encryption: device.text("/deviceSettings/encryptionStatus").map(words::encryption),
        locked_with_pin: device.is_locked(),
        android_version: text("/softwareInfo/androidVersion"),
        patch_level: patch_level.map(words::shown),
        patch_age_days: patch_level
            .and_then(|level| level.parse::<NaiveDate>().ok())
            .map(|level| today.signed_duration_since(level).num_days()),
        last_report: text("/lastStatusReportTime"),
        last_policy_sync: text("/lastPolicySyncTime"),
    }
}

fn non_compliance(device: Device<'_>) -> Vec<NonCompliance> {
    let details = device.non_compliance();
    details
        .iter()
        .map(|detail| NonCompliance {
            settings: setting::all()
                .filter(|setting| detail.concerns(setting.android.fields))
                .map(|setting| setting.title)
                .collect(),
            field: words::shown(if detail.path.is_empty() { detail.setting } else { detail.path }),
            reason: words::shown(if detail.specific.is_empty() { detail.reason } else { detail.specific }),
            told: words::told(detail),
        })
        .collect()
}
