//! Clerks and providers whom a council named as approvers.

use diesel::prelude::*;

use super::schema::named_approvers;
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
