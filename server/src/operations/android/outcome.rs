//! What Google answered to a call, and how the operation that it began came to its end.

use serde_json::{Value, json};

use super::super::check_in::as_device;
use super::super::commands::{self, Answer, AnswerStatus};
use super::super::{Context, alerts, audit, losses, orders};
use super::dispatch::Phone;
use super::health;
use crate::error::{Error, Result};
use crate::model::{CommandId, CommandKind, CommandState, GoogleOutcome, Posture};
use crate::store::commands::CommandRow;
use crate::store::google_operations::GoogleOperation;
use crate::store::{self, Transaction};

/// The alert about a lost phone whose PIN was cleared all the same.
const PIN_CLEARED: &str = "pin_cleared_while_lost";

/// How an operation stands, as Google says.
#[derive(Clone, Debug, PartialEq)]
pub enum Standing {
    /// The phone has not done it yet.
    Pending,
    /// The phone did it; Google's whole answer.
    Done(Value),
    /// It cannot be done, in words.
    Failed(String),
    /// It was taken back before the phone had it.
    Cancelled,
    /// Its time ran out before the phone had it.
    Expired,
    /// Google no longer knows of it.
    Unknown,
}

/// Google began an operation for the call, now or when it was looked for.
pub fn issued(tx: &mut Transaction<'_>, context: &Context, operation: &GoogleOperation, name: &str) -> Result<()> {
    audit::lock(tx, &operation.council_id)?;
    if store::google_operations::issued(tx, operation, name, context.now)?
        && let Some(order) = &operation.order_id
    {
        orders::given_to_google(tx, context, order, name)?;
    }
    health::works(tx, context, &operation.council_id)
}

/// Google certainly did not begin anything: the call is made again later, as a new row, unless somebody asked to take the
/// order back meanwhile.
pub fn not_made(tx: &mut Transaction<'_>, context: &Context, operation: &GoogleOperation, why: &str) -> Result<()> {
    let council = &operation.council_id;
    audit::lock(tx, council)?;
    if !store::google_operations::end(tx, operation, GoogleOutcome::NotMade, Some(why), context.now)? {
        return Ok(());
    }
    let Some(order) = &operation.order_id else { return Ok(()) };
    let enrolment = store::enrolments::find(tx, council, &operation.enrolment_id)?
        .ok_or_else(|| Error::internal("an order's enrolment is missing"))?;
    orders::google_ended(tx, context, &enrolment, order, operation, GoogleOutcome::NotMade, Some(why))
}

/// It will never be done: Google refused the call for good, or it could not be made at all. The phone was told of nothing, and what
/// people read of it is not the phone's word. `why` is a sentence without its end.
pub fn refused(
    tx: &mut Transaction<'_>,
    context: &Context,
    phone: &Phone,
    operation: &GoogleOperation,
    why: &str,
) -> Result<()> {
    audit::lock(tx, &operation.council_id)?;
    if !store::google_operations::end(tx, operation, GoogleOutcome::Failed, Some(why), context.now)? {
        return Ok(());
    }
    let enrolment = &phone.enrolment;
    match (&operation.order_id, &operation.command_id) {
        (Some(order), _) => orders::refused_by_google(tx, context, order, why),
        (None, Some(id)) => {
            let Some(row) = store::commands::find(tx, &enrolment.council_id, &enrolment.id, id)? else { return Ok(()) };
            if row.ended_at.is_some() {
                return Ok(());
            }
            commands::never_sent(tx, context, enrolment, &row, why)?;
            instead(tx, context, phone, &row)
        }
        (None, None) => Ok(()),
    }
}

/// Google was asked to take it back; it is known to be taken back when the operation says so.
pub fn cancel_sent(tx: &mut Transaction<'_>, context: &Context, operation: &GoogleOperation) -> Result<()> {
    store::google_operations::cancel_sent(tx, operation, context.now)
}

/// The phone has another of the council's policies.
pub fn moved(tx: &mut Transaction<'_>, context: &Context, phone: &Phone, posture: Posture) -> Result<()> {
    let _ = context;
    store::android_enrolments::posture_sent(tx, &phone.enrolment.council_id, &phone.enrolment.id, posture)
}

