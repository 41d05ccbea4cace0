//! Whether the loss is a breach of personal data: what was decided, by whom and why, whichever way.

use serde_json::json;

use super::short;
use crate::error::{Error, Result};
use crate::model::{BreachDecision, CaseId, CaseKind, Moment, Permission};
use crate::operations::cases;
use crate::operations::{Context, audit};
use crate::store::breach_decisions::BreachRow;
use crate::store::cases::Case;
use crate::store::{self, Transaction};

/// What was written down about personal data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach {
    /// What the device likely holds.
    pub data_held: String,
    /// What was decided.
    pub decision: BreachDecision,
    /// Why.
    pub reason: String,
    /// When it was last written down.
    pub decided_at: Moment,
    /// The name of who wrote it down.
    pub decided_by: String,
}

/// Writes down what the device likely holds and what was decided; a later decision takes the place of an earlier one, which
/// stays in the audit trail.
///
/// # Errors
/// `Invalid` for a decision without a reason; `Conflict` when the case is closed.
pub fn decide_breach(
    tx: &mut Transaction<'_>,
    context: &Context,
    id: &CaseId,
    data_held: &str,
    decision: BreachDecision,
    reason: &str,
) -> Result<()> {
    let case = cases::locked(tx, context, id, CaseKind::Loss)?;
    context.actor.require(Permission::Report, &case.council_id)?;
    if case.state == crate::model::CaseState::Closed {
        return Err(Error::conflict("the case is closed"));
    }
    let (data_held, reason) = (short(data_held, 2000), short(reason, 2000));
    if decision != BreachDecision::Undecided && reason.is_empty() {
        return Err(Error::invalid("reason", "say why, so that the decision can be understood later"));
    }
    let row = BreachRow {
        council_id: case.council_id.clone(),
        case_id: case.id.clone(),
        data_held,
        decision,
        reason,
        decided_by: context.actor.label(),
        decided_at: context.now,
    };
    store::breach_decisions::put(tx, &row)?;
    let details = json!({ "data_held": row.data_held, "decision": row.decision, "reason": row.reason });
    audit::record(tx, context, &case.council_id, "case.breach_decided", case.id.as_str(), details)
}

pub(super) fn of_case(tx: &mut Transaction<'_>, case: &Case) -> Result<Option<Breach>> {
    let Some(row) = store::breach_decisions::find(tx, &case.council_id, &case.id)? else { return Ok(None) };
    let decided_by = super::standing::name_behind(tx, &row.decided_by)?;
    Ok(Some(Breach {
        data_held: row.data_held,
        decision: row.decision,
        reason: row.reason,
        decided_at: row.decided_at,
        decided_by,
    }))
}
