//! The Mdm-Signature header in every form devices send, and in the forms attackers would.

use crate::device::{Hash, OTHER_KEY, PHONE_KEY, Signed, Style, public_der, self_signed};
use crate::openssl_command::consult;
use crate::{GERMOE, issue, now};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use beadle_enrollment::cms::SignatureProblem;
use beadle_enrollment::mdm_signature::{self, LastSigner, Signer};
use openssl::pkey::PKey;
use proptest::prelude::*;
use std::path::Path;

const BODY: &[u8] = b"<plist><dict><key>Status</key><string>Idle</string></dict></plist>";

fn signed(certificate: &[u8]) -> Signed<'_> {
    Signed {
        style: Style::Indefinite,
        hash: Hash::Sha1,
        key: &PHONE_KEY,
        certificate,
        content: BODY,
        detached: true,
        attributes: None,
    }
}

/// On a connection of its own.
fn verify(header: &str, body: &[u8]) -> Result<Signer, SignatureProblem> {
    mdm_signature::verify(header, body, &mut LastSigner::default())
}

fn header(message: Vec<u8>) -> String {
    STANDARD.encode(message)
}

#[test]
fn every_form_a_device_sends_is_accepted() {
    let certificate = issue(&GERMOE, &public_der(&PHONE_KEY), 40).der;
    for style in [Style::Indefinite, Style::Definite] {
        for hash in [Hash::Sha1, Hash::Sha256] {
            for attributes in [None, Some(Vec::new())] {
                for detached in [true, false] {
                    let message =
                        Signed { style, hash, attributes: attributes.clone(), detached, ..signed(&certificate) };
                    let signer = verify(&header(message.message()), BODY).unwrap();
                    assert_eq!(signer.certificate_der, certificate);
                    assert!(GERMOE.verify_identity(&signer.certificate_der, now()).is_ok());
                }
            }
        }
    }
}

#[test]
fn a_header_broken_into_lines_or_without_padding_is_read() {
    let certificate = self_signed(&PHONE_KEY);
    let whole = header(signed(&certificate).message());
    let lines: Vec<_> = whole.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    assert!(verify(&lines.join("\r\n "), BODY).is_ok());
    assert!(verify(whole.trim_end_matches('='), BODY).is_ok());
}

#[test]
fn elliptic_curve_identities_are_read_too() {
    let key = PKey::ec_gen("P-256").unwrap();
    let certificate = self_signed(&key);
    for attributes in [None, Some(Vec::new())] {
        let message = Signed { hash: Hash::Sha256, key: &key, attributes, ..signed(&certificate) };
        assert!(verify(&header(message.message()), BODY).is_ok());
    }
}

#[test]
fn what_does_not_prove_anything_is_refused() {
    let certificate = self_signed(&PHONE_KEY);
    let good = header(signed(&certificate).message());
    assert_eq!(verify(&good, b"another body"), Err(SignatureProblem::WrongSignature));
    let with_attributes = Signed { attributes: Some(Vec::new()), ..signed(&certificate) };
    assert_eq!(verify(&header(with_attributes.message()), b"another body"), Err(SignatureProblem::WrongSignature));
    let other_content_inside = Signed { detached: false, ..signed(&certificate) };
    assert_eq!(verify(&header(other_content_inside.message()), b"another body"), Err(SignatureProblem::WrongSignature));
    let other_key = Signed { key: &OTHER_KEY, ..signed(&certificate) };
    assert_eq!(verify(&header(other_key.message()), BODY), Err(SignatureProblem::WrongSignature));
    for signers in [0, 2] {
        let message = signed(&certificate).message_with_signers(signers);
        assert_eq!(verify(&header(message), BODY), Err(SignatureProblem::NotOneSigner));
    }
    let md5 = Signed { hash: Hash::Md5, ..signed(&certificate) };
    assert_eq!(verify(&header(md5.message()), BODY), Err(SignatureProblem::Algorithm));
    for text in ["", "!", "AAAA", "MIAGCSqGSIb3DQEHAqCA"] {
        assert_eq!(verify(text, BODY), Err(SignatureProblem::Malformed));
    }
}

#[test]
fn repeated_attributes_are_refused() {
    let certificate = self_signed(&PHONE_KEY);
    let message = Signed {
        attributes: Some(vec![("1.2.840.113549.1.9.3", crate::device::oid("1.2.840.113549.1.7.2"))]),
        ..signed(&certificate)
    };
    assert_eq!(verify(&header(message.message()), BODY), Err(SignatureProblem::Attributes));
}

