//! Recovery codes for a lost second factor.

use diesel::prelude::*;

use super::schema::recovery_codes;
use crate::model::{Moment, OperatorId};

/// A row of `recovery_codes`; the migration says what each column means.
#[derive(Clone, Debug, HasQuery, Insertable)]
#[diesel(table_name = recovery_codes)]
#[allow(missing_docs, reason = "the migration says what each column means")]
pub struct RecoveryCode {
    pub operator_id: OperatorId,
    pub code_hash: String,
    pub used_at: Option<Moment>,
}
