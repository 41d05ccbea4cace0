//! The enrolment profile: its rights, its stability, its signature.

use crate::device::public_der;
use crate::openssl_command::consult;
use crate::{GERMOE, now};
use beadle_enrollment::Error;
use beadle_enrollment::apple::{
    EnrolmentMode, EnrolmentProfile, Ownership, access_rights, management_profile_identifier, sign_profile,
};
use beadle_enrollment::authority::Serial;
use chrono::TimeDelta;
use openssl::pkey::PKey;
use plist::{Dictionary, Value};

fn profile() -> EnrolmentProfile<'static> {
    EnrolmentProfile {
        council_id: "0189aaaa-0000-7000-8000-000000000001",
        council_name: "Germoe Parish Council",
        public_url: "https://mdm.germoe.example",
        topic: "com.apple.mgmt.External.0b2c",
        mode: EnrolmentMode::Device,
        ownership: Ownership::Council,
        scep_url: "https://mdm.germoe.example/scep",
        checkin_url: "https://mdm.germoe.example/checkin",
        command_url: "https://mdm.germoe.example/command",
        challenge: "one-use secret",
        ca_certificate_der: b"certificate of the authority",
        extra_tls_roots: &[],
        enrolment_token: "0189bbbb-0000-7000-8000-000000000002",
    }
}

fn payloads(profile: &EnrolmentProfile<'_>) -> Vec<Dictionary> {
    let plist = profile.to_plist().unwrap();
    plist.as_dictionary().unwrap()["PayloadContent"]
        .as_array()
        .unwrap()
        .iter()
        .map(|payload| payload.as_dictionary().unwrap().clone())
        .collect()
}

fn payload(profile: &EnrolmentProfile<'_>, kind: &str) -> Dictionary {
    payloads(profile).into_iter().find(|payload| payload["PayloadType"].as_string() == Some(kind)).unwrap()
}

#[test]
fn rights_per_mode_and_ownership() {
    use EnrolmentMode::{Device, Supervised, User};
    use Ownership::{Council, Personal};
    for (mode, ownership, rights) in [
        (Supervised, Council, Some(8191)),
        (Device, Council, Some(8191)),
        (Supervised, Personal, Some(8179)),
        (Device, Personal, Some(8179)),
        (User, Council, None),
        (User, Personal, None),
    ] {
        assert_eq!(access_rights(mode, ownership), rights, "{mode:?} {ownership:?}");
        if ownership == Personal {
            assert_eq!(rights.unwrap_or(0) & 8, 0, "W3: never the right to erase");
        }
    }
}

#[test]
fn the_profile_is_this() {
    let roots = [b"root of the server's certificate".to_vec()];
    let xml = EnrolmentProfile { extra_tls_roots: &roots, ..profile() }.to_xml().unwrap();
    insta::assert_snapshot!("council_device", String::from_utf8(xml).unwrap());
    let xml = EnrolmentProfile { mode: EnrolmentMode::Supervised, ..profile() }.to_xml().unwrap();
    insta::assert_snapshot!("council_supervised", String::from_utf8(xml).unwrap());
    let personal = EnrolmentProfile { ownership: Ownership::Personal, ..profile() };
    let rights = payload(&personal, "com.apple.mdm")["AccessRights"].as_unsigned_integer();
    assert_eq!(rights, Some(8179));
}

#[test]
fn payloads_are_told_apart() {
    let authority = profile().ca_certificate_der.to_vec();
    let roots = [authority, b"root".to_vec(), b"root".to_vec()];
    let payloads = payloads(&EnrolmentProfile { extra_tls_roots: &roots, ..profile() });
    assert_eq!(payloads.len(), 4);
    for key in ["PayloadUUID", "PayloadIdentifier"] {
        let mut values: Vec<_> = payloads.iter().map(|payload| payload[key].as_string().unwrap()).collect();
        values.sort_unstable();
        values.dedup();
        assert_eq!(values.len(), 4, "{key}");
    }
}

#[test]
fn the_mdm_payload_points_to_the_identity() {
    let scep = payload(&profile(), "com.apple.security.scep");
    let mdm = payload(&profile(), "com.apple.mdm");
    assert_eq!(mdm["IdentityCertificateUUID"], scep["PayloadUUID"]);
    let content = scep["PayloadContent"].as_dictionary().unwrap();
    assert_eq!(content["CAFingerprint"].as_data().unwrap().len(), 20);
}

