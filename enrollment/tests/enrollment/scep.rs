//! SCEP: what is served, what is refused and how, and answers that other implementations open.

use crate::device::{
    Hash, NONCE, OTHER_KEY, PHONE_KEY, ScepRequest, Signed, Style, TRANSACTION, Wrap, csr, der, envelope, public_der,
    rsa_key, self_signed,
};
use crate::openssl_command::consult;
use crate::{CORELEY, GERMOE, issue, now};
use beadle_enrollment::cms::{ContentCipher, EnvelopeProblem, SignatureProblem};
use beadle_enrollment::scep::{
    FailInfo, Header, MessageType, Refusal, RefusalReason, ca_certificate, failure, parse_request, success,
};
use openssl::pkcs7::Pkcs7;
use openssl::pkey::PKey;
use openssl::rsa::Rsa;
use proptest::prelude::*;
use std::sync::LazyLock;

fn enrolment() -> ScepRequest<'static> {
    ScepRequest {
        style: Style::Indefinite,
        hash: Hash::Sha256,
        wrap: Wrap::Aes128,
        message_type: "19",
        csr: csr(&PHONE_KEY, Some("sesame")),
        signer_key: &PHONE_KEY,
        signer_certificate: self_signed(&PHONE_KEY),
        recipient: GERMOE.certificate_der(),
    }
}

static IDENTITY: LazyLock<Vec<u8>> = LazyLock::new(|| issue(&GERMOE, &public_der(&PHONE_KEY), 60).der);

fn renewal() -> ScepRequest<'static> {
    ScepRequest { message_type: "17", csr: csr(&OTHER_KEY, None), signer_certificate: IDENTITY.clone(), ..enrolment() }
}

fn refusal(request: &ScepRequest<'_>, legacy: bool) -> Refusal {
    parse_request(&request.message(), &GERMOE, legacy).expect_err("it is refused")
}

fn header() -> Header {
    Header { transaction_id: TRANSACTION.to_owned(), sender_nonce: NONCE.to_vec() }
}

#[test]
fn requests_of_every_style_are_read() {
    for style in [Style::Definite, Style::Indefinite] {
        for hash in [Hash::Sha1, Hash::Sha256] {
            for (wrap, cipher) in [
                (Wrap::Aes128, ContentCipher::Aes128),
                (Wrap::Aes256, ContentCipher::Aes256),
                (Wrap::TripleDes, ContentCipher::TripleDes),
            ] {
                let message = ScepRequest { style, hash, wrap, ..enrolment() }.message();
                let request = parse_request(&message, &GERMOE, false).unwrap();
                assert_eq!(request.header(), header());
                assert_eq!(request.message_type, MessageType::PkcsReq);
                assert_eq!(request.cipher, cipher);
                assert_eq!(request.csr.challenge.as_deref(), Some("sesame"));
                assert_eq!(request.csr.subject, "CN=phone");
                assert_eq!(request.csr.public_key_der, public_der(&PHONE_KEY));
                assert_eq!(request.csr.der, csr(&PHONE_KEY, Some("sesame")));
                assert_eq!(request.signer_certificate_der, self_signed(&PHONE_KEY));
                assert!(!format!("{request:?}").contains("sesame"));
            }
        }
    }
}

#[test]
fn legacy_clients_are_a_setting() {
    // Encrypting with DES loads the legacy provider; the refusal must not depend on it.
    assert!(legacy_provider());
    for (hash, wrap) in [(Hash::Md5, Wrap::Aes128), (Hash::Sha1, Wrap::Des)] {
        let legacy_only = ScepRequest { hash, wrap, ..enrolment() };
        let refused = refusal(&legacy_only, false);
        assert_eq!(refused.fail_info, FailInfo::BadAlg);
        assert_eq!(refused.reason, RefusalReason::Algorithm);
        assert_eq!(refused.header, Some(header()));
        let request = parse_request(&legacy_only.message(), &GERMOE, true).unwrap();
        let issued = issue(&GERMOE, &request.csr.public_key_der, 61);
        assert!(success(&GERMOE, &request, &issued.der, &[5; 16]).is_ok());
    }
    // The other algorithms go on working with the provider loaded.
    assert!(parse_request(&enrolment().message(), &GERMOE, false).is_ok());
}

