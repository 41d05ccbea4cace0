//! How a loss stands: whether the phone is locked, as the phone itself says, and what stands in the way.

use serde_json::Value;

use super::breach::{self, Breach};
use crate::error::{Error, Result};
use crate::model::{CaseId, CaseKind, CommandKind, CommandState, Moment, OperatorId, Permission, SettingState};
use crate::operations::{Context, devices, reports};
use crate::store::cases::Case;
use crate::store::commands::CommandRow;
use crate::store::enrolments::Enrolment;
use crate::store::{self, Transaction};

/// How far the lock of a lost phone is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockState {
    /// The item is not managed, or no lock was sent.
    None,
    /// On its way: the phone has not answered.
    Waiting,
    /// The phone says that it is locked.
    Locked,
    /// The phone says that the lock had no effect, or the lock was given up.
    Failed,
}

/// How a loss stands, beside the case itself.
#[derive(Clone, Debug)]
pub struct Standing {
    /// How far the lock is.
    pub lock: LockState,
    /// The same in one or two sentences that claim no more than the phone said.
    pub lock_words: String,
    /// Since when.
    pub lock_at: Option<Moment>,
    /// What whoever acts must know, for instance that the phone cannot be woken.
    pub warnings: Vec<String>,
    /// When the phone was last heard from.
    pub last_seen_at: Option<Moment>,
    /// What is known of a back-up, in words; none where nothing is managed.
    pub backup: Option<String>,
    /// What the phone reported about its PIN, in words: evidence that what is on it is encrypted.
    pub evidence: Vec<String>,
    /// What was decided about personal data.
    pub breach: Option<Breach>,
    /// The name of who entered the case.
    pub reported_by: String,
}

/// How the loss with this id stands.
///
/// # Errors
/// `NotFound` when there is none that the caller sees.
pub fn standing(tx: &mut Transaction<'_>, context: &Context, id: &CaseId) -> Result<Standing> {
    let case = store::cases::find(tx, id)?
        .filter(|case| case.kind == CaseKind::Loss && context.actor.sees(&case.council_id))
        .ok_or(Error::NotFound("case"))?;
    context.actor.require(Permission::Read, &case.council_id)?;
    let enrolment = match &case.device_id {
        Some(device) => store::enrolments::live_of_device(tx, &case.council_id, device)?,
        None => None,
    };
    let (lock, lock_words, lock_at) = lock_of(tx, &case)?;
    let (mut warnings, mut backup, mut evidence) = (Vec::new(), None, Vec::new());
    if let Some(enrolment) = &enrolment {
        warnings = devices::warnings(tx, context, enrolment, true)?;
        backup = Some(reports::backup(tx, enrolment)?);
        evidence = evidence_of(tx, enrolment)?;
    }
    Ok(Standing {
        lock,
        lock_words,
        lock_at,
        warnings,
        last_seen_at: enrolment.map(|enrolment| enrolment.last_seen_at),
        backup,
        evidence,
        breach: breach::of_case(tx, &case)?,
        reported_by: name_behind(tx, &case.reported_by)?,
    })
}

/// The name of the operator behind an actor's label; of others, what they are.
pub(super) fn name_behind(tx: &mut Transaction<'_>, label: &str) -> Result<String> {
    let Some((kind, id)) = label.split_once(':') else { return Ok(label.to_owned()) };
    Ok(match kind {
        "operator" => store::operators::find(tx, &OperatorId::from(id))?.map(|operator| operator.name),
        "token" => Some("a program".to_owned()),
        _ => None,
    }
    .unwrap_or_else(|| label.to_owned()))
}

