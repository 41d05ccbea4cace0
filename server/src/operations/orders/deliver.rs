//! An order meets its device: the claim, which is the only way to a release, and the device's answer.

use chrono::Duration;
use serde_json::{Value, json};

use super::{advance, circumstances, end_alerts, enrolment_facts, hold, locked, tag_of};
use crate::error::{Error, Result};
use crate::model::{
    CommandId, CommandState, HeldReason, Moment, OrderEvent, OrderFacts, OrderId, OrderState, Refusal, Release, Scope,
};
use crate::operations::{Context, alerts, audit, jobs, losses, quarantine, trail};
use crate::store::enrolments::Enrolment;
use crate::store::orders::Order;
use crate::store::{self, Transaction};

/// In the details of a failed order's audit row: the phone was never told of it, so the error is not its word.
pub(crate) const NEVER_SENT: &str = "never_sent";

/// How the device answered an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It erases itself.
    Acknowledged,
    /// It cannot, and why.
    Failed(String),
    /// Not now (also: not possible in Lost Mode): offered again later.
    NotNow,
}

/// A visit of a device lasts seconds: what it put off is not offered again within the same one.
const SAME_VISIT: Duration = Duration::seconds(10);
/// A device that put an order off is woken for it no sooner than this.
const SOONEST_PUSH: Duration = Duration::seconds(30);

/// How long an order waits after so many offers until it is offered again. The first repeat comes at once: the message may
/// have been lost on its way.
fn wait_after(offers: i64) -> Option<Duration> {
    match offers {
        ..=2 => None,
        3 => Some(Duration::seconds(30)),
        4 => Some(Duration::minutes(2)),
        5 => Some(Duration::minutes(8)),
        _ => Some(Duration::minutes(30)),
    }
}

/// From when on an order of this enrolment, that cannot be claimed now, can: the device must then be woken.
pub fn offered_again_at(tx: &mut Transaction<'_>, context: &Context, enrolment: &Enrolment) -> Result<Option<Moment>> {
    if quarantine::is_on(tx)? {
        return Ok(None);
    }
    store::orders::put_off_until(tx, &enrolment.council_id, &enrolment.id, context.now)
}

/// Whether an order of this enrolment could be claimed now; cheap, for the poll's read snapshot.
pub fn claimable(tx: &mut Transaction<'_>, context: &Context, enrolment: &Enrolment) -> Result<bool> {
    Ok(store::orders::any_releasable(tx, &enrolment.council_id, &enrolment.id, context.now)? && !quarantine::is_on(tx)?)
}

/// Claims the order of this enrolment that waits to be carried out, verifies it, and marks it fetched.
///
/// An Idle after the fetch means that it was not carried out: the same release, the same CommandUUID, is given again;
/// also after it was presumed erased, and ever more slowly. Only what changes the order's state is audited; repeats are
/// counted in its row. An order that does not verify is held, an alert says why, and nothing is given out.
pub fn claim(tx: &mut Transaction<'_>, context: &Context, enrolment: &Enrolment) -> Result<Option<Release>> {
    losses::on_contact(tx, context, enrolment)?;
    if !claimable(tx, context, enrolment)? {
        return Ok(None);
    }
    audit::lock(tx, &enrolment.council_id)?;
    let waiting = store::orders::living_of_enrolment(tx, &enrolment.council_id, &enrolment.id)?
        .into_iter()
        .find(|order| order.state.may_be_released() || order.state == OrderState::PresumedErased)
        .filter(|order| order.not_before.is_none_or(|at| at <= context.now));
    let Some(mut order) = waiting else { return Ok(None) };
    let circumstances = circumstances(tx, context, &order)?;
    let Some(enrolment) = store::enrolments::find(tx, &enrolment.council_id, &enrolment.id)? else { return Ok(None) };
    let mut circumstances = circumstances;
    let reopened = order.state == OrderState::PresumedErased;
    if reopened {
        let trusted = circumstances.trail == Some(OrderState::PresumedErased);
        order = reopen(tx, context, &order)?;
        // Our own step moved the trail on by one, from where it was just checked.
        circumstances.trail = trusted.then_some(OrderState::Fetched);
    }
    let from = order.state;
    let again = wait_after(order.offers + 1).map(|wait| context.now + wait);
    let Some(fetched) = store::orders::mark_fetched(tx, &order, context.now, again)? else {
        return Ok(None);
    };
    // What the database gave back, in the state that the update found: not what was read before it.
    let facts = OrderFacts { state: from, ..fetched.facts() };
    let verdict =
        Release::verify(&facts, &enrolment_facts(&enrolment), &circumstances, &context.keys.approval, context.now);
    match verdict {
        Ok(release) => {
            if from != OrderState::Fetched || reopened {
                let details =
                    json!({ "command": release.command(), "enrolment": release.enrolment(), "offer": fetched.offers });
                let kind = OrderEvent::Fetched.audit_kind();
                audit::record(tx, context, &fetched.council_id, &kind, fetched.id.as_str(), details)?;
            }
            trail::mark(tx, context, &fetched)?;
            Ok(Some(release))
        }
        Err(refusal) => {
            refuse_release(tx, context, &order, &fetched, refusal)?;
            Ok(None)
        }
    }
}

