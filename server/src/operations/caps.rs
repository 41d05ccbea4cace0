//! Caps on approvals, far below what a stolen account would like, and the freeze when one is reached.

use chrono::Duration;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::{Context, alerts, audit, hands, operators, standing};
use crate::error::{Error, Result};
use crate::model::{CouncilId, Moment, OperatorId, Permission, Role, SignedIn};
use crate::store::cap_changes::CapChange;
use crate::store::freezes::Freeze;
use crate::store::order_caps::OrderCap;
use crate::store::{self, Transaction};

/// A raise takes effect only after this long.
const RAISE_DELAY: Duration = Duration::hours(24);

/// For whom a cap or a freeze is: one council, or the whole installation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CapScope {
    /// One council.
    Council(CouncilId),
    /// All councils together.
    Installation,
}

impl CapScope {
    fn as_str(&self) -> &str {
        match self {
            Self::Council(council) => council.as_str(),
            Self::Installation => audit::INSTALLATION,
        }
    }

    fn council(&self) -> Option<&CouncilId> {
        match self {
            Self::Council(council) => Some(council),
            Self::Installation => None,
        }
    }

    /// What the product ships with: per hour and per day. For the installation the day is 24 full hours.
    fn default_caps(&self) -> (i64, i64) {
        match self {
            Self::Council(_) => (2, 5),
            Self::Installation => (10, 240),
        }
    }

    /// Beyond this it would be a bulk erase, which does not exist.
    fn highest(&self) -> (i64, i64) {
        match self {
            Self::Council(_) => (10, 30),
            Self::Installation => (50, 480),
        }
    }
}

/// A cap that was reached.
#[derive(Clone, Debug)]
pub(crate) struct Over {
    scope: CapScope,
    approvals: i64,
    cap: i64,
    period: &'static str,
}

impl Over {
    pub(crate) fn words(&self) -> String {
        let whose = match self.scope {
            CapScope::Council(_) => "this council",
            CapScope::Installation => "all councils together",
        };
        format!(
            "{} orders were approved within one {} for {whose}; the cap is {}",
            self.approvals, self.period, self.cap
        )
    }
}

/// The caps of a scope and what counts against them.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CapsView {
    /// A council's id, or "installation".
    pub scope: String,
    /// How many orders may be approved in an hour.
    pub per_hour: i64,
    /// How many orders may be approved in a day.
    pub per_day: i64,
    /// How many were in the last hour.
    pub approved_last_hour: i64,
    /// How many were in the last 24 hours.
    pub approved_last_day: i64,
    /// A raise that was asked for and does not count yet.
    pub pending_raise: Option<RaiseView>,
    /// The freeze, if orders are frozen.
    pub freeze: Option<FreezeView>,
}

/// An asked-for raise.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RaiseView {
    /// The new cap per hour.
    pub per_hour: i64,
    /// The new cap per day.
    pub per_day: i64,
    /// Who asked.
    pub requested_by: OperatorId,
    /// When.
    pub requested_at: Moment,
    /// The second person.
    pub approved_by: Option<OperatorId>,
    /// From when on it counts, once approved.
    pub effective_at: Option<Moment>,
}

/// A freeze.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FreezeView {
    /// Why.
    pub reason: String,
    /// Since when.
    pub frozen_at: Moment,
    /// Who asked to thaw; another person must agree.
    pub thaw_requested_by: Option<OperatorId>,
}

/// The caps that count now: the stored ones, or the product's, or a raise whose time has come.
fn effective(tx: &mut Transaction<'_>, scope: &CapScope, now: Moment) -> Result<(i64, i64)> {
    if let Some(raise) = store::cap_changes::pending(tx, scope.as_str())?
        && raise.approved_by.is_some()
        && raise.effective_at.is_some_and(|at| at <= now)
    {
        return Ok((raise.per_hour, raise.per_day));
    }
    Ok(store::order_caps::find(tx, scope.as_str())?
        .map_or_else(|| scope.default_caps(), |cap| (cap.per_hour, cap.per_day)))
}

