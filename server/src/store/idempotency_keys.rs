//! Answers kept so that a repeat is not done twice.

use diesel::prelude::*;

use super::schema::idempotency_keys;
use crate::model::{CouncilId, Moment};

/// A row of `idempotency_keys`; the migration says what each column means.
#[derive(Clone, Debug, HasQuery, Insertable)]
#[diesel(table_name = idempotency_keys)]
#[allow(missing_docs, reason = "the migration says what each column means")]
pub struct IdempotencyKey {
    pub council_id: CouncilId,
    pub actor: String,
    pub idempotency_key: String,
    pub request_hash: String,
    pub status: i64,
    pub answer: String,
    pub created_at: Moment,
}
