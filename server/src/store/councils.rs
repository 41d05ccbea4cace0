//! Councils: the tenants.

use diesel::prelude::*;

use super::Transaction;
use super::authorities::AuthorityRow;
use super::policies::PolicyVersion;
use super::schema::{alerts, authorities, cases, councils, enrolments, policies};
use crate::error::Result;
use crate::model::{CouncilId, Moment};

/// A row of `councils`; the migration says what each column means.
#[derive(Clone, Debug, HasQuery, Insertable)]
#[diesel(table_name = councils)]
#[allow(missing_docs, reason = "the migration says what each column means")]
pub struct Council {
    pub id: CouncilId,
    pub slug: String,
    pub name: String,
    pub public_url: String,
    pub time_zone: String,
    pub scep_legacy: bool,
    pub created_at: Moment,
    pub ended_at: Option<Moment>,
}

/// Adds a council.
pub fn insert(tx: &mut Transaction<'_>, council: &Council) -> Result<()> {
    diesel::insert_into(councils::table).values(council).execute(tx.connection)?;
    Ok(())
}

/// The council with this id.
pub fn find(tx: &mut Transaction<'_>, id: &CouncilId) -> Result<Option<Council>> {
    Ok(Council::query().filter(councils::id.eq(id)).first(tx.connection).optional()?)
}

/// The council with this short name or this public address, for refusing a second one.
pub fn find_taken(tx: &mut Transaction<'_>, slug: &str, public_url: &str) -> Result<Option<Council>> {
    Ok(Council::query()
        .filter(councils::slug.eq(slug).or(councils::public_url.eq(public_url)))
        .first(tx.connection)
        .optional()?)
}

/// The council whose public address this is, as long as there is the council.
pub fn find_by_public_url(tx: &mut Transaction<'_>, public_url: &str) -> Result<Option<Council>> {
    Ok(Council::query()
        .filter(councils::public_url.eq(public_url).and(councils::ended_at.is_null()))
        .first(tx.connection)
        .optional()?)
}

/// The council with this short name.
pub fn find_by_slug(tx: &mut Transaction<'_>, slug: &str) -> Result<Option<Council>> {
    Ok(Council::query().filter(councils::slug.eq(slug)).first(tx.connection).optional()?)
}

/// Councils after `after`, by id; `only` restricts to one council.
pub fn page(
    tx: &mut Transaction<'_>,
    only: Option<&CouncilId>,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Council>> {
    let mut query = Council::query().order(councils::id).limit(limit).into_boxed();
    if let Some(only) = only {
        query = query.filter(councils::id.eq(only));
    }
    if let Some(after) = after {
        query = query.filter(councils::id.gt(after.to_owned()));
    }
    Ok(query.load(tx.connection)?)
}

/// Adds a council with its authority and the first version of its policy: there is never one without the others.
pub fn insert_whole(
    tx: &mut Transaction<'_>,
    council: &Council,
    authority: &AuthorityRow,
    policy: &PolicyVersion,
) -> Result<()> {
    insert(tx, council)?;
    diesel::insert_into(authorities::table).values(authority).execute(tx.connection)?;
    diesel::insert_into(policies::table).values(policy).execute(tx.connection)?;
    Ok(())
}

/// Writes what may change of a council.
pub fn update(tx: &mut Transaction<'_>, council: &Council) -> Result<()> {
    diesel::update(councils::table.find(&council.id))
        .set((
            councils::name.eq(&council.name),
            councils::time_zone.eq(&council.time_zone),
            councils::scep_legacy.eq(council.scep_legacy),
        ))
        .execute(tx.connection)?;
    Ok(())
}

/// How much there is of a council now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct Counts {
    /// Devices under management.
    pub managed_devices: i64,
    /// Losses and leavers that are not closed.
    pub open_cases: i64,
    /// Alerts that nobody has acknowledged and nothing has ended.
    pub open_alerts: i64,
}

/// Counts what is open, each from an index that holds nothing else.
pub fn counts(tx: &mut Transaction<'_>, id: &CouncilId) -> Result<Counts> {
    Ok(Counts {
        managed_devices: enrolments::table
            .filter(enrolments::council_id.eq(id).and(enrolments::ended_at.is_null()))
            .count()
            .get_result(tx.connection)?,
        open_cases: cases::table
            .filter(cases::council_id.eq(id).and(cases::state.ne("closed")))
            .count()
            .get_result(tx.connection)?,
        open_alerts: alerts::table
            .filter(alerts::council_id.eq(id).and(alerts::ended_at.is_null()))
            .count()
            .get_result(tx.connection)?,
    })
}
