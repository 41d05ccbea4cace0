//! The worker loop: takes due jobs under a lease, one file per job, several instances at once without harm.

mod android;
#[cfg(test)]
mod mail_tests;
mod outcome;
mod policy_fan_out;
mod renew_identities;
mod schedule;
mod send_mail;
mod tell_councils;
#[cfg(test)]
mod tests;
mod upkeep;
mod wake_device;
mod wake_topic;
mod watch;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration as Wait;

use chrono::Duration;
use futures_util::FutureExt as _;
use tokio::sync::watch as signal;
use tokio::task::{JoinHandle, JoinSet};

use crate::app::App;
use crate::error::{Error, Result};
use crate::keys::random_bytes;
use crate::model::{Actor, CouncilId, Moment};
use crate::operations::{Context, alerts, android as queue_android, caps, jobs as queue, mail, policies};
use crate::platform::apple::push::PushClient;
use crate::store::jobs::Job;
use crate::store::{self, Transaction};
use outcome::{Failure, Next};

/// How many jobs run at once in this process.
const AT_ONCE: usize = 16;
/// How long a job is held before another instance may take it over; renewed while it runs. A server that dies holds up what
/// it had begun, for instance the push for an order, for as long as this.
const LEASE: Duration = Duration::seconds(30);
/// How often a lease is renewed.
const RENEWED: Wait = Wait::from_secs(10);
/// After so many failures in a row a person is told.
const TELL_AFTER: i64 = 5;
/// How long a job that failed rests, however urgent a new wish is.
const REST: Duration = Duration::seconds(30);
/// The longest wait between two tries.
const LONGEST_WAIT: Duration = Duration::hours(1);

/// What a job has at hand.
#[derive(Clone, Debug)]
pub(crate) struct Bench {
    pub(crate) app: App,
    pub(crate) push: PushClient,
    /// Becomes true when this process is to end: long waits end with it.
    stopped: signal::Receiver<bool>,
}

impl Bench {
    /// A bench that nobody stops, for tests of one job.
    #[cfg(test)]
    fn new(app: App, push: PushClient) -> Self {
        Self { app, push, stopped: signal::channel(false).1 }
    }

    /// Returns when this process is to end.
    pub(crate) async fn stopping(&self) {
        let mut stopped = self.stopped.clone();
        if stopped.wait_for(|stop| *stop).await.is_err() {
            // Nobody can say stop any more: the workers end by other means.
            std::future::pending::<()>().await;
        }
    }

    pub(crate) fn context(&self) -> Context {
        self.app.context(Actor::System)
    }
}

/// The running workers of this process.
#[derive(Debug)]
pub struct Workers {
    stop: signal::Sender<bool>,
    loops: JoinHandle<()>,
}

impl Workers {
    /// Takes no further job, and returns when those that run have ended.
    pub async fn stop(self) {
        // The loop ends by itself only through this, so somebody listens.
        let _ = self.stop.send(true);
        if let Err(problem) = self.loops.await {
            tracing::error!(%problem, "the job workers ended badly");
        }
    }
}

/// Starts the workers of this process.
///
/// # Errors
/// [`Error::Invalid`] where the roots for the push service cannot be read.
pub fn start(app: App) -> Result<Workers> {
    let push = PushClient::new(&app.config.apns.url, &app.config.apns.extra_roots)?;
    let (stop, stopped) = signal::channel(false);
    let loops = tokio::spawn(work(Arc::new(Bench { app, push, stopped: stopped.clone() }), stopped));
    Ok(Workers { stop, loops })
}

async fn work(bench: Arc<Bench>, mut stopped: signal::Receiver<bool>) {
    let owner = uuid::Uuid::new_v4().to_string();
    let nudge = bench.app.database.job_nudge();
    let mut running: JoinSet<()> = JoinSet::new();
    let mut scheduled = false;
    while !*stopped.borrow() {
        if !scheduled {
            scheduled = schedule::ensure(&bench.app).await.is_ok();
        }
        while running.try_join_next().is_some() {}
        let free = AT_ONCE.saturating_sub(running.len());
        // A failing database was logged at its door; the next turn tries again.
        let claimed = claim(&bench.app, &owner, free).await.unwrap_or_default();
        let full = claimed.len() == free;
        for job in claimed {
            running.spawn(run(Arc::clone(&bench), job));
        }
        if full && running.len() >= AT_ONCE {
            tokio::select! {
                _ = running.join_next() => {}
                _ = stopped.changed() => {}
            }
            continue;
        }
        tokio::select! {
            () = nudge.notified() => {}
            () = tokio::time::sleep(Wait::from_secs(1)) => {}
            _ = stopped.changed() => {}
        }
    }
    while running.join_next().await.is_some() {}
}

async fn claim(app: &App, owner: &str, free: usize) -> Result<Vec<Job>> {
    let now = app.clock.now();
    if free == 0 || !app.database.read("look for jobs", move |tx| store::jobs::any_due(tx, now)).await? {
        return Ok(Vec::new());
    }
    let (owner, limit) = (owner.to_owned(), i64::try_from(free).unwrap_or(1));
    app.database.write("claim jobs", move |tx| store::jobs::claim(tx, &owner, now, now + LEASE, limit)).await
}

