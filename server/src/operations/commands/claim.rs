//! What a device is given at its visit: the order that may destroy first, then the commands by priority, each under one id
//! however often it is offered.

use chrono::Duration;

use super::material::{Material, material};
use super::settle::{Answer, Settled, settle};
use super::{NewCommand, queue};
use crate::error::{Error, Result};
use crate::model::{CommandId, CommandKind, CommandState, Release};
use crate::operations::{Context, alerts, audit, check_in, orders};
use crate::store::certificates::Certificate;
use crate::store::commands::CommandRow;
use crate::store::enrolments::{Caller, Enrolment};
use crate::store::{self, Transaction};

/// How stale the time of the last sight may be, so that an idle visit costs no write.
const SEEN_WITHIN: Duration = Duration::seconds(60);

/// How long after a renewal ended no other is queued by itself for an identity that ran out.
const RENEWAL_RESTS: Duration = Duration::minutes(10);

/// What the device says as it calls.
#[derive(Clone, Debug, PartialEq)]
pub enum Visit {
    /// Idle: a visit begins.
    Begins,
    /// An answer, in the middle of a visit.
    Answers(Answer),
}

impl Visit {
    fn begins(&self) -> bool {
        matches!(self, Self::Begins)
    }
}

/// What a look at the snapshot shows of a visit that begins.
#[derive(Clone, Debug)]
pub enum Glance {
    /// Nothing is to be given.
    Nothing,
    /// This question is next. It changes nothing on the device and may be asked twice, so it is given as it stands, and that it was
    /// is noted later.
    Question(Box<CommandRow>),
    /// Something waits that is given out in a transaction alone.
    Waits,
}

/// What the device is given.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "one is made for each visit, and used at once")]
pub enum Next {
    /// A command, with what its message is made of.
    Command {
        /// The command; its id is the CommandUUID.
        row: CommandRow,
        /// What else its message needs.
        material: Material,
    },
    /// An order to destroy, with its proof.
    Order(Release),
}

/// What a visit that begins now would come to.
pub fn glance(tx: &mut Transaction<'_>, context: &Context, caller: &Caller) -> Result<Glance> {
    let enrolment = &caller.enrolment;
    if has_expired(context, enrolment) || (caller.has_more && orders::claimable(tx, context, enrolment)?) {
        return Ok(Glance::Waits);
    }
    Ok(match store::commands::next(tx, enrolment, context.now, true, None)? {
        None => Glance::Nothing,
        // What was put off waits for a transaction: a note that comes late must not take it for one that was not.
        Some(row)
            if row.kind.is_question()
                && row.state != CommandState::Deferred
                && row.kind.refusal(enrolment.mode, enrolment.ownership).is_none() =>
        {
            Glance::Question(Box::new(row))
        }
        Some(_) => Glance::Waits,
    })
}

/// Whether it is some time ago that it was noted when the device was seen.
#[must_use]
pub fn is_to_be_noted(context: &Context, enrolment: &Enrolment) -> bool {
    context.now - enrolment.last_seen_at >= SEEN_WITHIN
}

fn has_expired(context: &Context, enrolment: &Enrolment) -> bool {
    enrolment.identity_not_after.is_some_and(|end| context.now > end)
}

/// Records the device's answer and claims what comes next, in one transaction.
///
/// An answer repeated, unknown, or to a command that has ended changes nothing, and the visit goes on all the same.
pub fn settle_and_claim(
    tx: &mut Transaction<'_>,
    context: &Context,
    caller: Caller,
    visit: &Visit,
) -> Result<Option<Next>> {
    // Before any row is changed, as everywhere: whoever holds it may be ending this enrolment and its commands.
    audit::lock(tx, &caller.enrolment.council_id)?;
    let Some(Caller { mut enrolment, has_more }) = store::enrolments::still(tx, caller)? else {
        return Err(Error::NotFound("enrolment"));
    };
    let settled = match visit {
        Visit::Begins => Settled::Command,
        Visit::Answers(answer) => settle(tx, context, &enrolment, answer)?,
    };
    if settled == Settled::Order {
        // It may be the last that is heard of the device, and it may have ended the enrolment.
        store::enrolments::touch(tx, &enrolment.council_id, &enrolment.id, context.now)?;
        enrolment = check_in::current(tx, &enrolment)?;
    }
    if enrolment.ended_at.is_some() {
        return Ok(None);
    }
    if has_expired(context, &enrolment) {
        return claim_renewal_only(tx, context, &enrolment, visit.begins());
    }
    if settled == Settled::Command
        && has_more
        && let Some(release) = orders::claim(tx, context, &enrolment)?
    {
        store::enrolments::touch(tx, &enrolment.council_id, &enrolment.id, context.now)?;
        return Ok(Some(Next::Order(release)));
    }
    claim_command(tx, context, &enrolment, visit.begins(), None)
}

