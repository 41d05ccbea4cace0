//! An event from Pub/Sub. It is a hint and no more: whoever gets one reads the device again before anything changes.
//!
//! Source: Android Management API, "Receive notifications"; Pub/Sub REST reference, `PubsubMessage`.

use base64::Engine as _;
use serde_json::Value;

use super::operation::device_of;
use super::{borrowed, moment, open_enum, text, word};
use crate::model::Moment;
use crate::platform::android::message::DeviceState;

open_enum! {
    /// The attribute `notificationType`; the capital words are those of `Enterprise.enabledNotificationTypes` too.
    pub enum NotificationKind {
        /// A device enrolled.
        Enrollment = "ENROLLMENT",
        /// A device reported.
        StatusReport = "STATUS_REPORT",
        /// A command ended.
        Command = "COMMAND",
        /// Logs of use; Beadle asks for none.
        UsageLogs = "USAGE_LOGS",
        /// The enterprise became a managed Google domain.
        EnterpriseUpgrade = "ENTERPRISE_UPGRADE",
        /// Sent once when the topic is set; has no content.
        Test = "test",
    }
}

/// An event. `Debug` does not show its content.
#[derive(Clone, PartialEq)]
pub struct Notification {
    /// Pub/Sub's id of the message, by which repeats are known; empty only if Pub/Sub breaks its word.
    pub message_id: String,
    /// When it was published.
    pub published: Option<Moment>,
    /// What it is about; unknown and empty where it does not say.
    pub kind: NotificationKind,
    /// The device's name.
    pub device: Option<String>,
    /// The operation's name, of a command that ended.
    pub operation: Option<String>,
    /// The state that the event gives the device. `DELETED` may come late, about a device that is long back.
    pub state: Option<DeviceState>,
    /// The content, as it came; absent in test messages, and where it is not JSON.
    pub content: Option<Value>,
}

impl std::fmt::Debug for Notification {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            formatter,
            "Notification({}, {}, {:?})",
            self.message_id,
            self.kind,
            self.operation.as_ref().or(self.device.as_ref())
        )
    }
}

impl Notification {
    /// Reads a `PubsubMessage`. Nothing makes it fail: what cannot be understood must still be acknowledged.
    #[must_use]
    pub fn read(message: &Value) -> Self {
        let data = borrowed(message, &["data"]).and_then(content);
        let content: Option<Value> = data.and_then(|data| serde_json::from_slice(&data).ok());
        let name = content.as_ref().and_then(|content| text(content, &["name"]));
        let (device, operation) = match name {
            Some(name) => match device_of(&name).map(str::to_owned) {
                Some(device) => (Some(device), Some(name)),
                None if name.contains("/devices/") => (Some(name), None),
                None => (None, None),
            },
            None => (None, None),
        };
        Self {
            message_id: text(message, &["messageId"]).unwrap_or_default(),
            published: moment(message, &["publishTime"]),
            kind: NotificationKind::from(borrowed(message, &["attributes", "notificationType"]).unwrap_or_default()),
            device,
            operation,
            state: content.as_ref().and_then(|content| {
                word(content, &["appliedState"])
                    .filter(|state| *state == DeviceState::Deleted)
                    .or_else(|| word(content, &["state"]))
            }),
            content,
        }
    }
}

/// The content of a message: base64 as Pub/Sub writes it, also without padding or in the alphabet of addresses.
fn content(text: &str) -> Option<Vec<u8>> {
    use base64::alphabet::{STANDARD, URL_SAFE};
    use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let alphabet = if text.contains(['-', '_']) { &URL_SAFE } else { &STANDARD };
    GeneralPurpose::new(alphabet, config).decode(text).ok()
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::platform::android::discovery::Discovery;
    use crate::platform::android::message::tests::any_json;

    fn message(kind: &str, content: &Value) -> Value {
        json!({
            "messageId": "136969346945", "publishTime": "2026-11-02T09:00:00.123Z",
            "attributes": { "notificationType": kind }, "data": STANDARD.encode(content.to_string()),
        })
    }

    #[test]
    fn an_event_names_the_device_to_read_again() {
        let device = "enterprises/LC01/devices/3a5f";
        let enrolled = Notification::read(&message("ENROLLMENT", &json!({ "name": device, "state": "PROVISIONING" })));
        assert_eq!(enrolled.kind, NotificationKind::Enrollment);
        assert_eq!((enrolled.device.as_deref(), enrolled.operation), (Some(device), None));
        assert_eq!(enrolled.message_id, "136969346945");
        assert_eq!(enrolled.published.map(Moment::unix_micros).map(|micros| micros % 1_000_000), Some(123_000));

        let name = format!("{device}/operations/17");
        let ended = Notification::read(&message("COMMAND", &json!({ "name": name, "done": true })));
        assert_eq!((ended.device.as_deref(), ended.operation.as_deref()), (Some(device), Some(name.as_str())));

        let late = json!({ "name": device, "state": "ACTIVE", "appliedState": "DELETED" });
        assert_eq!(Notification::read(&message("STATUS_REPORT", &late)).state, Some(DeviceState::Deleted));
        let shown = format!("{:?}", Notification::read(&message("STATUS_REPORT", &json!({ "user": "secret" }))));
        assert!(!shown.contains("secret"), "{shown}");
    }

    #[test]
    fn content_is_read_in_both_alphabets() {
        for text in ["eyJhIjoiPz8_In0", "eyJhIjoiPz8/In0=", "eyJhIjoiPz8/In0"] {
            assert_eq!(content(text).as_deref(), Some(&br#"{"a":"???"}"#[..]), "{text}");
        }
        assert_eq!(content("é"), None);
    }

    #[test]
    fn tests_and_novelties_are_read_all_the_same() {
        let test = Notification::read(&json!({ "messageId": "1", "attributes": { "notificationType": "test" } }));
        assert_eq!((test.kind, test.device, test.content), (NotificationKind::Test, None, None));
        let novel = Notification::read(&message("SOMETHING_NEW", &json!({ "name": "enterprises/LC01/users/7" })));
        assert_eq!(novel.kind, NotificationKind::Unknown("SOMETHING_NEW".to_owned()));
        assert_eq!(novel.device, None);
        for odd in [json!(null), json!({ "data": "%%" }), json!({ "data": STANDARD.encode("not JSON") }), json!([])] {
            let read = Notification::read(&odd);
            assert_eq!((read.message_id.as_str(), read.kind), ("", NotificationKind::Unknown(String::new())));
        }
    }

    #[test]
    fn what_beadle_asks_for_is_what_the_discovery_document_knows() {
        Discovery::with(|discovery| {
            let known = discovery.words("Enterprise", "enabledNotificationTypes");
            for word in NotificationKind::WORDS.iter().filter(|word| **word != "test") {
                assert!(known.contains(word), "{word}");
            }
        });
    }

    proptest! {
        #[test]
        fn any_message_is_read(value in any_json("data|attributes|notificationType|messageId|publishTime")) {
            let _ = format!("{:?}", Notification::read(&value));
        }

        #[test]
        fn any_content_is_read(content in any_json("name|state|appliedState|done"), kind in ".{0,12}") {
            let _ = format!("{:?}", Notification::read(&message(&kind, &content)));
        }

        #[test]
        fn any_data_is_read(data in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = Notification::read(&json!({ "messageId": "1", "data": STANDARD.encode(data) }));
        }
    }
}
