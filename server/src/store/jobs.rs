//! Background jobs.

use diesel::prelude::*;

use super::schema::jobs;
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
    pub lease_owner: Option<String>,
    pub lease_until: Option<Moment>,
    pub last_problem: Option<String>,
    pub created_at: Moment,
}