fn lock_of(tx: &mut Transaction<'_>, case: &Case) -> Result<(LockState, String, Option<Moment>)> {
    let locks = [CommandKind::DeviceLock, CommandKind::EnableLostMode];
    let last = store::cases::commands(tx, &case.council_id, &case.id)?
        .into_iter()
        .filter(|command| locks.contains(&command.kind) && command.state != CommandState::Superseded)
        .max_by(|one, other| one.id.cmp(&other.id));
    Ok(match last {
        None => {
            let words = "No lock was sent: this item is not managed by Beadle, so it cannot be locked from here.";
            (LockState::None, words.to_owned(), None)
        }
        Some(command) => words_of(&command),
    })
}

fn words_of(command: &CommandRow) -> (LockState, String, Option<Moment>) {
    let lost_mode = command.kind == CommandKind::EnableLostMode;
    let (state, words) = match (command.state, &command.problem) {
        (CommandState::Acknowledged, Some(problem)) => {
            (LockState::Failed, format!("The phone answered, but the lock had no effect: {problem}."))
        }
        (CommandState::Acknowledged, None) if lost_mode => (
            LockState::Locked,
            "Locked in Lost Mode. The phone confirmed it. Nobody can use it until Lost Mode ends.".to_owned(),
        ),
        (CommandState::Acknowledged, None) => {
            (LockState::Locked, "Screen locked. The phone confirmed it. It opens only with its PIN.".to_owned())
        }
        (CommandState::Queued, _) => {
            (LockState::Waiting, "Lock ordered. The phone is being woken and has not fetched it yet.".to_owned())
        }
        (CommandState::Sent, _) => {
            (LockState::Waiting, "Lock sent to the phone, which has not answered yet.".to_owned())
        }
        (CommandState::Deferred, _) => (
            LockState::Waiting,
            "The phone answered that it cannot lock just now. It is asked again by itself.".to_owned(),
        ),
        (CommandState::Failed, problem) => {
            let who = if command.answer.is_some() { "The phone reported an error" } else { "The server gave up" };
            (LockState::Failed, format!("Not locked. {who}: {}.", problem.as_deref().unwrap_or("unknown")))
        }
        (CommandState::Expired, _) => (LockState::Failed, "Not locked: the phone did not answer in time.".to_owned()),
        (CommandState::Cancelled | CommandState::Superseded, _) => {
            (LockState::None, "The lock was taken back before the phone answered.".to_owned())
        }
    };
    (state, words, command.ended_at.or(command.sent_at).or(Some(command.created_at)))
}

pub(super) fn evidence_of(tx: &mut Transaction<'_>, enrolment: &Enrolment) -> Result<Vec<String>> {
    let mut words = Vec::new();
    let kinds = [CommandKind::SecurityInfo];
    let reports = store::reports::of_kinds(tx, &enrolment.council_id, &enrolment.id, &kinds)?;
    let security: Option<Value> = reports.first().and_then(|report| serde_json::from_str(&report.answer).ok());
    let told = |name: &str| {
        let security = security.as_ref()?;
        security.pointer(&format!("/SecurityInfo/{name}")).or(security.get(name))?.as_bool()
    };
    match told("PasscodePresent") {
        Some(true) => words.push("A PIN is set, so what is on the phone is encrypted.".to_owned()),
        Some(false) => words.push("No PIN is set: what is on the phone can be read by whoever has it.".to_owned()),
        None => words.push("Whether a PIN is set is not known: the phone has not reported it.".to_owned()),
    }
    for row in store::setting_states::of_enrolment(tx, &enrolment.council_id, &enrolment.id)? {
        if row.setting.starts_with("passcode.") && row.state == SettingState::NotInForce {
            words.push(format!("A setting of the PIN is not in force: {}.", row.reason));
        }
    }
    Ok(words)
}

/// When the phone last reported about its PIN.
pub(super) fn security_reported_at(tx: &mut Transaction<'_>, enrolment: &Enrolment) -> Result<Option<Moment>> {
    let kinds = [CommandKind::SecurityInfo];
    let reports = store::reports::of_kinds(tx, &enrolment.council_id, &enrolment.id, &kinds)?;
    Ok(reports.first().map(|report| report.received_at))
}