/// What a real device sent. Captures are not the project's to publish: they lie in `shared`, beside the checkouts of those
/// who build Beadle. A clone without it leaves the test out; where `shared` is, `TEST_SKIP_NOTHING` insists.
fn captured(name: &str) -> Option<Vec<u8>> {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    let found = std::fs::read(shared.join("captures").join(name));
    if let Err(problem) = &found {
        let insisted = shared.is_dir() && std::env::var_os("TEST_SKIP_NOTHING").is_some();
        assert!(!insisted, "{name}: {problem}, and nothing may be left out here");
        eprintln!("left out: no capture of a real device here ({name}); the forms made by hand stand for it");
    }
    found.ok()
}

#[test]
fn a_real_device_is_understood() {
    let (Some(message), Some(body)) = (captured("mdm-signature.der"), captured("mdm-signature-body.plist")) else {
        return;
    };
    let signer = verify(&STANDARD.encode(message), &body).unwrap();
    assert_eq!(signer.certificate_der.len(), 801);
    assert!(GERMOE.verify_identity(&signer.certificate_der, now()).is_err());
}

#[test]
fn what_openssl_signs_is_understood() {
    let certificate = issue(&GERMOE, &public_der(&PHONE_KEY), 41).der;
    let Some(openssl) = consult("Mdm-Signature") else {
        return;
    };
    openssl.write("body", BODY);
    openssl.write_certificate("device.pem", &certificate);
    openssl.write_key("key.pem", &PHONE_KEY.private_key_to_pkcs8().unwrap());
    for options in
        ["", "-noattr", "-keyid", "-md sha1", "-md sha1 -noattr -stream", "-md sha512 -stream", "-nodetach -stream"]
    {
        openssl.agrees(&format!(
            "cms -sign -binary {options} -in body -signer device.pem -inkey key.pem -outform DER -out message"
        ));
        let signer = verify(&STANDARD.encode(openssl.read("message")), BODY);
        assert_eq!(signer.unwrap().certificate_der, certificate, "{options}");
    }
}

proptest! {
    #[test]
    fn any_header_is_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..500)) {
        prop_assert!(verify(&header(bytes), BODY).is_err());
    }

    #[test]
    fn a_changed_message_proves_nothing_new(
        attributes: bool,
        index: prop::sample::Index,
        change in 1u8..,
        cut: bool,
    ) {
        let certificate = issue(&GERMOE, &public_der(&PHONE_KEY), 42);
        let message = Signed {
            attributes: attributes.then(Vec::new),
            ..signed(&certificate.der)
        };
        let mut bytes = message.message();
        let index = index.index(bytes.len());
        if cut {
            bytes.truncate(index);
        } else {
            bytes[index] ^= change;
        }
        if let Ok(signer) = verify(&header(bytes), BODY)
            && let Ok(identity) = GERMOE.verify_identity(&signer.certificate_der, now())
        {
            prop_assert_eq!(identity.fingerprint, certificate.fingerprint);
        }
    }
}

#[test]
fn what_a_connection_remembers_believes_nobody_else() {
    let certificate = issue(&GERMOE, &public_der(&PHONE_KEY), 40).der;
    let others = issue(&GERMOE, &public_der(&OTHER_KEY), 41).der;
    let good = header(signed(&certificate).message());
    let stolen_name = header(Signed { key: &OTHER_KEY, ..signed(&certificate) }.message());
    let others_name = header(signed(&others).message());
    let other = header(Signed { key: &OTHER_KEY, ..signed(&others) }.message());
    let mut last = LastSigner::default();
    for _ in 0..2 {
        assert_eq!(mdm_signature::verify(&good, BODY, &mut last).unwrap().certificate_der, certificate);
        for wrong in [&stolen_name, &others_name] {
            let refused = mdm_signature::verify(wrong, BODY, &mut last);
            assert_eq!(refused, Err(SignatureProblem::WrongSignature));
        }
        assert!(mdm_signature::verify(&good, b"another body", &mut last).is_err());
        assert_eq!(mdm_signature::verify(&other, BODY, &mut last).unwrap().certificate_der, others);
        assert_eq!(mdm_signature::verify(&stolen_name, BODY, &mut last), Err(SignatureProblem::WrongSignature));
    }
}
