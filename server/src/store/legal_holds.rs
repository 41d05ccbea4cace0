//! Legal holds.

use diesel::prelude::*;

use super::schema::legal_holds;
use crate::model::{CouncilId, DeviceId, HoldId, Moment};

/// A row of `legal_holds`; the migration says what each column means.
#[derive(Clone, Debug, HasQuery, Insertable)]
#[diesel(table_name = legal_holds)]
#[allow(missing_docs, reason = "the migration says what each column means")]
pub struct LegalHold {
    pub council_id: CouncilId,
    pub id: HoldId,
    pub device_id: DeviceId,
    pub reason: String,
    pub added_by: String,
    pub added_at: Moment,
    pub ended_by: Option<String>,
    pub ended_at: Option<Moment>,
}
