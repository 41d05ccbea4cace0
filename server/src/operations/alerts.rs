//! What needs a person's attention, raised once and ended when it is over.

use super::Context;
use crate::error::{Error, Result};
use crate::model::CouncilId;
use crate::store::Transaction;

/// Raises an alert of `kind` about `subject` (an id), unless one is open already.
pub fn raise(_: &mut Transaction<'_>, _: &Context, _council: &CouncilId, _kind: &str, _subject: &str, _message: &str) -> Result<()> {
    Err(Error::internal("alerts are not built yet"))
}

/// Ends the open alert of `kind` about `subject`, if there is one.
pub fn end(_: &mut Transaction<'_>, _: &Context, _council: &CouncilId, _kind: &str, _subject: &str) -> Result<()> {
    Err(Error::internal("alerts are not built yet"))
}
