//! Per setting: in force or not, since when.

use diesel::prelude::*;

use super::Transaction;
use super::schema::setting_states;
use crate::error::Result;
use crate::model::{CouncilId, EnrolmentId, Moment, SettingState};

/// A row of `setting_states`; the migration says what each column means.
#[derive(Clone, Debug, HasQuery, Insertable)]
#[diesel(table_name = setting_states)]
#[allow(missing_docs, reason = "the migration says what each column means")]
pub struct SettingStateRow {
    pub council_id: CouncilId,
    pub enrolment_id: EnrolmentId,
    pub setting: String,
    pub state: SettingState,
    pub reason: String,
    pub since: Moment,
    pub checked_at: Moment,
}

/// Every setting's state on one enrolment, by setting.
pub fn of_enrolment(
    tx: &mut Transaction<'_>,
    council: &CouncilId,
    enrolment: &EnrolmentId,
) -> Result<Vec<SettingStateRow>> {
    Ok(SettingStateRow::query()
        .filter(setting_states::council_id.eq(council).and(setting_states::enrolment_id.eq(enrolment)))
        .order(setting_states::setting)
        .load(tx.connection)?)
}

/// Adds a setting's state.
pub fn insert(tx: &mut Transaction<'_>, row: &SettingStateRow) -> Result<()> {
    diesel::insert_into(setting_states::table).values(row).execute(tx.connection)?;
    Ok(())
}

/// Writes a setting's changed state or reason.
pub fn update(tx: &mut Transaction<'_>, row: &SettingStateRow) -> Result<()> {
    diesel::update(setting_states::table.find((&row.council_id, &row.enrolment_id, &row.setting)))
        .set((
            setting_states::state.eq(row.state),
            setting_states::reason.eq(&row.reason),
            setting_states::since.eq(row.since),
        ))
        .execute(tx.connection)?;
    Ok(())
}

/// Removes the state of a setting that the policy no longer asks for.
pub fn remove(tx: &mut Transaction<'_>, row: &SettingStateRow) -> Result<()> {
    diesel::delete(setting_states::table.find((&row.council_id, &row.enrolment_id, &row.setting)))
        .execute(tx.connection)?;
    Ok(())
}

/// Notes that every setting of an enrolment was judged now.
pub fn mark_checked(tx: &mut Transaction<'_>, council: &CouncilId, enrolment: &EnrolmentId, now: Moment) -> Result<()> {
    diesel::update(
        setting_states::table
            .filter(setting_states::council_id.eq(council).and(setting_states::enrolment_id.eq(enrolment))),
    )
    .set(setting_states::checked_at.eq(now))
    .execute(tx.connection)?;
    Ok(())
}
