//! What people decide about an order after it was asked for: refuse, cancel, let it go on.

use serde_json::json;

use super::view::{OrderView, view};
use super::{advance, end_alerts, google, hold, locked, pause, visible};
use crate::error::{Error, Result};
use crate::model::{CaseId, CouncilId, HeldReason, OrderEvent, OrderId, OrderState, Permission};
use crate::operations::{Context, audit, caps, jobs, mail, quarantine, trail};
use crate::store::orders::Order;
use crate::store::{self, Transaction};

/// Refuses an order that waits for approval.
///
/// # Errors
/// `Conflict` when it no longer waits.
pub fn refuse(tx: &mut Transaction<'_>, context: &Context, id: &OrderId, reason: &str) -> Result<OrderView> {
    let order = visible(tx, context, id)?;
    context.actor.require(Permission::ApproveOrder, &order.council_id)?;
    let order = locked(tx, &order)?;
    let reason = reason.trim();
    let refused = advance(tx, context, &order, OrderEvent::Refused, json!({ "reason": reason }), |next| {
        next.problem = (!reason.is_empty()).then(|| reason.to_owned());
    })?;
    mail::tell_of_order(tx, context, &refused, "order_refused")?;
    end_alerts(tx, context, &refused)?;
    view(tx, &refused)
}

/// Takes back an order that the device has not fetched.
///
/// # Errors
/// `Conflict`, in words, once the device has fetched it.
pub fn cancel(tx: &mut Transaction<'_>, context: &Context, id: &OrderId) -> Result<OrderView> {
    let order = visible(tx, context, id)?;
    context.actor.require(Permission::CancelOrder, &order.council_id)?;
    let order = locked(tx, &order)?;
    let cancelled = cancel_one(tx, context, &order, json!({}))?;
    view(tx, &cancelled)
}

fn cancel_one(tx: &mut Transaction<'_>, context: &Context, order: &Order, details: serde_json::Value) -> Result<Order> {
    // What Google has may be on its way to the phone: it counts as taken back once Google says so.
    if order.state.next(OrderEvent::Cancelled).is_ok() && google::take_back(tx, context, order)? {
        let by = context.actor.label();
        audit::record(tx, context, &order.council_id, "order cancel asked", order.id.as_str(), details)?;
        let note = format!("{by} asked to take it back; Google has been asked and has not answered yet");
        return store::orders::ask_back(tx, order, &note, context.now)?
            .ok_or_else(|| Error::conflict("the order changed in the meantime; look at it again"));
    }
    // A held order may have been fetched before it was held; then nobody knows, and the row says so.
    let doubt = order.first_fetched_at.map(|at| {
        format!("the phone had fetched it at {at} before it was held, and may have been erased all the same")
    });
    let cancelled = advance(tx, context, order, OrderEvent::Cancelled, details, |next| {
        if doubt.is_some() {
            next.problem = doubt;
        }
    })?;
    mail::tell_of_order(tx, context, &cancelled, "order_cancelled")?;
    end_alerts(tx, context, &cancelled)?;
    Ok(cancelled)
}

/// Takes back every order of a case that its device has not fetched; gives back those that it is too late for. The
/// caller holds the council's lock and has checked the right.
pub(crate) fn cancel_for_case(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: &CouncilId,
    case: &CaseId,
) -> Result<Vec<Order>> {
    let mut too_late = Vec::new();
    for order in store::orders::of_case(tx, council, case)? {
        if order.state.next(OrderEvent::Cancelled).is_ok() {
            cancel_one(tx, context, &order, json!({ "because": "the device was found" }))?;
        } else if matches!(order.state, OrderState::Fetched | OrderState::PresumedErased) {
            too_late.push(order);
        }
    }
    Ok(too_late)
}

