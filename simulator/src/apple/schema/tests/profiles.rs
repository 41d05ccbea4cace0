//! Mistakes in the keys of configuration profiles.

mod modes;
mod whole;

use plist::Value;

use super::{DEVICE, SUPERVISED, USER, assert_fine, assert_only, dictionary, with, without};
use crate::apple::schema::{Device, Kind, Problem, Source, check_profile};

const PASSCODE: &str = "com.apple.mobiledevice.passwordpolicy";
const RESTRICTIONS: &str = "com.apple.applicationaccess";
const WIFI: &str = "com.apple.wifi.managed";
const SCEP: &str = "com.apple.security.scep";
const ROOT: &str = "com.apple.security.root";

/// A payload with the keys every payload has; its UUID tells its place.
fn payload<const N: usize>(payload_type: &str, place: usize, keys: [(&str, Value); N]) -> Value {
    let mut payload = dictionary(keys);
    for (key, value) in [
        ("PayloadType", payload_type.to_owned()),
        ("PayloadIdentifier", format!("uk.example.council.{place}")),
        ("PayloadUUID", uuid(place)),
        ("PayloadDisplayName", "Settings of the council".to_owned()),
    ] {
        payload = with(payload, key, value);
    }
    with(payload, "PayloadVersion", 1)
}

fn uuid(place: usize) -> String {
    format!("00000000-0000-4000-8000-{place:012}")
}

fn profile(payloads: Vec<Value>) -> Value {
    dictionary([
        ("PayloadType", "Configuration".into()),
        ("PayloadVersion", 1.into()),
        ("PayloadIdentifier", "uk.example.council".into()),
        ("PayloadUUID", "FFFFFFFF-0000-4000-8000-000000000000".into()),
        ("PayloadContent", Value::Array(payloads)),
    ])
}

fn passcode() -> Value {
    payload(
        PASSCODE,
        0,
        [
            ("forcePIN", true.into()),
            ("minLength", 6.into()),
            ("maxFailedAttempts", 10.into()),
            ("maxInactivity", 1.into()),
        ],
    )
}

fn root(place: usize) -> Value {
    payload(ROOT, place, [("PayloadContent", Value::Data(vec![0x30, 0]))])
}

fn scep(place: usize) -> Value {
    let pair = |name: &str, value: &str| Value::Array(vec![Value::Array(vec![name.into(), value.into()])]);
    let content = dictionary([
        ("URL", "https://mdm.council.example/scep".into()),
        ("Challenge", "once".into()),
        ("Keysize", 2048.into()),
        ("Key Type", "RSA".into()),
        ("Key Usage", 5.into()),
        ("CAFingerprint", Value::Data(vec![0; 20])),
        ("Subject", Value::Array(vec![pair("O", "Council"), pair("CN", "phone")])),
        ("SubjectAltName", dictionary([("dNSName", Value::Array(vec!["a.example".into(), "b.example".into()]))])),
    ]);
    payload(SCEP, place, [("PayloadContent", content)])
}

fn mdm(place: usize, identity: usize) -> Value {
    payload(
        "com.apple.mdm",
        place,
        [
            ("IdentityCertificateUUID", uuid(identity).into()),
            ("Topic", "com.apple.mgmt.External.0".into()),
            ("ServerURL", "https://mdm.council.example/mdm".into()),
            ("CheckInURL", "https://mdm.council.example/check-in".into()),
            ("SignMessage", true.into()),
            ("CheckOutWhenRemoved", true.into()),
            ("AccessRights", 8191.into()),
            ("ServerCapabilities", Value::Array(vec!["com.apple.mdm.token".into()])),
        ],
    )
}

fn wifi(place: usize) -> Value {
    payload(
        WIFI,
        place,
        [
            ("SSID_STR", "Council".into()),
            ("EncryptionType", "WPA2".into()),
            ("Password", "not to be shown".into()),
            ("AutoJoin", true.into()),
        ],
    )
}

