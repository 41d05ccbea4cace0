//! The keys settings put into Apple's payloads, and which modes may carry each: one forbidden key makes an iPhone refuse the whole profile.

use super::Context;
use crate::mode::{Mode, Ownership};
use crate::policy::Policy;
use crate::setting::{self, Setting};

/// Which payload a key belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Payload {
    /// `com.apple.mobiledevice.passwordpolicy`
    Passcode,
    /// `com.apple.applicationaccess`
    Restrictions,
}

/// Which modes may carry a key (`supportedOS.iOS` in Apple's schema).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// All Apple modes, User Enrollment included.
    EveryMode,
    /// Not User Enrollment.
    CouncilDevices,
    /// Supervised devices only.
    Supervised,
}

impl Reach {
    /// Whether a device in this mode may be sent the key.
    pub(crate) const fn includes(self, mode: Mode) -> bool {
        match self {
            Self::EveryMode => matches!(mode, Mode::Supervised | Mode::Device | Mode::User),
            Self::CouncilDevices => matches!(mode, Mode::Supervised | Mode::Device),
            Self::Supervised => matches!(mode, Mode::Supervised),
        }
    }
}

/// A key's value; Apple's passcode and restriction keys that Beadle uses are switches and numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scalar {
    Bool(bool),
    Integer(i64),
}

impl From<bool> for Scalar {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Scalar {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<Scalar> for plist::Value {
    fn from(value: Scalar) -> Self {
        match value {
            Scalar::Bool(value) => Self::Boolean(value),
            Scalar::Integer(value) => Self::Integer(value.into()),
        }
    }
}

/// One key of one payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) payload: Payload,
    pub(crate) name: &'static str,
    pub(crate) value: Scalar,
    pub(crate) reach: Reach,
}

/// A restriction.
pub(crate) fn restriction(name: &'static str, value: bool, reach: Reach) -> Key {
    Key { payload: Payload::Restrictions, name, value: Scalar::Bool(value), reach }
}

/// A passcode key. User Enrollment ignores the values of all of them; it gets only those that say what it does anyway:
/// a PIN of six, not simple, and no "never" among the times until the screen locks.
pub(crate) fn passcode(name: &'static str, value: impl Into<Scalar>) -> Key {
    let reach = match name {
        "forcePIN" | "allowSimple" | "minLength" | "maxInactivity" => Reach::EveryMode,
        _ => Reach::CouncilDevices,
    };
    Key { payload: Payload::Passcode, name, value: value.into(), reach }
}

/// What one setting puts onto this device.
///
/// W3: a personal phone is never given an automatic erase of the whole phone, whatever mode it ended up in.
pub(crate) fn of_setting(setting: &Setting, policy: &Policy, mode: Mode, ownership: Ownership) -> Vec<Key> {
    (setting.apple)(policy)
        .into_iter()
        .filter(|key| key.reach.includes(mode))
        .filter(|key| key.name != "maxFailedAttempts" || (ownership == Ownership::Council && !mode.is_personal()))
        .collect()
}

/// What all settings together put into one payload on this device.
pub(crate) fn of_payload(payload: Payload, policy: &Policy, context: &Context<'_>) -> Vec<Key> {
    setting::all()
        .flat_map(|setting| of_setting(setting, policy, context.mode, context.ownership))
        .filter(|key| key.payload == payload)
        .collect()
}
