//! Links by which holders enrol.

use diesel::prelude::*;

use super::Transaction;
use super::schema::{enrolments, invitations};
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
    pub notice_version: Option<String>,
    pub used_at: Option<Moment>,
}

/// The invitation whose code has this hash.
pub fn find_by_code_hash(tx: &mut Transaction<'_>, code_hash: &str) -> Result<Option<Invitation>> {
    Ok(Invitation::query().filter(invitations::code_hash.eq(code_hash)).first(tx.connection).optional()?)
}

/// An invitation of the council.
pub fn find_of_council(tx: &mut Transaction<'_>, council: &CouncilId, id: &InvitationId) -> Result<Option<Invitation>> {
    Ok(Invitation::query()
        .filter(invitations::council_id.eq(council))
        .filter(invitations::id.eq(id))
        .first(tx.connection)
        .optional()?)
}

/// Records that the holder accepted the notice; `false` when it was accepted before, used or withdrawn.
pub fn accept(tx: &mut Transaction<'_>, invitation: &Invitation, at: Moment, notice_version: &str) -> Result<bool> {
    let changed = diesel::update(invitations::table.find((&invitation.council_id, &invitation.id)))
        .filter(invitations::state.eq(InvitationState::Open))
        .set((
            invitations::state.eq(InvitationState::Accepted),
            invitations::accepted_at.eq(Some(at)),
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

/// Adds an invitation.
pub fn insert(tx: &mut Transaction<'_>, invitation: &Invitation) -> Result<()> {
    diesel::insert_into(invitations::table).values(invitation).execute(tx.connection)?;
    Ok(())
}

/// The invitation with this id, of whichever council.
pub fn find(tx: &mut Transaction<'_>, id: &InvitationId) -> Result<Option<Invitation>> {
    Ok(Invitation::query().filter(invitations::id.eq(id)).first(tx.connection).optional()?)
}

/// The asset's invitations that no device has enrolled with and nobody has taken back, run out or not, oldest first.
pub fn pending_of_asset(tx: &mut Transaction<'_>, council: &CouncilId, asset: &AssetId) -> Result<Vec<Invitation>> {
    Ok(Invitation::query()
        .filter(invitations::council_id.eq(council).and(invitations::asset_id.eq(asset)))
        .filter(invitations::state.eq_any([InvitationState::Open, InvitationState::Accepted]))
        .order(invitations::id)
        .load(tx.connection)?)
}

/// The person's invitations that no device has enrolled with and nobody has taken back, run out or not, oldest first.
pub fn pending_of_person(tx: &mut Transaction<'_>, council: &CouncilId, person: &PersonId) -> Result<Vec<Invitation>> {
    Ok(Invitation::query()
        .filter(invitations::council_id.eq(council).and(invitations::person_id.eq(person)))
        .filter(invitations::state.eq_any([InvitationState::Open, InvitationState::Accepted]))
        .order(invitations::id)
        .load(tx.connection)?)
}

/// The person's invitations by which a device is under management now.
pub fn in_use_of_person(tx: &mut Transaction<'_>, council: &CouncilId, person: &PersonId) -> Result<Vec<Invitation>> {
    let ids: Vec<InvitationId> =
        invitations::table
            .inner_join(enrolments::table.on(
                enrolments::council_id.eq(invitations::council_id).and(enrolments::invitation_id.eq(invitations::id)),
            ))
            .filter(invitations::council_id.eq(council).and(invitations::person_id.eq(person)))
            .filter(enrolments::ended_at.is_null())
            .select(invitations::id)
            .load(tx.connection)?;
    Ok(Invitation::query()
        .filter(invitations::council_id.eq(council).and(invitations::id.eq_any(ids)))
        .order(invitations::id)
        .load(tx.connection)?)
}

/// Takes an invitation back; `false` when a device had enrolled with it or it was taken back before.
pub fn withdraw(tx: &mut Transaction<'_>, invitation: &Invitation) -> Result<bool> {
    let changed = diesel::update(invitations::table.find((&invitation.council_id, &invitation.id)))
        .filter(invitations::state.eq_any([InvitationState::Open, InvitationState::Accepted]))
        .set(invitations::state.eq(InvitationState::Withdrawn))
        .execute(tx.connection)?;
    Ok(changed == 1)
}

/// The council's invitations after `after`, by id, which is by age; with `open_at`, those that could be used then.
pub fn page(
    tx: &mut Transaction<'_>,
    council: &CouncilId,
    open_at: Option<Moment>,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Invitation>> {
    let mut query = Invitation::query()
        .filter(invitations::council_id.eq(council.clone()))
        .order(invitations::id)
        .limit(limit)
        .into_boxed();
    if let Some(now) = open_at {
        query = query
            .filter(invitations::state.eq_any([InvitationState::Open, InvitationState::Accepted]))
            .filter(invitations::expires_at.ge(now));
    }
    if let Some(after) = after {
        query = query.filter(invitations::id.gt(after.to_owned()));
    }
    Ok(query.load(tx.connection)?)
}
