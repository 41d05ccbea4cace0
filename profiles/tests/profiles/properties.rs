//! Whatever a council types, nothing panics; and whatever is valid compiles to values Apple accepts.

use beadle_profiles::apple::report::{Reported, in_force};
use beadle_profiles::apple::{configuration_profile, to_bytes};
use beadle_profiles::coverage::coverage;
use beadle_profiles::policy::passcode::PersonalAndroidLock;
use beadle_profiles::{Mode, Ownership, Policy, Preset};
use proptest::prelude::*;

use crate::common::Stored;

/// What Apple's schema (iOS 18.1) lets these keys be.
const RANGES: [(&str, i64, i64); 6] = [
    ("minLength", 0, 16),
    ("maxFailedAttempts", 2, 11),
    ("maxInactivity", 0, 15),
    ("maxGracePeriod", 0, 240),
    ("maxPINAgeInDays", 0, 730),
    ("pinHistory", 1, 50),
];

prop_compose! {
    fn passcode_settings()(
        required in prop::bool::weighted(0.95),
        minimum_length in prop::option::of(prop_oneof![19 => 4u8..=16, 1 => any::<u8>()]),
        allow_simple in any::<bool>(),
        alphanumeric in any::<bool>(),
        maximum_age_days in prop::option::of(prop_oneof![19 => 1u16..=730, 1 => any::<u16>()]),
        history in prop::option::of(prop_oneof![19 => 1u8..=50, 1 => any::<u8>()]),
        erase in prop::option::of(prop_oneof![19 => 2u8..=11, 1 => any::<u8>()]),
        acknowledged in prop::bool::weighted(0.9),
        auto_lock in prop::option::of(prop_oneof![19 => 1u32..=900, 1 => any::<u32>()]),
        grace in prop::option::of(prop_oneof![19 => 0u32..=14_400, 1 => any::<u32>()]),
        personal_android in prop::sample::select(PersonalAndroidLock::all()),
    ) -> beadle_profiles::policy::passcode::Passcode {
        beadle_profiles::policy::passcode::Passcode {
            required, minimum_length, allow_simple, alphanumeric, maximum_age_days, history,
            erase_after_failed_attempts: erase, erase_below_ten_acknowledged: acknowledged,
            auto_lock_seconds: auto_lock, grace_seconds: grace, personal_android,
        }
    }
}

/// Any text that may reach the policy through the command line, hostile ones included.
pub(crate) fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z0-9_.]{0,20}",
        "\\PC{0,40}",
        any::<String>(),
        "[0-9]{1,30}",
        Just("null".into()),
        Just("[]".into()),
        Just("{}".into())
    ]
}

pub(crate) fn any_policy() -> impl Strategy<Value = Policy> {
    let networks =
        prop::collection::vec((prop_oneof![19 => "[a-zA-Z ]{1,32}", 1 => any::<String>()], any::<[bool; 3]>()), 0..4);
    let certificates = prop::collection::vec(prop_oneof![19 => "[a-z ]{1,20}", 1 => any::<String>()], 0..3);
    (
        passcode_settings(),
        any::<[bool; 26]>(),
        networks,
        certificates,
        prop::option::of(prop_oneof![4 => "1[0-9](\\.[0-9]{1,2}){0,2}", 1 => text()]),
        0..3usize,
    )
        .prop_map(|(passcode, switches, networks, certificates, version, preset)| {
            use beadle_profiles::policy::wifi::{Security, WifiNetwork};
            let mut policy = Policy::preset(Preset::all()[preset]);
            let mut switch = switches.into_iter();
            let mut next = || switch.next().unwrap_or_default();
            policy.passcode = passcode;
            policy.encryption.required = next();
            policy.work_data.documents_stay_in_work_apps = next();
            policy.work_data.copies_stay_in_work_apps = next();
            policy.work_data.airdrop_counts_as_personal = next();
            policy.work_data.contacts_stay_in_work_apps = next();
            policy.cloud.work_apps_may_sync = next();
            policy.cloud.whole_phone_backup_allowed = next();
            policy.camera.allowed = next();
            policy.screen.screenshots_allowed = next();
            policy.accessories.usb_drives_allowed = next();
            policy.accessories.usb_while_locked = next();
            policy.accessories.computer_pairing_allowed = next();
            policy.apps.holder_may_install = next().then(&mut next);
            policy.management.removal_allowed = next();
            policy.management.other_profiles_allowed = next();
            policy.wifi.only_these_networks = next();
            policy.roaming.data_allowed = Some(next());
            policy.updates.minimum_ios = version;
            policy.updates.kept_current = next();
            policy.updates.minimum_android = next().then_some(12);
            policy.updates.patch_within_days = next().then_some(30);
            policy.screen.previews_when_locked = next();
            policy.apps.other_sources_allowed = next();
            if policy.apps.holder_may_install == Some(false) {
                policy.apps.android_allowed = vec!["org.example.maps".into()];
            }
            if next() {
                policy.apps.android_required = vec!["org.example.mail".into()];
            }
            policy.wifi.networks = networks
                .into_iter()
                .map(|(ssid, [hidden, auto_join, wpa3])| WifiNetwork {
                    ssid,
                    security: if wpa3 { Security::Wpa3 } else { Security::Wpa2 },
                    hidden,
                    auto_join,
                })
                .collect();
            policy.certificates.install = certificates;
            policy
        })
}

