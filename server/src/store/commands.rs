//! What is asked of devices.

use diesel::prelude::*;

use super::schema::commands;
use crate::model::{CaseId, CommandId, CommandKind, CommandState, CouncilId, EnrolmentId, Moment};

/// A row of `commands`; the migration says what each column means.
#[derive(Clone, Debug, HasQuery, Insertable)]
#[diesel(table_name = commands)]
#[allow(missing_docs, reason = "the migration says what each column means")]
pub struct CommandRow {
    pub council_id: CouncilId,
    pub id: CommandId,
    pub enrolment_id: EnrolmentId,
    pub case_id: Option<CaseId>,
    pub kind: CommandKind,
    pub payload: String,
    pub priority: i64,
    pub state: CommandState,
    pub supersede_key: Option<String>,
    pub created_by: String,
    pub created_at: Moment,
    pub available_at: Moment,
    pub expires_at: Moment,
    pub sent_at: Option<Moment>,
    pub offers: i64,
    pub ended_at: Option<Moment>,
    pub answer: Option<String>,
    pub problem: Option<String>,
}
