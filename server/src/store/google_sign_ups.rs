//! Sign-ups at Google that are under way.

use diesel::prelude::*;

use super::Transaction;
use super::schema::google_sign_ups;
use crate::error::Result;
use crate::model::{CouncilId, Moment, SignUpId};

/// A row of `google_sign_ups`; the migration says what each column means.
#[derive(Clone, Debug, HasQuery, Insertable)]
#[diesel(table_name = google_sign_ups)]
#[allow(missing_docs, reason = "the migration says what each column means")]
pub struct SignUp {
    pub council_id: CouncilId,
    pub id: SignUpId,
    pub state_hash: String,
    pub name: Option<String>,
    pub requested_by: String,
    pub requested_at: Moment,
    pub expires_at: Moment,
    pub completed_at: Option<Moment>,
}

/// Adds a sign-up, before Google is asked.
pub fn insert(tx: &mut Transaction<'_>, sign_up: &SignUp) -> Result<()> {
    diesel::insert_into(google_sign_ups::table).values(sign_up).execute(tx.connection)?;
    Ok(())
}

/// Notes the name that Google gave it.
pub fn set_name(tx: &mut Transaction<'_>, sign_up: &SignUp, name: &str) -> Result<()> {
    diesel::update(google_sign_ups::table.find((&sign_up.council_id, &sign_up.id)))
        .set(google_sign_ups::name.eq(Some(name)))
        .execute(tx.connection)?;
    Ok(())
}

/// The sign-up whose state has this hash, of whichever council.
pub fn find_by_state(tx: &mut Transaction<'_>, state_hash: &str) -> Result<Option<SignUp>> {
    Ok(SignUp::query().filter(google_sign_ups::state_hash.eq(state_hash)).first(tx.connection).optional()?)
}

/// Notes that its visitor came back with an enterprise; `false` when that was noted before.
pub fn complete(tx: &mut Transaction<'_>, sign_up: &SignUp, at: Moment) -> Result<bool> {
    let changed = diesel::update(google_sign_ups::table.find((&sign_up.council_id, &sign_up.id)))
        .filter(google_sign_ups::completed_at.is_null())
        .set(google_sign_ups::completed_at.eq(Some(at)))
        .execute(tx.connection)?;
    Ok(changed == 1)
}

/// Forgets up to `limit` of those whose time ran out before `before`. Says how many.
pub fn purge(tx: &mut Transaction<'_>, before: Moment, limit: i64) -> Result<usize> {
    let over = google_sign_ups::table.filter(google_sign_ups::expires_at.lt(before));
    let ids: Vec<SignUpId> =
        over.order(google_sign_ups::expires_at).limit(limit).select(google_sign_ups::id).load(tx.connection)?;
    Ok(diesel::delete(google_sign_ups::table.filter(google_sign_ups::id.eq_any(ids))).execute(tx.connection)?)
}
