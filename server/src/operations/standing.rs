//! Who counts as established and may approve: what keeps one stolen account from wiping anything.

use chrono::Duration;

use super::{Context, hands};
use crate::error::{Error, Result};
use crate::model::{CouncilId, Moment, OperatorId, Role, SignedIn};
use crate::store::operators::Operator;
use crate::store::{self, Transaction};

/// How long an account (or a change of its second factor, login or role) must be known before it may approve.
pub const ESTABLISHED_AFTER: Duration = Duration::hours(72);

/// Whether an operator may approve in a council.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// He may.
    Established,
    /// He may from this moment on.
    From(Moment),
    /// He may not, for this reason.
    No(&'static str),
}

/// Whether `operator` is established as an approver of `council`: role, naming, own second factor, and time.
pub fn standing(tx: &mut Transaction<'_>, operator: &OperatorId, council: &CouncilId, now: Moment) -> Result<Standing> {
    let operator = store::operators::find(tx, operator)?.ok_or(Error::NotFound("operator"))?;
    of(tx, &operator, council, now)
}

pub(crate) fn of(tx: &mut Transaction<'_>, operator: &Operator, council: &CouncilId, now: Moment) -> Result<Standing> {
    if operator.ended_at.is_some() {
        return Ok(Standing::No("this account was ended"));
    }
    if operator.council_id.as_ref().is_some_and(|own| own != council) {
        return Ok(Standing::No("this account belongs to another council"));
    }
    match operator.role {
        Role::Approver => {}
        Role::Auditor => return Ok(Standing::No("an auditor only reads")),
        Role::Clerk | Role::Provider => {
            if store::named_approvers::find(tx, council, &operator.id)?.is_none() {
                return Ok(Standing::No(
                    "a clerk or provider approves only where the council named him as an approver",
                ));
            }
        }
    }
    if operator.mfa_since.is_none() || operator.must_change_password {
        return Ok(Standing::No("this account has no second factor of its own yet"));
    }
    if unchanged_since_set_up(operator) {
        return Ok(Standing::Established);
    }
    let from = operator.standing_since + ESTABLISHED_AFTER;
    Ok(if now >= from { Standing::Established } else { Standing::From(from) })
}

/// Whether an account is known well enough that what it asks for may go on without a second person, whatever its role: it has
/// a second factor of its own, and nothing about it changed within 72 hours.
pub(crate) fn stands(operator: &Operator, now: Moment) -> bool {
    operator.ended_at.is_none()
        && operator.mfa_since.is_some()
        && !operator.must_change_password
        && quiet(operator, now)
}

/// Whether nothing about an account changed within 72 hours.
pub(crate) fn quiet(operator: &Operator, now: Moment) -> bool {
    unchanged_since_set_up(operator) || now >= operator.standing_since + ESTABLISHED_AFTER
}

/// Whether anybody but `except` could approve in this council now.
pub(crate) fn anyone_established(
    tx: &mut Transaction<'_>,
    council: &CouncilId,
    except: &OperatorId,
    now: Moment,
) -> Result<bool> {
    let mut candidates = store::operators::in_office_or_ended_since(tx, Some(council), now)?;
    for named in store::named_approvers::of_council(tx, council)? {
        candidates.extend(store::operators::find(tx, &named.operator_id)?);
    }
    for operator in candidates.iter().filter(|operator| operator.id != *except) {
        if of(tx, operator, council, now)? == Standing::Established {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Made before there was any device, and nothing that restarts the clock has happened since.
pub(crate) fn unchanged_since_set_up(operator: &Operator) -> bool {
    operator.made_at_set_up && operator.reset_by.is_none() && operator.standing_since <= operator.created_at
}

/// Restarts the clock of an account because of something that the actor did to it.
pub(crate) fn restart(operator: &mut Operator, context: &Context) {
    operator.standing_since = context.now;
    let own = context.actor.signed_in().is_some_and(|signed_in| signed_in.operator == operator.id);
    if !own {
        operator.reset_by = Some(context.actor.label());
    }
}

/// Refuses unless `approver` is an established approver of `council`, and another person than the one who asked at
/// `asked_at`: nobody made or reset both accounts, nor one of them the other. Whether he showed his second factor lately is
/// for `Actor::require_fresh`.
pub fn require_established_approver(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: &CouncilId,
    approver: &SignedIn,
    requested_by: &OperatorId,
    asked_at: Moment,
) -> Result<()> {
    if approver.operator == *requested_by {
        return Err(Error::forbidden("someone else must approve what you asked for"));
    }
    if !approver.mfa {
        return Err(Error::forbidden("sign in with your second factor first"));
    }
    let operator = store::operators::find(tx, &approver.operator)?.ok_or(Error::NotFound("operator"))?;
    match of(tx, &operator, council, context.now)? {
        Standing::Established => {}
        Standing::From(moment) => {
            return Err(Error::forbidden(format!(
                "your account is new, or was changed lately; it may approve from {moment}"
            )));
        }
        Standing::No(why) => return Err(Error::forbidden(why)),
    }
    hands::require_apart(tx, &operator, requested_by, asked_at)
}