/// Runs one job while its lease is renewed, and writes what came of it.
async fn run(bench: Arc<Bench>, job: Job) {
    let result = {
        // A job that panics failed, and is counted as one that did: otherwise it would come back for ever, unheard of.
        let work = AssertUnwindSafe(dispatch(&bench, &job)).catch_unwind();
        tokio::pin!(work);
        loop {
            tokio::select! {
                result = &mut work => break result.unwrap_or_else(|panic| Err(Failure::panicked(&*panic))),
                () = tokio::time::sleep(RENEWED) => {
                    if !extend(&bench.app, &job).await {
                        tracing::warn!(job = %job.id, kind = job.kind, "another worker took this job over");
                        return;
                    }
                }
            }
        }
    };
    // A lost write leaves the lease to run out: the job runs again, which every job can bear.
    if let Err(problem) = settle(&bench.app, &job, result).await {
        tracing::error!(job = %job.id, kind = job.kind, %problem, "the end of a job could not be written");
    }
}

/// Whether the job is still ours; a database that is down does not take it away.
async fn extend(app: &App, job: &Job) -> bool {
    let (id, owner) = (job.id.clone(), job.lease_owner.clone().unwrap_or_default());
    let until = app.clock.now() + LEASE;
    app.database
        .write("extend a lease", move |tx| store::jobs::extend_lease(tx, &id, &owner, until))
        .await
        .unwrap_or(true)
}

async fn dispatch(bench: &Bench, job: &Job) -> Result<Next, Failure> {
    match job.kind.as_str() {
        queue::WAKE_DEVICE => wake_device::run(bench, job).await,
        queue::WAKE_TOPIC => wake_topic::run(bench, job).await,
        policies::FAN_OUT => policy_fan_out::run(bench, job).await,
        mail::SEND_MAIL => send_mail::run(bench, job).await,
        caps::TELL_COUNCILS => tell_councils::run(bench, job).await,
        renew_identities::KIND => renew_identities::run(bench).await,
        schedule::ASK_FOR_REPORTS => schedule::ask_for_reports(bench).await,
        watch::KIND => watch::run(bench).await,
        upkeep::MINUTE => upkeep::every_minute(bench).await,
        upkeep::HOUR => upkeep::every_hour(bench).await,
        queue_android::PUT_POLICIES => android::put(bench, job).await,
        queue_android::DELETE_TOKENS => android::delete_tokens(bench, job).await,
        queue_android::READ_DEVICE => android::read_device(bench, job).await,
        queue_android::NOTIFICATIONS => android::pull(bench).await,
        queue_android::RECONCILE => android::reconcile(bench).await,
        #[cfg(test)]
        tests::PANICS => panic!("as the test wants"),
        other => Err(Error::Internal(format!("no job is called \"{other}\"")).into()),
    }
}

async fn settle(app: &App, job: &Job, result: Result<Next, Failure>) -> Result<()> {
    let context = app.context(Actor::System);
    let jitter = jitter()?;
    let job = job.clone();
    app.database
        .write("end a job", move |tx| match &result {
            Ok(next) => {
                if job.attempts >= TELL_AFTER {
                    for council in concerned(tx, &job)? {
                        alerts::end(tx, &context, &council, "job_failing", subject(&job))?;
                    }
                }
                match next {
                    Next::Done => store::jobs::finish(tx, &job),
                    Next::Again { at, payload } => store::jobs::put_back(tx, &job, payload, *at),
                }
            }
            Err(failure) => {
                let attempts = job.attempts + 1;
                let wait = failure.after.unwrap_or(Duration::zero()).max(back_off(attempts, jitter));
                tracing::warn!(job = %job.id, kind = job.kind, attempts, problem = failure.problem, "a job failed");
                if let Some(message) = &failure.key_refused {
                    for council in concerned(tx, &job)? {
                        queue_android::health::key_refused(tx, &context, &council, message)?;
                    }
                }
                if attempts >= TELL_AFTER {
                    let message = format!(
                        "A task of the server (\"{}\") has failed {attempts} times and is tried again: {}",
                        job.kind, failure.problem
                    );
                    for council in concerned(tx, &job)? {
                        alerts::raise(tx, &context, &council, "job_failing", subject(&job), &message)?;
                    }
                }
                let at = context.now + wait;
                store::jobs::failed(tx, &job, at, context.now + REST, &failure.problem)
            }
        })
        .await
}

/// Whom a failing job concerns: its council, or all of them where it works for all.
fn concerned(tx: &mut Transaction<'_>, job: &Job) -> Result<Vec<CouncilId>> {
    match outcome::council_of(job) {
        Some(council) => Ok(vec![council]),
        None => {
            let mut all: Vec<CouncilId> = Vec::new();
            loop {
                let page = store::councils::page(tx, None, all.last().map(CouncilId::as_str), 500)?;
                if page.is_empty() {
                    return Ok(all);
                }
                all.extend(page.into_iter().map(|council| council.id));
            }
        }
    }
}

fn subject(job: &Job) -> &str {
    job.dedupe_key.as_deref().unwrap_or(job.id.as_str())
}

/// How long to wait after the `attempts`th failure in a row: doubling from ten seconds to an hour, give or take a
/// quarter, so that a thousand jobs that failed together do not come back together. `jitter` is 0 to 1.
fn back_off(attempts: i64, jitter: f64) -> Duration {
    let doubled = 10_i64.saturating_mul(1_i64 << attempts.saturating_sub(1).clamp(0, 16));
    let longest = doubled.min(LONGEST_WAIT.num_seconds());
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "at most an hour of milliseconds")]
    let millis = (longest as f64 * 1000.0 * (0.75 + jitter / 2.0)) as i64;
    Duration::milliseconds(millis)
}

fn jitter() -> Result<f64> {
    Ok(f64::from(u16::from_be_bytes(random_bytes::<2>()?)) / f64::from(u16::MAX))
}

/// Puts a job on its schedule: again `every` so often.
fn again(now: Moment, every: Duration) -> Next {
    Next::Again { at: now + every, payload: "null".to_owned() }
}
