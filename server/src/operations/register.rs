//! What a phone changes, by what it says, of which item it is: rare, and the ground on which an order stands or falls, so each
//! change leaves a row in the council's trail. The caller holds the council's lock, or this takes it.

use serde_json::json;

use super::{Context, audit};
use crate::error::Result;
use crate::model::{AssetId, Confirmation, CouncilId, InvitationId};
use crate::store::devices::Device;
use crate::store::enrolments::Enrolment;
use crate::store::invitations::Invitation;
use crate::store::{self, Transaction};

/// Whether a person must confirm that the phone is the item changed, because of the serial number that it reports.
pub(crate) fn set_confirmation(
    tx: &mut Transaction<'_>,
    context: &Context,
    enrolment: &Enrolment,
    to: Confirmation,
    serial: &str,
) -> Result<()> {
    audit::lock(tx, &enrolment.council_id)?;
    store::enrolments::set_confirmation(tx, enrolment, to)?;
    let details = json!({ "enrolment": enrolment.id, "from": enrolment.confirmation, "to": to, "serial": serial });
    let (council, device) = (&enrolment.council_id, enrolment.device_id.as_str());
    audit::record(tx, context, council, "device confirmation changed", device, details)
}

/// Whether the phone reports another mode than it was invited for changed.
pub(crate) fn set_mode_disagrees(
    tx: &mut Transaction<'_>,
    context: &Context,
    enrolment: &Enrolment,
    disagrees: bool,
) -> Result<()> {
    audit::lock(tx, &enrolment.council_id)?;
    store::reports::set_mode_disagrees(tx, enrolment, disagrees)?;
    let details = json!({ "enrolment": enrolment.id, "mode": enrolment.mode, "disagrees": disagrees });
    let kind = if disagrees { "device mode disagrees" } else { "device mode agrees again" };
    audit::record(tx, context, &enrolment.council_id, kind, enrolment.device_id.as_str(), details)
}

/// Gives an item without a serial number the one that its phone reports; says whether it had none.
pub(crate) fn take_serial_over(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: &CouncilId,
    asset: &AssetId,
    serial: &str,
) -> Result<bool> {
    audit::lock(tx, council)?;
    if !store::devices::take_serial_over(tx, council, asset, serial)? {
        return Ok(false);
    }
    let details = json!({ "serial": serial });
    audit::record(tx, context, council, "asset serial taken from phone", asset.as_str(), details)?;
    Ok(true)
}

/// Takes a device off its item, because another enrols as it.
pub(crate) fn retire(
    tx: &mut Transaction<'_>,
    context: &Context,
    device: &Device,
    invitation: &InvitationId,
) -> Result<()> {
    store::devices::retire(tx, device, context.now)?;
    let details = json!({ "asset": device.asset_id, "udid": device.udid, "invitation": invitation });
    audit::record(tx, context, &device.council_id, "device retired", device.id.as_str(), details)
}

/// Puts a retired device back into use, as the item that it was invited for.
pub(crate) fn reinstate(
    tx: &mut Transaction<'_>,
    context: &Context,
    device: &Device,
    invitation: &Invitation,
) -> Result<()> {
    store::devices::reinstate(tx, device, &invitation.asset_id)?;
    let details = json!({ "was": device.asset_id, "asset": invitation.asset_id, "udid": device.udid, "invitation": invitation.id });
    audit::record(tx, context, &device.council_id, "device reinstated", device.id.as_str(), details)
}
