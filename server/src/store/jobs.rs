//! Background jobs.

use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text, Timestamp};

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
}

/// Queues a job. Where its dedupe key is queued already, that job takes the new payload and the earlier time.
pub fn queue(
    tx: &mut Transaction<'_>,
    id: &JobId,
    kind: &str,
    payload: &str,
    dedupe_key: Option<&str>,
    run_at: Moment,
    now: Moment,
) -> Result<()> {
    diesel::sql_query(
        "INSERT INTO jobs (id, kind, payload, dedupe_key, run_at, created_at) VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (dedupe_key) DO UPDATE SET payload = excluded.payload, revision = jobs.revision + 1, \
         run_at = CASE WHEN excluded.run_at < jobs.run_at THEN excluded.run_at ELSE jobs.run_at END",
    )
    .bind::<Text, _>(id)
    .bind::<Text, _>(kind)
    .bind::<Text, _>(payload)
    .bind::<Nullable<Text>, _>(dedupe_key)
    .bind::<Timestamp, _>(run_at)
    .bind::<Timestamp, _>(now)
    .execute(tx.connection)?;
    Ok(())
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
    let due: Vec<JobId> = jobs::table
        .filter(jobs::run_at.le(now).and(jobs::lease_until.is_null().or(jobs::lease_until.lt(now))))
        .order(jobs::run_at)
        .limit(limit)
        .select(jobs::id)
        .load(tx.connection)?;
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

/// Puts a job back to run at `run_at` with a new payload; at once if it was queued once more while it ran.
pub fn put_back(
    tx: &mut Transaction<'_>,
    job: &Job,
    payload: &str,
    run_at: Moment,
    attempts: i64,
    problem: Option<&str>,
) -> Result<()> {
    let set = diesel::update(
        jobs::table
            .filter(jobs::id.eq(&job.id).and(jobs::revision.eq(job.revision)))
            .filter(jobs::lease_owner.eq(job.lease_owner.clone())),
    )
    .set((
        jobs::payload.eq(payload),
        jobs::run_at.eq(run_at),
        jobs::attempts.eq(attempts),
        jobs::last_problem.eq(problem),
        jobs::lease_owner.eq(None::<String>),
        jobs::lease_until.eq(None::<Moment>),
    ))
    .execute(tx.connection)?;
    if set == 0 {
        release(tx, job)?;
    }
    Ok(())
}

fn release(tx: &mut Transaction<'_>, job: &Job) -> Result<()> {
    diesel::update(jobs::table.filter(jobs::id.eq(&job.id).and(jobs::lease_owner.eq(job.lease_owner.clone()))))
        .set((jobs::lease_owner.eq(None::<String>), jobs::lease_until.eq(None::<Moment>)))
        .execute(tx.connection)?;
    Ok(())
}

/// The queued job with this dedupe key.
pub fn find_by_key(tx: &mut Transaction<'_>, dedupe_key: &str) -> Result<Option<Job>> {
    Ok(Job::query().filter(jobs::dedupe_key.eq(dedupe_key)).first(tx.connection).optional()?)
}
