//! Operators: who may sign in, and who may be the second person for an order.

use chrono::Duration;

use super::Context;
use crate::error::{Error, Result};
use crate::model::{CouncilId, OperatorId, Role, SignedIn};
use crate::store::{self, Transaction};

/// How long an account must have stood unchanged before it may approve.
const STANDING: Duration = Duration::hours(72);

/// Refuses unless `approver` may be the second person for what `requester` asked for in `council`: another account, with
/// its own second factor, the council's approver or named as one, and established.
pub fn require_established_approver(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: &CouncilId,
    approver: &SignedIn,
    requester: &OperatorId,
) -> Result<()> {
    let row = store::operators::find(tx, &approver.operator)?
        .filter(|row| row.ended_at.is_none())
        .ok_or_else(|| Error::forbidden("this account has ended"))?;
    if row.council_id.as_ref().is_some_and(|own| own != council) {
        return Err(Error::NotFound("council"));
    }
    if row.id == *requester {
        return Err(Error::forbidden("another person must approve what you asked for"));
    }
    if row.mfa_since.is_none() {
        return Err(Error::forbidden("approving needs a second factor of your own"));
    }
    let named = match row.role {
        Role::Approver => true,
        Role::Clerk | Role::Provider => store::named_approvers::is_named(tx, council, &row.id)?,
        Role::Auditor => false,
    };
    if !named {
        return Err(Error::forbidden("the council has not named you as an approver"));
    }
    let label = format!("operator:{requester}");
    let reset_by_requester = row.reset_by.as_ref() == Some(&label);
    let made_by_requester = row.created_by.as_ref() == Some(&label);
    let old_enough = context.now - row.standing_since >= STANDING && !made_by_requester;
    if !reset_by_requester && (row.made_at_set_up || old_enough) {
        return Ok(());
    }
    Err(Error::forbidden(
        "your account is not established yet: it must have stood for 72 hours without a change of second factor, mail or \
         role, and not have been made by the person who asks",
    ))
}
