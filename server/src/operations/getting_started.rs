//! What a council still needs before its phones are looked after, read from how things stand, so that it can be left at any time.

use super::Context;
use crate::error::Result;
use crate::model::{CouncilId, Permission, PushCertificateState, Role};
use crate::store::operators::Operator;
use crate::store::{self, Transaction};

/// More operators than this need not be looked at to see that there are two.
const ENOUGH: i64 = 50;

/// How far a council is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "each is a step of its own, in any order")]
pub struct Progress {
    /// It has a policy.
    pub policy: bool,
    /// It can reach iPhones and iPads.
    pub apple: bool,
    /// It can reach Android phones.
    pub android: bool,
    /// Somebody can approve what a clerk or the provider asks for.
    pub second_person: bool,
    /// A phone is under management, or was.
    pub phone: bool,
}

impl Progress {
    /// Whether nothing is left that a council cannot do without; one kind of phone is enough.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.policy && (self.apple || self.android) && self.second_person && self.phone
    }
}

/// How far the council is.
///
/// # Errors
/// `Forbidden` for whoever may not read it.
pub fn progress(tx: &mut Transaction<'_>, context: &Context, council: &CouncilId) -> Result<Progress> {
    context.actor.require(Permission::Read, council)?;
    let apple = store::push_certificates::live(tx, council)?
        .into_iter()
        .any(|row| row.state == PushCertificateState::Current && row.not_after.is_some_and(|end| end > context.now));
    let ready = |operator: &Operator| operator.ended_at.is_none() && operator.mfa_since.is_some();
    let operators = store::operators::page(tx, Some(council), None, ENOUGH)?;
    let mut approves = operators.iter().any(|operator| ready(operator) && operator.role == Role::Approver);
    // A clerk or provider whom the council named approves what another asks for.
    for named in store::named_approvers::of_council(tx, council)? {
        approves = approves || store::operators::find(tx, &named.operator_id)?.is_some_and(|operator| ready(&operator));
    }
    Ok(Progress {
        policy: store::policies::current_number(tx, council)?.is_some(),
        apple,
        android: store::google_enterprises::current(tx, council)?.is_some(),
        second_person: approves,
        phone: store::operators::any_device(tx, Some(council))?,
    })
}
