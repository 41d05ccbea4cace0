//! Per setting: whether the phone reports it in force, since when; written only where something changed.

use std::collections::BTreeMap;

use beadle_profiles::apple::report;
use serde::Serialize;
use serde_json::Value;

use super::android_view::{AndroidReport, android_report};
use super::{answer, policy_in_force};
use crate::error::{Error, Result};
use crate::keys::sha256_hex;
use crate::model::{CommandKind, Confirmation, DeviceId, EnrolmentId, Mode, Moment, Permission, SettingState};
use crate::operations::android::observe;
use crate::operations::{Context, policies};
use crate::store::enrolments::Enrolment;
use crate::store::reports::{JUDGED, Report};
use crate::store::setting_states::SettingStateRow;
use crate::store::{self, Transaction};

/// Judges every setting by what was reported last, which is `reports`. `since` moves only where the state does.
pub(super) fn judge(
    tx: &mut Transaction<'_>,
    context: &Context,
    enrolment: &Enrolment,
    reports: &[Report],
) -> Result<()> {
    let Some(version) = policy_in_force(tx, enrolment)? else { return Ok(()) };
    let nothing = BTreeMap::new();
    let profile_context = policies::context_of(enrolment, version.version, &nothing)?;
    let judged = report::in_force(&version.policy, &profile_context, &answer::reported(reports)?);
    let judgement = summed_up(&judged);
    if enrolment.judgement.as_deref() == Some(judgement.as_str()) {
        return Ok(());
    }
    keep(tx, context, enrolment, judged)?;
    store::enrolments::set_judgement(tx, enrolment, &judgement)
}

/// One short text that differs wherever any judgement or reason does.
fn summed_up(judged: &[report::Setting]) -> String {
    let mut text = String::new();
    for setting in judged {
        for part in [setting.setting, setting.state.as_str(), &setting.reason] {
            text.push_str(part);
            // Stands in none of them.
            text.push('\0');
        }
    }
    sha256_hex(text.as_bytes())
}

/// Writes down how settings are judged; only what changed.
pub(super) fn keep(
    tx: &mut Transaction<'_>,
    context: &Context,
    enrolment: &Enrolment,
    judged: Vec<report::Setting>,
) -> Result<()> {
    let (council, id) = (&enrolment.council_id, &enrolment.id);
    let mut known: BTreeMap<String, (SettingState, String)> = store::setting_states::judgements(tx, council, id)?
        .into_iter()
        .map(|(setting, state, reason)| (setting, (state, reason)))
        .collect();
    for setting in judged {
        let state: SettingState = setting.state.as_str().parse().map_err(Error::internal)?;
        match known.remove(setting.setting) {
            None => store::setting_states::insert(
                tx,
                &SettingStateRow {
                    council_id: council.clone(),
                    enrolment_id: id.clone(),
                    setting: setting.setting.to_owned(),
                    state,
                    reason: setting.reason,
                    since: context.now,
                    checked_at: context.now,
                },
            )?,
            Some((was, reason)) if was == state && reason == setting.reason => {}
            Some((was, _)) => {
                let since = (was != state).then_some(context.now);
                store::setting_states::update(tx, (council, id, setting.setting), state, &setting.reason, since)?;
            }
        }
    }
    for setting in known.into_keys() {
        store::setting_states::remove(tx, (council, id, &setting))?;
    }
    Ok(())
}

/// One setting on one phone, as the phone reports it.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct DeviceSetting {
    /// The setting's path; `profile` for the policy's profile as a whole.
    pub setting: String,
    /// Whether the phone reports it in force.
    pub state: SettingState,
    /// Why, in words.
    pub reason: String,
    /// Since when it is so.
    pub since: Moment,
    /// When the phone last said what it is judged by.
    pub checked_at: Moment,
}

/// When a phone last answered one kind of question.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Answered {
    /// The kind of question.
    pub kind: String,
    /// When.
    pub at: Moment,
}

