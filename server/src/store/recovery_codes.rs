//! Recovery codes for a lost second factor.

use diesel::prelude::*;

use super::Transaction;
use super::schema::recovery_codes;
use crate::error::Result;
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

/// Replaces an operator's codes by these.
pub fn replace(tx: &mut Transaction<'_>, operator: &OperatorId, code_hashes: &[String]) -> Result<()> {
    diesel::delete(recovery_codes::table.filter(recovery_codes::operator_id.eq(operator))).execute(tx.connection)?;
    for code_hash in code_hashes {
        let row = RecoveryCode { operator_id: operator.clone(), code_hash: code_hash.clone(), used_at: None };
        diesel::insert_into(recovery_codes::table).values(&row).execute(tx.connection)?;
    }
    Ok(())
}

/// Uses up a code: `false` when there is no such code, or it was used before.
pub fn take(tx: &mut Transaction<'_>, operator: &OperatorId, code_hash: &str, now: Moment) -> Result<bool> {
    let unused = recovery_codes::table.find((operator, code_hash)).filter(recovery_codes::used_at.is_null());
    Ok(diesel::update(unused).set(recovery_codes::used_at.eq(now)).execute(tx.connection)? == 1)
}

/// How many codes the operator has left.
pub fn count_left(tx: &mut Transaction<'_>, operator: &OperatorId) -> Result<i64> {
    Ok(recovery_codes::table
        .filter(recovery_codes::operator_id.eq(operator).and(recovery_codes::used_at.is_null()))
        .count()
        .get_result(tx.connection)?)
}
