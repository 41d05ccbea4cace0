//! The installation's own facts and its sealed keys.

use diesel::dsl::exists;
use diesel::prelude::*;

use super::Transaction;
use super::schema::{devices, installation, installation_keys, operators};
use crate::error::Result;
use crate::model::Moment;

/// A row of `installation_keys`; the migration says what each column means.
#[derive(Clone, Debug, HasQuery, Insertable)]
#[diesel(table_name = installation_keys)]
#[allow(missing_docs, reason = "the migration says what each column means")]
pub struct InstallationKey {
    pub id: String,
    pub purpose: String,
    pub sealed_key: Vec<u8>,
    pub created_at: Moment,
    pub retired_at: Option<Moment>,
}

/// The fact called `name`.
pub fn value(tx: &mut Transaction<'_>, name: &str) -> Result<Option<Vec<u8>>> {
    Ok(installation::table.find(name).select(installation::value).first(tx.connection).optional()?)
}

/// Sets the fact called `name`.
pub fn set_value(tx: &mut Transaction<'_>, name: &str, value: &[u8], now: Moment) -> Result<()> {
    let changed = diesel::update(installation::table.find(name))
        .set((installation::value.eq(value), installation::changed_at.eq(now)))
        .execute(tx.connection)?;
    if changed == 0 {
        diesel::insert_into(installation::table)
            .values((installation::name.eq(name), installation::value.eq(value), installation::changed_at.eq(now)))
            .execute(tx.connection)?;
    }
    Ok(())
}

/// All keys, the oldest first.
pub fn keys(tx: &mut Transaction<'_>) -> Result<Vec<InstallationKey>> {
    Ok(InstallationKey::query().order((installation_keys::created_at, installation_keys::id)).load(tx.connection)?)
}

/// Adds a key.
pub fn insert_key(tx: &mut Transaction<'_>, key: &InstallationKey) -> Result<()> {
    diesel::insert_into(installation_keys::table).values(key).execute(tx.connection)?;
    Ok(())
}

/// Whether anybody may sign in already.
pub fn has_operators(tx: &mut Transaction<'_>) -> Result<bool> {
    Ok(diesel::select(exists(operators::table.select(operators::id))).get_result(tx.connection)?)
}

/// Whether any device was ever enrolled.
pub fn has_devices(tx: &mut Transaction<'_>) -> Result<bool> {
    Ok(diesel::select(exists(devices::table.select(devices::id))).get_result(tx.connection)?)
}

/// A stand-in row for a key that a test made, so that references to it hold.
#[cfg(test)]
pub(crate) fn insert_test_key(tx: &mut Transaction<'_>, id: &str, now: Moment) -> Result<()> {
    let purpose = id.to_owned();
    insert_key(
        tx,
        &InstallationKey { id: id.to_owned(), purpose, sealed_key: vec![0], created_at: now, retired_at: None },
    )
}
