//! Losses and leavers.

use diesel::prelude::*;

use super::schema::cases;
use crate::model::{AssetId, CaseId, CaseKind, CaseState, CouncilId, DeviceId, Moment};

/// A row of `cases`; the migration says what each column means.
#[derive(Clone, Debug, HasQuery, Insertable)]
#[diesel(table_name = cases)]
#[allow(missing_docs, reason = "the migration says what each column means")]
pub struct Case {
    pub council_id: CouncilId,
    pub id: CaseId,
    pub kind: CaseKind,
    pub asset_id: AssetId,
    pub device_id: Option<DeviceId>,
    pub state: CaseState,
    pub reported_by: String,
    pub reporter: String,
    pub reported_at: Moment,
    pub happened_at: Option<Moment>,
    pub place: String,
    pub circumstances: String,
    pub aware_at: Moment,
    pub contact_message: String,
    pub contact_number: String,
    pub police_reference: String,
    pub found_at: Option<Moment>,
    pub found_by: Option<String>,
    pub back_in_use_at: Option<Moment>,
    pub closed_at: Option<Moment>,
    pub closed_by: Option<String>,
    pub outcome: Option<String>,
}
