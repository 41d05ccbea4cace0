//! Recording what a device answered: once, truthfully, and whatever it answered, so that the queue goes on.

use serde_json::Value;

use super::{push_again_after, wake_at};
use crate::error::{Error, Result};
use crate::model::{CommandId, CommandKind, CommandState, Confirmation};
use crate::operations::{Context, alerts, orders, register, reports};
use crate::store::commands::CommandRow;
use crate::store::enrolments::Enrolment;
use crate::store::{self, Transaction};

/// Apple's error for a command that is not possible in Lost Mode: put off, not failed.
const NOT_IN_LOST_MODE: i64 = 12078;
/// How often a command whose answer cannot be read is offered before it counts as failed.
const UNREADABLE_OFFERS: i64 = 3;

/// How a device answered.
#[derive(Clone, Debug, PartialEq)]
pub enum AnswerStatus {
    /// It is done.
    Acknowledged,
    /// It cannot: the error chain's codes, and its text.
    Failed {
        /// The codes of the chain.
        codes: Vec<i64>,
        /// The chain in words.
        text: String,
    },
    /// Not now.
    NotNow,
    /// The answer could not be read; the identity that sent it was right.
    Unreadable,
}

/// A device's answer to a command.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The CommandUUID; `None` where it could not be read.
    pub command: Option<CommandId>,
    /// How.
    pub status: AnswerStatus,
    /// The whole answer as JSON: data as {"data": "base64"}, dates as RFC 3339 text.
    pub report: Value,
}

/// What an answer belonged to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Settled {
    /// An order: not offered again in this visit.
    Order,
    /// A command, or nothing that is waited for.
    Command,
}

pub(super) fn settle(
    tx: &mut Transaction<'_>,
    context: &Context,
    enrolment: &Enrolment,
    answer: &Answer,
) -> Result<Settled> {
    let Some(id) = &answer.command else {
        return unreadable(tx, context, enrolment).map(|()| Settled::Command);
    };
    let outcome = match &answer.status {
        AnswerStatus::Acknowledged => Some(orders::Outcome::Acknowledged),
        AnswerStatus::NotNow => Some(orders::Outcome::NotNow),
        AnswerStatus::Failed { codes, .. } if codes.contains(&NOT_IN_LOST_MODE) => Some(orders::Outcome::NotNow),
        AnswerStatus::Failed { text, .. } => Some(orders::Outcome::Failed(text.clone())),
        AnswerStatus::Unreadable => None,
    };
    if let Some(outcome) = outcome
        && orders::settle(tx, context, enrolment, id, &outcome)?
    {
        return Ok(Settled::Order);
    }
    let row = store::commands::find(tx, &enrolment.council_id, &enrolment.id, id)?;
    match row {
        Some(row) if matches!(row.state, CommandState::Sent | CommandState::Deferred) => {
            settle_command(tx, context, enrolment, &row, answer)?;
        }
        Some(row) => {
            tracing::info!(command = %id, state = %row.state, "an answer to a command that waits for none");
        }
        None => tracing::warn!(command = %id, enrolment = %enrolment.id, "an answer to an unknown command"),
    }
    Ok(Settled::Command)
}

fn settle_command(
    tx: &mut Transaction<'_>,
    context: &Context,
    enrolment: &Enrolment,
    row: &CommandRow,
    answer: &Answer,
) -> Result<()> {
    match &answer.status {
        AnswerStatus::Acknowledged => acknowledged(tx, context, enrolment, row, &answer.report),
        AnswerStatus::NotNow => put_off(tx, context, enrolment, row, "the device said: not now"),
        AnswerStatus::Failed { codes, text } if codes.contains(&NOT_IN_LOST_MODE) => {
            put_off(tx, context, enrolment, row, text)
        }
        AnswerStatus::Failed { codes, text } => failed(tx, context, enrolment, row, Some(codes), text),
        AnswerStatus::Unreadable => give_up_reading(tx, context, enrolment, row),
    }
}

fn put_off(
    tx: &mut Transaction<'_>,
    context: &Context,
    enrolment: &Enrolment,
    row: &CommandRow,
    why: &str,
) -> Result<()> {
    let until = context.now + push_again_after(row.offers);
    store::commands::defer(tx, row, until, why)?;
    // The device comes back by itself only if this is the last thing it says; so we come back to it.
    wake_at(tx, context, enrolment, until)
}

fn unreadable(tx: &mut Transaction<'_>, context: &Context, enrolment: &Enrolment) -> Result<()> {
    tracing::warn!(enrolment = %enrolment.id, "a device's answer could not be read");
    // It can only be an answer to what was sent last.
    match store::commands::last_sent(tx, enrolment)? {
        Some(row) => give_up_reading(tx, context, enrolment, &row),
        None => Ok(()),
    }
}

fn give_up_reading(tx: &mut Transaction<'_>, context: &Context, enrolment: &Enrolment, row: &CommandRow) -> Result<()> {
    if row.offers < UNREADABLE_OFFERS {
        put_off(tx, context, enrolment, row, "the device's answer could not be read")
    } else {
        failed(tx, context, enrolment, row, None, "the device's answer could not be read")
    }
}

