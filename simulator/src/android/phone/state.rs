//! What a phone has become, as a test may look at it at any moment.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use super::options::Lock;

/// How Google manages a phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// The whole phone is the council's.
    FullyManaged,
    /// The phone is the council's, with a work profile.
    CompanyWorkProfile,
    /// The phone is its holder's, with a work profile.
    PersonalWorkProfile,
}

impl Mode {
    /// Whether there is a work profile beside personal use.
    pub fn has_work_profile(self) -> bool {
        self != Self::FullyManaged
    }

    /// Whether the phone belongs to the council.
    pub fn company_owned(self) -> bool {
        self != Self::PersonalWorkProfile
    }
}

/// A moment in a phone's life.
#[derive(Debug, Clone, Serialize)]
pub struct PhoneState {
    /// What its holder calls it.
    pub name: String,
    /// It reaches Google.
    pub online: bool,
    /// The name of the device it is at Google, while it is managed.
    pub device: Option<String>,
    /// How it is managed, while it is.
    pub mode: Option<Mode>,
    /// The policy it obeys.
    pub policy: Option<AppliedPolicy>,
    /// `ACTIVE`, `DISABLED` or `LOST`.
    pub applied_state: String,
    /// What it does not comply with, as reported.
    pub non_compliance: Vec<Value>,
    /// What opens the screen.
    pub screen_lock: Lock,
    /// What opens the work profile, when that is not the screen lock.
    pub work_lock: Option<Lock>,
    /// The screen was locked by a command and not opened since.
    pub screen_locked: bool,
    /// The work profile was locked by a command and not opened since.
    pub work_profile_locked: bool,
    /// Work is blocked until the phone complies.
    pub blocked: bool,
    /// What the screen shows in lost mode, while it is in it.
    pub lost_mode: Option<Value>,
    /// What its holder keeps on it is still there; never true for a fully managed phone.
    pub personal_data: bool,
    /// The council's data is on it.
    pub work_data: bool,
    /// How often the whole phone was reset, by whom ever.
    pub factory_resets: u32,
    /// How often a work profile was removed without the phone being reset.
    pub profiles_removed: u32,
    /// How often it restarted on command.
    pub restarts: u32,
    /// Apps on the council's side.
    pub work_apps: BTreeSet<String>,
    /// Names of Wi-Fi networks the council configured.
    pub networks: Vec<String>,
    /// Everything that happened to it, in order.
    pub events: Vec<Event>,
}

/// A policy a phone obeys.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AppliedPolicy {
    /// Its full name.
    pub name: String,
    /// Its version.
    pub version: i64,
    /// What it says.
    #[serde(serialize_with = "whole")]
    pub body: Arc<Value>,
}

fn whole<S: serde::Serializer>(body: &Arc<Value>, serializer: S) -> Result<S::Ok, S::Error> {
    body.as_ref().serialize(serializer)
}

/// Something that happened to a phone.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Event {
    /// When, by the phone's clock, milliseconds since 1970.
    pub at: i64,
    /// What.
    pub what: Happening,
}

/// What can happen to a phone.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Happening {
    /// It was enrolled.
    Enrolled {
        /// As this device.
        device: String,
        /// In this mode.
        mode: Mode,
    },
    /// It began to obey a policy, or another version of it.
    Policy {
        /// The policy.
        name: String,
        /// The version.
        version: i64,
    },
    /// It received a command.
    Command {
        /// The operation's id.
        operation: String,
        /// The whole command.
        command: Value,
    },
    /// It is done with a command.
    CommandEnded {
        /// The operation's id.
        operation: String,
        /// The command's type.
        kind: String,
        /// Why it failed; `None` when it succeeded, or pretended to.
        failure: Option<String>,
    },
    /// It took another state.
    State(String),
    /// Work was blocked because this setting is not complied with.
    Blocked(String),
    /// Work is no longer blocked.
    Unblocked,
    /// An app was installed or removed by policy.
    App {
        /// The package.
        package: String,
        /// Installed; otherwise removed.
        installed: bool,
    },
    /// The council's data was destroyed.
    Wiped {
        /// The whole phone with everything personal on it; otherwise only the work profile.
        whole_phone: bool,
        /// Why.
        because: Because,
    },
    /// Google told it that its record was deleted, and that it must wipe itself.
    Deleted {
        /// `wipeDataFlags` of the call.
        flags: Vec<String>,
        /// What its holder was shown.
        reason: Option<String>,
    },
    /// Google does not know it any more, and it was told nothing.
    Forgotten,
}

/// Why a phone or a work profile was wiped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Because {
    /// A WIPE command, with its operation's id.
    Command(String),
    /// The device was deleted at Google.
    Deleted,
    /// The council gave the phone up (RELINQUISH_OWNERSHIP).
    Relinquished(String),
    /// Nobody asked: the policy's enforcement did it, for this setting.
    Enforcement(String),
    /// Somebody typed too many wrong passwords (`maximumFailedPasswordsForWipe`).
    WrongPasswords,
    /// Its holder did it.
    Holder,
}

impl PhoneState {
    /// The commands of one type that arrived, in order.
    pub fn commands(&self, kind: &str) -> Vec<&Value> {
        let commands = self.events.iter().filter_map(|event| match &event.what {
            Happening::Command { command, .. } => Some(command),
            _ => None,
        });
        commands.filter(|command| command["type"] == kind).collect()
    }

    /// Everything that was wiped, in order: whether the whole phone, and why.
    pub fn wipes(&self) -> Vec<(bool, &Because)> {
        let wipes = self.events.iter().filter_map(|event| match &event.what {
            Happening::Wiped { whole_phone, because } => Some((*whole_phone, because)),
            _ => None,
        });
        wipes.collect()
    }
}
