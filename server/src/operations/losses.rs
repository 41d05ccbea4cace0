//! Losses: reported and locked at once by one person, and undone again when the thing is found.

mod breach;
mod evidence;
mod found;
mod lock;
mod report;
mod standing;
#[cfg(test)]
mod tests;
mod witness;

pub use breach::{Breach, decide_breach};
pub use evidence::{
    Evidence, EvidenceBreach, EvidenceCouncil, EvidenceDevice, EvidenceItem, EvidenceLock, EvidencePeople,
    EvidenceProtection, evidence,
};
pub use found::{Found, found, on_contact, on_contact_at};
pub use report::{NewLoss, Reported, lock_again, report, report_in};
pub use standing::{LockState, Standing, standing};
pub use witness::{Particulars, Witness, WitnessRow};

use serde_json::json;

use super::cases::{self, CaseDetail, CaseView, DetailAnswer};
use super::{Context, alerts, audit};
use crate::error::{Error, Result};
use crate::model::{CaseId, CaseKind, CaseState, CouncilId, Permission};
use crate::store::{self, Transaction};

fn short(text: &str, limit: usize) -> String {
    text.trim().chars().take(limit).collect()
}

/// What may be added to a case later.
#[derive(Clone, Debug, Default)]
pub struct Notes {
    /// The police's reference.
    pub police_reference: Option<String>,
    /// Where it happened.
    pub place: Option<String>,
    /// How it happened.
    pub circumstances: Option<String>,
}

/// Adds to a case what became known later.
///
/// # Errors
/// `Conflict` when the case is closed.
pub fn note(tx: &mut Transaction<'_>, context: &Context, id: &CaseId, notes: &Notes) -> Result<DetailAnswer> {
    let mut case = cases::locked(tx, context, id, CaseKind::Loss)?;
    context.actor.require(Permission::Report, &case.council_id)?;
    if case.state == CaseState::Closed {
        return Err(Error::conflict("the case is closed"));
    }
    for (kept, said, limit) in [
        (&mut case.police_reference, &notes.police_reference, 200),
        (&mut case.place, &notes.place, 500),
        (&mut case.circumstances, &notes.circumstances, 4000),
    ] {
        if let Some(said) = said {
            *kept = short(said, limit);
        }
    }
    store::cases::update(tx, &case)?;
    let details = json!({
        "police_reference": notes.police_reference, "place": notes.place, "circumstances": notes.circumstances,
    });
    audit::record(tx, context, &case.council_id, "case.noted", case.id.as_str(), details)?;
    cases::answer_in_detail(tx, context, &case)
}

/// Closes a loss case.
///
/// # Errors
/// `Conflict` while an order is not at its end; `Invalid` without an outcome.
pub fn close(tx: &mut Transaction<'_>, context: &Context, id: &CaseId, outcome: &str) -> Result<CaseDetail> {
    let closed = cases::close(tx, context, id, CaseKind::Loss, outcome)?;
    alerts::end(tx, context, &closed.case.council, "loss_reported", id.as_str())?;
    Ok(closed)
}

/// One loss case with its timeline.
///
/// # Errors
/// `NotFound` when there is none that the caller sees.
pub fn show(tx: &mut Transaction<'_>, context: &Context, id: &CaseId) -> Result<CaseDetail> {
    cases::show(tx, context, id, CaseKind::Loss)
}

/// The council's loss cases after `after`, by id.
///
/// # Errors
/// `NotFound` when the caller does not see the council.
pub fn list(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: &CouncilId,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<CaseView>> {
    cases::list(tx, context, council, CaseKind::Loss, after, limit)
}
