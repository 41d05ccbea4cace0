//! What the phone reports: kept, judged setting by setting, and compared with what was there before.

mod android;
mod android_view;
mod answer;
mod judge;
mod notice;
mod sim;
#[cfg(test)]
mod tests;

use chrono::Duration;
use serde_json::Value;

use super::commands::{self, NewCommand};
use super::{Context, policies};
use crate::error::Result;
use crate::model::{CommandKind, Moment, Ownership, Platform};
use crate::store::enrolments::Enrolment;
use crate::store::reports::Report;
use crate::store::{self, Transaction};

pub(super) use android::{judge_android, says_no_passcode as android_says_no_passcode};
pub use android_view::{AndroidReport, android_report};
pub use judge::{AppInventory, DeviceSetting, DeviceSettings, apps_of_device, settings, settings_of_device};

/// How long a question to a phone is worth asking; after that the next round asks anew.
const QUESTION: Duration = Duration::days(7);
/// How long a profile waits for its phone.
const PROFILE: Duration = Duration::days(90);
/// A profile that vanished is put back at most this often.
const PUT_BACK: Duration = Duration::days(1);

/// What the device's last report says about a back-up, in words that claim no more than it does, and what the register says.
pub fn backup(tx: &mut Transaction<'_>, enrolment: &Enrolment) -> Result<String> {
    let kinds = [CommandKind::DeviceInformation];
    let reports = store::reports::of_kinds(tx, &enrolment.council_id, &enrolment.id, &kinds)?;
    let told = reports.first().and_then(|report| {
        let answer: Value = serde_json::from_str(&report.answer).ok()?;
        answer.pointer("/QueryResponses/IsCloudBackupEnabled").or(answer.get("IsCloudBackupEnabled"))?.as_bool()
    });
    let told = match told {
        Some(true) => "The phone reports that iCloud back-up is turned on. It does not say when it last ran.",
        Some(false) => "The phone reports that iCloud back-up is turned off: what is only on the phone will be gone.",
        None => "Not known: the phone has not reported whether it is backed up.",
    };
    let device = store::devices::find(tx, &enrolment.device_id)?;
    let asset = device.map(|device| store::assets::find_of_council(tx, &enrolment.council_id, &device.asset_id));
    let note = asset.transpose()?.flatten().map(|asset| asset.backup_note).filter(|note| !note.is_empty());
    Ok(match note {
        Some(note) => format!("{told} The register says: {note}"),
        None => told.to_owned(),
    })
}

/// Asks for a report of everything, and sends the policy's profile; after enrolment and after every policy change.
///
/// What waits already is not queued again; the profile is not sent to a phone that reports it.
pub fn refresh(tx: &mut Transaction<'_>, context: &Context, enrolment: &Enrolment) -> Result<()> {
    if enrolment.ended_at.is_some() {
        return Ok(());
    }
    if enrolment.platform == Platform::Android {
        return android::judge_again(tx, context, enrolment);
    }
    let open = store::reports::open_commands(tx, enrolment)?;
    if let Some(version) = store::policies::current_number(tx, &enrolment.council_id)?
        && enrolment.profile_version != Some(version)
    {
        send_profile(tx, context, enrolment, version, &open)?;
    }
    ask_all(tx, context, enrolment, &open)
}

/// Asks for a report of everything that may be asked of this phone.
pub fn ask_for_reports(tx: &mut Transaction<'_>, context: &Context, enrolment: &Enrolment) -> Result<()> {
    if enrolment.platform == Platform::Android {
        // It reports by itself.
        return Ok(());
    }
    let open = store::reports::open_commands(tx, enrolment)?;
    ask_all(tx, context, enrolment, &open)
}

fn ask_all(
    tx: &mut Transaction<'_>,
    context: &Context,
    enrolment: &Enrolment,
    open: &[(CommandKind, String)],
) -> Result<()> {
    for kind in [CommandKind::DeviceInformation, CommandKind::SecurityInfo, CommandKind::ProfileList] {
        ask(tx, context, enrolment, kind, open)?;
    }
    // What a holder has on his own phone is not the council's business.
    if enrolment.ownership == Ownership::Council {
        ask(tx, context, enrolment, CommandKind::InstalledApplicationList, open)?;
    }
    Ok(())
}

