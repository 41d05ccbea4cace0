//! What a profile may hold depends on the mode, the version of iOS and the way it is installed.

use plist::Value;

use super::{
    DEVICE, RESTRICTIONS, SUPERVISED, USER, assert_fine, assert_only, dictionary, mdm, payload, profile, scep, with,
};
use crate::apple::schema::{Device, Kind, Problem, Source, check_profile};

#[test]
fn what_user_enrolment_forbids_is_found_there_alone() {
    let key = profile(vec![payload(RESTRICTIONS, 0, [("allowPasscodeModification", true.into())])]);
    let safari = profile(vec![payload(RESTRICTIONS, 0, [("allowVoiceDialing", false.into())])]);
    let subscribed = profile(vec![payload("com.apple.domains", 0, [])]);
    assert_fine(&check_profile(&key, &SUPERVISED));
    assert_only(&check_profile(&key, &DEVICE), "PayloadContent[0].allowPasscodeModification", &Problem::SupervisedOnly);
    let found = check_profile(&key, &USER);
    assert!(found.iter().any(|violation| violation.problem == Problem::Forbidden), "{found:?}");
    for (good_elsewhere, path) in [(&safari, "PayloadContent[0].allowVoiceDialing"), (&subscribed, "PayloadContent[0]")]
    {
        assert_fine(&check_profile(good_elsewhere, &SUPERVISED));
        assert_fine(&check_profile(good_elsewhere, &DEVICE));
        assert_only(&check_profile(good_elsewhere, &USER), path, &Problem::Forbidden);
    }
}

#[test]
fn a_supervised_payload_is_found_in_the_other_modes() {
    let lock = profile(vec![payload(
        "com.apple.app.lock",
        0,
        [("App", dictionary([("Identifier", "uk.example.app".into())]))],
    )]);
    assert_fine(&check_profile(&lock, &SUPERVISED));
    assert_only(&check_profile(&lock, &DEVICE), "PayloadContent[0]", &Problem::SupervisedOnly);
    let found = check_profile(&lock, &USER);
    let problems: Vec<_> = found.iter().map(|violation| &violation.problem).collect();
    assert_eq!(problems, [&Problem::Forbidden, &Problem::SupervisedOnly]);
    let kept = with(profile(vec![]), "PayloadRemovalDisallowed", true);
    assert_fine(&check_profile(&kept, &SUPERVISED));
    assert_only(&check_profile(&kept, &DEVICE), "PayloadRemovalDisallowed", &Problem::SupervisedOnly);
}

#[test]
fn exactly_the_known_restrictions_pass_under_user_enrolment() {
    let table = &crate::apple::schema::table::TABLE.profiles[RESTRICTIONS][0];
    let allowed = table.keys.iter().filter(|(key, node)| {
        let value = match node.kind {
            Kind::Boolean => Value::from(true),
            Kind::Integer => Value::from(0),
            Kind::Array => Value::Array(Vec::new()),
            _ => Value::from("gb"),
        };
        let found = check_profile(&profile(vec![payload(RESTRICTIONS, 0, [(key, value)])]), &USER);
        let barred =
            |problem: &Problem| matches!(problem, Problem::Forbidden | Problem::SupervisedOnly | Problem::NotOnIos);
        !found.iter().any(|violation| barred(&violation.problem))
    });
    // The number Apple's documentation arrives at, and an automatic erase is none of them.
    assert_eq!(allowed.count(), 23);
}

#[test]
fn what_the_devices_version_lacks_is_found() {
    let key = profile(vec![payload(RESTRICTIONS, 0, [("forceOnDeviceOnlyDictation", true.into())])]);
    let old = Device { ios: (14, 4), ..DEVICE };
    let problem = Problem::TooNew { introduced: (14, 5) };
    assert_only(&check_profile(&key, &old), "PayloadContent[0].forceOnDeviceOnlyDictation", &problem);
    assert_fine(&check_profile(&key, &Device { ios: (14, 5), ..DEVICE }));
    let gone = profile(vec![scep(0), with(mdm(1, 0), "ManagedAppleID", "clerk@council.example")]);
    let found = check_profile(&gone, &USER);
    assert_only(&found, "PayloadContent[1].ManagedAppleID", &Problem::Removed { removed: (18, 0) });
    assert_fine(&check_profile(&gone, &Device { ios: (17, 0), ..USER }));
    let found = check_profile(&gone, &Device { ios: (17, 0), ..DEVICE });
    assert_only(&found, "PayloadContent[1].ManagedAppleID", &Problem::UserEnrolmentOnly);
}

#[test]
fn what_only_mdm_may_install_is_found_in_a_downloaded_profile() {
    let proxy = payload("com.apple.networkusagerules", 0, []);
    let manual = Device { source: Source::Manual, ..DEVICE };
    assert_only(&check_profile(&profile(vec![proxy.clone()]), &manual), "PayloadContent[0]", &Problem::MdmOnly);
    assert_fine(&check_profile(&profile(vec![proxy]), &DEVICE));
}
