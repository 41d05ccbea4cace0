//! What an answer means for each kind of command: what is kept of it, what follows from it, and whom it is told.

use serde_json::Value;

use super::bypass_code;
use super::settle::Answer;
use crate::error::{Error, Result};
use crate::model::{CommandKind, CommandState, Confirmation, Platform};
use crate::operations::{Context, alerts, register, reports};
use crate::store::commands::CommandRow;
use crate::store::enrolments::Enrolment;
use crate::store::{self, Transaction};

fn alert_kind(kind: CommandKind) -> Option<&'static str> {
    match kind {
        CommandKind::DeviceLock | CommandKind::EnableLostMode => Some("lock_failed"),
        CommandKind::InstallProfile => Some("profile_refused"),
        CommandKind::RenewIdentity => Some("renewal_failed"),
        CommandKind::ClearPasscode => Some("clear_passcode_failed"),
        CommandKind::ActivationLockBypassCode => Some(bypass_code::ALERT),
        _ => None,
    }
}

/// Who says that a command failed.
pub(super) enum Word<'a> {
    /// The phone, with the codes of its own answer, which is kept as its word.
    Phones(&'a [i64]),
    /// The server gave up; what the phone did is not known.
    Ours,
    /// It never left for the phone.
    NeverSent,
}

/// It can never be sent, `why` as a sentence without its end: the phone knows nothing of it.
pub(crate) fn never_sent(
    tx: &mut Transaction<'_>,
    context: &Context,
    enrolment: &Enrolment,
    row: &CommandRow,
    why: &str,
) -> Result<()> {
    failed(tx, context, enrolment, row, &Word::NeverSent, why)
}

/// Ends a command as failed.
pub(super) fn failed(
    tx: &mut Transaction<'_>,
    context: &Context,
    enrolment: &Enrolment,
    row: &CommandRow,
    word: &Word<'_>,
    text: &str,
) -> Result<()> {
    let answer = match word {
        Word::Phones(codes) => Some(serde_json::json!({ "ErrorCodes": codes }).to_string()),
        Word::Ours | Word::NeverSent => None,
    };
    if !store::commands::finish(tx, row, CommandState::Failed, context.now, answer.as_deref(), Some(text))? {
        return Ok(());
    }
    if let Some(alert) = alert_kind(row.kind) {
        let message = match (row.kind, word) {
            (CommandKind::ActivationLockBypassCode, _) => bypass_code::words_of_failure(tx, enrolment, text)?,
            (kind, Word::Phones(_)) => format!("The phone answered \"{kind}\" with an error: {text}"),
            (kind, Word::NeverSent) => format!("\"{kind}\" did not reach the phone: {text}."),
            (kind, Word::Ours) => format!("\"{kind}\" was given up: {text}. Whether the phone did it is not known."),
        };
        alerts::raise(tx, context, &enrolment.council_id, alert, enrolment.device_id.as_str(), &message)?;
    }
    Ok(())
}

/// The device did it, as far as it says.
pub(super) fn acknowledged(
    tx: &mut Transaction<'_>,
    context: &Context,
    enrolment: &Enrolment,
    row: &CommandRow,
    answer: &Answer,
) -> Result<()> {
    let report = &answer.report;
    if row.kind == CommandKind::ActivationLockBypassCode {
        return bypass_code::given(tx, context, enrolment, row, answer.bypass_code.as_ref());
    }
    let no_passcode = match enrolment.platform {
        Platform::Apple => report.get("MessageResult").and_then(Value::as_str) == Some("NoPasscodeSet"),
        // Google answers "done" for a phone without a PIN just as well: what the phone said of itself last is what is known.
        Platform::Android => reports::android_says_no_passcode(tx, enrolment)?,
    };
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
        CommandKind::DeviceLock | CommandKind::EnableLostMode | CommandKind::DisableLostMode => {
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
