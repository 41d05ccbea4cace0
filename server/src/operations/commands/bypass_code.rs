//! The code that opens a supervised phone's Activation Lock. The phone gives it within 15 days after it was supervised and
//! never again, so it is asked for at enrolment and kept with the device.

use chrono::Duration;
use serde_json::json;

use super::settle::SealedCode;
use super::{NewCommand, queue};
use crate::error::{Error, Result};
use crate::model::{CommandKind, CommandState, Mode, Ownership};
use crate::operations::{Context, alerts};
use crate::store::commands::CommandRow;
use crate::store::enrolments::Enrolment;
use crate::store::{self, Transaction};

/// The alert about a phone that did not give its code.
pub(super) const ALERT: &str = "bypass_code_missing";
/// How long a phone gives its code.
const GIVEN_FOR: Duration = Duration::days(15);

/// Asks a council's supervised phone for its code; others have none, or none that is the council's business.
pub fn ask_for_bypass_code(tx: &mut Transaction<'_>, context: &Context, enrolment: &Enrolment) -> Result<()> {
    let gives_one =
        enrolment.mode == Mode::Supervised && enrolment.ownership == Ownership::Council && !enrolment.mode_disagrees;
    if !gives_one {
        return Ok(());
    }
    let command = NewCommand {
        kind: CommandKind::ActivationLockBypassCode,
        payload: json!({}),
        priority: 25,
        case: None,
        expires_in: GIVEN_FOR,
        supersede_key: Some("activation_lock_bypass_code"),
    };
    queue(tx, context, enrolment, &command).map(drop)
}

/// The phone answered. An answer without a code changes nothing that was kept before.
pub(super) fn given(
    tx: &mut Transaction<'_>,
    context: &Context,
    enrolment: &Enrolment,
    row: &CommandRow,
    code: Option<&SealedCode>,
) -> Result<()> {
    let problem = code.is_none().then_some("the phone answered, but gave no code");
    if !store::commands::finish(tx, row, CommandState::Acknowledged, context.now, None, problem)? {
        return Ok(());
    }
    let (council, device) = (&enrolment.council_id, &enrolment.device_id);
    match (code, problem) {
        (Some(code), _) => {
            store::devices::keep_bypass_code(tx, council, device, &code.sealed, context.now)?;
            alerts::end(tx, context, council, ALERT, device.as_str())
        }
        (None, problem) => {
            let message = words_of_failure(tx, enrolment, problem.unwrap_or_default())?;
            alerts::raise(tx, context, council, ALERT, device.as_str(), &message)
        }
    }
}

/// What a phone that gives no code means for the council.
pub(super) fn words_of_failure(tx: &mut Transaction<'_>, enrolment: &Enrolment, why: &str) -> Result<String> {
    let device = store::devices::find(tx, &enrolment.device_id)?.ok_or(Error::NotFound("device"))?;
    let tag = store::devices::asset_tag_and_serial(tx, &device.council_id, &device.asset_id)?.map(|(tag, _)| tag);
    let consequence = match store::devices::bypass_code_at(tx, &device)? {
        Some(at) => format!(
            "The code that it gave on {} is kept, but may no longer be the right one.",
            at.utc().format("%d %B %Y")
        ),
        None => {
            "Without it, a phone whose holder turned Find My on cannot be set up again except with the holder's own \
                 Apple Account: have Find My turned off before the phone is handed back. A phone gives its code only \
                 within 15 days after it was supervised."
                .to_owned()
        }
    };
    Ok(format!(
        "{} did not give the code that opens its Activation Lock ({why}). {consequence}",
        tag.unwrap_or_default()
    ))
}
