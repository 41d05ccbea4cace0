//! Google's policies, word for word, and the traps of Google's documents one by one.

use beadle_profiles::android::{self, Posture, policy_id};
use beadle_profiles::coverage::{Status, coverage};
use beadle_profiles::{Mode, Ownership, Policy, Preset};
use proptest::prelude::*;
use serde_json::Value;

use crate::common::{ANDROID, Stored, strictest};
use crate::google::{committed, discovered, problems};
use crate::properties::{any_policy, text};

fn compiled(policy: &Policy, mode: Mode, ownership: Ownership, posture: Posture) -> Value {
    let stored = Stored::for_policy(policy);
    android::policy(policy, &stored.android(mode, ownership, posture)).expect("a valid policy")
}

fn everyday(policy: &Policy, mode: Mode) -> Value {
    let ownership = if mode.is_personal() { Ownership::Personal } else { Ownership::Council };
    compiled(policy, mode, ownership, Posture::Everyday)
}

fn with(changes: &[(&str, &str)]) -> Policy {
    let mut policy = Policy::preset(Preset::Germoe);
    for (path, value) in changes {
        policy.set(path, value).expect("a setting");
    }
    policy
}

fn locks(policy: &Value) -> &Vec<Value> {
    policy["passwordPolicies"].as_array().expect("locks")
}

#[test]
fn every_preset_in_every_android_mode_and_posture() {
    for &preset in Preset::all() {
        for (mode, ownership) in ANDROID {
            for &posture in Posture::all() {
                let sent = compiled(&Policy::preset(preset), mode, ownership, posture);
                insta::assert_json_snapshot!(format!("android_{preset}_{}", policy_id(mode, posture)), sent);
            }
        }
    }
}

#[test]
fn the_strictest_policy_in_every_android_mode_and_posture() {
    for (mode, ownership) in ANDROID {
        for &posture in Posture::all() {
            let sent = compiled(&strictest(), mode, ownership, posture);
            insta::assert_json_snapshot!(format!("android_strictest_{}", policy_id(mode, posture)), sent);
        }
    }
}

/// The policy that asks for nothing: what is still said is what Google would otherwise decide for the council.
#[test]
fn the_policy_that_asks_for_nothing() {
    for (mode, ownership) in ANDROID {
        let sent = compiled(&Policy::default(), mode, ownership, Posture::Everyday);
        insta::assert_json_snapshot!(format!("android_nothing_{mode}"), sent);
    }
}

#[test]
fn every_table_accepts_all_of_them() {
    let tables: Vec<_> = [Some(committed()), discovered()].into_iter().flatten().collect();
    let policies = Preset::all().iter().map(|&preset| Policy::preset(preset)).chain([strictest(), Policy::default()]);
    for policy in policies {
        for (mode, ownership) in ANDROID {
            for &posture in Posture::all() {
                for table in &tables {
                    let sent = compiled(&policy, mode, ownership, posture);
                    assert_eq!(problems(table, &sent), Vec::<String>::new(), "{mode} {posture}");
                }
            }
        }
    }
}

#[test]
fn names_and_versions() {
    assert_eq!(policy_id(Mode::PersonalWorkProfile, Posture::Everyday), "personal_work_profile-everyday");
    assert_eq!(policy_id(Mode::FullyManaged, Posture::Lost), "fully_managed-lost");
    let policy = strictest();
    let stored = Stored::for_policy(&policy);
    let mut context = stored.android(Mode::FullyManaged, Ownership::Council, Posture::Everyday);
    let first = android::policy(&policy, &context).expect("valid");
    assert_eq!(first.to_string(), android::policy(&policy, &context).expect("valid").to_string());
    context.policy_version += 1;
    let second = android::policy(&policy, &context).expect("valid");
    assert_ne!(first, second, "a new version must be a new version at Google too");
    assert_eq!(
        first["openNetworkConfiguration"], second["openNetworkConfiguration"],
        "a phone must not drop its Wi-Fi"
    );
}

