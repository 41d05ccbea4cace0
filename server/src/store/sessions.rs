//! Sign-ins.

use chrono::Duration;
use diesel::prelude::*;

use super::Transaction;
use super::schema::sessions;
use crate::error::Result;
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

/// Adds a sign-in.
pub fn insert(tx: &mut Transaction<'_>, session: &Session) -> Result<()> {
    diesel::insert_into(sessions::table).values(session).execute(tx.connection)?;
    Ok(())
}

/// The sign-in with this id.
pub fn find(tx: &mut Transaction<'_>, id: &SessionId) -> Result<Option<Session>> {
    Ok(Session::query().filter(sessions::id.eq(id)).first(tx.connection).optional()?)
}

/// The sign-in whose token has this hash.
pub fn find_by_token(tx: &mut Transaction<'_>, token_hash: &str) -> Result<Option<Session>> {
    Ok(Session::query().filter(sessions::token_hash.eq(token_hash)).first(tx.connection).optional()?)
}

/// The operator's sign-ins that are not over at `now`, after `after`, by id.
pub fn page_open(
    tx: &mut Transaction<'_>,
    operator: &OperatorId,
    now: Moment,
    idle: Duration,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Session>> {
    Ok(Session::query()
        .filter(sessions::operator_id.eq(operator).and(sessions::id.gt(after.unwrap_or_default())))
        .filter(
            sessions::revoked_at.is_null().and(sessions::expires_at.gt(now)).and(sessions::last_seen_at.ge(now - idle)),
        )
        .order(sessions::id)
        .limit(limit)
        .load(tx.connection)?)
}

/// Notes that the session was used.
pub fn seen(tx: &mut Transaction<'_>, id: &SessionId, now: Moment) -> Result<()> {
    diesel::update(sessions::table.filter(sessions::id.eq(id).and(sessions::last_seen_at.lt(now))))
        .set(sessions::last_seen_at.eq(now))
        .execute(tx.connection)?;
    Ok(())
}

/// Notes when the second factor was shown, and when password and second factor were.
pub fn set_shown(
    tx: &mut Transaction<'_>,
    id: &SessionId,
    mfa_at: Option<Moment>,
    reauthenticated_at: Option<Moment>,
) -> Result<()> {
    diesel::update(sessions::table.filter(sessions::id.eq(id)))
        .set((sessions::mfa_at.eq(mfa_at), sessions::reauthenticated_at.eq(reauthenticated_at)))
        .execute(tx.connection)?;
    Ok(())
}

/// Ends one sign-in.
pub fn revoke(tx: &mut Transaction<'_>, id: &SessionId, now: Moment) -> Result<()> {
    diesel::update(sessions::table.filter(sessions::id.eq(id).and(sessions::revoked_at.is_null())))
        .set(sessions::revoked_at.eq(now))
        .execute(tx.connection)?;
    Ok(())
}

/// Ends the operator's sign-ins, but for `except`; how many there were.
pub fn revoke_all_of(
    tx: &mut Transaction<'_>,
    operator: &OperatorId,
    except: Option<&SessionId>,
    now: Moment,
) -> Result<usize> {
    let kept = except.map(SessionId::as_str).unwrap_or_default();
    Ok(diesel::update(
        sessions::table
            .filter(sessions::operator_id.eq(operator).and(sessions::revoked_at.is_null()).and(sessions::id.ne(kept))),
    )
    .set(sessions::revoked_at.eq(now))
    .execute(tx.connection)?)
}

/// Ends every sign-in; how many there were.
pub fn revoke_all(tx: &mut Transaction<'_>, now: Moment) -> Result<usize> {
    Ok(diesel::update(sessions::table.filter(sessions::revoked_at.is_null()))
        .set(sessions::revoked_at.eq(now))
        .execute(tx.connection)?)
}

/// Forgets sign-ins that were over before `before`, at most `limit` of them; how many there were.
pub fn purge(tx: &mut Transaction<'_>, before: Moment, limit: i64) -> Result<usize> {
    let over = sessions::table.filter(sessions::expires_at.lt(before)).order(sessions::expires_at).limit(limit);
    let ids: Vec<SessionId> = over.select(sessions::id).load(tx.connection)?;
    Ok(diesel::delete(sessions::table.filter(sessions::id.eq_any(ids))).execute(tx.connection)?)
}
