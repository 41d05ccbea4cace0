//! The audit chains: heads, rows, and the personal details beside them.

use diesel::prelude::*;
use diesel::sql_types::Text;

use super::Transaction;
use super::kept::kept;
use super::schema::{audit_details, audit_heads, audit_rows};
use crate::error::Result;
use crate::model::Moment;

/// The end of a chain: the number and MAC of its last row, sealed so that a cut tail shows.
#[derive(Clone, Debug, HasQuery, Insertable)]
#[diesel(table_name = audit_heads)]
#[allow(missing_docs, reason = "the migration says what each column means")]
pub struct AuditHead {
    pub chain: String,
    pub seq: i64,
    pub mac: Vec<u8>,
    pub head_seal: Vec<u8>,
}

/// One row of a chain.
#[derive(Clone, Debug, HasQuery, Insertable)]
#[diesel(table_name = audit_rows)]
#[allow(missing_docs, reason = "the migration says what each column means")]
pub struct AuditRow {
    pub chain: String,
    pub seq: i64,
    pub at: Moment,
    pub kind: String,
    pub subject: String,
    pub details_hash: Vec<u8>,
    pub mac: Vec<u8>,
}

/// The details of a row, which retention may purge: the chain keeps only their salted hash.
#[derive(Clone, Debug, HasQuery, Insertable)]
#[diesel(table_name = audit_details)]
#[allow(missing_docs, reason = "the migration says what each column means")]
pub struct AuditDetails {
    pub chain: String,
    pub seq: i64,
    pub salt: Vec<u8>,
    pub details: String,
}

/// Takes the next number of `chain` and with it the chain's lock, which is also the council's.
pub fn advance_head(tx: &mut Transaction<'_>, chain: &str) -> Result<Option<AuditHead>> {
    let head = diesel::update(audit_heads::table.find(chain))
        .set(audit_heads::seq.eq(audit_heads::seq + 1))
        .returning((audit_heads::chain, audit_heads::seq, audit_heads::mac, audit_heads::head_seal))
        .get_result::<(String, i64, Vec<u8>, Vec<u8>)>(tx.connection)
        .optional()?;
    Ok(head.map(|(chain, seq, mac, head_seal)| AuditHead { chain, seq, mac, head_seal }))
}

/// Starts a chain.
pub fn insert_head(tx: &mut Transaction<'_>, head: &AuditHead) -> Result<()> {
    diesel::insert_into(audit_heads::table).values(head).execute(tx.connection)?;
    Ok(())
}

/// Writes the new end of a chain whose number `advance_head` took.
pub fn set_head(tx: &mut Transaction<'_>, chain: &str, mac: &[u8], head_seal: &[u8]) -> Result<()> {
    diesel::update(audit_heads::table.find(chain))
        .set((audit_heads::mac.eq(mac), audit_heads::head_seal.eq(head_seal)))
        .execute(tx.connection)?;
    Ok(())
}

/// Appends a row and its details.
pub fn insert(tx: &mut Transaction<'_>, row: &AuditRow, details: &AuditDetails) -> Result<()> {
    diesel::insert_into(audit_rows::table).values(row).execute(tx.connection)?;
    diesel::insert_into(audit_details::table).values(details).execute(tx.connection)?;
    Ok(())
}

/// The end of `chain`, if there is such a chain.
pub fn head(tx: &mut Transaction<'_>, chain: &str) -> Result<Option<AuditHead>> {
    Ok(AuditHead::query().filter(audit_heads::chain.eq(chain)).first(tx.connection).optional()?)
}

/// Every chain's end, by name.
pub fn heads(tx: &mut Transaction<'_>) -> Result<Vec<AuditHead>> {
    Ok(AuditHead::query().order(audit_heads::chain).load(tx.connection)?)
}

