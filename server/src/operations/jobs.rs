//! Work that outlives a request: queued in the same transaction as its cause.

use super::Context;
use crate::error::Result;
use crate::model::{CouncilId, EnrolmentId, JobId, Moment};
use crate::store::jobs::Wish;
use crate::store::{self, Transaction};

/// The kind of the job that wakes a device.
pub const WAKE_DEVICE: &str = "wake_device";

/// The alert about a device's token that the push service retired.
pub const PUSH_RETIRED: &str = "push_retired";

/// What the job that wakes a device is told.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Wake {
    /// The council.
    pub council: CouncilId,
    /// Whose device.
    pub enrolment: EnrolmentId,
    /// How many pushes were accepted since the device was last asked anew.
    #[serde(default)]
    pub pushes: u32,
    /// Google told of a change of the phone, or it was missing from Google's list: look at it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hint: bool,
}

/// What the job that hastens the wake-ups of a push topic is told.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct WakeTopic {
    /// The council.
    pub council: CouncilId,
    /// The topic.
    pub topic: String,
    /// The last enrolment that was seen to.
    pub after: Option<EnrolmentId>,
}

/// The kind of the job that hastens the wake-ups of a push topic.
pub const WAKE_TOPIC: &str = "wake_topic";

/// The key under which the wake-up of an enrolment is queued.
#[must_use]
pub fn wake_key(enrolment: &EnrolmentId) -> String {
    format!("wake:{enrolment}")
}

/// Queues a job of `kind` at `run_at`; with a `dedupe_key` that is already queued, the earlier time wins. A job that failed
/// keeps its wait.
pub fn queue(
    tx: &mut Transaction<'_>,
    context: &Context,
    kind: &str,
    payload: serde_json::Value,
    run_at: Moment,
    dedupe_key: Option<&str>,
) -> Result<()> {
    wish(tx, context, kind, &payload, run_at, dedupe_key, false)
}

fn wish(
    tx: &mut Transaction<'_>,
    context: &Context,
    kind: &str,
    payload: &serde_json::Value,
    run_at: Moment,
    dedupe_key: Option<&str>,
    urgent: bool,
) -> Result<()> {
    let payload = payload.to_string();
    let wish = Wish { id: JobId::new(), kind, payload: &payload, dedupe_key, run_at, urgent };
    store::jobs::queue(tx, &wish, context.now)?;
    if run_at <= context.now {
        tx.nudge_jobs();
    }
    Ok(())
}

/// Wakes the device of an enrolment by push, now; repeats (30 s, 2, 8, 30 min, daily) are the job's own affair.
///
/// A push that failed and rests is tried again for this, but at most every half minute.
pub fn wake(tx: &mut Transaction<'_>, context: &Context, council: &CouncilId, enrolment: &EnrolmentId) -> Result<()> {
    wake_as(tx, context, council, enrolment, context.now, Manner { urgent: true, hint: false })
}

/// The same, but not before `at`.
pub fn wake_at(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: &CouncilId,
    enrolment: &EnrolmentId,
    at: Moment,
) -> Result<()> {
    wake_as(tx, context, council, enrolment, at, Manner { urgent: false, hint: false })
}

/// The same for an Android phone that Google told of, or no longer lists.
pub fn wake_with_hint(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: &CouncilId,
    enrolment: &EnrolmentId,
) -> Result<()> {
    wake_as(tx, context, council, enrolment, context.now, Manner { urgent: true, hint: true })
}

/// The same for what can wait: a push that failed is tried again when its time has come.
pub fn wake_in_turn(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: &CouncilId,
    enrolment: &EnrolmentId,
) -> Result<()> {
    wake_as(tx, context, council, enrolment, context.now, Manner { urgent: false, hint: false })
}

/// Whether a push that failed is tried again for this, and whether Google told of the phone.
struct Manner {
    urgent: bool,
    hint: bool,
}

fn wake_as(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: &CouncilId,
    enrolment: &EnrolmentId,
    at: Moment,
    Manner { urgent, hint }: Manner,
) -> Result<()> {
    let key = wake_key(enrolment);
    // A later wish without a hint must not take an earlier one's hint away.
    let hinted = store::jobs::find_by_key(tx, &key)?
        .and_then(|job| serde_json::from_str::<Wake>(&job.payload).ok())
        .is_some_and(|wake| wake.hint);
    let wake = Wake { council: council.clone(), enrolment: enrolment.clone(), pushes: 0, hint: hint || hinted };
    let payload = serde_json::to_value(&wake)?;
    wish(tx, context, WAKE_DEVICE, &payload, at, Some(&key), urgent)
}

/// A push certificate serves this topic from now on: what waited for one need not wait any longer.
pub fn wake_topic(tx: &mut Transaction<'_>, context: &Context, council: &CouncilId, topic: &str) -> Result<()> {
    let progress = WakeTopic { council: council.clone(), topic: topic.to_owned(), after: None };
    let payload = serde_json::to_value(&progress)?;
    wish(tx, context, WAKE_TOPIC, &payload, context.now, Some(&format!("topic:{topic}")), true)
}

#[cfg(test)]
mod tests {
    use chrono::Duration;

    use super::*;
    use crate::model::Actor;
    use crate::testing::on_both;

