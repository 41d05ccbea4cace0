//! The command queue of a device: what is asked, in which order, and what became of it.

mod bypass_code;
mod claim;
mod done;
mod material;
mod settle;
#[cfg(test)]
mod tests;

pub use bypass_code::ask_for_bypass_code;
pub use claim::renewal;
pub use claim::{Glance, Next, Visit, cannot_send, glance, is_to_be_noted, settle_and_claim};
pub(crate) use claim::{no_longer_right, renewed};
pub(crate) use done::never_sent;
pub use material::{Material, ProfileMaterial, RenewalMaterial};
pub(crate) use settle::settle_command as settle_answer;
pub use settle::{Answer, AnswerStatus, SealedCode};

use chrono::Duration;

use super::{Context, audit, jobs};
use crate::error::{Error, Result};
use crate::model::{
    CaseId, CommandId, CommandKind, CommandState, CouncilId, EnrolmentId, Moment, Permission, Platform,
};
use crate::store::commands::CommandRow;
use crate::store::enrolments::Enrolment;
use crate::store::{self, Transaction};

/// The supersede key of locks, Lost Mode and its end.
const LOCK_KEY: &str = "lock";
/// Commands up to this number (locks, Lost Mode, clearing a PIN) do not wait for a failing push to have rested.
const URGENT: i64 = 10;
/// How long commands of inventory are kept once they have ended: what they brought is kept as a report.
pub const INVENTORY_KEPT: Duration = Duration::days(7);

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
pub fn queue(
    tx: &mut Transaction<'_>,
    context: &Context,
    enrolment: &Enrolment,
    command: &NewCommand,
) -> Result<CommandId> {
    check(enrolment, command.kind)?;
    if command.supersede_key.is_some() {
        // The council's lock: two at once would else both find nothing to supersede, and the second be refused.
        audit::lock(tx, &enrolment.council_id)?;
        store::commands::finish_open(
            tx,
            enrolment,
            None,
            command.supersede_key,
            CommandState::Superseded,
            context.now,
            "a newer command took its place",
        )?;
    }
    let id = CommandId::new();
    store::commands::insert(
        tx,
        &CommandRow {
            council_id: enrolment.council_id.clone(),
            id: id.clone(),
            enrolment_id: enrolment.id.clone(),
            case_id: command.case.clone(),
            kind: command.kind,
            payload: command.payload.to_string(),
            priority: command.priority,
            state: CommandState::Queued,
            supersede_key: command.supersede_key.map(str::to_owned),
            created_by: context.actor.label(),
            created_at: context.now,
            available_at: context.now,
            expires_at: context.now + command.expires_in,
            sent_at: None,
            offers: 0,
            ended_at: None,
            answer: None,
            problem: None,
        },
    )?;
    if command.priority <= URGENT {
        jobs::wake(tx, context, &enrolment.council_id, &enrolment.id)?;
    } else {
        jobs::wake_in_turn(tx, context, &enrolment.council_id, &enrolment.id)?;
    }
    Ok(id)
}

/// Whether a command of this kind can be asked of this enrolment at all.
pub(super) fn check(enrolment: &Enrolment, kind: CommandKind) -> Result<()> {
    if enrolment.ended_at.is_some() {
        return Err(Error::conflict("the device is no longer under management"));
    }
    if let Some(problem) = kind.refusal(enrolment.mode, enrolment.ownership) {
        return Err(Error::conflict(problem));
    }
    if enrolment.mode_disagrees && kind == CommandKind::EnableLostMode {
        return Err(Error::conflict("the phone reports another mode than its invitation: it is not supervised"));
    }
    match kind {
        CommandKind::ClearPasscode
            if enrolment.platform == Platform::Apple && enrolment.sealed_unlock_token.is_none() =>
        {
            Err(Error::conflict("the phone has not given the token that clearing its PIN needs"))
        }
        _ => Ok(()),
    }
}

/// When a command that was put off after `offers` offers is worth a push of our own.
pub(crate) fn push_again_after(offers: i64) -> Duration {
    match offers {
        ..=1 => Duration::seconds(60),
        2 => Duration::minutes(2),
        3 => Duration::minutes(8),
        4 => Duration::minutes(30),
        _ => Duration::days(1),
    }
}

