//! CheckOut and every other end of an enrolment.

use serde_json::json;

use super::{Identified, Misuse, Outcome, as_device, identify_locked, refuse_misuse};
use crate::error::{Error, Result};
use crate::model::CouncilId;
use crate::operations::{Context, alerts, audit, commands, orders};
use crate::store::enrolments::Enrolment;
use crate::store::{self, Transaction};

/// CheckOut: the holder removed management. Nothing is delivered afterwards.
pub fn check_out(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: &CouncilId,
    fingerprint: &str,
    device: Option<&str>,
) -> Result<Outcome> {
    let enrolment = match identify_locked(tx, council, fingerprint, device)? {
        Identified::Misused(_, Misuse::Left | Misuse::Revoked) => return Ok(Outcome::Done),
        Identified::Misused(certificate, how) => return refuse_misuse(tx, context, &certificate, how),
        Identified::Refused(reason) => return Ok(Outcome::Refused(reason)),
        Identified::Pinned(enrolment) | Identified::Renewed(enrolment, _) => enrolment,
    };
    let context = &as_device(context, &enrolment);
    end(tx, context, &enrolment, "checked_out", "the device left management")?;
    orders::on_left_management(tx, context, &enrolment)?;
    let device = store::devices::find(tx, &enrolment.device_id)?.ok_or(Error::NotFound("device"))?;
    let tag = store::devices::asset_tag_and_serial(tx, council, &device.asset_id)?.map(|(tag, _)| tag);
    let message = format!(
        "The management of {} was removed on the phone itself. The council can no longer see, lock or wipe it; invite it \
         again.",
        tag.unwrap_or_default()
    );
    alerts::raise(tx, context, council, "left_management", device.id.as_str(), &message)?;
    let details = json!({ "device": device.id, "reason": "checked_out" });
    audit::record(tx, context, council, "device left management", enrolment.id.as_str(), details)?;
    Ok(Outcome::Done)
}

/// Ends an enrolment: its open commands are taken back and its certificates revoked. `false` when it had ended before.
///
/// The caller settles what becomes of its order, and records it.
pub fn end(
    tx: &mut Transaction<'_>,
    context: &Context,
    enrolment: &Enrolment,
    reason: &str,
    words: &str,
) -> Result<bool> {
    let (council, id) = (&enrolment.council_id, &enrolment.id);
    if !store::enrolments::end(tx, council, id, context.now, reason)? {
        return Ok(false);
    }
    commands::cancel_all(tx, context, enrolment, words)?;
    store::certificates::revoke_of_enrolment(tx, council, id, None, context.now, reason)?;
    Ok(true)
}
