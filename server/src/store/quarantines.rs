//! Quarantine after a restore.

use diesel::prelude::*;

use super::Transaction;
use super::schema::quarantines;
use crate::error::Result;
use crate::model::{Moment, OperatorId};

/// A row of `quarantines`; the migration says what each column means.
#[derive(Clone, Debug, HasQuery, Insertable)]
#[diesel(table_name = quarantines)]
#[allow(missing_docs, reason = "the migration says what each column means")]
pub struct Quarantine {
    pub id: String,
    pub reason: String,
    pub since: Moment,
    pub ended_by: Option<OperatorId>,
    pub ended_at: Option<Moment>,
}

/// Begins a quarantine.
pub fn insert(tx: &mut Transaction<'_>, quarantine: &Quarantine) -> Result<()> {
    diesel::insert_into(quarantines::table).values(quarantine).execute(tx.connection)?;
    Ok(())
}

/// The quarantines that are on, oldest first: one, and one for each further reason that came up meanwhile.
pub fn all_open(tx: &mut Transaction<'_>) -> Result<Vec<Quarantine>> {
    Ok(Quarantine::query().filter(quarantines::ended_at.is_null()).order(quarantines::since).load(tx.connection)?)
}

/// The oldest quarantine that is on.
pub fn open(tx: &mut Transaction<'_>) -> Result<Option<Quarantine>> {
    Ok(Quarantine::query()
        .filter(quarantines::ended_at.is_null())
        .order(quarantines::since)
        .first(tx.connection)
        .optional()?)
}

/// Ends every quarantine that is on.
pub fn end(tx: &mut Transaction<'_>, by: &OperatorId, now: Moment) -> Result<()> {
    diesel::update(quarantines::table.filter(quarantines::ended_at.is_null()))
        .set((quarantines::ended_at.eq(now), quarantines::ended_by.eq(by)))
        .execute(tx.connection)?;
    Ok(())
}
