//! What the audit trail says of one loss, row by row, and whether that stretch of the chain is as it was written.

use std::collections::BTreeMap;

use chrono::Duration;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::error::{Error, Result};
use crate::keys::MAC_LENGTH;
use crate::model::Moment;
use crate::operations::cases::timeline;
use crate::operations::{Context, audit, operators, trail};
use crate::store::audit::{AuditDetails, AuditRow};
use crate::store::cases::Case;
use crate::store::enrolments::Enrolment;
use crate::store::{self, Transaction};

/// How many of a phone's enrolments are looked at.
pub(super) const MOST_ENROLMENTS: i64 = 5;
/// How many rows of the chain are checked one after the other; who wants more verifies the whole trail.
pub(super) const MOST_WALKED: i64 = 10_000;
/// How many rows about the case, and as many about its phone, are told.
const MOST_ROWS: i64 = 1_000;
/// How many faults are told; a trail with more is broken all the same.
const MOST_PROBLEMS: usize = 20;

/// Whether the particulars beside a row are those that the chain saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Particulars {
    /// They are.
    AsWritten,
    /// They are others: they were changed by hand.
    Changed,
    /// They are not kept any more.
    NotKept,
}

/// One row of the trail about the case, its orders, its item or its phone.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct WitnessRow {
    /// Its number in the chain.
    pub seq: i64,
    /// When.
    pub at: Moment,
    /// What happened.
    pub kind: String,
    /// The same in words.
    pub what: String,
    /// The id of what it happened to.
    pub subject: String,
    /// Who did it, in words; none where the trail does not prove it.
    pub by: Option<String>,
    /// Whether number, time, kind, subject and MAC are as they were written, which only the row before can tell.
    pub as_written: bool,
    /// Whether the particulars are those that the chain saw.
    pub particulars_are: Particulars,
    /// The particulars to the letter, JSON of `by` and `details`; nothing once they are not kept.
    pub particulars: Option<String>,
    /// The salt of their hash, in hexadecimal.
    pub salt: Option<String>,
    /// SHA-256 over salt and particulars, as the chain keeps it, in hexadecimal.
    pub details_hash: String,
    /// The MAC that chains the row to the one before, in hexadecimal.
    pub mac: String,
}

impl WitnessRow {
    /// The particulars as they can be read.
    #[must_use]
    pub fn details(&self) -> Option<Value> {
        serde_json::from_str(self.particulars.as_deref()?).ok()
    }
}

/// What the trail says, and how far it was checked.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Witness {
    /// The chain: the council's id.
    pub chain: String,
    /// The first row about the case; those before it were not checked.
    pub first_row: Option<i64>,
    /// Up to and with which row the trail is told here.
    pub until_row: i64,
    /// When that row was written.
    pub until_at: Option<Moment>,
    /// Its MAC, in hexadecimal: who keeps it can tell later whether the trail is still the same.
    pub until_mac: Option<String>,
    /// Up to and with which row the chain was checked, one row after the other.
    pub checked_to: Option<i64>,
    /// Whether the chain was followed to its sealed end, so that no row is missing there.
    pub reaches_sealed_end: bool,
    /// What is wrong; empty when all that was checked is as it was written.
    pub problems: Vec<String>,
    /// How many more faults there are.
    pub more_problems: usize,
    /// Whether there are more rows than are told.
    pub rows_left_off: bool,
    /// The rows, oldest first.
    pub rows: Vec<WitnessRow>,
}

impl Witness {
    /// Whether the trail was followed to its sealed end, and nothing is wrong with it.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.reaches_sealed_end && self.problems.is_empty()
    }
}

/// What the trail says of `case`, up to and with row `until`, or to its end; no more than `most` rows are followed from its first
/// to there, and no more from there to the end.
pub(super) fn of_case(
    tx: &mut Transaction<'_>,
    context: &Context,
    case: &Case,
    enrolments: &[Enrolment],
    until: Option<i64>,
    most: i64,
) -> Result<Witness> {
    let chain = case.council_id.as_str();
    let head = store::audit::head(tx, chain)?.ok_or(Error::NotFound("audit chain"))?;
    let until_row = until.map_or(head.seq, |until| until.clamp(0, head.seq));
    let first = store::audit::of_subject(tx, chain, case.id.as_str(), 1)?.into_iter().next().map(|(row, _)| row.seq);
    let first = first.filter(|first| *first <= until_row);
    let mut witness = Witness {
        chain: chain.to_owned(),
        first_row: first,
        until_row,
        until_at: None,
        until_mac: None,
        checked_to: None,
        reaches_sealed_end: false,
        problems: Vec::new(),
        more_problems: 0,
        rows_left_off: false,
        rows: Vec::new(),
    };
    if let Some(row) = store::audit::row(tx, chain, until_row)? {
        (witness.until_at, witness.until_mac) = (Some(row.at), Some(hex::encode(&row.mac)));
    }
    let Some(first) = first else {
        witness
            .problems
            .push("there is no row about this case: it was taken away, or the case put there by hand".into());
        return Ok(witness);
    };
    let walk = Walk::start(tx, chain, first)?.on(tx, context, until_row, most)?;
    witness.checked_to = Some(walk.last.min(until_row));
    // The end alone is sealed, and what came after `until_row` hangs on it.
    let walk = if walk.last < until_row { walk } else { walk.on(tx, context, i64::MAX, most)? };
    let at_the_end = walk.ended && walk.last == head.seq && walk.previous.as_ref() == Some(&head.mac);
    witness.reaches_sealed_end = at_the_end && audit::head_is_sealed(&context.keys.audit, &head)?;
    witness.problems = walk.problems;
    if walk.ended && !witness.reaches_sealed_end {
        witness.problems.push(format!("the end of the chain was changed or cut: it should be row {}", head.seq));
    }
    for row in rows(tx, case, enrolments, first, until_row, &mut witness.rows_left_off)? {
        let row = told(tx, context, row)?;
        if !row.as_written && witness.checked_to.is_none_or(|checked| row.seq > checked) {
            witness.problems.push(format!("row {}, or the one before it, was changed, or put there by hand", row.seq));
        }
        if row.particulars_are == Particulars::Changed {
            witness.problems.push(format!("the particulars of row {} were changed", row.seq));
        }
        witness.rows.push(row);
    }
    witness.more_problems = witness.problems.len().saturating_sub(MOST_PROBLEMS);
    witness.problems.truncate(MOST_PROBLEMS);
    Ok(witness)
}

