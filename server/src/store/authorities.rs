//! Each council's certificate authority.

use diesel::prelude::*;

use super::schema::authorities;
use crate::model::{AuthorityId, CouncilId, Moment};

/// A row of `authorities`; the migration says what each column means.
#[derive(Clone, Debug, HasQuery, Insertable)]
#[diesel(table_name = authorities)]
#[allow(missing_docs, reason = "the migration says what each column means")]
pub struct AuthorityRow {
    pub council_id: CouncilId,
    pub id: AuthorityId,
    pub certificate: Vec<u8>,
    pub sealed_key: Vec<u8>,
    pub not_before: Moment,
    pub not_after: Moment,
    pub created_at: Moment,
}
