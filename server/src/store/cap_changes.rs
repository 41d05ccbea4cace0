//! Asked-for raises of caps.

use diesel::prelude::*;

use super::schema::cap_changes;
use crate::model::{Moment, OperatorId};

/// A row of `cap_changes`; the migration says what each column means.
#[derive(Clone, Debug, HasQuery, Insertable)]
#[diesel(table_name = cap_changes)]
#[allow(missing_docs, reason = "the migration says what each column means")]
pub struct CapChange {
    pub id: String,
    pub scope: String,
    pub per_hour: i64,
    pub per_day: i64,
    pub requested_by: OperatorId,
    pub requested_at: Moment,
    pub approved_by: Option<OperatorId>,
    pub approved_at: Option<Moment>,
    pub effective_at: Option<Moment>,
    pub applied_at: Option<Moment>,
}
