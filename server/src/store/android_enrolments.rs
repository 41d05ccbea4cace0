//! What an Android enrolment has beyond its platform-neutral row.

use diesel::prelude::*;

use super::Transaction;
use super::schema::{android_enrolments, enrolments, orders};
use crate::error::Result;
use crate::model::{CouncilId, EnrolmentId, Moment, OrderState, Posture};

/// A row of `android_enrolments`; the migration says what each column means.
#[derive(Clone, Debug, HasQuery, Insertable)]
#[diesel(table_name = android_enrolments)]
#[allow(missing_docs, reason = "the migration says what each column means")]
pub struct AndroidEnrolment {
    pub council_id: CouncilId,
    pub enrolment_id: EnrolmentId,
    pub device_name: String,
    pub posture: Posture,
    pub posture_sent: Posture,
    pub api_level: Option<i64>,
    pub google_state: String,
    pub reported_at: Option<Moment>,
    pub read_at: Moment,
}

/// What stands in the column `enrolments.fingerprint`, since an Android enrolment has no certificate.
#[must_use]
pub fn fingerprint(device_name: &str) -> String {
    format!("google:{device_name}")
}

/// Adds a row.
pub fn insert(tx: &mut Transaction<'_>, row: &AndroidEnrolment) -> Result<()> {
    diesel::insert_into(android_enrolments::table).values(row).execute(tx.connection)?;
    Ok(())
}

/// Of this enrolment.
pub fn find(tx: &mut Transaction<'_>, council: &CouncilId, id: &EnrolmentId) -> Result<Option<AndroidEnrolment>> {
    Ok(AndroidEnrolment::query()
        .filter(android_enrolments::council_id.eq(council).and(android_enrolments::enrolment_id.eq(id)))
        .first(tx.connection)
        .optional()?)
}

/// Of the device with this name at Google, of whichever council.
pub fn find_by_device(tx: &mut Transaction<'_>, device_name: &str) -> Result<Option<AndroidEnrolment>> {
    Ok(AndroidEnrolment::query()
        .filter(android_enrolments::device_name.eq(device_name))
        .first(tx.connection)
        .optional()?)
}

/// Notes what was read at Google.
pub fn set_read(tx: &mut Transaction<'_>, row: &AndroidEnrolment) -> Result<()> {
    diesel::update(android_enrolments::table.find((&row.council_id, &row.enrolment_id)))
        .set((
            android_enrolments::api_level.eq(row.api_level),
            android_enrolments::google_state.eq(&row.google_state),
            android_enrolments::reported_at.eq(row.reported_at),
            android_enrolments::read_at.eq(row.read_at),
        ))
        .execute(tx.connection)?;
    Ok(())
}

/// Says which of the council's policies the phone is to have.
pub fn want_posture(tx: &mut Transaction<'_>, council: &CouncilId, id: &EnrolmentId, posture: Posture) -> Result<()> {
    diesel::update(android_enrolments::table.find((council, id)))
        .set(android_enrolments::posture.eq(posture))
        .execute(tx.connection)?;
    Ok(())
}

/// Notes which policy Google gives the phone.
pub fn posture_sent(tx: &mut Transaction<'_>, council: &CouncilId, id: &EnrolmentId, posture: Posture) -> Result<()> {
    diesel::update(android_enrolments::table.find((council, id)))
        .set(android_enrolments::posture_sent.eq(posture))
        .execute(tx.connection)?;
    Ok(())
}

/// The council's live enrolments after `after`, by id.
pub fn live_page(
    tx: &mut Transaction<'_>,
    council: &CouncilId,
    after: &str,
    limit: i64,
) -> Result<Vec<AndroidEnrolment>> {
    Ok(android_enrolments::table
        .inner_join(
            enrolments::table.on(enrolments::council_id
                .eq(android_enrolments::council_id)
                .and(enrolments::id.eq(android_enrolments::enrolment_id))),
        )
        .filter(android_enrolments::council_id.eq(council))
        .filter(android_enrolments::enrolment_id.gt(after.to_owned()))
        .filter(enrolments::ended_at.is_null())
        .order(android_enrolments::enrolment_id)
        .limit(limit)
        .select(android_enrolments::all_columns)
        .load(tx.connection)?)
}

/// The names at Google of the council's phones whose wipe is confirmed and whose record was not tidied away yet.
pub fn wiped_and_not_forgotten(tx: &mut Transaction<'_>, council: &CouncilId) -> Result<Vec<String>> {
    Ok(android_enrolments::table
        .inner_join(
            orders::table.on(orders::council_id
                .eq(android_enrolments::council_id)
                .and(orders::enrolment_id.eq(android_enrolments::enrolment_id))),
        )
        .filter(orders::council_id.eq(council))
        .filter(orders::state.eq(OrderState::Confirmed).and(orders::record_forgotten_at.is_null()))
        .select(android_enrolments::device_name)
        .load(tx.connection)?)
}
