//! The small resources that calls take and give: sign-up, enterprise, enrolment token, pages of lists.
//!
//! Source: discovery document of the Android Management API, schemas of the same names. What is sent is strict and leaves
//! out what is not set; what comes back may hold more than is named here.

use beadle_enrollment::android::ENTERPRISE_NAME_LIMIT;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::message::DeviceReport;
use super::token::secret;

/// SignupUrl: where a council's administrator signs up at Google.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct SignupUrl {
    /// The resource's name, wanted again when the enterprise is made.
    pub name: String,
    /// The page for the administrator.
    pub url: String,
}

/// Enterprise, as far as Beadle reads it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Enterprise {
    /// `enterprises/…`.
    pub name: String,
    /// What users are shown.
    pub enterprise_display_name: Option<String>,
    /// Where notifications go: `projects/…/topics/…`.
    pub pubsub_topic: Option<String>,
    /// Which notifications are sent.
    #[serde(default)]
    pub enabled_notification_types: Vec<String>,
}

/// The notifications that Beadle has use for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum NotificationType {
    /// A device enrolled.
    Enrollment,
    /// A device reported.
    StatusReport,
    /// A command ended.
    Command,
}

/// What may be changed of an enterprise; only what is set is sent and named in the mask.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EnterprisePatch {
    /// What users are shown, at most 100 characters; what is longer is cut.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "cut")]
    pub enterprise_display_name: Option<String>,
    /// Where notifications go: `projects/…/topics/…`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pubsub_topic: Option<String>,
    /// Which notifications are sent; an empty list ends them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled_notification_types: Option<Vec<NotificationType>>,
}

impl EnterprisePatch {
    /// All the notifications that Beadle wants, sent to `topic`.
    #[must_use]
    pub fn notify(topic: &str) -> Self {
        use NotificationType::{Command, Enrollment, StatusReport};
        Self {
            pubsub_topic: Some(topic.to_owned()),
            enabled_notification_types: Some(vec![Enrollment, StatusReport, Command]),
            ..Self::default()
        }
    }

    /// The mask: the names of the fields that are set.
    pub(super) fn mask(&self) -> String {
        let fields = [
            ("enterpriseDisplayName", self.enterprise_display_name.is_some()),
            ("pubsubTopic", self.pubsub_topic.is_some()),
            ("enabledNotificationTypes", self.enabled_notification_types.is_some()),
        ];
        let set: Vec<&str> = fields.into_iter().filter(|(_, set)| *set).map(|(name, _)| name).collect();
        set.join(",")
    }
}

fn cut<S: serde::Serializer>(name: &Option<String>, serializer: S) -> Result<S::Ok, S::Error> {
    let cut: Option<String> = name.as_ref().map(|name| name.chars().take(ENTERPRISE_NAME_LIMIT).collect());
    cut.serialize(serializer)
}

/// EnrollmentToken, as Google answers its making. Whoever has the value can enrol, so `Debug` does not show it.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EnrollmentToken {
    /// `enterprises/…/enrollmentTokens/…`, wanted for its deletion.
    pub name: String,
    /// The token itself, for the link of a personal phone.
    #[serde(deserialize_with = "secret")]
    pub value: Zeroizing<String>,
    /// The text of the code that a council phone scans: JSON, to be shown as it is; empty where Google gave none.
    #[serde(default, deserialize_with = "secret")]
    pub qr_code: Zeroizing<String>,
    /// When it ends, RFC 3339.
    pub expiration_timestamp: Option<String>,
}

impl std::fmt::Debug for EnrollmentToken {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "EnrollmentToken({})", self.name)
    }
}

/// The body of `devices.patch`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DevicePatch<'a> {
    pub(super) policy_name: &'a str,
}

/// One page of a council's devices.
#[derive(Debug)]
pub struct DevicePage {
    /// The devices; those that were deleted are never among them.
    pub devices: Vec<DeviceReport>,
    /// What asks for the next page; absent on the last.
    pub next: Option<String>,
}
