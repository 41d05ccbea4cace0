//! What an Android phone reports decides what is shown as in force.

use beadle_profiles::android::report::{PolicyState, Reported, Setting, State, in_force, policy_state, summary};
use beadle_profiles::android::{self, Posture, policy_id};
use beadle_profiles::{Mode, Ownership, Policy, Preset};
use chrono::NaiveDate;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::common::{ANDROID, Stored, strictest};
use crate::properties::{any_policy, text};

const NAME: &str = "enterprises/LC01/policies/the-policy";
const VERSION: i64 = 7;

fn today() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, 25).expect("a date")
}

/// A phone that obeys. What it lists of its lock is what was sent, as a phone with Android 12 or later would list it.
fn obedient(policy: &Policy, mode: Mode, ownership: Ownership) -> Value {
    let stored = Stored::for_policy(policy);
    let sent = android::policy(policy, &stored.android(mode, ownership, Posture::Everyday)).expect("valid");
    let locks = sent["passwordPolicies"].as_array().cloned().unwrap_or_default();
    let banded = |scope: &Value| locks.iter().any(|lock| lock["passwordScope"] == *scope && is_band(lock));
    let applied: Vec<&Value> = locks.iter().filter(|lock| is_band(lock) || !banded(&lock["passwordScope"])).collect();
    json!({
        "name": "enterprises/LC01/devices/3",
        "managementMode": if mode == Mode::FullyManaged { "DEVICE_OWNER" } else { "PROFILE_OWNER" },
        "ownership": if mode == Mode::PersonalWorkProfile { "PERSONALLY_OWNED" } else { "COMPANY_OWNED" },
        "state": "ACTIVE",
        "appliedState": "ACTIVE",
        "policyCompliant": true,
        "appliedPolicyName": NAME,
        "appliedPolicyVersion": VERSION.to_string(),
        "appliedPasswordPolicies": applied,
        "apiLevel": 34,
        "deviceSettings": {
            "isDeviceSecure": true,
            "encryptionStatus": "ACTIVE_PER_USER",
            "developmentSettingsEnabled": false,
            "unknownSourcesEnabled": false
        },
        "softwareInfo": {"androidVersion": "14", "securityPatchLevel": "2026-11-01"},
        "securityPosture": {"devicePosture": "SECURE"},
        "lastStatusReportTime": "2026-11-25T09:00:00Z",
        "lastPolicySyncTime": "2026-11-25T08:59:00Z"
    })
}

fn is_band(lock: &Value) -> bool {
    lock["passwordQuality"].as_str().is_some_and(|quality| quality.starts_with("COMPLEXITY_"))
}

fn reported(device: &Value) -> Reported<'_> {
    Reported { device, policy_name: NAME, policy_version_at_google: Some(VERSION) }
}

fn judged(policy: &Policy, mode: Mode, ownership: Ownership, reported: &Reported<'_>) -> Vec<Setting> {
    let stored = Stored::for_policy(policy);
    in_force(policy, &stored.android(mode, ownership, Posture::Everyday), reported, today())
}

fn of_council_phone(policy: &Policy, device: &Value) -> Vec<Setting> {
    judged(policy, Mode::FullyManaged, Ownership::Council, &reported(device))
}

fn states(settings: &[Setting]) -> String {
    settings
        .iter()
        .map(|setting| format!("{:<40} {:<13} {}", setting.setting, setting.state.as_str(), setting.reason))
        .collect::<Vec<_>>()
        .join("\n")
}

fn find<'a>(settings: &'a [Setting], name: &str) -> &'a Setting {
    settings.iter().find(|setting| setting.setting == name).unwrap_or_else(|| panic!("{name} is judged"))
}

fn state(settings: &[Setting], name: &str) -> State {
    find(settings, name).state
}

#[test]
fn an_obedient_phone_has_everything_in_force() {
    let policy = strictest();
    for (mode, ownership) in ANDROID {
        let settings = judged(&policy, mode, ownership, &reported(&obedient(&policy, mode, ownership)));
        insta::assert_snapshot!(format!("android_obedient_{}", policy_id(mode, Posture::Everyday)), states(&settings));
        assert!(settings.iter().all(|setting| setting.state == State::InForce), "{}", states(&settings));
    }
}

#[test]
fn a_silent_phone_has_nothing_in_force() {
    for (mode, ownership) in ANDROID {
        let settings = judged(&strictest(), mode, ownership, &reported(&Value::Null));
        assert!(settings.len() > 10);
        assert!(settings.iter().all(|setting| setting.state == State::Unknown), "{}", states(&settings));
    }
}

