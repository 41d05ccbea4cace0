//! The last answer of each kind from each device.

use diesel::prelude::*;
use diesel::sql_types::{Text, Timestamp};

use super::Transaction;
use super::connection::directly;
use super::enrolments::Enrolment;
use super::kept::kept;
use super::schema::{assets, commands, enrolments, reports};
use super::written::CommandIsOpen;
use crate::error::Result;
use crate::model::{AssetId, CommandKind, CouncilId, EnrolmentId, EnrolmentState, Moment, Platform};

/// A row of `reports`; the migration says what each column means.
#[derive(Clone, Debug, HasQuery, Insertable)]
#[diesel(table_name = reports)]
#[allow(missing_docs, reason = "the migration says what each column means")]
pub struct Report {
    pub council_id: CouncilId,
    pub enrolment_id: EnrolmentId,
    pub kind: String,
    pub answer: String,
    pub received_at: Moment,
}

kept!(
    /// An answer, in place of the earlier one of its kind.
    Put: "INSERT INTO reports (council_id, enrolment_id, kind, answer, received_at) VALUES (",
    council: Text = CouncilId, ", ",
    enrolment: Text = EnrolmentId, ", ",
    kind: Text = String, ", ",
    answer: Text = String, ", ",
    at: Timestamp = Moment, ") ON CONFLICT (council_id, enrolment_id, kind) DO UPDATE SET answer = excluded.answer, \
     received_at = excluded.received_at",
);

/// Keeps an answer in place of the earlier one of its kind.
pub fn put(tx: &mut Transaction<'_>, report: &Report) -> Result<()> {
    let put = Put {
        council: &report.council_id,
        enrolment: &report.enrolment_id,
        kind: &report.kind,
        answer: &report.answer,
        at: &report.received_at,
    };
    put.run(tx)?;
    Ok(())
}

/// The last answer of one kind.
pub fn find(
    tx: &mut Transaction<'_>,
    council: &CouncilId,
    enrolment: &EnrolmentId,
    kind: CommandKind,
) -> Result<Option<Report>> {
    find_named(tx, council, enrolment, kind.as_str())
}

/// The last report under this name.
pub fn find_named(
    tx: &mut Transaction<'_>,
    council: &CouncilId,
    enrolment: &EnrolmentId,
    kind: &str,
) -> Result<Option<Report>> {
    let report = directly!(tx, |connection| Report::query()
        .filter(reports::council_id.eq(council).and(reports::enrolment_id.eq(enrolment)))
        .filter(reports::kind.eq(kind))
        .first(connection));
    Ok(report.optional()?)
}

/// The kinds of answers from which an iPhone is judged.
pub const JUDGED: [CommandKind; 3] =
    [CommandKind::DeviceInformation, CommandKind::SecurityInfo, CommandKind::ProfileList];

/// The last answers of the kinds from which an iPhone is judged.
pub fn judged(tx: &mut Transaction<'_>, council: &CouncilId, enrolment: &EnrolmentId) -> Result<Vec<Report>> {
    let [one, two, three] = JUDGED.map(CommandKind::as_str);
    // Each spelled out: a list would have to be prepared anew each time.
    Ok(directly!(tx, |connection| Report::query()
        .filter(reports::council_id.eq(council).and(reports::enrolment_id.eq(enrolment)))
        .filter(reports::kind.eq(one).or(reports::kind.eq(two)).or(reports::kind.eq(three)))
        .load(connection))?)
}

/// The last answers of these kinds.
pub fn of_kinds(
    tx: &mut Transaction<'_>,
    council: &CouncilId,
    enrolment: &EnrolmentId,
    kinds: &[CommandKind],
) -> Result<Vec<Report>> {
    let kinds: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
    Ok(Report::query()
        .filter(reports::council_id.eq(council).and(reports::enrolment_id.eq(enrolment)))
        .filter(reports::kind.eq_any(kinds))
        .load(tx.connection)?)
}

