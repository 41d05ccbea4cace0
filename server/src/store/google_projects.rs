//! The project at Google that this installation uses, and the pace at which all its servers together may call.

use diesel::prelude::*;
use diesel::sql_types::{Text, Timestamp};

use super::Transaction;
use super::schema::google_projects;
use crate::error::Result;
use crate::model::Moment;

/// A row of `google_projects`; the migration says what each column means.
#[derive(Clone, Debug, HasQuery, Insertable)]
#[diesel(table_name = google_projects)]
#[allow(missing_docs, reason = "the migration says what each column means")]
pub struct GoogleProject {
    pub id: String,
    pub slot: i64,
    pub client_email: String,
    pub sealed_key: Vec<u8>,
    pub notifications_ready: bool,
    pub paced_until: Moment,
    pub connected_by: String,
    pub connected_at: Moment,
    pub changed_at: Moment,
}

/// The project, where one is connected.
pub fn find(tx: &mut Transaction<'_>) -> Result<Option<GoogleProject>> {
    Ok(GoogleProject::query().first(tx.connection).optional()?)
}

/// Adds the project.
pub fn insert(tx: &mut Transaction<'_>, project: &GoogleProject) -> Result<()> {
    diesel::insert_into(google_projects::table).values(project).execute(tx.connection)?;
    Ok(())
}

/// Takes another key of the same project.
pub fn set_key(
    tx: &mut Transaction<'_>,
    id: &str,
    client_email: &str,
    sealed_key: &[u8],
    by: &str,
    at: Moment,
) -> Result<()> {
    diesel::update(google_projects::table.find(id))
        .set((
            google_projects::client_email.eq(client_email),
            google_projects::sealed_key.eq(sealed_key),
            google_projects::connected_by.eq(by),
            google_projects::notifications_ready.eq(false),
            google_projects::changed_at.eq(at),
        ))
        .execute(tx.connection)?;
    Ok(())
}

/// Notes whether topic and subscription exist and Google may publish to them.
pub fn set_notifications_ready(tx: &mut Transaction<'_>, id: &str, ready: bool) -> Result<()> {
    diesel::update(google_projects::table.find(id))
        .set(google_projects::notifications_ready.eq(ready))
        .execute(tx.connection)?;
    Ok(())
}

#[derive(QueryableByName)]
struct Place {
    #[diesel(sql_type = Timestamp)]
    paced_until: Moment,
}

/// Moves the end of the queue of calls on, if it still ends at `was`; says whether it did. One statement, so that servers
/// that ask at the same time get different places.
pub fn pace(tx: &mut Transaction<'_>, id: &str, was: Moment, until: Moment) -> Result<bool> {
    let moved: Vec<Place> = diesel::sql_query(
        "UPDATE google_projects SET paced_until = $1 WHERE id = $2 AND paced_until = $3 RETURNING paced_until",
    )
    .bind::<Timestamp, _>(until)
    .bind::<Text, _>(id)
    .bind::<Timestamp, _>(was)
    .load(tx.connection)?;
    Ok(moved.iter().any(|place| place.paced_until == until))
}
