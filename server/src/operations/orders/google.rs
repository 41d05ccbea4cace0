//! An order for an Android phone goes through Google: given to Google, it may still be taken back until the phone has it.

use serde_json::json;

use super::deliver::{confirm, fail};
use super::{advance, circumstances, enrolment_facts, hold, locked, trail, witness};
use crate::error::{Error, Result};
use crate::model::{GoogleOutcome, HeldReason, OrderEvent, OrderId, Platform, Refusal, Release};
use crate::operations::{Context, alerts, audit, jobs, quarantine};
use crate::store::enrolments::Enrolment;
use crate::store::google_operations::GoogleOperation;
use crate::store::orders::Order;
use crate::store::{self, Transaction};

/// Google's word for what an order becomes.
pub(crate) const WIPE: &str = "WIPE";

/// Verifies the order of this enrolment that waits to be given to Google. One that does not verify is held, an alert says why,
/// and nothing is given out. The caller holds the council's lock and writes the call down in the same transaction.
pub(crate) fn claim_for_google(
    tx: &mut Transaction<'_>,
    context: &Context,
    enrolment: &Enrolment,
) -> Result<Option<(OrderId, Release)>> {
    let waiting = store::orders::living_of_enrolment(tx, &enrolment.council_id, &enrolment.id)?
        .into_iter()
        .find(|order| order.state.may_be_released())
        .filter(|order| order.not_before.is_none_or(|at| at <= context.now) && order.cancel_asked_at.is_none());
    let Some(order) = waiting else { return Ok(None) };
    let circumstances = circumstances(tx, context, &order)?;
    let facts = order.facts();
    match Release::verify(&facts, &enrolment_facts(enrolment), &circumstances, &context.keys.approval, context.now) {
        Ok(release) => Ok(Some((order.id.clone(), release))),
        Err(refusal) => {
            let reason = match refusal {
                Refusal::Distrusted(_) => HeldReason::Distrusted,
                Refusal::Forbidden(_) => HeldReason::Forbidden,
                Refusal::Quarantine => HeldReason::Quarantine,
                Refusal::Held(reason) => reason,
            };
            hold(tx, context, &order, reason, &refusal.to_string(), |_| {})?;
            tracing::error!(order = %order.id, %refusal, "an order was not released");
            Ok(None)
        }
    }
}

/// Google has taken it and will give it to the phone: sent, and no more than that.
pub(crate) fn given_to_google(
    tx: &mut Transaction<'_>,
    context: &Context,
    order: &OrderId,
    operation: &str,
) -> Result<()> {
    let Some(order) = store::orders::find(tx, order)? else { return Ok(()) };
    if order.state.next(OrderEvent::Pushed).is_ok() {
        let details = json!({ "operation": operation });
        advance(tx, context, &order, OrderEvent::Pushed, details, |next| next.offers += 1)?;
    }
    Ok(())
}

/// Google's operation for an order came to its end.
pub(crate) fn google_ended(
    tx: &mut Transaction<'_>,
    context: &Context,
    enrolment: &Enrolment,
    order: &OrderId,
    operation: &GoogleOperation,
    outcome: GoogleOutcome,
    problem: Option<&str>,
) -> Result<()> {
    let order = store::orders::find(tx, order)?.ok_or(Error::NotFound("order"))?;
    let order = locked(tx, &order)?;
    let may = |event| order.state.next(event).is_ok();
    match outcome {
        GoogleOutcome::Done if may(OrderEvent::Confirmed) => confirm(tx, context, enrolment, &order),
        GoogleOutcome::Done => late(tx, context, &order),
        GoogleOutcome::Failed if may(OrderEvent::Failed) => {
            fail(tx, context, &order, problem.unwrap_or("no reason given"))
        }
        GoogleOutcome::Cancelled | GoogleOutcome::Expired | GoogleOutcome::LostSight | GoogleOutcome::NotMade => {
            never_delivered(tx, context, &order, operation, outcome)
        }
        _ => Ok(()),
    }
}

/// It never reached the phone. Whoever asked to take it back is told so now; otherwise it still stands, and Google is given it
/// again once nothing holds it.
fn never_delivered(
    tx: &mut Transaction<'_>,
    context: &Context,
    order: &Order,
    operation: &GoogleOperation,
    outcome: GoogleOutcome,
) -> Result<()> {
    if order.cancel_asked_at.is_some() {
        if order.state.next(OrderEvent::Cancelled).is_ok() {
            let details = json!({ "google": outcome });
            let cancelled = advance(tx, context, order, OrderEvent::Cancelled, details, |next| next.problem = None)?;
            super::end_alerts(tx, context, &cancelled)?;
        }
        return Ok(());
    }
    match outcome {
        // The job that made the call goes on by itself.
        GoogleOutcome::NotMade => return Ok(()),
        // A hold or a freeze called it back: what became of the order meanwhile, its state says.
        GoogleOutcome::Cancelled if operation.cancel_wanted_at.is_some() => {}
        GoogleOutcome::Cancelled => {
            return match order.state.next(OrderEvent::Failed) {
                Ok(_) => fail(tx, context, order, "it was taken back at Google, not by Beadle"),
                Err(_) => Ok(()),
            };
        }
        _ if order.state.next(OrderEvent::Unreachable).is_ok() => {
            advance(tx, context, order, OrderEvent::Unreachable, json!({ "google": outcome }), |_| {})?;
            let tag = super::tag_of(tx, order)?;
            let message = format!(
                "{tag} did not come for its order before Google's time ran out. The order still stands and was given to \
                 Google again."
            );
            alerts::raise(tx, context, &order.council_id, "order_unreachable", order.id.as_str(), &message)?;
        }
        _ => {}
    }
    jobs::wake(tx, context, &order.council_id, &order.enrolment_id)
}