/// What a phone reports about the policy.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct DeviceSettings {
    /// The enrolment that reports.
    pub enrolment: EnrolmentId,
    /// Its mode.
    pub mode: Mode,
    /// The phone reports another mode than it was invited in.
    pub mode_disagrees: bool,
    /// Whether the clerk has to confirm that this phone is the asset's.
    pub confirmation: Confirmation,
    /// The version of the policy in force; 0 where there is none.
    pub policy_version: i64,
    /// The version that the phone reports, if it is a known one.
    pub reported_version: Option<i64>,
    /// Each setting that this kind of phone can keep or report.
    pub settings: Vec<DeviceSetting>,
    /// What an Android phone reports beside the single settings.
    pub summary: Option<AndroidReport>,
    /// When the phone last answered.
    pub answered: Vec<Answered>,
}

/// The apps of a council device.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct AppInventory {
    /// When the phone said so; absent where it has not yet.
    pub reported_at: Option<Moment>,
    /// The apps, as the phone lists them.
    pub apps: Vec<App>,
}

/// An app on a council device.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct App {
    /// Its bundle identifier.
    pub identifier: String,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

fn reporting_enrolment(tx: &mut Transaction<'_>, context: &Context, device: &DeviceId) -> Result<Enrolment> {
    let row = store::devices::find(tx, device)?
        .filter(|row| context.actor.sees(&row.council_id))
        .ok_or(Error::NotFound("device"))?;
    context.actor.require(Permission::Read, &row.council_id)?;
    store::enrolments::latest_of_device(tx, &row.council_id, &row.id)?.ok_or(Error::NotFound("enrolment"))
}

/// Each setting as an enrolment's phone reports it.
pub fn settings(tx: &mut Transaction<'_>, enrolment: &Enrolment) -> Result<Vec<DeviceSetting>> {
    let (council, id) = (&enrolment.council_id, &enrolment.id);
    // A report that changes nothing is noted once, with the report, and not with each of twenty settings.
    let judged = |kind: &String| kind == observe::REPORT || JUDGED.iter().any(|judged| judged.as_str() == kind);
    let answered =
        store::reports::times(tx, council, id)?.into_iter().filter(|(kind, _)| judged(kind)).map(|(_, at)| at);
    let checked = answered.max();
    let rows = store::setting_states::of_enrolment(tx, council, id)?;
    Ok(rows
        .into_iter()
        .map(|row| DeviceSetting {
            setting: row.setting,
            state: row.state,
            reason: row.reason,
            since: row.since,
            checked_at: checked.map_or(row.checked_at, |checked| checked.max(row.checked_at)),
        })
        .collect())
}

/// What a device reports about each setting of the policy.
pub fn settings_of_device(tx: &mut Transaction<'_>, context: &Context, device: &DeviceId) -> Result<DeviceSettings> {
    let enrolment = reporting_enrolment(tx, context, device)?;
    let (council, id) = (&enrolment.council_id, &enrolment.id);
    let settings = settings(tx, &enrolment)?;
    let answered =
        store::reports::times(tx, council, id)?.into_iter().map(|(kind, at)| Answered { kind, at }).collect();
    Ok(DeviceSettings {
        summary: android_report(tx, context, &enrolment)?,
        policy_version: store::policies::current_number(tx, council)?.unwrap_or(0),
        enrolment: enrolment.id,
        mode: enrolment.mode,
        mode_disagrees: enrolment.mode_disagrees,
        confirmation: enrolment.confirmation,
        reported_version: enrolment.profile_version,
        settings,
        answered,
    })
}

/// The apps that a council device reports; a personal device is never asked.
pub fn apps_of_device(tx: &mut Transaction<'_>, context: &Context, device: &DeviceId) -> Result<AppInventory> {
    let enrolment = reporting_enrolment(tx, context, device)?;
    let kind = CommandKind::InstalledApplicationList;
    let Some(report) = store::reports::find(tx, &enrolment.council_id, &enrolment.id, kind)? else {
        return Ok(AppInventory { reported_at: None, apps: Vec::new() });
    };
    let answer: Value = serde_json::from_str(&report.answer)?;
    let text = |app: &Value, keys: &[&str]| {
        keys.iter().find_map(|key| app.get(key).and_then(Value::as_str)).unwrap_or_default().to_owned()
    };
    let apps = answer
        .get("InstalledApplicationList")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .map(|app| App {
            identifier: text(app, &["Identifier"]),
            name: text(app, &["Name"]),
            version: text(app, &["ShortVersion", "Version"]),
        })
        .collect();
    Ok(AppInventory { reported_at: Some(report.received_at), apps })
}
