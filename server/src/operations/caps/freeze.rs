//! Freezing orders when a cap is reached, and thawing them, which takes two people.

use serde_json::json;

use super::tell::tell_all;
use super::view::{CapsView, show};
use super::{CapScope, Over, decider, lock, record, require_second, still_asked};
use crate::error::{Error, Result};
use crate::model::{CouncilId, Moment, OperatorId};
use crate::operations::{Context, alerts, audit, jobs, trail};
use crate::store::freezes::Freeze;
use crate::store::{self, Transaction};

/// The alert about frozen orders.
pub(super) const FROZEN: &str = "orders_frozen";

/// The alert about a freeze that was put back.
const DIFFERS: &str = "freeze_differs";

/// The freeze that stops the orders of this council, its own or the installation's.
pub(crate) fn frozen(tx: &mut Transaction<'_>, council: &CouncilId) -> Result<Option<Freeze>> {
    match store::freezes::open(tx, council.as_str())? {
        Some(freeze) => Ok(Some(freeze)),
        None => store::freezes::open(tx, audit::INSTALLATION),
    }
}

/// Freezes orders because a cap was reached, and tells everyone whom it concerns.
pub(crate) fn freeze(tx: &mut Transaction<'_>, context: &Context, council: &CouncilId, over: &Over) -> Result<()> {
    if store::freezes::open(tx, over.scope.as_str())?.is_some() {
        return Ok(());
    }
    let row = Freeze {
        id: uuid::Uuid::now_v7().to_string(),
        scope: over.scope.as_str().to_owned(),
        reason: over.words(),
        frozen_at: context.now,
        thaw_requested_by: None,
        thaw_requested_at: None,
        thawed_by: None,
        thawed_at: None,
    };
    store::freezes::insert(tx, &row)?;
    record(tx, context, &over.scope, "orders.frozen", json!({ "reason": row.reason, "council": council }))?;
    call_back(tx, context, &over.scope)?;
    match &over.scope {
        CapScope::Council(council) => alerts::raise(tx, context, council, FROZEN, &row.scope, &message_of(&row)),
        CapScope::Installation => tell_all(tx, context),
    }
}

/// What Google was given before is on its way for up to ninety days: each phone's job holds its order and calls it back.
fn call_back(tx: &mut Transaction<'_>, context: &Context, scope: &CapScope) -> Result<()> {
    let council = match scope {
        CapScope::Council(council) => Some(council),
        CapScope::Installation => None,
    };
    for (council, enrolment) in store::google_operations::enrolments_with_wipe(tx, council)? {
        jobs::wake(tx, context, &council, &enrolment)?;
    }
    Ok(())
}

/// The scopes in which orders are frozen as the audit trail has it, and not as the table has it: somebody changed the
/// database by hand. Costs a look or two for each council.
pub fn missing_freezes(tx: &mut Transaction<'_>, context: &Context) -> Result<Vec<CapScope>> {
    let mut found = Vec::new();
    for head in store::audit::heads(tx)? {
        let scope = match head.chain.as_str() {
            audit::INSTALLATION => CapScope::Installation,
            council => CapScope::Council(CouncilId::from(council)),
        };
        if missing(tx, context, &scope)?.is_some() {
            found.push(scope);
        }
    }
    Ok(found)
}

fn missing(tx: &mut Transaction<'_>, context: &Context, scope: &CapScope) -> Result<Option<trail::Begun>> {
    match store::freezes::open(tx, scope.as_str())? {
        Some(_) => Ok(None),
        None => trail::freeze(tx, context, scope.as_str()),
    }
}

/// Puts back a freeze that the audit trail says stands and the table lacks, so that it can be thawed, and tells.
pub(crate) fn put_back_freeze(tx: &mut Transaction<'_>, context: &Context, scope: &CapScope) -> Result<()> {
    if missing(tx, context, scope)?.is_none() {
        return Ok(());
    }
    // Asked again behind the lock of the chain that it stands in.
    store::audit::lock_head(tx, scope.as_str())?;
    let Some(begun) = missing(tx, context, scope)? else { return Ok(()) };
    let row = Freeze {
        id: uuid::Uuid::now_v7().to_string(),
        scope: scope.as_str().to_owned(),
        reason: begun.reason.unwrap_or_else(|| trail::UNKNOWN_REASON.to_owned()),
        frozen_at: begun.at,
        thaw_requested_by: None,
        thaw_requested_at: None,
        thawed_by: None,
        thawed_at: None,
    };
    store::freezes::insert(tx, &row)?;
    call_back(tx, context, scope)?;
    let message = "Orders are frozen, but the freeze was missing from the database, or stood in it as thawed; it was put \
                   back from the audit trail. Somebody changed the database by hand: verify the audit trail.";
    match scope {
        CapScope::Council(council) => alerts::raise(tx, context, council, DIFFERS, &row.scope, message),
        CapScope::Installation => {
            tell_all(tx, context)?;
            for council in store::councils::page(tx, None, None, 500)? {
                alerts::raise(tx, context, &council.id, DIFFERS, &row.scope, message)?;
            }
            Ok(())
        }
    }
}

/// What the people of a council are told of a freeze.
pub(super) fn message_of(freeze: &Freeze) -> String {
    format!(
        "Orders are frozen: {}. If you did not expect this, an account may have been stolen. Two people must thaw them.",
        freeze.reason
    )
}

/// Who asked to thaw and waits for a second person, and since when.
pub(super) fn thaw_asked(
    tx: &mut Transaction<'_>,
    context: &Context,
    freeze: &Freeze,
) -> Result<Option<(OperatorId, Moment)>> {
    Ok(match (&freeze.thaw_requested_by, freeze.thaw_requested_at) {
        (Some(by), Some(at)) if still_asked(tx, context, by, at)? => Some((by.clone(), at)),
        _ => None,
    })
}

/// Thaws frozen orders: the first person asks, the second, another and established, agrees. Held orders then wait to be
/// resumed one by one, no faster than the caps allow.
///
/// A request to thaw lapses after 72 hours, or when the account of whoever asked ends.
///
/// # Errors
/// `Conflict` when nothing is frozen, or the second person is the first.
pub fn thaw(tx: &mut Transaction<'_>, context: &Context, scope: &CapScope) -> Result<CapsView> {
    let by = decider(context, scope)?;
    lock(tx, scope)?;
    put_back_freeze(tx, context, scope)?;
    let freeze =
        store::freezes::open(tx, scope.as_str())?.ok_or_else(|| Error::conflict("orders are not frozen here"))?;
    match thaw_asked(tx, context, &freeze)? {
        None => {
            store::freezes::request_thaw(tx, &freeze.id, &by.operator, context.now)?;
            record(tx, context, scope, "orders.thaw_requested", json!({ "freeze": freeze.id }))?;
        }
        Some((first, asked_at)) => {
            require_second(tx, context, scope, &by, &first, asked_at)?;
            store::freezes::thaw(tx, &freeze.id, &by.operator, context.now)?;
            record(tx, context, scope, "orders.thawed", json!({ "freeze": freeze.id }))?;
            match scope {
                CapScope::Council(council) => alerts::end(tx, context, council, FROZEN, scope.as_str())?,
                CapScope::Installation => tell_all(tx, context)?,
            }
        }
    }
    show(tx, context, scope)
}
