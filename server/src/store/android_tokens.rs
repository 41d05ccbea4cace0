//! Enrolment tokens of Google's, and the invitations that they lead back to.

use diesel::prelude::*;

use super::Transaction;
use super::schema::android_tokens;
use crate::error::Result;
use crate::model::{AndroidTokenId, AndroidTokenState, CouncilId, InvitationId, Mode, Moment};

/// A row of `android_tokens`; the migration says what each column means.
#[derive(Clone, Debug, HasQuery, Insertable)]
#[diesel(table_name = android_tokens)]
#[allow(missing_docs, reason = "the migration says what each column means")]
pub struct AndroidToken {
    pub council_id: CouncilId,
    pub id: AndroidTokenId,
    pub invitation_id: InvitationId,
    pub mode: Mode,
    pub binding_hash: String,
    pub google_name: Option<String>,
    pub state: AndroidTokenState,
    pub created_at: Moment,
    pub expires_at: Moment,
    pub used_at: Option<Moment>,
}

/// Adds a token, before Google is asked for it.
pub fn insert(tx: &mut Transaction<'_>, token: &AndroidToken) -> Result<()> {
    diesel::insert_into(android_tokens::table).values(token).execute(tx.connection)?;
    Ok(())
}

/// Google made it.
pub fn made(tx: &mut Transaction<'_>, council: &CouncilId, id: &AndroidTokenId, name: &str) -> Result<bool> {
    let changed = diesel::update(android_tokens::table.find((council, id)))
        .filter(android_tokens::state.eq(AndroidTokenState::Asked))
        .set((android_tokens::state.eq(AndroidTokenState::Made), android_tokens::google_name.eq(Some(name))))
        .execute(tx.connection)?;
    Ok(changed == 1)
}

/// Google made it after it was taken back here: its name is kept, so that it can be deleted there.
pub fn made_too_late(tx: &mut Transaction<'_>, token: &AndroidToken, name: &str) -> Result<bool> {
    let changed = diesel::update(android_tokens::table.find((&token.council_id, &token.id)))
        .filter(android_tokens::state.eq(AndroidTokenState::Withdrawn).and(android_tokens::google_name.is_null()))
        .set(android_tokens::google_name.eq(Some(name)))
        .execute(tx.connection)?;
    Ok(changed == 1)
}

/// A device enrolled with it, or it was taken back; `false` when it had ended before.
pub fn end(tx: &mut Transaction<'_>, token: &AndroidToken, state: AndroidTokenState, at: Moment) -> Result<bool> {
    let changed = diesel::update(android_tokens::table.find((&token.council_id, &token.id)))
        .filter(android_tokens::state.eq_any([AndroidTokenState::Asked, AndroidTokenState::Made]))
        .set((android_tokens::state.eq(state), android_tokens::used_at.eq(Some(at))))
        .execute(tx.connection)?;
    Ok(changed == 1)
}

/// The token with this binding, of whichever council.
pub fn find_by_binding(tx: &mut Transaction<'_>, binding_hash: &str) -> Result<Option<AndroidToken>> {
    Ok(AndroidToken::query().filter(android_tokens::binding_hash.eq(binding_hash)).first(tx.connection).optional()?)
}

/// The tokens of an invitation, oldest first.
pub fn of_invitation(
    tx: &mut Transaction<'_>,
    council: &CouncilId,
    invitation: &InvitationId,
) -> Result<Vec<AndroidToken>> {
    Ok(AndroidToken::query()
        .filter(android_tokens::council_id.eq(council).and(android_tokens::invitation_id.eq(invitation)))
        .order(android_tokens::id)
        .load(tx.connection)?)
}

/// Forgets up to `limit` of those whose time ran out before `before`. Says how many.
pub fn purge(tx: &mut Transaction<'_>, before: Moment, limit: i64) -> Result<usize> {
    let over = android_tokens::table.filter(android_tokens::expires_at.lt(before));
    let ids: Vec<AndroidTokenId> =
        over.order(android_tokens::expires_at).limit(limit).select(android_tokens::id).load(tx.connection)?;
    Ok(diesel::delete(android_tokens::table.filter(android_tokens::id.eq_any(ids))).execute(tx.connection)?)
}
