//! What the council decided about personal data on a lost device.

use diesel::prelude::*;
use diesel::sql_types::{Text, Timestamp};

use super::Transaction;
use super::schema::breach_decisions;
use crate::error::Result;
use crate::model::{BreachDecision, CaseId, CouncilId, Moment};

/// A row of `breach_decisions`; the migration says what each column means.
#[derive(Clone, Debug, HasQuery)]
#[diesel(table_name = breach_decisions)]
#[allow(missing_docs, reason = "the migration says what each column means")]
pub struct BreachRow {
    pub council_id: CouncilId,
    pub case_id: CaseId,
    pub data_held: String,
    pub decision: BreachDecision,
    pub reason: String,
    pub decided_by: String,
    pub decided_at: Moment,
}

/// Writes the decision of a case, in place of an earlier one.
pub fn put(tx: &mut Transaction<'_>, row: &BreachRow) -> Result<()> {
    diesel::sql_query(
        "INSERT INTO breach_decisions (council_id, case_id, data_held, decision, reason, decided_by, decided_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (council_id, case_id) DO UPDATE SET \
         data_held = excluded.data_held, decision = excluded.decision, reason = excluded.reason, \
         decided_by = excluded.decided_by, decided_at = excluded.decided_at",
    )
    .bind::<Text, _>(&row.council_id)
    .bind::<Text, _>(&row.case_id)
    .bind::<Text, _>(&row.data_held)
    .bind::<Text, _>(row.decision.as_str())
    .bind::<Text, _>(&row.reason)
    .bind::<Text, _>(&row.decided_by)
    .bind::<Timestamp, _>(row.decided_at)
    .execute(tx.connection)?;
    Ok(())
}

/// The decision of a case, if one was written down.
pub fn find(tx: &mut Transaction<'_>, council: &CouncilId, case: &CaseId) -> Result<Option<BreachRow>> {
    Ok(BreachRow::query()
        .filter(breach_decisions::council_id.eq(council).and(breach_decisions::case_id.eq(case)))
        .first(tx.connection)
        .optional()?)
}
