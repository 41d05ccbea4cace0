//! Passkeys of operators.

use diesel::prelude::*;

use super::Transaction;
use super::schema::passkeys;
use crate::error::Result;
use crate::model::{Moment, OperatorId, PasskeyId};

/// A row of `passkeys`; the migration says what each column means.
#[derive(Clone, Debug, HasQuery, Insertable)]
#[diesel(table_name = passkeys)]
#[allow(missing_docs, reason = "the migration says what each column means")]
pub struct PasskeyRow {
    pub id: PasskeyId,
    pub operator_id: OperatorId,
    pub credential_hash: String,
    pub address: String,
    pub name: String,
    pub credential: String,
    pub counter: i64,
    pub created_at: Moment,
    pub last_used_at: Option<Moment>,
}

/// Adds a passkey.
pub fn insert(tx: &mut Transaction<'_>, passkey: &PasskeyRow) -> Result<()> {
    diesel::insert_into(passkeys::table).values(passkey).execute(tx.connection)?;
    Ok(())
}

/// The passkey with this id.
pub fn find(tx: &mut Transaction<'_>, id: &PasskeyId) -> Result<Option<PasskeyRow>> {
    Ok(PasskeyRow::query().filter(passkeys::id.eq(id)).first(tx.connection).optional()?)
}

/// The passkey whose credential's id has this hash.
pub fn find_by_credential(tx: &mut Transaction<'_>, hash: &str) -> Result<Option<PasskeyRow>> {
    Ok(PasskeyRow::query().filter(passkeys::credential_hash.eq(hash)).first(tx.connection).optional()?)
}

/// The operator's passkeys, oldest first, at most `limit`.
pub fn of_operator(tx: &mut Transaction<'_>, operator: &OperatorId, limit: i64) -> Result<Vec<PasskeyRow>> {
    Ok(PasskeyRow::query()
        .filter(passkeys::operator_id.eq(operator))
        .order(passkeys::id)
        .limit(limit)
        .load(tx.connection)?)
}

/// Gives it another name.
pub fn rename(tx: &mut Transaction<'_>, id: &PasskeyId, name: &str) -> Result<()> {
    diesel::update(passkeys::table.find(id)).set(passkeys::name.eq(name)).execute(tx.connection)?;
    Ok(())
}

/// Notes a use: `false` when it was removed, or its count went back meanwhile.
pub fn used(tx: &mut Transaction<'_>, id: &PasskeyId, credential: &str, counter: i64, now: Moment) -> Result<bool> {
    let onwards = passkeys::counter.lt(counter).or(passkeys::counter.eq(0));
    Ok(diesel::update(passkeys::table.filter(passkeys::id.eq(id).and(onwards)))
        .set((passkeys::credential.eq(credential), passkeys::counter.eq(counter), passkeys::last_used_at.eq(now)))
        .execute(tx.connection)?
        == 1)
}

/// Forgets a passkey.
pub fn delete(tx: &mut Transaction<'_>, id: &PasskeyId) -> Result<()> {
    diesel::delete(passkeys::table.find(id)).execute(tx.connection)?;
    Ok(())
}

/// Forgets all of an operator's; how many there were.
pub fn delete_all_of(tx: &mut Transaction<'_>, operator: &OperatorId) -> Result<usize> {
    Ok(diesel::delete(passkeys::table.filter(passkeys::operator_id.eq(operator))).execute(tx.connection)?)
}
