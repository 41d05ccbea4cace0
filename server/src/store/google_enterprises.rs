//! Each council's enterprise at Google.

use diesel::prelude::*;

use super::Transaction;
use super::schema::{enrolments, google_enterprises};
use crate::error::Result;
use crate::model::{CouncilId, EnterpriseId, Moment, Platform};

/// A row of `google_enterprises`; the migration says what each column means.
#[derive(Clone, Debug, HasQuery, Insertable)]
#[diesel(table_name = google_enterprises)]
#[allow(missing_docs, reason = "the migration says what each column means")]
pub struct Enterprise {
    pub council_id: CouncilId,
    pub id: EnterpriseId,
    pub project_id: String,
    pub name: String,
    pub notifications_on: bool,
    pub connected_by: String,
    pub connected_at: Moment,
    pub reconciled_at: Option<Moment>,
    pub disconnected_by: Option<String>,
    pub disconnected_at: Option<Moment>,
}

/// Adds an enterprise.
pub fn insert(tx: &mut Transaction<'_>, enterprise: &Enterprise) -> Result<()> {
    diesel::insert_into(google_enterprises::table).values(enterprise).execute(tx.connection)?;
    Ok(())
}

/// The council's enterprise, where it is connected.
pub fn current(tx: &mut Transaction<'_>, council: &CouncilId) -> Result<Option<Enterprise>> {
    Ok(Enterprise::query()
        .filter(google_enterprises::council_id.eq(council).and(google_enterprises::disconnected_at.is_null()))
        .first(tx.connection)
        .optional()?)
}

/// The enterprise with this name at Google, disconnected or not: whose it is, is read from here.
pub fn find_by_name(tx: &mut Transaction<'_>, name: &str) -> Result<Option<Enterprise>> {
    Ok(Enterprise::query().filter(google_enterprises::name.eq(name)).first(tx.connection).optional()?)
}

/// Every connected enterprise after `after`, by council; for the jobs that go through all of them.
pub fn connected(tx: &mut Transaction<'_>, after: &str, limit: i64) -> Result<Vec<Enterprise>> {
    Ok(Enterprise::query()
        .filter(google_enterprises::disconnected_at.is_null())
        .filter(google_enterprises::council_id.gt(after.to_owned()))
        .order(google_enterprises::council_id)
        .limit(limit)
        .load(tx.connection)?)
}

/// Notes that Google sends notifications about it.
pub fn set_notifications_on(tx: &mut Transaction<'_>, enterprise: &Enterprise) -> Result<()> {
    diesel::update(google_enterprises::table.find((&enterprise.council_id, &enterprise.id)))
        .set(google_enterprises::notifications_on.eq(true))
        .execute(tx.connection)?;
    Ok(())
}

/// Notes when all its devices were last read.
pub fn set_reconciled(tx: &mut Transaction<'_>, enterprise: &Enterprise, at: Moment) -> Result<()> {
    diesel::update(google_enterprises::table.find((&enterprise.council_id, &enterprise.id)))
        .set(google_enterprises::reconciled_at.eq(Some(at)))
        .execute(tx.connection)?;
    Ok(())
}

/// Disconnects it; `false` when it was disconnected before.
pub fn disconnect(tx: &mut Transaction<'_>, enterprise: &Enterprise, by: &str, at: Moment) -> Result<bool> {
    let changed = diesel::update(google_enterprises::table.find((&enterprise.council_id, &enterprise.id)))
        .filter(google_enterprises::disconnected_at.is_null())
        .set((google_enterprises::disconnected_at.eq(Some(at)), google_enterprises::disconnected_by.eq(Some(by))))
        .execute(tx.connection)?;
    Ok(changed == 1)
}

/// Whether any Android phone of the council is under management.
pub fn any_enrolled(tx: &mut Transaction<'_>, council: &CouncilId) -> Result<bool> {
    Ok(enrolments::table
        .filter(enrolments::council_id.eq(council).and(enrolments::platform.eq(Platform::Android)))
        .filter(enrolments::ended_at.is_null())
        .select(enrolments::id)
        .first::<String>(tx.connection)
        .optional()?
        .is_some())
}