#[test]
fn a_good_profile_passes_in_its_modes() {
    let settings =
        profile(vec![passcode(), wifi(1), root(2), payload(RESTRICTIONS, 3, [("allowScreenShot", false.into())])]);
    for device in [SUPERVISED, DEVICE, USER] {
        assert_fine(&check_profile(&settings, &device));
    }
    let enrolment = profile(vec![scep(0), mdm(1, 0), root(2)]);
    for mode in [SUPERVISED, DEVICE] {
        assert_fine(&check_profile(&enrolment, &Device { source: Source::Manual, ..mode }));
    }
    let account_driven = with(mdm(1, 0), "EnrollmentMode", "BYOD");
    let account_driven = with(account_driven, "AssignedManagedAppleID", "clerk@council.example");
    assert_fine(&check_profile(&profile(vec![scep(0), account_driven]), &USER));
}

#[test]
fn a_wrong_key_is_found() {
    let found = check_profile(&profile(vec![with(passcode(), "minimumLength", 6)]), &DEVICE);
    assert_only(&found, "PayloadContent[0].minimumLength", &Problem::UnknownKey);
    let found = check_profile(&with(profile(vec![passcode()]), "PayloadContents", true), &DEVICE);
    assert_only(&found, "PayloadContents", &Problem::UnknownKey);
    let found = check_profile(&profile(vec![with(passcode(), "customRegex", dictionary([]))]), &DEVICE);
    assert_only(&found, "PayloadContent[0].customRegex", &Problem::NotOnIos);
}

#[test]
fn a_missing_key_is_found() {
    let found = check_profile(&profile(vec![without(passcode(), "PayloadVersion")]), &DEVICE);
    assert_only(&found, "PayloadContent[0].PayloadVersion", &Problem::MissingKey);
    let found = check_profile(&without(profile(vec![passcode()]), "PayloadUUID"), &DEVICE);
    assert_only(&found, "PayloadUUID", &Problem::MissingKey);
    let found = check_profile(&profile(vec![without(wifi(0), "SSID_STR")]), &DEVICE);
    assert_only(&found, "PayloadContent[0].SSID_STR", &Problem::MissingKey);
    let bare = payload(SCEP, 0, []);
    let found = check_profile(&profile(vec![bare]), &DEVICE);
    assert_only(&found, "PayloadContent[0].PayloadContent", &Problem::MissingKey);
    let no_type = without(passcode(), "PayloadType");
    let found = check_profile(&profile(vec![no_type]), &DEVICE);
    assert_only(&found, "PayloadContent[0].PayloadType", &Problem::MissingKey);
}

#[test]
fn a_wrong_type_is_found() {
    let wrong = |expected, found| Problem::WrongType { expected, found };
    for (key, value, expected) in [
        ("minLength", Value::from("6"), wrong(Kind::Integer, Kind::String)),
        ("minLength", Value::Real(6.0), wrong(Kind::Integer, Kind::Real)),
        ("forcePIN", Value::from(1), wrong(Kind::Boolean, Kind::Integer)),
    ] {
        let found = check_profile(&profile(vec![with(passcode(), key, value)]), &DEVICE);
        assert_only(&found, &format!("PayloadContent[0].{key}"), &expected);
    }
    let text = with(root(0), "PayloadContent", "MAA=");
    let found = check_profile(&profile(vec![text]), &DEVICE);
    assert_only(&found, "PayloadContent[0].PayloadContent", &wrong(Kind::Data, Kind::String));
    let found = check_profile(&profile(vec!["payload".into()]), &DEVICE);
    assert_only(&found, "PayloadContent[0]", &wrong(Kind::Dictionary, Kind::String));
    let found = check_profile(&Value::from("profile"), &DEVICE);
    assert_only(&found, "", &wrong(Kind::Dictionary, Kind::String));
    let deep =
        with(wifi(0), "EAPClientConfiguration", dictionary([("AcceptEAPTypes", Value::Array(vec!["TLS".into()]))]));
    let found = check_profile(&profile(vec![deep]), &DEVICE);
    let path = "PayloadContent[0].EAPClientConfiguration.AcceptEAPTypes[0]";
    assert_only(&found, path, &wrong(Kind::Integer, Kind::String));
}

