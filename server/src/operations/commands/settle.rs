//! Recording what a device answered: once, truthfully, and whatever it answered, so that the queue goes on.

use serde_json::Value;

use super::done::{Word, acknowledged, failed};
use super::push_again_after;
use crate::error::{Error, Result};
use crate::model::{CommandId, CommandState, DeviceId, Moment};
use crate::operations::{Context, jobs, orders};
use crate::store::commands::CommandRow;
use crate::store::enrolments::Enrolment;
use crate::store::{self, Transaction};

/// Apple's error for a command that is not possible in Lost Mode: put off, not failed.
const NOT_IN_LOST_MODE: i64 = 12078;
/// How often a command whose answer cannot be read is offered before it counts as failed.
const UNREADABLE_OFFERS: i64 = 3;

/// How a device answered.
#[derive(Clone, Debug, PartialEq)]
pub enum AnswerStatus {
    /// It is done.
    Acknowledged,
    /// It cannot: the error chain's codes, and its text.
    Failed {
        /// The codes of the chain.
        codes: Vec<i64>,
        /// The chain in words.
        text: String,
    },
    /// Not now.
    NotNow,
    /// The answer could not be read; the identity that sent it was right.
    Unreadable,
}

/// A device's answer to a command.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The CommandUUID; `None` where it could not be read.
    pub command: Option<CommandId>,
    /// How.
    pub status: AnswerStatus,
    /// The whole answer as JSON: data as {"data": "base64"}, dates as RFC 3339 text. The code that opens Activation Lock is
    /// taken out of it.
    pub report: Value,
    /// The code that opens Activation Lock, where the answer has one.
    pub bypass_code: Option<SealedCode>,
}

/// The code that opens a device's Activation Lock, sealed outside the transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedCode {
    /// The device whose row it is sealed for.
    pub device: DeviceId,
    /// The code, sealed.
    pub sealed: Vec<u8>,
}

/// What an answer belonged to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Settled {
    /// An order: not offered again in this visit.
    Order,
    /// A command, or nothing that is waited for.
    Command,
}

pub(super) fn settle(
    tx: &mut Transaction<'_>,
    context: &Context,
    enrolment: &Enrolment,
    answer: &Answer,
) -> Result<Settled> {
    if answer.bypass_code.as_ref().is_some_and(|code| code.device != enrolment.device_id) {
        return Err(Error::Unavailable("the enrolment changed while its answer was sealed".to_owned()));
    }
    let Some(id) = &answer.command else {
        return unreadable(tx, context, enrolment).map(|()| Settled::Command);
    };
    match store::commands::find(tx, &enrolment.council_id, &enrolment.id, id)? {
        Some(row) if matches!(row.state, CommandState::Sent | CommandState::Deferred) => {
            settle_command(tx, context, enrolment, &row, answer)?;
        }
        // That it was given out is noted a moment later; the answer is the proof of it.
        Some(row) if is_unnoted_question(&row) => {
            settle_command(tx, context, enrolment, &as_given(row, context.now), answer)?;
        }
        Some(row) => {
            tracing::info!(command = %id, state = %row.state, "an answer to a command that waits for none");
        }
        None if settle_order(tx, context, enrolment, id, &answer.status)? => return Ok(Settled::Order),
        None => tracing::warn!(command = %id, enrolment = %enrolment.id, "an answer to an unknown command"),
    }
    Ok(Settled::Command)
}

fn is_unnoted_question(row: &CommandRow) -> bool {
    row.state == CommandState::Queued && row.kind.is_question()
}

/// A question whose answer came before it was noted that it was given: within a second.
fn as_given(row: CommandRow, now: Moment) -> CommandRow {
    CommandRow { state: CommandState::Sent, sent_at: row.sent_at.or(Some(now)), offers: row.offers.max(1), ..row }
}

/// Whether it was an order's.
fn settle_order(
    tx: &mut Transaction<'_>,
    context: &Context,
    enrolment: &Enrolment,
    id: &CommandId,
    status: &AnswerStatus,
) -> Result<bool> {
    let outcome = match status {
        AnswerStatus::Acknowledged => orders::Outcome::Acknowledged,
        AnswerStatus::NotNow => orders::Outcome::NotNow,
        AnswerStatus::Failed { codes, .. } if codes.contains(&NOT_IN_LOST_MODE) => orders::Outcome::NotNow,
        AnswerStatus::Failed { text, .. } => orders::Outcome::Failed(text.clone()),
        AnswerStatus::Unreadable => return Ok(false),
    };
    orders::settle(tx, context, enrolment, id, &outcome)
}

pub(crate) fn settle_command(
    tx: &mut Transaction<'_>,
    context: &Context,
    enrolment: &Enrolment,
    row: &CommandRow,
    answer: &Answer,
) -> Result<()> {
    match &answer.status {
        AnswerStatus::Acknowledged => acknowledged(tx, context, enrolment, row, answer),
        AnswerStatus::NotNow => put_off(tx, context, enrolment, row, "the device said: not now"),
        AnswerStatus::Failed { codes, text } if codes.contains(&NOT_IN_LOST_MODE) => {
            put_off(tx, context, enrolment, row, text)
        }
        AnswerStatus::Failed { codes, text } => failed(tx, context, enrolment, row, &Word::Phones(codes), text),
        AnswerStatus::Unreadable => give_up_reading(tx, context, enrolment, row),
    }
}

fn put_off(
    tx: &mut Transaction<'_>,
    context: &Context,
    enrolment: &Enrolment,
    row: &CommandRow,
    why: &str,
) -> Result<()> {
    let until = context.now + push_again_after(row.offers);
    store::commands::defer(tx, row, until, why)?;
    // The device comes back by itself only if this is the last thing it says; so we come back to it.
    jobs::wake_at(tx, context, &enrolment.council_id, &enrolment.id, until)
}

fn unreadable(tx: &mut Transaction<'_>, context: &Context, enrolment: &Enrolment) -> Result<()> {
    tracing::warn!(enrolment = %enrolment.id, "a device's answer could not be read");
    // It can only be an answer to what was given last: the question that is next, if that it was given is not noted yet, or what is
    // known to be sent.
    let question = store::commands::next(tx, enrolment, context.now, true, None)?.filter(is_unnoted_question);
    let last = match question {
        Some(row) => Some(as_given(row, context.now)),
        None => store::commands::last_sent(tx, enrolment)?,
    };
    match last {
        Some(row) => give_up_reading(tx, context, enrolment, &row),
        None => Ok(()),
    }
}

fn give_up_reading(tx: &mut Transaction<'_>, context: &Context, enrolment: &Enrolment, row: &CommandRow) -> Result<()> {
    if row.offers < UNREADABLE_OFFERS {
        put_off(tx, context, enrolment, row, "the device's answer could not be read")
    } else {
        failed(tx, context, enrolment, row, &Word::Ours, "the device's answer could not be read")
    }
}
