//! What runs by the clock: made sure of at each start, and the daily round of questions to the phones.

use chrono::Duration;

use super::outcome::{Failure, Next};
use super::{Bench, again};
use crate::app::App;
use crate::error::Result;
use crate::model::{Actor, CouncilId, EnrolmentId, JobId, Moment};
use crate::operations::{android, reports};
use crate::store::Transaction;
use crate::{jobs, store};

pub(super) const ASK_FOR_REPORTS: &str = "ask_for_reports";

/// A phone is asked again when its last report is as old as this.
const STALE: Duration = Duration::hours(24);
const LOOKED_AT: i64 = 500;
const ASKED: usize = 100;

/// Queues the jobs that run by the clock, where they are not queued yet.
pub(super) async fn ensure(app: &App) -> Result<()> {
    let now = app.context(Actor::System).now;
    app.database.write("schedules", move |tx| ensure_at(tx, now, now)).await
}

pub(super) fn ensure_at(tx: &mut Transaction<'_>, run_at: Moment, now: Moment) -> Result<()> {
    let kinds = [
        jobs::renew_identities::KIND,
        ASK_FOR_REPORTS,
        jobs::watch::KIND,
        jobs::upkeep::MINUTE,
        jobs::upkeep::HOUR,
        android::NOTIFICATIONS,
        android::RECONCILE,
    ];
    for kind in kinds {
        store::jobs::queue_unless_queued(tx, &JobId::new(), kind, &format!("schedule:{kind}"), run_at, now)?;
    }
    Ok(())
}

/// Asks every phone whose last report is a day old. Reads 500 rows and asks 100 phones at a time, in id order.
pub(super) async fn ask_for_reports(bench: &Bench) -> Result<Next, Failure> {
    let now = bench.context().now;
    let mut after = String::new();
    loop {
        let from = after.clone();
        let page = bench
            .app
            .database
            .read("old reports", move |tx| store::reports::last_reports(tx, &from, LOOKED_AT))
            .await?;
        let Some((_, last, _)) = page.last() else { break };
        after = last.to_string();
        let mut stale: Vec<(CouncilId, EnrolmentId)> = page
            .into_iter()
            .filter(|(_, _, at)| at.is_none_or(|at| now - at >= STALE))
            .map(|(council, enrolment, _)| (council, enrolment))
            .collect();
        // Locks of several councils are taken in one order everywhere.
        stale.sort();
        for some in stale.chunks(ASKED) {
            let (context, some) = (bench.context(), some.to_vec());
            bench
                .app
                .database
                .write("ask for reports", move |tx| {
                    for (council, enrolment) in &some {
                        if let Some(phone) = store::wake::enrolment(tx, council, enrolment)?
                            && phone.ended_at.is_none()
                        {
                            reports::ask_for_reports(tx, &context, &phone)?;
                        }
                    }
                    Ok(())
                })
                .await?;
        }
    }
    Ok(again(now, Duration::hours(1)))
}
