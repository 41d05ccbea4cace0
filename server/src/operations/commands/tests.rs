//! The command queue against what devices do, and against what other servers got wrong.

mod bypass_code;
mod locks;
mod told;

use std::sync::Arc;

use chrono::Duration;
use serde_json::json;

use super::*;
use crate::model::{Actor, Mode};
use crate::operations::apple_test_bench::{alerts, command, enrolled, queue as ask, visit};
use crate::store::enrolments::Caller;
use crate::testing::{Bench, on_both};

fn answer(id: &CommandId, status: AnswerStatus) -> Visit {
    Visit::Answers(Answer { command: Some(id.clone()), status, report: json!({}), bypass_code: None })
}

fn done(id: &CommandId) -> Visit {
    answer(id, AnswerStatus::Acknowledged)
}

fn refused(id: &CommandId, code: i64) -> Visit {
    answer(id, AnswerStatus::Failed { codes: vec![code], text: format!("no ({code})") })
}

async fn row(bench: &Bench, id: &CommandId) -> CommandRow {
    let id = id.clone();
    bench.database.read("row", move |tx| store::commands::find_any(tx, &id)).await.expect("reads").expect("is there")
}

// DisableLostMode needs nothing but its name, so it stands for any command here.
const PLAIN: CommandKind = CommandKind::DisableLostMode;

#[tokio::test]
async fn repeated_and_unknown_answers_change_nothing_and_the_queue_goes_on() {
    on_both(|bench| async move {
        let council = bench.council("germoe").await;
        let phone = enrolled(&bench, &council, Mode::Supervised).await;
        let first = ask(&bench, &phone, command(PLAIN, 50, None)).await;
        let second = ask(&bench, &phone, command(PLAIN, 50, None)).await;
        let third = ask(&bench, &phone, command(PLAIN, 50, None)).await;
        let begin = Visit::Begins;
        assert_eq!(visit(&bench, &phone, begin.clone()).await.as_ref(), Some(&first));
        let never_offered = visit(&bench, &phone, done(&third)).await;
        assert_eq!(never_offered.as_ref(), Some(&first), "an answer to what was never offered is no answer");
        assert_eq!(row(&bench, &third).await.state, CommandState::Queued);
        let unknown = CommandId::new();
        assert_eq!(visit(&bench, &phone, done(&unknown)).await.as_ref(), Some(&first));
        assert_eq!(visit(&bench, &phone, done(&first)).await.as_ref(), Some(&second));
        assert_eq!(visit(&bench, &phone, done(&first)).await.as_ref(), Some(&second), "a repeat loses nothing");
        assert_eq!(visit(&bench, &phone, refused(&first, 1)).await.as_ref(), Some(&second));
        assert_eq!(row(&bench, &first).await.state, CommandState::Acknowledged, "what is done stays done");
        assert_eq!(visit(&bench, &phone, done(&second)).await.as_ref(), Some(&third));
        assert_eq!(visit(&bench, &phone, done(&third)).await, None);
        assert_eq!(visit(&bench, &phone, done(&third)).await, None);
        assert_eq!(visit(&bench, &phone, begin).await, None);
    })
    .await;
}

#[tokio::test]
async fn not_now_lets_others_pass_and_comes_back_with_the_next_visit() {
    on_both(|bench| async move {
        let council = bench.council("germoe").await;
        let phone = enrolled(&bench, &council, Mode::Supervised).await;
        let first = ask(&bench, &phone, command(PLAIN, 10, None)).await;
        let second = ask(&bench, &phone, command(PLAIN, 50, None)).await;
        assert_eq!(visit(&bench, &phone, Visit::Begins).await.as_ref(), Some(&first));
        let not_now = answer(&first, AnswerStatus::NotNow);
        assert_eq!(visit(&bench, &phone, not_now).await.as_ref(), Some(&second));
        assert_eq!(visit(&bench, &phone, done(&second)).await, None, "not offered twice in one visit");
        assert_eq!(row(&bench, &second).await.state, CommandState::Acknowledged);
        let waiting = row(&bench, &first).await;
        assert_eq!((waiting.state, waiting.offers), (CommandState::Deferred, 1));
        let key = format!("wake:{}", phone.id);
        let wake = bench.database.read("wake", move |tx| store::jobs::find_by_key(tx, &key)).await.expect("reads");
        assert!(wake.is_some(), "the server comes back to the device by itself");
        assert_eq!(visit(&bench, &phone, Visit::Begins).await.as_ref(), Some(&first), "the same id at the next visit");
        // Not possible in Lost Mode is put off, too.
        assert_eq!(visit(&bench, &phone, refused(&first, 12078)).await, None);
        assert_eq!(row(&bench, &first).await.state, CommandState::Deferred);
        assert_eq!(visit(&bench, &phone, Visit::Begins).await.as_ref(), Some(&first));
        assert_eq!(visit(&bench, &phone, done(&first)).await, None);
    })
    .await;
}

