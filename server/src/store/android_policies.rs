//! What Google has of each council's policy.

use diesel::prelude::*;
use diesel::sql_types::{Text, Timestamp};

use super::Transaction;
use super::schema::{android_policies, android_tokens, enrolments};
use crate::error::Result;
use crate::model::{AndroidTokenState, CouncilId, Mode, Moment, Platform, Posture};

/// A row of `android_policies`; the migration says what each column means.
#[derive(Clone, Debug, PartialEq, Eq, HasQuery)]
#[diesel(table_name = android_policies)]
#[allow(missing_docs, reason = "the migration says what each column means")]
pub struct AndroidPolicy {
    pub council_id: CouncilId,
    pub mode: Mode,
    pub posture: Posture,
    pub sent_version: Option<i64>,
    pub sent_digest: Option<String>,
    pub google_version: Option<i64>,
    pub sent_at: Option<Moment>,
    pub refused_version: Option<i64>,
    pub problem: Option<String>,
    pub changed_at: Moment,
}

/// What Google has for this mode and posture.
pub fn find(
    tx: &mut Transaction<'_>,
    council: &CouncilId,
    mode: Mode,
    posture: Posture,
) -> Result<Option<AndroidPolicy>> {
    Ok(AndroidPolicy::query()
        .filter(android_policies::council_id.eq(council))
        .filter(android_policies::mode.eq(mode).and(android_policies::posture.eq(posture)))
        .first(tx.connection)
        .optional()?)
}

/// All that Google has of a council's policy.
pub fn of_council(tx: &mut Transaction<'_>, council: &CouncilId) -> Result<Vec<AndroidPolicy>> {
    Ok(AndroidPolicy::query()
        .filter(android_policies::council_id.eq(council))
        .order((android_policies::mode, android_policies::posture))
        .load(tx.connection)?)
}

/// Makes sure of a row, so that what is to be sent is written down before it is sent.
pub fn ensure(tx: &mut Transaction<'_>, council: &CouncilId, mode: Mode, posture: Posture, now: Moment) -> Result<()> {
    diesel::sql_query(
        "INSERT INTO android_policies (council_id, mode, posture, changed_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (council_id, mode, posture) DO NOTHING",
    )
    .bind::<Text, _>(council)
    .bind::<Text, _>(mode)
    .bind::<Text, _>(posture)
    .bind::<Timestamp, _>(now)
    .execute(tx.connection)?;
    Ok(())
}

/// Google took a version: the number it gave, and the digest of what was sent.
#[derive(Clone, Debug)]
pub struct Taken<'a> {
    /// The council's version.
    pub version: i64,
    /// SHA-256 of the policy's JSON, which is sent again only when it differs; kept in its stead because it holds secrets.
    pub digest: &'a str,
    /// Google's number for it.
    pub google_version: i64,
}

/// Notes that Google took it.
pub fn taken(tx: &mut Transaction<'_>, row: &AndroidPolicy, taken: &Taken<'_>, at: Moment) -> Result<()> {
    diesel::update(android_policies::table.find((&row.council_id, row.mode, row.posture)))
        .set((
            android_policies::sent_version.eq(Some(taken.version)),
            android_policies::sent_digest.eq(Some(taken.digest)),
            android_policies::google_version.eq(Some(taken.google_version)),
            android_policies::sent_at.eq(Some(at)),
            android_policies::refused_version.eq(None::<i64>),
            android_policies::problem.eq(None::<String>),
            android_policies::changed_at.eq(at),
        ))
        .execute(tx.connection)?;
    Ok(())
}

/// Notes that it is not known which version Google has: it is sent again.
pub fn unknown(tx: &mut Transaction<'_>, row: &AndroidPolicy, at: Moment) -> Result<()> {
    diesel::update(android_policies::table.find((&row.council_id, row.mode, row.posture)))
        .set((
            android_policies::sent_version.eq(None::<i64>),
            android_policies::sent_digest.eq(None::<String>),
            android_policies::changed_at.eq(at),
        ))
        .execute(tx.connection)?;
    Ok(())
}

/// Notes that Google may have something else than what it took last: nothing is then taken to be there unchanged.
pub fn uncertain(tx: &mut Transaction<'_>, row: &AndroidPolicy, at: Moment) -> Result<()> {
    diesel::update(android_policies::table.find((&row.council_id, row.mode, row.posture)))
        .set((android_policies::sent_digest.eq(None::<String>), android_policies::changed_at.eq(at)))
        .execute(tx.connection)?;
    Ok(())
}

/// Notes that Google refused a version; what it had before stays what phones have.
pub fn refused(tx: &mut Transaction<'_>, row: &AndroidPolicy, version: i64, problem: &str, at: Moment) -> Result<()> {
    diesel::update(android_policies::table.find((&row.council_id, row.mode, row.posture)))
        .set((
            android_policies::refused_version.eq(Some(version)),
            android_policies::problem.eq(Some(problem)),
            android_policies::changed_at.eq(at),
        ))
        .execute(tx.connection)?;
    Ok(())
}

/// The modes in which the council has Android phones, or has made tokens for.
pub fn modes_in_use(tx: &mut Transaction<'_>, council: &CouncilId, now: Moment) -> Result<Vec<Mode>> {
    let mut modes: Vec<Mode> = enrolments::table
        .filter(enrolments::council_id.eq(council).and(enrolments::platform.eq(Platform::Android)))
        .filter(enrolments::ended_at.is_null())
        .select(enrolments::mode)
        .distinct()
        .load(tx.connection)?;
    let waiting: Vec<Mode> = android_tokens::table
        .filter(android_tokens::council_id.eq(council).and(android_tokens::expires_at.gt(now)))
        .filter(android_tokens::state.eq_any([AndroidTokenState::Asked, AndroidTokenState::Made]))
        .select(android_tokens::mode)
        .distinct()
        .load(tx.connection)?;
    modes.extend(waiting);
    modes.sort();
    modes.dedup();
    Ok(modes)
}
