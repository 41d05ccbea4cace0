//! Background jobs.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text, Timestamp};

use super::Transaction;
use super::schema::jobs;
use crate::error::Result;
use crate::model::{JobId, Moment};

/// A row of `jobs`; the migration says what each column means.
#[derive(Clone, Debug, HasQuery, Insertable)]
#[diesel(table_name = jobs)]
#[allow(missing_docs, reason = "the migration says what each column means")]
pub struct Job {
    pub id: JobId,
    pub kind: String,
    pub payload: String,
    pub dedupe_key: Option<String>,
    pub run_at: Moment,
    pub attempts: i64,
    /// Grows whenever the job is queued once more, so that a run that is under way does not swallow the newer wish.
    pub revision: i64,
    pub lease_owner: Option<String>,
    pub lease_until: Option<Moment>,
    pub last_problem: Option<String>,
    pub created_at: Moment,
    /// When it failed last: not before this again, however urgent a new wish is.
    pub rests_until: Option<Moment>,
}

/// What is to be done.
#[derive(Debug)]
pub struct Wish<'a> {
    /// The id, should it be a new job.
    pub id: JobId,
    /// What kind of job.
    pub kind: &'a str,
    /// What it is told, as JSON.
    pub payload: &'a str,
    /// One job at a time has this key.
    pub dedupe_key: Option<&'a str>,
    /// When.
    pub run_at: Moment,
    /// Whether it may cut short the wait of a job that failed.
    pub urgent: bool,
}

/// Queues a job. Where its dedupe key is queued already, that job takes the new payload and the earlier time.
///
/// A job that failed keeps its wait all the same, unless the wish is urgent; then it rests a short while at the least.
pub fn queue(tx: &mut Transaction<'_>, wish: &Wish<'_>, now: Moment) -> Result<()> {
    diesel::sql_query(
        "INSERT INTO jobs (id, kind, payload, dedupe_key, run_at, created_at) VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (dedupe_key) DO UPDATE SET payload = excluded.payload, revision = jobs.revision + 1, \
         run_at = CASE \
            WHEN excluded.run_at >= jobs.run_at THEN jobs.run_at \
            WHEN jobs.rests_until IS NULL THEN excluded.run_at \
            WHEN NOT $7 THEN jobs.run_at \
            WHEN jobs.rests_until <= excluded.run_at THEN excluded.run_at \
            WHEN jobs.rests_until < jobs.run_at THEN jobs.rests_until \
            ELSE jobs.run_at END",
    )
    .bind::<Text, _>(&wish.id)
    .bind::<Text, _>(wish.kind)
    .bind::<Text, _>(wish.payload)
    .bind::<Nullable<Text>, _>(wish.dedupe_key)
    .bind::<Timestamp, _>(wish.run_at)
    .bind::<Timestamp, _>(now)
    .bind::<Bool, _>(wish.urgent)
    .execute(tx.connection)?;
    Ok(())
}

/// Lets the queued jobs with these keys run now, whatever they waited for; one that runs already runs once more.
pub fn hasten(tx: &mut Transaction<'_>, dedupe_keys: &[String], now: Moment) -> Result<usize> {
    Ok(diesel::update(jobs::table.filter(jobs::dedupe_key.eq_any(dedupe_keys)))
        .set((jobs::run_at.eq(now), jobs::revision.eq(jobs::revision + 1)))
        .execute(tx.connection)?)
}

/// Queues a job unless its dedupe key is queued already; for what runs on a schedule.
pub fn queue_unless_queued(
    tx: &mut Transaction<'_>,
    id: &JobId,
    kind: &str,
    dedupe_key: &str,
    run_at: Moment,
    now: Moment,
) -> Result<()> {
    diesel::sql_query(
        "INSERT INTO jobs (id, kind, payload, dedupe_key, run_at, created_at) VALUES ($1, $2, 'null', $3, $4, $5) \
         ON CONFLICT (dedupe_key) DO NOTHING",
    )
    .bind::<Text, _>(id)
    .bind::<Text, _>(kind)
    .bind::<Text, _>(dedupe_key)
    .bind::<Timestamp, _>(run_at)
    .bind::<Timestamp, _>(now)
    .execute(tx.connection)?;
    Ok(())
}

/// Whether a job is due that nobody holds.
pub fn any_due(tx: &mut Transaction<'_>, now: Moment) -> Result<bool> {
    Ok(jobs::table
        .filter(jobs::run_at.le(now).and(jobs::lease_until.is_null().or(jobs::lease_until.lt(now))))
        .select(jobs::id)
        .first::<String>(tx.connection)
        .optional()?
        .is_some())
}

/// Leases up to `limit` due jobs to `owner`. Two instances that ask at once never get the same job.
pub fn claim(tx: &mut Transaction<'_>, owner: &str, now: Moment, until: Moment, limit: i64) -> Result<Vec<Job>> {
    let due = due(tx, now, limit)?;
    if due.is_empty() {
        return Ok(Vec::new());
    }
    // The condition is asked again under the row's lock, by which the second of two claimants comes away empty.
    Ok(diesel::update(
        jobs::table.filter(jobs::id.eq_any(due)).filter(jobs::lease_until.is_null().or(jobs::lease_until.lt(now))),
    )
    .set((jobs::lease_owner.eq(owner), jobs::lease_until.eq(until)))
    .returning(jobs::all_columns)
    .get_results(tx.connection)?)
}

