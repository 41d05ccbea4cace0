//! Who may enrol as what, and what a device that is enrolled may say.

mod doors;

use chrono::Duration;

use super::*;
use crate::model::{CommandKind, CommandState, Confirmation, EnrolmentState, Mode, Moment};
use crate::operations::alerts::IDENTITY_ALERTS;
use crate::operations::apple_test_bench::{
    alerts, arrival, authenticate, certificate, command, enrolled, enrolment, invite, invite_again, queue, visit,
};
use crate::operations::commands::{self, Visit};
use crate::testing::{Bench, on_both};

/// How many rows of this kind about `subject` the council's trail has.
async fn rows(bench: &Bench, council: &CouncilId, kind: &'static str, subject: &str) -> usize {
    let (council, subject) = (council.clone(), subject.to_owned());
    bench
        .database
        .read("trail", move |tx| store::audit::of_subject(tx, council.as_str(), &subject, 100))
        .await
        .expect("reads")
        .iter()
        .filter(|(row, _)| row.kind == kind)
        .count()
}

async fn identified(bench: &Bench, council: &CouncilId, fingerprint: &str) -> Identified {
    let (council, fingerprint) = (council.clone(), fingerprint.to_owned());
    bench.database.read("identify", move |tx| identify(tx, &council, &fingerprint, None)).await.expect("reads")
}

async fn raise_identity_alert(bench: &Bench, phone: &Enrolment) {
    let (context, phone) = (bench.context(Actor::System), phone.clone());
    let (council, kind) = (phone.council_id.clone(), IDENTITY_ALERTS[1]);
    bench
        .database
        .write("alert", move |tx| {
            let subject = phone.id.as_str();
            crate::operations::alerts::raise(tx, &context, &phone.council_id, kind, subject, "ends soon")
        })
        .await
        .expect("raised");
    assert_eq!(alerts(bench, &council, kind).await, 1);
}

fn year(bench: &Bench) -> Moment {
    bench.clock.now() + Duration::days(365)
}

#[tokio::test]
async fn a_certificate_is_one_phones_and_one_councils() {
    on_both(|bench| async move {
        let (germoe, coreley) = (bench.council("germoe").await, bench.council("coreley").await);
        let (_, invitation) = invite(&bench, &germoe, Some("S1"), Mode::Device);
        let one = certificate(&bench, &germoe, Some(&invitation), None, year(&bench)).await;
        let spare = certificate(&bench, &germoe, Some(&invitation), None, year(&bench)).await;
        let refused = |outcome| matches!(outcome, Outcome::Refused(_));
        assert!(refused(authenticate(&bench, &coreley, &one, arrival("U1", Some("S1"))).await));
        assert_eq!(alerts(&bench, &germoe, "identity_misused").await, 1, "told to the council whose identity it is");
        assert_eq!(alerts(&bench, &coreley, "identity_misused").await, 0);
        assert_eq!(authenticate(&bench, &germoe, &one, arrival("U1", Some("S1"))).await, Outcome::Done);
        assert_eq!(authenticate(&bench, &germoe, &one, arrival("U1", Some("S1"))).await, Outcome::Done, "a repeat");
        assert!(refused(authenticate(&bench, &germoe, &one, arrival("U2", Some("S1"))).await), "another phone");
        assert!(refused(authenticate(&bench, &germoe, &spare, arrival("U3", Some("S1"))).await), "a used invitation");
        assert!(refused(authenticate(&bench, &germoe, "unknown", arrival("U1", Some("S1"))).await));
        let incomplete = Arrival { udid: None, ..arrival("", None) };
        assert!(matches!(authenticate(&bench, &germoe, &one, incomplete).await, Outcome::Incomplete(_)));
        assert!(matches!(identified(&bench, &coreley, &one).await, Identified::Misused(_, Misuse::AnotherCouncil)));
        assert!(matches!(identified(&bench, &germoe, &one).await, Identified::Pinned(_)));
        assert!(matches!(identified(&bench, &germoe, &spare).await, Identified::Refused(_)));
        assert!(matches!(identified(&bench, &coreley, &spare).await, Identified::Misused(_, Misuse::AnotherCouncil)));
        assert!(matches!(identified(&bench, &germoe, "unknown").await, Identified::Refused(_)));
    })
    .await;
}

