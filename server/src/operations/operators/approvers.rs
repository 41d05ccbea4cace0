//! Whom a council named as approvers, besides those who are by their role.

use serde_json::json;

use super::active;
use crate::error::{Error, Result};
use crate::model::{CouncilId, OperatorId, Permission, Role};
use crate::operations::{Context, audit, mail};
use crate::store::named_approvers::NamedApprover;
use crate::store::{self, Transaction};

/// The operators whom the council named as approvers.
pub fn approvers(tx: &mut Transaction<'_>, context: &Context, council: &CouncilId) -> Result<Vec<NamedApprover>> {
    context.actor.require(Permission::Read, council)?;
    store::named_approvers::of_council(tx, council)
}

/// Somebody whom a council named as approver, for people.
#[derive(Clone, Debug)]
pub struct Named {
    /// Who.
    pub operator: OperatorId,
    /// The name to show.
    pub name: String,
    /// A provider, whom the council does not see otherwise.
    pub provider: bool,
}

/// The same operators with their names.
///
/// # Errors
/// `NotFound` when the caller does not see the council.
pub fn named_approvers(tx: &mut Transaction<'_>, context: &Context, council: &CouncilId) -> Result<Vec<Named>> {
    let mut named = Vec::new();
    for approver in approvers(tx, context, council)? {
        if let Some(operator) = store::operators::find(tx, &approver.operator_id)? {
            let provider = operator.role == Role::Provider;
            named.push(Named { operator: operator.id, name: operator.name, provider });
        }
    }
    Ok(named)
}

/// Names a clerk of the council, or a provider, as an approver. Only an operator of the council itself does that, and for
/// someone else.
pub fn name_approver(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: &CouncilId,
    id: &OperatorId,
) -> Result<NamedApprover> {
    context.actor.require(Permission::ApproveOrder, council)?;
    let by = context
        .actor
        .signed_in()
        .filter(|signed_in| signed_in.council.as_ref() == Some(council))
        .ok_or_else(|| Error::forbidden("only an operator of the council itself names its approvers"))?;
    if by.operator == *id {
        return Err(Error::forbidden("someone else must name you"));
    }
    audit::lock(tx, council)?;
    let operator = active(tx, id)?;
    let own = operator.role == Role::Clerk && operator.council_id.as_ref() == Some(council);
    match operator.role {
        Role::Provider => {}
        Role::Clerk if own => {}
        _ if operator.council_id.as_ref() != Some(council) => return Err(Error::NotFound("operator")),
        Role::Approver => return Err(Error::conflict("an approver need not be named")),
        Role::Clerk | Role::Auditor => return Err(Error::conflict("an auditor only reads")),
    }
    if let Some(named) = store::named_approvers::find(tx, council, id)? {
        return Ok(named);
    }
    let named = NamedApprover {
        council_id: council.clone(),
        operator_id: id.clone(),
        named_by: by.operator.clone(),
        named_at: context.now,
    };
    store::named_approvers::insert(tx, &named)?;
    audit::record(tx, context, council, "approver.named", id.as_str(), json!({ "name": operator.name }))?;
    Ok(named)
}

/// The same for a provider, by what he signs in with: the council does not see the list of providers.
///
/// # Errors
/// As [`name_approver`]; `NotFound` where no provider signs in so.
pub fn name_provider(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: &CouncilId,
    login: &str,
) -> Result<NamedApprover> {
    context.actor.require(Permission::ApproveOrder, council)?;
    let provider = store::operators::find_by_login(tx, &login.trim().to_lowercase())?
        .filter(|operator| operator.role == Role::Provider && operator.ended_at.is_none())
        .ok_or(Error::NotFound("provider"))?;
    name_approver(tx, context, council, &provider.id)
}

/// Takes a naming back.
pub fn unname_approver(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: &CouncilId,
    id: &OperatorId,
) -> Result<()> {
    context.actor.require(Permission::ApproveOrder, council)?;
    audit::lock(tx, council)?;
    if !store::named_approvers::delete(tx, council, id)? {
        return Err(Error::NotFound("named approver"));
    }
    audit::record(tx, context, council, "approver.unnamed", id.as_str(), json!({}))?;
    match store::operators::find(tx, id)? {
        Some(operator) => mail::tell_of_account(tx, context, &operator, "approver_unnamed"),
        None => Ok(()),
    }
}