fn late(tx: &mut Transaction<'_>, context: &Context, order: &Order) -> Result<()> {
    let tag = super::tag_of(tx, order)?;
    let message = format!("{tag} reports that it was wiped, although its order is {}.", order.words());
    alerts::raise(tx, context, &order.council_id, "order_late_answer", order.id.as_str(), &message)
}

/// Asks Google to take back what it has of an order; says whether there is anything to take back.
pub(super) fn take_back(tx: &mut Transaction<'_>, context: &Context, order: &Order) -> Result<bool> {
    let Some(operation) = store::google_operations::open_of_order(tx, &order.council_id, &order.id)? else {
        return Ok(false);
    };
    store::google_operations::want_cancel(tx, &operation, context.now)?;
    jobs::wake(tx, context, &order.council_id, &order.enrolment_id)?;
    Ok(true)
}

/// Holds an order that Google has, if orders were frozen since, and has it taken back. Says whether it was.
pub(crate) fn stop_if_frozen(tx: &mut Transaction<'_>, context: &Context, order: &OrderId) -> Result<bool> {
    let Some(order) = store::orders::find(tx, order)?.filter(|order| order.state.may_be_released()) else {
        return Ok(false);
    };
    if !witness::frozen(tx, context, &order)? {
        return Ok(false);
    }
    hold(tx, context, &order, HeldReason::Frozen, "orders were frozen after Google was given it", |_| {})?;
    Ok(true)
}

/// After a restore: whether Google has this order's wipe, the database may have forgotten. A call is written down as one whose
/// answer never came, and which is to be taken back: what Google has of it is looked for.
pub(super) fn doubt(tx: &mut Transaction<'_>, context: &Context, order: &Order) -> Result<()> {
    let Some(enrolment) = store::enrolments::find(tx, &order.council_id, &order.enrolment_id)? else { return Ok(()) };
    if enrolment.platform != Platform::Android || take_back(tx, context, order)? {
        return Ok(());
    }
    let since = order.approved_at.unwrap_or(order.requested_at);
    let operation = GoogleOperation {
        order_id: Some(order.id.clone()),
        cancel_wanted_at: Some(context.now),
        ..GoogleOperation::calling(&enrolment, WIPE, since)
    };
    store::google_operations::insert(tx, &operation)?;
    jobs::wake(tx, context, &order.council_id, &order.enrolment_id)
}

/// The proof that the record of a wiped phone may be tidied away at Google: its wipe is confirmed by its row, its seal and the
/// audit trail. `None` for every other device, and for one whose record was tidied away already.
pub(crate) fn to_forget(
    tx: &mut Transaction<'_>,
    context: &Context,
    device_name: &str,
) -> Result<Option<(Order, Release)>> {
    let Some(android) = store::android_enrolments::find_by_device(tx, device_name)? else { return Ok(None) };
    let Some(enrolment) = store::enrolments::find(tx, &android.council_id, &android.enrolment_id)? else {
        return Ok(None);
    };
    let confirmed = store::orders::confirmed_of_enrolment(tx, &enrolment.council_id, &enrolment.id)?;
    let Some(order) = confirmed.filter(|order| order.record_forgotten_at.is_none()) else { return Ok(None) };
    let order = locked(tx, &order)?;
    if quarantine::is_on(tx)? || witness::legal_hold(tx, context, &order)? || witness::frozen(tx, context, &order)? {
        return Ok(None);
    }
    let trail = trail::state_of(tx, context, &order)?;
    let verdict = Release::to_forget(&order.facts(), &enrolment_facts(&enrolment), trail, &context.keys.approval);
    match verdict {
        Ok(release) => {
            // Written down before the call, as everything that changes something at Google.
            let details = json!({ "enrolment": order.enrolment_id, "device": device_name });
            audit::record(tx, context, &order.council_id, "record at Google to go", order.id.as_str(), details)?;
            Ok(Some((order, release)))
        }
        Err(refusal) => {
            tracing::error!(order = %order.id, %refusal, "a record is not tidied away");
            Ok(None)
        }
    }
}

/// The record was tidied away.
pub(crate) fn forgotten(tx: &mut Transaction<'_>, context: &Context, order: &Order) -> Result<()> {
    audit::lock(tx, &order.council_id)?;
    store::orders::set_forgotten(tx, order, context.now)?;
    let details = json!({ "enrolment": order.enrolment_id });
    audit::record(tx, context, &order.council_id, "record at Google tidied away", order.id.as_str(), details)
}