#[test]
fn what_is_not_stored_or_not_androids_is_refused_in_words() {
    let policy = strictest();
    let mut stored = Stored::for_policy(&policy);
    let refused = |stored: &Stored, mode| {
        android::policy(&policy, &stored.android(mode, Ownership::Council, Posture::Everyday)).expect_err("refused")
    };
    assert_eq!(refused(&stored, Mode::Supervised).field, "mode");
    stored.passwords.insert("Büro".into(), "short".into());
    let problem = refused(&stored, Mode::FullyManaged);
    assert!(problem.field == "wifi.networks.1" && !problem.problem.contains("short"), "{problem}");
    stored.passwords.remove("Büro");
    assert!(refused(&stored, Mode::FullyManaged).problem.contains("not stored"));
    let mut stored = Stored::for_policy(&policy);
    stored.certificates.clear();
    assert_eq!(refused(&stored, Mode::FullyManaged).field, "certificates.install");
    let mut invalid = Policy::preset(Preset::Germoe);
    invalid.passcode.minimum_length = Some(99);
    let context = stored.android(Mode::FullyManaged, Ownership::Council, Posture::Everyday);
    assert_eq!(android::policy(&invalid, &context).expect_err("invalid").field, "passcode.minimum_length");
}

#[test]
fn trap_auto_lock_counts_milliseconds_in_text() {
    for (mode, _) in ANDROID {
        assert_eq!(everyday(&Policy::preset(Preset::Germoe), mode)["maximumTimeToLock"], "30000", "{mode}");
    }
}

#[test]
fn trap_a_life_is_told_in_seconds() {
    let policy = with(&[("passcode.maximum_age_days", "90")]);
    assert_eq!(locks(&everyday(&policy, Mode::FullyManaged))[0]["passwordExpirationTimeout"], "7776000s");
}

#[test]
fn trap_passwords_never_travel_in_the_deprecated_field() {
    for (mode, _) in ANDROID {
        let sent = everyday(&strictest(), mode);
        assert!(sent.get("passwordRequirements").is_none() && sent.get("cameraDisabled").is_none());
    }
}

/// "A six-digit device PIN cannot be expressed" on a personal phone: each choice is the nearest of its kind, and says its gap.
#[test]
fn trap_a_personal_phones_own_lock_knows_bands_only() {
    let mut told = Vec::new();
    for choice in ["either_lock", "work_lock", "phone_medium", "phone_high"] {
        let policy = with(&[("passcode.personal_android", choice)]);
        let sent = everyday(&policy, Mode::PersonalWorkProfile);
        let [older, band, work] = locks(&sent).as_slice() else { panic!("three entries: {sent}") };
        assert!([older, band].iter().all(|entry| entry["passwordScope"] == "SCOPE_DEVICE"));
        assert_eq!(work["passwordScope"], "SCOPE_PROFILE");
        let length = &work["passwordMinimumLength"];
        match choice {
            "either_lock" => {
                assert!(*length == 6 && work["unifiedLockSettings"] == "ALLOW_UNIFIED_WORK_AND_PERSONAL_LOCK")
            }
            "work_lock" => assert!(*length == 6 && work["unifiedLockSettings"] == "REQUIRE_SEPARATE_WORK_LOCK"),
            _ => assert!(length.is_null() && work["passwordQuality"] == "SOMETHING"),
        }
        let expected = if choice == "phone_high" { "COMPLEXITY_HIGH" } else { "COMPLEXITY_MEDIUM" };
        assert_eq!(band["passwordQuality"], expected, "{choice}");
        let rows = coverage(&policy);
        for name in ["passcode.minimum_length", "passcode.personal_android"] {
            let row =
                rows.iter().find(|row| row.setting == name && row.mode == Mode::PersonalWorkProfile).expect("a row");
            told.push(format!("{choice} {name}: {} gap: {}", row.phone_does, row.gap.as_deref().unwrap_or("none")));
        }
    }
    insta::assert_snapshot!("personal_android_choices", told.join("\n"));
}

#[test]
fn trap_lengths_never_stand_beside_a_quality_that_ignores_them() {
    let policy = with(&[("passcode.allow_simple", "yes"), ("passcode.minimum_length", "4")]);
    for (mode, _) in ANDROID {
        for entry in locks(&everyday(&policy, mode)).iter().filter(|entry| !entry["passwordMinimumLength"].is_null()) {
            assert_eq!(entry["passwordQuality"], "NUMERIC", "{mode}");
        }
    }
}