#[tokio::test]
async fn another_assets_invitation_does_not_take_a_phone_over() {
    on_both(|bench| async move {
        let council = bench.council("germoe").await;
        let phone = enrolled(&bench, &council, Mode::Device).await;
        let device = phone.device_id.clone();
        let device = bench.database.read("device", move |tx| store::devices::find(tx, &device)).await.expect("reads");
        let device = device.expect("is there");
        let (_, other) = invite(&bench, &council, None, Mode::Device);
        let thief = certificate(&bench, &council, Some(&other), None, year(&bench)).await;
        let outcome = authenticate(&bench, &council, &thief, arrival(&device.udid, Some("S1"))).await;
        assert!(matches!(outcome, Outcome::Refused(_)));
        assert_eq!(alerts(&bench, &council, "identity_misused").await, 1);
        assert!(matches!(identified(&bench, &council, &phone.fingerprint).await, Identified::Pinned(_)));
        // Nor does another phone become an asset that is enrolled already.
        let again = invite_again(&bench, &council, &device.asset_id, Mode::Device);
        let second = certificate(&bench, &council, Some(&again), None, year(&bench)).await;
        let outcome = authenticate(&bench, &council, &second, arrival("another phone", Some("S1"))).await;
        assert!(matches!(outcome, Outcome::Refused(_)));
    })
    .await;
}

#[tokio::test]
async fn a_renewal_keeps_everything_and_ends_the_old_identity() {
    on_both(|bench| async move {
        let council = bench.council("germoe").await;
        let phone = enrolled(&bench, &council, Mode::Supervised).await;
        let waiting = queue(&bench, &phone, command(CommandKind::DisableLostMode, 50, None)).await;
        let renewal = queue(&bench, &phone, commands::renewal()).await;
        assert_eq!(visit(&bench, &phone, Visit::Begins).await.as_ref(), Some(&renewal));
        let device = phone.device_id.clone();
        let udid = bench.database.read("device", move |tx| store::devices::find(tx, &device)).await.expect("reads");
        let udid = udid.expect("is there").udid;
        raise_identity_alert(&bench, &phone).await;
        let later = year(&bench) + Duration::days(300);
        let new = certificate(&bench, &council, None, Some(&phone.id), later).await;
        assert!(matches!(identified(&bench, &council, &new).await, Identified::Renewed(..)));
        assert!(matches!(identified(&bench, &council, &phone.fingerprint).await, Identified::Pinned(_)));
        assert_eq!(authenticate(&bench, &council, &new, arrival(&udid, Some("S1"))).await, Outcome::Done);
        let renewed = enrolment(&bench, &new).await;
        assert_eq!((&renewed.id, renewed.generation, renewed.state), (&phone.id, 1, EnrolmentState::Enrolled));
        assert_eq!(renewed.push_token.as_deref(), Some("aa"));
        assert_eq!(renewed.identity_not_after, Some(later));
        assert_eq!(alerts(&bench, &council, IDENTITY_ALERTS[1]).await, 0, "nobody need worry about its end any more");
        assert!(matches!(
            identified(&bench, &council, &phone.fingerprint).await,
            Identified::Misused(_, Misuse::Revoked)
        ));
        let settled =
            bench.database.read("row", move |tx| store::commands::find_any(tx, &renewal)).await.expect("reads");
        assert_eq!(settled.expect("is there").state, CommandState::Acknowledged);
        assert_eq!(visit(&bench, &renewed, Visit::Begins).await, Some(waiting), "the queue stays");
    })
    .await;
}

#[tokio::test]
async fn a_true_re_enrolment_starts_a_new_generation_with_an_empty_queue() {
    on_both(|bench| async move {
        let council = bench.council("germoe").await;
        let phone = enrolled(&bench, &council, Mode::Device).await;
        let stale = queue(&bench, &phone, command(CommandKind::ProfileList, 50, None)).await;
        let device = phone.device_id.clone();
        let device = bench.database.read("device", move |tx| store::devices::find(tx, &device)).await.expect("reads");
        let device = device.expect("is there");
        let again = invite_again(&bench, &council, &device.asset_id, Mode::Device);
        let new = certificate(&bench, &council, Some(&again), None, year(&bench)).await;
        assert_eq!(authenticate(&bench, &council, &new, arrival(&device.udid, Some("S1"))).await, Outcome::Done);
        let second = enrolment(&bench, &new).await;
        assert_eq!((&second.device_id, second.generation), (&device.id, 2));
        assert_eq!(visit(&bench, &second, Visit::Begins).await, None, "nothing of before is run");
        let old = bench.database.read("row", move |tx| store::commands::find_any(tx, &stale)).await.expect("reads");
        assert_eq!(old.expect("is there").state, CommandState::Cancelled);
        assert!(matches!(
            identified(&bench, &council, &phone.fingerprint).await,
            Identified::Misused(_, Misuse::Revoked)
        ));
    })
    .await;
}

