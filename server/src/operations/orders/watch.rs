//! What time does to orders: reminders, lapsing, presumed erased, unreachable. Run by the worker every minute.

use std::collections::BTreeMap;

use chrono::Duration;
use serde_json::json;

use super::{advance, end_alerts, locked, tag_of};
use crate::error::Result;
use crate::model::{CouncilId, Moment, OrderEvent, OrderId, OrderState};
use crate::operations::{Context, alerts};
use crate::store::orders::Order;
use crate::store::{self, Transaction};

/// Silence after the fetch that counts as erased.
const PRESUMED_AFTER: Duration = Duration::hours(24);
/// Silence before the fetch that counts as unreachable.
const UNREACHABLE_AFTER: Duration = Duration::days(7);
/// When the second person is reminded.
const REMINDERS: [(i64, Duration); 2] = [(1, Duration::hours(24)), (2, Duration::hours(48))];

/// Orders of several councils in the one order in which their locks are taken, so that two workers cannot wait for each
/// other in a ring.
fn by_council(mut orders: Vec<Order>) -> Vec<Order> {
    orders.sort_by(|one, other| (&one.council_id, &one.id).cmp(&(&other.council_id, &other.id)));
    orders
}

/// Ends up to `limit` requests that nobody approved within 72 hours. Says how many orders lapsed.
pub fn lapse_due(tx: &mut Transaction<'_>, context: &Context, limit: i64) -> Result<usize> {
    let due = store::orders::lapsed(tx, context.now, limit)?;
    let mut lapsed = 0;
    for order in by_council(due) {
        let order = locked(tx, &order)?;
        if order.state != OrderState::Requested {
            continue;
        }
        let order = advance(tx, context, &order, OrderEvent::Lapsed, json!({}), |_| {})?;
        end_alerts(tx, context, &order)?;
        let tag = tag_of(tx, &order)?;
        let message = format!("The order to erase {tag} lapsed: nobody approved it within 72 hours.");
        alerts::raise(tx, context, &order.council_id, "order_lapsed", order.id.as_str(), &message)?;
        lapsed += 1;
    }
    Ok(lapsed)
}

/// Reminds of up to `limit` requests that have waited for a second person for 24, and for 48 hours. In a transaction of its own,
/// since it takes the councils' locks from the first one on. Says how many.
pub fn remind_due(tx: &mut Transaction<'_>, context: &Context, limit: i64) -> Result<usize> {
    let mut due: BTreeMap<(CouncilId, OrderId), (Order, i64, Duration)> = BTreeMap::new();
    for (number, after) in REMINDERS {
        for order in store::orders::unreminded(tx, context.now - after, number, limit)? {
            // The later reminder takes the place of the earlier one.
            due.insert((order.council_id.clone(), order.id.clone()), (order, number, after));
        }
    }
    let found = due.len();
    for (order, number, after) in due.into_values() {
        let order = locked(tx, &order)?;
        if order.state != OrderState::Requested || order.reminders >= number {
            continue;
        }
        store::orders::set_reminders(tx, &order.id, number)?;
        let tag = tag_of(tx, &order)?;
        let message = format!(
            "An order to erase {tag} has waited {} hours for a second person; it lapses at {}.",
            after.num_hours(),
            order.lapses_at.utc().format("%d %B %Y, %H:%M UTC")
        );
        // Ended and raised again, so that it shows once more to those who had read it.
        alerts::end(tx, context, &order.council_id, "order_waits", order.id.as_str())?;
        alerts::raise(tx, context, &order.council_id, "order_waits", order.id.as_str(), &message)?;
    }
    Ok(found)
}

/// Whether the device of `order` was last heard from at or before `before`.
fn silent_since(tx: &mut Transaction<'_>, order: &Order, before: Moment) -> Result<bool> {
    Ok(store::enrolments::find(tx, &order.council_id, &order.enrolment_id)?
        .is_none_or(|enrolment| enrolment.last_seen_at <= before))
}

/// Presumes up to `limit` devices erased that fetched their order and were not heard from for 24 hours.
pub fn presume_erased_due(tx: &mut Transaction<'_>, context: &Context, limit: i64) -> Result<usize> {
    let before = context.now - PRESUMED_AFTER;
    let mut presumed = 0;
    for order in by_council(store::orders::in_state_since(tx, OrderState::Fetched, before, limit)?) {
        let order = locked(tx, &order)?;
        if order.state != OrderState::Fetched || !silent_since(tx, &order, before)? {
            continue;
        }
        let order = advance(tx, context, &order, OrderEvent::PresumedErased, json!({}), |_| {})?;
        let tag = tag_of(tx, &order)?;
        let message = format!("{tag} fetched its order and has not been heard from for 24 hours: presumed erased.");
        alerts::raise(tx, context, &order.council_id, "order_presumed_erased", order.id.as_str(), &message)?;
        presumed += 1;
    }
    Ok(presumed)
}

/// Calls up to `limit` approved orders unreachable whose device was not heard from for a week. They still stand.
pub fn unreachable_due(tx: &mut Transaction<'_>, context: &Context, limit: i64) -> Result<usize> {
    let before = context.now - UNREACHABLE_AFTER;
    let mut due = store::orders::in_state_since(tx, OrderState::Approved, before, limit)?;
    due.extend(store::orders::in_state_since(tx, OrderState::Pushed, before, limit)?);
    let mut unreachable = 0;
    for order in by_council(due) {
        let order = locked(tx, &order)?;
        if !matches!(order.state, OrderState::Approved | OrderState::Pushed) || !silent_since(tx, &order, before)? {
            continue;
        }
        let order = advance(tx, context, &order, OrderEvent::Unreachable, json!({}), |_| {})?;
        let tag = tag_of(tx, &order)?;
        let message = format!(
            "{tag} has not been heard from for a week. The order to erase it still stands and is delivered when it \
             comes back."
        );
        alerts::raise(tx, context, &order.council_id, "order_unreachable", order.id.as_str(), &message)?;
        unreachable += 1;
    }
    Ok(unreachable)
}
