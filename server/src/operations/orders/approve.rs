//! Approving an order: the second person.

use chrono::Duration;
use serde_json::{Value, json};

use super::authorise::authorise;
use super::request::{may_be_ordered, request_details};
use super::view::{OrderView, view};
use super::{circumstances, hold, locked, visible};
use crate::error::{Error, Result};
use crate::model::{
    APPROVAL_WINDOW, Circumstances, HeldReason, OrderEvent, OrderId, OrderState, Permission, SignedIn,
    forbidden_by_ownership,
};
use crate::operations::{Context, operators, quarantine, trail};
use crate::store::orders::Order;
use crate::store::{self, Transaction};

/// Approves an order, which seals it and wakes the device. The one over the cap is sealed but held, and orders freeze;
/// while they are frozen nothing more is approved.
///
/// # Errors
/// `Forbidden` unless the caller is another, established account that signed in again within five minutes; `Conflict`,
/// in words, when the order or the device is no longer in a state for it.
pub fn approve(tx: &mut Transaction<'_>, context: &Context, id: &OrderId) -> Result<OrderView> {
    let order = visible(tx, context, id)?;
    let council = order.council_id.clone();
    context.actor.require(Permission::ApproveOrder, &council)?;
    let approver = context.actor.require_fresh(context.now)?.clone();
    let order = locked(tx, &order)?;
    // The installation's cap counts over all councils: approvals stand in one line.
    store::audit::lock_head(tx, crate::operations::audit::INSTALLATION)?;
    order.state.next(OrderEvent::Approved)?;
    require_second_person(tx, context, &order, &approver)?;
    if quarantine::is_on(tx)? {
        return Err(Error::conflict("the server is in quarantine after a restore: end the quarantine first"));
    }
    if context.now > order.requested_at + APPROVAL_WINDOW {
        return Err(Error::conflict("the request is older than 72 hours and has lapsed: ask for a new one"));
    }
    if !request_is_genuine(tx, context, &order)? {
        let problem = "the request does not agree with the audit trail: it was changed, or put there, by hand";
        let held = hold(tx, context, &order, HeldReason::Distrusted, problem, |_| {})?;
        return view(tx, &held);
    }
    let now = require_unchanged_device(tx, context, &order)?;
    if now.frozen {
        return Err(Error::conflict(
            "orders are frozen because the cap was reached: two people must thaw them before anything more is approved; \
             until then the request waits",
        ));
    }

    let approved = authorise(
        tx,
        context,
        &order,
        OrderEvent::Approved,
        |command| json!({ "approver": approver.operator, "command": command }),
        |next| next.approved_by = Some(approver.operator.clone()),
    )?;
    view(tx, &approved)
}

fn require_second_person(
    tx: &mut Transaction<'_>,
    context: &Context,
    order: &Order,
    approver: &SignedIn,
) -> Result<()> {
    if approver.operator == order.requested_by {
        return Err(Error::forbidden("you asked for this order yourself: another person must approve it"));
    }
    operators::require_established_approver(
        tx,
        context,
        &order.council_id,
        approver,
        &order.requested_by,
        order.requested_at,
    )
}

/// Whether the row still says what was recorded, in the chained trail, when a person asked for it.
pub(super) fn request_is_genuine(tx: &mut Transaction<'_>, context: &Context, order: &Order) -> Result<bool> {
    let Some(trail) = trail::of_order(tx, context, &order.council_id, &order.id)? else { return Ok(false) };
    let recorded = trail.request.as_ref().and_then(|recorded| recorded.get("details"));
    let by = trail.request.as_ref().and_then(|recorded| recorded.get("by")).and_then(Value::as_str);
    let unsealed = order.seal.is_none() && order.approved_by.is_none() && order.one_operator_id.is_none();
    Ok(unsealed
        && trail.state() == Some(OrderState::Requested)
        && recorded == Some(&request_details(order))
        && by == Some(format!("operator:{}", order.requested_by).as_str())
        && context.now - order.requested_at >= Duration::zero())
}

/// Refuses, in words, when the device is no longer what the request was about; gives back how else things stand.
pub(super) fn require_unchanged_device(
    tx: &mut Transaction<'_>,
    context: &Context,
    order: &Order,
) -> Result<Circumstances> {
    let enrolment = store::enrolments::find(tx, &order.council_id, &order.enrolment_id)?
        .ok_or_else(|| Error::conflict("the device is no longer under management"))?;
    may_be_ordered(tx, &enrolment)?;
    let now = circumstances(tx, context, order)?;
    if !now.case_stands {
        return Err(Error::conflict("the case is no longer open"));
    }
    if enrolment.mode != order.mode || enrolment.ownership != order.ownership {
        return Err(Error::conflict("the device is managed in another way than when the order was asked for"));
    }
    match forbidden_by_ownership(now.asset_ownership, order.mode, order.scope) {
        Some(why) => Err(Error::conflict(why)),
        None => Ok(now),
    }
}
