//! Clerks and providers whom a council named as approvers.

use diesel::prelude::*;

use super::Transaction;
use super::schema::named_approvers;
use crate::error::Result;
use crate::model::{CouncilId, Moment, OperatorId};

/// A row of `named_approvers`; the migration says what each column means.
#[derive(Clone, Debug, HasQuery, Insertable)]
#[diesel(table_name = named_approvers)]
#[allow(missing_docs, reason = "the migration says what each column means")]
pub struct NamedApprover {
    pub council_id: CouncilId,
    pub operator_id: OperatorId,
    pub named_by: OperatorId,
    pub named_at: Moment,
}

/// Names an approver.
pub fn insert(tx: &mut Transaction<'_>, named: &NamedApprover) -> Result<()> {
    diesel::insert_into(named_approvers::table).values(named).execute(tx.connection)?;
    Ok(())
}

/// The naming of this operator by this council.
pub fn find(tx: &mut Transaction<'_>, council: &CouncilId, operator: &OperatorId) -> Result<Option<NamedApprover>> {
    Ok(NamedApprover::query()
        .filter(named_approvers::council_id.eq(council).and(named_approvers::operator_id.eq(operator)))
        .first(tx.connection)
        .optional()?)
}

/// All that the council named.
pub fn of_council(tx: &mut Transaction<'_>, council: &CouncilId) -> Result<Vec<NamedApprover>> {
    Ok(NamedApprover::query()
        .filter(named_approvers::council_id.eq(council))
        .order(named_approvers::operator_id)
        .limit(200)
        .load(tx.connection)?)
}

/// Takes a naming back; whether there was one.
pub fn delete(tx: &mut Transaction<'_>, council: &CouncilId, operator: &OperatorId) -> Result<bool> {
    Ok(diesel::delete(named_approvers::table.find((council, operator))).execute(tx.connection)? == 1)
}

/// Takes all namings of an operator back.
pub fn delete_all_of(tx: &mut Transaction<'_>, operator: &OperatorId) -> Result<usize> {
    Ok(diesel::delete(named_approvers::table.filter(named_approvers::operator_id.eq(operator)))
        .execute(tx.connection)?)
}