/// The chain, followed row by row; goes on after what is wrong.
struct Walk {
    chain: String,
    last: i64,
    /// The MAC of the last row; none where that row is missing.
    previous: Option<Vec<u8>>,
    ended: bool,
    problems: Vec<String>,
}

impl Walk {
    fn start(tx: &mut Transaction<'_>, chain: &str, first: i64) -> Result<Self> {
        let previous = match first {
            1 => Some(vec![0; MAC_LENGTH]),
            _ => store::audit::row(tx, chain, first - 1)?.map(|row| row.mac),
        };
        let missing = previous.is_none().then(|| format!("row {} is missing", first - 1));
        let problems = missing.into_iter().collect();
        Ok(Self { chain: chain.to_owned(), last: first - 1, previous, ended: false, problems })
    }

    /// Follows it to row `to`, but for no more than `most` rows.
    fn on(mut self, tx: &mut Transaction<'_>, context: &Context, to: i64, most: i64) -> Result<Self> {
        let mut left = most;
        while self.last < to && left > 0 && !self.ended {
            let wanted = left.min(to - self.last).min(500);
            let rows = store::audit::rows_after(tx, &self.chain, self.last, wanted)?;
            self.ended = rows.is_empty();
            for row in rows {
                self.take(context, row)?;
                left -= 1;
            }
        }
        Ok(self)
    }

    fn take(&mut self, context: &Context, row: AuditRow) -> Result<()> {
        let expected = self.last + 1;
        if row.seq > expected {
            let last = row.seq - 1;
            self.problems.push(match last - expected {
                0 => format!("row {expected} is missing"),
                _ => format!("rows {expected} to {last} are missing"),
            });
            self.previous = None;
        }
        if let Some(previous) = &self.previous
            && audit::mac_of(&context.keys.audit, previous, &row)? != row.mac
        {
            self.problems.push(format!("row {} was changed, or put there by hand", row.seq));
        }
        (self.last, self.previous) = (row.seq, Some(row.mac));
        Ok(())
    }
}

type Row = (AuditRow, Option<AuditDetails>);

/// The rows about the case and its orders, and those about its item and its phone while the case was open.
fn rows(
    tx: &mut Transaction<'_>,
    case: &Case,
    enrolments: &[Enrolment],
    first: i64,
    until: i64,
    left_off: &mut bool,
) -> Result<Vec<Row>> {
    let (council, chain) = (&case.council_id, case.council_id.as_str());
    let mut own = vec![case.id.to_string()];
    own.extend(store::orders::of_case(tx, council, &case.id)?.into_iter().map(|order| order.id.to_string()));
    own.extend(store::cases::commands(tx, council, &case.id)?.into_iter().map(|command| command.id.to_string()));
    let mut beside = vec![case.asset_id.to_string()];
    beside.extend(case.device_id.as_ref().map(ToString::to_string));
    beside.extend(enrolments.iter().map(|enrolment| enrolment.id.to_string()));
    let over = match case.closed_at {
        Some(at) => store::audit::last_before(tx, chain, at + Duration::microseconds(1))?,
        None => until,
    };
    let mut found: BTreeMap<i64, Row> = BTreeMap::new();
    for (subjects, last) in [(own, until), (beside, until.min(over))] {
        let rows = store::audit::page_before(tx, chain, last.saturating_add(1), &subjects, MOST_ROWS + 1)?;
        let rows = rows.into_iter().filter(|(row, _)| row.seq >= first);
        for (number, row) in rows.enumerate() {
            if number as i64 == MOST_ROWS {
                *left_off = true;
                break;
            }
            found.insert(row.0.seq, row);
        }
    }
    Ok(found.into_values().collect())
}

fn told(tx: &mut Transaction<'_>, context: &Context, (row, details): Row) -> Result<WitnessRow> {
    let as_written = trail::is_genuine(tx, context, &row)?;
    let particulars_are = match &details {
        None => Particulars::NotKept,
        Some(details) if audit::hash_details(&details.salt, &details.details) == row.details_hash => {
            Particulars::AsWritten
        }
        Some(_) => Particulars::Changed,
    };
    let proven = as_written && particulars_are == Particulars::AsWritten;
    let label = details.as_ref().filter(|_| proven).and_then(|details| {
        let details: Value = serde_json::from_str(&details.details).ok()?;
        details.get("by")?.as_str().map(str::to_owned)
    });
    let by = match label {
        Some(label) => operators::words_of_labels(tx, [label.clone()])?.remove(&label),
        None => None,
    };
    Ok(WitnessRow {
        seq: row.seq,
        at: row.at,
        what: timeline::words_of(&row.kind)
            .map_or_else(|| row.kind.replace(['.', '_'], " "), |words| words.0.to_owned()),
        kind: row.kind,
        subject: row.subject,
        by,
        as_written,
        particulars_are,
        salt: details.as_ref().map(|details| hex::encode(&details.salt)),
        particulars: details.map(|details| details.details),
        details_hash: hex::encode(row.details_hash),
        mac: hex::encode(row.mac),
    })
}