fn refuse_release(
    tx: &mut Transaction<'_>,
    context: &Context,
    before: &Order,
    fetched: &Order,
    refusal: Refusal,
) -> Result<()> {
    let reason = match refusal {
        Refusal::Distrusted(_) => HeldReason::Distrusted,
        Refusal::Forbidden(_) => HeldReason::Forbidden,
        Refusal::Quarantine => HeldReason::Quarantine,
        Refusal::Held(reason) => reason,
    };
    // It was not given out after all.
    hold(tx, context, fetched, reason, &refusal.to_string(), |next| {
        next.first_fetched_at = before.first_fetched_at;
        next.fetched_at = before.fetched_at;
        next.offers = before.offers;
        next.not_before = before.not_before;
    })?;
    tracing::error!(order = %before.id, %refusal, "an order was not released");
    Ok(())
}

/// Reopens an order that counts as erased, because its device was heard again.
pub(super) fn reopen(tx: &mut Transaction<'_>, context: &Context, order: &Order) -> Result<Order> {
    let reopened = advance(tx, context, order, OrderEvent::Reopened, json!({}), |_| {})?;
    let tag = tag_of(tx, &reopened)?;
    let message =
        format!("{tag} was presumed erased, but it was heard from again: the order is offered to it once more.");
    alerts::raise(tx, context, &reopened.council_id, "order_reopened", reopened.id.as_str(), &message)?;
    Ok(reopened)
}

/// Records the device's answer if `command` is an order's; `false` when it is not.
///
/// An answer that repeats, or to an order that was never given out, changes nothing.
pub fn settle(
    tx: &mut Transaction<'_>,
    context: &Context,
    enrolment: &Enrolment,
    command: &CommandId,
    outcome: &Outcome,
) -> Result<bool> {
    let Some(order) = store::orders::find_by_command(tx, command)? else { return Ok(false) };
    if order.council_id != enrolment.council_id || order.enrolment_id != enrolment.id {
        tracing::warn!(%command, enrolment = %enrolment.id, "an answer to an order of another enrolment");
        return Ok(true);
    }
    let order = locked(tx, &order)?;
    if order.first_fetched_at.is_none() {
        tracing::warn!(order = %order.id, "an answer to an order that was never given out");
        return Ok(true);
    }
    match outcome {
        Outcome::Acknowledged if order.state.next(OrderEvent::Confirmed).is_ok() => {
            confirm(tx, context, enrolment, &order)?;
        }
        Outcome::Failed(text) if order.state.next(OrderEvent::Failed).is_ok() => fail(tx, context, &order, text)?,
        Outcome::NotNow if order.state.next(OrderEvent::Deferred).is_ok() => defer(tx, context, enrolment, &order)?,
        Outcome::Acknowledged if order.state != OrderState::Confirmed => {
            let tag = tag_of(tx, &order)?;
            let message =
                format!("{tag} answers that it erases itself, although its order is {}.", order.state.words());
            alerts::raise(tx, context, &order.council_id, "order_late_answer", order.id.as_str(), &message)?;
        }
        _ => tracing::info!(order = %order.id, state = %order.state, "an answer that changes nothing"),
    }
    Ok(true)
}

