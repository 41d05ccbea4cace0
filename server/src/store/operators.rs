//! Operators: who may sign in.

use diesel::prelude::*;

use super::Transaction;
use super::schema::operators;
use crate::error::Result;
use crate::model::{CouncilId, Moment, OperatorId, Role};

/// A row of `operators`; the migration says what each column means.
#[derive(Clone, Debug, HasQuery, Insertable)]
#[diesel(table_name = operators)]
#[allow(missing_docs, reason = "the migration says what each column means")]
pub struct Operator {
    pub id: OperatorId,
    pub council_id: Option<CouncilId>,
    pub login: String,
    pub name: String,
    pub role: Role,
    pub password_hash: String,
    pub must_change_password: bool,
    pub made_at_set_up: bool,
    pub standing_since: Moment,
    pub sealed_totp: Option<Vec<u8>>,
    pub sealed_totp_pending: Option<Vec<u8>>,
    pub totp_last_step: Option<i64>,
    pub mfa_since: Option<Moment>,
    pub created_by: Option<String>,
    pub reset_by: Option<String>,
    pub created_at: Moment,
    pub ended_at: Option<Moment>,
    pub ended_by: Option<String>,
}

/// The operator with this id.
pub fn find(tx: &mut Transaction<'_>, id: &OperatorId) -> Result<Option<Operator>> {
    Ok(Operator::query().filter(operators::id.eq(id)).first(tx.connection).optional()?)
}