#[tokio::test]
async fn what_was_claimed_but_not_answered_is_offered_again_under_its_id() {
    on_both(|bench| async move {
        let council = bench.council("germoe").await;
        let phone = enrolled(&bench, &council, Mode::Supervised).await;
        let only = ask(&bench, &phone, command(PLAIN, 50, None)).await;
        for offers in 1..=3 {
            assert_eq!(visit(&bench, &phone, Visit::Begins).await.as_ref(), Some(&only));
            assert_eq!(row(&bench, &only).await.offers, offers);
        }
        let other = ask(&bench, &phone, command(PLAIN, 60, None)).await;
        for _ in 4..=5 {
            assert_eq!(visit(&bench, &phone, Visit::Begins).await.as_ref(), Some(&only));
        }
        assert_eq!(visit(&bench, &phone, Visit::Begins).await.as_ref(), Some(&other), "it does not block the others");
        bench.clock.advance(Duration::minutes(1));
        assert_eq!(visit(&bench, &phone, Visit::Begins).await.as_ref(), Some(&only));
    })
    .await;
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_does_not_block_the_queue() {
    on_both(|bench| async move {
        let council = bench.council("germoe").await;
        let phone = enrolled(&bench, &council, Mode::Supervised).await;
        let first = ask(&bench, &phone, command(PLAIN, 10, None)).await;
        let second = ask(&bench, &phone, command(PLAIN, 50, None)).await;
        let unreadable = Visit::Answers(Answer {
            command: None,
            status: AnswerStatus::Unreadable,
            report: json!(null),
            bypass_code: None,
        });
        assert_eq!(visit(&bench, &phone, Visit::Begins).await.as_ref(), Some(&first));
        assert_eq!(visit(&bench, &phone, unreadable.clone()).await.as_ref(), Some(&second));
        assert_eq!(visit(&bench, &phone, done(&second)).await, None);
        for _ in 0..2 {
            assert_eq!(visit(&bench, &phone, Visit::Begins).await.as_ref(), Some(&first));
            assert_eq!(visit(&bench, &phone, unreadable.clone()).await, None);
        }
        let given_up = row(&bench, &first).await;
        assert_eq!(
            (given_up.state, given_up.answer),
            (CommandState::Failed, None),
            "the phone did not say that it failed"
        );
        assert_eq!(visit(&bench, &phone, Visit::Begins).await, None);
    })
    .await;
}

#[tokio::test]
async fn a_hundred_and_sixty_commands_queued_at_once_all_arrive() {
    on_both(|bench| async move {
        let council = bench.council("germoe").await;
        let phone = enrolled(&bench, &council, Mode::Supervised).await;
        let bench = Arc::new(bench);
        let clients: Vec<_> = (0..16)
            .map(|_| {
                let (bench, phone) = (Arc::clone(&bench), phone.clone());
                tokio::spawn(async move {
                    for _ in 0..10 {
                        ask(&bench, &phone, command(PLAIN, 50, None)).await;
                    }
                })
            })
            .collect();
        for client in clients {
            client.await.expect("queues");
        }
        let mut next = visit(&bench, &phone, Visit::Begins).await;
        let mut arrived = std::collections::BTreeSet::new();
        while let Some(id) = next {
            assert!(arrived.insert(id.clone()), "none twice");
            next = visit(&bench, &phone, done(&id)).await;
        }
        assert_eq!(arrived.len(), 160);
    })
    .await;
}

#[tokio::test]
async fn a_lock_overtakes_and_a_newer_lock_takes_the_place_of_the_older() {
    on_both(|bench| async move {
        let council = bench.council("germoe").await;
        let phone = enrolled(&bench, &council, Mode::Device).await;
        for _ in 0..20 {
            ask(&bench, &phone, command(CommandKind::DeviceInformation, 50, None)).await;
        }
        let (context, device) = (bench.context(Actor::System), phone.device_id.clone());
        let (first, second) = bench
            .database
            .write("lock twice", move |tx| {
                let lock = |tx: &mut Transaction<'_>| {
                    crate::operations::devices::lock(tx, &context, &device, "Ring us", "", None)
                };
                Ok((lock(tx)?, lock(tx)?))
            })
            .await
            .expect("locks");
        assert_eq!(row(&bench, &first).await.state, CommandState::Superseded);
        assert_eq!(
            visit(&bench, &phone, Visit::Begins).await.as_ref(),
            Some(&second),
            "one lock in flight, first of all"
        );
        let no_pin = Visit::Answers(Answer {
            command: Some(second.clone()),
            status: AnswerStatus::Acknowledged,
            report: json!({ "MessageResult": "NoPasscodeSet" }),
            bypass_code: None,
        });
        visit(&bench, &phone, no_pin).await;
        let locked = row(&bench, &second).await;
        assert_eq!(locked.kind, CommandKind::DeviceLock, "not supervised: its screen");
        assert!(locked.problem.expect("said").contains("no effect"));
        assert_eq!(alerts(&bench, &council, "lock_without_effect").await, 1);
    })
    .await;
}

