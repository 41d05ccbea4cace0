//! Bearer tokens of the API.

use diesel::prelude::*;

use super::schema::api_tokens;
use crate::model::{CouncilId, Moment, TokenId};

/// A row of `api_tokens`; the migration says what each column means.
#[derive(Clone, Debug, HasQuery, Insertable)]
#[diesel(table_name = api_tokens)]
#[allow(missing_docs, reason = "the migration says what each column means")]
pub struct ApiToken {
    pub id: TokenId,
    pub council_id: CouncilId,
    pub name: String,
    pub scopes: String,
    pub issued_by: String,
    pub issued_at: Moment,
    pub expires_at: Moment,
    pub revoked_at: Option<Moment>,
}
