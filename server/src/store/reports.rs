//! The last answer of each kind from each device.

use diesel::prelude::*;

use super::schema::reports;
use crate::model::{CouncilId, EnrolmentId, Moment};

/// A row of `reports`; the migration says what each column means.
#[derive(Clone, Debug, HasQuery, Insertable)]
#[diesel(table_name = reports)]
#[allow(missing_docs, reason = "the migration says what each column means")]
pub struct Report {
    pub council_id: CouncilId,
    pub enrolment_id: EnrolmentId,
    pub kind: String,
    pub answer: String,
    pub received_at: Moment,
}