/// When each kind was last answered.
pub fn times(tx: &mut Transaction<'_>, council: &CouncilId, enrolment: &EnrolmentId) -> Result<Vec<(String, Moment)>> {
    Ok(reports::table
        .filter(reports::council_id.eq(council).and(reports::enrolment_id.eq(enrolment)))
        .order(reports::kind)
        .select((reports::kind, reports::received_at))
        .load(tx.connection)?)
}

/// The kinds and payloads of the commands that this enrolment has yet to answer.
pub fn open_commands(tx: &mut Transaction<'_>, enrolment: &Enrolment) -> Result<Vec<(CommandKind, String)>> {
    Ok(commands::table
        .filter(commands::council_id.eq(&enrolment.council_id).and(commands::enrolment_id.eq(&enrolment.id)))
        .filter(CommandIsOpen)
        // The order leads SQLite to the index of what is open.
        .order((commands::priority, commands::id))
        .select((commands::kind, commands::payload))
        .load(tx.connection)?)
}

/// When InstallProfile was last queued for this enrolment.
pub fn profile_last_queued(tx: &mut Transaction<'_>, enrolment: &Enrolment) -> Result<Option<Moment>> {
    Ok(commands::table
        .filter(commands::council_id.eq(&enrolment.council_id).and(commands::enrolment_id.eq(&enrolment.id)))
        .filter(commands::kind.eq(CommandKind::InstallProfile))
        .order(commands::id.desc())
        .select(commands::created_at)
        .first(tx.connection)
        .optional()?)
}

/// Notes which version of the policy the device reports, if any.
pub fn set_profile_version(tx: &mut Transaction<'_>, enrolment: &Enrolment, version: Option<i64>) -> Result<()> {
    diesel::update(enrolments::table.find((&enrolment.council_id, &enrolment.id)))
        .set(enrolments::profile_version.eq(version))
        .execute(tx.connection)?;
    Ok(())
}

/// Notes whether the device reports a mode other than the invitation's.
pub fn set_mode_disagrees(tx: &mut Transaction<'_>, enrolment: &Enrolment, disagrees: bool) -> Result<()> {
    diesel::update(enrolments::table.find((&enrolment.council_id, &enrolment.id)))
        .set(enrolments::mode_disagrees.eq(disagrees))
        .execute(tx.connection)?;
    Ok(())
}

/// The council's live enrolments after `after`, by id.
pub fn live_enrolments(
    tx: &mut Transaction<'_>,
    council: &CouncilId,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Enrolment>> {
    Ok(Enrolment::query()
        .filter(enrolments::council_id.eq(council).and(enrolments::id.gt(after.unwrap_or_default().to_owned())))
        .filter(enrolments::state.eq(EnrolmentState::Enrolled))
        .order(enrolments::id)
        .limit(limit)
        .load(tx.connection)?)
}

/// Up to `limit` enrolled Apple devices after the id `after`, by id, each with the time of its last DeviceInformation.
pub fn last_reports(
    tx: &mut Transaction<'_>,
    after: &str,
    limit: i64,
) -> Result<Vec<(CouncilId, EnrolmentId, Option<Moment>)>> {
    let ours = reports::council_id
        .eq(enrolments::council_id)
        .and(reports::enrolment_id.eq(enrolments::id))
        .and(reports::kind.eq(CommandKind::DeviceInformation.as_str()));
    Ok(enrolments::table
        .left_join(reports::table.on(ours))
        .filter(enrolments::id.gt(after.to_owned()))
        .filter(enrolments::state.eq(EnrolmentState::Enrolled).and(enrolments::platform.eq(Platform::Apple)))
        .order(enrolments::id)
        .limit(limit)
        .select((enrolments::council_id, enrolments::id, reports::received_at.nullable()))
        .load(tx.connection)?)
}

/// The serial number on the register.
pub fn serial_of_asset(tx: &mut Transaction<'_>, council: &CouncilId, asset: &AssetId) -> Result<Option<String>> {
    let serial: Option<Option<String>> = assets::table
        .filter(assets::council_id.eq(council).and(assets::id.eq(asset)))
        .select(assets::serial)
        .first(tx.connection)
        .optional()?;
    Ok(serial.flatten().filter(|serial| !serial.is_empty()))
}
