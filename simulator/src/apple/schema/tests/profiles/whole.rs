//! Mistakes between the payloads of a profile, and of rules the schema's form cannot express.

use plist::Value;

use super::{
    DEVICE, SCEP, SUPERVISED, USER, assert_fine, assert_only, dictionary, mdm, passcode, payload, profile, root, scep,
    uuid, wifi, with, without,
};
use crate::apple::schema::{Device, Problem, check_profile};

#[test]
fn payloads_that_clash_are_found() {
    let twin = with(passcode(), "PayloadIdentifier", "uk.example.council.other");
    let found = check_profile(&profile(vec![passcode(), twin]), &DEVICE);
    assert_only(&found, "PayloadContent[1].PayloadUUID", &Problem::NotUnique);
    let twin = with(wifi(1), "PayloadIdentifier", "uk.example.council.0");
    let found = check_profile(&profile(vec![passcode(), twin]), &DEVICE);
    assert_only(&found, "PayloadContent[1].PayloadIdentifier", &Problem::NotUnique);
    let found = check_profile(&profile(vec![scep(0), mdm(1, 0), mdm(2, 0)]), &DEVICE);
    assert_only(&found, "PayloadContent[2]", &Problem::TooMany { payload_type: "com.apple.mdm".to_owned() });
}

#[test]
fn a_reference_to_the_wrong_payload_is_found() {
    let identity = Problem::WrongReference { wanted: "an identity payload" };
    let found = check_profile(&profile(vec![root(0), mdm(1, 0)]), &DEVICE);
    assert_only(&found, "PayloadContent[1].IdentityCertificateUUID", &identity);
    let found = check_profile(&profile(vec![scep(0), mdm(1, 7)]), &DEVICE);
    assert_only(&found, "PayloadContent[1].IdentityCertificateUUID", &identity);
    let anchors = dictionary([
        ("AcceptEAPTypes", Value::Array(vec![13.into()])),
        ("PayloadCertificateAnchorUUID", Value::Array(vec![uuid(0).into(), uuid(1).into()])),
    ]);
    let found =
        check_profile(&profile(vec![root(0), scep(1), with(wifi(2), "EAPClientConfiguration", anchors)]), &DEVICE);
    let path = "PayloadContent[2].EAPClientConfiguration.PayloadCertificateAnchorUUID[1]";
    assert_only(&found, path, &Problem::WrongReference { wanted: "a certificate payload" });
}

#[test]
fn a_broken_rule_of_the_documentation_is_found() {
    let broken = |payload: Value, path: &str, device: &Device| {
        let found = check_profile(&profile(vec![scep(0), payload]), device);
        let [only] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!(only.path, format!("PayloadContent[1].{path}"));
        assert!(matches!(only.problem, Problem::Inconsistent { .. }));
    };
    for rights in [0, 2, 8192, -1] {
        broken(with(mdm(1, 0), "AccessRights", rights), "AccessRights", &DEVICE);
    }
    broken(with(mdm(1, 0), "Topic", "uk.example"), "Topic", &DEVICE);
    broken(with(mdm(1, 0), "EnrollmentMode", "BYOD"), "EnrollmentMode", &SUPERVISED);
    let account = with(mdm(1, 0), "AssignedManagedAppleID", "clerk@council.example");
    broken(account, "EnrollmentMode", &USER);
    broken(with(mdm(1, 0), "EnrollmentMode", "BYOD"), "AssignedManagedAppleID", &USER);
    let content = dictionary([("URL", "https://council.example".into()), ("Key Type", "EC".into())]);
    broken(payload(SCEP, 1, [("PayloadContent", content)]), "PayloadContent.Key Type", &DEVICE);
}

#[test]
fn an_encrypted_profile_needs_no_open_payloads() {
    let sealed = without(with(profile(vec![]), "IsEncrypted", true), "PayloadContent");
    assert_only(&check_profile(&sealed, &DEVICE), "EncryptedPayloadContent", &Problem::MissingKey);
    let sealed = with(sealed, "EncryptedPayloadContent", Value::Data(vec![1]));
    assert_fine(&check_profile(&sealed, &DEVICE));
}

#[test]
fn folders_in_folders_of_the_home_screen_are_checked() {
    let app = dictionary([("Type", "App".into()), ("BundleID", "uk.example.app".into())]);
    let bad = dictionary([("Type", "Door".into())]);
    let folder = |inner: Value| {
        dictionary([("Type", "Folder".into()), ("Pages", Value::Array(vec![Value::Array(vec![inner])]))])
    };
    let layout = |inner: Value| {
        let pages = Value::Array(vec![Value::Array(vec![folder(folder(inner))])]);
        profile(vec![payload("com.apple.homescreenlayout", 0, [("Pages", pages)])])
    };
    assert_fine(&check_profile(&layout(app), &SUPERVISED));
    let found = check_profile(&layout(bad), &SUPERVISED);
    let [only] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(only.path, "PayloadContent[0].Pages[0][0].Pages[0][0].Pages[0][0].Type");
}