/// An identity that ran out is served its renewal and nothing else. One is queued if none waits, but once a visit at the most:
/// a device that says it renewed and did not would else go round in circles.
fn claim_renewal_only(
    tx: &mut Transaction<'_>,
    context: &Context,
    enrolment: &Enrolment,
    visit_begins: bool,
) -> Result<Option<Next>> {
    let only = Some(CommandKind::RenewIdentity);
    if let Some(next) = claim_command(tx, context, enrolment, visit_begins, only)? {
        return Ok(Some(next));
    }
    if !visit_begins {
        return Ok(None);
    }
    let open = store::commands::open_of_enrolment(tx, &enrolment.council_id, &enrolment.id)?;
    let lately = context.now - RENEWAL_RESTS;
    if open.iter().any(|row| row.kind == CommandKind::RenewIdentity)
        || store::commands::ended_since(tx, enrolment, CommandKind::RenewIdentity, lately)?
    {
        return Ok(None);
    }
    queue(tx, context, enrolment, &renewal())?;
    claim_command(tx, context, enrolment, true, only)
}

/// The command that renews an identity.
#[must_use]
pub fn renewal() -> NewCommand {
    NewCommand {
        kind: CommandKind::RenewIdentity,
        payload: serde_json::json!({}),
        priority: 20,
        case: None,
        expires_in: Duration::days(30),
        supersede_key: Some("renew_identity"),
    }
}

fn claim_command(
    tx: &mut Transaction<'_>,
    context: &Context,
    enrolment: &Enrolment,
    visit_begins: bool,
    only: Option<CommandKind>,
) -> Result<Option<Next>> {
    // Each turn ends a command or gives one, so this comes to an end.
    while let Some(row) = store::commands::next(tx, enrolment, context.now, visit_begins, only)? {
        if let Some(problem) = no_longer_right(tx, enrolment, &row)? {
            let state = CommandState::Cancelled;
            store::commands::finish(tx, &row, state, context.now, None, Some(problem))?;
            continue;
        }
        let Some(row) = store::commands::mark_sent(tx, &row, context.now)? else { continue };
        match material(tx, context, enrolment, &row)? {
            Ok(material) => return Ok(Some(Next::Command { row, material })),
            Err(problem) => {
                let state = CommandState::Failed;
                store::commands::finish(tx, &row, state, context.now, None, Some(problem))?;
            }
        }
    }
    Ok(None)
}

/// What was right when it was queued may not be any more.
pub(crate) fn no_longer_right(
    tx: &mut Transaction<'_>,
    enrolment: &Enrolment,
    row: &CommandRow,
) -> Result<Option<&'static str>> {
    if row.kind == CommandKind::ClearPasscode {
        // The answer that came just before may have said so.
        if check_in::current(tx, enrolment)?.mode_disagrees {
            return Ok(Some("the device is managed in another way than it was invited to: invite it again first"));
        }
        let device = store::devices::find(tx, &enrolment.device_id)?.ok_or(Error::NotFound("device"))?;
        if store::devices::is_not_back_from_loss(tx, &device)? {
            return Ok(Some("the device was reported lost before it fetched this"));
        }
    }
    Ok(row.kind.refusal(enrolment.mode, enrolment.ownership))
}

/// Records that a claimed command's message could not be made, which is ours to mend, and claims what comes next.
pub fn cannot_send(
    tx: &mut Transaction<'_>,
    context: &Context,
    enrolment: &Enrolment,
    command: &CommandId,
    problem: &str,
) -> Result<Option<Next>> {
    audit::lock(tx, &enrolment.council_id)?;
    if let Some(row) = store::commands::find(tx, &enrolment.council_id, &enrolment.id, command)?
        && store::commands::finish(tx, &row, CommandState::Failed, context.now, None, Some(problem))?
    {
        let message = format!("The command \"{}\" could not be made: {problem}", row.kind);
        alerts::raise(tx, context, &enrolment.council_id, "command_not_made", enrolment.device_id.as_str(), &message)?;
    }
    claim_command(tx, context, enrolment, false, None)
}

/// The identity was renewed: what asked for it is done, whether or not the answer still comes.
pub(crate) fn renewed(
    tx: &mut Transaction<'_>,
    context: &Context,
    enrolment: &Enrolment,
    certificate: &Certificate,
) -> Result<()> {
    let open = store::commands::open_of_enrolment(tx, &enrolment.council_id, &enrolment.id)?;
    for row in open.iter().filter(|row| row.kind == CommandKind::RenewIdentity) {
        let answer = serde_json::json!({ "serial": certificate.serial }).to_string();
        let state = CommandState::Acknowledged;
        store::commands::finish(tx, row, state, context.now, Some(&answer), None)?;
    }
    Ok(())
}