fn ask(
    tx: &mut Transaction<'_>,
    context: &Context,
    enrolment: &Enrolment,
    kind: CommandKind,
    open: &[(CommandKind, String)],
) -> Result<()> {
    if open.iter().any(|(waiting, _)| *waiting == kind) {
        return Ok(());
    }
    let command = NewCommand {
        kind,
        payload: Value::Object(serde_json::Map::new()),
        priority: 50,
        case: None,
        expires_in: QUESTION,
        supersede_key: Some(kind.as_str()),
    };
    commands::queue(tx, context, enrolment, &command).map(drop)
}

/// Queues InstallProfile; its payload names the version, the profile itself is made when it is written.
fn send_profile(
    tx: &mut Transaction<'_>,
    context: &Context,
    enrolment: &Enrolment,
    version: i64,
    open: &[(CommandKind, String)],
) -> Result<()> {
    let payload = serde_json::json!({ "policy_version": version });
    let waits = open.iter().any(|(kind, waiting)| {
        *kind == CommandKind::InstallProfile && serde_json::from_str::<Value>(waiting).is_ok_and(|it| it == payload)
    });
    if waits {
        return Ok(());
    }
    let command = NewCommand {
        kind: CommandKind::InstallProfile,
        payload,
        priority: 30,
        case: None,
        expires_in: PROFILE,
        supersede_key: Some("profile"),
    };
    commands::queue(tx, context, enrolment, &command).map(drop)
}

/// Sends the profile again to a phone that no longer has it, unless one is under way or was sent within a day.
fn put_profile_back(tx: &mut Transaction<'_>, context: &Context, enrolment: &Enrolment, version: i64) -> Result<()> {
    let last: Option<Moment> = store::reports::profile_last_queued(tx, enrolment)?;
    if last.is_some_and(|last| context.now - last < PUT_BACK) {
        return Ok(());
    }
    let open = store::reports::open_commands(tx, enrolment)?;
    send_profile(tx, context, enrolment, version, &open)
}

/// Takes in a device's acknowledged answer to an inventory command or InstallProfile. `answer` is the property list as JSON:
/// data as {"data": "base64"}, dates as RFC 3339 text.
pub fn take_in(
    tx: &mut Transaction<'_>,
    context: &Context,
    enrolment: &Enrolment,
    kind: CommandKind,
    answer: &Value,
) -> Result<()> {
    match kind {
        CommandKind::InstallProfile => {
            // That it was taken is not yet a report: only the phone's own list says what is on it.
            let open = store::reports::open_commands(tx, enrolment)?;
            ask(tx, context, enrolment, CommandKind::ProfileList, &open)?;
            return ask(tx, context, enrolment, CommandKind::SecurityInfo, &open);
        }
        CommandKind::InstalledApplicationList if enrolment.ownership != Ownership::Council => return Ok(()),
        CommandKind::DeviceInformation
        | CommandKind::SecurityInfo
        | CommandKind::ProfileList
        | CommandKind::InstalledApplicationList => {}
        _ => return Ok(()),
    }
    let report = Report {
        council_id: enrolment.council_id.clone(),
        enrolment_id: enrolment.id.clone(),
        kind: kind.as_str().to_owned(),
        answer: answer.to_string(),
        received_at: context.now,
    };
    if !store::reports::JUDGED.contains(&kind) {
        return store::reports::put(tx, &report);
    }
    let (before, mut reports): (Vec<Report>, Vec<Report>) =
        store::reports::judged(tx, &enrolment.council_id, &enrolment.id)?
            .into_iter()
            .partition(|earlier| earlier.kind == report.kind);
    store::reports::put(tx, &report)?;
    reports.push(report);
    match kind {
        CommandKind::DeviceInformation => notice::device_information(tx, context, enrolment, answer, before.first())?,
        CommandKind::ProfileList => notice::profile_list(tx, context, enrolment, answer, before.first())?,
        _ => {}
    }
    judge::judge(tx, context, enrolment, &reports)
}

/// What the policy in force would have this enrolment report: its number, and nothing where there is no policy.
fn policy_in_force(tx: &mut Transaction<'_>, enrolment: &Enrolment) -> Result<Option<policies::Version>> {
    let version = policies::in_force(tx, &enrolment.council_id)?;
    Ok((version.version > 0).then_some(version))
}
