//! The timeline of a case: what happened, and whether the phone itself said so.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::error::Result;
use crate::model::{CommandKind, CommandState, CouncilId, Mode, Moment, Platform, Scope};
use crate::operations::orders;
use crate::store::cases::Case;
use crate::store::commands::CommandRow;
use crate::store::devices::Device;
use crate::store::orders::Order;
use crate::store::{self, Transaction};

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
pub struct TimelineEntry {
    /// When.
    pub at: Moment,
    /// What, in words that say whether the phone itself reported it.
    pub what: String,
    /// Whether the phone reported it; otherwise it is what people or the server did.
    pub reported_by_phone: bool,
}

/// What happened in a case and to its orders, oldest first.
pub(crate) fn of_case(tx: &mut Transaction<'_>, case: &Case, orders: &[Order]) -> Result<Vec<TimelineEntry>> {
    let mut timeline = Vec::new();
    timeline.extend(audited(tx, &case.council_id, case.id.as_str(), None)?);
    for order in orders {
        timeline.extend(audited(tx, &case.council_id, order.id.as_str(), Some(order))?);
    }
    for command in store::cases::commands(tx, &case.council_id, &case.id)? {
        let mode = store::enrolments::find(tx, &command.council_id, &command.enrolment_id)?.map(|row| row.mode);
        timeline.extend(of_command(&command, mode));
    }
    timeline.sort();
    Ok(timeline)
}

/// How many rows of each kind the timeline of a device looks at.
const LOOKED_AT: i64 = 100;
/// How many enrolments of a device, and cases about it, its timeline tells of.
const TOLD_OF: i64 = 5;

/// What happened to a device, newest first, at most `most` things: its enrolments, what people asked of it, its losses and
/// orders. What the phone is asked every day is left out. The caller has the right to read.
pub(in crate::operations) fn of_device(
    tx: &mut Transaction<'_>,
    device: &Device,
    most: usize,
) -> Result<Vec<TimelineEntry>> {
    let council = &device.council_id;
    let mut timeline = last_audited(tx, council, device.id.as_str())?;
    for enrolment in store::enrolments::last_of_device(tx, council, &device.id, TOLD_OF)? {
        timeline.extend(last_audited(tx, council, enrolment.id.as_str())?);
        for command in store::commands::page_of_enrolment(tx, council, &enrolment.id, None, LOOKED_AT)? {
            if !is_routine(command.kind) || command.case_id.is_some() {
                timeline.extend(of_command(&command, Some(enrolment.mode)));
            }
        }
    }
    for case in store::cases::last_of_device(tx, council, &device.id, TOLD_OF)? {
        timeline.extend(last_audited(tx, council, case.id.as_str())?);
    }
    for order in store::orders::of_device(tx, council, &device.id)? {
        timeline.extend(audited(tx, council, order.id.as_str(), Some(&order))?);
    }
    timeline.sort();
    timeline.reverse();
    timeline.truncate(most);
    Ok(timeline)
}

/// What a phone is asked by the clock, and by nobody.
fn is_routine(kind: CommandKind) -> bool {
    match kind {
        CommandKind::DeviceInformation
        | CommandKind::SecurityInfo
        | CommandKind::ProfileList
        | CommandKind::InstalledApplicationList
        | CommandKind::DeviceConfigured
        | CommandKind::ActivationLockBypassCode => true,
        CommandKind::InstallProfile
        | CommandKind::RenewIdentity
        | CommandKind::DeviceLock
        | CommandKind::ClearPasscode
        | CommandKind::EnableLostMode
        | CommandKind::DisableLostMode => false,
    }
}

fn last_audited(tx: &mut Transaction<'_>, council: &CouncilId, subject: &str) -> Result<Vec<TimelineEntry>> {
    let rows = store::audit::last_of_subject(tx, council.as_str(), subject, LOOKED_AT)?;
    let entry = |row: store::audit::AuditRow| {
        let (what, reported_by_phone) = words_of(&row.kind)?;
        Some(TimelineEntry { at: row.at, what: what.to_owned(), reported_by_phone })
    };
    Ok(rows.into_iter().filter_map(entry).collect())
}

