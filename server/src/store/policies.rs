//! Versions of each council's policy.

use diesel::prelude::*;

use super::Transaction;
use super::connection::directly;
use super::schema::policies;
use crate::error::Result;
use crate::model::{CouncilId, Moment};

/// A row of `policies`; the migration says what each column means.
#[derive(Clone, Debug, HasQuery, Insertable)]
#[diesel(table_name = policies)]
#[allow(missing_docs, reason = "the migration says what each column means")]
pub struct PolicyVersion {
    pub council_id: CouncilId,
    pub version: i64,
    pub settings: String,
    pub note: String,
    pub changed_by: String,
    pub changed_at: Moment,
}

/// Adds a version.
pub fn insert(tx: &mut Transaction<'_>, version: &PolicyVersion) -> Result<()> {
    diesel::insert_into(policies::table).values(version).execute(tx.connection)?;
    Ok(())
}

/// The version in force.
pub fn current(tx: &mut Transaction<'_>, council: &CouncilId) -> Result<Option<PolicyVersion>> {
    let newest = directly!(tx, |connection| PolicyVersion::query()
        .filter(policies::council_id.eq(council))
        .order(policies::version.desc())
        .first(connection));
    Ok(newest.optional()?)
}

/// The number of the version in force.
pub fn current_number(tx: &mut Transaction<'_>, council: &CouncilId) -> Result<Option<i64>> {
    Ok(policies::table
        .filter(policies::council_id.eq(council))
        .order(policies::version.desc())
        .select(policies::version)
        .first(tx.connection)
        .optional()?)
}

/// One version.
pub fn find(tx: &mut Transaction<'_>, council: &CouncilId, version: i64) -> Result<Option<PolicyVersion>> {
    Ok(PolicyVersion::query()
        .filter(policies::council_id.eq(council).and(policies::version.eq(version)))
        .first(tx.connection)
        .optional()?)
}

/// Versions before `before`, newest first.
pub fn page(
    tx: &mut Transaction<'_>,
    council: &CouncilId,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<PolicyVersion>> {
    Ok(PolicyVersion::query()
        .filter(policies::council_id.eq(council).and(policies::version.lt(before.unwrap_or(i64::MAX))))
        .order(policies::version.desc())
        .limit(limit)
        .load(tx.connection)?)
}
