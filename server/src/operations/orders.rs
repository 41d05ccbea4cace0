//! Orders: the only thing that can become a destructive command.

use super::Context;
use crate::error::{Error, Result};
use crate::model::{CommandId, Release};
use crate::store::Transaction;
use crate::store::enrolments::Enrolment;

/// How the device answered an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It erases itself.
    Acknowledged,
    /// It cannot, and why.
    Failed(String),
    /// Not now (also: not possible in Lost Mode): offered again later.
    NotNow,
}

/// Whether an order of this enrolment could be claimed now; cheap, for the poll's read snapshot.
pub fn claimable(_: &mut Transaction<'_>, _: &Context, _: &Enrolment) -> Result<bool> {
    Err(Error::internal("orders are not built yet"))
}

/// Claims the order of this enrolment that waits to be carried out, verifies it, and marks it fetched.
///
/// An Idle after the fetch means that it was not carried out: the same release, the same CommandUUID, is given again.
pub fn claim(_: &mut Transaction<'_>, _: &Context, _: &Enrolment) -> Result<Option<Release>> {
    Err(Error::internal("orders are not built yet"))
}

/// Records the device's answer if `command` is an order's; `false` when it is not.
pub fn settle(_: &mut Transaction<'_>, _: &Context, _: &Enrolment, _command: &CommandId, _: &Outcome) -> Result<bool> {
    Err(Error::internal("orders are not built yet"))
}

/// Holds the open order of a device that enrolled again, and asks the clerk.
pub fn on_re_enrolment(_: &mut Transaction<'_>, _: &Context, _old: &Enrolment, _new: &Enrolment) -> Result<()> {
    Err(Error::internal("orders are not built yet"))
}

/// Ends the open order of a device that left management before it fetched it.
pub fn on_left_management(_: &mut Transaction<'_>, _: &Context, _: &Enrolment) -> Result<()> {
    Err(Error::internal("orders are not built yet"))
}
