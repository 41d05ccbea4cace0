//! What needs a person's attention.

use diesel::prelude::*;

use super::schema::alerts;
use crate::model::{AlertId, CouncilId, Moment};

/// A row of `alerts`; the migration says what each column means.
#[derive(Clone, Debug, HasQuery, Insertable)]
#[diesel(table_name = alerts)]
#[allow(missing_docs, reason = "the migration says what each column means")]
pub struct Alert {
    pub council_id: CouncilId,
    pub id: AlertId,
    pub kind: String,
    pub subject: String,
    pub message: String,
    pub raised_at: Moment,
    pub ended_at: Option<Moment>,
    pub ended_by: Option<String>,
}
