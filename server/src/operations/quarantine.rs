//! Quarantine after a restore: nothing destructive leaves until a person has said, order by order, what still stands.

use chrono::Duration;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::orders::{self, OrderView};
use super::{Context, audit, one_operator};
use crate::error::{Error, Result};
use crate::model::{HeldReason, Moment, OrderState, Permission, Role};
use crate::store::orders::Order;
use crate::store::quarantines::Quarantine;
use crate::store::{self, Transaction};

/// More orders than this are never open at once: the caps see to it.
const ALL: i64 = 100_000;

/// Whether quarantine is on, and what must be reconciled to end it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct QuarantineView {
    /// Whether it is on.
    pub on: bool,
    /// Why it began; every reason, where there was one more while it was on.
    pub reason: Option<String>,
    /// When it began.
    pub since: Option<Moment>,
    /// What else must be gone through.
    pub advice: Vec<String>,
    /// The orders, of the councils that the caller sees, that must be cancelled or confirmed to stand (resumed).
    pub to_reconcile: Vec<OrderView>,
}

/// Whether nothing destructive may leave.
pub fn is_on(tx: &mut Transaction<'_>) -> Result<bool> {
    Ok(store::quarantines::open(tx)?.is_some())
}

/// Begins quarantine and holds every order that could leave. One that is on already goes on, with one reason more: what
/// was found then to stand was found in another past, so it must be gone through again.
pub fn begin(tx: &mut Transaction<'_>, context: &Context, reason: &str) -> Result<()> {
    let orders = leaving(tx, context)?;
    // Council by council, in the one order in which their locks are taken.
    let mut councils = store::one_operator_settings::councils_with_one(tx)?;
    councils.extend(orders.iter().map(|order| order.council_id.clone()));
    councils.sort();
    councils.dedup();
    let mut held = 0;
    for council in &councils {
        audit::lock(tx, council)?;
        for order in orders.iter().filter(|order| order.council_id == *council) {
            if orders::hold_for_quarantine(tx, context, order, reason)? {
                held += 1;
            }
        }
        // Who ended it since, and whose envelope was opened, the restored database does not know.
        one_operator::end_after_restore(tx, context, council)?;
    }
    store::break_glass_codes::forget_all(tx)?;
    let on = store::quarantines::all_open(tx)?;
    // No two begin at the same time: the database orders them by it.
    let since = on.last().map_or(context.now, |last| context.now.max(last.since + Duration::microseconds(1)));
    let row = Quarantine {
        id: uuid::Uuid::now_v7().to_string(),
        reason: reason.to_owned(),
        since,
        ended_by: None,
        ended_at: None,
    };
    store::quarantines::insert(tx, &row)?;
    let details = json!({ "reason": reason, "held": held, "on_already": !on.is_empty() });
    audit::record_installation(tx, context, "quarantine.begun", &row.id, details)
}

/// Every order that is approved and not at an end, or would go on without anybody's approval, council by council.
fn leaving(tx: &mut Transaction<'_>, context: &Context) -> Result<Vec<Order>> {
    let mut found = Vec::new();
    for state in [
        OrderState::Requested,
        OrderState::Approved,
        OrderState::Pushed,
        OrderState::Fetched,
        OrderState::Unreachable,
        OrderState::PresumedErased,
    ] {
        for order in store::orders::in_state_since(tx, state, context.now, ALL)? {
            let live = store::enrolments::find(tx, &order.council_id, &order.enrolment_id)?
                .is_some_and(|enrolment| enrolment.ended_at.is_none());
            if state == OrderState::Requested && store::cooling_offs::find(tx, &order.council_id, &order.id)?.is_none()
            {
                continue;
            }
            // A device that has ended cannot bring its order back.
            if live || state != OrderState::PresumedErased {
                found.push(order);
            }
        }
    }
    found.sort_by(|one, other| (&one.council_id, &one.id).cmp(&(&other.council_id, &other.id)));
    Ok(found)
}

fn unreconciled(tx: &mut Transaction<'_>, context: &Context) -> Result<Vec<Order>> {
    Ok(store::orders::in_state_since(tx, OrderState::Held, context.now, ALL)?
        .into_iter()
        .filter(|order| order.held_reason == Some(HeldReason::Quarantine))
        .collect())
}

