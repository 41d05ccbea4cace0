//! What of a policy a phone cannot do in its mode or version, or its holder has not done: the details of non-compliance.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::options::{AndroidOptions, Lock};
use super::passwords::{self, sufficient};
use super::state::Mode;

/// Where a setting works.
enum Where {
    /// Only on the council's own phones.
    Company,
    /// Only when the whole phone is managed.
    Managed,
    /// Only beside a work profile.
    WorkProfile,
    /// In every mode.
    Anywhere,
}

impl Where {
    fn holds(&self, mode: Mode) -> bool {
        match self {
            Self::Company => mode.company_owned(),
            Self::Managed => mode == Mode::FullyManaged,
            Self::WorkProfile => mode.has_work_profile(),
            Self::Anywhere => true,
        }
    }
}

/// Settings by their path, where they work, and from which API level on. Where Google's descriptions are silent, what Android lets the
/// owner of a work profile on the council's own phone restrict counts.
const SETTINGS: [(&str, Where, u32); 44] = [
    ("adjustVolumeDisabled", Where::Managed, 0),
    ("assistContentPolicy", Where::Anywhere, 35),
    ("autoDateAndTimeZone", Where::Company, 0),
    ("backupService", Where::Managed, 26),
    ("bluetoothConfigDisabled", Where::Company, 0),
    ("bluetoothDisabled", Where::Company, 26),
    ("cellBroadcastsConfigDisabled", Where::Company, 0),
    ("crossProfilePolicies", Where::WorkProfile, 0),
    ("crossProfilePolicies.exemptionsToShowWorkContactsInPersonalProfile", Where::WorkProfile, 34),
    ("dataRoamingDisabled", Where::Company, 0),
    ("deviceOwnerLockScreenInfo", Where::Company, 0),
    ("deviceWidePolicies", Where::Company, 0),
    ("factoryResetDisabled", Where::Managed, 0),
    ("frpAdminEmails", Where::Managed, 0),
    ("funDisabled", Where::Managed, 0),
    ("keyguardDisabled", Where::Managed, 0),
    ("kioskCustomLauncherEnabled", Where::Managed, 0),
    ("locationMode", Where::Company, 0),
    ("microphoneAccess", Where::Managed, 0),
    ("mobileNetworksConfigDisabled", Where::Company, 0),
    ("mountPhysicalMediaDisabled", Where::Company, 0),
    ("networkResetDisabled", Where::Managed, 0),
    ("outgoingCallsDisabled", Where::Company, 0),
    ("personalUsagePolicies", Where::Company, 0),
    ("printingPolicy", Where::Anywhere, 28),
    ("recommendedGlobalProxy", Where::Managed, 0),
    ("smsDisabled", Where::Company, 0),
    ("systemUpdate", Where::Company, 0),
    ("unifiedUpdatePolicy", Where::Company, 0),
    ("advancedSecurityOverrides.commonCriteriaMode", Where::Company, 30),
    ("advancedSecurityOverrides.contentProtectionPolicy", Where::Anywhere, 35),
    ("advancedSecurityOverrides.developerSettings", Where::Company, 0),
    ("advancedSecurityOverrides.mtePolicy", Where::Company, 34),
    ("deviceConnectivityManagement.configureWifi", Where::Company, 0),
    ("deviceConnectivityManagement.tetheringSettings", Where::Company, 0),
    ("deviceConnectivityManagement.usbDataAccess", Where::Company, 0),
    ("deviceConnectivityManagement.wifiDirectSettings", Where::Company, 33),
    ("deviceConnectivityManagement.wifiSsidPolicy", Where::Company, 33),
    ("deviceRadioState.airplaneModeState", Where::Company, 28),
    ("deviceRadioState.cellularTwoGState", Where::Company, 34),
    ("deviceRadioState.minimumWifiSecurityLevel", Where::Company, 33),
    ("deviceRadioState.ultraWidebandState", Where::Company, 34),
    ("deviceRadioState.userInitiatedAddEsimSettings", Where::Company, 35),
    ("deviceRadioState.wifiState", Where::Company, 33),
];

/// What a phone is at the moment of judging.
pub(crate) struct Judged<'a> {
    pub(crate) options: &'a AndroidOptions,
    pub(crate) mode: Mode,
    pub(crate) screen_lock: Lock,
    pub(crate) work_lock: Option<Lock>,
    pub(crate) work_apps: &'a BTreeSet<String>,
}

fn detail(setting: &str, reason: &str) -> Value {
    json!({ "settingName": setting, "nonComplianceReason": reason })
}

fn with_path(setting: &str, path: &str, reason: &str) -> Value {
    json!({ "settingName": setting, "fieldPath": path, "nonComplianceReason": reason })
}

