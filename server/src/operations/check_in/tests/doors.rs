//! What a phone may say once it is enrolled, and what is refused at every door.

use super::*;
use crate::operations::apple_test_bench::{command_row, open_kinds, told, topic_of};
use crate::operations::jobs::wake_key;

fn tokens(phone: &Enrolment, token: &str, topic: Option<String>) -> TokenChange {
    TokenChange {
        sealed_for: phone.id.clone(),
        topic,
        push_token: token.to_owned(),
        sealed_push_magic: b"magic".to_vec(),
        sealed_unlock_token: None,
        awaiting_configuration: false,
    }
}

async fn update(bench: &Bench, phone: &Enrolment, device: Option<&str>, change: TokenChange) -> Outcome {
    let (context, council, pinned) =
        (bench.context(Actor::System), phone.council_id.clone(), phone.fingerprint.clone());
    let device = device.map(str::to_owned);
    bench
        .database
        .write("tokens", move |tx| token_update(tx, &context, &council, &pinned, device.as_deref(), &change))
        .await
        .expect("tokens")
}

async fn wake_is_queued(bench: &Bench, phone: &Enrolment) -> bool {
    let key = wake_key(&phone.id);
    bench.database.read("wake", move |tx| store::jobs::find_by_key(tx, &key)).await.expect("reads").is_some()
}

async fn forget_jobs(bench: &Bench) {
    crate::operations::apple_test_bench::sql(bench, "DELETE FROM jobs");
}

/// A phone that has authenticated and not yet sent its tokens.
async fn arrived(bench: &Bench, council: &CouncilId, mode: Mode) -> Enrolment {
    let (_, invitation) = invite(bench, council, Some("S1"), mode);
    let fingerprint = certificate(bench, council, Some(&invitation), None, year(bench)).await;
    let udid = format!("UDID of {fingerprint}");
    assert_eq!(authenticate(bench, council, &fingerprint, arrival(&udid, Some("S1"))).await, Outcome::Done);
    enrolment(bench, &fingerprint).await
}