fn legacy_provider() -> bool {
    use openssl::provider::Provider;
    static LEGACY: LazyLock<Option<Provider>> = LazyLock::new(|| Provider::try_load(None, "legacy", true).ok());
    LEGACY.is_some()
}

#[test]
fn a_renewal_is_signed_with_an_identity_of_this_council() {
    let request = parse_request(&renewal().message(), &GERMOE, false).unwrap();
    assert_eq!(request.message_type, MessageType::RenewalReq);
    let identity = GERMOE.verify_identity(&IDENTITY, now()).unwrap();
    // The key is named alike in the identity and in the request it came from.
    let first = parse_request(&enrolment().message(), &GERMOE, false).unwrap();
    assert_eq!(identity.public_key_fingerprint, first.csr.public_key_fingerprint);
    assert_eq!(request.renewal_of, Some(identity));
    assert_eq!(request.csr.public_key_der, public_der(&OTHER_KEY));
    let foreign = issue(&CORELEY, &public_der(&PHONE_KEY), 62).der;
    for certificate in [foreign, self_signed(&PHONE_KEY)] {
        let refused = refusal(&ScepRequest { signer_certificate: certificate, ..renewal() }, false);
        assert_eq!(refused.fail_info, FailInfo::BadRequest);
        assert_eq!(refused.reason, RefusalReason::NotAnIdentity);
    }
    // The authority's own certificate signs no renewal, even with its own key.
    let key = PKey::private_key_from_pkcs8(&GERMOE.private_key_der()).unwrap();
    let by_authority = ScepRequest { signer_key: &key, signer_certificate: GERMOE.certificate_der(), ..renewal() };
    assert_eq!(refusal(&by_authority, false).reason, RefusalReason::NotAnIdentity);
}

#[test]
fn a_first_request_is_signed_with_the_key_it_asks_for() {
    for certificate in [IDENTITY.clone(), self_signed(&PHONE_KEY)] {
        let refused = refusal(
            &ScepRequest { csr: csr(&OTHER_KEY, Some("sesame")), signer_certificate: certificate, ..enrolment() },
            false,
        );
        assert_eq!(refused.reason, RefusalReason::NotSelfSigned);
    }
    // An identity, too, must come as a renewal.
    let with_identity = ScepRequest { signer_certificate: IDENTITY.clone(), ..enrolment() };
    assert_eq!(refusal(&with_identity, false).reason, RefusalReason::NotSelfSigned);
}

#[test]
fn unknown_message_types_are_refused_and_answered() {
    for message_type in ["", "3", "18", "20", "21", "22", "019", "19 ", "190", "-1"] {
        let refused = refusal(&ScepRequest { message_type, ..enrolment() }, false);
        assert_eq!(refused.fail_info, FailInfo::BadRequest, "{message_type}");
        assert_eq!(refused.reason, RefusalReason::MessageType);
        assert_eq!(refused.header, Some(header()));
    }
}

#[test]
fn each_lie_is_found_out() {
    let wrong_council = ScepRequest { recipient: CORELEY.certificate_der(), ..enrolment() };
    assert_eq!(refusal(&wrong_council, false).reason, RefusalReason::Envelope(EnvelopeProblem::NotForUs));
    let wrong_key = ScepRequest { signer_key: &OTHER_KEY, ..enrolment() };
    let refused = refusal(&wrong_key, false);
    assert_eq!(refused.reason, RefusalReason::Signature(SignatureProblem::WrongSignature));
    assert_eq!(refused.fail_info, FailInfo::BadMessageCheck);
    assert_eq!(refused.header, Some(header()));
    let mut tampered = csr(&PHONE_KEY, Some("sesame"));
    let position = tampered.len() - 5;
    tampered[position] ^= 1;
    let refused = refusal(&ScepRequest { csr: tampered, ..enrolment() }, false);
    assert_eq!(refused.reason, RefusalReason::RequestSignature);
    let weak = PKey::from_rsa(Rsa::generate(1024).unwrap()).unwrap();
    let refused = refusal(
        &ScepRequest {
            csr: csr(&weak, Some("sesame")),
            signer_key: &weak,
            signer_certificate: self_signed(&weak),
            ..enrolment()
        },
        false,
    );
    assert_eq!(refused.reason, RefusalReason::Key);
    assert_eq!(refused.fail_info, FailInfo::BadAlg);
    for nonsense in [&b""[..], b"nonsense", &[0x30, 0x80, 0, 0]] {
        let refused = refusal(&ScepRequest { csr: nonsense.to_vec(), ..enrolment() }, false);
        assert_eq!(refused.reason, RefusalReason::Request);
    }
}

