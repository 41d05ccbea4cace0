//! Changing caps: lowering counts at once; raising takes two people and then a day.

use chrono::Duration;
use serde_json::json;

use super::tell::tell_all;
use super::view::{CapsView, show};
use super::{CapScope, decider, effective, lock, record, require_second, still_asked};
use crate::error::{Error, Result};
use crate::operations::{Context, alerts};
use crate::store::cap_changes::CapChange;
use crate::store::order_caps::OrderCap;
use crate::store::{self, Transaction};

/// The alert about a raise that was asked for.
pub(super) const RAISE: &str = "caps_raise";

/// A raise takes effect only after this long.
const RAISE_DELAY: Duration = Duration::hours(24);

/// Changes caps: lowering counts at once; raising waits for a second person and then for 24 hours.
///
/// # Errors
/// `Invalid` for caps below zero or so high that they would be none; `Forbidden` without the role or a recent sign-in.
pub fn change(
    tx: &mut Transaction<'_>,
    context: &Context,
    scope: &CapScope,
    per_hour: i64,
    per_day: i64,
) -> Result<CapsView> {
    let by = decider(context, scope)?;
    let (highest_hour, highest_day) = scope.highest();
    if !(0..=highest_hour).contains(&per_hour) {
        return Err(Error::invalid(
            "per_hour",
            format!("must be between 0 and {highest_hour}: there is no bulk erase"),
        ));
    }
    if !(0..=highest_day).contains(&per_day) {
        return Err(Error::invalid("per_day", format!("must be between 0 and {highest_day}: there is no bulk erase")));
    }
    lock(tx, scope)?;
    let (now_hour, now_day) = effective(tx, scope, context.now)?;
    // A raise whose time has come is now the cap; one that has not is replaced by what is asked now.
    if let Some(raise) = store::cap_changes::pending(tx, scope.as_str())? {
        if raise.approved_by.is_some() && raise.effective_at.is_some_and(|at| at <= context.now) {
            set(tx, context, scope, now_hour, now_day)?;
            store::cap_changes::set_applied(tx, &raise.id, context.now)?;
        } else {
            store::cap_changes::delete(tx, &raise.id)?;
            record(tx, context, scope, "caps.raise_withdrawn", json!({ "requested_by": raise.requested_by }))?;
        }
    }
    let details = json!({ "per_hour": per_hour, "per_day": per_day, "was": [now_hour, now_day] });
    if per_hour <= now_hour && per_day <= now_day {
        set(tx, context, scope, per_hour, per_day)?;
        record(tx, context, scope, "caps.lowered", details)?;
    } else {
        let raise = CapChange {
            id: uuid::Uuid::now_v7().to_string(),
            scope: scope.as_str().to_owned(),
            per_hour,
            per_day,
            requested_by: by.operator,
            requested_at: context.now,
            approved_by: None,
            approved_at: None,
            effective_at: None,
            applied_at: None,
        };
        store::cap_changes::insert(tx, &raise)?;
        record(tx, context, scope, "caps.raise_requested", details)?;
        if let CapScope::Council(council) = scope {
            let message =
                format!("{} asks to raise the caps on orders to {per_hour} an hour, {per_day} a day.", by.name);
            alerts::raise(tx, context, council, RAISE, council.as_str(), &message)?;
        }
    }
    if *scope == CapScope::Installation {
        tell_all(tx, context)?;
    }
    show(tx, context, scope)
}

fn set(tx: &mut Transaction<'_>, context: &Context, scope: &CapScope, per_hour: i64, per_day: i64) -> Result<()> {
    let cap = OrderCap { scope: scope.as_str().to_owned(), per_hour, per_day, changed_at: context.now };
    store::order_caps::set(tx, &cap)
}

/// The second person agrees to a raise; it counts from 24 hours later.
///
/// # Errors
/// `Conflict` when nothing waits, or the caller asked for it himself.
pub fn approve_raise(tx: &mut Transaction<'_>, context: &Context, scope: &CapScope) -> Result<CapsView> {
    let by = decider(context, scope)?;
    lock(tx, scope)?;
    let raise = store::cap_changes::pending(tx, scope.as_str())?
        .filter(|raise| raise.approved_by.is_none())
        .ok_or_else(|| Error::conflict("nobody asked to raise these caps"))?;
    if !still_asked(tx, context, &raise.requested_by, raise.requested_at)? {
        return Err(Error::conflict(
            "the raise was asked for more than 72 hours ago, or the account that asked was ended: ask for it again",
        ));
    }
    require_second(tx, context, scope, &by, &raise.requested_by, raise.requested_at)?;
    let effective_at = context.now + RAISE_DELAY;
    if !store::cap_changes::approve(tx, &raise.id, &by.operator, context.now, effective_at)? {
        return Err(Error::conflict("the raise was approved already"));
    }
    let details = json!({ "per_hour": raise.per_hour, "per_day": raise.per_day, "effective_at": effective_at });
    record(tx, context, scope, "caps.raise_approved", details)?;
    match scope {
        CapScope::Council(council) => alerts::end(tx, context, council, RAISE, council.as_str())?,
        CapScope::Installation => tell_all(tx, context)?,
    }
    show(tx, context, scope)
}