#[tokio::test]
async fn a_topic_that_is_none_of_the_councils_is_refused_and_told() {
    on_both(|bench| async move {
        let (council, other) = (bench.council("germoe").await, bench.council("coreley").await);
        enrolled(&bench, &other, Mode::Device).await;
        let (_, invitation) = invite(&bench, &council, Some("S1"), Mode::Device);
        let one = certificate(&bench, &council, Some(&invitation), None, year(&bench)).await;
        for wrong in ["com.apple.mgmt.External.invented".to_owned(), topic_of(&other)] {
            let says = Arrival { topic: Some(wrong), ..arrival("U1", Some("S1")) };
            assert!(matches!(authenticate(&bench, &council, &one, says).await, Outcome::Unfit(_)));
        }
        assert_eq!(alerts(&bench, &council, "topic_refused").await, 1);
        assert_eq!(authenticate(&bench, &council, &one, arrival("U1", Some("S1"))).await, Outcome::Done);
        assert_eq!(alerts(&bench, &council, "topic_refused").await, 0, "it came with the right one");

        let phone = enrolled(&bench, &council, Mode::Device).await;
        let outcome = update(&bench, &phone, None, tokens(&phone, "cc", Some(topic_of(&other)))).await;
        assert!(matches!(outcome, Outcome::Unfit(_)));
        let kept = enrolment(&bench, &phone.fingerprint).await;
        assert_eq!((kept.push_token.as_deref(), &kept.topic), (Some("aa"), &Some(topic_of(&council))));
        assert!(told(&bench, &council, "topic_refused").await.expect("told").contains(&topic_of(&other)));
        let outcome = update(&bench, &phone, None, tokens(&phone, "cc", Some(topic_of(&council)))).await;
        assert_eq!(outcome, Outcome::Done);
        assert_eq!(alerts(&bench, &council, "topic_refused").await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_new_token_or_topic_wakes_the_phone_and_the_same_one_does_not() {
    on_both(|bench| async move {
        let council = bench.council("germoe").await;
        let phone = enrolled(&bench, &council, Mode::Device).await;
        let own = || Some(topic_of(&council));
        forget_jobs(&bench).await;
        update(&bench, &phone, None, tokens(&phone, "aa", own())).await;
        assert!(!wake_is_queued(&bench, &phone).await, "nothing is new");
        update(&bench, &phone, None, tokens(&phone, "bb", None)).await;
        assert!(wake_is_queued(&bench, &phone).await, "another token");
        forget_jobs(&bench).await;
        let set = format!("UPDATE enrolments SET topic = 'former' WHERE id = '{}'", phone.id);
        crate::operations::apple_test_bench::sql(&bench, &set);
        update(&bench, &phone, None, tokens(&phone, "bb", own())).await;
        assert!(wake_is_queued(&bench, &phone).await, "another topic");
    })
    .await;
}

#[tokio::test]
async fn misuse_is_refused_and_told_at_every_door_once_a_certificate() {
    on_both(|bench| async move {
        let (council, other) = (bench.council("germoe").await, bench.council("coreley").await);
        let phone = enrolled(&bench, &council, Mode::Device).await;
        for _ in 0..2 {
            let refused = update(&bench, &phone, Some("another phone"), tokens(&phone, "zz", None)).await;
            assert_eq!(refused, Outcome::Refused(Misuse::AnotherDevice.words()));
        }
        assert_eq!(alerts(&bench, &council, "identity_misused").await, 1);
        assert_eq!(enrolment(&bench, &phone.fingerprint).await.push_token.as_deref(), Some("aa"));

        let second = enrolled(&bench, &council, Mode::Device).await;
        let (context, pinned, elsewhere) = (bench.context(Actor::System), second.fingerprint.clone(), other.clone());
        let refused = bench
            .database
            .write("check out", move |tx| check_out(tx, &context, &elsewhere, &pinned, None))
            .await
            .expect("an outcome");
        assert_eq!(refused, Outcome::Refused(Misuse::AnotherCouncil.words()));
        assert_eq!(alerts(&bench, &council, "identity_misused").await, 2, "told to whose identity it is");
        assert_eq!(alerts(&bench, &other, "identity_misused").await, 0);
        assert!(enrolment(&bench, &second.fingerprint).await.ended_at.is_none());
    })
    .await;
}

#[tokio::test]
async fn only_a_councils_supervised_phone_is_asked_for_its_bypass_code_and_configured_last() {
    on_both(|bench| async move {
        let council = bench.council("germoe").await;
        let first = |phone: &Enrolment| TokenChange { awaiting_configuration: true, ..tokens(phone, "aa", None) };
        let phone = arrived(&bench, &council, Mode::Supervised).await;
        update(&bench, &phone, None, first(&phone)).await;
        let asked = open_kinds(&bench, &phone).await;
        assert_eq!(asked.first(), Some(&CommandKind::ActivationLockBypassCode), "{asked:?}");
        assert_eq!(asked.last(), Some(&CommandKind::DeviceConfigured), "{asked:?}");
        // It is asked once: a later TokenUpdate asks nothing.
        update(&bench, &phone, None, first(&phone)).await;
        assert_eq!(open_kinds(&bench, &phone).await, asked);
        let id = visit(&bench, &phone, Visit::Begins).await.expect("the first");
        let row = command_row(&bench, &id).await;
        assert_eq!(row.expires_at - row.created_at, Duration::days(15));
        assert!(row.priority <= 30);

        let plain = arrived(&bench, &council, Mode::Device).await;
        update(&bench, &plain, None, first(&plain)).await;
        let odd = arrived(&bench, &council, Mode::Supervised).await;
        let set = format!("UPDATE enrolments SET mode_disagrees = TRUE WHERE id = '{}'", odd.id);
        crate::operations::apple_test_bench::sql(&bench, &set);
        update(&bench, &odd, None, first(&odd)).await;
        for phone in [plain, odd] {
            let asked = open_kinds(&bench, &phone).await;
            assert!(!asked.is_empty() && !asked.contains(&CommandKind::ActivationLockBypassCode), "{asked:?}");
        }
        let personal = CommandKind::ActivationLockBypassCode;
        assert!(personal.refusal(Mode::Supervised, crate::model::Ownership::Personal).is_some());
        assert!(personal.refusal(Mode::Supervised, crate::model::Ownership::Council).is_none());
    })
    .await;
}