#[test]
fn trap_unknown_sources_are_not_banned_on_the_whole_of_a_personal_phone() {
    let policy = Policy::preset(Preset::Germoe);
    let overrides = |mode| everyday(&policy, mode)["advancedSecurityOverrides"].clone();
    assert_eq!(overrides(Mode::FullyManaged)["untrustedAppsPolicy"], "DISALLOW_INSTALL");
    assert_eq!(overrides(Mode::CompanyWorkProfile)["untrustedAppsPolicy"], "DISALLOW_INSTALL");
    let personal = overrides(Mode::PersonalWorkProfile);
    assert_eq!(personal["untrustedAppsPolicy"], "ALLOW_INSTALL_IN_PERSONAL_PROFILE_ONLY");
    assert_eq!(personal["googlePlayProtectVerifyApps"], "VERIFY_APPS_USER_CHOICE");
    assert!(personal.get("developerSettings").is_none(), "a personal phone would answer: not complying");
}

#[test]
fn trap_location_is_the_holders_choice() {
    for (mode, _) in ANDROID {
        let sent = everyday(&strictest(), mode);
        match mode {
            Mode::PersonalWorkProfile => assert!(sent.get("locationMode").is_none()),
            _ => assert_eq!(sent["locationMode"], "LOCATION_USER_CHOICE"),
        }
    }
}

#[test]
fn trap_apps_are_uninstalled_only_where_the_council_said_so() {
    for (mode, _) in ANDROID {
        for (choice, expected) in [("none", "BLACKLIST"), ("yes", "BLACKLIST"), ("no", "WHITELIST")] {
            let policy = with(&[("apps.holder_may_install", choice)]);
            assert_eq!(everyday(&policy, mode)["playStoreMode"], expected, "{mode} {choice}");
        }
    }
    let sent = everyday(&strictest(), Mode::FullyManaged);
    assert_eq!(sent["applications"][0]["installType"], "FORCE_INSTALLED");
    assert_eq!(sent["applications"][2]["installType"], "AVAILABLE");
}

#[test]
fn trap_the_usb_port_is_left_alone_only_if_that_is_said() {
    let open = with(&[("accessories.usb_drives_allowed", "yes"), ("accessories.usb_while_locked", "yes")]);
    for mode in [Mode::FullyManaged, Mode::CompanyWorkProfile] {
        let usb = |policy: &Policy, posture| {
            compiled(policy, mode, Ownership::Council, posture)["deviceConnectivityManagement"]["usbDataAccess"].clone()
        };
        assert_eq!(usb(&open, Posture::Everyday), "ALLOW_USB_DATA_TRANSFER");
        assert_eq!(usb(&open, Posture::Lost), "DISALLOW_USB_DATA_TRANSFER");
        let mut sticks = open.clone();
        sticks.set("accessories.usb_drives_allowed", "no").expect("a setting");
        assert_eq!(usb(&sticks, Posture::Everyday), "DISALLOW_USB_FILE_TRANSFER");
    }
    let personal = everyday(&open, Mode::PersonalWorkProfile);
    assert!(personal["deviceConnectivityManagement"].get("usbDataAccess").is_none());
}

#[test]
fn a_lost_phone_gives_less_away_and_loses_nothing() {
    for (mode, ownership) in ANDROID {
        let policy = Policy::preset(Preset::Germoe);
        let mut everyday = compiled(&policy, mode, ownership, Posture::Everyday);
        let mut lost = compiled(&policy, mode, ownership, Posture::Lost);
        let features = lost["keyguardDisabledFeatures"].to_string();
        assert!(features.contains("BIOMETRICS") && features.contains("UNREDACTED_NOTIFICATIONS"), "{mode}");
        assert_eq!(features.contains("\"NOTIFICATIONS\""), mode != Mode::PersonalWorkProfile, "{mode}");
        for sent in [&mut everyday, &mut lost] {
            sent.as_object_mut().expect("a message").remove("keyguardDisabledFeatures");
        }
        assert_eq!(everyday, lost, "{mode}: nothing else changes where USB is off already");
    }
}

#[test]
fn a_personal_phone_reports_as_little_as_will_do() {
    let reports = |mode| everyday(&strictest(), mode)["statusReportingSettings"].clone();
    let personal = reports(Mode::PersonalWorkProfile);
    assert!(personal["applicationReportsEnabled"] == false && personal["networkInfoEnabled"] == false);
    assert!(personal["deviceSettingsEnabled"] == true && personal["softwareInfoEnabled"] == true);
    assert_eq!(reports(Mode::CompanyWorkProfile)["applicationReportsEnabled"], true);
}

