//! Links by which holders enrol.

use diesel::prelude::*;

use super::Transaction;
use super::schema::invitations;
use crate::error::Result;
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

/// The invitation whose code has this hash.
pub fn find_by_code_hash(tx: &mut Transaction<'_>, code_hash: &str) -> Result<Option<Invitation>> {
    Ok(Invitation::query().filter(invitations::code_hash.eq(code_hash)).first(tx.connection).optional()?)
}

/// An invitation of the council.
pub fn find_of_council(
    tx: &mut Transaction<'_>,
    council: &CouncilId,
    id: &InvitationId,
) -> Result<Option<Invitation>> {
    Ok(Invitation::query()
        .filter(invitations::council_id.eq(council))
        .filter(invitations::id.eq(id))
        .first(tx.connection)
        .optional()?)
}

/// Records that the holder accepted the notice; `false` when it was accepted before, used or withdrawn.
pub fn accept(
    tx: &mut Transaction<'_>,
    invitation: &Invitation,
    at: Moment,
    from: &str,
    notice_version: &str,
) -> Result<bool> {
    let changed = diesel::update(invitations::table.find((&invitation.council_id, &invitation.id)))
        .filter(invitations::state.eq(InvitationState::Open))
        .set((
            invitations::state.eq(InvitationState::Accepted),
            invitations::accepted_at.eq(Some(at)),
            invitations::accepted_from.eq(Some(from)),
            invitations::notice_version.eq(Some(notice_version)),
        ))
        .execute(tx.connection)?;
    Ok(changed == 1)
}

/// Records that a device enrolled with it; `false` when it no longer stood accepted.
pub fn mark_used(tx: &mut Transaction<'_>, invitation: &Invitation, at: Moment) -> Result<bool> {
    let changed = diesel::update(invitations::table.find((&invitation.council_id, &invitation.id)))
        .filter(invitations::state.eq(InvitationState::Accepted))
        .set((invitations::state.eq(InvitationState::Used), invitations::used_at.eq(Some(at))))
        .execute(tx.connection)?;
    Ok(changed == 1)
}
