//! Invitations and challenges: what they are good for, once, and for whom.

use super::*;
use crate::model::{AuthorityId, InvitationId};
use crate::operations::apple_test_bench::{alerts, enrolled, invite, sql};
use crate::testing::{Bench, on_both};

fn set_up(bench: &Bench, council: &CouncilId) {
    sql(
        bench,
        &format!(
            "INSERT INTO push_certificates (council_id, id, state, topic, certificate_pem, sealed_key, not_after, created_at) \
             SELECT id, 'push-{council}', 'current', 'com.apple.mgmt.External.{council}', 'pem', head_seal, \
             '2100-01-01 00:00:00', created_at FROM councils JOIN audit_heads ON chain = id WHERE id = '{council}'"
        ),
    );
    sql(
        bench,
        &format!(
            "INSERT INTO authorities (council_id, id, certificate, sealed_key, not_before, not_after, created_at) \
             SELECT id, 'authority-{council}', head_seal, head_seal, created_at, '2100-01-01 00:00:00', created_at \
             FROM councils JOIN audit_heads ON chain = id WHERE id = '{council}'"
        ),
    );
}

fn hash(invitation: &InvitationId) -> String {
    format!("hash-{invitation}")
}

async fn look(bench: &Bench, invitation: &InvitationId) -> Standing {
    let (now, hash) = (bench.clock.now(), hash(invitation));
    bench.database.read("landing", move |tx| landing(tx, now, &hash)).await.expect("reads").standing
}

async fn fetch(bench: &Bench, invitation: &InvitationId) -> Option<String> {
    let (context, hash) = (bench.context(Actor::System), hash(invitation));
    let delivered = bench.database.write("deliver", move |tx| deliver(tx, &context, &hash)).await.expect("delivers");
    delivered.ok().map(|delivery| delivery.challenge.to_string())
}

fn request(council: &CouncilId, challenge: Option<&str>, key: &str) -> CertificateRequest {
    CertificateRequest {
        council: council.clone(),
        challenge_hash: challenge.map(|challenge| sha256_hex(challenge.as_bytes())),
        public_key_fingerprint: key.to_owned(),
        request_fingerprint: format!("request for {key}"),
        renewal_of: None,
    }
}

async fn ask(bench: &Bench, asked: &CertificateRequest, serial: &str) -> Decision {
    let context = bench.context(Actor::System);
    let signed = Signed {
        authority: AuthorityId::from(format!("authority-{}", asked.council)),
        serial: serial.to_owned(),
        fingerprint: format!("fingerprint {serial}"),
        der: serial.as_bytes().to_vec(),
        not_before: context.now,
        not_after: context.now + IDENTITY_STANDS,
    };
    let asked = asked.clone();
    bench.database.write("record", move |tx| record(tx, &context, &asked, &signed)).await.expect("records")
}

fn given(decision: &Decision) -> Option<String> {
    match decision {
        Decision::Existing(der) => Some(String::from_utf8_lossy(der).into_owned()),
        Decision::Issue | Decision::Refused { .. } => None,
    }
}

