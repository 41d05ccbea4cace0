//! What a phone says about itself, honestly for its mode and as far as the policy asks.

use serde_json::{Map, Value, json};

use super::options::AndroidOptions;
use super::passwords;
use super::state::{Mode, PhoneState};
use crate::android::cloud::written;

/// An identifier that is the same for the same phone in the same enterprise, and says nothing about its hardware.
pub(crate) fn enterprise_specific_id(serial: &str, enterprise: &str) -> String {
    let digest = openssl::sha::sha256(format!("{serial}/{enterprise}").as_bytes());
    hex::encode_upper(digest.get(..16).unwrap_or_default())
}

/// The device as the phone reports it.
pub(crate) fn report(
    options: &AndroidOptions,
    state: &PhoneState,
    mode: Mode,
    enterprise: &str,
    now: i64,
) -> Map<String, Value> {
    let mut report = Map::new();
    let mut put = |name: &str, value: Value| report.insert(name.to_owned(), value);
    put("apiLevel", options.api_level.into());
    put("appliedState", state.applied_state.clone().into());
    put("policyCompliant", state.non_compliance.is_empty().into());
    if !state.non_compliance.is_empty() {
        put("nonComplianceDetails", state.non_compliance.clone().into());
    }
    put("securityPosture", posture(options));
    put("memoryInfo", json!({ "totalRam": "8589934592", "totalInternalStorage": "134217728000" }));
    put("hardwareInfo", hardware(options, mode, enterprise));
    let empty = json!({});
    let body = state.policy.as_ref().map_or(&empty, |policy| policy.body.as_ref());
    if let Some(policy) = &state.policy {
        put("appliedPolicyName", policy.name.clone().into());
        put("appliedPolicyVersion", policy.version.to_string().into());
        let applied = passwords::applied(body, mode, options.api_level);
        let applied: Vec<Value> =
            applied.into_iter().filter(|applied| applied.refused.is_none()).map(|applied| applied.shown).collect();
        if !applied.is_empty() {
            put("appliedPasswordPolicies", applied.into());
        }
    }
    let asked = |name: &str| body.pointer(&format!("/statusReportingSettings/{name}")) == Some(&Value::Bool(true));
    if asked("softwareInfoEnabled") {
        put(
            "softwareInfo",
            json!({
                "androidVersion": options.android_version,
                "androidBuildNumber": format!("{} user release-keys", options.model),
                "securityPatchLevel": options.security_patch,
                "primaryLanguageCode": "en-GB",
                "androidDevicePolicyVersionName": "140.25.1",
                "androidDevicePolicyVersionCode": 14_025_010,
                "systemUpdateInfo": { "updateStatus": "UP_TO_DATE" },
            }),
        );
    }
    if asked("deviceSettingsEnabled") {
        let encryption = match (options.encrypted, state.screen_lock.secure()) {
            (false, _) => "INACTIVE",
            (true, false) => "ACTIVE_DEFAULT_KEY",
            (true, true) => "ACTIVE_PER_USER",
        };
        let mut settings = json!({ "encryptionStatus": encryption, "verifyAppsEnabled": true });
        for (name, value) in [
            ("isDeviceSecure", state.screen_lock.secure()),
            ("isEncrypted", options.encrypted),
            ("developmentSettingsEnabled", options.developer_options),
        ] {
            if value {
                settings[name] = true.into();
            }
        }
        put("deviceSettings", settings);
    }
    if asked("networkInfoEnabled") {
        put("networkInfo", network(options, mode));
    }
    if asked("applicationReportsEnabled") {
        let apps = state.work_apps.iter().map(|package| {
            json!({ "packageName": package, "versionName": "1.0", "versionCode": 1, "state": "INSTALLED", "applicationSource": "INSTALLED_FROM_PLAY_STORE" })
        });
        put("applicationReports", apps.collect());
    }
    // A personal phone's hardware is its holder's business.
    if asked("hardwareStatusEnabled") && mode.company_owned() {
        put("hardwareStatusSamples", json!([{ "createTime": written(now), "batteryTemperatures": [29.5] }]));
    }
    report
}

fn posture(options: &AndroidOptions) -> Value {
    if options.rooted {
        json!({ "devicePosture": "POTENTIALLY_COMPROMISED", "postureDetails": [{ "securityRisk": "COMPROMISED_OS" }] })
    } else {
        json!({ "devicePosture": "SECURE" })
    }
}

fn hardware(options: &AndroidOptions, mode: Mode, enterprise: &str) -> Value {
    let mut hardware = json!({
        "brand": options.manufacturer,
        "manufacturer": options.manufacturer,
        "model": options.model,
        "hardware": options.model.to_lowercase().replace(' ', "-"),
        "serialNumber": options.serial,
    });
    if !mode.company_owned() && options.api_level >= 31 {
        let id = enterprise_specific_id(&options.serial, enterprise);
        hardware["enterpriseSpecificId"] = id.as_str().into();
        hardware["serialNumber"] = id.into();
    }
    hardware
}

fn network(options: &AndroidOptions, mode: Mode) -> Value {
    let mut network = json!({});
    if mode.company_owned() || options.api_level < 31 {
        network["imei"] = options.imei.clone().into();
        network["wifiMacAddress"] = "02:00:00:44:55:66".into();
    }
    if mode == Mode::FullyManaged {
        network["telephonyInfos"] = json!([{ "phoneNumber": options.phone_number, "carrierName": "Vodafone UK" }]);
    }
    network
}
