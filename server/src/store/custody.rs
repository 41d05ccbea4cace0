//! Who held which asset, now and before.

use diesel::prelude::*;

use super::Transaction;
use super::schema::custody;
use crate::error::Result;
use crate::model::{AssetId, CouncilId, Moment, PersonId};

/// A row of `custody`; the migration says what each column means.
#[derive(Clone, Debug, HasQuery, Insertable)]
#[diesel(table_name = custody)]
#[allow(missing_docs, reason = "the migration says what each column means")]
pub struct Custody {
    pub council_id: CouncilId,
    pub id: String,
    pub asset_id: AssetId,
    pub person_id: PersonId,
    pub since: Moment,
    pub until: Option<Moment>,
}

/// Notes that a person holds an asset.
pub fn insert(tx: &mut Transaction<'_>, custody: &Custody) -> Result<()> {
    diesel::insert_into(custody::table).values(custody).execute(tx.connection)?;
    Ok(())
}

/// Who held the asset, now and before, in order of time.
pub fn of_asset(tx: &mut Transaction<'_>, council: &CouncilId, asset: &AssetId) -> Result<Vec<Custody>> {
    Ok(Custody::query()
        .filter(custody::council_id.eq(council).and(custody::asset_id.eq(asset)))
        .order((custody::since, custody::id))
        .load(tx.connection)?)
}

/// Who holds these assets now.
pub fn current_of_assets(tx: &mut Transaction<'_>, council: &CouncilId, assets: Vec<AssetId>) -> Result<Vec<Custody>> {
    Ok(Custody::query()
        .filter(custody::council_id.eq(council).and(custody::asset_id.eq_any(assets)))
        .filter(custody::until.is_null())
        .order((custody::since, custody::id))
        .load(tx.connection)?)
}

/// What a person holds now.
pub fn current_of_person(tx: &mut Transaction<'_>, council: &CouncilId, person: &PersonId) -> Result<Vec<Custody>> {
    Ok(Custody::query()
        .filter(custody::council_id.eq(council).and(custody::person_id.eq(person)))
        .filter(custody::until.is_null())
        .order((custody::since, custody::id))
        .load(tx.connection)?)
}

/// What a person holds and held, the newest first; the first `limit`.
pub fn of_person(tx: &mut Transaction<'_>, council: &CouncilId, person: &PersonId, limit: i64) -> Result<Vec<Custody>> {
    Ok(Custody::query()
        .filter(custody::council_id.eq(council).and(custody::person_id.eq(person)))
        .order((custody::since.desc(), custody::id.desc()))
        .limit(limit)
        .load(tx.connection)?)
}

/// What these people hold now.
pub fn current_of_people(tx: &mut Transaction<'_>, council: &CouncilId, people: Vec<PersonId>) -> Result<Vec<Custody>> {
    Ok(Custody::query()
        .filter(custody::council_id.eq(council).and(custody::person_id.eq_any(people)))
        .filter(custody::until.is_null())
        .order((custody::since, custody::id))
        .load(tx.connection)?)
}

/// Ends a custody.
pub fn end(tx: &mut Transaction<'_>, held: &Custody, at: Moment) -> Result<()> {
    diesel::update(custody::table.find((&held.council_id, &held.id)))
        .filter(custody::until.is_null())
        .set(custody::until.eq(Some(at)))
        .execute(tx.connection)?;
    Ok(())
}