#[tokio::test]
async fn a_challenge_gives_one_certificate_however_often_it_is_sent() {
    on_both(|bench| async move {
        let council = bench.council("germoe").await;
        set_up(&bench, &council);
        let (_, invitation) = invite(&bench, &council, None, Mode::Device);
        let challenge = fetch(&bench, &invitation).await.expect("accepted");
        let honest = request(&council, Some(&challenge), "key");
        assert_eq!(given(&ask(&bench, &honest, "first").await).as_deref(), Some("first"));
        for again in ["second", "third"] {
            assert_eq!(given(&ask(&bench, &honest, again).await).as_deref(), Some("first"), "never a second one");
        }
        bench.clock.advance(Duration::days(3));
        assert_eq!(given(&ask(&bench, &honest, "fourth").await).as_deref(), Some("first"), "also when replayed late");
        let thief = request(&council, Some(&challenge), "another key");
        assert!(matches!(ask(&bench, &thief, "stolen").await, Decision::Refused { alert: true, .. }));
        let context = bench.context(Actor::System);
        bench
            .database
            .write("warn", move |tx| warn_of_request(tx, &context, &thief, "the challenge was used before"))
            .await
            .expect("warns");
        assert_eq!(alerts(&bench, &council, "identity_request_refused").await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_challenge_that_is_wrong_expired_or_another_councils_gives_none() {
    on_both(|bench| async move {
        let (germoe, coreley) = (bench.council("germoe").await, bench.council("coreley").await);
        set_up(&bench, &germoe);
        set_up(&bench, &coreley);
        let (_, invitation) = invite(&bench, &germoe, None, Mode::Device);
        let challenge = fetch(&bench, &invitation).await.expect("accepted");
        assert_ne!(fetch(&bench, &invitation).await.expect("again"), challenge, "each delivery has its own");
        for asked in [
            request(&germoe, None, "key"),
            request(&germoe, Some("guess"), "key"),
            request(&coreley, Some(&challenge), "key"),
        ] {
            assert_eq!(given(&ask(&bench, &asked, "none").await), None, "{asked:?}");
        }
        bench.clock.advance(CHALLENGE_STANDS + Duration::seconds(1));
        assert_eq!(given(&ask(&bench, &request(&germoe, Some(&challenge), "key"), "late").await), None);
        let before = bench.clock.now();
        let purged = bench.database.write("purge", move |tx| purge_challenges(tx, before, 10)).await.expect("purges");
        assert_eq!(purged, 2);
    })
    .await;
}

#[tokio::test]
async fn an_identity_renews_itself_without_a_challenge_but_only_while_it_is_pinned() {
    on_both(|bench| async move {
        let council = bench.council("germoe").await;
        set_up(&bench, &council);
        let phone = enrolled(&bench, &council, Mode::Device).await;
        let renewal =
            CertificateRequest { renewal_of: Some(phone.fingerprint.clone()), ..request(&council, None, "new key") };
        assert_eq!(given(&ask(&bench, &renewal, "early").await), None, "its identity is good for a year");
        bench.clock.advance(Duration::days(310));
        assert_eq!(given(&ask(&bench, &renewal, "renewed").await).as_deref(), Some("renewed"));
        assert_eq!(given(&ask(&bench, &renewal, "twice").await).as_deref(), Some("renewed"));
        let stranger = CertificateRequest { renewal_of: Some("unknown".to_owned()), ..renewal.clone() };
        assert_eq!(given(&ask(&bench, &stranger, "none").await), None);
        sql(&bench, "UPDATE certificates SET revoked_at = issued_at WHERE serial <> 'renewed'");
        let other = CertificateRequest { request_fingerprint: "another".to_owned(), ..renewal };
        assert_eq!(given(&ask(&bench, &other, "none").await), None);
    })
    .await;
}

#[tokio::test]
async fn the_notice_is_accepted_once_and_looking_uses_nothing_up() {
    on_both(|bench| async move {
        let council = bench.council("germoe").await;
        let (_, invitation) = invite(&bench, &council, None, Mode::Device);
        sql(&bench, &format!("UPDATE invitations SET state = 'open' WHERE id = '{invitation}'"));
        assert_eq!(look(&bench, &invitation).await, Standing::NotSetUp);
        set_up(&bench, &council);
        for _ in 0..3 {
            assert_eq!(look(&bench, &invitation).await, Standing::Open);
        }
        assert_eq!(fetch(&bench, &invitation).await, None, "no profile before the notice is accepted");
        for address in ["192.0.2.1", "192.0.2.2"] {
            let (context, hash) = (bench.context(Actor::System), hash(&invitation));
            let landed = bench
                .database
                .write("accept", move |tx| accept(tx, &context, &hash, address, NOTICE_VERSION))
                .await
                .expect("accepts");
            assert_eq!(landed.standing, Standing::Accepted);
        }
        assert!(fetch(&bench, &invitation).await.is_some());
        for (column, expected) in [
            ("ownership = 'personal'", Standing::PersonalApple),
            ("mode = 'user'", Standing::PersonalApple),
            ("mode = 'fully_managed'", Standing::NoGoogle),
            ("expires_at = '2000-01-01 00:00:00'", Standing::Expired),
            ("state = 'withdrawn'", Standing::Withdrawn),
            ("state = 'used'", Standing::Used),
        ] {
            sql(&bench, &format!("UPDATE invitations SET {column} WHERE id = '{invitation}'"));
            assert_eq!(look(&bench, &invitation).await, expected);
            assert_eq!(fetch(&bench, &invitation).await, None);
            sql(
                &bench,
                &format!("UPDATE invitations SET ownership = 'council', mode = 'device' WHERE id = '{invitation}'"),
            );
        }
    })
    .await;
}

#[tokio::test]
async fn a_device_that_was_asked_may_renew_early_and_no_device_collects_identities() {
    on_both(|bench| async move {
        let council = bench.council("germoe").await;
        set_up(&bench, &council);
        let phone = enrolled(&bench, &council, Mode::Device).await;
        sql(&bench, &format!("UPDATE enrolments SET renewal_started_at = last_seen_at WHERE id = '{}'", phone.id));
        let renewal = |number: usize| CertificateRequest {
            renewal_of: Some(phone.fingerprint.clone()),
            ..request(&council, None, &format!("key {number}"))
        };
        for number in 0..5 {
            let serial = format!("serial {number}");
            assert_eq!(given(&ask(&bench, &renewal(number), &serial).await), Some(serial), "{number}");
        }
        assert_eq!(given(&ask(&bench, &renewal(5), "one too many").await), None);
        assert_eq!(
            given(&ask(&bench, &renewal(0), "again").await).as_deref(),
            Some("serial 0"),
            "a repeat is no new one"
        );
        // By a challenge neither.
        let (context, enrolment) = (bench.context(Actor::System), phone.clone());
        let challenge = bench
            .database
            .write("challenge", move |tx| challenge_for_renewal(tx, &context, &enrolment))
            .await
            .expect("mints")
            .expect("a challenge");
        assert_eq!(given(&ask(&bench, &request(&council, Some(&challenge), "key"), "by challenge").await), None);
        // Once one of them is used the others are revoked, and with them the count begins anew.
        sql(&bench, "UPDATE certificates SET revoked_at = issued_at WHERE serial LIKE 'serial %'");
        assert!(given(&ask(&bench, &request(&council, Some(&challenge), "key"), "by challenge").await).is_some());
    })
    .await;
}

#[tokio::test]
async fn used_challenges_go_after_a_month_unless_a_certificate_came_of_them() {
    on_both(|bench| async move {
        let council = bench.council("germoe").await;
        set_up(&bench, &council);
        let (_, invitation) = invite(&bench, &council, None, Mode::Device);
        let spent = fetch(&bench, &invitation).await.expect("accepted");
        let honest = request(&council, Some(&spent), "key");
        assert!(given(&ask(&bench, &honest, "serial").await).is_some());
        let used = fetch(&bench, &invitation).await.expect("accepted");
        let hash = sha256_hex(used.as_bytes());
        sql(&bench, &format!("UPDATE scep_challenges SET used_at = created_at WHERE challenge_hash = '{hash}'"));
        let purge = || {
            let before = bench.clock.now() - Duration::days(1);
            bench.database.write("purge", move |tx| purge_challenges(tx, before, 10))
        };
        bench.clock.advance(Duration::days(20));
        assert_eq!(purge().await.expect("purges"), 0);
        bench.clock.advance(Duration::days(11));
        assert_eq!(purge().await.expect("purges"), 1);
        assert_eq!(
            given(&ask(&bench, &honest, "again").await).as_deref(),
            Some("serial"),
            "its certificate still is there"
        );
    })
    .await;
}
