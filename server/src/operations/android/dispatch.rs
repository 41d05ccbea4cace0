//! What is to be done at Google for one phone next. Each call of devices.issueCommand is a row before it is made; one that was
//! made without an answer is looked for before it is made again.

use chrono::Duration;

use super::super::{Context, audit, commands, orders, quarantine};
use super::observe::wanted_posture;
use super::policies;
use crate::error::Result;
use crate::model::{
    CommandKind, CommandState, CouncilId, EnrolmentId, GoogleOperationState, Moment, Ownership, Posture, Release,
};
use crate::store::android_enrolments::AndroidEnrolment;
use crate::store::commands::CommandRow;
use crate::store::enrolments::Enrolment;
use crate::store::google_operations::GoogleOperation;
use crate::store::{self, Transaction};

/// How often Google is asked how an operation stands, should its notification be lost.
const CHECK_EVERY: Duration = Duration::minutes(15);

/// The phone, and what it is called at Google.
#[derive(Clone, Debug)]
pub struct Phone {
    /// Its enrolment.
    pub enrolment: Enrolment,
    /// What it is at Google.
    pub android: AndroidEnrolment,
}

/// The next thing to do.
#[derive(Debug)]
pub enum Step {
    /// Nothing, until this time if one is given.
    Rest(Option<Moment>),
    /// Look whether Google had this call, whose answer never came.
    Look(Phone, GoogleOperation),
    /// Call for a command.
    Call(Phone, GoogleOperation, CommandRow),
    /// Call for an order, with its proof.
    Order(Phone, GoogleOperation, Release),
    /// Ask how an operation stands.
    Check(Phone, GoogleOperation),
    /// Take an operation back.
    Cancel(Phone, GoogleOperation),
    /// Give the phone another of the council's policies, by this name.
    Move(Phone, Posture, String),
}

/// The phone of a live enrolment.
pub fn phone(tx: &mut Transaction<'_>, council: &CouncilId, enrolment: &EnrolmentId) -> Result<Option<Phone>> {
    Ok(known(tx, council, enrolment)?.filter(|phone| phone.enrolment.ended_at.is_none()))
}

fn known(tx: &mut Transaction<'_>, council: &CouncilId, enrolment: &EnrolmentId) -> Result<Option<Phone>> {
    let Some(row) = store::enrolments::find(tx, council, enrolment)? else { return Ok(None) };
    let android = store::android_enrolments::find(tx, council, enrolment)?;
    Ok(android.map(|android| Phone { enrolment: row, android }))
}

/// Decides what is next for a phone, and writes down what is about to be called. `hint` is when Google was
/// known to have told of a change: every operation that was not asked about since is asked about.
pub fn next(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: &CouncilId,
    enrolment: &EnrolmentId,
    hint: Option<Moment>,
) -> Result<Step> {
    audit::lock(tx, council)?;
    let Some(phone) = known(tx, council, enrolment)? else { return Ok(Step::Rest(None)) };
    let open = store::google_operations::open_of_enrolment(tx, council, enrolment)?;
    let mut due: Option<Moment> = None;
    for operation in &open {
        if operation.state == GoogleOperationState::Calling {
            return Ok(Step::Look(phone, operation.clone()));
        }
        if operation.cancel_sent_at.is_none() && is_unwanted(tx, context, operation)? {
            return Ok(Step::Cancel(phone, operation.clone()));
        }
        let at = operation.checked_at.unwrap_or(operation.called_at) + CHECK_EVERY;
        let told = hint.is_some_and(|told| operation.checked_at.is_none_or(|checked| checked < told));
        if at <= context.now || told {
            return Ok(Step::Check(phone, operation.clone()));
        }
        due = Some(due.map_or(at, |earlier| earlier.min(at)));
    }
    if phone.enrolment.ended_at.is_some() {
        // Nothing new; but what Google still has of an earlier enrolment is followed to its end, or called back.
        return Ok(Step::Rest(due));
    }
    if let Some(step) = order(tx, context, &phone, &open)? {
        return Ok(step);
    }
    if let Some(step) = command(tx, context, &phone, &open)? {
        return Ok(step);
    }
    if let Some(step) = posture(tx, context, &phone)? {
        return Ok(step);
    }
    let waiting = store::wake::waiting(tx, &phone.enrolment, context.now)?;
    let later = waiting.iter().map(|waiting| waiting.from).filter(|from| *from > context.now).min();
    Ok(Step::Rest([due, later].into_iter().flatten().min()))
}