/// Up to `limit` rows of `chain` after number `after`, oldest first, with the details that were not purged.
pub fn page(
    tx: &mut Transaction<'_>,
    chain: &str,
    after: i64,
    limit: i64,
) -> Result<Vec<(AuditRow, Option<AuditDetails>)>> {
    let rows = AuditRow::query()
        .filter(audit_rows::chain.eq(chain).and(audit_rows::seq.gt(after)))
        .order(audit_rows::seq)
        .limit(limit)
        .load(tx.connection)?;
    let last = rows.last().map_or(after, |row| row.seq);
    let mut details = AuditDetails::query()
        .filter(audit_details::chain.eq(chain).and(audit_details::seq.gt(after)).and(audit_details::seq.le(last)))
        .order(audit_details::seq)
        .load(tx.connection)?
        .into_iter()
        .peekable();
    Ok(rows
        .into_iter()
        .map(|row| {
            let found = details.next_if(|details| details.seq == row.seq);
            (row, found)
        })
        .collect())
}

/// Up to `limit` rows of `chain` after number `after`, oldest first, without their details.
pub fn rows_after(tx: &mut Transaction<'_>, chain: &str, after: i64, limit: i64) -> Result<Vec<AuditRow>> {
    Ok(AuditRow::query()
        .filter(audit_rows::chain.eq(chain).and(audit_rows::seq.gt(after)))
        .order(audit_rows::seq)
        .limit(limit)
        .load(tx.connection)?)
}

/// The rows about `subject`, oldest first.
pub fn of_subject(
    tx: &mut Transaction<'_>,
    chain: &str,
    subject: &str,
    limit: i64,
) -> Result<Vec<(AuditRow, Option<AuditDetails>)>> {
    let rows = AuditRow::query()
        .filter(audit_rows::chain.eq(chain).and(audit_rows::subject.eq(subject)))
        .order(audit_rows::seq)
        .limit(limit)
        .load(tx.connection)?;
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        let details = AuditDetails::query()
            .filter(audit_details::chain.eq(chain).and(audit_details::seq.eq(row.seq)))
            .first(tx.connection)
            .optional()?;
        found.push((row, details));
    }
    Ok(found)
}

/// Up to `limit` rows of `chain` before number `before`, newest first, with the details that were not purged; of those about one
/// of `subjects`, where any are given.
pub fn page_before(
    tx: &mut Transaction<'_>,
    chain: &str,
    before: i64,
    subjects: &[String],
    limit: i64,
) -> Result<Vec<(AuditRow, Option<AuditDetails>)>> {
    let rows = AuditRow::query()
        .filter(audit_rows::chain.eq(chain).and(audit_rows::seq.lt(before)))
        .order(audit_rows::seq.desc())
        .limit(limit)
        .into_boxed();
    let rows: Vec<AuditRow> = match subjects {
        [] => rows.load(tx.connection)?,
        subjects => rows.filter(audit_rows::subject.eq_any(subjects.to_vec())).load(tx.connection)?,
    };
    let numbers: Vec<i64> = rows.iter().map(|row| row.seq).collect();
    let details = AuditDetails::query()
        .filter(audit_details::chain.eq(chain).and(audit_details::seq.eq_any(numbers)))
        .load(tx.connection)?;
    let mut details: std::collections::BTreeMap<i64, AuditDetails> =
        details.into_iter().map(|details| (details.seq, details)).collect();
    Ok(rows
        .into_iter()
        .map(|row| {
            let found = details.remove(&row.seq);
            (row, found)
        })
        .collect())
}

/// The newest rows about `subject`, newest first, without their details.
pub fn last_of_subject(tx: &mut Transaction<'_>, chain: &str, subject: &str, limit: i64) -> Result<Vec<AuditRow>> {
    Ok(AuditRow::query()
        .filter(audit_rows::chain.eq(chain).and(audit_rows::subject.eq(subject)))
        .order(audit_rows::seq.desc())
        .limit(limit)
        .load(tx.connection)?)
}

/// The row with this number.
pub fn row(tx: &mut Transaction<'_>, chain: &str, seq: i64) -> Result<Option<AuditRow>> {
    Ok(AuditRow::query()
        .filter(audit_rows::chain.eq(chain).and(audit_rows::seq.eq(seq)))
        .first(tx.connection)
        .optional()?)
}