proptest! {
    #[test]
    fn a_valid_policy_compiles_to_values_apple_accepts(policy in any_policy(), name in any::<String>(), council in any::<String>()) {
        let valid = policy.validate().is_ok();
        for row in coverage(&policy) {
            prop_assert!(!row.phone_does.is_empty());
        }
        let stored = Stored::for_policy(&policy);
        for mode in [Mode::Supervised, Mode::Device, Mode::User] {
            for &ownership in Ownership::all() {
                let mut context = stored.context(mode, ownership);
                context.council_name = &name;
                context.council_id = &council;
                let profile = configuration_profile(&policy, &context);
                prop_assert_eq!(profile.is_ok(), valid);
                let _ = in_force(&policy, &context, &Reported::default());
                let Ok(profile) = profile else { continue };
                let bytes = to_bytes(&profile).expect("XML");
                prop_assert_eq!(plist::Value::from_reader_xml(bytes.as_slice()).expect("readable"), profile.clone());
                for payload in profile.as_dictionary().unwrap()["PayloadContent"].as_array().unwrap() {
                    let payload = payload.as_dictionary().unwrap();
                    for (key, least, most) in RANGES {
                        if let Some(value) = payload.get(key) {
                            let value = value.as_signed_integer().expect("a number");
                            prop_assert!((least..=most).contains(&value), "{} = {}", key, value);
                        }
                    }
                    if ownership == Ownership::Personal || mode == Mode::User {
                        prop_assert!(!payload.contains_key("maxFailedAttempts"));
                    }
                }
            }
        }
    }

    /// Rounding to what an iPhone can count is never weaker in silence. (That enough policies are valid is itself a test: a
    /// generator of mostly invalid ones would be refused here.)
    #[test]
    fn rounding_is_told(policy in any_policy()) {
        prop_assume!(policy.validate().is_ok());
        let rows = coverage(&policy);
        let gap = |name: &str| rows.iter().any(|row| row.setting == name && row.mode == Mode::Device && row.gap.is_some());
        let whole_minutes = |seconds: Option<u32>| seconds.is_none_or(|seconds| seconds % 60 == 0);
        if !whole_minutes(policy.passcode.auto_lock_seconds) {
            prop_assert!(gap("passcode.auto_lock_seconds"));
        }
        if !whole_minutes(policy.passcode.grace_seconds) {
            prop_assert!(gap("passcode.grace_seconds"));
        }
    }

    #[test]
    fn a_policy_reads_back_from_its_json(policy in any_policy()) {
        let text = serde_json::to_string(&policy).expect("JSON");
        prop_assert_eq!(serde_json::from_str::<Policy>(&text).expect("a policy"), policy);
    }

    #[test]
    fn setting_anything_anywhere_never_panics(path in text(), value in text(), pick in any::<prop::sample::Index>()) {
        let mut policy = Policy::preset(Preset::CouncilTemplate);
        let _ = policy.set(&path, &value);
        let known = policy.values();
        let (path, _) = pick.get(&known);
        let before = policy.clone();
        if policy.set(path, &value).is_err() {
            prop_assert_eq!(&policy, &before);
        }
        let _ = policy.validate();
        let _ = coverage(&policy);
    }

    /// What a device sends is not to be trusted: any property list in any place is judged, never a panic.
    #[test]
    fn any_report_is_judged(words in prop::collection::vec(text(), 0..6), number in any::<i64>(), flag in any::<bool>()) {
        let policy = Policy::preset(Preset::Germoe);
        let stored = Stored::for_policy(&policy);
        let mut dictionary = plist::Dictionary::new();
        for (key, word) in ["OSVersion", "PayloadIdentifier", "PayloadUUID", "HardwareEncryptionCaps", "restrictedBool"].iter().zip(words) {
            dictionary.insert((*key).to_owned(), plist::Value::String(word));
        }
        dictionary.insert("PasscodePresent".into(), plist::Value::Boolean(flag));
        dictionary.insert("PasscodeCompliant".into(), plist::Value::Integer(number.into()));
        let reported = Reported {
            device_information: Some(dictionary.clone()),
            security_info: Some(dictionary.clone()),
            profile_list: Some(vec![dictionary.clone()]),
            restrictions: Some(dictionary),
        };
        for mode in [Mode::Supervised, Mode::Device, Mode::User] {
            let _ = in_force(&policy, &stored.context(mode, Ownership::Council), &reported);
        }
    }
}
