//! Work that outlives a request: queued in the same transaction as its cause.

use super::Context;
use crate::error::{Error, Result};
use crate::model::{CouncilId, EnrolmentId, Moment};
use crate::store::Transaction;

/// Queues a job of `kind` at `run_at`; with a `dedupe_key` that is already queued, the earlier time wins.
pub fn queue(_: &mut Transaction<'_>, _: &Context, _kind: &str, _payload: serde_json::Value, _run_at: Moment, _dedupe_key: Option<&str>) -> Result<()> {
    Err(Error::internal("jobs are not built yet"))
}

/// Wakes the device of an enrolment by push, now; repeats (30 s, 2, 8, 30 min, daily) are the job's own affair.
pub fn wake(_: &mut Transaction<'_>, _: &Context, _council: &CouncilId, _enrolment: &EnrolmentId) -> Result<()> {
    Err(Error::internal("jobs are not built yet"))
}