#[tokio::test]
async fn what_a_mode_does_not_know_is_refused_in_words() {
    on_both(|bench| async move {
        let council = bench.council("germoe").await;
        let phone = enrolled(&bench, &council, Mode::Device).await;
        let context = bench.context(Actor::System);
        bench
            .database
            .write("refusals", move |tx| {
                let mut refuse = |new: &NewCommand, words: &str| match queue(tx, &context, &phone, new) {
                    Err(Error::Conflict(problem)) => assert!(problem.contains(words), "{problem}"),
                    other => panic!("{:?}: {other:?}", new.kind),
                };
                refuse(&command(CommandKind::EnableLostMode, 0, None), "supervised");
                refuse(&command(CommandKind::DeviceConfigured, 0, None), "supervised");
                let ended = Enrolment { ended_at: Some(context.now), ..phone.clone() };
                assert!(queue(tx, &context, &ended, &command(CommandKind::ProfileList, 0, None)).is_err());
                Ok(())
            })
            .await
            .expect("all refused");
    })
    .await;
}

#[tokio::test]
async fn an_identity_that_ran_out_is_served_its_renewal_and_nothing_else() {
    on_both(|bench| async move {
        let council = bench.council("germoe").await;
        let phone = enrolled(&bench, &council, Mode::Supervised).await;
        let other = ask(&bench, &phone, command(PLAIN, 0, None)).await;
        sql_keep_open(&bench, &other);
        bench.clock.advance(Duration::days(366));
        let next = visit(&bench, &phone, Visit::Begins).await.expect("a renewal");
        assert_eq!(row(&bench, &next).await.kind, CommandKind::RenewIdentity);
        assert_eq!(visit(&bench, &phone, done(&next)).await, None, "once a visit");
        assert_eq!(visit(&bench, &phone, Visit::Begins).await, None, "not a second one on the heels of the first");
        bench.clock.advance(Duration::minutes(11));
        let again = visit(&bench, &phone, Visit::Begins).await.expect("another renewal");
        assert!(again != next && again != other);
    })
    .await;
}

fn sql_keep_open(bench: &Bench, id: &CommandId) {
    crate::operations::apple_test_bench::sql(
        bench,
        &format!("UPDATE commands SET expires_at = '2100-01-01 00:00:00' WHERE id = '{id}'"),
    );
}

#[tokio::test]
async fn ended_inventory_goes_after_a_week_and_the_rest_stays() {
    on_both(|bench| async move {
        let council = bench.council("germoe").await;
        let phone = enrolled(&bench, &council, Mode::Supervised).await;
        let old = ask(&bench, &phone, command(CommandKind::DeviceInformation, 10, None)).await;
        let other = ask(&bench, &phone, command(PLAIN, 20, None)).await;
        visit(&bench, &phone, Visit::Begins).await;
        visit(&bench, &phone, done(&old)).await;
        visit(&bench, &phone, done(&other)).await;
        bench.clock.advance(Duration::days(8));
        let new = ask(&bench, &phone, command(CommandKind::SecurityInfo, 10, None)).await;
        let open = ask(&bench, &phone, command(CommandKind::ProfileList, 20, None)).await;
        visit(&bench, &phone, Visit::Begins).await;
        visit(&bench, &phone, done(&new)).await;
        let before = bench.clock.now() - INVENTORY_KEPT;
        let purged = bench.database.write("purge", move |tx| purge_inventory(tx, before, 100)).await.expect("purges");
        assert_eq!(purged, 1);
        let gone = bench.database.read("gone", move |tx| store::commands::find_any(tx, &old)).await.expect("reads");
        assert!(gone.is_none());
        for kept in [other, new, open] {
            row(&bench, &kept).await;
        }
    })
    .await;
}

