//! Phones that call while people and jobs work on them: no transaction waits for another in a ring.

use super::*;
use crate::operations::apple_test_bench::{adopt_policy, arrival, authenticate, sql};
use crate::operations::{audit, check_in, devices, reports};
use crate::store::devices::Device;

const ROUNDS: usize = 6;

async fn visit_through(bench: &Bench, phone: &Enrolment) {
    let mut next = visit(bench, phone, Visit::Begins).await;
    for _ in 0..50 {
        let Some(id) = next else { return };
        next = visit(bench, phone, done(&id)).await;
    }
    panic!("a visit without end");
}

async fn refresh(bench: &Bench, phone: &Enrolment) {
    let (context, phone) = (bench.context(Actor::System), phone.clone());
    bench.database.write("refresh", move |tx| reports::refresh(tx, &context, &phone)).await.expect("refreshes");
}

async fn confirm(bench: &Bench, phone: &Enrolment) {
    let (context, device) = (bench.context(Actor::System), phone.device_id.clone());
    bench
        .database
        .write("confirm", move |tx| devices::confirm(tx, &context, &device).map(drop))
        .await
        .expect("confirms");
}

async fn lock(bench: &Bench, phone: &Enrolment) {
    let (context, device) = (bench.context(Actor::System), phone.device_id.clone());
    bench
        .database
        .write("lock", move |tx| devices::lock(tx, &context, &device, "", "", None).map(drop))
        .await
        .expect("locks");
}

async fn tokens(bench: &Bench, phone: &Enrolment, token: String) {
    let change = check_in::TokenChange {
        sealed_for: phone.id.clone(),
        topic: None,
        push_token: token,
        sealed_push_magic: b"magic".to_vec(),
        sealed_unlock_token: None,
        awaiting_configuration: false,
    };
    let (context, council, pinned) =
        (bench.context(Actor::System), phone.council_id.clone(), phone.fingerprint.clone());
    bench
        .database
        .write("tokens", move |tx| check_in::token_update(tx, &context, &council, &pinned, None, &change))
        .await
        .expect("tokens");
}

async fn claim_jobs(bench: &Bench) {
    let now = bench.clock.now();
    let claimed = bench
        .database
        .write("claim", move |tx| store::jobs::claim(tx, "test", now, now + Duration::minutes(1), 16))
        .await
        .expect("claims");
    for job in claimed {
        bench.database.write("finish", move |tx| store::jobs::finish(tx, &job)).await.expect("finishes");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn polls_check_ins_and_people_at_once_never_deadlock() {
    on_both(|bench| async move {
        let council = bench.council("germoe").await;
        adopt_policy(&bench, &council).await;
        let mut phones: Vec<(Enrolment, Device)> = Vec::new();
        for _ in 0..3 {
            let phone = enrolled(&bench, &council, Mode::Device).await;
            let id = phone.device_id.clone();
            let device = bench.database.read("device", move |tx| store::devices::find(tx, &id)).await.expect("reads");
            phones.push((phone, device.expect("is there")));
        }
        for round in 0..ROUNDS {
            bench.clock.advance(Duration::minutes(2));
            sql(&bench, "UPDATE enrolments SET confirmation = 'waiting'");
            let (bench, council) = (&bench, &council);
            let all = phones.iter().map(|(phone, device)| async move {
                let arrival = arrival(&device.udid, Some("S1"));
                tokio::join!(
                    visit_through(bench, phone),
                    refresh(bench, phone),
                    confirm(bench, phone),
                    lock(bench, phone),
                    tokens(bench, phone, format!("{round:02x}")),
                    claim_jobs(bench),
                    async {
                        let outcome = authenticate(bench, council, &phone.fingerprint, arrival).await;
                        assert_eq!(outcome, check_in::Outcome::Done);
                    },
                );
            });
            futures_util::future::join_all(all).await;
        }
        assert_eq!(bench.database.repeats(), 0, "each was a second's wait for a phone or a clerk");
    })
    .await;
}

/// Does what a person or job does to a phone: takes the council's lock, then changes the phone's rows, slowly.
async fn work_on(bench: &Bench, phone: &Enrolment) {
    let (context, phone) = (bench.context(Actor::System), phone.clone());
    bench
        .database
        .write("slow work", move |tx| {
            audit::lock(tx, &phone.council_id)?;
            std::thread::sleep(std::time::Duration::from_millis(400));
            store::enrolments::set_confirmation(tx, &phone, crate::model::Confirmation::Confirmed)?;
            cancel_all(tx, &context, &phone, "for the test").map(drop)
        })
        .await
        .expect("works");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_phone_that_calls_waits_for_the_councils_lock_with_empty_hands() {
    on_both(|bench| async move {
        let council = bench.council("germoe").await;
        adopt_policy(&bench, &council).await;
        let phone = enrolled(&bench, &council, Mode::Device).await;
        for answer_first in [true, false] {
            let id = ask(&bench, &phone, command(CommandKind::InstallProfile, 0, None)).await;
            assert_eq!(visit(&bench, &phone, Visit::Begins).await, Some(id.clone()));
            bench.clock.advance(Duration::minutes(2));
            let calls = async {
                // By now the lock is held.
                tokio::time::sleep(std::time::Duration::from_millis(150)).await;
                if answer_first {
                    visit(&bench, &phone, done(&id)).await;
                } else {
                    tokens(&bench, &phone, "ff".to_owned()).await;
                }
            };
            tokio::join!(work_on(&bench, &phone), calls);
        }
        assert_eq!(bench.database.repeats(), 0, "whoever held a row of the phone's waited for the lock as well");
    })
    .await;
}