/// Whether one more approval would be over a cap, of the council or of the installation.
pub(crate) fn over(tx: &mut Transaction<'_>, context: &Context, council: &CouncilId) -> Result<Option<Over>> {
    for scope in [CapScope::Council(council.clone()), CapScope::Installation] {
        let (per_hour, per_day) = effective(tx, &scope, context.now)?;
        for (cap, length, period) in [(per_hour, Duration::hours(1), "hour"), (per_day, Duration::hours(24), "day")] {
            let approvals = store::orders::approvals_since(tx, scope.council(), context.now - length)?;
            if approvals >= cap {
                return Ok(Some(Over { scope, approvals, cap, period }));
            }
        }
    }
    Ok(None)
}

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
    let message = format!(
        "Orders are frozen: {}. If you did not expect this, an account may have been stolen. Two people must thaw them.",
        row.reason
    );
    match &over.scope {
        CapScope::Council(council) => alerts::raise(tx, context, council, "orders_frozen", &row.scope, &message),
        CapScope::Installation => {
            for council in store::councils::page(tx, None, None, 500)? {
                alerts::raise(tx, context, &council.id, "orders_frozen", &row.scope, &message)?;
            }
            Ok(())
        }
    }
}

fn record(
    tx: &mut Transaction<'_>,
    context: &Context,
    scope: &CapScope,
    kind: &str,
    details: serde_json::Value,
) -> Result<()> {
    match scope {
        CapScope::Council(council) => audit::record(tx, context, council, kind, council.as_str(), details),
        CapScope::Installation => audit::record_installation(tx, context, kind, audit::INSTALLATION, details),
    }
}

fn lock(tx: &mut Transaction<'_>, scope: &CapScope) -> Result<()> {
    match scope {
        CapScope::Council(council) => {
            if store::councils::find(tx, council)?.is_none() {
                return Err(Error::NotFound("council"));
            }
            audit::lock(tx, council)
        }
        CapScope::Installation => store::audit::lock_head(tx, audit::INSTALLATION),
    }
}

/// Someone who may decide about caps and freezes of this scope and signed in again within five minutes.
fn decider(context: &Context, scope: &CapScope) -> Result<SignedIn> {
    match scope {
        CapScope::Council(council) => context.actor.require(Permission::ApproveOrder, council)?,
        CapScope::Installation => context.actor.require_installation(Permission::Installation)?,
    }
    Ok(context.actor.require_fresh(context.now)?.clone())
}

/// Refuses unless `second` is another, established person than `first`, who asked at `asked_at`.
fn require_second(
    tx: &mut Transaction<'_>,
    context: &Context,
    scope: &CapScope,
    second: &SignedIn,
    first: &OperatorId,
    asked_at: Moment,
) -> Result<()> {
    if second.operator == *first {
        return Err(Error::conflict("this waits for a second person: you asked for it yourself"));
    }
    match scope {
        CapScope::Council(council) => {
            operators::require_established_approver(tx, context, council, second, first, asked_at)
        }
        CapScope::Installation if second.role == Role::Provider => {
            require_established_provider(tx, context, second, first, asked_at)
        }
        CapScope::Installation => Err(Error::forbidden("only the provider may do this")),
    }
}

/// The installation has no council that could name approvers: another provider's account that has stood for 72 hours.
fn require_established_provider(
    tx: &mut Transaction<'_>,
    context: &Context,
    second: &SignedIn,
    first: &OperatorId,
    asked_at: Moment,
) -> Result<()> {
    let row = store::operators::find(tx, &second.operator)?
        .filter(|row| row.ended_at.is_none() && row.mfa_since.is_some())
        .ok_or_else(|| Error::forbidden("this account has ended, or has no second factor"))?;
    let old_enough = context.now - row.standing_since >= standing::ESTABLISHED_AFTER;
    if !old_enough && !standing::unchanged_since_set_up(&row) {
        return Err(Error::forbidden(
            "your account is not established yet: it must have stood for 72 hours without a change",
        ));
    }
    hands::require_apart(tx, &row, first, asked_at)
}