#[test]
fn a_policy_that_google_refused_or_the_phone_has_not_applied_is_not_in_force() {
    let policy = strictest();
    let device = obedient(&policy, Mode::FullyManaged, Ownership::Council);
    let right = reported(&device);
    let mut older = device.clone();
    older["appliedPolicyVersion"] = json!("6");
    let mut number = device.clone();
    number["appliedPolicyVersion"] = json!(VERSION);
    let mut deleted = device.clone();
    deleted["appliedState"] = json!("DELETED");
    let mut provisioning = device.clone();
    provisioning.as_object_mut().expect("a message").remove("appliedPolicyName");
    for (reported, expected) in [
        (right, PolicyState::Applied),
        (Reported { device: &number, ..right }, PolicyState::Applied),
        (Reported { policy_version_at_google: None, ..right }, PolicyState::NotAccepted),
        (Reported { policy_name: "enterprises/LC01/policies/other", ..right }, PolicyState::OtherPolicy),
        (Reported { device: &older, ..right }, PolicyState::OtherVersion),
        (Reported { device: &deleted, ..right }, PolicyState::Removed),
        (Reported { device: &provisioning, ..right }, PolicyState::Unknown),
    ] {
        assert_eq!(policy_state(&reported), expected);
        let settings = judged(&policy, Mode::FullyManaged, Ownership::Council, &reported);
        let any = settings.iter().any(|setting| setting.state == State::InForce);
        assert_eq!(any, expected == PolicyState::Applied, "{expected}: {}", states(&settings));
    }
}

#[test]
fn a_phone_without_pin() {
    let policy = Policy::preset(Preset::Germoe);
    for (mode, ownership) in ANDROID {
        let mut device = obedient(&policy, mode, ownership);
        device["deviceSettings"]["isDeviceSecure"] = json!(false);
        let settings = judged(&policy, mode, ownership, &reported(&device));
        for name in [
            "passcode.required",
            "passcode.minimum_length",
            "passcode.erase_after_failed_attempts",
            "passcode.auto_lock_seconds",
            "encryption.required",
        ] {
            assert_eq!(state(&settings, name), State::NotInForce, "{name} on {mode}");
        }
        assert_eq!(state(&settings, "screen.previews_when_locked"), State::InForce);
    }
}

/// "Show what is applied, not what was sent."
#[test]
fn rules_of_the_lock_are_judged_by_what_the_phone_lists() {
    let policy = strictest();
    let device = obedient(&policy, Mode::FullyManaged, Ownership::Council);
    for (field, weaker, setting) in [
        ("passwordMinimumLength", json!(4), "passcode.minimum_length"),
        ("passwordQuality", json!("NUMERIC"), "passcode.alphanumeric"),
        ("passwordQuality", json!("OF_THE_FUTURE"), "passcode.allow_simple"),
        ("passwordExpirationTimeout", json!("999999999s"), "passcode.maximum_age_days"),
        ("passwordHistoryLength", json!(1), "passcode.history"),
        ("maximumFailedPasswordsForWipe", json!(20), "passcode.erase_after_failed_attempts"),
        ("maximumFailedPasswordsForWipe", json!(0), "passcode.erase_after_failed_attempts"),
    ] {
        let mut device = device.clone();
        device["appliedPasswordPolicies"][0][field] = weaker;
        let settings = of_council_phone(&policy, &device);
        assert_eq!(state(&settings, setting), State::NotInForce, "{field}");
        assert!(find(&settings, setting).reason.contains(field));
    }
    let mut silent = device.clone();
    silent.as_object_mut().expect("a message").remove("appliedPasswordPolicies");
    assert_eq!(state(&of_council_phone(&policy, &silent), "passcode.minimum_length"), State::Unknown);
    let mut stricter = device;
    stricter["appliedPasswordPolicies"][0]["passwordMinimumLength"] = json!(12);
    stricter["appliedPasswordPolicies"][0]["passwordQuality"] = json!("COMPLEX");
    let settings = of_council_phone(&policy, &stricter);
    assert_eq!(state(&settings, "passcode.minimum_length"), State::InForce);
    assert_eq!(state(&settings, "passcode.alphanumeric"), State::InForce);
}

#[test]
fn a_personal_phones_own_lock_is_judged_by_its_band() {
    for (choice, band, expected) in [
        ("phone_high", "COMPLEXITY_HIGH", State::InForce),
        ("phone_high", "COMPLEXITY_MEDIUM", State::NotInForce),
        ("phone_medium", "COMPLEXITY_MEDIUM", State::Unknown),
        ("either_lock", "COMPLEXITY_MEDIUM", State::InForce),
        ("work_lock", "COMPLEXITY_MEDIUM", State::InForce),
    ] {
        let mut policy = Policy::preset(Preset::Germoe);
        policy.set("passcode.personal_android", choice).expect("a choice");
        let mut device = obedient(&policy, Mode::PersonalWorkProfile, Ownership::Personal);
        device["appliedPasswordPolicies"][0]["passwordQuality"] = json!(band);
        let settings = judged(&policy, Mode::PersonalWorkProfile, Ownership::Personal, &reported(&device));
        assert_eq!(state(&settings, "passcode.minimum_length"), expected, "{choice} {band}: {}", states(&settings));
        if choice == "work_lock" {
            device["appliedPasswordPolicies"][1]["unifiedLockSettings"] = json!("ALLOW_UNIFIED_WORK_AND_PERSONAL_LOCK");
            let settings = judged(&policy, Mode::PersonalWorkProfile, Ownership::Personal, &reported(&device));
            assert_eq!(state(&settings, "passcode.personal_android"), State::NotInForce);
        }
    }
}