/// Every detail of non-compliance, in the order of the policy's settings.
pub(crate) fn non_compliance(policy: &Value, phone: &Judged<'_>) -> Vec<Value> {
    let mut found = Vec::new();
    for (path, place, level) in &SETTINGS {
        let value = path.split('.').try_fold(policy, |value, name| value.get(name));
        // Leaving location to its holder asks nothing of a phone.
        if value.is_none() || value.is_some_and(|value| value == "LOCATION_USER_CHOICE") {
            continue;
        }
        let setting = path.split('.').next().unwrap_or_default();
        let reason = if !place.holds(phone.mode) {
            "MANAGEMENT_MODE"
        } else if phone.options.api_level < *level {
            "API_LEVEL"
        } else {
            continue;
        };
        found.push(if path.contains('.') { with_path(setting, path, reason) } else { detail(setting, reason) });
    }
    location(policy, phone, &mut found);
    usb(policy, phone, &mut found);
    locks(policy, phone, &mut found);
    if policy.get("encryptionPolicy").is_some() && !phone.options.encrypted {
        found.push(detail("encryptionPolicy", "USER_ACTION"));
    }
    let wanted = policy.get("minimumApiLevel").and_then(Value::as_u64).unwrap_or(0);
    if u64::from(phone.options.api_level) < wanted {
        found.push(detail("minimumApiLevel", "OS_NOT_PERMITTED"));
    }
    applications(policy, phone, &mut found);
    found
}

/// A work profile on a company-owned phone cannot turn location on or off itself from Android 11 on.
fn location(policy: &Value, phone: &Judged<'_>, found: &mut Vec<Value>) {
    let mode = policy.get("locationMode").and_then(Value::as_str).unwrap_or_default();
    if phone.mode == Mode::CompanyWorkProfile && phone.options.api_level >= 30 {
        let wrong = match mode {
            "LOCATION_ENFORCED" => !phone.options.location_on,
            "LOCATION_DISABLED" => phone.options.location_on,
            _ => false,
        };
        if wrong {
            found.push(detail("locationMode", "USER_ACTION"));
        }
    }
}

fn usb(policy: &Value, phone: &Judged<'_>, found: &mut Vec<Value>) {
    let path = "deviceConnectivityManagement.usbDataAccess";
    let all = policy
        .pointer("/deviceConnectivityManagement/usbDataAccess")
        .is_some_and(|value| value == "DISALLOW_USB_DATA_TRANSFER");
    if all && phone.mode.company_owned() && phone.options.api_level < 31 {
        found.push(with_path("deviceConnectivityManagement", path, "API_LEVEL"));
    }
}

fn locks(policy: &Value, phone: &Judged<'_>, found: &mut Vec<Value>) {
    for applied in passwords::applied(policy, phone.mode, phone.options.api_level) {
        let path = format!("passwordPolicies[{}]", applied.place);
        if let Some(reason) = applied.refused {
            found.push(with_path("passwordPolicies", &path, reason));
            continue;
        }
        if applied.shown["unifiedLockSettings"] == "REQUIRE_SEPARATE_WORK_LOCK" && phone.work_lock.is_none() {
            let path = format!("{path}.unifiedLockSettings");
            found.push(with_path("passwordPolicies", &path, "USER_ACTION"));
        }
        // One lock opens both unless the holder set another for work.
        let lock = if applied.profile { phone.work_lock.unwrap_or(phone.screen_lock) } else { phone.screen_lock };
        if !sufficient(lock, &applied.shown) {
            let scope = applied.shown["passwordScope"].clone();
            let mut weak = with_path("passwordPolicies", &path, "USER_ACTION");
            weak["specificNonComplianceReason"] = "PASSWORD_POLICIES_PASSWORD_NOT_SUFFICIENT".into();
            weak["specificNonComplianceContext"] =
                json!({ "passwordPoliciesContext": { "passwordPolicyScope": scope } });
            found.push(weak);
        }
    }
}

fn applications(policy: &Value, phone: &Judged<'_>, found: &mut Vec<Value>) {
    let list = policy.get("applications").and_then(Value::as_array).into_iter().flatten();
    for (place, application) in list.enumerate() {
        let name = application["packageName"].as_str().unwrap_or_default();
        let forced = matches!(application["installType"].as_str(), Some("FORCE_INSTALLED" | "REQUIRED_FOR_SETUP"));
        if forced && !phone.work_apps.contains(name) {
            let mut missing = with_path("applications", &format!("applications[{place}]"), "APP_NOT_INSTALLED");
            missing["packageName"] = name.into();
            missing["installationFailureReason"] = "NOT_FOUND".into();
            found.push(missing);
        }
    }
}
