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
    pub named_by: String,
    pub named_at: Moment,
}

/// Whether the council named this operator as an approver.
pub fn is_named(tx: &mut Transaction<'_>, council: &CouncilId, operator: &OperatorId) -> Result<bool> {
    let found = NamedApprover::query()
        .filter(named_approvers::council_id.eq(council).and(named_approvers::operator_id.eq(operator)))
        .first(tx.connection)
        .optional()?;
    Ok(found.is_some())
}
