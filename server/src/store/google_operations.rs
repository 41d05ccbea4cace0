//! Calls of devices.issueCommand: written before they are made, followed to their end.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::Transaction;
use super::enrolments::Enrolment;
use super::schema::google_operations;
use crate::error::Result;
use crate::model::{
    CommandId, CouncilId, EnrolmentId, GoogleOperationId, GoogleOperationState, GoogleOutcome, Moment, OrderId,
};

/// A row of `google_operations`; the migration says what each column means.
#[derive(Clone, Debug, HasQuery, Insertable)]
#[diesel(table_name = google_operations)]
#[allow(missing_docs, reason = "the migration says what each column means")]
pub struct GoogleOperation {
    pub council_id: CouncilId,
    pub id: GoogleOperationId,
    pub enrolment_id: EnrolmentId,
    pub command_id: Option<CommandId>,
    pub order_id: Option<OrderId>,
    pub kind: String,
    pub state: GoogleOperationState,
    pub name: Option<String>,
    pub called_at: Moment,
    pub issued_at: Option<Moment>,
    pub checked_at: Option<Moment>,
    pub cancel_wanted_at: Option<Moment>,
    pub cancel_sent_at: Option<Moment>,
    pub ended_at: Option<Moment>,
    pub outcome: Option<GoogleOutcome>,
    pub problem: Option<String>,
}

impl GoogleOperation {
    /// A call that is about to be made, or was made and never answered.
    #[must_use]
    pub fn calling(enrolment: &Enrolment, kind: &str, called_at: Moment) -> Self {
        Self {
            council_id: enrolment.council_id.clone(),
            id: GoogleOperationId::new(),
            enrolment_id: enrolment.id.clone(),
            command_id: None,
            order_id: None,
            kind: kind.to_owned(),
            state: GoogleOperationState::Calling,
            name: None,
            called_at,
            issued_at: None,
            checked_at: None,
            cancel_wanted_at: None,
            cancel_sent_at: None,
            ended_at: None,
            outcome: None,
            problem: None,
        }
    }
}

/// Written out, since a partial index serves no bound value.
fn is_open() -> diesel::expression::SqlLiteral<Bool> {
    sql::<Bool>("google_operations.state <> 'ended'")
}

/// Adds a call that is about to be made.
pub fn insert(tx: &mut Transaction<'_>, operation: &GoogleOperation) -> Result<()> {
    diesel::insert_into(google_operations::table).values(operation).execute(tx.connection)?;
    Ok(())
}

/// The operation with this name at Google.
pub fn find_by_name(tx: &mut Transaction<'_>, name: &str) -> Result<Option<GoogleOperation>> {
    Ok(GoogleOperation::query().filter(google_operations::name.eq(name)).first(tx.connection).optional()?)
}

/// The operation with this id.
pub fn find(tx: &mut Transaction<'_>, council: &CouncilId, id: &GoogleOperationId) -> Result<Option<GoogleOperation>> {
    Ok(GoogleOperation::query()
        .filter(google_operations::council_id.eq(council).and(google_operations::id.eq(id)))
        .first(tx.connection)
        .optional()?)
}

/// The operations of an enrolment that have not ended, oldest first.
pub fn open_of_enrolment(
    tx: &mut Transaction<'_>,
    council: &CouncilId,
    enrolment: &EnrolmentId,
) -> Result<Vec<GoogleOperation>> {
    Ok(GoogleOperation::query()
        .filter(google_operations::council_id.eq(council).and(google_operations::enrolment_id.eq(enrolment)))
        .filter(is_open())
        .order(google_operations::id)
        .load(tx.connection)?)
}

/// The operation of an order that has not ended.
pub fn open_of_order(
    tx: &mut Transaction<'_>,
    council: &CouncilId,
    order: &OrderId,
) -> Result<Option<GoogleOperation>> {
    Ok(GoogleOperation::query()
        .filter(google_operations::council_id.eq(council).and(google_operations::order_id.eq(order)))
        .filter(is_open())
        .first(tx.connection)
        .optional()?)
}

