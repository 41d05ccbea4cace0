//! Failed sign-ins per account and address.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text, Timestamp};

use super::Transaction;
use super::schema::sign_in_limits;
use crate::error::Result;
use crate::model::Moment;

/// A row of `sign_in_limits`; the migration says what each column means.
#[derive(Clone, Debug, HasQuery, Insertable)]
#[diesel(table_name = sign_in_limits)]
#[allow(missing_docs, reason = "the migration says what each column means")]
pub struct SignInLimit {
    pub subject: String,
    pub window_start: Moment,
    pub failures: i64,
    pub blocked_until: Option<Moment>,
}

/// The subject's row, made if need be, and locked until the transaction is over.
pub fn lock(tx: &mut Transaction<'_>, subject: &str, now: Moment) -> Result<SignInLimit> {
    diesel::sql_query(
        "INSERT INTO sign_in_limits (subject, window_start, failures) VALUES ($1, $2, $3) \
         ON CONFLICT (subject) DO NOTHING",
    )
    .bind::<Text, _>(subject)
    .bind::<Timestamp, _>(now)
    .bind::<BigInt, _>(0)
    .execute(tx.connection)?;
    let (subject, window_start, failures, blocked_until) = diesel::update(sign_in_limits::table.find(subject))
        .set(sign_in_limits::failures.eq(sign_in_limits::failures))
        .returning(sign_in_limits::all_columns)
        .get_result::<(String, Moment, i64, Option<Moment>)>(tx.connection)?;
    Ok(SignInLimit { subject, window_start, failures, blocked_until })
}

/// Writes a subject's row.
pub fn update(tx: &mut Transaction<'_>, limit: &SignInLimit) -> Result<()> {
    diesel::update(sign_in_limits::table.find(&limit.subject))
        .set((
            sign_in_limits::window_start.eq(limit.window_start),
            sign_in_limits::failures.eq(limit.failures),
            sign_in_limits::blocked_until.eq(limit.blocked_until),
        ))
        .execute(tx.connection)?;
    Ok(())
}

/// Forgets a subject.
pub fn delete(tx: &mut Transaction<'_>, subject: &str) -> Result<()> {
    diesel::delete(sign_in_limits::table.find(subject)).execute(tx.connection)?;
    Ok(())
}

/// Forgets subjects whose window began, and whose wait ended, before `before`, at most `limit` of them; how many there were.
pub fn purge(tx: &mut Transaction<'_>, before: Moment, limit: i64) -> Result<usize> {
    let over = || {
        let waited =
            sign_in_limits::blocked_until.is_null().or(sign_in_limits::blocked_until.lt(before).assume_not_null());
        sign_in_limits::window_start.lt(before).and(waited)
    };
    let subjects: Vec<String> = sign_in_limits::table
        .filter(over())
        .order(sign_in_limits::window_start)
        .limit(limit)
        .select(sign_in_limits::subject)
        .load(tx.connection)?;
    // Looked at again, since someone may have tried meanwhile.
    let still = sign_in_limits::table.filter(sign_in_limits::subject.eq_any(subjects)).filter(over());
    Ok(diesel::delete(still).execute(tx.connection)?)
}

/// Whether anything is known of a subject.
#[cfg(test)]
pub(crate) fn exists(tx: &mut Transaction<'_>, subject: &str) -> Result<bool> {
    Ok(SignInLimit::query().filter(sign_in_limits::subject.eq(subject)).first(tx.connection).optional()?.is_some())
}