/// Lets a held order go on once its cause has ended. In quarantine this says that the order still stands; it leaves only
/// after the quarantine. One that was held because the cap was reached counts against the caps once more, now: otherwise
/// a thaw would let any number go at once. One that nobody approved, or that was paused by somebody who was told of it, begins its
/// 30 minutes anew in one-operator working, and waits for a second person elsewhere.
///
/// # Errors
/// `Conflict`, in words, while the cause has not ended, and always for an order of an earlier enrolment or one that does
/// not agree with its seal: those can only be cancelled.
pub fn resume(tx: &mut Transaction<'_>, context: &Context, id: &OrderId) -> Result<OrderView> {
    let order = visible(tx, context, id)?;
    context.actor.require(Permission::RequestOrder, &order.council_id)?;
    let resumed_by = context.actor.require_fresh(context.now)?.clone();
    let order = locked(tx, &order)?;
    let order = match trusted_hold(tx, context, &order)? {
        Ok(()) => order,
        Err(problem) => {
            let held = hold(tx, context, &order, HeldReason::Distrusted, problem, |_| {})?;
            return view(tx, &held);
        }
    };
    let still = |words: &str| Err(Error::conflict(format!("the order cannot go on yet: {words}")));
    match order.held_reason {
        None => return Err(Error::conflict(format!("the order is not held: {}", order.words()))),
        Some(reason @ (HeldReason::ReEnrolled | HeldReason::Distrusted)) => {
            return Err(Error::conflict(format!("this order cannot go on: {}", reason.words())));
        }
        Some(HeldReason::Frozen) if caps::frozen(tx, &order.council_id)?.is_some() => {
            return still(HeldReason::Frozen.words());
        }
        Some(HeldReason::Quarantine) => {}
        Some(_) if quarantine::is_on(tx)? => {
            return still("the server is in quarantine after a restore");
        }
        Some(_) => {}
    }
    if order.cancel_asked_at.is_some() {
        return Err(Error::conflict("somebody asked to take this order back, and Google has not answered yet"));
    }
    let was_frozen = order.held_reason == Some(HeldReason::Frozen);
    if !store::legal_holds::active_of_device(tx, &order.council_id, &order.device_id)?.is_empty() {
        return still(HeldReason::LegalHold.words());
    }
    if order.seal.is_none() || order.held_reason == Some(HeldReason::Paused) {
        let restarted = pause::restart(tx, context, &order, &resumed_by)?;
        return view(tx, &restarted);
    }
    if was_frozen {
        // The installation's cap counts over all councils: this stands in one line with approvals.
        store::audit::lock_head(tx, audit::INSTALLATION)?;
        if let Some(over) = caps::over(tx, context, &order.council_id, &order.id)? {
            return still(&format!("{}; try again when fewer lie within it", over.words()));
        }
    }
    let resumed = advance(tx, context, &order, OrderEvent::Resumed, json!({ "was": order.held_reason }), |next| {
        next.problem = None;
        next.not_before = None;
        if was_frozen {
            next.resumed_at = Some(context.now);
        }
    })?;
    end_alerts(tx, context, &resumed)?;
    jobs::wake(tx, context, &resumed.council_id, &resumed.enrolment_id)?;
    view(tx, &resumed)
}

/// Whether the row's reason is the one for which the trail says that the order is held: what was paused must not go on as if it
/// had been frozen.
fn trusted_hold(
    tx: &mut Transaction<'_>,
    context: &Context,
    order: &Order,
) -> Result<std::result::Result<(), &'static str>> {
    let Some(reason) = order.held_reason else { return Ok(Ok(())) };
    let kind = OrderEvent::Held.audit_kind();
    let last = trail::last_genuine(tx, context, order.council_id.as_str(), order.id.as_str(), &[kind.as_str()])?;
    let told = last.and_then(|(_, said)| said.get("reason")?.as_str().map(str::to_owned));
    Ok(if told.as_deref() == Some(reason.as_str()) {
        Ok(())
    } else {
        Err("the audit trail says that it is held for another reason than the record does")
    })
}
