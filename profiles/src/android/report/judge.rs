//! What is judged by more than the phone's compliance with the policy: each function is named by a setting's entry.

use chrono::{Datelike, Days, NaiveDate};

use super::{Facts, lock, words};
use crate::android::updates::api_level;
use crate::mode::Mode;
use crate::policy::Policy;
use crate::policy::passcode::PersonalAndroidLock;
use crate::report::{Judgement, State, in_force_because, not_in_force_because, unknown_because};

/// A monthly patch level is dated the 1st or the 5th; by then the month's is out.
const PATCH_DAY: u32 = 5;

/// A PIN is set.
pub(crate) fn lock_set(_: &Policy, facts: &Facts<'_>) -> Judgement {
    match facts.device.is_locked() {
        Some(true) => in_force_because("the phone reports that a PIN or password is set"),
        Some(false) => not_in_force_because("the phone reports that it opens without a PIN"),
        None => unknown_because("the phone has not reported whether a PIN is set"),
    }
}

/// The length. Where a personal phone's own lock is held to a band, its length is known only as far as the band is sure of it.
pub(crate) fn lock_length(policy: &Policy, facts: &Facts<'_>) -> Judgement {
    let sure = policy.passcode.personal_android.sure_length().filter(|_| facts.mode == Mode::PersonalWorkProfile);
    match (sure, policy.passcode.minimum_length) {
        (None, _) | (_, None) => lock::rule(&["passwordPolicies.passwordMinimumLength"], facts),
        (Some(sure), Some(asked)) => {
            let band = lock::rule(&["passwordPolicies.passwordQuality"], facts);
            if band.state == State::InForce && sure < asked {
                unknown_because(format!(
                    "the phone's own lock meets Android's band, which is sure of {sure} characters only; no phone reports more"
                ))
            } else {
                band
            }
        }
    }
}

/// Letters. A personal phone's own lock is held to a band, and digits will do for any band.
pub(crate) fn lock_letters(policy: &Policy, facts: &Facts<'_>) -> Judgement {
    if facts.mode == Mode::PersonalWorkProfile && policy.passcode.personal_android.sure_length().is_some() {
        return not_in_force_because("the council chose a band for the phone's own lock, and digits will do for it");
    }
    lock::rule(&["passwordPolicies.passwordQuality"], facts)
}

/// The lock of a personal phone is the one the council chose.
pub(crate) fn personal_lock(policy: &Policy, facts: &Facts<'_>) -> Judgement {
    let fields: &[&str] = match policy.passcode.personal_android {
        PersonalAndroidLock::WorkLock => &["passwordPolicies.unifiedLockSettings", "passwordPolicies.passwordQuality"],
        _ => &["passwordPolicies.passwordQuality"],
    };
    lock::rule(fields, facts)
}

/// Storage is encrypted, as the phone reports it; and it protects only behind a PIN.
pub(crate) fn encryption(_: &Policy, facts: &Facts<'_>) -> Judgement {
    if let Some(reason) = facts.failing(&["encryptionPolicy"]) {
        return not_in_force_because(reason);
    }
    let Some(status) = facts.device.text("/deviceSettings/encryptionStatus") else {
        return unknown_because("the phone has not reported its encryption");
    };
    let told = format!("the phone reports its storage as {}", words::encryption(status));
    match (status, facts.device.is_locked()) {
        ("ACTIVE" | "ACTIVE_PER_USER", Some(true)) => in_force_because(format!("{told}, behind a PIN")),
        ("ACTIVE" | "ACTIVE_PER_USER", Some(false)) => {
            not_in_force_because(format!("{told}, but it opens without a PIN, and so nothing is protected"))
        }
        ("ACTIVE" | "ACTIVE_PER_USER", None) => unknown_because(format!("{told}, but not whether a PIN is set")),
        ("ACTIVE_DEFAULT_KEY" | "ACTIVATING" | "INACTIVE" | "UNSUPPORTED", _) => not_in_force_because(told),
        _ => unknown_because(told),
    }
}

/// There is a work profile, which keeps work data from personal apps.
pub(crate) fn work_profile(_: &Policy, facts: &Facts<'_>) -> Judgement {
    match facts.device.text("/managementMode") {
        Some("PROFILE_OWNER") => in_force_because("the phone reports a work profile"),
        Some("DEVICE_OWNER") => not_in_force_because("the phone reports no work profile: it is managed as a whole"),
        _ => unknown_because("the phone has not reported how it is managed"),
    }
}

