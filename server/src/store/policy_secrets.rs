//! Secrets of the policy, sealed.

use diesel::prelude::*;

use super::schema::policy_secrets;
use crate::model::{CouncilId, Moment};

/// A row of `policy_secrets`; the migration says what each column means.
#[derive(Clone, Debug, HasQuery, Insertable)]
#[diesel(table_name = policy_secrets)]
#[allow(missing_docs, reason = "the migration says what each column means")]
pub struct PolicySecret {
    pub council_id: CouncilId,
    pub id: String,
    pub sealed_value: Vec<u8>,
    pub changed_at: Moment,
}