fn alert_kind(kind: CommandKind) -> Option<&'static str> {
    match kind {
        CommandKind::DeviceLock | CommandKind::EnableLostMode => Some("lock_failed"),
        CommandKind::InstallProfile => Some("profile_refused"),
        CommandKind::RenewIdentity => Some("renewal_failed"),
        CommandKind::ClearPasscode => Some("clear_passcode_failed"),
        _ => None,
    }
}

/// Ends a command as failed. `codes` are those of the phone's own answer, which is kept as its word; without one it is the
/// server that gave up.
fn failed(
    tx: &mut Transaction<'_>,
    context: &Context,
    enrolment: &Enrolment,
    row: &CommandRow,
    codes: Option<&[i64]>,
    text: &str,
) -> Result<()> {
    let answer = codes.map(|codes| serde_json::json!({ "ErrorCodes": codes }).to_string());
    if !store::commands::finish(tx, row, CommandState::Failed, context.now, answer.as_deref(), Some(text))? {
        return Ok(());
    }
    if let Some(alert) = alert_kind(row.kind) {
        let message = match codes {
            Some(_) => format!("The phone answered \"{}\" with an error: {text}", row.kind),
            None => format!("\"{}\" was given up: {text}. Whether the phone did it is not known.", row.kind),
        };
        alerts::raise(tx, context, &enrolment.council_id, alert, enrolment.device_id.as_str(), &message)?;
    }
    Ok(())
}

fn acknowledged(
    tx: &mut Transaction<'_>,
    context: &Context,
    enrolment: &Enrolment,
    row: &CommandRow,
    report: &Value,
) -> Result<()> {
    let no_passcode = report.get("MessageResult").and_then(Value::as_str) == Some("NoPasscodeSet");
    let problem = (row.kind == CommandKind::DeviceLock && no_passcode)
        .then_some("the lock had no effect: no PIN is set on this phone");
    let kept = kept_answer(row.kind, report);
    let state = CommandState::Acknowledged;
    if !store::commands::finish(tx, row, state, context.now, kept.as_deref(), problem)? {
        return Ok(());
    }
    let device = enrolment.device_id.as_str();
    if let Some(alert) = alert_kind(row.kind) {
        alerts::end(tx, context, &enrolment.council_id, alert, device)?;
    }
    match row.kind {
        CommandKind::DeviceInformation
        | CommandKind::SecurityInfo
        | CommandKind::ProfileList
        | CommandKind::InstalledApplicationList
        | CommandKind::CertificateList
        | CommandKind::InstallProfile => {
            match reports::take_in(tx, context, enrolment, row.kind, report) {
                Err(Error::Invalid { field, problem }) => {
                    tracing::warn!(%field, %problem, kind = %row.kind, "a report could not be taken in");
                }
                other => other?,
            }
            let serial = report.get("QueryResponses").and_then(|said| said.get("SerialNumber")).and_then(Value::as_str);
            if let (CommandKind::DeviceInformation, Some(serial)) = (row.kind, serial) {
                compare_serial(tx, context, enrolment, serial)?;
            }
        }
        CommandKind::DeviceLock => {
            let (council, kind) = (&enrolment.council_id, "lock_without_effect");
            match problem {
                Some(problem) => {
                    let message = format!("{problem}: whoever holds it can open it.");
                    alerts::raise(tx, context, council, kind, device, &message)?;
                }
                None => alerts::end(tx, context, council, kind, device)?,
            }
        }
        _ => {}
    }
    Ok(())
}

/// The part of an answer that is kept with the command; what inventory says is kept as the report.
fn kept_answer(kind: CommandKind, report: &Value) -> Option<String> {
    match kind {
        CommandKind::DeviceLock
        | CommandKind::EnableLostMode
        | CommandKind::DisableLostMode
        | CommandKind::DeviceLocation
        | CommandKind::PlayLostModeSound => {
            let mut report = report.clone();
            if let Some(fields) = report.as_object_mut() {
                for known in ["UDID", "EnrollmentID", "CommandUUID", "Status"] {
                    fields.remove(known);
                }
            }
            Some(report.to_string())
        }
        _ => None,
    }
}

/// A phone that waits for the clerk because it gave no serial number, or the register had another, may have the right one now.
fn compare_serial(tx: &mut Transaction<'_>, context: &Context, enrolment: &Enrolment, serial: &str) -> Result<()> {
    if enrolment.confirmation != Confirmation::Waiting {
        return Ok(());
    }
    let council = &enrolment.council_id;
    let Some(device) = store::devices::find(tx, &enrolment.device_id)? else { return Ok(()) };
    if register::take_serial_over(tx, context, council, &device.asset_id, serial)?
        || store::devices::asset_serial_is(tx, council, &device.asset_id, serial)?
    {
        register::set_confirmation(tx, context, enrolment, Confirmation::NotNeeded, serial)?;
        alerts::end(tx, context, council, "serial_differs", enrolment.device_id.as_str())?;
    }
    Ok(())
}