/// Records how an operation stands; its end is the end of its command, or a step of its order.
pub fn checked(
    tx: &mut Transaction<'_>,
    context: &Context,
    phone: &Phone,
    operation: &GoogleOperation,
    standing: &Standing,
) -> Result<()> {
    let context = &as_device(context, &phone.enrolment);
    audit::lock(tx, &operation.council_id)?;
    let (outcome, problem) = match standing {
        Standing::Pending => return store::google_operations::checked(tx, operation, context.now),
        Standing::Done(_) => (GoogleOutcome::Done, None),
        Standing::Failed(why) => (GoogleOutcome::Failed, Some(why.as_str())),
        Standing::Cancelled => (GoogleOutcome::Cancelled, None),
        Standing::Expired => (GoogleOutcome::Expired, None),
        Standing::Unknown => (GoogleOutcome::LostSight, Some("Google no longer knows of this operation")),
    };
    if !store::google_operations::end(tx, operation, outcome, problem, context.now)? {
        return Ok(());
    }
    // Whether it was to be taken back may have changed while Google was asked.
    let again = store::google_operations::find(tx, &operation.council_id, &operation.id)?;
    let operation = again.as_ref().unwrap_or(operation);
    match (&operation.order_id, &operation.command_id) {
        (Some(order), _) => orders::google_ended(tx, context, &phone.enrolment, order, operation, outcome, problem),
        (None, Some(id)) => command_ended(tx, context, phone, id, standing, problem),
        (None, None) => Ok(()),
    }
}

fn command_ended(
    tx: &mut Transaction<'_>,
    context: &Context,
    phone: &Phone,
    id: &CommandId,
    standing: &Standing,
    problem: Option<&str>,
) -> Result<()> {
    let enrolment = &phone.enrolment;
    let Some(row) = store::commands::find(tx, &enrolment.council_id, &enrolment.id, id)? else { return Ok(()) };
    let status = match standing {
        Standing::Done(_) => AnswerStatus::Acknowledged,
        Standing::Failed(why) => AnswerStatus::Failed { codes: Vec::new(), text: why.clone() },
        Standing::Cancelled => {
            let problem = "it was taken back before the phone had it";
            store::commands::finish(tx, &row, CommandState::Cancelled, context.now, None, Some(problem))?;
            return Ok(());
        }
        Standing::Expired | Standing::Unknown | Standing::Pending => {
            let problem = problem.unwrap_or("the phone did not come for it in time");
            store::commands::finish(tx, &row, CommandState::Expired, context.now, None, Some(problem))?;
            return Ok(());
        }
    };
    let report = match standing {
        Standing::Done(answer) => json!({ "Google": answer }),
        _ => Value::Null,
    };
    if row.ended_at.is_some() {
        // What was asked for was no longer wanted: nothing follows from its end, but what the phone did is told as done.
        return match standing {
            Standing::Done(_) => done_all_the_same(tx, context, phone, &row, &report),
            _ => Ok(()),
        };
    }
    let answer = Answer { command: Some(row.id.clone()), status, report, bypass_code: None };
    commands::settle_answer(tx, context, enrolment, &row, &answer)?;
    match (row.kind, standing) {
        // Its report may have been read before the operation was: this is the phone's word just as well.
        (CommandKind::DisableLostMode, Standing::Done(_)) => losses::on_contact(tx, context, enrolment),
        (_, Standing::Failed(_)) => instead(tx, context, phone, &row),
        _ => Ok(()),
    }
}

/// A phone that did not go into lost mode is locked: better than nothing at all, as long as it is missing.
fn instead(tx: &mut Transaction<'_>, context: &Context, phone: &Phone, failed: &CommandRow) -> Result<()> {
    let device = store::devices::find(tx, &phone.enrolment.device_id)?.ok_or(Error::NotFound("device"))?;
    if failed.kind != CommandKind::EnableLostMode || !store::devices::has_open_loss(tx, &device)? {
        return Ok(());
    }
    super::super::devices::lock_instead(tx, context, &phone.enrolment, failed)
}

/// The phone had it before it could be taken back.
fn done_all_the_same(
    tx: &mut Transaction<'_>,
    context: &Context,
    phone: &Phone,
    row: &CommandRow,
    report: &Value,
) -> Result<()> {
    let (council, device) = (&row.council_id, &phone.enrolment.device_id);
    let answer = report.to_string();
    let problem = "the phone did it before it could be taken back";
    if !store::commands::done_all_the_same(tx, row, context.now, Some(&answer), problem)? {
        return Ok(());
    }
    let details = json!({ "kind": row.kind, "enrolment": row.enrolment_id });
    audit::record(tx, context, council, "command done all the same", row.id.as_str(), details)?;
    let Some(known) = store::devices::find(tx, device)? else { return Ok(()) };
    if row.kind == CommandKind::ClearPasscode && store::devices::is_not_back_from_loss(tx, &known)? {
        let message = "The PIN of this phone was cleared before the clearing could be taken back, and the phone is reported \
                       lost: unless lost mode is on, whoever holds it can open it. Ask for its data to be erased.";
        alerts::raise(tx, context, council, PIN_CLEARED, device.as_str(), message)?;
    }
    Ok(())
}
