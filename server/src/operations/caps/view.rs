//! How caps are shown: what counts, what counts against them, what is frozen.

use chrono::Duration;
use serde::Serialize;
use utoipa::ToSchema;

use super::freeze::thaw_asked;
use super::{CapScope, effective, frozen, still_asked};
use crate::error::Result;
use crate::model::{Moment, OperatorId, Permission};
use crate::operations::{Context, audit};
use crate::store::{self, Transaction};

/// The caps of a scope and what counts against them.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CapsView {
    /// A council's id, or "installation".
    pub scope: String,
    /// How many orders may be approved in an hour.
    pub per_hour: i64,
    /// How many orders may be approved in a day.
    pub per_day: i64,
    /// How many were, or were let go on after a freeze, in the last hour.
    pub approved_last_hour: i64,
    /// How many were, or were let go on after a freeze, in the last 24 hours.
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
    /// The name of who asked.
    pub requested_by_name: String,
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
    /// What is frozen: a council's id, or "installation".
    pub scope: String,
    /// Why.
    pub reason: String,
    /// Since when.
    pub frozen_at: Moment,
    /// Who asked to thaw; another person must agree.
    pub thaw_requested_by: Option<OperatorId>,
    /// The name of who asked.
    pub thaw_requested_by_name: Option<String>,
    /// When.
    pub thaw_requested_at: Option<Moment>,
}

fn name_of(tx: &mut Transaction<'_>, operator: &OperatorId) -> Result<String> {
    Ok(store::operators::find(tx, operator)?.map_or_else(|| operator.to_string(), |row| row.name))
}

/// Shows the caps of a council, or of the installation.
pub fn show(tx: &mut Transaction<'_>, context: &Context, scope: &CapScope) -> Result<CapsView> {
    match scope {
        CapScope::Council(council) => context.actor.require(Permission::Read, council)?,
        CapScope::Installation => context.actor.require_installation(Permission::Read)?,
    }
    let (per_hour, per_day) = effective(tx, scope, context.now)?;
    let pending_raise = store::cap_changes::pending(tx, scope.as_str())?
        .filter(|raise| raise.effective_at.is_none_or(|at| at > context.now));
    let pending_raise = match pending_raise {
        Some(raise)
            if raise.approved_by.is_none() && !still_asked(tx, context, &raise.requested_by, raise.requested_at)? =>
        {
            None
        }
        other => other,
    };
    let pending_raise = match pending_raise {
        None => None,
        Some(raise) => Some(RaiseView {
            per_hour: raise.per_hour,
            per_day: raise.per_day,
            requested_by_name: name_of(tx, &raise.requested_by)?,
            requested_by: raise.requested_by,
            requested_at: raise.requested_at,
            approved_by: raise.approved_by,
            effective_at: raise.effective_at,
        }),
    };
    let freeze = match scope {
        CapScope::Council(council) => frozen(tx, council)?,
        CapScope::Installation => store::freezes::open(tx, audit::INSTALLATION)?,
    };
    let freeze = match freeze {
        None => None,
        Some(freeze) => {
            let asked = thaw_asked(tx, context, &freeze)?;
            Some(FreezeView {
                scope: freeze.scope,
                thaw_requested_by_name: asked.as_ref().map(|(by, _)| name_of(tx, by)).transpose()?,
                thaw_requested_at: asked.as_ref().map(|(_, at)| *at),
                thaw_requested_by: asked.map(|(by, _)| by),
                reason: freeze.reason,
                frozen_at: freeze.frozen_at,
            })
        }
    };
    let since = |length| context.now - length;
    Ok(CapsView {
        scope: scope.as_str().to_owned(),
        per_hour,
        per_day,
        approved_last_hour: store::orders::approvals_since(tx, scope.council(), None, since(Duration::hours(1)))?,
        approved_last_day: store::orders::approvals_since(tx, scope.council(), None, since(Duration::hours(24)))?,
        pending_raise,
        freeze,
    })
}