fn audited(
    tx: &mut Transaction<'_>,
    council: &CouncilId,
    subject: &str,
    order: Option<&Order>,
) -> Result<Vec<TimelineEntry>> {
    Ok(store::audit::of_subject(tx, council.as_str(), subject, 500)?
        .into_iter()
        .filter_map(|(row, details)| {
            let details = details.map(|details| details.details);
            let special = order.and_then(|order| words_of_order(&row.kind, order, details.as_deref()));
            let (what, reported_by_phone) = special.or_else(|| words_of(&row.kind))?;
            Some(TimelineEntry { at: row.at, what: what.to_owned(), reported_by_phone })
        })
        .collect())
}

/// The words for an audit row's kind, and whether the phone itself reported it.
pub(crate) fn words_of(kind: &str) -> Option<(&'static str, bool)> {
    Some(match kind {
        "loss.reported" => ("loss reported", false),
        "loss.reported_again" => ("loss reported again", false),
        "loss.found" => ("marked as found", false),
        "loss.back_in_use" => ("back in use: the phone answered", true),
        "device authenticated" => ("the phone began to enrol", true),
        "device enrolled" => ("the phone enrolled and is under management", true),
        "device left management" => ("management of the phone ended", false),
        "device mode disagrees" => ("the phone reports another kind of management than it was invited to", true),
        "device confirmed" => ("confirmed by a person that this phone is the item on the register", false),
        "device retired" => ("another phone took its place", false),
        "device reinstated" => ("this phone is the item on the register again", false),
        "PIN cleared" => ("clearing of the PIN asked for, with a note of how the caller was recognised", false),
        "bypass code shown" => ("the code that opens its Activation Lock was shown", false),
        "hold.added" => ("legal hold added: it must not be erased", false),
        "hold.ended" => ("legal hold ended", false),
        "leaver.opened" => ("leaver case opened", false),
        "case.breach_decided" => ("decision about personal data written down", false),
        "case.noted" => ("notes changed", false),
        "case.closed" => ("case closed", false),
        "order.requested" => ("order to erase asked for", false),
        "order.approved" => ("order approved by a second person", false),
        "order.refused" => ("order refused", false),
        "order.lapsed" => ("order lapsed: nobody approved it within 72 hours", false),
        "order.cancelled" => ("order cancelled", false),
        "order.pushed" => ("wake-up for the order sent", false),
        "order.fetched" => ("order sent to the phone; not confirmed yet", false),
        "order.deferred" => ("the phone said: not now; the order is offered again", true),
        "order.confirmed" => ("the phone confirmed that it erases itself", true),
        "order.failed" => ("the phone reported that it could not be erased", true),
        "order.held" => ("order held", false),
        "order.resumed" => ("order let go on", false),
        "order.presumed_erased" => {
            ("no contact for 24 hours after the order was sent: presumed erased, not confirmed", false)
        }
        "order.unreachable" => ("no contact for a week; the order still stands", false),
        "order.reopened" => ("the phone was heard from again: it is not erased, the order is open again", true),
        "order.left_management" => ("the phone left management", true),
        _ => return None,
    })
}

/// Where an order's row means something else for the phone that it is for, or by its details.
fn words_of_order(kind: &str, order: &Order, details: Option<&str>) -> Option<(&'static str, bool)> {
    let android = order.mode.platform() == Platform::Android;
    Some(match kind {
        "order.pushed" if android => {
            ("order given to Google, which passes it on; the phone has not confirmed it", false)
        }
        "order.unreachable" if android => ("the phone has not come for the order at Google; it still stands", false),
        "order.confirmed" if order.scope == Scope::EraseWorkProfile => {
            ("the phone confirmed that it removed the council's work profile, and nothing else", true)
        }
        "order.failed" => match details.and_then(|details| serde_json::from_str::<Value>(details).ok()) {
            Some(row) if row.get("details").and_then(|it| it.get(orders::NEVER_SENT)).is_none() => return None,
            Some(_) => ("the order failed: it could not be given to the phone, which knows nothing of it", false),
            // What was purged does not say whose word it was.
            None => ("the order failed: it was not carried out", false),
        },
        _ => return None,
    })
}

