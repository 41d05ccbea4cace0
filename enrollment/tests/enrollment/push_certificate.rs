//! Push certificates: the request in the form Apple's portal takes, and what comes back.

use crate::device::{OTHER_KEY, self_signed};
use crate::now;
use crate::openssl_command::consult;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use beadle_enrollment::Error;
use beadle_enrollment::push_certificate::{Problem, inspect, matches_key, request, vendor_signed_request};
use openssl::asn1::Asn1Time;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::PKey;
use openssl::x509::{X509, X509Name};
use proptest::prelude::*;

/// What Apple would issue for a key: subject UID is the topic.
fn apple_issues(private_key_der: &[u8], topic: Option<&str>) -> Vec<u8> {
    let key = PKey::private_key_from_pkcs8(private_key_der).unwrap();
    let mut name = X509Name::builder().unwrap();
    if let Some(topic) = topic {
        name.append_entry_by_nid(Nid::USERID, topic).unwrap();
    }
    name.append_entry_by_nid(Nid::COMMONNAME, "APSP:0b2c").unwrap();
    let name = name.build();
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    builder.set_subject_name(&name).unwrap();
    builder.set_issuer_name(&name).unwrap();
    let begin = Asn1Time::from_unix(now().timestamp()).unwrap();
    let end = Asn1Time::from_unix(now().timestamp() + 365 * 86_400).unwrap();
    builder.set_not_before(&begin).unwrap();
    builder.set_not_after(&end).unwrap();
    builder.set_pubkey(&key).unwrap();
    builder.sign(&OTHER_KEY, MessageDigest::sha256()).unwrap();
    builder.build().to_pem().unwrap()
}

#[test]
fn a_certificate_is_read_and_belongs_to_its_key() {
    let ours = request("Germoe Parish Council").unwrap();
    let other = request("Coreley Parish Council").unwrap();
    let topic = "com.apple.mgmt.External.0b2c";
    let pem = apple_issues(&ours.private_key_der, Some(topic));
    let certificate = inspect(&pem).unwrap();
    assert_eq!(certificate.topic, topic);
    assert_eq!(certificate.not_before, now());
    assert_eq!((certificate.not_after - now()).num_days(), 365);
    assert!(matches_key(&certificate, &ours.private_key_der));
    assert!(!matches_key(&certificate, &other.private_key_der));
    assert!(!matches_key(&certificate, b"nonsense"));
    assert_eq!(inspect(&certificate.certificate_der), Ok(certificate));
}

#[test]
fn other_files_are_refused_in_plain_words() {
    let key = request("Germoe").unwrap().private_key_der;
    assert_eq!(inspect(b""), Err(Problem::NotACertificate));
    assert_eq!(inspect(b"-----BEGIN CERTIFICATE-----"), Err(Problem::NotACertificate));
    assert_eq!(inspect(&apple_issues(&key, None)), Err(Problem::NoTopic));
    for topic in ["com.example.app", "com.apple.mgmt.", "xcom.apple.mgmt.External"] {
        assert_eq!(inspect(&apple_issues(&key, Some(topic))), Err(Problem::WrongTopic(topic.to_owned())));
    }
}

#[test]
fn the_portal_gets_request_chain_and_signature() {
    let council = request("Germoe Parish Council").unwrap();
    let vendor_key = OTHER_KEY.private_key_to_pem_pkcs8().unwrap();
    let vendor = X509::from_der(&self_signed(&OTHER_KEY)).unwrap();
    let chain = [vendor.to_pem().unwrap(), vendor.to_pem().unwrap()].concat();
    let encoded = vendor_signed_request(&council.csr_der, &chain, &vendor_key).unwrap();
    let xml = STANDARD.decode(&encoded).unwrap();
    let plist = plist::Value::from_reader_xml(&xml[..]).unwrap();
    let field = |name: &str| plist.as_dictionary().unwrap()[name].as_string().unwrap();
    assert_eq!(STANDARD.decode(field("PushCertRequestCSR")).unwrap(), council.csr_der);
    assert_eq!(field("PushCertCertificateChain").as_bytes(), chain);
    let wrong = council.private_key_der.as_slice();
    assert!(matches!(vendor_signed_request(&council.csr_der, &chain, wrong), Err(Error::KeyMismatch)));
    assert!(vendor_signed_request(&council.csr_der, b"", &vendor_key).is_err());
    assert!(vendor_signed_request(b"nonsense", &chain, &vendor_key).is_err());
    let Some(openssl) = consult("vendor-signed request") else {
        return;
    };
    openssl.write("csr.der", &council.csr_der);
    openssl.write("csr.pem", council.csr_pem.as_bytes());
    openssl.write("signature", &STANDARD.decode(field("PushCertSignature")).unwrap());
    openssl.write("vendor.pem", &OTHER_KEY.public_key_to_pem().unwrap());
    openssl.agrees("dgst -sha256 -verify vendor.pem -signature signature csr.der");
    let text = openssl.agrees("req -in csr.pem -verify -noout -text");
    assert!(text.contains("CN = Germoe Parish Council") && text.contains("2048 bit"));
}

proptest! {
    #[test]
    fn any_file_is_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(inspect(&bytes).is_err());
    }
}
