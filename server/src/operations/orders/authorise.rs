//! Sealing an order: the one place, for a second person's approval and for the end of a cooling-off alike.

use serde_json::Value;

use super::{advance, end_alerts, hold};
use crate::error::Result;
use crate::model::{CommandId, HeldReason, OrderEvent, Seal};
use crate::operations::{Context, caps, jobs, trail};
use crate::store::Transaction;
use crate::store::orders::Order;

/// Seals `order`, on which the authority stands already, and wakes the device. The one over the cap is sealed but held, and
/// orders freeze. The caller holds the council's lock and the installation's, and has checked everything else.
pub(super) fn authorise(
    tx: &mut Transaction<'_>,
    context: &Context,
    order: &Order,
    event: OrderEvent,
    details: impl FnOnce(&CommandId) -> Value,
    authority: impl FnOnce(&mut Order),
) -> Result<Order> {
    let over = caps::over(tx, context, &order.council_id, &order.id)?;
    let mut sealed = order.clone();
    authority(&mut sealed);
    let command = CommandId::new();
    sealed.command_id = Some(command.clone());
    sealed.approved_at = Some(context.now);
    let seal = Seal::sign(&sealed.facts(), &context.keys.approval)?;
    let mut approved = advance(tx, context, order, event, details(&command), |next| {
        next.approved_by.clone_from(&sealed.approved_by);
        next.one_operator_id.clone_from(&sealed.one_operator_id);
        next.cooling_off_from = sealed.cooling_off_from;
        next.approved_at = sealed.approved_at;
        next.command_id = sealed.command_id;
        next.seal = Some(seal.mac);
        next.seal_key_id = Some(seal.key);
    })?;
    end_alerts(tx, context, &approved)?;
    match over {
        Some(over) => {
            caps::freeze(tx, context, &approved.council_id, &over)?;
            approved = hold(tx, context, &approved, HeldReason::Frozen, &over.words(), |_| {})?;
        }
        None => jobs::wake(tx, context, &approved.council_id, &approved.enrolment_id)?,
    }
    // The caller walked its trail in this very transaction.
    trail::mark(tx, context, &approved)?;
    Ok(approved)
}