/// Shows the caps of a council, or of the installation.
pub fn show(tx: &mut Transaction<'_>, context: &Context, scope: &CapScope) -> Result<CapsView> {
    match scope {
        CapScope::Council(council) => context.actor.require(Permission::Read, council)?,
        CapScope::Installation => context.actor.require_installation(Permission::Read)?,
    }
    let (per_hour, per_day) = effective(tx, scope, context.now)?;
    let pending_raise = store::cap_changes::pending(tx, scope.as_str())?
        .filter(|raise| raise.effective_at.is_none_or(|at| at > context.now))
        .map(|raise| RaiseView {
            per_hour: raise.per_hour,
            per_day: raise.per_day,
            requested_by: raise.requested_by,
            requested_at: raise.requested_at,
            approved_by: raise.approved_by,
            effective_at: raise.effective_at,
        });
    let freeze = match scope {
        CapScope::Council(council) => frozen(tx, council)?,
        CapScope::Installation => store::freezes::open(tx, audit::INSTALLATION)?,
    };
    let since = |length| context.now - length;
    Ok(CapsView {
        scope: scope.as_str().to_owned(),
        per_hour,
        per_day,
        approved_last_hour: store::orders::approvals_since(tx, scope.council(), since(Duration::hours(1)))?,
        approved_last_day: store::orders::approvals_since(tx, scope.council(), since(Duration::hours(24)))?,
        pending_raise,
        freeze: freeze.map(|freeze| FreezeView {
            reason: freeze.reason,
            frozen_at: freeze.frozen_at,
            thaw_requested_by: freeze.thaw_requested_by,
        }),
    })
}

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
            alerts::raise(tx, context, council, "caps_raise", council.as_str(), &message)?;
        }
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
    require_second(tx, context, scope, &by, &raise.requested_by, raise.requested_at)?;
    let effective_at = context.now + RAISE_DELAY;
    if !store::cap_changes::approve(tx, &raise.id, &by.operator, context.now, effective_at)? {
        return Err(Error::conflict("the raise was approved already"));
    }
    let details = json!({ "per_hour": raise.per_hour, "per_day": raise.per_day, "effective_at": effective_at });
    record(tx, context, scope, "caps.raise_approved", details)?;
    if let CapScope::Council(council) = scope {
        alerts::end(tx, context, council, "caps_raise", council.as_str())?;
    }
    show(tx, context, scope)
}

/// Thaws frozen orders: the first person asks, the second, another and established, agrees. Held orders then wait to be
/// resumed one by one.
///
/// # Errors
/// `Conflict` when nothing is frozen, or the second person is the first.
pub fn thaw(tx: &mut Transaction<'_>, context: &Context, scope: &CapScope) -> Result<CapsView> {
    let by = decider(context, scope)?;
    lock(tx, scope)?;
    let freeze =
        store::freezes::open(tx, scope.as_str())?.ok_or_else(|| Error::conflict("orders are not frozen here"))?;
    match &freeze.thaw_requested_by {
        None => {
            store::freezes::request_thaw(tx, &freeze.id, &by.operator, context.now)?;
            record(tx, context, scope, "orders.thaw_requested", json!({ "freeze": freeze.id }))?;
        }
        Some(first) => {
            let asked_at = freeze.thaw_requested_at.unwrap_or(freeze.frozen_at);
            require_second(tx, context, scope, &by, first, asked_at)?;
            store::freezes::thaw(tx, &freeze.id, &by.operator, context.now)?;
            record(tx, context, scope, "orders.thawed", json!({ "freeze": freeze.id }))?;
            match scope {
                CapScope::Council(council) => alerts::end(tx, context, council, "orders_frozen", scope.as_str())?,
                CapScope::Installation => {
                    for council in store::councils::page(tx, None, None, 500)? {
                        alerts::end(tx, context, &council.id, "orders_frozen", scope.as_str())?;
                    }
                }
            }
        }
    }
    show(tx, context, scope)
}
