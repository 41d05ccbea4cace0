//! Links by which holders enrol.

use diesel::prelude::*;

use super::schema::invitations;
use crate::model::{AssetId, CouncilId, InvitationId, InvitationState, Mode, Moment, Ownership, PersonId};

/// A row of `invitations`; the migration says what each column means.
#[derive(Clone, Debug, HasQuery, Insertable)]
#[diesel(table_name = invitations)]
#[allow(missing_docs, reason = "the migration says what each column means")]
pub struct Invitation {
    pub council_id: CouncilId,
    pub id: InvitationId,
    pub code_hash: String,
    pub asset_id: AssetId,
    pub person_id: PersonId,
    pub mode: Mode,
    pub ownership: Ownership,
    pub state: InvitationState,
    pub created_by: String,
    pub created_at: Moment,
    pub expires_at: Moment,
    pub accepted_at: Option<Moment>,
    pub accepted_from: Option<String>,
    pub notice_version: Option<String>,
    pub used_at: Option<Moment>,
}
