//! Per setting: in force or not, since when.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use super::Transaction;
use super::connection::directly;
use super::schema::setting_states;
use crate::error::Result;
use crate::model::{CouncilId, DeviceId, EnrolmentId, Moment, SettingState};

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

/// Every setting of one enrolment as it is judged, with the reason: what a new judgement is compared with.
pub fn judgements(
    tx: &mut Transaction<'_>,
    council: &CouncilId,
    enrolment: &EnrolmentId,
) -> Result<Vec<(String, SettingState, String)>> {
    let rows = setting_states::table
        .filter(setting_states::council_id.eq(council).and(setting_states::enrolment_id.eq(enrolment)));
    let rows = rows.select((setting_states::setting, setting_states::state, setting_states::reason));
    Ok(directly!(tx, |connection| rows.load(connection))?)
}

/// A device that reports settings as not in force.
#[derive(Clone, Debug, QueryableByName)]
pub struct Unmet {
    /// The device.
    #[diesel(sql_type = Text)]
    pub device_id: DeviceId,
    /// The tag of the item that it is.
    #[diesel(sql_type = Text)]
    pub tag: String,
    /// How many settings.
    #[diesel(sql_type = BigInt)]
    pub settings: i64,
}

/// Some of the council's devices under management that report settings as not in force, by tag: where there are more than
/// `limit`, those that enrolled first.
pub fn unmet(tx: &mut Transaction<'_>, council: &CouncilId, limit: i64) -> Result<Vec<Unmet>> {
    // CROSS JOIN, so that SQLite begins with what is not in force, however few devices it believes there are. The groups come in
    // the order of their index, so that the first of them are found without counting all.
    let mut found: Vec<Unmet> = diesel::sql_query(
        "SELECT e.device_id, s.settings, (SELECT a.tag FROM devices d \
         JOIN assets a ON a.council_id = d.council_id AND a.id = d.asset_id \
         WHERE d.council_id = e.council_id AND d.id = e.device_id) AS tag \
         FROM (SELECT council_id, enrolment_id, COUNT(*) AS settings FROM setting_states \
         WHERE council_id = $1 AND state = 'not_in_force' GROUP BY council_id, enrolment_id \
         ORDER BY council_id, enrolment_id) s \
         CROSS JOIN enrolments e \
         WHERE e.council_id = s.council_id AND e.id = s.enrolment_id AND e.ended_at IS NULL LIMIT $2",
    )
    .bind::<Text, _>(council)
    .bind::<BigInt, _>(limit)
    .load(tx.connection)?;
    found.sort_by(|one, other| one.tag.cmp(&other.tag));
    Ok(found)
}

/// How many of the council's devices under management report each setting as not in force, by setting.
pub fn unmet_by_setting(tx: &mut Transaction<'_>, council: &CouncilId) -> Result<Vec<(String, i64)>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        setting: String,
        #[diesel(sql_type = BigInt)]
        devices: i64,
    }
    let rows: Vec<Row> = diesel::sql_query(
        "SELECT s.setting, COUNT(*) AS devices FROM setting_states s \
         CROSS JOIN enrolments e \
         WHERE s.council_id = $1 AND s.state = 'not_in_force' \
         AND e.council_id = s.council_id AND e.id = s.enrolment_id AND e.ended_at IS NULL \
         GROUP BY s.setting ORDER BY s.setting",
    )
    .bind::<Text, _>(council)
    .load(tx.connection)?;
    Ok(rows.into_iter().map(|row| (row.setting, row.devices)).collect())
}

/// How many settings an enrolment reports as not in force.
pub fn count_unmet(tx: &mut Transaction<'_>, council: &CouncilId, enrolment: &EnrolmentId) -> Result<i64> {
    // The state stands in the text, so that the index of what is not in force serves on both databases.
    Ok(setting_states::table
        .filter(setting_states::council_id.eq(council).and(setting_states::enrolment_id.eq(enrolment)))
        .filter(diesel::dsl::sql::<diesel::sql_types::Bool>("setting_states.state = 'not_in_force'"))
        .count()
        .get_result(tx.connection)?)
}

/// Adds a setting's state.
pub fn insert(tx: &mut Transaction<'_>, row: &SettingStateRow) -> Result<()> {
    diesel::insert_into(setting_states::table).values(row).execute(tx.connection)?;
    Ok(())
}

/// One setting on one enrolment.
type Key<'a> = (&'a CouncilId, &'a EnrolmentId, &'a str);

/// Writes a setting's changed state or reason; `since` where the state changed.
pub fn update(
    tx: &mut Transaction<'_>,
    key: Key<'_>,
    state: SettingState,
    reason: &str,
    since: Option<Moment>,
) -> Result<()> {
    diesel::update(setting_states::table.find(key))
        .set((
            setting_states::state.eq(state),
            setting_states::reason.eq(reason),
            since.map(|since| setting_states::since.eq(since)),
        ))
        .execute(tx.connection)?;
    Ok(())
}

/// Removes the state of a setting that the policy no longer asks for.
pub fn remove(tx: &mut Transaction<'_>, key: Key<'_>) -> Result<()> {
    diesel::delete(setting_states::table.find(key)).execute(tx.connection)?;
    Ok(())
}
