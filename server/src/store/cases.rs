//! Losses and leavers.

use diesel::prelude::*;

use super::Transaction;
use super::assets::Asset;
use super::commands::CommandRow;
use super::connection::directly;
use super::schema::{assets, cases, commands, push_certificates};
use super::written::{CaseAwaitsContact, CaseIsUnclosed};
use crate::error::Result;
use crate::model::{AssetId, CaseId, CaseKind, CaseState, CouncilId, DeviceId, Moment, PushCertificateState};

/// A row of `cases`; the migration says what each column means.
#[derive(Clone, Debug, HasQuery, Insertable)]
#[diesel(table_name = cases)]
#[allow(missing_docs, reason = "the migration says what each column means")]
pub struct Case {
    pub council_id: CouncilId,
    pub id: CaseId,
    pub kind: CaseKind,
    pub asset_id: AssetId,
    pub device_id: Option<DeviceId>,
    pub state: CaseState,
    pub reported_by: String,
    pub reporter: String,
    pub reported_at: Moment,
    pub happened_at: Option<Moment>,
    pub place: String,
    pub circumstances: String,
    pub aware_at: Moment,
    pub contact_message: String,
    pub contact_number: String,
    pub police_reference: String,
    pub found_at: Option<Moment>,
    pub found_by: Option<String>,
    pub back_in_use_at: Option<Moment>,
    pub closed_at: Option<Moment>,
    pub closed_by: Option<String>,
    pub outcome: Option<String>,
}

/// Adds a case.
pub fn insert(tx: &mut Transaction<'_>, case: &Case) -> Result<()> {
    diesel::insert_into(cases::table).values(case).execute(tx.connection)?;
    Ok(())
}

/// The case with this id.
pub fn find(tx: &mut Transaction<'_>, id: &CaseId) -> Result<Option<Case>> {
    Ok(Case::query().filter(cases::id.eq(id)).first(tx.connection).optional()?)
}

/// The council's cases with one of these ids.
pub fn with_ids(tx: &mut Transaction<'_>, council: &CouncilId, ids: &[CaseId]) -> Result<Vec<Case>> {
    Ok(Case::query().filter(cases::council_id.eq(council).and(cases::id.eq_any(ids))).load(tx.connection)?)
}

/// The case of this kind about this asset that is not closed.
pub fn unclosed_of_asset(
    tx: &mut Transaction<'_>,
    council: &CouncilId,
    asset: &AssetId,
    kind: CaseKind,
) -> Result<Option<Case>> {
    Ok(Case::query()
        .filter(cases::council_id.eq(council).and(cases::asset_id.eq(asset)).and(cases::kind.eq(kind)))
        .filter(cases::state.ne("closed"))
        .first(tx.connection)
        .optional()?)
}

/// The cases of this kind about these assets that are not closed.
pub fn unclosed_of_assets(
    tx: &mut Transaction<'_>,
    council: &CouncilId,
    assets: Vec<AssetId>,
    kind: CaseKind,
) -> Result<Vec<Case>> {
    Ok(Case::query()
        .filter(cases::council_id.eq(council).and(cases::asset_id.eq_any(assets)).and(cases::kind.eq(kind)))
        .filter(cases::state.ne("closed"))
        .order(cases::id)
        .load(tx.connection)?)
}

/// The newest cases about this device, closed or not, newest first.
pub fn last_of_device(
    tx: &mut Transaction<'_>,
    council: &CouncilId,
    device: &DeviceId,
    limit: i64,
) -> Result<Vec<Case>> {
    Ok(Case::query()
        .filter(cases::council_id.eq(council).and(cases::device_id.eq(device)))
        .order(cases::id.desc())
        .limit(limit)
        .load(tx.connection)?)
}

/// The cases about this device that are not closed, oldest first.
pub fn unclosed_of_device(tx: &mut Transaction<'_>, council: &CouncilId, device: &DeviceId) -> Result<Vec<Case>> {
    Ok(directly!(tx, |connection| Case::query()
        .filter(cases::council_id.eq(council).and(cases::device_id.eq(device)))
        .filter(cases::state.ne("closed"))
        .order(cases::id)
        .load(connection))?)
}