pub(super) fn confirm(tx: &mut Transaction<'_>, context: &Context, enrolment: &Enrolment, order: &Order) -> Result<()> {
    let details = json!({ "command": order.command_id, "enrolment": enrolment.id });
    let confirmed = advance(tx, context, order, OrderEvent::Confirmed, details, |next| next.problem = None)?;
    end_alerts(tx, context, &confirmed)?;
    // Only now: with a revoked certificate the device could not have fetched the order.
    store::enrolments::end(tx, &order.council_id, &enrolment.id, context.now, "erased")?;
    store::certificates::revoke_of_enrolment(tx, &order.council_id, &enrolment.id, None, context.now, "erased")?;
    let problem = "the device was erased";
    store::commands::finish_open(tx, enrolment, None, None, CommandState::Cancelled, context.now, problem)?;
    let tag = tag_of(tx, &confirmed)?;
    let message = match order.scope {
        Scope::EraseWorkProfile => {
            format!("{tag} confirmed that the council's work profile was removed. The rest of it was not touched.")
        }
        Scope::EraseDevice | Scope::ForgetRecord => format!("{tag} confirmed that it erases itself."),
    };
    alerts::raise(tx, context, &order.council_id, "order_confirmed", order.id.as_str(), &message)
}

pub(super) fn fail(tx: &mut Transaction<'_>, context: &Context, order: &Order, text: &str) -> Result<()> {
    let text = bounded(text);
    let said = format!("the phone says: {text}. Ask for a new order to try again.");
    failed(tx, context, order, &text, json!({ "error": text }), &said)
}

/// Google will not take it: it failed, and the phone knows nothing of it.
pub(crate) fn refused_by_google(tx: &mut Transaction<'_>, context: &Context, order: &OrderId, why: &str) -> Result<()> {
    let order = store::orders::find(tx, order)?.ok_or(Error::NotFound("order"))?;
    let order = locked(tx, &order)?;
    if order.state.next(OrderEvent::Failed).is_err() {
        return Ok(());
    }
    let text = bounded(why);
    let said = format!("{text}. The phone was not told of it. Ask for a new order to try again.");
    failed(tx, context, &order, &text, json!({ "error": text, NEVER_SENT: true }), &said)
}

fn bounded(text: &str) -> String {
    text.chars().take(500).collect()
}

fn failed(
    tx: &mut Transaction<'_>,
    context: &Context,
    order: &Order,
    problem: &str,
    details: Value,
    said: &str,
) -> Result<()> {
    let failed = advance(tx, context, order, OrderEvent::Failed, details, |next| {
        next.problem = Some(problem.to_owned());
    })?;
    end_alerts(tx, context, &failed)?;
    let tag = tag_of(tx, &failed)?;
    let message = format!("{tag} could not be erased; {said}");
    alerts::raise(tx, context, &order.council_id, "order_failed", order.id.as_str(), &message)
}

fn defer(tx: &mut Transaction<'_>, context: &Context, enrolment: &Enrolment, order: &Order) -> Result<()> {
    let wait = wait_after(order.offers).unwrap_or(SAME_VISIT);
    advance(tx, context, order, OrderEvent::Deferred, json!({ "offer": order.offers }), |next| {
        next.fetched_at = None;
        next.not_before = Some(context.now + wait);
    })?;
    // The device comes back by itself only if NotNow is the last thing it says; so we come back to it.
    let at = context.now + wait.max(SOONEST_PUSH);
    jobs::wake_at(tx, context, &enrolment.council_id, &enrolment.id, at)
}
