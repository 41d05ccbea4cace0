//! Announcements that one operator works alone.

use diesel::prelude::*;

use super::Transaction;
use super::schema::one_operator_settings as settings;
use crate::error::Result;
use crate::model::{CouncilId, Moment, OneOperatorId, OperatorId};

/// A row of `one_operator_settings`; the migration says what each column means.
#[derive(Clone, Debug, HasQuery, Insertable)]
#[diesel(table_name = settings)]
#[allow(missing_docs, reason = "the migration says what each column means")]
pub struct OneOperatorSetting {
    pub council_id: CouncilId,
    pub id: OneOperatorId,
    pub reason: String,
    pub begun_by: OperatorId,
    pub begun_at: Moment,
    pub told_at: Option<Moment>,
    pub ended_by: Option<String>,
    pub ended_at: Option<Moment>,
}

/// Adds an announcement.
pub fn insert(tx: &mut Transaction<'_>, setting: &OneOperatorSetting) -> Result<()> {
    diesel::insert_into(settings::table).values(setting).execute(tx.connection)?;
    Ok(())
}

/// The council's announcement that has not ended.
pub fn standing(tx: &mut Transaction<'_>, council: &CouncilId) -> Result<Option<OneOperatorSetting>> {
    Ok(OneOperatorSetting::query()
        .filter(settings::council_id.eq(council).and(settings::ended_at.is_null()))
        .first(tx.connection)
        .optional()?)
}

/// The councils that have an announcement that has not ended.
pub fn councils_with_one(tx: &mut Transaction<'_>) -> Result<Vec<CouncilId>> {
    Ok(settings::table.filter(settings::ended_at.is_null()).select(settings::council_id).load(tx.connection)?)
}

/// Notes that everyone who must be told was told.
pub fn set_told(tx: &mut Transaction<'_>, council: &CouncilId, id: &OneOperatorId, at: Moment) -> Result<()> {
    diesel::update(settings::table.find((council, id))).set(settings::told_at.eq(Some(at))).execute(tx.connection)?;
    Ok(())
}

/// Ends an announcement; whether it stood.
pub fn end(tx: &mut Transaction<'_>, council: &CouncilId, id: &OneOperatorId, by: &str, at: Moment) -> Result<bool> {
    let standing = settings::table.find((council, id)).filter(settings::ended_at.is_null());
    Ok(diesel::update(standing)
        .set((settings::ended_by.eq(Some(by)), settings::ended_at.eq(Some(at))))
        .execute(tx.connection)?
        == 1)
}