/// Takes back one command that was not answered yet. What keeps a lost device shut is taken back by whoever may take back an
/// order or mark it as found, anything else by whoever keeps the council's settings: no token may do either.
///
/// # Errors
/// `Forbidden` without that right; `Conflict` when the command has ended.
pub fn cancel(tx: &mut Transaction<'_>, context: &Context, id: &CommandId) -> Result<CommandRow> {
    let row = store::commands::find_any(tx, id)?
        .filter(|row| context.actor.sees(&row.council_id))
        .ok_or(Error::NotFound("command"))?;
    let permission = if row.case_id.is_some() || row.supersede_key.as_deref() == Some(LOCK_KEY) {
        Permission::CancelOrder
    } else {
        Permission::Settings
    };
    context.actor.require(permission, &row.council_id)?;
    audit::lock(tx, &row.council_id)?;
    if !store::commands::finish(tx, &row, CommandState::Cancelled, context.now, None, Some("taken back"))? {
        return Err(Error::conflict("the command has ended already"));
    }
    let at_google = store::enrolments::find(tx, &row.council_id, &row.enrolment_id)?
        .is_some_and(|enrolment| enrolment.platform == Platform::Android && enrolment.ended_at.is_none());
    if at_google {
        // Google may have it, and would give it to the phone yet: what is taken back here is taken back there at once.
        jobs::wake(tx, context, &row.council_id, &row.enrolment_id)?;
    }
    let details = serde_json::json!({ "kind": row.kind, "enrolment": row.enrolment_id });
    audit::record(tx, context, &row.council_id, "command cancelled", row.id.as_str(), details)?;
    store::commands::find_any(tx, id)?.ok_or(Error::NotFound("command"))
}

/// A loss was reported: a clearing of the PIN that was asked for before must not open the phone now (wipe rule 10). Where
/// Google has it already, the wake-up that follows asks for it back.
pub fn keep_shut(tx: &mut Transaction<'_>, context: &Context, enrolment: &Enrolment) -> Result<()> {
    // An iPhone is refused it when it comes for it, and its answer to one that it has already is still to be heard.
    if enrolment.platform == Platform::Apple {
        return Ok(());
    }
    let problem = "the device was reported lost before it did this";
    let (kind, state) = (Some(CommandKind::ClearPasscode), CommandState::Cancelled);
    if store::commands::finish_open(tx, enrolment, kind, None, state, context.now, problem)? > 0 {
        jobs::wake(tx, context, &enrolment.council_id, &enrolment.id)?;
    }
    Ok(())
}

/// Takes back every open command of an enrolment, for instance because it ended. Says how many.
pub fn cancel_all(tx: &mut Transaction<'_>, context: &Context, enrolment: &Enrolment, problem: &str) -> Result<usize> {
    store::commands::finish_open(tx, enrolment, None, None, CommandState::Cancelled, context.now, problem)
}

/// Ends up to `limit` commands whose time ran out; says how many, for the job that repeats it.
pub fn expire(tx: &mut Transaction<'_>, context: &Context, limit: i64) -> Result<usize> {
    let mut rows = store::commands::expired(tx, context.now, limit)?;
    // Locks of several councils are taken in one order everywhere.
    rows.sort_by(|one, other| (&one.council_id, &one.id).cmp(&(&other.council_id, &other.id)));
    for row in &rows {
        audit::lock(tx, &row.council_id)?;
        let problem = "the device did not answer in time";
        store::commands::finish(tx, row, CommandState::Expired, context.now, None, Some(problem))?;
    }
    Ok(rows.len())
}

/// Removes up to `limit` commands that ended before `before`; says how many, for the job that repeats it.
pub fn purge_ended(tx: &mut Transaction<'_>, before: Moment, limit: i64) -> Result<usize> {
    store::commands::purge_ended(tx, before, limit)
}

/// Removes up to `limit` commands of inventory that ended before `before` and served no case; says how many.
pub fn purge_inventory(tx: &mut Transaction<'_>, before: Moment, limit: i64) -> Result<usize> {
    store::commands::purge_inventory(tx, before, limit)
}

/// An enrolment's commands, newest first, before the id `before`; the caller has checked the right to read.
pub fn list(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: &CouncilId,
    enrolment: &EnrolmentId,
    before: Option<&str>,
    limit: i64,
) -> Result<Vec<CommandRow>> {
    context.actor.require(Permission::Read, council)?;
    store::commands::page_of_enrolment(tx, council, enrolment, before, limit)
}