#[tokio::test]
async fn commands_expire_can_be_taken_back_and_are_not_kept_for_ever() {
    on_both(|bench| async move {
        let council = bench.council("germoe").await;
        let phone = enrolled(&bench, &council, Mode::Supervised).await;
        let old = ask(&bench, &phone, command(PLAIN, 50, None)).await;
        bench.clock.advance(Duration::days(8));
        let new = ask(&bench, &phone, command(PLAIN, 60, None)).await;
        assert_eq!(visit(&bench, &phone, Visit::Begins).await.as_ref(), Some(&new), "what expired is not given");
        let context = bench.context(Actor::System);
        let (before, taken) = (context.now + Duration::seconds(1), new.clone());
        let (expired, purged) = bench
            .database
            .write("upkeep", move |tx| {
                let expired = expire(tx, &context, 100)?;
                cancel(tx, &context, &taken)?;
                assert!(matches!(cancel(tx, &context, &taken), Err(Error::Conflict(_))));
                Ok((expired, purge_ended(tx, before, 1)?))
            })
            .await
            .expect("upkeep");
        assert_eq!((expired, purged), (1, 1));
        let left = old.clone();
        let gone = bench.database.read("gone", move |tx| store::commands::find_any(tx, &left)).await.expect("reads");
        let kept = row(&bench, &new).await;
        assert!(gone.is_none());
        assert_eq!(kept.state, CommandState::Cancelled);
        assert_eq!(visit(&bench, &phone, Visit::Begins).await, None);
    })
    .await;
}

/// What a visit that begins would come to: the question that it is given as it stands, or whether something else waits.
async fn glanced(bench: &Bench, phone: &Enrolment) -> Result<Option<CommandId>, &'static str> {
    let (context, id, council) = (bench.context(Actor::System), phone.id.clone(), phone.council_id.clone());
    let look = move |tx: &mut Transaction<'_>| {
        let enrolment = store::enrolments::find(tx, &council, &id)?.expect("enrolled");
        glance(tx, &context, &Caller { enrolment, has_more: true })
    };
    match bench.database.read_briefly("glance", look).await.expect("reads") {
        Glance::Nothing => Ok(None),
        Glance::Question(row) => Ok(Some(row.id)),
        Glance::Waits => Err("waits"),
    }
}

#[tokio::test]
async fn what_waits_is_not_given_once_the_enrolment_has_ended() {
    on_both(|bench| async move {
        let council = bench.council("germoe").await;
        let phone = enrolled(&bench, &council, Mode::Supervised).await;
        ask(&bench, &phone, command(PLAIN, 50, None)).await;
        assert_eq!(glanced(&bench, &phone).await, Err("waits"));
        let (gone, now) = (phone.clone(), bench.context(Actor::System).now);
        let end = move |tx: &mut Transaction<'_>| {
            store::enrolments::end(tx, &gone.council_id, &gone.id, now, "ended in between")
        };
        assert!(bench.database.write("end", end).await.expect("ends"));
        assert_eq!(visit(&bench, &phone, Visit::Begins).await, None);
        // On PostgreSQL it may also end between the look at who calls and the council's lock.
        if bench.database.is_postgres() {
            let (context, stale) = (bench.context(Actor::System), Caller { enrolment: phone.clone(), has_more: false });
            let given = move |tx: &mut Transaction<'_>| settle_and_claim(tx, &context, stale.clone(), &Visit::Begins);
            assert!(bench.database.write("visit", given).await.expect("answers").is_none());
        }
    })
    .await;
}

#[tokio::test]
async fn only_questions_are_given_from_a_snapshot() {
    on_both(|bench| async move {
        let council = bench.council("germoe").await;
        let phone = enrolled(&bench, &council, Mode::Supervised).await;
        assert_eq!(glanced(&bench, &phone).await, Ok(None));
        let question = ask(&bench, &phone, command(CommandKind::SecurityInfo, 50, None)).await;
        assert_eq!(glanced(&bench, &phone).await, Ok(Some(question.clone())));
        let others = [
            CommandKind::InstallProfile,
            CommandKind::RenewIdentity,
            CommandKind::DeviceLock,
            CommandKind::EnableLostMode,
            CommandKind::DisableLostMode,
            CommandKind::DeviceConfigured,
            CommandKind::ActivationLockBypassCode,
        ];
        for kind in others {
            let id = ask(&bench, &phone, command(kind, 40, None)).await;
            assert_eq!(glanced(&bench, &phone).await, Err("waits"), "{kind}");
            let (row, now) = (row(&bench, &id).await, bench.context(Actor::System).now);
            let end = move |tx: &mut Transaction<'_>| {
                store::commands::finish(tx, &row, CommandState::Cancelled, now, None, None)
            };
            assert!(bench.database.write("end", end).await.expect("ends"));
        }
        let here = phone.clone();
        let own = move |tx: &mut Transaction<'_>| {
            let row = store::commands::find_any(tx, &question)?.expect("waits");
            store::commands::defer(tx, &row, row.available_at, "not now")
        };
        assert!(bench.database.write("put off", own).await.expect("puts off"));
        assert_eq!(glanced(&bench, &here).await, Err("waits"), "what was put off");
    })
    .await;
}

