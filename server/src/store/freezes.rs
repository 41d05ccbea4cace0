//! Orders frozen over the cap.

use diesel::prelude::*;

use super::Transaction;
use super::schema::freezes;
use crate::error::Result;
use crate::model::{Moment, OperatorId};

/// A row of `freezes`; the migration says what each column means.
#[derive(Clone, Debug, HasQuery, Insertable)]
#[diesel(table_name = freezes)]
#[allow(missing_docs, reason = "the migration says what each column means")]
pub struct Freeze {
    pub id: String,
    pub scope: String,
    pub reason: String,
    pub frozen_at: Moment,
    pub thaw_requested_by: Option<OperatorId>,
    pub thaw_requested_at: Option<Moment>,
    pub thawed_by: Option<OperatorId>,
    pub thawed_at: Option<Moment>,
}

/// Adds a freeze.
pub fn insert(tx: &mut Transaction<'_>, freeze: &Freeze) -> Result<()> {
    diesel::insert_into(freezes::table).values(freeze).execute(tx.connection)?;
    Ok(())
}

/// The freeze of this scope (a council's id, or "installation") that was not thawed.
pub fn open(tx: &mut Transaction<'_>, scope: &str) -> Result<Option<Freeze>> {
    Ok(Freeze::query()
        .filter(freezes::scope.eq(scope).and(freezes::thawed_at.is_null()))
        .first(tx.connection)
        .optional()?)
}

/// Records who asked for the thaw.
pub fn request_thaw(tx: &mut Transaction<'_>, id: &str, by: &OperatorId, now: Moment) -> Result<()> {
    diesel::update(freezes::table.filter(freezes::id.eq(id).and(freezes::thawed_at.is_null())))
        .set((freezes::thaw_requested_by.eq(by), freezes::thaw_requested_at.eq(now)))
        .execute(tx.connection)?;
    Ok(())
}

/// Records the second person's thaw.
pub fn thaw(tx: &mut Transaction<'_>, id: &str, by: &OperatorId, now: Moment) -> Result<bool> {
    let changed = diesel::update(freezes::table.filter(freezes::id.eq(id).and(freezes::thawed_at.is_null())))
        .set((freezes::thawed_by.eq(by), freezes::thawed_at.eq(now)))
        .execute(tx.connection)?;
    Ok(changed == 1)
}
