//! Authorised instructions to destroy data.

use diesel::prelude::*;

use super::schema::orders;
use crate::model::{CaseId, CommandId, CouncilId, DeviceId, EnrolmentId, HeldReason, Mode, Moment, OperatorId, OrderId, OrderState, Ownership, Scope};

/// A row of `orders`; the migration says what each column means.
#[derive(Clone, Debug, HasQuery, Insertable)]
#[diesel(table_name = orders)]
#[allow(missing_docs, reason = "the migration says what each column means")]
pub struct Order {
    pub council_id: CouncilId,
    pub id: OrderId,
    pub case_id: CaseId,
    pub device_id: DeviceId,
    pub enrolment_id: EnrolmentId,
    pub mode: Mode,
    pub ownership: Ownership,
    pub scope: Scope,
    pub state: OrderState,
    pub held_reason: Option<HeldReason>,
    pub reason: String,
    pub preserve_data_plan: bool,
    pub requested_by: OperatorId,
    pub requested_at: Moment,
    pub lapses_at: Moment,
    pub approved_by: Option<OperatorId>,
    pub approved_at: Option<Moment>,
    pub seal: Option<Vec<u8>>,
    pub seal_key_id: Option<String>,
    pub command_id: Option<CommandId>,
    pub first_fetched_at: Option<Moment>,
    pub fetched_at: Option<Moment>,
    pub offers: i64,
    pub ended_at: Option<Moment>,
    pub ended_by: Option<String>,
    pub problem: Option<String>,
    pub changed_at: Moment,
}
