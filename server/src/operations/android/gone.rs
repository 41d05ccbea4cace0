//! A phone that Google no longer has: its holder removed the work profile, or it was reset. Silence is not that.

use serde_json::json;

use super::super::check_in::as_device;
use super::super::enrolments::{end, left};
use super::super::{Context, audit, orders};
use crate::error::Result;
use crate::model::GoogleOutcome;
use crate::store::enrolments::Enrolment;
use crate::store::{self, Transaction};

/// Google answers that it has no such device, or that it was deleted. What was asked of it has been looked up before.
pub fn gone(tx: &mut Transaction<'_>, context: &Context, enrolment: &Enrolment, why: &str) -> Result<()> {
    let context = &as_device(context, enrolment);
    let council = &enrolment.council_id;
    audit::lock(tx, council)?;
    let Some(enrolment) = store::enrolments::find(tx, council, &enrolment.id)? else { return Ok(()) };
    let ended = enrolment.ended_at.is_some();
    for operation in store::google_operations::open_of_enrolment(tx, council, &enrolment.id)? {
        let outcome = GoogleOutcome::LostSight;
        store::google_operations::end(tx, &operation, outcome, Some(why), context.now)?;
        // An order of an enrolment that ended waits for a person; whoever asked to take it back need not wait any longer.
        if let Some(order) = operation.order_id.as_ref().filter(|_| ended) {
            orders::google_ended(tx, context, &enrolment, order, &operation, outcome, Some(why))?;
        }
    }
    // Another worker may have come first, or it enrolled again.
    if ended {
        return Ok(());
    }
    end(tx, context, &enrolment, "removed", "the device left management")?;
    orders::on_left_management(tx, context, &enrolment)?;
    left(tx, context, &enrolment, json!({ "reason": why }))
}
