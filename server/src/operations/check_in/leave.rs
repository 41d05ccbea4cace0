//! CheckOut: the holder removed management.

use serde_json::json;

use super::{Identified, Misuse, Outcome, as_device, identify_locked, refuse_misuse};
use crate::error::Result;
use crate::model::CouncilId;
use crate::operations::enrolments::{end, left};
use crate::operations::{Context, orders};
use crate::store::Transaction;

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
        Identified::Pinned(caller) | Identified::Renewed(caller, _) => caller.enrolment,
    };
    let context = &as_device(context, &enrolment);
    end(tx, context, &enrolment, "checked_out", "the device left management")?;
    orders::on_left_management(tx, context, &enrolment)?;
    left(tx, context, &enrolment, json!({ "device": enrolment.device_id, "reason": "checked_out" }))?;
    Ok(Outcome::Done)
}
