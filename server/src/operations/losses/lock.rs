//! The lock that a loss brings about, and what stands in its way.

use crate::error::{Error, Result};
use crate::model::{CommandId, Confirmation, Mode};
use crate::operations::{Context, devices};
use crate::store::cases::Case;
use crate::store::devices::Device;
use crate::store::enrolments::Enrolment;
use crate::store::{self, Transaction};

pub(super) fn lock(
    tx: &mut Transaction<'_>,
    context: &Context,
    case: &Case,
    device: Option<&Device>,
    warnings: &mut Vec<String>,
) -> Result<Option<CommandId>> {
    let enrolment = match device {
        Some(device) => store::enrolments::live_of_device(tx, &case.council_id, &device.id)?,
        None => None,
    };
    let (Some(device), Some(enrolment)) = (device, enrolment) else {
        warnings.push(
            "This item is not managed by Beadle: it cannot be locked or erased from here. Ring the mobile network and have \
             SIM and IMEI blocked."
                .to_owned(),
        );
        return Ok(None);
    };
    warnings.extend(warn_of_push(tx, context, &enrolment)?);
    if enrolment.mode != Mode::Supervised {
        warnings.push(
            "This phone is not supervised: its screen is locked, and it opens with its PIN. There is no Lost Mode."
                .to_owned(),
        );
    }
    if enrolment.confirmation == Confirmation::Waiting {
        warnings.push(
            "It was never confirmed that this phone is this item: its serial number is not the one on the register."
                .to_owned(),
        );
    }
    match devices::lock(tx, context, &device.id, &case.contact_message, &case.contact_number, Some(&case.id)) {
        Ok(command) => Ok(Some(command)),
        // The report counts although the phone cannot be locked; nothing was written when this is said.
        Err(Error::Conflict(problem)) => {
            warnings.push(format!("The phone could not be locked: {problem}."));
            Ok(None)
        }
        Err(problem) => Err(problem),
    }
}

/// What stands between the server and the phone, if anything does.
fn warn_of_push(tx: &mut Transaction<'_>, context: &Context, enrolment: &Enrolment) -> Result<Option<String>> {
    let late = "The lock reaches the phone only when it happens to ask by itself";
    let end = match &enrolment.topic {
        Some(topic) => store::cases::push_certificate_end(tx, &enrolment.council_id, topic)?,
        None => None,
    };
    Ok(match end {
        None => Some(format!("The council has no push certificate that this phone listens to. {late}.")),
        Some(Some(end)) if end <= context.now => Some(format!(
            "The council's push certificate expired on {}. {late}. Renew it now with the same Apple Account.",
            end.utc().format("%d %B %Y")
        )),
        _ if enrolment.push_token.is_none() || enrolment.push_retired_at.is_some() => {
            Some(format!("Apple no longer accepts wake-ups for this phone. {late}."))
        }
        _ => None,
    })
}