/// The rows of these kinds about `subject`, oldest first.
pub fn of_subject_and_kinds(
    tx: &mut Transaction<'_>,
    chain: &str,
    subject: &str,
    kinds: &[&str],
) -> Result<Vec<(AuditRow, Option<AuditDetails>)>> {
    let rows = AuditRow::query()
        .filter(audit_rows::chain.eq(chain).and(audit_rows::subject.eq(subject)))
        .filter(audit_rows::kind.eq_any(kinds))
        .order(audit_rows::seq)
        .load(tx.connection)?;
    rows.into_iter().map(|row| details_of(tx, &row).map(|details| (row, details))).collect()
}

/// The last row of these kinds about `subject`.
pub fn last_of_kinds(
    tx: &mut Transaction<'_>,
    chain: &str,
    subject: &str,
    kinds: &[&str],
) -> Result<Option<(AuditRow, Option<AuditDetails>)>> {
    let row = AuditRow::query()
        .filter(audit_rows::chain.eq(chain).and(audit_rows::subject.eq(subject)))
        .filter(audit_rows::kind.eq_any(kinds))
        .order(audit_rows::seq.desc())
        .first(tx.connection)
        .optional()?;
    row.map(|row| details_of(tx, &row).map(|details| (row, details))).transpose()
}

/// The details of a row, unless they were purged.
pub fn details_of(tx: &mut Transaction<'_>, row: &AuditRow) -> Result<Option<AuditDetails>> {
    Ok(AuditDetails::query()
        .filter(audit_details::chain.eq(&row.chain).and(audit_details::seq.eq(row.seq)))
        .first(tx.connection)
        .optional()?)
}

/// The number of the last row of `chain` from before `before`; 0 when there is none. Rows are numbered in the order of
/// time, so that halving finds it through the primary key.
pub fn last_before(tx: &mut Transaction<'_>, chain: &str, before: Moment) -> Result<i64> {
    let (mut old, mut young) = (0, head(tx, chain)?.map_or(0, |head| head.seq) + 1);
    while young - old > 1 {
        let middle = old + (young - old) / 2;
        let at = audit_rows::table
            .filter(audit_rows::chain.eq(chain).and(audit_rows::seq.ge(middle)))
            .order(audit_rows::seq)
            .select(audit_rows::at)
            .first::<Moment>(tx.connection)
            .optional()?;
        match at {
            Some(at) if at < before => old = middle,
            _ => young = middle,
        }
    }
    Ok(old)
}

/// Up to `limit` rows of `chain` after number `after` and up to number `last` that still have their details, oldest first.
pub fn with_details(tx: &mut Transaction<'_>, chain: &str, after: i64, last: i64, limit: i64) -> Result<Vec<AuditRow>> {
    let numbers: Vec<i64> = audit_details::table
        .filter(audit_details::chain.eq(chain).and(audit_details::seq.gt(after)).and(audit_details::seq.le(last)))
        .order(audit_details::seq)
        .limit(limit)
        .select(audit_details::seq)
        .load(tx.connection)?;
    Ok(AuditRow::query()
        .filter(audit_rows::chain.eq(chain).and(audit_rows::seq.eq_any(numbers)))
        .order(audit_rows::seq)
        .load(tx.connection)?)
}

/// Forgets the details of the rows with these numbers; says of how many.
pub fn forget_details(tx: &mut Transaction<'_>, chain: &str, numbers: &[i64]) -> Result<usize> {
    let of_these = audit_details::chain.eq(chain).and(audit_details::seq.eq_any(numbers));
    Ok(diesel::delete(audit_details::table.filter(of_these)).execute(tx.connection)?)
}

kept!(
    /// Locks as an UPDATE would, without writing the row anew.
    LockHead: "SELECT seq FROM audit_heads WHERE chain = ",
    chain: Text = &'a str, " FOR NO KEY UPDATE",
);

/// Locks the head of `chain`. SQLite has one writer, so there it is enough that the chain exists.
pub fn lock_head(tx: &mut Transaction<'_>, chain: &str) -> Result<()> {
    if tx.is_postgres() {
        LockHead { chain: &chain }.run(tx)?;
    }
    Ok(())
}
