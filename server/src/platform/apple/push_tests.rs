//! The client against a strict stand-in for Apple's push service: each answer it can give, and its connections.

use std::time::Duration;

use beadle_simulator::apple::push_service::{Fault, PushAnswer, PushCertificate, PushService, Registration, Times};
use openssl::pkey::PKey;
use zeroize::Zeroizing;

use super::{Credential, Outcome, Push, PushClient};
use crate::clock::Clock;

const MAGIC: &str = "B5A3-magic";

struct Stage {
    service: PushService,
    client: PushClient,
    minted: PushCertificate,
    phone: Registration,
    _roots: tempfile::TempDir,
}

async fn stage() -> Stage {
    let service = PushService::start().await.expect("starts");
    let roots = tempfile::tempdir().expect("a folder");
    let root = roots.path().join("root.pem");
    std::fs::write(&root, service.root_certificate_pem().expect("a root")).expect("writes");
    let client = PushClient::new(&service.url().parse().expect("an address"), &[root]).expect("a client");
    let minted = service.mint_push_certificate().expect("a certificate");
    let phone = service.register_device(&minted.topic, MAGIC).expect("a phone");
    Stage { service, client: client.with_timeout(Duration::from_secs(2)), minted, phone, _roots: roots }
}

fn credential(minted: &PushCertificate) -> Credential {
    let key = PKey::private_key_from_pem(minted.private_key_pem.as_bytes()).expect("a key");
    Credential {
        id: minted.topic.clone(),
        fingerprint: crate::keys::sha256_hex(minted.certificate_pem.as_bytes()),
        certificate_pem: minted.certificate_pem.clone(),
        private_key_der: Zeroizing::new(key.private_key_to_pkcs8().expect("DER")),
    }
}

impl Stage {
    async fn push(&self) -> Outcome {
        let token = hex::encode(&self.phone.token);
        let push = Push { token: &token, topic: &self.minted.topic, magic: MAGIC };
        self.client.push(&credential(&self.minted), &push, Clock::default().now()).await.expect("an outcome")
    }
}

#[tokio::test]
async fn a_push_is_as_apple_wants_it_and_connections_are_reused() {
    let stage = stage().await;
    for _ in 0..20 {
        assert_eq!(stage.push().await, Outcome::Accepted);
    }
    let at_once = futures_util::future::join_all((0..20).map(|_| stage.push())).await;
    assert!(at_once.iter().all(|outcome| *outcome == Outcome::Accepted));
    let log = stage.service.log();
    assert_eq!(log.len(), 40);
    assert!(log.iter().all(|push| push.delivered && push.notes.is_empty()), "{:?}", log.first());
    let body = String::from_utf8(log[0].body.clone()).expect("text");
    assert_eq!(body, format!("{{\"mdm\":\"{MAGIC}\"}}"));
    assert_eq!(stage.service.connections().accepted, 1, "one connection serves them all");

    let second = stage.service.mint_push_certificate().expect("a certificate");
    let phone = stage.service.register_device(&second.topic, MAGIC).expect("a phone");
    let push = Push { token: &hex::encode(&phone.token), topic: &second.topic, magic: MAGIC };
    let outcome = stage.client.push(&credential(&second), &push, Clock::default().now()).await.expect("an outcome");
    assert_eq!(outcome, Outcome::Accepted);
    assert_eq!(stage.service.connections().accepted, 2, "another certificate has a connection of its own");
}

#[tokio::test]
async fn each_answer_is_told_apart() {
    let stage = stage().await;
    let once = |fault| stage.service.set_fault(None, fault, Times::Next(1));
    let refused = |status, reason: &str| Outcome::Refused { status, reason: reason.to_owned() };
    once(Fault::status(400));
    assert_eq!(stage.push().await, refused(400, "BadDeviceToken"));
    once(Fault::status(403));
    assert_eq!(stage.push().await, refused(403, "BadCertificate"));
    once(Fault::Answer { status: 429, reason: None, retry_after: Some(17) });
    let later = stage.push().await;
    assert!(matches!(later, Outcome::TryLater { after_seconds: Some(17), .. }), "{later:?}");
    for fault in [Fault::status(500), Fault::status(503), Fault::Hang, Fault::DropConnection, Fault::GoAway] {
        once(fault.clone());
        let outcome = stage.push().await;
        // A lost connection may be made anew and the push repeated by the client: then it was accepted.
        let repeated = matches!(fault, Fault::DropConnection | Fault::GoAway) && outcome == Outcome::Accepted;
        let later = matches!(outcome, Outcome::TryLater { after_seconds: None, .. });
        assert!(later || repeated, "{fault:?}: {outcome:?}");
    }
    assert_eq!(stage.push().await, Outcome::Accepted, "and goes on afterwards");
    stage.service.unregister_device(&stage.phone.token);
    let before = Clock::default().now().unix();
    let Outcome::Retired { since: Some(since) } = stage.push().await else { panic!("not retired") };
    assert!((since.unix() - before).abs() < 10);
    assert!(stage.service.log().iter().any(|push| push.answer == PushAnswer::Hung));
}

#[tokio::test]
async fn nobody_there_is_a_reason_to_try_later() {
    let stage = stage().await;
    stage.service.stop();
    drop(stage.service.clone());
    let client = PushClient::new(&"https://127.0.0.1:9".parse().expect("an address"), &[]).expect("a client");
    let push = Push { token: "ab", topic: "t", magic: "m" };
    let outcome = client.push(&credential(&stage.minted), &push, Clock::default().now()).await.expect("an outcome");
    let Outcome::TryLater { problem, .. } = outcome else { panic!("{outcome:?}") };
    assert!(problem.starts_with("no connection") && !problem.contains("/3/device"), "{problem}");
}
