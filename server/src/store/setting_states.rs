//! Per setting: in force or not, since when.

use diesel::prelude::*;

use super::schema::setting_states;
use crate::model::{CouncilId, EnrolmentId, Moment, SettingState};

/// A row of `setting_states`; the migration says what each column means.
#[derive(Clone, Debug, HasQuery, Insertable)]
#[diesel(table_name = setting_states)]
#[allow(missing_docs, reason = "the migration says what each column means")]
pub struct SettingStateRow {
    pub council_id: CouncilId,
    pub enrolment_id: EnrolmentId,
    pub setting: String,
    pub state: SettingState,
    pub reason: String,
    pub since: Moment,
    pub checked_at: Moment,
}
