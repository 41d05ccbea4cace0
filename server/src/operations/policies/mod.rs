//! A council's policy: its versions, who changed what and when, and the profile it becomes on one phone.

mod android;
mod draft;
mod profile;
mod secrets;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use beadle_profiles::{Policy, Preset, Problem, coverage};
use serde::{Deserialize, Serialize};

pub use draft::{Draft, change_from, draft, unmet};
pub use profile::{DeviceProfile, compile, profile_for};

pub(crate) use android::{android_context, compile_android, first_wifi, open_wifi, secrets_of, wifi_network};
pub(crate) use profile::context_of;
pub use secrets::{StoredSecret, secrets, set_certificate, set_wifi_password};

use super::{Context, audit, jobs};
use crate::error::{Error, Result};
use crate::model::{CouncilId, Moment, Permission};
use crate::store::policies::PolicyVersion;
use crate::store::{self, Transaction};

/// After how many wrong PINs a phone erases itself.
const ERASE: &str = "passcode.erase_after_failed_attempts";

/// The kind of the job that brings a changed policy to every phone of a council.
pub const FAN_OUT: &str = "policy_fan_out";

/// One version of a policy.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Version {
    /// Its number, from 1; 0 where the council has not set a policy yet.
    pub version: i64,
    /// The settings.
    #[schema(value_type = Object)]
    pub policy: Policy,
    /// Why it was made.
    pub note: String,
    /// Who made it.
    pub changed_by: String,
    /// When.
    pub changed_at: Option<Moment>,
}

/// One setting that a version changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Difference {
    /// The setting's path.
    pub setting: String,
    /// Its value before, as JSON; absent where it was not there.
    pub from: Option<String>,
    /// Its value since, as JSON.
    pub to: Option<String>,
}

/// One line of a policy's history.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct HistoryLine {
    /// The version.
    pub version: i64,
    /// Why it was made.
    pub note: String,
    /// Who made it.
    pub changed_by: String,
    /// When.
    pub changed_at: Moment,
    /// What it changed.
    pub differences: Vec<Difference>,
}

/// One setting to change.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Change {
    /// The setting's path: `passcode.minimum_length`.
    pub path: String,
    /// Its new value as text; `none` clears an optional one.
    pub value: String,
}

/// What a change starts from.
#[derive(Clone, Debug, PartialEq)]
pub enum Base {
    /// The version in force.
    Current,
    /// A ready-made policy.
    Preset(Preset),
    /// An earlier version.
    Version(i64),
    /// The whole policy, given.
    Whole(Box<Policy>),
}

/// The policy in force; one that asks for nothing where the council has set none.
pub(crate) fn in_force(tx: &mut Transaction<'_>, council: &CouncilId) -> Result<Version> {
    match store::policies::current(tx, council)? {
        Some(row) => version_of(row),
        None => Ok(Version {
            version: 0,
            policy: Policy::default(),
            note: String::new(),
            changed_by: String::new(),
            changed_at: None,
        }),
    }
}

fn version_of(row: PolicyVersion) -> Result<Version> {
    Ok(Version {
        version: row.version,
        policy: serde_json::from_str(&row.settings)?,
        note: row.note,
        changed_by: row.changed_by,
        changed_at: Some(row.changed_at),
    })
}

/// One version of the policy, or the one in force.
pub fn show(tx: &mut Transaction<'_>, context: &Context, council: &CouncilId, version: Option<i64>) -> Result<Version> {
    context.actor.require(Permission::Read, council)?;
    match version {
        None => in_force(tx, council),
        Some(number) => {
            store::policies::find(tx, council, number)?.ok_or(Error::NotFound("version")).and_then(version_of)
        }
    }
}