/// The enrolments for which Google has an order to wipe that has not ended: of one council, or of all.
pub fn enrolments_with_wipe(
    tx: &mut Transaction<'_>,
    council: Option<&CouncilId>,
) -> Result<Vec<(CouncilId, EnrolmentId)>> {
    let mut query = google_operations::table
        .filter(sql::<Bool>("google_operations.order_id IS NOT NULL AND google_operations.state <> 'ended'"))
        .order((google_operations::council_id, google_operations::enrolment_id))
        .select((google_operations::council_id, google_operations::enrolment_id))
        .into_boxed();
    if let Some(council) = council {
        query = query.filter(google_operations::council_id.eq(council.clone()));
    }
    Ok(query.load(tx.connection)?)
}

/// Google gave it a name; `false` when it is no longer being called.
pub fn issued(tx: &mut Transaction<'_>, operation: &GoogleOperation, name: &str, at: Moment) -> Result<bool> {
    let changed = diesel::update(google_operations::table.find((&operation.council_id, &operation.id)))
        .filter(google_operations::state.eq(GoogleOperationState::Calling))
        .set((
            google_operations::state.eq(GoogleOperationState::Issued),
            google_operations::name.eq(Some(name)),
            google_operations::issued_at.eq(Some(at)),
            google_operations::checked_at.eq(Some(at)),
        ))
        .execute(tx.connection)?;
    Ok(changed == 1)
}

/// Notes that Google was asked how it stands.
pub fn checked(tx: &mut Transaction<'_>, operation: &GoogleOperation, at: Moment) -> Result<()> {
    diesel::update(google_operations::table.find((&operation.council_id, &operation.id)))
        .set(google_operations::checked_at.eq(Some(at)))
        .execute(tx.connection)?;
    Ok(())
}

/// Notes that it is to be taken back; nothing new is issued for its order until it has ended.
pub fn want_cancel(tx: &mut Transaction<'_>, operation: &GoogleOperation, at: Moment) -> Result<()> {
    diesel::update(google_operations::table.find((&operation.council_id, &operation.id)))
        .filter(google_operations::cancel_wanted_at.is_null())
        .set(google_operations::cancel_wanted_at.eq(Some(at)))
        .execute(tx.connection)?;
    Ok(())
}

/// Notes that Google was asked to take it back.
pub fn cancel_sent(tx: &mut Transaction<'_>, operation: &GoogleOperation, at: Moment) -> Result<()> {
    diesel::update(google_operations::table.find((&operation.council_id, &operation.id)))
        .set(google_operations::cancel_sent_at.eq(Some(at)))
        .execute(tx.connection)?;
    Ok(())
}

/// Ends it; `false` when it had ended before.
pub fn end(
    tx: &mut Transaction<'_>,
    operation: &GoogleOperation,
    outcome: GoogleOutcome,
    problem: Option<&str>,
    at: Moment,
) -> Result<bool> {
    let changed = diesel::update(google_operations::table.find((&operation.council_id, &operation.id)))
        .filter(is_open())
        .set((
            google_operations::state.eq(GoogleOperationState::Ended),
            google_operations::ended_at.eq(Some(at)),
            google_operations::outcome.eq(Some(outcome)),
            google_operations::problem.eq(problem),
        ))
        .execute(tx.connection)?;
    Ok(changed == 1)
}

/// Operations that Google was last asked about before `before`, the longest ago first; in case that a notification was lost.
pub fn unchecked_since(tx: &mut Transaction<'_>, before: Moment, limit: i64) -> Result<Vec<GoogleOperation>> {
    Ok(GoogleOperation::query()
        .filter(sql::<Bool>("google_operations.state = 'issued'"))
        .filter(google_operations::checked_at.lt(before))
        .order(google_operations::checked_at)
        .limit(limit)
        .load(tx.connection)?)
}
