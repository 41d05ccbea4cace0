//! Orders frozen over the cap.

use diesel::prelude::*;

use super::schema::freezes;
use crate::model::{Moment, OperatorId};

/// A row of `freezes`; the migration says what each column means.
#[derive(Clone, Debug, HasQuery, Insertable)]
#[diesel(table_name = freezes)]
#[allow(missing_docs, reason = "the migration says what each column means")]
pub struct Freeze {
    pub id: String,
    pub scope: String,
    pub reason: String,
    pub frozen_at: Moment,
    pub thaw_requested_by: Option<OperatorId>,
    pub thaw_requested_at: Option<Moment>,
    pub thawed_by: Option<OperatorId>,
    pub thawed_at: Option<Moment>,
}