#[test]
fn non_compliance_is_told_in_words_and_by_setting() {
    let policy = strictest();
    let mut device = obedient(&policy, Mode::FullyManaged, Ownership::Council);
    device["policyCompliant"] = json!(false);
    device["nonComplianceDetails"] = json!([
        {"settingName": "deviceConnectivityManagement", "fieldPath": "deviceConnectivityManagement.usbDataAccess", "nonComplianceReason": "DEVICE_INCOMPATIBLE"},
        {"settingName": "passwordPolicies", "fieldPath": "passwordPolicies[0].passwordMinimumLength", "nonComplianceReason": "USER_ACTION", "specificNonComplianceReason": "PASSWORD_POLICIES_PASSWORD_NOT_SUFFICIENT"},
        {"settingName": "applications", "packageName": "org.example.mail", "nonComplianceReason": "APP_NOT_INSTALLED", "installationFailureReason": "IN_PROGRESS"},
        {"settingName": "cameraAccess", "nonComplianceReason": "REASON_OF_THE_FUTURE"},
        {"settingName": "fieldOfTheFuture", "nonComplianceReason": "PENDING"},
        {"fieldPath": "systemUpdate.type", "nonComplianceReason": "MANAGEMENT_MODE"},
        "not even a message",
        {"settingName": 3}
    ]);
    let settings = of_council_phone(&policy, &device);
    let failing: Vec<Setting> = settings.iter().filter(|setting| setting.state != State::InForce).cloned().collect();
    insta::assert_snapshot!("android_non_compliance", states(&failing));
    assert_eq!(state(&settings, "wifi.only_these_networks"), State::InForce, "another part of the same message");
    assert_eq!(state(&settings, "passcode.history"), State::InForce, "another part of the same list");
    insta::assert_json_snapshot!("android_summary", summary(&reported(&device), today()));
}

#[test]
fn a_phone_that_may_be_tampered_with_is_known_by_googles_own_word() {
    let mut device = obedient(&strictest(), Mode::FullyManaged, Ownership::Council);
    assert!(!summary(&reported(&device), today()).compromised);
    device["securityPosture"] = json!({ "devicePosture": "AT_RISK" });
    assert!(!summary(&reported(&device), today()).compromised);
    device["securityPosture"] = json!({ "devicePosture": "POTENTIALLY_COMPROMISED" });
    assert!(summary(&reported(&device), today()).compromised);
}

#[test]
fn a_phone_that_does_not_say_what_it_fails_is_not_trusted() {
    let policy = Policy::preset(Preset::Germoe);
    let mut device = obedient(&policy, Mode::FullyManaged, Ownership::Council);
    device["policyCompliant"] = json!(false);
    assert_eq!(state(&of_council_phone(&policy, &device), "screen.previews_when_locked"), State::Unknown);
    device["nonComplianceDetails"] = json!([{"nonComplianceReason": "PENDING"}]);
    assert_eq!(state(&of_council_phone(&policy, &device), "screen.previews_when_locked"), State::Unknown);
}

#[test]
fn what_the_phone_reports_outweighs_the_policy() {
    let policy = strictest();
    let device = obedient(&policy, Mode::FullyManaged, Ownership::Council);
    for (place, value, setting, expected) in [
        ("encryptionStatus", json!("INACTIVE"), "encryption.required", State::NotInForce),
        ("encryptionStatus", json!("ACTIVE_DEFAULT_KEY"), "encryption.required", State::NotInForce),
        ("encryptionStatus", json!("ACTIVE_QUANTUM"), "encryption.required", State::Unknown),
        ("encryptionStatus", json!(3), "encryption.required", State::Unknown),
        ("developmentSettingsEnabled", json!(true), "management.removal_allowed", State::NotInForce),
        ("unknownSourcesEnabled", json!(true), "apps.other_sources_allowed", State::NotInForce),
    ] {
        let mut device = device.clone();
        device["deviceSettings"][place] = value;
        assert_eq!(state(&of_council_phone(&policy, &device), setting), expected, "{place}");
    }
    // The personal side of a personal phone may do as it likes.
    let mut personal = obedient(&policy, Mode::PersonalWorkProfile, Ownership::Personal);
    personal["deviceSettings"]["unknownSourcesEnabled"] = json!(true);
    personal["deviceSettings"]["developmentSettingsEnabled"] = json!(true);
    let settings = judged(&policy, Mode::PersonalWorkProfile, Ownership::Personal, &reported(&personal));
    assert_eq!(state(&settings, "apps.other_sources_allowed"), State::InForce);
    assert_eq!(state(&settings, "management.removal_allowed"), State::InForce);
}