#[tokio::test]
async fn a_renewal_that_is_fetched_again_and_again_is_given_five_challenges_and_no_more() {
    on_both(|bench| async move {
        let council = bench.council("germoe").await;
        let phone = enrolled(&bench, &council, Mode::Supervised).await;
        let renewal = ask(&bench, &phone, renewal()).await;
        for _ in 0..5 {
            assert_eq!(visit(&bench, &phone, Visit::Begins).await.as_ref(), Some(&renewal));
            bench.clock.advance(Duration::seconds(40));
        }
        assert_eq!(visit(&bench, &phone, Visit::Begins).await, None);
        let row = row(&bench, &renewal).await;
        assert_eq!((row.state, row.answer), (CommandState::Failed, None));
        assert!(row.problem.expect("why").contains("challenges"));
    })
    .await;
}

#[tokio::test]
async fn a_newer_policy_takes_the_place_of_an_older_one_that_waits() {
    use crate::operations::policies::{self, Base, Change};
    on_both(|bench| async move {
        let council = bench.council("germoe").await;
        let phone = enrolled(&bench, &council, Mode::Supervised).await;
        let (context, here) = (bench.context(Actor::Local), phone.clone());
        let (older, newer) = bench
            .database
            .write("two policies", move |tx| {
                let council = &here.council_id;
                let waiting = |tx: &mut Transaction<'_>| {
                    let open = store::commands::open_of_enrolment(tx, council, &here.id)?;
                    let mut profiles = open.into_iter().filter(|row| row.kind == CommandKind::InstallProfile);
                    let only = profiles.next().expect("a profile waits");
                    assert!(profiles.next().is_none(), "one profile in flight");
                    Ok::<_, Error>(only.id)
                };
                policies::start(tx, &context, council, beadle_profiles::Preset::Germoe)?;
                crate::operations::reports::refresh(tx, &context, &here)?;
                let older = waiting(tx)?;
                let longer = Change { path: "passcode.minimum_length".to_owned(), value: "8".to_owned() };
                policies::change(tx, &context, council, &Base::Current, &[longer], "")?;
                crate::operations::reports::refresh(tx, &context, &here)?;
                crate::operations::reports::refresh(tx, &context, &here)?;
                Ok((older, waiting(tx)?))
            })
            .await
            .expect("two policies");
        assert_ne!(older, newer);
        let older = row(&bench, &older).await;
        assert_eq!(older.state, CommandState::Superseded);
        assert_eq!(older.problem.as_deref(), Some("a newer command took its place"));
        let newer = row(&bench, &newer).await;
        assert!(newer.payload.contains("\"policy_version\":2"), "{}", newer.payload);
        assert_eq!(visit(&bench, &phone, Visit::Begins).await.as_ref(), Some(&newer.id), "the phone hears of one");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn locks_of_several_people_at_once_leave_one_in_flight() {
    on_both(|bench| async move {
        let council = bench.council("germoe").await;
        let phone = enrolled(&bench, &council, Mode::Device).await;
        let start = Arc::new(tokio::sync::Barrier::new(8));
        let mut people = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let (database, context) = (bench.database.clone(), bench.context(Actor::System));
            let (device, start) = (phone.device_id.clone(), Arc::clone(&start));
            people.spawn(async move {
                start.wait().await;
                database
                    .write("lock", move |tx| crate::operations::devices::lock(tx, &context, &device, "", "", None))
                    .await
                    .expect("nobody is refused")
            });
        }
        let locks = people.join_all().await;
        let mut open = Vec::new();
        for lock in &locks {
            match row(&bench, lock).await.state {
                CommandState::Queued => open.push(lock.clone()),
                state => assert_eq!(state, CommandState::Superseded),
            }
        }
        assert_eq!(open.len(), 1, "one lock in flight");
        assert_eq!(visit(&bench, &phone, Visit::Begins).await, open.pop());
    })
    .await;
}
