//! Certificates: issued as decided, recognised again, and nobody else's.

use crate::device::{OTHER_KEY, PHONE_KEY, csr, public_der, self_signed};
use crate::openssl_command::consult;
use crate::{CORELEY, GERMOE, issue, new_authority, now};
use beadle_enrollment::Error;
use beadle_enrollment::authority::{Authority, IdentityProblem, IssueRequest, Serial, fingerprint};
use chrono::TimeDelta;
use openssl::nid::Nid;
use openssl::pkey::PKey;
use openssl::rsa::Rsa;
use openssl::x509::X509;
use proptest::prelude::*;

#[test]
fn an_identity_is_recognised_by_its_own_council_only() {
    let issued = issue(&GERMOE, &public_der(&PHONE_KEY), 20);
    let identity = GERMOE.verify_identity(&issued.der, now()).unwrap();
    assert_eq!(identity.fingerprint, issued.fingerprint);
    assert_eq!(identity.fingerprint, fingerprint(&issued.der));
    assert_eq!(identity.serial, issued.serial);
    assert_eq!(identity.not_after, issued.not_after);
    assert_eq!(identity.common_name, "01890000-0000-7000-8000-000000000001");
    assert_eq!(CORELEY.verify_identity(&issued.der, now()), Err(IdentityProblem::NotIssuedHere));
    // The same name does not make the same authority.
    let namesake = new_authority("Germoe Parish Council", 3);
    assert_eq!(namesake.verify_identity(&issued.der, now()), Err(IdentityProblem::NotIssuedHere));
    assert_eq!(GERMOE.verify_identity(&self_signed(&PHONE_KEY), now()), Err(IdentityProblem::NotIssuedHere));
}

#[test]
fn time_is_told_apart_from_trust() {
    let issued = issue(&GERMOE, &public_der(&PHONE_KEY), 21);
    let late = issued.not_after + TimeDelta::seconds(1);
    match GERMOE.verify_identity(&issued.der, late) {
        Err(IdentityProblem::Expired(identity)) => {
            assert_eq!(identity.fingerprint, issued.fingerprint);
        }
        other => panic!("{other:?}"),
    }
    assert!(GERMOE.verify_identity(&issued.der, issued.not_after).is_ok());
    let slow_clock = issued.not_before - TimeDelta::minutes(9);
    assert!(GERMOE.verify_identity(&issued.der, slow_clock).is_ok());
    let too_early = issued.not_before - TimeDelta::minutes(11);
    assert!(matches!(GERMOE.verify_identity(&issued.der, too_early), Err(IdentityProblem::NotYetValid { .. })));
}

#[test]
fn only_identities_are_identities() {
    assert_eq!(GERMOE.verify_identity(&GERMOE.certificate_der(), now()), Err(IdentityProblem::NotAnIdentity));
    let server = GERMOE
        .issue_server_certificate(
            &["localhost", "127.0.0.1"],
            Serial::from_random([22; 16]),
            now(),
            now() + TimeDelta::days(30),
        )
        .unwrap();
    assert_eq!(GERMOE.verify_identity(&server.certificate_der, now()), Err(IdentityProblem::NotAnIdentity));
}

#[test]
fn another_wrapping_of_the_same_certificate_is_refused() {
    let issued = issue(&GERMOE, &public_der(&PHONE_KEY), 23);
    let mut longer = issued.der.clone();
    longer.push(0);
    assert_eq!(GERMOE.verify_identity(&longer, now()), Err(IdentityProblem::Malformed));
    // The outer length in three bytes instead of two: same content, another fingerprint.
    let mut rewrapped = vec![0x30, 0x83, 0x00];
    rewrapped.extend_from_slice(&issued.der[2..]);
    assert_eq!(GERMOE.verify_identity(&rewrapped, now()), Err(IdentityProblem::Malformed));
}

#[test]
fn a_stored_authority_works_like_the_first() {
    let again = Authority::from_parts(&GERMOE.certificate_der(), &GERMOE.private_key_der()).unwrap();
    let issued = issue(&again, &public_der(&PHONE_KEY), 24);
    assert!(GERMOE.verify_identity(&issued.der, now()).is_ok());
    assert!(matches!(
        Authority::from_parts(&GERMOE.certificate_der(), &CORELEY.private_key_der()),
        Err(Error::KeyMismatch)
    ));
    assert!(!format!("{again:?}").contains("key"));
}