/// Levels are monthly: a phone on this month's is current, however late in the month it is.
#[test]
fn patches_are_judged_by_when_the_next_month_overtook_them() {
    let mut policy = Policy::preset(Preset::Germoe);
    policy.set("updates.patch_within_days", "14").expect("a setting");
    for (level, expected) in [
        ("2026-11-01", State::InForce),
        ("2026-11-05", State::InForce),
        ("2026-10-05", State::NotInForce),
        ("2026-12-05", State::InForce),
        ("2025-12-05", State::NotInForce),
        ("soon", State::Unknown),
        ("262142-12-31", State::Unknown),
    ] {
        let mut device = obedient(&policy, Mode::FullyManaged, Ownership::Council);
        device["softwareInfo"]["securityPatchLevel"] = json!(level);
        let settings = of_council_phone(&policy, &device);
        assert_eq!(state(&settings, "updates.patch_within_days"), expected, "{level}");
        assert_eq!(state(&settings, "updates.kept_current"), expected, "{level}");
    }
    let stored = Stored::for_policy(&policy);
    let context = stored.android(Mode::FullyManaged, Ownership::Council, Posture::Everyday);
    let mut device = obedient(&policy, Mode::FullyManaged, Ownership::Council);
    device["softwareInfo"]["securityPatchLevel"] = json!("2026-10-05");
    let on = |day| {
        let settings =
            in_force(&policy, &context, &reported(&device), NaiveDate::from_ymd_opt(2026, 11, day).expect("a date"));
        state(&settings, "updates.patch_within_days")
    };
    assert_eq!((on(19), on(20)), (State::InForce, State::NotInForce));
}

#[test]
fn an_old_android_is_flagged() {
    let policy = strictest();
    for (level, expected) in
        [(json!(30), State::NotInForce), (json!(31), State::InForce), (json!("new"), State::Unknown)]
    {
        let mut device = obedient(&policy, Mode::FullyManaged, Ownership::Council);
        device["apiLevel"] = level;
        assert_eq!(state(&of_council_phone(&policy, &device), "updates.minimum_android"), expected);
    }
}

/// W3 again: erasing the whole phone is not even judged where it is never sent.
#[test]
fn erasing_is_not_expected_of_a_personal_phone_in_a_council_mode() {
    let policy = Policy::preset(Preset::Germoe);
    let device = obedient(&policy, Mode::FullyManaged, Ownership::Personal);
    let settings = judged(&policy, Mode::FullyManaged, Ownership::Personal, &reported(&device));
    assert!(!settings.iter().any(|setting| setting.setting.contains("erase")));
}

#[test]
fn apple_modes_are_judged_elsewhere() {
    assert!(
        judged(&Policy::preset(Preset::Germoe), Mode::Device, Ownership::Council, &reported(&Value::Null)).is_empty()
    );
}

/// Any JSON, shaped a little like a device.
fn any_device() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        text().prop_map(Value::from),
        Just(json!("ACTIVE")),
        Just(json!("SCOPE_DEVICE")),
        Just(json!("passwordPolicies[0].passwordMinimumLength"))
    ];
    let names = prop::sample::select(vec![
        "appliedPolicyName",
        "appliedPolicyVersion",
        "appliedPasswordPolicies",
        "nonComplianceDetails",
        "settingName",
        "fieldPath",
        "nonComplianceReason",
        "deviceSettings",
        "encryptionStatus",
        "isDeviceSecure",
        "softwareInfo",
        "securityPatchLevel",
        "apiLevel",
        "securityPosture",
        "postureDetails",
        "securityRisk",
        "passwordScope",
        "passwordQuality",
        "policyCompliant",
    ]);
    leaf.prop_recursive(4, 64, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::vec((names.clone(), inner), 0..8).prop_map(|fields| Value::Object(
                fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
            )),
        ]
    })
}

proptest! {
    /// What Google sends is not to be trusted either: anything is judged, never a panic, and nothing is in force by chance.
    #[test]
    fn any_device_is_judged(policy in any_policy(), device in any_device()) {
        for (mode, ownership) in ANDROID {
            let settings = judged(&policy, mode, ownership, &reported(&device));
            prop_assert!(settings.iter().all(|setting| setting.state != State::InForce), "{}", states(&settings));
            let _ = summary(&reported(&device), today());
        }
    }
}
