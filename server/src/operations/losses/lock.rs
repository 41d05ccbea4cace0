//! The lock that a loss brings about, and what stands in its way.

use crate::error::{Error, Result};
use crate::model::CommandId;
use crate::operations::{Context, commands, devices};
use crate::store::cases::Case;
use crate::store::devices::Device;
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
    commands::keep_shut(tx, context, &enrolment)?;
    warnings.extend(devices::warnings(tx, context, &enrolment, true)?);
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