/// What the orders do not show.
const ADVICE: [&str; 3] = [
    "Go through the operators of each council, and the providers: whoever was ended, reset or given another role since the \
     database was as it is now is as before. End again who has left, before ending the quarantine.",
    "One-operator working was ended wherever it was announced, and break-glass codes were made useless: announce it again, and \
     print new codes, where they are wanted.",
    "Every sign-in was ended and every API token revoked when this began. Programs need new tokens.",
];

/// Shows the quarantine and what must be reconciled.
///
/// # Errors
/// `Forbidden` for a token that may not read.
pub fn show(tx: &mut Transaction<'_>, context: &Context) -> Result<QuarantineView> {
    context.actor.require_somewhere(Permission::Read)?;
    let on = store::quarantines::all_open(tx)?;
    let Some(first) = on.first() else {
        return Ok(QuarantineView {
            on: false,
            reason: None,
            since: None,
            advice: Vec::new(),
            to_reconcile: Vec::new(),
        });
    };
    let reasons: Vec<&str> = on.iter().map(|row| row.reason.as_str()).collect();
    let (reason, since) = (reasons.join("; then: "), first.since);
    let mut to_reconcile = Vec::new();
    for order in unreconciled(tx, context)? {
        if context.actor.require(Permission::Read, &order.council_id).is_ok() {
            to_reconcile.push(orders::view(tx, &order)?);
        }
    }
    Ok(QuarantineView {
        on: true,
        reason: Some(reason),
        since: Some(since),
        advice: ADVICE.iter().map(|line| (*line).to_owned()).collect(),
        to_reconcile,
    })
}

/// Ends quarantine, once every order was cancelled or confirmed to stand.
///
/// # Errors
/// `Forbidden` unless the caller is a provider's operator who signed in again within five minutes; `Conflict` while an
/// order is not reconciled.
pub fn end(tx: &mut Transaction<'_>, context: &Context) -> Result<QuarantineView> {
    if context.actor.signed_in().is_some_and(|signed_in| signed_in.role != Role::Provider) {
        return Err(Error::forbidden(
            "only a provider may end a quarantine; where there is none, `beadle operator add --role provider \
             --without-sign-in`, given on the server's own machine, makes one",
        ));
    }
    context.actor.require_installation(Permission::Installation)?;
    let signed_in = context.actor.require_fresh(context.now)?.clone();
    let on = store::quarantines::all_open(tx)?;
    if on.is_empty() {
        return Err(Error::conflict("the server is not in quarantine"));
    }
    let left = unreconciled(tx, context)?.len();
    if left > 0 {
        return Err(Error::conflict(format!(
            "{left} orders are not reconciled yet: cancel each of them, or resume it if it still stands"
        )));
    }
    store::quarantines::end(tx, &signed_in.operator, context.now)?;
    for row in on {
        audit::record_installation(tx, context, "quarantine.ended", &row.id, json!({ "reason": row.reason }))?;
    }
    show(tx, context)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Actor, TokenId, TokenScope};
    use crate::testing::on_both;

    #[tokio::test]
    async fn a_program_is_shown_it_only_with_the_right_to_read() {
        on_both(|bench| async move {
            let council = bench.council("germoe").await;
            let system = bench.context(Actor::System);
            bench
                .database
                .write("quarantine", move |tx| {
                    begin(tx, &system, "restored")?;
                    for scope in TokenScope::ALL {
                        let actor = Actor::Token { id: TokenId::new(), council: council.clone(), scopes: vec![*scope] };
                        let shown = show(tx, &Context { actor, ..system.clone() });
                        assert_eq!(shown.is_ok(), *scope == TokenScope::Read, "{scope:?}: {shown:?}");
                    }
                    let local = Context { actor: Actor::Local, ..system.clone() };
                    assert!(show(tx, &local)?.advice.iter().any(|line| line.contains("operators")));
                    Ok(())
                })
                .await
                .expect("shows");
        })
        .await;
    }
}