#[test]
fn weak_keys_long_names_and_empty_periods_are_refused() {
    let public_key = public_der(&PHONE_KEY);
    let good = IssueRequest {
        common_name: "device",
        organization: None,
        serial: Serial::from_random([25; 16]),
        not_before: now(),
        not_after: now() + TimeDelta::days(1),
        public_key_der: &public_key,
        uri: None,
    };
    assert!(GERMOE.issue(&good).is_ok());
    let weak = PKey::from_rsa(Rsa::generate(1024).unwrap()).unwrap();
    let weak = weak.public_key_to_der().unwrap();
    let elliptic = PKey::ec_gen("P-256").unwrap().public_key_to_der().unwrap();
    for key in [&weak[..], &elliptic, b"nonsense"] {
        let request = IssueRequest { public_key_der: key, ..good.clone() };
        assert!(matches!(GERMOE.issue(&request), Err(Error::UnacceptableKey)));
    }
    for common_name in ["", &"n".repeat(65), &"é".repeat(33)] {
        let request = IssueRequest { common_name, ..good.clone() };
        assert!(matches!(GERMOE.issue(&request), Err(Error::CommonName)));
    }
    let request = IssueRequest { not_after: good.not_before, ..good.clone() };
    assert!(matches!(GERMOE.issue(&request), Err(Error::Validity)));
    // An identity never outlives the authority, and a long council name is cut, not refused.
    let request =
        IssueRequest { not_after: now() + TimeDelta::days(9999), organization: Some(&"Saint Mary ".repeat(9)), ..good };
    let issued = GERMOE.issue(&request).unwrap();
    assert_eq!(issued.not_after, GERMOE.validity().1);
}

#[test]
fn the_device_decides_nothing_but_its_key() {
    // The request asks for CA:TRUE and names itself "phone".
    assert!(csr(&PHONE_KEY, None).len() > 300);
    let issued = issue(&GERMOE, &public_der(&PHONE_KEY), 26);
    let certificate = X509::from_der(&issued.der).unwrap();
    let names: Vec<_> = certificate
        .subject_name()
        .entries_by_nid(Nid::COMMONNAME)
        .map(|entry| entry.data().to_string().unwrap())
        .collect();
    assert_eq!(names, ["01890000-0000-7000-8000-000000000001"]);
    assert_eq!(certificate.pathlen(), None);
}

#[test]
fn serial_numbers_are_positive_and_read_back() {
    for byte in [0x00, 0x7f, 0x80, 0xff] {
        let serial = Serial::from_random([byte; 16]);
        assert_eq!(serial.to_string().len(), 32);
        assert_eq!(Serial::from_hex(&serial.to_string()).unwrap(), serial);
    }
    for text in ["", "00", "xy", &"7f".repeat(21), &"ff".repeat(20)] {
        assert!(Serial::from_hex(text).is_err(), "{text}");
    }
}

#[test]
fn openssl_agrees_about_the_certificates() {
    let issued = issue(&GERMOE, &public_der(&OTHER_KEY), 27);
    let server = GERMOE
        .issue_server_certificate(
            &["mdm.germoe.example", "127.0.0.1", "::1"],
            Serial::from_random([28; 16]),
            now() - TimeDelta::minutes(1),
            now() + TimeDelta::days(30),
        )
        .unwrap();
    let Some(openssl) = consult("certificates") else {
        return;
    };
    openssl.write_certificate("ca.pem", &GERMOE.certificate_der());
    openssl.write_certificate("other.pem", &CORELEY.certificate_der());
    openssl.write_certificate("device.pem", &issued.der);
    openssl.write_certificate("server.pem", &server.certificate_der);
    let at = now().timestamp();
    let verify = format!("verify -x509_strict -attime {at} -CAfile ca.pem");
    openssl.agrees(&format!("{verify} ca.pem"));
    openssl.agrees(&format!("{verify} -purpose sslclient device.pem"));
    openssl.agrees(&format!("{verify} -purpose sslserver -verify_hostname mdm.germoe.example server.pem"));
    openssl.agrees(&format!("{verify} -verify_ip ::1 server.pem"));
    for refused in [
        format!("{verify} -purpose sslserver device.pem"),
        format!("{verify} -purpose sslclient server.pem"),
        format!("{verify} -verify_hostname elsewhere.example server.pem"),
        format!("verify -attime {at} -CAfile other.pem device.pem"),
    ] {
        assert!(!openssl.ask(&refused).0, "{refused}");
    }
    let text = openssl.agrees("x509 -in ca.pem -noout -text");
    for expected in [
        "CA:TRUE, pathlen:0",
        "Digital Signature, Key Encipherment, Certificate Sign, CRL Sign",
        "sha256WithRSAEncryption",
    ] {
        assert!(text.contains(expected), "{expected}\n{text}");
    }
    let text = openssl.agrees("x509 -in device.pem -noout -text");
    for expected in [
        "CA:FALSE",
        "TLS Web Client Authentication",
        "URI:urn:uuid:01890000-0000-7000-8000-000000000001",
        "O = Germoe Parish Council, CN = 01890000-0000-7000-8000-000000000001",
    ] {
        assert!(text.contains(expected), "{expected}\n{text}");
    }
    assert!(!text.contains("Server Authentication"));
}

proptest! {
    #[test]
    fn any_bytes_are_no_identity(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(GERMOE.verify_identity(&bytes, now()).is_err());
    }

    #[test]
    fn a_changed_certificate_is_no_identity(index: prop::sample::Index, change in 1u8..) {
        let mut der = issue(&GERMOE, &public_der(&PHONE_KEY), 29).der;
        let index = index.index(der.len());
        der[index] ^= change;
        prop_assert!(GERMOE.verify_identity(&der, now()).is_err());
    }
}
