//! Sign-ins.

use diesel::prelude::*;

use super::schema::sessions;
use crate::model::{Moment, OperatorId, SessionId};

/// A row of `sessions`; the migration says what each column means.
#[derive(Clone, Debug, HasQuery, Insertable)]
#[diesel(table_name = sessions)]
#[allow(missing_docs, reason = "the migration says what each column means")]
pub struct Session {
    pub id: SessionId,
    pub operator_id: OperatorId,
    pub token_hash: String,
    pub created_at: Moment,
    pub last_seen_at: Moment,
    pub expires_at: Moment,
    pub mfa_at: Option<Moment>,
    pub reauthenticated_at: Option<Moment>,
    pub address: String,
    pub agent: String,
    pub revoked_at: Option<Moment>,
}
