//! What happens to a device follows through to its order: enrolled again, left, woken, heard from, put under a hold.

use serde_json::json;

use super::deliver::reopen;
use super::{advance, end_alerts, google, hold, locked, tag_of};
use crate::error::Result;
use crate::model::{CouncilId, DeviceId, HeldReason, OperatorId, OrderEvent, OrderState};
use crate::operations::{Context, alerts, audit, one_operator};
use crate::store::enrolments::Enrolment;
use crate::store::orders::Order;
use crate::store::{self, Transaction};

/// Holds the open order of a device that enrolled again, and asks the clerk.
pub fn on_re_enrolment(tx: &mut Transaction<'_>, context: &Context, old: &Enrolment, new: &Enrolment) -> Result<()> {
    audit::lock(tx, &old.council_id)?;
    for order in store::orders::living_of_enrolment(tx, &old.council_id, &old.id)? {
        // Enrolling anew is what an erased phone does; what was presumed needs nobody's decision.
        if order.state == OrderState::PresumedErased {
            continue;
        }
        let problem = format!("the device enrolled again as {}", new.id);
        hold(tx, context, &order, HeldReason::ReEnrolled, &problem, |_| {})?;
    }
    Ok(())
}

/// Ends the open order of a device that left management.
pub fn on_left_management(tx: &mut Transaction<'_>, context: &Context, enrolment: &Enrolment) -> Result<()> {
    audit::lock(tx, &enrolment.council_id)?;
    for order in store::orders::living_of_enrolment(tx, &enrolment.council_id, &enrolment.id)? {
        let fetched = order.first_fetched_at.is_some();
        let details = json!({ "fetched_before": fetched });
        let left = advance(tx, context, &order, OrderEvent::LeftManagement, details, |_| {})?;
        end_alerts(tx, context, &left)?;
        let tag = tag_of(tx, &left)?;
        let message = format!(
            "{tag} left management {} it confirmed the order to erase it; nothing more can be sent to it.",
            if fetched { "after it fetched and before" } else { "before it fetched, let alone" }
        );
        alerts::raise(tx, context, &left.council_id, "order_left_management", left.id.as_str(), &message)?;
    }
    Ok(())
}

/// The push service accepted a wake-up of this enrolment.
pub fn on_pushed(tx: &mut Transaction<'_>, context: &Context, enrolment: &Enrolment) -> Result<()> {
    let approved = |tx: &mut Transaction<'_>| -> Result<_> {
        Ok(store::orders::living_of_enrolment(tx, &enrolment.council_id, &enrolment.id)?
            .into_iter()
            .find(|order| order.state == OrderState::Approved))
    };
    if approved(tx)?.is_none() {
        return Ok(());
    }
    audit::lock(tx, &enrolment.council_id)?;
    if let Some(order) = approved(tx)? {
        advance(tx, context, &order, OrderEvent::Pushed, json!({}), |_| {})?;
    }
    Ok(())
}

/// The device was heard from without asking for its next command: what was presumed erased is not.
pub fn on_idle(tx: &mut Transaction<'_>, context: &Context, enrolment: &Enrolment) -> Result<()> {
    for order in store::orders::living_of_enrolment(tx, &enrolment.council_id, &enrolment.id)? {
        if order.state == OrderState::PresumedErased {
            audit::lock(tx, &enrolment.council_id)?;
            reopen(tx, context, &order)?;
        }
    }
    Ok(())
}

/// Holds what could otherwise leave for a device; the caller holds the council's lock.
pub(crate) fn hold_open_of_device(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: &CouncilId,
    device: &DeviceId,
    reason: HeldReason,
    problem: &str,
) -> Result<()> {
    for order in store::orders::of_device(tx, council, device)? {
        if order.state.may_be_released() {
            hold(tx, context, &order, reason, problem, |_| {})?;
        }
    }
    Ok(())
}

/// Holds one order because quarantine begins, if it still could leave: what was read before the council's lock may have been
/// changed since by another server. Says whether it was held.
pub(crate) fn hold_for_quarantine(
    tx: &mut Transaction<'_>,
    context: &Context,
    order: &Order,
    why: &str,
) -> Result<bool> {
    let order = locked(tx, order)?;
    let cools_off =
        order.state == OrderState::Requested && store::cooling_offs::find(tx, &order.council_id, &order.id)?.is_some();
    if !order.state.may_be_released() && order.state != OrderState::PresumedErased && !cools_off {
        return Ok(false);
    }
    let held = hold(tx, context, &order, HeldReason::Quarantine, why, |_| {})?;
    google::doubt(tx, context, &held)?;
    Ok(true)
}

/// Stops what an account asked for or approved, since it was ended or reset: someone else may have had it in hand. What waits
/// for approval is taken back, what could leave is held, and what is held already says so too. `what` became of the account.
///
/// Takes the councils' locks in their order, so it is called before any other lock is taken.
pub(crate) fn stop_of_account(
    tx: &mut Transaction<'_>,
    context: &Context,
    operator: &OperatorId,
    what: &str,
) -> Result<()> {
    one_operator::end_of_account(tx, context, operator)?;
    for order in store::orders::open_of_operator(tx, operator)? {
        let order = locked(tx, &order)?;
        let part = if order.approved_by.as_ref() == Some(operator) { "approved it" } else { "asked for it" };
        let words = format!("the account that {part} {what}");
        if order.state == OrderState::Requested {
            let details = json!({ "because": words });
            let cancelled = advance(tx, context, &order, OrderEvent::Cancelled, details, |next| {
                next.problem = Some(words.clone());
            })?;
            end_alerts(tx, context, &cancelled)?;
            let tag = tag_of(tx, &cancelled)?;
            let message =
                format!("The request to erase {tag} was taken back: {words}. Ask again if it must be erased.");
            alerts::raise(tx, context, &order.council_id, "order_taken_back", order.id.as_str(), &message)?;
        } else if order.state.may_be_released() || order.state == OrderState::PresumedErased {
            hold(tx, context, &order, HeldReason::Forbidden, &words, |_| {})?;
        } else if let Some(reason) = order.held_reason {
            let words = match &order.problem {
                Some(problem) => format!("{problem}; and {words}"),
                None => words,
            };
            hold(tx, context, &order, reason, &words, |_| {})?;
        }
    }
    Ok(())
}