/// Who changed what and when, newest first, before the version `before`.
pub fn history(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: &CouncilId,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<HistoryLine>> {
    context.actor.require(Permission::Read, council)?;
    // One more than asked for, since each line is told by what came before it.
    let rows = store::policies::page(tx, council, before, limit.saturating_add(1))?;
    let mut versions = rows.into_iter().map(version_of).collect::<Result<Vec<_>>>()?.into_iter().peekable();
    let mut lines = Vec::new();
    while let Some(version) = versions.next() {
        if i64::try_from(lines.len()).is_ok_and(|lines| lines >= limit) {
            break;
        }
        let nothing = Policy::default();
        let earlier = versions.peek().map_or(&nothing, |earlier| &earlier.policy);
        lines.push(HistoryLine {
            version: version.version,
            note: version.note,
            changed_by: version.changed_by,
            changed_at: version.changed_at.unwrap_or(context.now),
            differences: differences(earlier, &version.policy),
        });
    }
    Ok(lines)
}

/// What the policy in force becomes on every kind of phone.
pub fn coverage(tx: &mut Transaction<'_>, context: &Context, council: &CouncilId) -> Result<Vec<coverage::Row>> {
    context.actor.require(Permission::Read, council)?;
    Ok(coverage::coverage(&in_force(tx, council)?.policy))
}

/// Makes a new version: a base, with changes on top. Everything that is wrong with it is said at once, and nothing changed.
///
/// # Errors
/// [`Error::Invalid`] naming the settings that cannot stand; [`Error::Conflict`] where nothing would change.
pub fn change(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: &CouncilId,
    base: &Base,
    changes: &[Change],
    note: &str,
) -> Result<Version> {
    context.actor.require(Permission::Settings, council)?;
    audit::lock(tx, council)?;
    let (now, policy) = drafted(tx, council, base, changes)?;
    let differences = differences(&now.policy, &policy);
    if differences.is_empty() && now.version > 0 {
        return Err(Error::conflict("the policy is so already; nothing was changed"));
    }
    // Two wrong PINs on every phone of the council erase them all: as weighty as an order, so as freshly confirmed.
    if differences.iter().any(|one| one.setting == ERASE && one.to.as_deref() != Some("null")) && now.version > 0 {
        context.actor.require_fresh(context.now)?;
    }
    new_version(tx, context, council, now.version, &policy, note, &differences)
}

/// The version in force, and the policy that a base with changes on top of it makes.
fn drafted(
    tx: &mut Transaction<'_>,
    council: &CouncilId,
    base: &Base,
    changes: &[Change],
) -> Result<(Version, Policy)> {
    let now = in_force(tx, council)?;
    let mut policy = match base {
        Base::Current => now.policy.clone(),
        Base::Preset(preset) => Policy::preset(*preset),
        Base::Version(number) => {
            let row = store::policies::find(tx, council, *number)?.ok_or(Error::NotFound("version"))?;
            version_of(row)?.policy
        }
        Base::Whole(policy) => (**policy).clone(),
    };
    let wrong = changes.iter().filter_map(|change| policy.set(&change.path, &change.value).err()).collect::<Vec<_>>();
    refuse(wrong)?;
    if let Err(problems) = policy.validate() {
        refuse(problems)?;
    }
    Ok((now, policy))
}

/// The first version of a new council's policy; what the maker of the council may do needs no further permission.
pub fn start(tx: &mut Transaction<'_>, context: &Context, council: &CouncilId, preset: Preset) -> Result<Version> {
    let policy = Policy::preset(preset);
    let differences = differences(&Policy::default(), &policy);
    let note = format!("started from the preset \"{preset}\"");
    new_version(tx, context, council, 0, &policy, &note, &differences)
}

fn new_version(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: &CouncilId,
    present: i64,
    policy: &Policy,
    note: &str,
    differences: &[Difference],
) -> Result<Version> {
    let row = PolicyVersion {
        council_id: council.clone(),
        version: present + 1,
        settings: serde_json::to_string(policy)?,
        note: note.trim().to_owned(),
        changed_by: context.actor.label(),
        changed_at: context.now,
    };
    // What a phone could not be given is found out now, not when the phone asks for it.
    refuse(profile::problems(tx, context, council, row.version, policy)?)?;
    store::policies::insert(tx, &row)?;
    let details = serde_json::json!({ "version": row.version, "note": row.note, "differences": differences });
    audit::record(tx, context, council, "policy changed", &format!("policy {}", row.version), details)?;
    let payload = serde_json::json!({ "council": council, "after": null });
    jobs::queue(tx, context, FAN_OUT, payload, context.now, Some(&format!("policy:{council}")))?;
    super::android::policies::put(tx, context, council)?;
    version_of(row)
}

/// Refuses with everything that is wrong: the first field is named, the others stand in the text.
fn refuse(problems: Vec<Problem>) -> Result<()> {
    let mut problems = problems.into_iter();
    let Some(first) = problems.next() else { return Ok(()) };
    let text = problems.fold(first.problem, |text, next| format!("{text}. Also {next}"));
    Err(Error::invalid(first.field, text))
}

/// What changed from one policy to the other.
fn differences(from: &Policy, to: &Policy) -> Vec<Difference> {
    let mut before: BTreeMap<String, String> = from.values().into_iter().collect();
    let mut found: Vec<Difference> = Vec::new();
    for (setting, value) in to.values() {
        match before.remove(&setting) {
            Some(old) if old == value => {}
            old => found.push(Difference { setting, from: old, to: Some(value) }),
        }
    }
    found.extend(before.into_iter().map(|(setting, old)| Difference { setting, from: Some(old), to: None }));
    found
}
