//! Caps on approvals, far below what a stolen account would like, and the freeze when one is reached.

mod freeze;
mod raise;
mod tell;
mod view;

pub(crate) use freeze::{freeze, frozen, put_back_freeze};
pub use freeze::{missing_freezes, thaw};
pub use raise::{approve_raise, change};
pub use tell::{TELL_COUNCILS, tell_councils};
pub use view::{CapsView, FreezeView, RaiseView, show};

use chrono::Duration;

use super::{Context, audit, hands, operators, standing};
use crate::error::{Error, Result};
use crate::model::{CouncilId, Moment, OperatorId, OrderId, Permission, Role, SignedIn};
use crate::store::{self, Transaction};

/// How long what one person asked for waits for the second; as long as a request for an order does.
const REQUEST_STANDS: Duration = Duration::hours(72);

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
            "{} orders were approved, or let go on after a freeze, within one {} for {whose}; the cap is {}",
            self.approvals, self.period, self.cap
        )
    }
}

/// The caps that count now: the stored ones, or the product's, or a raise whose time has come. Never more than can be asked
/// for, whatever the rows say: nothing seals them.
fn effective(tx: &mut Transaction<'_>, scope: &CapScope, now: Moment) -> Result<(i64, i64)> {
    let raised = store::cap_changes::pending(tx, scope.as_str())?
        .filter(|raise| raise.approved_by.is_some() && raise.effective_at.is_some_and(|at| at <= now));
    let (per_hour, per_day) = match raised {
        Some(raise) => (raise.per_hour, raise.per_day),
        None => store::order_caps::find(tx, scope.as_str())?
            .map_or_else(|| scope.default_caps(), |cap| (cap.per_hour, cap.per_day)),
    };
    let (highest_hour, highest_day) = scope.highest();
    Ok((per_hour.clamp(0, highest_hour), per_day.clamp(0, highest_day)))
}

/// Whether one order more, this one, would be over a cap, of the council or of the installation.
pub(crate) fn over(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: &CouncilId,
    order: &OrderId,
) -> Result<Option<Over>> {
    for scope in [CapScope::Council(council.clone()), CapScope::Installation] {
        let (per_hour, per_day) = effective(tx, &scope, context.now)?;
        for (cap, length, period) in [(per_hour, Duration::hours(1), "hour"), (per_day, Duration::hours(24), "day")] {
            let since = context.now - length;
            let approvals = store::orders::approvals_since(tx, scope.council(), Some(order), since)?;
            if approvals >= cap {
                return Ok(Some(Over { scope, approvals, cap, period }));
            }
        }
    }
    Ok(None)
}

/// Whether what `by` asked for at `at` still waits for its second person: for 72 hours, and while his account stands.
fn still_asked(tx: &mut Transaction<'_>, context: &Context, by: &OperatorId, at: Moment) -> Result<bool> {
    let stands = store::operators::find(tx, by)?.is_some_and(|operator| operator.ended_at.is_none());
    Ok(stands && context.now - at <= REQUEST_STANDS)
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