#[test]
fn a_message_without_transaction_cannot_be_answered() {
    let content = envelope(Style::Definite, Wrap::Aes128, &GERMOE.certificate_der(), &csr(&PHONE_KEY, None));
    let certificate = self_signed(&PHONE_KEY);
    let message = Signed {
        style: Style::Definite,
        hash: Hash::Sha256,
        key: &PHONE_KEY,
        certificate: &certificate,
        content: &content,
        detached: false,
        attributes: Some(vec![("2.16.840.1.113733.1.9.2", der(0x13, b"19"))]),
    };
    let refused = parse_request(&message.message(), &GERMOE, true).unwrap_err();
    assert_eq!(refused.header, None);
    assert_eq!(refused.reason, RefusalReason::Header);
}

#[test]
fn an_answer_opens_with_the_requesters_key_and_holds_its_certificate_first() {
    for wrap in [Wrap::Aes128, Wrap::Aes256, Wrap::TripleDes] {
        let message = ScepRequest { wrap, ..enrolment() }.message();
        let request = parse_request(&message, &GERMOE, false).unwrap();
        let issued = issue(&GERMOE, &request.csr.public_key_der, 63);
        let answer = success(&GERMOE, &request, &issued.der, &[5; 16]).unwrap();
        // An independent decoder of strict DER reads it.
        let info: rasn_cms::ContentInfo = rasn::der::decode(&answer).unwrap();
        let signed: rasn_cms::SignedData = rasn::der::decode(info.content.as_bytes()).unwrap();
        let envelope = signed.encap_content_info.content.unwrap();
        let certificate = openssl::x509::X509::from_der(&self_signed(&PHONE_KEY)).unwrap();
        let opened = Pkcs7::from_der(&envelope)
            .and_then(|pkcs7| pkcs7.decrypt(&PHONE_KEY, &certificate, openssl::pkcs7::Pkcs7Flags::empty()))
            .unwrap();
        let certificates = Pkcs7::from_der(&opened).unwrap();
        let first = &certificates.signed().unwrap().certificates().unwrap()[0];
        assert_eq!(first.to_der().unwrap(), issued.der);
    }
}

#[test]
fn openssl_agrees_about_the_answers() {
    let Some(openssl) = consult("SCEP answers") else {
        return;
    };
    openssl.write_certificate("ca.pem", &GERMOE.certificate_der());
    openssl.write("ca.der", &ca_certificate(&GERMOE));
    openssl.agrees("x509 -inform DER -in ca.der -noout");
    openssl.write_key("key.pem", &PHONE_KEY.private_key_to_pkcs8().unwrap());
    let at = now().timestamp();
    let verify = format!("cms -verify -binary -inform DER -in answer -attime {at} -purpose any -CAfile ca.pem");
    for (name, recipient, message) in [
        ("enrolment", self_signed(&PHONE_KEY), enrolment().message()),
        ("renewal", IDENTITY.clone(), renewal().message()),
    ] {
        let request = parse_request(&message, &GERMOE, false).unwrap();
        let issued = issue(&GERMOE, &request.csr.public_key_der, 64);
        let answer = success(&GERMOE, &request, &issued.der, &[5; 16]).unwrap();
        openssl.write("answer", &answer);
        openssl.write_certificate("recipient.pem", &recipient);
        openssl.agrees(&format!("{verify} -out envelope"));
        openssl.agrees(
            "cms -decrypt -binary -inform DER -in envelope -recip recipient.pem -inkey key.pem -out certificates",
        );
        openssl.agrees("pkcs7 -inform DER -in certificates -print_certs -out issued.pem");
        let der = openssl::x509::X509::from_pem(&openssl.read("issued.pem")).unwrap();
        assert_eq!(der.to_der().unwrap(), issued.der, "{name}");
        let structure = openssl.agrees("asn1parse -inform DER -in answer");
        assert_printable(&structure, "2.16.840.1.113733.1.9.3", "0");
        assert_printable(&structure, "2.16.840.1.113733.1.9.2", "3");
        assert_printable(&structure, "2.16.840.1.113733.1.9.7", TRANSACTION);
        assert_value(&structure, "2.16.840.1.113733.1.9.6", "OCTET STRING", "sixteen bytes it");
        openssl.write("answer", &answer[..answer.len() - 1]);
        assert!(!openssl.ask(&format!("{verify} -out envelope")).0);
    }
    let answer = failure(&GERMOE, &header(), FailInfo::BadRequest, &[6; 16]).unwrap();
    openssl.write("answer", &answer);
    openssl.write("nothing", b"");
    openssl.agrees(&format!("{verify} -content nothing -out envelope"));
    let structure = openssl.agrees("asn1parse -inform DER -in answer");
    assert_printable(&structure, "2.16.840.1.113733.1.9.3", "2");
    assert_printable(&structure, "2.16.840.1.113733.1.9.4", "2");
}

