//! Versions of each council's policy.

use diesel::prelude::*;

use super::schema::policies;
use crate::model::{CouncilId, Moment};

/// A row of `policies`; the migration says what each column means.
#[derive(Clone, Debug, HasQuery, Insertable)]
#[diesel(table_name = policies)]
#[allow(missing_docs, reason = "the migration says what each column means")]
pub struct PolicyVersion {
    pub council_id: CouncilId,
    pub version: i64,
    pub settings: String,
    pub note: String,
    pub changed_by: String,
    pub changed_at: Moment,
}
