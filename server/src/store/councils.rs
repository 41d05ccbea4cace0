//! Councils: the tenants.

use diesel::prelude::*;

use super::Transaction;
use super::schema::councils;
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