fn assert_printable(structure: &str, identifier: &str, value: &str) {
    assert_value(structure, identifier, "PRINTABLESTRING", value);
}

/// An attribute's value follows its identifier, after the line of its SET.
fn assert_value(structure: &str, identifier: &str, kind: &str, value: &str) {
    let mut lines = structure.lines();
    lines.find(|line| line.ends_with(&format!(":{identifier}"))).unwrap_or_else(|| panic!("{identifier}\n{structure}"));
    let line = lines.nth(1).unwrap_or_default();
    assert!(line.contains(kind) && line.ends_with(&format!(":{value}")), "{identifier}: {line}");
}

#[test]
fn the_same_request_again_is_known_by_its_fingerprint() {
    let first = parse_request(&enrolment().message(), &GERMOE, false).unwrap();
    let again = ScepRequest { wrap: Wrap::Aes256, ..enrolment() };
    let again = parse_request(&again.message(), &GERMOE, false).unwrap();
    assert_eq!(first.csr.fingerprint(), again.csr.fingerprint());
    let key = rsa_key();
    let other = ScepRequest {
        csr: csr(&key, Some("sesame")),
        signer_key: &key,
        signer_certificate: self_signed(&key),
        ..enrolment()
    };
    let other = parse_request(&other.message(), &GERMOE, false).unwrap();
    assert_ne!(first.csr.fingerprint(), other.csr.fingerprint());
    assert_ne!(first.csr.public_key_fingerprint, other.csr.public_key_fingerprint);
}

static MESSAGE: LazyLock<Vec<u8>> = LazyLock::new(|| enrolment().message());

proptest! {
    #[test]
    fn any_message_is_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let refused = parse_request(&bytes, &GERMOE, true);
        prop_assert!(refused.is_err());
    }

    #[test]
    fn a_changed_message_asks_for_nothing_new(
        index: prop::sample::Index,
        change in 1u8..,
        edit in 0u8..3,
    ) {
        let mut bytes = MESSAGE.clone();
        let index = index.index(bytes.len());
        match edit {
            0 => bytes[index] ^= change,
            1 => bytes.truncate(index),
            _ => bytes.insert(index, change),
        }
        if let Ok(request) = parse_request(&bytes, &GERMOE, true) {
            prop_assert_eq!(request.csr.der, csr(&PHONE_KEY, Some("sesame")));
        }
    }

    #[test]
    fn a_changed_request_inside_a_right_message_is_refused_or_the_same(
        index: prop::sample::Index,
        change in 1u8..,
    ) {
        let mut request = csr(&PHONE_KEY, Some("sesame"));
        let index = index.index(request.len());
        request[index] ^= change;
        let message = ScepRequest { csr: request, ..enrolment() }.message();
        if let Ok(read) = parse_request(&message, &GERMOE, true) {
            let unchanged = parse_request(&MESSAGE, &GERMOE, false).unwrap();
            prop_assert_eq!(read.csr.fingerprint(), unchanged.csr.fingerprint());
            prop_assert_eq!(read.csr.challenge, unchanged.csr.challenge);
        }
    }
}
