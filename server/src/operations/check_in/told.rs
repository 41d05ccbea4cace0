//! What a new enrolment says that the register does not: another serial number, another mode.

use crate::error::Result;
use crate::model::Confirmation;
use crate::operations::{Context, alerts, register};
use crate::store::devices::Device;
use crate::store::enrolments::Enrolment;
use crate::store::{self, Transaction};

/// Whether the clerk must confirm that the phone is the asset's: its serial number is compared with the register.
pub(super) fn compare_serial(
    tx: &mut Transaction<'_>,
    context: &Context,
    device: &Device,
    reported: Option<&str>,
    latest: Option<&Enrolment>,
) -> Result<Confirmation> {
    let (council, asset) = (&device.council_id, &device.asset_id);
    let registered = store::devices::asset_tag_and_serial(tx, council, asset)?
        .and_then(|(_, serial)| serial)
        .filter(|serial| !serial.trim().is_empty());
    Ok(match (registered, reported) {
        (None, None) => Confirmation::NotNeeded,
        (None, Some(reported)) => {
            register::take_serial_over(tx, context, council, asset, reported)?;
            Confirmation::NotNeeded
        }
        (Some(registered), Some(reported)) if registered.trim().eq_ignore_ascii_case(reported.trim()) => {
            Confirmation::NotNeeded
        }
        // The clerk has said once that this very phone is the asset's; that stands.
        _ if latest.is_some_and(|latest| latest.confirmation == Confirmation::Confirmed) => Confirmation::Confirmed,
        _ => Confirmation::Waiting,
    })
}

/// Tells people of what is odd about a new enrolment.
pub(super) fn tell_of(
    tx: &mut Transaction<'_>,
    context: &Context,
    new: &Enrolment,
    device: &Device,
    serial: Option<&str>,
) -> Result<()> {
    let subject = device.id.as_str();
    if new.confirmation == Confirmation::Waiting
        && let Some(serial) = serial
    {
        let (tag, registered) =
            store::devices::asset_tag_and_serial(tx, &device.council_id, &device.asset_id)?.unwrap_or_default();
        let message = format!(
            "The phone that enrolled as {tag} reports the serial number {serial}, but the register says {}. Check which \
             phone it is: confirm it, or correct the register and invite again.",
            registered.unwrap_or_default()
        );
        alerts::raise(tx, context, &device.council_id, "serial_differs", subject, &message)?;
    }
    if new.mode_disagrees {
        let message = "The phone enrolled in another mode than its invitation says. Until this is resolved it cannot be \
                       wiped: invite it again in the mode it really has.";
        alerts::raise(tx, context, &device.council_id, "mode_disagrees", new.id.as_str(), message)?;
    }
    alerts::end(tx, context, &device.council_id, "left_management", subject)
}
