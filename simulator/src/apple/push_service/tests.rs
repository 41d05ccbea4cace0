//! Each thing the push service refuses, each thing it can be told to do wrong, and the portal.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::sign::Signer;

use super::*;
use crate::apple::certificate::{DAY, name};
use crate::apple::{keys::rsa_key, scep::certification_request};

struct Provider {
    push: PushService,
    client: reqwest::Client,
    device: Registration,
    topic: String,
}

fn client(push: &PushService, certificate: Option<&PushCertificate>) -> reqwest::Client {
    let root = reqwest::Certificate::from_pem(push.root_certificate_pem().unwrap().as_bytes()).unwrap();
    let mut builder = reqwest::Client::builder().no_proxy().tls_certs_only([root]).timeout(Duration::from_secs(5));
    if let Some(certificate) = certificate {
        let (public, private) = (certificate.certificate_pem.as_bytes(), certificate.private_key_pem.as_bytes());
        builder = builder.identity(reqwest::Identity::from_pkcs8_pem(public, private).unwrap());
    }
    builder.build().unwrap()
}

impl Provider {
    async fn new() -> Self {
        let push = PushService::start().await.unwrap();
        let certificate = push.mint_push_certificate().unwrap();
        let device = push.register_device(&certificate.topic, "MAGIC").unwrap();
        Self { client: client(&push, Some(&certificate)), device, topic: certificate.topic, push }
    }

