//! Work that outlives a request: queued in the same transaction as its cause.

use super::Context;
use crate::error::Result;
use crate::model::{CouncilId, EnrolmentId, JobId, Moment};
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
}

/// Queues a job of `kind` at `run_at`; with a `dedupe_key` that is already queued, the earlier time wins.
pub fn queue(
    tx: &mut Transaction<'_>,
    context: &Context,
    kind: &str,
    payload: serde_json::Value,
    run_at: Moment,
    dedupe_key: Option<&str>,
) -> Result<()> {
    store::jobs::queue(tx, &JobId::new(), kind, &payload.to_string(), dedupe_key, run_at, context.now)?;
    if run_at <= context.now {
        tx.nudge_jobs();
    }
    Ok(())
}

/// Wakes the device of an enrolment by push, now; repeats (30 s, 2, 8, 30 min, daily) are the job's own affair.
pub fn wake(tx: &mut Transaction<'_>, context: &Context, council: &CouncilId, enrolment: &EnrolmentId) -> Result<()> {
    let wake = Wake { council: council.clone(), enrolment: enrolment.clone(), pushes: 0 };
    let payload = serde_json::to_value(&wake)?;
    queue(tx, context, WAKE_DEVICE, payload, context.now, Some(&format!("wake:{enrolment}")))
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
                    store::jobs::put_back(tx, &second, "7", later + Duration::hours(1), 1, Some("why"))?;
                    let job = store::jobs::find_by_key(tx, "k")?.expect("put back");
                    assert_eq!((job.payload.as_str(), job.attempts, job.lease_owner), ("7", 1, None));
                    Ok(())
                })
                .await
                .expect("jobs");
        })
        .await;
    }
}
