//! How long personal details stay beside the audit trail: purged when their time has come, kept while they are needed.

use std::collections::BTreeMap;

use chrono::Duration;

use super::{Context, audit, mail, one_operator, trail};
use crate::error::Result;
use crate::model::{CaseId, CaseState, CouncilId, Moment, OrderId};
use crate::store::audit::AuditRow;
use crate::store::{self, Transaction};

/// How long details are kept.
#[derive(Clone, Copy, Debug)]
pub struct Periods {
    /// Any, from the time of their row on.
    pub details: Duration,
    /// Those of an order, and of the case that it belongs to, from its end on; never shorter than the others.
    pub wipe_evidence: Duration,
}

/// What a page of a purge did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Purged {
    /// The details of how many rows were purged.
    pub purged: usize,
    /// The number of the row after which to go on; none at the end.
    pub next: Option<i64>,
}

/// Purges the details of `chain` whose time has come, of up to `limit` rows after number `after`. The rows themselves stay,
/// and the chain verifies without the details.
///
/// Left out are the details of orders and cases that are not at their end, since an approval compares a request with them,
/// those of legal holds, by which it is known which hold stands, those by which it is known that one operator works alone, and
/// those of the mail server, by which it is known which one was set.
pub fn purge_details(
    tx: &mut Transaction<'_>,
    context: &Context,
    chain: &str,
    after: i64,
    periods: Periods,
    limit: i64,
) -> Result<Purged> {
    let last = store::audit::last_before(tx, chain, context.now - periods.details)?;
    let rows = store::audit::with_details(tx, chain, after, last, limit)?;
    let full = i64::try_from(rows.len()).is_ok_and(|count| count == limit);
    let next = rows.last().filter(|_| full).map(|row| row.seq);
    let evidence = if chain == audit::INSTALLATION { BTreeMap::new() } else { evidence(tx, chain, &rows)? };
    let evidence_before = context.now - periods.wipe_evidence.max(periods.details);
    let standing = match chain {
        audit::INSTALLATION => None,
        council => store::one_operator_settings::standing(tx, &CouncilId::from(council))?,
    };
    let of_standing = |row: &AuditRow| {
        one_operator::KINDS.contains(&row.kind.as_str())
            && standing.as_ref().is_some_and(|standing| row.at >= standing.begun_at)
    };
    let due: Vec<i64> = rows
        .iter()
        .filter(|row| !of_standing(row) && row.kind != mail::SET)
        .filter(|row| !trail::HOLDS.contains(&row.kind.as_str()))
        .filter(|row| match evidence.get(&row.subject) {
            Some(Evidence::Open) => false,
            Some(Evidence::Ended(at)) => *at < evidence_before,
            // An order that nobody finds any more is no reason to forget what is known of it any sooner.
            None if row.kind.starts_with("order.") => row.at < evidence_before,
            None => true,
        })
        .map(|row| row.seq)
        .collect();
    Ok(Purged { purged: store::audit::forget_details(tx, chain, &due)?, next })
}

/// What must be kept because of a wipe, or because it is not over.
enum Evidence {
    /// It is not at its end.
    Open,
    /// It came to its end at this time.
    Ended(Moment),
}

/// The orders, their cases, and whatever case is not closed, among the subjects of `rows`.
fn evidence(tx: &mut Transaction<'_>, chain: &str, rows: &[AuditRow]) -> Result<BTreeMap<String, Evidence>> {
    let council = CouncilId::from(chain);
    let mut subjects: Vec<&str> = rows.iter().map(|row| row.subject.as_str()).collect();
    subjects.sort_unstable();
    subjects.dedup();
    let mut found = BTreeMap::new();
    let ids: Vec<OrderId> = subjects.iter().map(|subject| OrderId::from(*subject)).collect();
    for order in store::orders::with_ids(tx, &council, &ids)? {
        let evidence = if order.state.is_rest() { Evidence::Ended(order.changed_at) } else { Evidence::Open };
        found.insert(order.id.to_string(), evidence);
    }
    let ids: Vec<CaseId> = subjects.iter().map(|subject| CaseId::from(*subject)).collect();
    for case in store::cases::with_ids(tx, &council, &ids)? {
        let orders = store::orders::of_case(tx, &council, &case.id)?;
        let ended = orders.iter().map(|order| order.changed_at).chain(case.closed_at).max();
        if case.state != CaseState::Closed || orders.iter().any(|order| !order.state.is_rest()) {
            found.insert(case.id.to_string(), Evidence::Open);
        } else if let Some(ended) = ended.filter(|_| !orders.is_empty()) {
            found.insert(case.id.to_string(), Evidence::Ended(ended));
        }
    }
    Ok(found)
}
