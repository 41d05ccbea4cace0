//! Questions that were put to passkeys and are not answered yet.

use diesel::prelude::*;
use diesel::sql_types::{Text, Timestamp};

use super::Transaction;
use super::schema::passkey_ceremonies;
use crate::error::Result;
use crate::model::Moment;

/// A row of `passkey_ceremonies`; the migration says what each column means.
#[derive(Clone, Debug, HasQuery)]
#[diesel(table_name = passkey_ceremonies)]
#[allow(missing_docs, reason = "the migration says what each column means")]
pub struct PasskeyCeremony {
    pub bound_to: String,
    pub purpose: String,
    pub address: String,
    pub state: String,
    pub created_at: Moment,
}

/// Keeps a question, in place of one that was put to the same visitor before.
pub fn put(tx: &mut Transaction<'_>, row: &PasskeyCeremony) -> Result<()> {
    diesel::sql_query(
        "INSERT INTO passkey_ceremonies (bound_to, purpose, address, state, created_at) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (bound_to, purpose) DO UPDATE SET address = excluded.address, state = excluded.state, \
         created_at = excluded.created_at",
    )
    .bind::<Text, _>(&row.bound_to)
    .bind::<Text, _>(&row.purpose)
    .bind::<Text, _>(&row.address)
    .bind::<Text, _>(&row.state)
    .bind::<Timestamp, _>(row.created_at)
    .execute(tx.connection)?;
    Ok(())
}

/// Takes a question away: nobody else gets it.
pub fn take(tx: &mut Transaction<'_>, bound_to: &str, purpose: &str) -> Result<Option<PasskeyCeremony>> {
    let taken = diesel::delete(passkey_ceremonies::table.find((bound_to, purpose)))
        .returning(passkey_ceremonies::all_columns)
        .get_result::<(String, String, String, String, Moment)>(tx.connection)
        .optional()?;
    Ok(taken.map(|(bound_to, purpose, address, state, created_at)| PasskeyCeremony {
        bound_to,
        purpose,
        address,
        state,
        created_at,
    }))
}

/// Forgets questions that were put before `before`, at most `limit` of them; how many there were.
pub fn purge(tx: &mut Transaction<'_>, before: Moment, limit: i64) -> Result<usize> {
    let old: Vec<String> = passkey_ceremonies::table
        .filter(passkey_ceremonies::created_at.lt(before))
        .order(passkey_ceremonies::created_at)
        .limit(limit)
        .select(passkey_ceremonies::bound_to)
        .load(tx.connection)?;
    // Looked at again: the same visitor may have been asked anew.
    let still = passkey_ceremonies::table
        .filter(passkey_ceremonies::bound_to.eq_any(old).and(passkey_ceremonies::created_at.lt(before)));
    Ok(diesel::delete(still).execute(tx.connection)?)
}
