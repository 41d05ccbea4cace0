//! What a phone reports decides what is shown as in force.

use beadle_profiles::apple::report::{
    ProfileState, Reported, Setting, State, in_force, management_profile_missing, profile_state,
};
use beadle_profiles::apple::{profile_identifier, profile_uuid};
use beadle_profiles::{Context, Mode, Ownership, Policy, Preset};

use crate::common::{APPLE, Stored, strictest};

fn dictionary(entries: &[(&str, plist::Value)]) -> plist::Dictionary {
    entries.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect()
}

/// A phone that obeys.
fn obedient(context: &Context<'_>) -> Reported {
    Reported {
        device_information: Some(dictionary(&[("OSVersion", "18.1".into()), ("DataRoamingEnabled", false.into())])),
        security_info: Some(dictionary(&[
            ("HardwareEncryptionCaps", 3.into()),
            ("PasscodePresent", true.into()),
            ("PasscodeCompliant", true.into()),
            ("PasscodeCompliantWithProfiles", true.into()),
        ])),
        profile_list: Some(vec![
            dictionary(&[("PayloadIdentifier", "beadle.management".into())]),
            dictionary(&[
                ("PayloadIdentifier", profile_identifier(context.council_id).into()),
                ("PayloadUUID", profile_uuid(context).to_lowercase().into()),
            ]),
        ]),
        restrictions: None,
    }
}

fn states(settings: &[Setting]) -> String {
    settings
        .iter()
        .map(|setting| format!("{:<40} {:<13} {}", setting.setting, setting.state.as_str(), setting.reason))
        .collect::<Vec<_>>()
        .join("\n")
}

fn state(settings: &[Setting], name: &str) -> State {
    settings.iter().find(|setting| setting.setting == name).unwrap_or_else(|| panic!("{name} is judged")).state
}

#[test]
fn an_obedient_phone_has_everything_in_force() {
    let policy = strictest();
    let stored = Stored::for_policy(&policy);
    for (mode, ownership) in APPLE {
        let context = stored.context(mode, ownership);
        let settings = in_force(&policy, &context, &obedient(&context));
        insta::assert_snapshot!(format!("obedient_{mode}"), states(&settings));
        assert!(settings.iter().all(|setting| setting.state == State::InForce), "{mode}");
    }
}

#[test]
fn a_silent_phone_has_nothing_in_force() {
    let policy = strictest();
    let stored = Stored::for_policy(&policy);
    let settings = in_force(&policy, &stored.context(Mode::Device, Ownership::Council), &Reported::default());
    assert!(settings.len() > 10);
    assert!(settings.iter().all(|setting| setting.state == State::Unknown), "{}", states(&settings));
}

#[test]
fn a_phone_without_pin_or_with_an_old_one() {
    let policy = Policy::preset(Preset::Germoe);
    let stored = Stored::for_policy(&policy);
    let context = stored.context(Mode::Device, Ownership::Council);
    let mut reported = obedient(&context);
    let security = reported.security_info.as_mut().expect("set above");
    security.insert("PasscodeCompliantWithProfiles".into(), false.into());
    let settings = in_force(&policy, &context, &reported);
    assert_eq!(state(&settings, "passcode.required"), State::InForce);
    assert_eq!(state(&settings, "passcode.minimum_length"), State::NotInForce);
    assert_eq!(state(&settings, "passcode.erase_after_failed_attempts"), State::InForce);

    let security = reported.security_info.as_mut().expect("set above");
    security.insert("PasscodePresent".into(), false.into());
    let settings = in_force(&policy, &context, &reported);
    assert_eq!(state(&settings, "passcode.required"), State::NotInForce);
    assert_eq!(state(&settings, "encryption.required"), State::NotInForce);
    assert_eq!(state(&settings, "passcode.erase_after_failed_attempts"), State::NotInForce);
    insta::assert_snapshot!("no_pin", states(&settings));
}

#[test]
fn an_older_version_or_a_missing_profile_is_not_in_force() {
    let policy = Policy::preset(Preset::Germoe);
    let stored = Stored::for_policy(&policy);
    let context = stored.context(Mode::Supervised, Ownership::Council);
    let older = Context { policy_version: 2, ..context };
    let reported = obedient(&older);
    assert_eq!(profile_state(&context, &reported), ProfileState::OtherVersion);
    assert_eq!(state(&in_force(&policy, &context, &reported), "passcode.auto_lock_seconds"), State::NotInForce);
    assert_eq!(management_profile_missing(&reported, "beadle.management"), Some(false));

    let reported = Reported { profile_list: Some(Vec::new()), ..reported };
    assert_eq!(profile_state(&context, &reported), ProfileState::Missing);
    assert_eq!(management_profile_missing(&reported, "beadle.management"), Some(true));
    assert_eq!(management_profile_missing(&Reported::default(), "beadle.management"), None);
    assert_eq!(profile_state(&context, &Reported::default()), ProfileState::Unknown);
}

#[test]
fn the_sum_of_restrictions_can_contradict_the_profile() {
    let policy = strictest();
    let stored = Stored::for_policy(&policy);
    let context = stored.context(Mode::Device, Ownership::Council);
    let value = |value: plist::Value| plist::Value::Dictionary(dictionary(&[("value", value)]));
    let mut reported = obedient(&context);
    reported.restrictions = Some(dictionary(&[
        ("restrictedBool", plist::Value::Dictionary(dictionary(&[("allowCamera", value(true.into()))]))),
        (
            "restrictedValue",
            plist::Value::Dictionary(dictionary(&[("maxInactivity", value(1.into())), ("minLength", value(4.into()))])),
        ),
    ]));
    let settings = in_force(&policy, &context, &reported);
    assert_eq!(state(&settings, "camera.allowed"), State::NotInForce);
    assert_eq!(state(&settings, "passcode.minimum_length"), State::NotInForce);
    assert_eq!(state(&settings, "passcode.auto_lock_seconds"), State::InForce);
}

#[test]
fn an_old_system_is_flagged() {
    let mut policy = Policy::preset(Preset::Coreley);
    policy.set("updates.minimum_ios", "17.10").expect("a version");
    let stored = Stored::for_policy(&policy);
    let context = stored.context(Mode::Device, Ownership::Council);
    for (version, expected) in
        [("17.9.3", State::NotInForce), ("17.10", State::InForce), ("18", State::InForce), ("soon", State::Unknown)]
    {
        let mut reported = obedient(&context);
        reported.device_information = Some(dictionary(&[("OSVersion", version.into())]));
        assert_eq!(state(&in_force(&policy, &context, &reported), "updates.minimum_ios"), expected, "{version}");
    }
}

/// W3 again: erasing is not even judged on a personal phone.
#[test]
fn erasing_is_not_expected_of_a_personal_phone() {
    let policy = Policy::preset(Preset::Germoe);
    let stored = Stored::for_policy(&policy);
    for mode in [Mode::Device, Mode::User] {
        let context = stored.context(mode, Ownership::Personal);
        let settings = in_force(&policy, &context, &obedient(&context));
        assert!(!settings.iter().any(|setting| setting.setting.contains("erase")), "{mode}");
    }
}
