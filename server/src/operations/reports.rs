//! What the phone reports: kept, judged setting by setting, and compared with what was there before.

use super::Context;
use crate::error::{Error, Result};
use crate::model::CommandKind;
use crate::store::Transaction;
use crate::store::enrolments::Enrolment;

/// Asks for a report of everything, and sends the policy's profile; after enrolment and after every policy change.
pub fn refresh(_: &mut Transaction<'_>, _: &Context, _: &Enrolment) -> Result<()> {
    Err(Error::internal("reports are not built yet"))
}

/// Takes in a device's acknowledged answer to an inventory command or InstallProfile. `answer` is the property list as JSON:
/// data as {"data": "base64"}, dates as RFC 3339 text.
pub fn take_in(_: &mut Transaction<'_>, _: &Context, _: &Enrolment, _kind: CommandKind, _answer: &serde_json::Value) -> Result<()> {
    Err(Error::internal("reports are not built yet"))
}
