//! Android through Google: a council's connection, the codes by which phones enrol, what Google says of a phone, and what
//! Google is asked to tell it. Nothing here calls Google: each function writes down what is to be done, or what was answered.

pub mod arrive;
pub mod connect;
pub mod dispatch;
pub mod gone;
pub mod health;
pub mod observe;
pub mod outcome;
pub mod pace;
pub mod policies;
pub mod tokens;

use serde_json::Value;

use crate::model::{Mode, Moment};
use crate::store::devices::Description;

/// The job that brings a council's changed policy to Google.
pub const PUT_POLICIES: &str = "android_policies";
/// The job that reads one device at Google.
pub const READ_DEVICE: &str = "android_device";
/// The job that takes in Google's notifications.
pub const NOTIFICATIONS: &str = "android_notifications";
/// The job that compares all devices with what Google lists.
pub const RECONCILE: &str = "android_reconcile";

/// The job that deletes at Google the tokens of an invitation that was withdrawn.
pub const DELETE_TOKENS: &str = "android_tokens";

/// What Google says of a device, as far as it matters here.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seen {
    /// Its name: `enterprises/…/devices/…`.
    pub name: String,
    /// Names that the same phone had before it enrolled again.
    pub previous_names: Vec<String>,
    /// Google's word for the state that it is to have.
    pub state: String,
    /// The state that it has, by its own report.
    pub applied_state: Option<String>,
    /// The mode that ownership and management mode amount to; none where Google does not say, or says something new.
    pub mode: Option<Mode>,
    /// What came back of our enrolment token.
    pub binding: Option<String>,
    /// The policy it last applied: its name at Google, and Google's number.
    pub applied: Option<(String, i64)>,
    /// Android's API level.
    pub api_level: Option<i64>,
    /// When the phone itself last reported or fetched its policy.
    pub reported_at: Option<Moment>,
    /// What it says of itself.
    pub description: Description,
    /// The whole answer.
    pub raw: Value,
}

/// The enterprise that a device, policy or operation belongs to by its name.
#[must_use]
pub fn enterprise_of(name: &str) -> Option<&str> {
    let (first, rest) = name.split_once('/')?;
    let (id, _) = rest.split_once('/')?;
    (first == "enterprises" && !id.is_empty()).then(|| &name[..first.len() + 1 + id.len()])
}

/// The device that an operation belongs to by its name.
#[must_use]
pub fn device_of(operation: &str) -> Option<&str> {
    operation.split_once("/operations/").map(|(device, _)| device)
}

#[cfg(test)]
mod tests;
