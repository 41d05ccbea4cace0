//! Stopping an order that needs no second person, and letting its time begin anew.

use serde_json::json;

use super::cool_off::{run, waits, whom_to_tell};
use super::{advance, end_alerts, hold};
use crate::error::{Error, Result};
use crate::model::{COOLING_OFF, CouncilId, HeldReason, OneOperatorId, OrderEvent, OrderId, OrderState, SignedIn};
use crate::operations::{Context, one_operator};
use crate::store::orders::Order;
use crate::store::{self, Transaction};

/// More orders than this are never open in a council at once: the caps see to it.
const MOST_UNENDED: i64 = 1000;

/// Why a link in a mail cannot pause this order any more, if that is so.
pub(crate) fn not_pausable(order: &Order) -> Option<String> {
    use HeldReason as H;
    let before = match order.state {
        OrderState::Requested | OrderState::Approved | OrderState::Pushed | OrderState::Unreachable => true,
        // Held for something that a person puts right: it would go on without its 30 minutes.
        OrderState::Held => matches!(
            order.held_reason,
            Some(H::LegalHold | H::Frozen | H::Quarantine | H::IdentityWaiting | H::Forbidden)
        ),
        _ => false,
    };
    match order.state {
        _ if before && order.first_fetched_at.is_none() => None,
        OrderState::Held => Some("The order is held already: nothing is sent to the phone.".to_owned()),
        _ => Some(format!("It can no longer be stopped. The order is: {}.", order.words())),
    }
}

/// Holds an order because somebody who was told of it wants that; the caller holds the council's lock and has checked that it
/// is not too late.
pub(crate) fn pause(tx: &mut Transaction<'_>, context: &Context, id: &OrderId, problem: &str) -> Result<()> {
    let order = store::orders::find(tx, id)?.ok_or(Error::NotFound("order"))?;
    end_alerts(tx, context, &order)?;
    let problem = match (&order.held_reason, &order.problem) {
        (Some(_), Some(before)) => format!("{before}; and {problem}"),
        _ => problem.to_owned(),
    };
    hold(tx, context, &order, HeldReason::Paused, &problem, |_| {}).map(drop)
}

/// Lets the cooling-off of a held order begin anew, in full: everyone is told again, and may pause it again. Where one-operator
/// working is not in effect, the order waits for a second person instead. The caller holds the council's lock; `asked_by` signed in
/// again within five minutes.
///
/// # Errors
/// `Conflict`, in words, where it could not end any more before the request lapses, or nobody could be told.
pub(super) fn restart(
    tx: &mut Transaction<'_>,
    context: &Context,
    order: &Order,
    asked_by: &SignedIn,
) -> Result<Order> {
    let council = &order.council_id;
    if context.now + COOLING_OFF >= order.lapses_at {
        return Err(Error::conflict("the request is too old to begin anew: cancel it and ask for a new one"));
    }
    if store::google_operations::open_of_order(tx, council, &order.id)?.is_some() {
        return Err(Error::conflict(
            "Google was asked to take this order back and has not answered yet: try again later",
        ));
    }
    let effect = one_operator::in_effect(tx, context, council, order.requested_at)?;
    let told = match &effect {
        Some(effect) => {
            one_operator::own_established(tx, context, council, asked_by)?;
            let told = whom_to_tell(tx, order, &effect.hearers, asked_by)?;
            if told.0.is_empty() {
                return Err(Error::conflict("nobody is left who could be told of it: cancel it and ask for a new one"));
            }
            Some((&effect.setting, told))
        }
        None => None,
    };
    let round = store::cooling_offs::find(tx, council, &order.id)?.map_or(1, |cooling| cooling.round + 1);
    let restarted = advance(tx, context, order, OrderEvent::Restarted, json!({ "was": order.held_reason }), |next| {
        next.problem = None;
        next.not_before = None;
        next.one_operator_id = None;
        next.cooling_off_from = None;
        next.approved_by = None;
        next.approved_at = None;
        next.seal = None;
        next.seal_key_id = None;
        next.command_id = None;
    })?;
    end_alerts(tx, context, &restarted)?;
    match told {
        Some((setting, (needed, others))) => run(tx, context, &restarted, setting, round, (&needed, &others))?,
        // One-operator working is over, or was never: a second person decides.
        None => {
            store::cooling_offs::remove(tx, council, &order.id)?;
            waits(tx, context, &restarted)?;
        }
    }
    Ok(restarted)
}

/// One-operator working under `setting` ended: what waits for its 30 minutes waits for a second person, and what had them and no
/// phone has fetched is held. The caller holds the council's lock.
pub(crate) fn back_to_two(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: &CouncilId,
    setting: &OneOperatorId,
) -> Result<()> {
    for order in store::orders::unended(tx, council, MOST_UNENDED)? {
        if order.state == OrderState::Requested && store::cooling_offs::remove(tx, council, &order.id)? {
            end_alerts(tx, context, &order)?;
            waits(tx, context, &order)?;
        } else if order.one_operator_id.as_ref() == Some(setting) && not_pausable(&order).is_none() {
            pause(tx, context, &order.id, "one-operator working was ended before the phone fetched the order")?;
        }
    }
    Ok(())
}