/// The devices of the council that were found and have not been heard from since.
pub fn awaited_devices(tx: &mut Transaction<'_>, council: &CouncilId) -> Result<Vec<DeviceId>> {
    let devices = directly!(tx, |connection| cases::table
        .filter(cases::council_id.eq(council))
        .filter(CaseIsUnclosed)
        .filter(CaseAwaitsContact)
        .select(cases::device_id)
        .load::<Option<DeviceId>>(connection));
    Ok(devices?.into_iter().flatten().collect())
}

/// The council's cases of this kind after `after`, by id.
pub fn page(
    tx: &mut Transaction<'_>,
    council: &CouncilId,
    kind: CaseKind,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Case>> {
    let mut query = Case::query()
        .filter(cases::council_id.eq(council.clone()).and(cases::kind.eq(kind)))
        .order(cases::id)
        .limit(limit)
        .into_boxed();
    if let Some(after) = after {
        query = query.filter(cases::id.gt(after.to_owned()));
    }
    Ok(query.load(tx.connection)?)
}

/// The item's losses, newest first, at most `limit`.
pub fn losses_of_asset(
    tx: &mut Transaction<'_>,
    council: &CouncilId,
    asset: &AssetId,
    limit: i64,
) -> Result<Vec<Case>> {
    Ok(Case::query()
        .filter(cases::council_id.eq(council).and(cases::asset_id.eq(asset)))
        .filter(cases::kind.eq(CaseKind::Loss))
        .order(cases::id.desc())
        .limit(limit)
        .load(tx.connection)?)
}

/// The council's cases of this kind that are not closed, oldest first.
pub fn unclosed(tx: &mut Transaction<'_>, council: &CouncilId, kind: CaseKind, limit: i64) -> Result<Vec<Case>> {
    Ok(Case::query()
        .filter(cases::council_id.eq(council).and(cases::kind.eq(kind)))
        .filter(CaseIsUnclosed)
        .order(cases::id)
        .limit(limit)
        .load(tx.connection)?)
}

/// Writes what may change in a case.
pub fn update(tx: &mut Transaction<'_>, case: &Case) -> Result<()> {
    diesel::update(cases::table.filter(cases::council_id.eq(&case.council_id).and(cases::id.eq(&case.id))))
        .set((
            cases::device_id.eq(&case.device_id),
            cases::state.eq(case.state),
            cases::place.eq(&case.place),
            cases::circumstances.eq(&case.circumstances),
            cases::contact_message.eq(&case.contact_message),
            cases::contact_number.eq(&case.contact_number),
            cases::police_reference.eq(&case.police_reference),
            cases::found_at.eq(case.found_at),
            cases::found_by.eq(&case.found_by),
            cases::back_in_use_at.eq(case.back_in_use_at),
            cases::closed_at.eq(case.closed_at),
            cases::closed_by.eq(&case.closed_by),
            cases::outcome.eq(&case.outcome),
        ))
        .execute(tx.connection)?;
    Ok(())
}

/// The item on the register that a case is about.
pub fn asset(tx: &mut Transaction<'_>, id: &AssetId) -> Result<Option<Asset>> {
    Ok(Asset::query().filter(assets::id.eq(id)).first(tx.connection).optional()?)
}

/// The commands that served a case and were not purged yet, oldest first.
pub fn commands(tx: &mut Transaction<'_>, council: &CouncilId, case: &CaseId) -> Result<Vec<CommandRow>> {
    Ok(CommandRow::query()
        .filter(commands::council_id.eq(council).and(commands::case_id.eq(case)))
        .order(commands::id)
        .load(tx.connection)?)
}

/// When the push certificate for `topic` runs out; none when there is none in use. The outer option says whether there
/// is a certificate at all.
pub fn push_certificate_end(
    tx: &mut Transaction<'_>,
    council: &CouncilId,
    topic: &str,
) -> Result<Option<Option<Moment>>> {
    Ok(push_certificates::table
        .filter(push_certificates::council_id.eq(council).and(push_certificates::topic.eq(topic)))
        .filter(push_certificates::state.eq_any([PushCertificateState::Current, PushCertificateState::Retiring]))
        .order(push_certificates::id.desc())
        .select(push_certificates::not_after)
        .first(tx.connection)
        .optional()?)
}
