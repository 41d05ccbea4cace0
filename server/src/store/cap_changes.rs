//! Asked-for raises of caps.

use diesel::prelude::*;

use super::Transaction;
use super::schema::cap_changes;
use crate::error::Result;
use crate::model::{Moment, OperatorId};

/// A row of `cap_changes`; the migration says what each column means.
#[derive(Clone, Debug, HasQuery, Insertable)]
#[diesel(table_name = cap_changes)]
#[allow(missing_docs, reason = "the migration says what each column means")]
pub struct CapChange {
    pub id: String,
    pub scope: String,
    pub per_hour: i64,
    pub per_day: i64,
    pub requested_by: OperatorId,
    pub requested_at: Moment,
    pub approved_by: Option<OperatorId>,
    pub approved_at: Option<Moment>,
    pub effective_at: Option<Moment>,
    pub applied_at: Option<Moment>,
}

/// Adds an asked-for raise.
pub fn insert(tx: &mut Transaction<'_>, change: &CapChange) -> Result<()> {
    diesel::insert_into(cap_changes::table).values(change).execute(tx.connection)?;
    Ok(())
}

/// The raise of this scope that is not applied yet.
pub fn pending(tx: &mut Transaction<'_>, scope: &str) -> Result<Option<CapChange>> {
    Ok(CapChange::query()
        .filter(cap_changes::scope.eq(scope).and(cap_changes::applied_at.is_null()))
        .first(tx.connection)
        .optional()?)
}

/// Records the second person's approval, unless there is one already.
pub fn approve(tx: &mut Transaction<'_>, id: &str, by: &OperatorId, now: Moment, effective_at: Moment) -> Result<bool> {
    let changed =
        diesel::update(cap_changes::table.filter(cap_changes::id.eq(id).and(cap_changes::approved_by.is_null())))
            .set((
                cap_changes::approved_by.eq(by),
                cap_changes::approved_at.eq(now),
                cap_changes::effective_at.eq(effective_at),
            ))
            .execute(tx.connection)?;
    Ok(changed == 1)
}

/// Notes that a raise is now in the caps themselves.
pub fn set_applied(tx: &mut Transaction<'_>, id: &str, now: Moment) -> Result<()> {
    diesel::update(cap_changes::table.filter(cap_changes::id.eq(id)))
        .set(cap_changes::applied_at.eq(now))
        .execute(tx.connection)?;
    Ok(())
}

/// Removes a raise that was withdrawn; the audit trail keeps that there was one.
pub fn delete(tx: &mut Transaction<'_>, id: &str) -> Result<()> {
    diesel::delete(cap_changes::table.filter(cap_changes::id.eq(id))).execute(tx.connection)?;
    Ok(())
}