pub(crate) fn of_command(command: &CommandRow, mode: Option<Mode>) -> Vec<TimelineEntry> {
    let android = mode.is_some_and(|mode| mode.platform() == Platform::Android);
    // With a separate work lock, Google locks the work profile alone, whoever owns the phone (Command.type, LOCK).
    let has_work_profile = matches!(mode, Some(Mode::PersonalWorkProfile | Mode::CompanyWorkProfile));
    let (name, done) = match command.kind {
        CommandKind::DeviceLock if has_work_profile => (
            "screen lock",
            "locked, or only its work profile where that has a lock of its own; opens with its PIN (confirmed by the phone)",
        ),
        CommandKind::DeviceLock => ("screen lock", "screen locked; opens with its PIN (confirmed by the phone)"),
        CommandKind::EnableLostMode => ("Lost Mode", "Lost Mode is on (confirmed by the phone)"),
        CommandKind::DisableLostMode => ("end of Lost Mode", "Lost Mode is off (confirmed by the phone)"),
        CommandKind::ClearPasscode => ("clearing of the PIN", "the PIN is cleared (confirmed by the phone)"),
        CommandKind::InstallProfile => ("settings of the policy", "settings taken on (confirmed by the phone)"),
        CommandKind::RenewIdentity => {
            ("new certificate", "profile for the new certificate taken on (confirmed by the phone)")
        }
        CommandKind::DeviceInformation => ("question whether it is there", "the phone answered"),
        other => (other.as_str(), "answered by the phone"),
    };
    let mut entries = vec![TimelineEntry {
        at: command.created_at,
        what: format!("{name}: waits for the phone"),
        reported_by_phone: false,
    }];
    if let Some(at) = command.sent_at {
        let way = if android { "sent by way of Google" } else { "sent to the phone" };
        entries.push(TimelineEntry { at, what: format!("{name}: {way}"), reported_by_phone: false });
    }
    if let Some(at) = command.ended_at {
        let (what, reported_by_phone) = match (command.state, &command.problem) {
            (CommandState::Acknowledged, Some(problem)) => (format!("{name}: {problem}"), true),
            (CommandState::Acknowledged, None) => (done.to_owned(), true),
            // The phone's word is kept with the command; where there is none, the failure was ours.
            (CommandState::Failed, problem) => {
                let problem = problem.as_deref().unwrap_or("unknown");
                match &command.answer {
                    Some(_) => (format!("{name}: the phone reported an error: {problem}"), true),
                    None => (format!("{name}: given up by the server: {problem}"), false),
                }
            }
            (CommandState::Expired, _) => (format!("{name}: the phone did not answer in time"), false),
            (CommandState::Cancelled, _) => (format!("{name}: taken back"), false),
            (CommandState::Superseded, _) => (format!("{name}: replaced by a newer one"), false),
            _ => return entries,
        };
        entries.push(TimelineEntry { at, what, reported_by_phone });
    }
    entries
}

#[cfg(test)]
mod tests {
    use chrono::Duration;

    use super::*;
    use crate::clock::Clock;
    use crate::model::{CommandId, CouncilId, EnrolmentId};

    #[test]
    fn a_failure_is_the_phones_only_when_the_phone_said_so() {
        let now = Clock::default().now();
        let failed = |answer: Option<&str>| CommandRow {
            council_id: CouncilId::new(),
            id: CommandId::new(),
            enrolment_id: EnrolmentId::new(),
            case_id: None,
            kind: CommandKind::EnableLostMode,
            payload: "{}".to_owned(),
            priority: 0,
            state: CommandState::Failed,
            supersede_key: None,
            created_by: "system".to_owned(),
            created_at: now,
            available_at: now,
            expires_at: now + Duration::days(1),
            sent_at: None,
            offers: 1,
            ended_at: Some(now),
            answer: answer.map(str::to_owned),
            problem: Some("no text".to_owned()),
        };
        let last = |row| of_command(&row, Some(Mode::Supervised)).pop().expect("an end");
        let ours = last(failed(None));
        assert_eq!((ours.what.as_str(), ours.reported_by_phone), ("Lost Mode: given up by the server: no text", false));
        let theirs = last(failed(Some("{}")));
        assert!(theirs.reported_by_phone && theirs.what.contains("the phone reported an error: no text"), "{theirs:?}");
    }
}