#[derive(QueryableByName)]
struct Due {
    #[diesel(sql_type = Text)]
    id: String,
}

fn due(tx: &mut Transaction<'_>, now: Moment, limit: i64) -> Result<Vec<JobId>> {
    if tx.is_postgres() {
        // A job that somebody is writing is left for the next turn: waiting for one while holding others would let a
        // transaction that queues several wait for us in a ring.
        let rows: Vec<Due> = diesel::sql_query(
            "SELECT id FROM jobs WHERE run_at <= $1 AND (lease_until IS NULL OR lease_until < $1) ORDER BY run_at LIMIT $2 \
             FOR UPDATE SKIP LOCKED",
        )
        .bind::<Timestamp, _>(now)
        .bind::<BigInt, _>(limit)
        .load(tx.connection)?;
        return Ok(rows.into_iter().map(|row| JobId::from(row.id)).collect());
    }
    Ok(jobs::table
        .filter(jobs::run_at.le(now).and(jobs::lease_until.is_null().or(jobs::lease_until.lt(now))))
        .order(jobs::run_at)
        .limit(limit)
        .select(jobs::id)
        .load(tx.connection)?)
}

/// Holds a job for longer; `false` when the lease was lost.
pub fn extend_lease(tx: &mut Transaction<'_>, id: &JobId, owner: &str, until: Moment) -> Result<bool> {
    let extended = diesel::update(jobs::table.filter(jobs::id.eq(id).and(jobs::lease_owner.eq(owner))))
        .set(jobs::lease_until.eq(until))
        .execute(tx.connection)?;
    Ok(extended == 1)
}

/// Takes a finished job off the queue, unless it was queued once more while it ran: then it is let go to run again.
pub fn finish(tx: &mut Transaction<'_>, job: &Job) -> Result<()> {
    let gone = diesel::delete(
        jobs::table
            .filter(jobs::id.eq(&job.id).and(jobs::revision.eq(job.revision)))
            .filter(jobs::lease_owner.eq(job.lease_owner.clone())),
    )
    .execute(tx.connection)?;
    if gone == 0 {
        release(tx, job)?;
    }
    Ok(())
}

/// Puts a job that went well back to run at `run_at` with a new payload; at once if it was queued once more while it ran.
pub fn put_back(tx: &mut Transaction<'_>, job: &Job, payload: &str, run_at: Moment) -> Result<()> {
    let set = diesel::update(
        jobs::table
            .filter(jobs::id.eq(&job.id).and(jobs::revision.eq(job.revision)))
            .filter(jobs::lease_owner.eq(job.lease_owner.clone())),
    )
    .set((
        jobs::payload.eq(payload),
        jobs::run_at.eq(run_at),
        jobs::attempts.eq(0),
        jobs::rests_until.eq(None::<Moment>),
        jobs::last_problem.eq(None::<String>),
        jobs::lease_owner.eq(None::<String>),
        jobs::lease_until.eq(None::<Moment>),
    ))
    .execute(tx.connection)?;
    if set == 0 {
        release(tx, job)?;
    }
    Ok(())
}

/// Puts a job that failed back to run at `run_at`; already when it has rested if it was queued once more while it ran.
pub fn failed(tx: &mut Transaction<'_>, job: &Job, run_at: Moment, rests_until: Moment, problem: &str) -> Result<()> {
    let ours = jobs::id.eq(&job.id).and(jobs::lease_owner.eq(job.lease_owner.clone()));
    let outcome = (
        jobs::attempts.eq(job.attempts + 1),
        jobs::rests_until.eq(Some(rests_until)),
        jobs::last_problem.eq(Some(problem)),
        jobs::lease_owner.eq(None::<String>),
        jobs::lease_until.eq(None::<Moment>),
    );
    let set = diesel::update(jobs::table.filter(ours.clone()).filter(jobs::revision.eq(job.revision)))
        .set((jobs::run_at.eq(run_at), outcome.clone()))
        .execute(tx.connection)?;
    if set == 0 {
        diesel::update(jobs::table.filter(ours))
            .set((jobs::run_at.eq(rests_until.min(run_at)), outcome))
            .execute(tx.connection)?;
    }
    Ok(())
}

/// Lets a job go that went well and was queued once more meanwhile.
fn release(tx: &mut Transaction<'_>, job: &Job) -> Result<()> {
    diesel::update(jobs::table.filter(jobs::id.eq(&job.id).and(jobs::lease_owner.eq(job.lease_owner.clone()))))
        .set((
            jobs::attempts.eq(0),
            jobs::rests_until.eq(None::<Moment>),
            jobs::lease_owner.eq(None::<String>),
            jobs::lease_until.eq(None::<Moment>),
        ))
        .execute(tx.connection)?;
    Ok(())
}

/// The queued job with this dedupe key.
pub fn find_by_key(tx: &mut Transaction<'_>, dedupe_key: &str) -> Result<Option<Job>> {
    Ok(Job::query().filter(jobs::dedupe_key.eq(dedupe_key)).first(tx.connection).optional()?)
}