#[tokio::test]
async fn a_serial_number_that_is_not_the_assets_waits_for_the_clerk() {
    on_both(|bench| async move {
        let council = bench.council("germoe").await;
        for (registered, reported, expected) in [
            (Some("S1"), Some("s1 "), Confirmation::NotNeeded),
            (Some("S1"), Some("S2"), Confirmation::Waiting),
            (Some("S1"), None, Confirmation::Waiting),
            (None, Some("S3"), Confirmation::NotNeeded),
        ] {
            let (asset, invitation) = invite(&bench, &council, registered, Mode::Device);
            let fingerprint = certificate(&bench, &council, Some(&invitation), None, year(&bench)).await;
            let udid = format!("U-{asset}");
            assert_eq!(authenticate(&bench, &council, &fingerprint, arrival(&udid, reported)).await, Outcome::Done);
            assert_eq!(enrolment(&bench, &fingerprint).await.confirmation, expected, "{registered:?} {reported:?}");
            let (council, serial) = (council.clone(), reported.map(str::to_owned));
            let (chain, item) = (council.clone(), asset.clone());
            let kept = bench
                .database
                .read("serial", move |tx| store::devices::asset_tag_and_serial(tx, &council, &asset))
                .await
                .expect("reads")
                .expect("is there")
                .1;
            assert_eq!(kept, registered.map(str::to_owned).or(serial), "only a missing one is taken over");
            let taken = usize::from(registered.is_none());
            assert_eq!(rows(&bench, &chain, "asset serial taken from phone", item.as_str()).await, taken);
        }
        assert_eq!(alerts(&bench, &council, "serial_differs").await, 1);
    })
    .await;
}

#[tokio::test]
async fn the_unlock_token_is_never_lost_and_a_check_out_ends_everything() {
    on_both(|bench| async move {
        let council = bench.council("germoe").await;
        let phone = enrolled(&bench, &council, Mode::Device).await;
        let change = TokenChange {
            sealed_for: phone.id.clone(),
            topic: None,
            push_token: "bb".to_owned(),
            sealed_push_magic: b"other".to_vec(),
            sealed_unlock_token: None,
            awaiting_configuration: false,
        };
        let (context, of, pinned) = (bench.context(Actor::System), council.clone(), phone.fingerprint.clone());
        let outcome = bench
            .database
            .write("tokens", move |tx| token_update(tx, &context, &of, &pinned, None, &change))
            .await
            .expect("tokens");
        assert_eq!(outcome, Outcome::Done);
        let now = enrolment(&bench, &phone.fingerprint).await;
        assert_eq!(now.push_token.as_deref(), Some("bb"));
        assert_eq!(now.sealed_unlock_token.as_deref(), Some(&b"sealed token"[..]));
        queue(&bench, &phone, command(CommandKind::ProfileList, 50, None)).await;
        for _ in 0..2 {
            let (context, of, pinned) = (bench.context(Actor::System), council.clone(), phone.fingerprint.clone());
            let outcome = bench
                .database
                .write("check out", move |tx| check_out(tx, &context, &of, &pinned, None))
                .await
                .expect("check out");
            assert_eq!(outcome, Outcome::Done);
        }
        assert_eq!(alerts(&bench, &council, "left_management").await, 1);
        assert!(matches!(
            identified(&bench, &council, &phone.fingerprint).await,
            Identified::Misused(_, Misuse::Revoked)
        ));
        assert_eq!(visit(&bench, &phone, Visit::Begins).await, None, "nothing is delivered afterwards");
    })
    .await;
}

#[tokio::test]
async fn a_phone_that_takes_the_place_of_another_and_gives_it_back_is_in_the_trail() {
    on_both(|bench| async move {
        let council = bench.council("germoe").await;
        let old = enrolled(&bench, &council, Mode::Device).await;
        let device = old.device_id.clone();
        let device = bench.database.read("device", move |tx| store::devices::find(tx, &device)).await.expect("reads");
        let device = device.expect("is there");
        let mut current = old.clone();
        for (udid, kind) in [("its replacement", "device retired"), (device.udid.as_str(), "device reinstated")] {
            let (council_of, left) = (council.clone(), current.fingerprint.clone());
            let context = bench.context(Actor::System);
            bench
                .database
                .write("check out", move |tx| check_out(tx, &context, &council_of, &left, None))
                .await
                .expect("leaves");
            let invitation = invite_again(&bench, &council, &device.asset_id, Mode::Device);
            let fingerprint = certificate(&bench, &council, Some(&invitation), None, year(&bench)).await;
            assert_eq!(authenticate(&bench, &council, &fingerprint, arrival(udid, Some("S1"))).await, Outcome::Done);
            current = enrolment(&bench, &fingerprint).await;
            assert_eq!(rows(&bench, &council, kind, device.id.as_str()).await, 1, "{kind}");
        }
    })
    .await;
}
