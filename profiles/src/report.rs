//! The one way in which a setting's state on a phone is told, whichever platform reports it.

use serde::Serialize;

use crate::named::named_enum;

named_enum! {
    /// Whether a setting is in force on a device, as far as it reports.
    State, "state of a setting" {
        /// The device reports it so.
        InForce = "in_force",
        /// The device reports otherwise.
        NotInForce = "not_in_force",
        /// The device has not reported it, or cannot.
        Unknown = "unknown",
    }
}

/// One setting's state on one device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Setting {
    /// The setting's path in the policy; `profile` for the policy's profile as a whole.
    pub setting: &'static str,
    /// Its state.
    pub state: State,
    /// Why, in words.
    pub reason: String,
}

/// What a device's report says about one setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Judgement {
    pub(crate) state: State,
    pub(crate) reason: String,
}

impl Judgement {
    /// As the state of that setting.
    pub(crate) fn of(self, setting: &'static str) -> Setting {
        Setting { setting, state: self.state, reason: self.reason }
    }
}

pub(crate) fn in_force_because(reason: impl Into<String>) -> Judgement {
    Judgement { state: State::InForce, reason: reason.into() }
}

pub(crate) fn not_in_force_because(reason: impl Into<String>) -> Judgement {
    Judgement { state: State::NotInForce, reason: reason.into() }
}

pub(crate) fn unknown_because(reason: impl Into<String>) -> Judgement {
    Judgement { state: State::Unknown, reason: reason.into() }
}
