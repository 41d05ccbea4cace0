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
    // Another worker may have come first.
    let Some(enrolment) = store::enrolments::find(tx, council, &enrolment.id)?.filter(|row| row.ended_at.is_none())
    else {
        return Ok(());
    };
    for operation in store::google_operations::open_of_enrolment(tx, council, &enrolment.id)? {
        store::google_operations::end(tx, &operation, GoogleOutcome::LostSight, Some(why), context.now)?;
    }
    end(tx, context, &enrolment, "removed", "the device left management")?;
    orders::on_left_management(tx, context, &enrolment)?;
    left(tx, context, &enrolment, json!({ "reason": why }))
}