    #[tokio::test]
    async fn the_earlier_time_wins_and_a_wish_during_a_run_is_not_lost() {
        on_both(|bench| async move {
            let context = bench.context(Actor::System);
            bench
                .database
                .write("jobs", move |tx| {
                    let now = context.now;
                    let key = Some("k");
                    queue(tx, &context, "x", serde_json::json!(1), now + Duration::hours(2), key)?;
                    queue(tx, &context, "x", serde_json::json!(2), now + Duration::hours(1), key)?;
                    queue(tx, &context, "x", serde_json::json!(3), now + Duration::hours(3), key)?;
                    let job = store::jobs::find_by_key(tx, "k")?.expect("queued");
                    assert_eq!((job.run_at, job.payload.as_str()), (now + Duration::hours(1), "3"));
                    assert!(store::jobs::claim(tx, "a", now, now + Duration::minutes(1), 9)?.is_empty(), "not due");

                    let due = now + Duration::hours(1);
                    let lease = due + Duration::minutes(1);
                    let claimed = store::jobs::claim(tx, "a", due, lease, 9)?.remove(0);
                    assert!(store::jobs::claim(tx, "b", due, lease, 9)?.is_empty(), "held by a");
                    queue(tx, &context, "x", serde_json::json!(4), due, key)?;
                    store::jobs::finish(tx, &claimed)?;
                    let again = store::jobs::claim(tx, "b", due, lease, 9)?.remove(0);
                    assert_eq!(again.payload, "4");
                    store::jobs::finish(tx, &again)?;
                    assert!(store::jobs::find_by_key(tx, "k")?.is_none());
                    Ok(())
                })
                .await
                .expect("jobs");
        })
        .await;
    }

    #[tokio::test]
    async fn a_lease_that_ran_out_is_taken_over_and_its_first_owner_changes_nothing() {
        on_both(|bench| async move {
            let context = bench.context(Actor::System);
            bench
                .database
                .write("jobs", move |tx| {
                    let now = context.now;
                    queue(tx, &context, "x", serde_json::json!(1), now, Some("k"))?;
                    let first = store::jobs::claim(tx, "a", now, now + Duration::minutes(1), 9)?.remove(0);
                    let later = now + Duration::minutes(2);
                    let second = store::jobs::claim(tx, "b", later, later + Duration::minutes(1), 9)?.remove(0);
                    store::jobs::finish(tx, &first)?;
                    assert!(!store::jobs::extend_lease(tx, &first.id, "a", later)?);
                    assert!(
                        store::jobs::find_by_key(tx, "k")?.is_some_and(|job| job.lease_owner.as_deref() == Some("b"))
                    );
                    store::jobs::put_back(tx, &second, "7", later + Duration::hours(1))?;
                    let job = store::jobs::find_by_key(tx, "k")?.expect("put back");
                    assert_eq!((job.payload.as_str(), job.attempts, job.lease_owner), ("7", 0, None));
                    Ok(())
                })
                .await
                .expect("jobs");
        })
        .await;
    }

    #[tokio::test]
    async fn a_job_that_failed_keeps_its_wait_unless_the_wish_is_urgent() {
        on_both(|bench| async move {
            let council = bench.council("germoe").await;
            let context = bench.context(Actor::System);
            bench
                .database
                .write("jobs", move |tx| {
                    let (now, phone) = (context.now, EnrolmentId::new());
                    let key = wake_key(&phone);
                    let at = |seconds: i64| Context { now: now + Duration::seconds(seconds), ..context.clone() };
                    let run_at = |tx: &mut Transaction<'_>| -> Result<i64> {
                        let job = store::jobs::find_by_key(tx, &key)?.expect("queued");
                        Ok((job.run_at - now).num_seconds())
                    };
                    let fail = |tx: &mut Transaction<'_>, seconds: i64| -> Result<()> {
                        let now = now + Duration::seconds(seconds);
                        let job = store::jobs::claim(tx, "a", now, now + Duration::minutes(1), 9)?.remove(0);
                        let (at, rest) = (now + Duration::minutes(10), now + Duration::seconds(30));
                        store::jobs::failed(tx, &job, at, rest, "429")
                    };
                    wake(tx, &at(0), &council, &phone)?;
                    fail(tx, 0)?;
                    assert_eq!(run_at(tx)?, 600);
                    wake_in_turn(tx, &at(1), &council, &phone)?;
                    assert_eq!(run_at(tx)?, 600, "inventory waits");
                    wake(tx, &at(2), &council, &phone)?;
                    wake(tx, &at(3), &council, &phone)?;
                    assert_eq!(run_at(tx)?, 30, "a lock does not, but it lets the push service rest");
                    fail(tx, 30)?;
                    wake(tx, &at(300), &council, &phone)?;
                    assert_eq!(run_at(tx)?, 300, "rested long enough");

                    // Queued once more while it ran, and failed: tried again once it has rested, not at once.
                    let job = store::jobs::claim(tx, "a", at(300).now, at(360).now, 9)?.remove(0);
                    wake(tx, &at(301), &council, &phone)?;
                    store::jobs::failed(tx, &job, at(900).now, at(331).now, "429")?;
                    assert_eq!(run_at(tx)?, 331);
                    assert_eq!(store::jobs::find_by_key(tx, &key)?.expect("kept").attempts, 3);

                    // Once it went well, nothing is held back any more.
                    let job = store::jobs::claim(tx, "a", at(331).now, at(391).now, 9)?.remove(0);
                    store::jobs::put_back(tx, &job, &job.payload, at(9000).now)?;
                    wake_in_turn(tx, &at(340), &council, &phone)?;
                    assert_eq!(run_at(tx)?, 340);
                    Ok(())
                })
                .await
                .expect("jobs");
        })
        .await;
    }
}