/// Whether what was asked for is no longer wanted: its command ended, its order is to be taken back, or orders were frozen.
fn is_unwanted(tx: &mut Transaction<'_>, context: &Context, operation: &GoogleOperation) -> Result<bool> {
    if operation.cancel_wanted_at.is_some() {
        return Ok(true);
    }
    if let Some(order) = &operation.order_id {
        return orders::stop_if_frozen(tx, context, order);
    }
    let Some(id) = &operation.command_id else { return Ok(false) };
    let command = store::commands::find(tx, &operation.council_id, &operation.enrolment_id, id)?;
    Ok(command.is_none_or(|command| command.ended_at.is_some()))
}

/// The order that may leave: verified in this transaction, in which its call is written down.
fn order(tx: &mut Transaction<'_>, context: &Context, phone: &Phone, open: &[GoogleOperation]) -> Result<Option<Step>> {
    // One wipe under way is enough, whatever the order's row says.
    if open.iter().any(|operation| operation.order_id.is_some()) || quarantine::is_on(tx)? {
        return Ok(None);
    }
    let Some((order, release)) = orders::claim_for_google(tx, context, &phone.enrolment)? else { return Ok(None) };
    let operation = GoogleOperation {
        order_id: Some(order),
        ..GoogleOperation::calling(&phone.enrolment, orders::WIPE, context.now)
    };
    store::google_operations::insert(tx, &operation)?;
    Ok(Some(Step::Order(phone.clone(), operation, release)))
}

/// Google's word for a command, in the row of its call.
fn word(kind: CommandKind) -> &'static str {
    match kind {
        CommandKind::DeviceLock => "LOCK",
        CommandKind::EnableLostMode => "START_LOST_MODE",
        CommandKind::DisableLostMode => "STOP_LOST_MODE",
        CommandKind::ClearPasscode => "RESET_PASSWORD",
        _ => "UNKNOWN",
    }
}

fn command(
    tx: &mut Transaction<'_>,
    context: &Context,
    phone: &Phone,
    open: &[GoogleOperation],
) -> Result<Option<Step>> {
    for waiting in store::commands::open_of_enrolment(tx, &phone.enrolment.council_id, &phone.enrolment.id)? {
        if waiting.available_at > context.now
            || waiting.expires_at <= context.now
            || open.iter().any(|operation| operation.command_id.as_ref() == Some(&waiting.id))
        {
            continue;
        }
        if let Some(problem) = commands::no_longer_right(tx, &phone.enrolment, &waiting)? {
            store::commands::finish(tx, &waiting, CommandState::Cancelled, context.now, None, Some(problem))?;
            continue;
        }
        let Some(row) = store::commands::mark_sent(tx, &waiting, context.now)? else { continue };
        let operation = GoogleOperation {
            command_id: Some(row.id.clone()),
            ..GoogleOperation::calling(&phone.enrolment, word(row.kind), context.now)
        };
        store::google_operations::insert(tx, &operation)?;
        return Ok(Some(Step::Call(phone.clone(), operation, row)));
    }
    Ok(None)
}

/// Whether the policies of its mode are meant for this phone. They are made for a mode, not for a phone: those of the council's
/// modes erase the whole phone after failed PINs, which a holder's own phone is never given, however it was set up (W3). One that
/// is managed in another way than its holder was invited to keeps the policy of its code until a person has resolved it.
fn may_move(enrolment: &Enrolment) -> bool {
    let foreign = enrolment.ownership == Ownership::Personal && !enrolment.mode.is_personal();
    !foreign && !enrolment.mode_disagrees
}

/// A phone reported lost gets the policy of lost phones, and its everyday policy back when it is found.
fn posture(tx: &mut Transaction<'_>, context: &Context, phone: &Phone) -> Result<Option<Step>> {
    if !may_move(&phone.enrolment) {
        return Ok(None);
    }
    let (council, id, mode) = (&phone.enrolment.council_id, &phone.enrolment.id, phone.enrolment.mode);
    let wanted = wanted_posture(tx, &phone.enrolment)?;
    if wanted != phone.android.posture {
        store::android_enrolments::want_posture(tx, council, id, wanted)?;
    }
    if wanted == phone.android.posture_sent {
        return Ok(None);
    }
    let Some(enterprise) = store::google_enterprises::current(tx, council)? else { return Ok(None) };
    let there = store::android_policies::find(tx, council, mode, wanted)?.is_some_and(|row| row.sent_version.is_some());
    if !there {
        policies::put(tx, context, council)?;
        return Ok(None);
    }
    Ok(Some(Step::Move(phone.clone(), wanted, policies::name(&enterprise.name, mode, wanted))))
}
