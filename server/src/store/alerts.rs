//! What needs a person's attention.

use diesel::prelude::*;
use diesel::sql_types::{Text, Timestamp};

use super::Transaction;
use super::kept::kept;
use super::schema::alerts;
use crate::error::Result;
use crate::model::{AlertId, CouncilId, Moment};

/// A row of `alerts`; the migration says what each column means.
#[derive(Clone, Debug, HasQuery, Insertable)]
#[diesel(table_name = alerts)]
#[allow(missing_docs, reason = "the migration says what each column means")]
pub struct Alert {
    pub council_id: CouncilId,
    pub id: AlertId,
    pub kind: String,
    pub subject: String,
    pub message: String,
    pub raised_at: Moment,
    pub ended_at: Option<Moment>,
    pub ended_by: Option<String>,
}

/// Adds an open alert, unless one of this kind about this subject is open; says whether it did.
pub fn insert_unless_open(tx: &mut Transaction<'_>, alert: &Alert) -> Result<bool> {
    // The conflict is named, so that PostgreSQL does not abort the transaction as a caught violation would.
    let added = diesel::sql_query(
        "INSERT INTO alerts (council_id, id, kind, subject, message, raised_at) VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (council_id, kind, subject) WHERE ended_at IS NULL DO NOTHING",
    )
    .bind::<Text, _>(&alert.council_id)
    .bind::<Text, _>(&alert.id)
    .bind::<Text, _>(&alert.kind)
    .bind::<Text, _>(&alert.subject)
    .bind::<Text, _>(&alert.message)
    .bind::<Timestamp, _>(alert.raised_at)
    .execute(tx.connection)?;
    Ok(added == 1)
}

kept!(
    /// Of an alert that is open.
    EndOpen: "UPDATE alerts SET ended_at = ",
    at: Timestamp = Moment, ", ended_by = ",
    by: Text = &'a str, " WHERE council_id = ",
    council: Text = CouncilId, " AND kind = ",
    kind: Text = &'a str, " AND subject = ",
    subject: Text = &'a str, " AND ended_at IS NULL",
);

/// Ends the open alert of this kind about this subject; says whether there was one.
pub fn end_open(
    tx: &mut Transaction<'_>,
    council: &CouncilId,
    kind: &str,
    subject: &str,
    now: Moment,
    by: &str,
) -> Result<bool> {
    let end = EndOpen { at: &now, by: &by, council, kind: &kind, subject: &subject };
    Ok(end.run(tx)? > 0)
}

kept!(
    /// Of alerts of three kinds that are open.
    EndOpenOfThree: "UPDATE alerts SET ended_at = ",
    at: Timestamp = Moment, ", ended_by = ",
    by: Text = &'a str, " WHERE council_id = ",
    council: Text = CouncilId, " AND kind IN (",
    first: Text = &'a str, ", ",
    second: Text = &'a str, ", ",
    third: Text = &'a str, ") AND subject = ",
    subject: Text = &'a str, " AND ended_at IS NULL",
);

/// Ends the open alerts of these kinds about this subject, in one statement.
pub fn end_open_of_three(
    tx: &mut Transaction<'_>,
    council: &CouncilId,
    [first, second, third]: [&str; 3],
    subject: &str,
    now: Moment,
    by: &str,
) -> Result<()> {
    let (first, second, third) = (&first, &second, &third);
    EndOpenOfThree { at: &now, by: &by, council, first, second, third, subject: &subject }.run(tx)?;
    Ok(())
}

/// The alert with this id.
pub fn find(tx: &mut Transaction<'_>, id: &AlertId) -> Result<Option<Alert>> {
    Ok(Alert::query().filter(alerts::id.eq(id)).first(tx.connection).optional()?)
}

/// The open alert of this kind about this subject.
pub fn find_open(tx: &mut Transaction<'_>, council: &CouncilId, kind: &str, subject: &str) -> Result<Option<Alert>> {
    Ok(Alert::query()
        .filter(alerts::council_id.eq(council).and(alerts::kind.eq(kind)))
        .filter(alerts::subject.eq(subject).and(alerts::ended_at.is_null()))
        .first(tx.connection)
        .optional()?)
}

/// A council's newest open alerts, newest first, but for those of `other` kinds.
pub fn newest_open(tx: &mut Transaction<'_>, council: &CouncilId, other: &[&str], limit: i64) -> Result<Vec<Alert>> {
    Ok(Alert::query()
        .filter(alerts::council_id.eq(council).and(alerts::ended_at.is_null()))
        .filter(alerts::kind.ne_all(other))
        .order(alerts::id.desc())
        .limit(limit)
        .load(tx.connection)?)
}

/// A council's alerts after `after`, by id, which is by age; the open ones only, or all.
pub fn page(
    tx: &mut Transaction<'_>,
    council: &CouncilId,
    open_only: bool,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Alert>> {
    let mut query =
        Alert::query().filter(alerts::council_id.eq(council.clone())).order(alerts::id).limit(limit).into_boxed();
    if open_only {
        query = query.filter(alerts::ended_at.is_null());
    }
    if let Some(after) = after {
        query = query.filter(alerts::id.gt(after.to_owned()));
    }
    Ok(query.load(tx.connection)?)
}

/// The council's alerts before the one with the id `before`, open or not, newest first.
pub fn page_before(
    tx: &mut Transaction<'_>,
    council: &CouncilId,
    before: Option<&str>,
    limit: i64,
) -> Result<Vec<Alert>> {
    let mut query = Alert::query()
        .filter(alerts::council_id.eq(council.clone()))
        .order(alerts::id.desc())
        .limit(limit)
        .into_boxed();
    if let Some(before) = before {
        query = query.filter(alerts::id.lt(before.to_owned()));
    }
    Ok(query.load(tx.connection)?)
}
