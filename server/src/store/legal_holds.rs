//! Legal holds.

use diesel::prelude::*;

use super::Transaction;
use super::schema::legal_holds;
use crate::error::Result;
use crate::model::{CouncilId, DeviceId, HoldId, Moment};

/// A row of `legal_holds`; the migration says what each column means.
#[derive(Clone, Debug, HasQuery, Insertable)]
#[diesel(table_name = legal_holds)]
#[allow(missing_docs, reason = "the migration says what each column means")]
pub struct LegalHold {
    pub council_id: CouncilId,
    pub id: HoldId,
    pub device_id: DeviceId,
    pub reason: String,
    pub added_by: String,
    pub added_at: Moment,
    pub ended_by: Option<String>,
    pub ended_at: Option<Moment>,
}

/// Adds a hold.
pub fn insert(tx: &mut Transaction<'_>, hold: &LegalHold) -> Result<()> {
    diesel::insert_into(legal_holds::table).values(hold).execute(tx.connection)?;
    Ok(())
}

/// The hold with this id.
pub fn find(tx: &mut Transaction<'_>, id: &HoldId) -> Result<Option<LegalHold>> {
    Ok(LegalHold::query().filter(legal_holds::id.eq(id)).first(tx.connection).optional()?)
}

/// The holds that lie on a device.
pub fn active_of_device(tx: &mut Transaction<'_>, council: &CouncilId, device: &DeviceId) -> Result<Vec<LegalHold>> {
    Ok(LegalHold::query()
        .filter(legal_holds::council_id.eq(council).and(legal_holds::device_id.eq(device)))
        .filter(legal_holds::ended_at.is_null())
        .order(legal_holds::id)
        .load(tx.connection)?)
}

/// The council's holds after `after`, by id, also those that ended.
pub fn page(tx: &mut Transaction<'_>, council: &CouncilId, after: Option<&str>, limit: i64) -> Result<Vec<LegalHold>> {
    let mut query = LegalHold::query()
        .filter(legal_holds::council_id.eq(council.clone()))
        .order(legal_holds::id)
        .limit(limit)
        .into_boxed();
    if let Some(after) = after {
        query = query.filter(legal_holds::id.gt(after.to_owned()));
    }
    Ok(query.load(tx.connection)?)
}

/// The holds that lie on the council's devices now, after the hold `after`, device by device.
pub fn active_page(
    tx: &mut Transaction<'_>,
    council: &CouncilId,
    after: Option<&LegalHold>,
    limit: i64,
) -> Result<Vec<LegalHold>> {
    let mut query = LegalHold::query()
        .filter(legal_holds::council_id.eq(council.clone()))
        .filter(legal_holds::ended_at.is_null())
        .order((legal_holds::device_id, legal_holds::id))
        .limit(limit)
        .into_boxed();
    if let Some(after) = after {
        let (device, id) = (after.device_id.clone(), after.id.clone());
        query = query
            .filter(legal_holds::device_id.ge(device.clone()))
            .filter(legal_holds::device_id.gt(device).or(legal_holds::id.gt(id)));
    }
    Ok(query.load(tx.connection)?)
}

/// Puts a hold back that is missing from the table, or stands in it as ended or as another device's.
pub fn put_back(tx: &mut Transaction<'_>, hold: &LegalHold) -> Result<()> {
    let set = diesel::update(legal_holds::table.filter(legal_holds::id.eq(&hold.id)))
        .set((
            legal_holds::council_id.eq(&hold.council_id),
            legal_holds::device_id.eq(&hold.device_id),
            legal_holds::ended_at.eq(None::<Moment>),
            legal_holds::ended_by.eq(None::<String>),
        ))
        .execute(tx.connection)?;
    if set == 0 {
        insert(tx, hold)?;
    }
    Ok(())
}

/// Ends a hold; `false` when it had ended already.
pub fn end(tx: &mut Transaction<'_>, hold: &LegalHold, by: &str, now: Moment) -> Result<bool> {
    let ended = diesel::update(
        legal_holds::table
            .filter(legal_holds::council_id.eq(&hold.council_id).and(legal_holds::id.eq(&hold.id)))
            .filter(legal_holds::ended_at.is_null()),
    )
    .set((legal_holds::ended_at.eq(now), legal_holds::ended_by.eq(by)))
    .execute(tx.connection)?;
    Ok(ended == 1)
}
