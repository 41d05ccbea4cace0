//! Quarantine after a restore.

use diesel::prelude::*;

use super::schema::quarantines;
use crate::model::{Moment};

/// A row of `quarantines`; the migration says what each column means.
#[derive(Clone, Debug, HasQuery, Insertable)]
#[diesel(table_name = quarantines)]
#[allow(missing_docs, reason = "the migration says what each column means")]
pub struct Quarantine {
    pub id: String,
    pub reason: String,
    pub since: Moment,
    pub ended_by: Option<String>,
    pub ended_at: Option<Moment>,
}