    fn good(&self) -> reqwest::RequestBuilder {
        let token = hex::encode(&self.device.token);
        self.request(reqwest::Method::POST, &format!("/3/device/{token}"), &[], r#"{"mdm":"MAGIC"}"#)
    }

    /// A good request, with other headers; an empty value leaves the header out.
    fn request(
        &self,
        method: reqwest::Method,
        path: &str,
        other: &[(&str, &str)],
        body: &str,
    ) -> reqwest::RequestBuilder {
        let expiration = (Clock::system().unix() + 7 * DAY).to_string();
        let mut request = self.client.request(method, format!("{}{path}", self.push.url())).body(body.to_owned());
        for (header, value) in [
            ("apns-topic", self.topic.as_str()),
            ("apns-push-type", "mdm"),
            ("apns-priority", "10"),
            ("apns-expiration", &expiration),
        ] {
            let value = other.iter().find(|(name, _)| *name == header).map_or(value, |(_, value)| *value);
            if !value.is_empty() {
                request = request.header(header, value);
            }
        }
        request
    }

    fn changed(&self, other: &[(&str, &str)], body: &str) -> reqwest::RequestBuilder {
        let token = hex::encode(&self.device.token);
        self.request(reqwest::Method::POST, &format!("/3/device/{token}"), other, body)
    }
}

async fn answer(request: reqwest::RequestBuilder) -> (u16, String) {
    let response = request.send().await.unwrap();
    assert_eq!(response.version(), reqwest::Version::HTTP_2);
    let status = response.status().as_u16();
    let body = response.text().await.unwrap();
    let reason = serde_json::from_str::<serde_json::Value>(&body).ok();
    (status, reason.map(|body| body["reason"].as_str().unwrap_or_default().to_owned()).unwrap_or_default())
}

fn refused(status: u16, reason: &str) -> (u16, String) {
    (status, reason.to_owned())
}

const BODY: &str = r#"{"mdm":"MAGIC"}"#;

#[tokio::test]
async fn a_good_push_wakes_the_phone_over_one_connection() {
    let provider = Provider::new().await;
    for _ in 0..5 {
        assert_eq!(answer(provider.good()).await, refused(200, ""));
    }
    tokio::time::timeout(Duration::from_secs(1), provider.device.wake.notified()).await.expect("woken");
    let log = provider.push.log();
    assert_eq!(log.len(), 5);
    assert!(log.iter().all(|push| push.delivered && push.notes.is_empty()));
    assert_eq!(provider.push.connections(), Connections { accepted: 1, open: 1 });
}

#[tokio::test]
async fn headers_are_judged() {
    let provider = Provider::new().await;
    let cases = [
        ("apns-topic", "", "MissingTopic"),
        ("apns-topic", "org.example.app", "BadTopic"),
        ("apns-topic", "com.apple.mgmt.External.another", "TopicDisallowed"),
        ("apns-push-type", "", "InvalidPushType"),
        ("apns-push-type", "alert", "InvalidPushType"),
        ("apns-priority", "5", "BadPriority"),
        ("apns-priority", "", "BadPriority"),
        ("apns-expiration", "", "BadExpirationDate"),
        ("apns-expiration", "604800", "BadExpirationDate"),
        ("apns-expiration", "99999999999", "BadExpirationDate"),
        ("apns-expiration", "tomorrow", "BadExpirationDate"),
    ];
    for (header, value, reason) in cases {
        assert_eq!(answer(provider.changed(&[(header, value)], BODY)).await, refused(400, reason), "{header}: {value}");
    }
    assert!(provider.push.log().iter().all(|push| !push.delivered));
    assert_eq!(answer(provider.changed(&[("apns-expiration", "0")], BODY)).await.0, 200);
    assert_eq!(provider.push.log().last().unwrap().notes.len(), 1);
}

#[tokio::test]
async fn bodies_are_judged() {
    let provider = Provider::new().await;
    let large = format!(r#"{{"mdm":"{}"}}"#, "x".repeat(5000));
    let cases = [
        ("", refused(400, "PayloadEmpty")),
        (large.as_str(), refused(413, "PayloadTooLarge")),
        (r#"{"mdm":"MAGIC","aps":{}}"#, refused(400, "BadMessage")),
        (r#"{"aps":{}}"#, refused(400, "BadMessage")),
        ("MAGIC", refused(400, "BadMessage")),
        (r#"{"mdm":"OTHER"}"#, refused(400, "UnknownPushMagic")),
    ];
    for (body, expected) in cases {
        assert_eq!(answer(provider.changed(&[], body)).await, expected);
    }
}

#[tokio::test]
async fn paths_methods_and_tokens_are_judged() {
    let provider = Provider::new().await;
    let token = hex::encode(&provider.device.token);
    let post = reqwest::Method::POST;
    let at = |path: String| provider.request(post.clone(), &path, &[], BODY);
    assert_eq!(answer(at(format!("/2/device/{token}"))).await, refused(404, "BadPath"));
    assert_eq!(answer(at("/3/device/".into())).await, refused(400, "MissingDeviceToken"));
    assert_eq!(answer(at("/3/device/zz".into())).await, refused(400, "BadDeviceToken"));
    assert_eq!(answer(at(format!("/3/device/{}", "00".repeat(32)))).await, refused(400, "BadDeviceToken"));
    let get = provider.request(reqwest::Method::PUT, &format!("/3/device/{token}"), &[], BODY);
    assert_eq!(answer(get).await, refused(405, "MethodNotAllowed"));
    let elsewhere = provider.push.register_device("com.apple.mgmt.External.other", "MAGIC").unwrap();
    let other = format!("/3/device/{}", hex::encode(elsewhere.token));
    assert_eq!(answer(at(other)).await, refused(400, "DeviceTokenNotForTopic"));
    provider.push.unregister_device(&provider.device.token);
    let gone = provider.good().send().await.unwrap();
    assert_eq!(gone.status(), 410);
    let gone: serde_json::Value = gone.json().await.unwrap();
    assert_eq!(gone["reason"], "Unregistered");
    assert!(gone["timestamp"].as_i64().unwrap() > 1_600_000_000_000);
}

#[tokio::test]
async fn client_certificates_are_judged() {
    let mut provider = Provider::new().await;
    let now = Clock::system().unix();
    provider.client = client(&provider.push, None);
    assert_eq!(answer(provider.good()).await, refused(403, "MissingProviderToken"));
    let expired = provider.push.mint_push_certificate_with(&provider.topic, (now - 400 * DAY, now - DAY)).unwrap();
    provider.client = client(&provider.push, Some(&expired));
    assert_eq!(answer(provider.good()).await, refused(403, "BadCertificate"));
    let stranger = PushService::start().await.unwrap();
    let foreign = stranger.mint_push_certificate_with(&provider.topic, (now - DAY, now + DAY)).unwrap();
    provider.client = client(&provider.push, Some(&foreign));
    assert_eq!(answer(provider.good()).await, refused(403, "BadCertificate"));
    let other = provider.push.mint_push_certificate().unwrap();
    provider.client = client(&provider.push, Some(&other));
    assert_eq!(answer(provider.good()).await, refused(400, "TopicDisallowed"));
}

#[tokio::test]
async fn faults_happen_as_often_as_asked() {
    let provider = Provider::new().await;
    let token = hex::encode(&provider.device.token);
    for status in [400, 403, 410, 429, 500, 503] {
        provider.push.set_fault(Some(&token), Fault::status(status), Times::Next(1));
        assert_eq!(answer(provider.good()).await.0, status);
    }
    assert_eq!(answer(provider.good()).await.0, 200);
    provider.push.set_fault(None, Fault::status(200), Times::Always);
    assert_eq!(answer(provider.good()).await.0, 200);
    assert!(!provider.push.log().last().unwrap().delivered, "answered well, delivered nothing");
    provider.push.clear_faults();
    provider.push.set_fault(None, Fault::DropConnection, Times::Next(1));
    assert!(provider.good().send().await.is_err());
    provider.push.set_fault(None, Fault::GoAway, Times::Next(1));
    // A client may try again by itself after GOAWAY; either way the service went away once and comes back.
    let _ = provider.good().send().await;
    assert_eq!(answer(provider.good()).await.0, 200);
    assert!(provider.push.connections().accepted >= 3);
    provider.push.set_fault(None, Fault::Hang, Times::Next(1));
    let hung = tokio::time::timeout(Duration::from_millis(300), provider.good().send()).await;
    assert!(hung.is_err());
    let endings: Vec<PushAnswer> = provider.push.log().into_iter().map(|push| push.answer).collect();
    for ending in [PushAnswer::Dropped, PushAnswer::WentAway, PushAnswer::Hung] {
        assert!(endings.contains(&ending), "{ending:?}");
    }
    provider.push.set_fault(None, Fault::Delay(Duration::from_millis(200)), Times::Next(1));
    let start = std::time::Instant::now();
    assert_eq!(answer(provider.good()).await.0, 200);
    assert!(start.elapsed() >= Duration::from_millis(200));
}

#[tokio::test]
async fn the_portal_signs_what_a_vendor_signed_and_nothing_else() {
    let push = PushService::start().await.unwrap();
    let vendor = push.mint_vendor_certificate().unwrap();
    let key = rsa_key(2048).unwrap();
    let request = certification_request(&name(&[("CN", "Germoe")]).unwrap(), &key, None).unwrap();
    let upload = |vendor: &VendorCertificate, chain: &str, signed: &[u8]| {
        let private = PKey::private_key_from_pem(vendor.private_key_pem.as_bytes()).unwrap();
        let signature = Signer::new(MessageDigest::sha256(), &private).unwrap().sign_oneshot_to_vec(signed).unwrap();
        let mut list = plist::Dictionary::new();
        list.insert("PushCertRequestCSR".into(), STANDARD.encode(&request).into());
        list.insert("PushCertCertificateChain".into(), chain.into());
        list.insert("PushCertSignature".into(), STANDARD.encode(signature).into());
        let mut xml = Vec::new();
        plist::Value::Dictionary(list).to_writer_xml(&mut xml).unwrap();
        STANDARD.encode(xml)
    };
    let made = push.portal_sign(&upload(&vendor, &vendor.chain_pem, &request), None).unwrap();
    let certificate = X509::from_pem(made.certificate_pem.as_bytes()).unwrap();
    assert!(certificate.public_key().unwrap().public_eq(&key));
    assert_eq!(certificate::subject_entry(&certificate, Nid::USERID), Some(made.topic.clone()));
    let renewed = push.portal_sign(&upload(&vendor, &vendor.chain_pem, &request), Some(&made.topic)).unwrap();
    assert_eq!(renewed.topic, made.topic);
    assert!(push.portal_sign(&upload(&vendor, &vendor.chain_pem, b"another"), None).is_err());
    assert!(push.portal_sign(&upload(&vendor, &vendor.certificate_pem, &request), None).is_err());
    let stranger = PushService::start().await.unwrap().mint_vendor_certificate().unwrap();
    assert!(push.portal_sign(&upload(&stranger, &stranger.chain_pem, &request), None).is_err());
    assert!(push.portal_sign(&STANDARD.encode(&request), None).is_err());
}