#[test]
fn a_renewal_changes_the_identity_and_nothing_else() {
    let renewed = EnrolmentProfile { challenge: "another secret", ..profile() };
    let strip = |profile: &EnrolmentProfile<'_>| {
        let mut mdm = payload(profile, "com.apple.mdm");
        mdm.remove("IdentityCertificateUUID");
        mdm
    };
    assert_eq!(strip(&profile()), strip(&renewed));
    let before = payload(&profile(), "com.apple.security.scep");
    let after = payload(&renewed, "com.apple.security.scep");
    assert_eq!(before["PayloadIdentifier"], after["PayloadIdentifier"]);
    assert_ne!(before["PayloadUUID"], after["PayloadUUID"]);
    assert_eq!(profile().to_xml().unwrap(), profile().to_xml().unwrap());
}

#[test]
fn the_identifier_outlives_enrolments() {
    let again = EnrolmentProfile {
        enrolment_token: "0189cccc-0000-7000-8000-000000000003",
        mode: EnrolmentMode::Supervised,
        ..profile()
    };
    let identifier = |profile: &EnrolmentProfile<'_>| {
        profile.to_plist().unwrap().as_dictionary().unwrap()["PayloadIdentifier"].clone()
    };
    let expected = management_profile_identifier(profile().council_id);
    assert_eq!(identifier(&profile()), Value::String(expected));
    assert_eq!(identifier(&profile()), identifier(&again));
    let mdm = |profile: &EnrolmentProfile<'_>| payload(profile, "com.apple.mdm");
    assert_ne!(mdm(&profile())["PayloadUUID"], mdm(&again)["PayloadUUID"]);
}

#[test]
fn what_apple_would_refuse_is_refused_here() {
    let wrong = [
        EnrolmentProfile { mode: EnrolmentMode::User, ..profile() },
        EnrolmentProfile { topic: "com.example.app", ..profile() },
        EnrolmentProfile { topic: "com.apple.mgmt.", ..profile() },
        EnrolmentProfile { command_url: "http://mdm.germoe.example/command", ..profile() },
        EnrolmentProfile { scep_url: "https://", ..profile() },
        EnrolmentProfile { challenge: "", ..profile() },
    ];
    for profile in wrong {
        assert!(matches!(profile.to_xml(), Err(Error::Profile { .. })));
        assert!(!format!("{profile:?}").contains("secret"));
    }
}

#[test]
fn openssl_agrees_about_the_signature() {
    let xml = profile().to_xml().unwrap();
    let server = GERMOE
        .issue_server_certificate(
            &["mdm.germoe.example"],
            Serial::from_random([80; 16]),
            now() - TimeDelta::minutes(1),
            now() + TimeDelta::days(30),
        )
        .unwrap();
    let elliptic = PKey::ec_gen("P-256").unwrap();
    let elliptic_certificate = crate::device::self_signed(&elliptic);
    let ca = GERMOE.certificate_der();
    let signed = [
        sign_profile(&xml, &server.certificate_der, &[&ca], &server.private_key_der).unwrap(),
        sign_profile(&xml, &elliptic_certificate, &[], &elliptic.private_key_to_pkcs8().unwrap()).unwrap(),
    ];
    assert!(matches!(sign_profile(&xml, &ca, &[], &server.private_key_der), Err(Error::KeyMismatch)));
    assert!(!public_der(&elliptic).is_empty());
    let Some(openssl) = consult("signed profile") else {
        return;
    };
    openssl.write_certificate("0.pem", &ca);
    openssl.write_certificate("1.pem", &elliptic_certificate);
    for (index, message) in signed.iter().enumerate() {
        openssl.write("profile", message);
        openssl.agrees(&format!(
            "cms -verify -binary -inform DER -in profile -attime {} -purpose any -CAfile {index}.pem -out plain",
            now().timestamp()
        ));
        assert_eq!(openssl.read("plain"), xml);
        let structure = openssl.agrees("asn1parse -inform DER -in profile");
        assert!(structure.contains(":sha256") && !structure.contains("l=inf"));
    }
}