#[test]
fn wifi_and_certificates_travel_in_the_form_google_takes() {
    let network = everyday(&strictest(), Mode::PersonalWorkProfile)["openNetworkConfiguration"].clone();
    for entry in network["NetworkConfigurations"].as_array().expect("networks") {
        for required in ["GUID", "Name", "Type", "WiFi"] {
            assert!(!entry[required].is_null(), "{required}");
        }
        assert_eq!(entry["WiFi"]["Security"], "WPA-PSK");
    }
    assert!(network["Certificates"].as_array().expect("certificates").iter().all(|entry| entry["Type"] == "Authority"));
    let rows = coverage(&strictest());
    let gap = rows.iter().find(|row| row.setting == "wifi.networks" && row.mode == Mode::FullyManaged).expect("a row");
    assert!(gap.gap.as_deref().is_some_and(|gap| gap.contains("WPA3")), "a WPA3 network has a gap");
}

/// W3: what may erase the whole of a phone, in any policy.
fn erases_the_whole_phone(sent: &Value) -> bool {
    let locks = sent["passwordPolicies"].as_array().into_iter().flatten();
    locks
        .filter(|lock| !lock["maximumFailedPasswordsForWipe"].is_null())
        .any(|lock| lock["passwordScope"] != "SCOPE_PROFILE")
}

#[test]
fn erasing_goes_by_scope_and_owner() {
    let policy = Policy::preset(Preset::Germoe);
    for mode in [Mode::FullyManaged, Mode::CompanyWorkProfile, Mode::PersonalWorkProfile] {
        for &ownership in Ownership::all() {
            for &posture in Posture::all() {
                let sent = compiled(&policy, mode, ownership, posture);
                let may = ownership == Ownership::Council && mode != Mode::PersonalWorkProfile;
                assert_eq!(erases_the_whole_phone(&sent), may, "{mode} {ownership}");
                let profile = locks(&sent).iter().filter(|lock| lock["passwordScope"] == "SCOPE_PROFILE");
                for lock in profile {
                    assert_eq!(lock["maximumFailedPasswordsForWipe"], 10, "{mode}");
                }
            }
        }
    }
}

/// A row that promises something on Android is kept by a field or a report.
#[test]
fn unsecured_wifi_is_refused_where_android_can() {
    let rows = coverage(&Policy::preset(Preset::Germoe));
    let status = |mode| {
        rows.iter()
            .find(|row| row.setting == "wifi.unsecured_networks_forbidden" && row.mode == mode)
            .expect("a row")
            .status
    };
    assert_eq!(status(Mode::FullyManaged), Status::Enforced);
    assert_eq!(status(Mode::PersonalWorkProfile), Status::NotPossible);
    let sent = everyday(&Policy::preset(Preset::Germoe), Mode::FullyManaged);
    assert_eq!(sent["deviceRadioState"]["minimumWifiSecurityLevel"], "PERSONAL_NETWORK_SECURITY");
}

proptest! {
    #[test]
    fn a_valid_policy_compiles_to_what_google_accepts(policy in any_policy(), council in text()) {
        let valid = policy.validate().is_ok();
        let stored = Stored::for_policy(&policy);
        let table = committed();
        for (mode, _) in ANDROID {
            for &ownership in Ownership::all() {
                for &posture in Posture::all() {
                    let mut context = stored.android(mode, ownership, posture);
                    context.council_name = &council;
                    let sent = android::policy(&policy, &context);
                    prop_assert_eq!(sent.is_ok(), valid);
                    let Ok(sent) = sent else { continue };
                    // The rules about enforcement (W5) are among the checker's.
                    prop_assert_eq!(problems(&table, &sent), Vec::<String>::new());
                    if ownership == Ownership::Personal || mode == Mode::PersonalWorkProfile {
                        prop_assert!(!erases_the_whole_phone(&sent), "W3");
                    }
                    prop_assert!(sent.get("wipeDataFlags").is_none() && sent.get("frpAdminEmails").is_none());
                    if mode == Mode::PersonalWorkProfile {
                        let connectivity = &sent["deviceConnectivityManagement"];
                        prop_assert!(connectivity.get("usbDataAccess").is_none() && connectivity.get("configureWifi").is_none());
                        for field in ["personalUsagePolicies", "systemUpdate", "factoryResetDisabled", "locationMode", "deviceRadioState"] {
                            prop_assert!(sent.get(field).is_none(), "{} is not for personal phones", field);
                        }
                    }
                }
            }
        }
    }
}
