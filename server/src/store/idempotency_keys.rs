//! Answers kept so that a repeat is not done twice.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text, Timestamp};

use super::Transaction;
use super::schema::idempotency_keys;
use crate::error::Result;
use crate::model::Moment;

/// A row of `idempotency_keys`; the migration says what each column means.
#[derive(Clone, Debug, HasQuery, Insertable)]
#[diesel(table_name = idempotency_keys)]
#[allow(missing_docs, reason = "the migration says what each column means")]
pub struct IdempotencyKey {
    /// A council's id, or "installation".
    #[diesel(column_name = council_id)]
    pub scope: String,
    pub actor: String,
    pub idempotency_key: String,
    pub request_hash: String,
    pub status: i64,
    pub sealed_answer: Option<Vec<u8>>,
    pub created_at: Moment,
}

/// Takes a key for a request under way; `false` when someone has it already. Whoever holds it in a transaction that is not
/// over is waited for.
pub fn take(
    tx: &mut Transaction<'_>,
    scope: &str,
    actor: &str,
    key: &str,
    request_hash: &str,
    now: Moment,
) -> Result<bool> {
    let taken = diesel::sql_query(
        "INSERT INTO idempotency_keys (council_id, actor, idempotency_key, request_hash, status, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (council_id, actor, idempotency_key) DO NOTHING",
    )
    .bind::<Text, _>(scope)
    .bind::<Text, _>(actor)
    .bind::<Text, _>(key)
    .bind::<Text, _>(request_hash)
    .bind::<BigInt, _>(0)
    .bind::<Timestamp, _>(now)
    .execute(tx.connection)?;
    Ok(taken == 1)
}

/// The key's row.
pub fn find(tx: &mut Transaction<'_>, scope: &str, actor: &str, key: &str) -> Result<Option<IdempotencyKey>> {
    Ok(IdempotencyKey::query()
        .filter(
            idempotency_keys::council_id
                .eq(scope)
                .and(idempotency_keys::actor.eq(actor))
                .and(idempotency_keys::idempotency_key.eq(key)),
        )
        .first(tx.connection)
        .optional()?)
}

/// Keeps the answer.
pub fn answer(
    tx: &mut Transaction<'_>,
    scope: &str,
    actor: &str,
    key: &str,
    status: i64,
    sealed_answer: &[u8],
) -> Result<()> {
    diesel::update(idempotency_keys::table.find((scope, actor, key)))
        .set((idempotency_keys::status.eq(status), idempotency_keys::sealed_answer.eq(sealed_answer)))
        .execute(tx.connection)?;
    Ok(())
}

/// Forgets a key older than `before`.
pub fn forget_old(tx: &mut Transaction<'_>, scope: &str, actor: &str, key: &str, before: Moment) -> Result<()> {
    diesel::delete(idempotency_keys::table.find((scope, actor, key)).filter(idempotency_keys::created_at.lt(before)))
        .execute(tx.connection)?;
    Ok(())
}

/// Forgets keys older than `before`, at most about `limit` of them; how many there were.
pub fn purge(tx: &mut Transaction<'_>, before: Moment, limit: i64) -> Result<usize> {
    let last: Option<Moment> = idempotency_keys::table
        .filter(idempotency_keys::created_at.lt(before))
        .order(idempotency_keys::created_at)
        .limit(limit)
        .select(idempotency_keys::created_at)
        .load::<Moment>(tx.connection)?
        .pop();
    let Some(last) = last else { return Ok(0) };
    Ok(diesel::delete(idempotency_keys::table.filter(idempotency_keys::created_at.le(last))).execute(tx.connection)?)
}