#[test]
fn a_value_out_of_range_is_found() {
    for (key, value, min, max) in
        [("maxFailedAttempts", 1, 2.0, 11.0), ("maxFailedAttempts", 12, 2.0, 11.0), ("maxInactivity", 16, 0.0, 15.0)]
    {
        let found = check_profile(&profile(vec![with(passcode(), key, value)]), &DEVICE);
        let problem = Problem::OutOfRange { found: f64::from(value), min: Some(min), max: Some(max) };
        assert_only(&found, &format!("PayloadContent[0].{key}"), &problem);
    }
    for value in [2, 11] {
        assert_fine(&check_profile(&profile(vec![with(passcode(), "maxFailedAttempts", value)]), &DEVICE));
    }
}

#[test]
fn a_value_not_in_the_list_is_found() {
    let found = check_profile(&profile(vec![with(wifi(0), "EncryptionType", "WPA4")]), &DEVICE);
    let allowed = ["WEP", "WPA", "WPA2", "WPA3", "Any", "None"].map(str::to_owned).to_vec();
    let problem = Problem::NotInRangeList { found: "WPA4".to_owned(), allowed };
    assert_only(&found, "PayloadContent[0].EncryptionType", &problem);
    let words = found.first().expect("one").to_string();
    assert_eq!(words, "PayloadContent[0].EncryptionType: \"WPA4\" is not one of WEP, WPA, WPA2, WPA3, Any, None");
    let found = check_profile(&with(profile(vec![]), "PayloadVersion", 2), &DEVICE);
    let problem = Problem::NotInRangeList { found: "2".to_owned(), allowed: vec!["1".to_owned()] };
    assert_only(&found, "PayloadVersion", &problem);
    let found = check_profile(&with(profile(vec![]), "PayloadType", "Profile"), &DEVICE);
    assert_eq!(found.len(), 1);
}

#[test]
fn a_wrong_form_or_count_is_found() {
    let plain = with(mdm(1, 0), "ServerURL", "http://mdm.council.example/mdm");
    let found = check_profile(&profile(vec![scep(0), plain]), &DEVICE);
    let problem = Problem::WrongFormat { expected: "an address that begins with https://" };
    assert_only(&found, "PayloadContent[1].ServerURL", &problem);
    let mut triple = scep(0);
    let content = triple.as_dictionary_mut().and_then(|keys| keys.get_mut("PayloadContent")).expect("content");
    let three = Value::Array(vec!["O".into(), "Council".into(), "more".into()]);
    *content = with(content.clone(), "Subject", Value::Array(vec![Value::Array(vec![three])]));
    let found = check_profile(&profile(vec![triple]), &DEVICE);
    let path = "PayloadContent[0].PayloadContent.Subject[0][0]";
    assert_only(&found, path, &Problem::WrongCount { found: 3, min: 2, max: 2 });
}

#[test]
fn an_unknown_payload_and_one_of_another_system_are_found() {
    let found = check_profile(&profile(vec![payload("com.apple.passcode", 0, [])]), &DEVICE);
    let payload_type = "com.apple.passcode".to_owned();
    assert_only(&found, "PayloadContent[0].PayloadType", &Problem::UnknownPayloadType { payload_type });
    let found = check_profile(&profile(vec![payload("TopLevel", 0, [])]), &DEVICE);
    assert_eq!(found.len(), 1);
    let found = check_profile(&profile(vec![payload("com.apple.dock", 0, [])]), &DEVICE);
    assert_only(&found, "PayloadContent[0]", &Problem::NotOnIos);
}