/// Unknown sources are blocked; on a personal phone the personal side is not asked about.
pub(crate) fn other_sources(_: &Policy, facts: &Facts<'_>) -> Judgement {
    let open = facts.device.flag("/deviceSettings/unknownSourcesEnabled");
    if facts.mode != Mode::PersonalWorkProfile && open == Some(true) {
        return not_in_force_because("the phone reports that apps from unknown sources can be installed");
    }
    facts.applied(&["advancedSecurityOverrides.untrustedAppsPolicy"])
}

/// Security is still on the phone: it reports, and on a council phone developer options are off.
pub(crate) fn not_removed(_: &Policy, facts: &Facts<'_>) -> Judgement {
    let developer = facts.device.flag("/deviceSettings/developmentSettingsEnabled");
    if facts.mode != Mode::PersonalWorkProfile && developer == Some(true) {
        return not_in_force_because("the phone reports that developer options are on");
    }
    facts.applied(&["advancedSecurityOverrides.developerSettings"])
}

/// Every app the council installs is there, as far as the phone complains of none.
pub(crate) fn required_apps(policy: &Policy, facts: &Facts<'_>) -> Judgement {
    if facts.whole.state != State::InForce {
        return facts.whole.clone();
    }
    let details = facts.device.non_compliance();
    let missing = details.iter().find(|detail| {
        detail.setting == "applications"
            && (detail.package.is_empty() || policy.apps.android_required.iter().any(|name| name == detail.package))
    });
    match missing {
        Some(detail) => not_in_force_because(words::told(detail)),
        None if facts.fails_silently() => facts.applied(&[]),
        None => in_force_because("the phone applies this version of the policy and complains of no app"),
    }
}

/// Council phones update by themselves; of a personal phone there is only its patch level to go by.
pub(crate) fn kept_current(policy: &Policy, facts: &Facts<'_>) -> Judgement {
    if policy.updates.patch_within_days.is_some() {
        return patch_age(policy, facts);
    }
    if facts.mode != Mode::PersonalWorkProfile {
        return facts.applied(&["systemUpdate"]);
    }
    match facts.device.text("/softwareInfo/securityPatchLevel") {
        Some(level) => unknown_because(format!(
            "the phone reports the patch level {}; set updates.patch_within_days to have it judged",
            words::shown(level)
        )),
        None => unknown_because("the phone has not reported its patch level yet"),
    }
}

/// The reported Android is not older than the policy's.
pub(crate) fn minimum_version(policy: &Policy, facts: &Facts<'_>) -> Judgement {
    let version = policy.updates.minimum_android.unwrap_or_default();
    let shown = match facts.device.text("/softwareInfo/androidVersion") {
        Some(version) => format!("the phone reports Android {}", words::shown(version)),
        None => "the phone reports its API level".to_owned(),
    };
    match facts.device.number("/apiLevel") {
        Some(level) if level >= i64::from(api_level(version)) => in_force_because(shown),
        Some(_) => not_in_force_because(format!("{shown}, older than {version}")),
        None => match facts.failing(&["minimumApiLevel"]) {
            Some(reason) => not_in_force_because(reason),
            None => unknown_because("the phone has not reported its Android version yet"),
        },
    }
}

/// The reported patch level is the newest, or was overtaken no longer ago than the policy allows. Levels are monthly, so that one is
/// overtaken when the next month's is out; counting from its own date would flag every phone each month.
pub(crate) fn patch_age(policy: &Policy, facts: &Facts<'_>) -> Judgement {
    let allowed = policy.updates.patch_within_days.unwrap_or_default();
    let Some(text) = facts.device.text("/softwareInfo/securityPatchLevel") else {
        return unknown_because("the phone has not reported its patch level yet");
    };
    let told = format!("the phone reports the patch level {}", words::shown(text));
    let late = text.parse::<NaiveDate>().ok().and_then(overtaken_on).and_then(|overtaken| {
        let due = overtaken.checked_add_days(Days::new(u64::from(allowed)))?;
        Some((facts.today > due, overtaken))
    });
    match late {
        Some((false, _)) => in_force_because(told),
        Some((true, overtaken)) => {
            not_in_force_because(format!("{told}, overtaken since {overtaken}, which is longer than {allowed} days"))
        }
        None => unknown_because(format!("{told}, which is not a date")),
    }
}

/// When the level of the month after this one is out.
fn overtaken_on(level: NaiveDate) -> Option<NaiveDate> {
    let (year, month) =
        if level.month() == 12 { (level.year().checked_add(1)?, 1) } else { (level.year(), level.month() + 1) };
    NaiveDate::from_ymd_opt(year, month, PATCH_DAY)
}
