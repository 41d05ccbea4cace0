//! What is wrong, or was wrong, with items on the register.

use diesel::prelude::*;

use super::Transaction;
use super::schema::faults;
use crate::error::Result;
use crate::model::{AssetId, CouncilId, FaultId, Moment};

/// A row of `faults`; the migration says what each column means.
#[derive(Clone, Debug, HasQuery, Insertable)]
#[diesel(table_name = faults)]
#[allow(missing_docs, reason = "the migration says what each column means")]
pub struct Fault {
    pub council_id: CouncilId,
    pub id: FaultId,
    pub asset_id: AssetId,
    pub what: String,
    pub noticed_at: Moment,
    pub noted_by: String,
    pub noted_at: Moment,
    pub ended_at: Option<Moment>,
    pub ended_by: Option<String>,
    pub outcome: Option<String>,
}

/// Adds a fault.
pub fn insert(tx: &mut Transaction<'_>, fault: &Fault) -> Result<()> {
    diesel::insert_into(faults::table).values(fault).execute(tx.connection)?;
    Ok(())
}

/// The fault with this id, of whichever council.
pub fn find(tx: &mut Transaction<'_>, id: &FaultId) -> Result<Option<Fault>> {
    Ok(Fault::query().filter(faults::id.eq(id)).first(tx.connection).optional()?)
}

/// The newest faults of an item, the newest first; the first `limit`.
pub fn of_asset(tx: &mut Transaction<'_>, council: &CouncilId, asset: &AssetId, limit: i64) -> Result<Vec<Fault>> {
    Ok(Fault::query()
        .filter(faults::council_id.eq(council).and(faults::asset_id.eq(asset)))
        .order((faults::noticed_at.desc(), faults::id.desc()))
        .limit(limit)
        .load(tx.connection)?)
}

/// The faults of these items that have not ended.
pub fn open_of_assets(tx: &mut Transaction<'_>, council: &CouncilId, assets: Vec<AssetId>) -> Result<Vec<Fault>> {
    Ok(Fault::query()
        .filter(faults::council_id.eq(council).and(faults::asset_id.eq_any(assets)))
        .filter(faults::ended_at.is_null())
        .order((faults::noticed_at, faults::id))
        .load(tx.connection)?)
}

/// Ends a fault that has not ended.
pub fn end(tx: &mut Transaction<'_>, fault: &Fault) -> Result<()> {
    diesel::update(faults::table.find((&fault.council_id, &fault.id)))
        .filter(faults::ended_at.is_null())
        .set((
            faults::ended_at.eq(fault.ended_at),
            faults::ended_by.eq(&fault.ended_by),
            faults::outcome.eq(&fault.outcome),
        ))
        .execute(tx.connection)?;
    Ok(())
}
