//! The command queue of a device: what is asked, in which order, and what became of it.

use chrono::Duration;

use super::Context;
use crate::error::{Error, Result};
use crate::model::{CaseId, CommandId, CommandKind};
use crate::store::Transaction;
use crate::store::enrolments::Enrolment;

/// What is to be asked of a device.
#[derive(Clone, Debug)]
pub struct NewCommand {
    /// What.
    pub kind: CommandKind,
    /// Its parameters, by kind.
    pub payload: serde_json::Value,
    /// Lower goes first: 0 for lock, Lost Mode and its end; 10 clear passcode; 20 identity renewal; 30 profile; 50 inventory.
    pub priority: i64,
    /// The loss case it serves.
    pub case: Option<CaseId>,
    /// How long it is worth asking.
    pub expires_in: Duration,
    /// An open command with the same key is superseded ("lock", "profile", …); one in flight.
    pub supersede_key: Option<&'static str>,
}

/// Queues a command for an enrolment, after a check that its mode allows it, and wakes the device.
pub fn queue(_: &mut Transaction<'_>, _: &Context, _: &Enrolment, _: &NewCommand) -> Result<CommandId> {
    Err(Error::internal("commands are not built yet"))
}
