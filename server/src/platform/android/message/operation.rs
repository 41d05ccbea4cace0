//! What became of a command: Google's operation, read in the order of preference that Google gives.
//!
//! Source: discovery document, schemas `Operation` and `Command` (`errorCode` states the order), `google.rpc.Code`.

use chrono::Duration;
use serde_json::Value;

use super::{borrowed, number, open_enum, read_moment, text, word};
use crate::model::Moment;
use crate::platform::android::failure::shortened;

/// `google.rpc.Code`: taken back by us.
const CANCELLED: i64 = 1;
/// `google.rpc.Code`: its time ran out.
const DEADLINE_EXCEEDED: i64 = 4;

open_enum! {
    /// `Command.errorCode`.
    enum ErrorCode {
        /// Google does not know why.
        UnknownError = "UNKNOWN",
        /// The phone's Android is too old.
        ApiLevel = "API_LEVEL",
        /// The mode does not know the command.
        ManagementMode = "MANAGEMENT_MODE",
        /// A parameter is wrong.
        InvalidValue = "INVALID_VALUE",
        /// The phone does not know the command.
        Unsupported = "UNSUPPORTED",
    }
}

/// What became of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The phone has not carried it out yet, and may still.
    Pending,
    /// The phone did it.
    Done {
        /// A remark, in words for the clerk: it was so already.
        how: Option<String>,
    },
    /// It was not done, and will not be.
    Failed {
        /// Why, in words for the clerk.
        reason: String,
    },
    /// It was taken back in time.
    Cancelled,
    /// Its time ran out before the phone fetched it.
    Expired,
}

/// The command that an operation is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommandSeen {
    /// `LOCK`, `WIPE`, …
    pub command_type: Option<String>,
    /// When Google took it.
    pub created: Option<Moment>,
    /// For how long it stands.
    pub duration: Option<Duration>,
}

/// An operation.
#[derive(Clone, Debug, PartialEq)]
pub struct Operation {
    /// `enterprises/…/devices/…/operations/…`.
    pub name: String,
    /// What was asked.
    pub command: CommandSeen,
    /// What became of it.
    pub outcome: Outcome,
    /// Everything, as it came.
    pub raw: Value,
}

impl Operation {
    /// Reads an `Operation`; `None` only where it has no name.
    #[must_use]
    pub fn read(raw: Value) -> Option<Self> {
        Some(Self { name: text(&raw, &["name"])?, command: command_seen(&raw), outcome: outcome(&raw), raw })
    }

    /// The device's name, which the operation's begins with.
    #[must_use]
    pub fn device(&self) -> Option<&str> {
        device_of(&self.name)
    }

    /// When it expires if the phone does not fetch it; for looking again where Google never says.
    #[must_use]
    pub fn expires_at(&self) -> Option<Moment> {
        Some(self.command.created? + self.command.duration?)
    }
}

/// The device's part of an operation's name.
pub(super) fn device_of(operation: &str) -> Option<&str> {
    let (device, id) = operation.split_once("/operations/")?;
    (!id.is_empty() && device.contains("/devices/")).then_some(device)
}

/// Where the command is: Google puts it in the metadata; a finished one may come as the response.
fn places(raw: &Value) -> impl Iterator<Item = &Value> {
    ["response", "metadata"].into_iter().filter_map(|place| raw.get(place))
}

fn command_seen(raw: &Value) -> CommandSeen {
    let field = |name: &'static str| places(raw).find_map(move |place| borrowed(place, &[name]));
    CommandSeen {
        command_type: field("type").map(shortened),
        created: field("createTime").and_then(read_moment),
        duration: field("duration").and_then(seconds),
    }
}

/// A duration as Google writes it: `"7776000s"`, fractions possible.
fn seconds(text: &str) -> Option<Duration> {
    let whole: i64 = text.strip_suffix('s')?.split('.').next()?.parse().ok()?;
    Duration::try_seconds(whole)
}

fn outcome(raw: &Value) -> Outcome {
    let error = raw.get("error").filter(|error| error.is_object() && number(error, &["code"]) != Some(0));
    let done = raw.get("done").and_then(Value::as_bool).unwrap_or(false);
    if !done && error.is_none() {
        return Outcome::Pending;
    }
    if let Some(outcome) = places(raw).find_map(own_status) {
        return outcome;
    }
    let generic = error.map(generic);
    match places(raw).find_map(|place| word::<ErrorCode>(place, &["errorCode"])) {
        // "Unknown" explains less than the operation's own error, if that has a meaning.
        Some(ErrorCode::UnknownError) => match generic {
            Some(outcome @ (Outcome::Cancelled | Outcome::Expired)) => outcome,
            _ => failed("the phone could not do it, and Google does not know why"),
        },
        Some(code) => Outcome::Failed { reason: words(&code) },
        None => generic.unwrap_or(Outcome::Done { how: None }),
    }
}

/// The status that some commands have of their own.
fn own_status(command: &Value) -> Option<Outcome> {
    let done = |how: &str| Outcome::Done { how: Some(how.to_owned()) };
    let status = |field: &str| borrowed(command, &[field, "status"]).filter(|word| !word.ends_with("_UNSPECIFIED"));
    if let Some(word) = status("startLostModeStatus") {
        return Some(match word {
            "SUCCESS" => Outcome::Done { how: None },
            "ALREADY_IN_LOST_MODE" => done("the phone was in lost mode already"),
            "RESET_PASSWORD_RECENTLY" => failed("the phone cannot go into lost mode so soon after its PIN was reset"),
            "USER_EXIT_LOST_MODE_RECENTLY" => failed(
                "somebody ended lost mode on the phone with its PIN a short while ago; it can be asked again later",
            ),
            other => failed(&format!("Google says {other}")),
        });
    }
    status("stopLostModeStatus").map(|word| match word {
        "SUCCESS" => Outcome::Done { how: None },
        "NOT_IN_LOST_MODE" => done("the phone was not in lost mode"),
        other => failed(&format!("Google says {other}")),
    })
}

fn generic(error: &Value) -> Outcome {
    let message = borrowed(error, &["message"]).unwrap_or("no reason given");
    let code = number(error, &["code"]);
    // How an expired command shows is not in the document: the code for it, or the word.
    match code {
        Some(CANCELLED) => Outcome::Cancelled,
        Some(DEADLINE_EXCEEDED) => Outcome::Expired,
        _ if message.to_lowercase().contains("expired") => Outcome::Expired,
        _ => failed(&format!("Google says: {message}")),
    }
}

fn words(code: &ErrorCode) -> String {
    match code {
        ErrorCode::ApiLevel => "the phone's Android is too old for this".to_owned(),
        ErrorCode::ManagementMode => "this is not possible on a phone that is managed in this way".to_owned(),
        ErrorCode::InvalidValue => {
            "the phone did not take what was sent with it (a PIN, for instance, that its policy does not allow)"
                .to_owned()
        }
        ErrorCode::Unsupported => {
            "the phone does not know this; updating the app Android Device Policy on it may help".to_owned()
        }
        ErrorCode::UnknownError => "Google does not know why".to_owned(),
        ErrorCode::Unknown(other) => format!("Google says {other}"),
    }
}

fn failed(reason: &str) -> Outcome {
    Outcome::Failed { reason: shortened(reason) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::platform::android::discovery::Discovery;
    use crate::platform::android::message::tests::any_json;

    fn outcome_of(rest: Value) -> Outcome {
        let mut raw = json!({ "name": "enterprises/LC01/devices/3a5f/operations/1786048723669", "done": true });
        raw.as_object_mut().expect("an object").extend(rest.as_object().expect("an object").clone());
        Operation::read(raw).expect("an operation").outcome
    }

    #[test]
    fn the_command_is_seen_in_the_metadata() {
        let operation = Operation::read(json!({
            "name": "enterprises/LC01/devices/3a5f/operations/1786048723669",
            "metadata": {
                "@type": "type.googleapis.com/google.android.devicemanagement.v1.Command",
                "type": "LOCK", "createTime": "2026-08-06T20:38:43.669Z", "duration": "7776000s",
            },
        }))
        .expect("an operation");
        assert_eq!(operation.outcome, Outcome::Pending);
        assert_eq!(operation.device(), Some("enterprises/LC01/devices/3a5f"));
        assert_eq!(operation.command.command_type.as_deref(), Some("LOCK"));
        assert_eq!(operation.expires_at().expect("an end").to_string(), "2026-11-04T20:38:43.669Z");
        assert!(Operation::read(json!({ "done": true })).is_none());
    }

    #[test]
    fn a_commands_own_status_comes_first_then_its_code_then_the_operations_error() {
        let failed = |outcome: Outcome| match outcome {
            Outcome::Failed { reason } => reason,
            other => panic!("{other:?}"),
        };
        assert_eq!(outcome_of(json!({})), Outcome::Done { how: None });
        assert_eq!(outcome_of(json!({ "done": false })), Outcome::Pending);
        assert_eq!(outcome_of(json!({ "error": { "code": 0 } })), Outcome::Done { how: None });
        assert_eq!(outcome_of(json!({ "error": { "code": 1, "message": "cancelled" } })), Outcome::Cancelled);
        assert_eq!(outcome_of(json!({ "error": { "code": 4, "message": "deadline" } })), Outcome::Expired);
        assert_eq!(
            outcome_of(json!({ "error": { "code": 9, "message": "The command has expired." } })),
            Outcome::Expired
        );
        assert_eq!(outcome_of(json!({ "done": false, "error": { "code": 1 } })), Outcome::Cancelled);
        let both = json!({
            "metadata": { "errorCode": "API_LEVEL", "startLostModeStatus": { "status": "RESET_PASSWORD_RECENTLY" } },
            "error": { "code": 13, "message": "m" },
        });
        assert!(failed(outcome_of(both)).contains("so soon after its PIN was reset"));
        let code = json!({ "metadata": { "errorCode": "API_LEVEL" }, "error": { "code": 13, "message": "m" } });
        assert!(failed(outcome_of(code)).contains("too old"));
        let unknown = json!({ "metadata": { "errorCode": "UNKNOWN" }, "error": { "code": 4 } });
        assert_eq!(outcome_of(unknown), Outcome::Expired);
        assert!(failed(outcome_of(json!({ "metadata": { "errorCode": "UNKNOWN" } }))).contains("does not know why"));
        assert!(failed(outcome_of(json!({ "metadata": { "errorCode": "NEW" } }))).contains("NEW"));
        assert!(failed(outcome_of(json!({ "error": { "code": 13, "message": "broken" } }))).contains("broken"));
        let none = json!({ "metadata": { "errorCode": "COMMAND_ERROR_CODE_UNSPECIFIED", "startLostModeStatus": {} } });
        assert_eq!(outcome_of(none), Outcome::Done { how: None });
    }

    #[test]
    fn each_end_of_lost_mode_is_told_in_words() {
        let mut told = String::new();
        for field in ["startLostModeStatus", "stopLostModeStatus"] {
            for word in [
                "SUCCESS",
                "RESET_PASSWORD_RECENTLY",
                "USER_EXIT_LOST_MODE_RECENTLY",
                "ALREADY_IN_LOST_MODE",
                "NOT_IN_LOST_MODE",
                "NEW_WORD",
            ] {
                let raw = json!({ "response": { (field): { "status": word } } });
                told += &format!("{field} {word}: {:?}\n", outcome_of(raw));
            }
        }
        insta::assert_snapshot!(told);
    }

    #[test]
    fn the_words_are_those_of_the_discovery_document() {
        Discovery::with(|discovery| {
            assert_eq!(discovery.words("Command", "errorCode"), ErrorCode::WORDS);
            assert_eq!(
                discovery.words("StartLostModeStatus", "status"),
                ["SUCCESS", "RESET_PASSWORD_RECENTLY", "USER_EXIT_LOST_MODE_RECENTLY", "ALREADY_IN_LOST_MODE"]
            );
            assert_eq!(discovery.words("StopLostModeStatus", "status"), ["SUCCESS", "NOT_IN_LOST_MODE"]);
        });
    }

    proptest! {
        #[test]
        fn any_operation_is_read(value in any_json("name|done|error|code|message|metadata|response|errorCode|startLostModeStatus|status|duration|createTime|[a-z]{0,3}")) {
            if let Some(operation) = Operation::read(value) {
                let _ = (operation.device().map(str::len), operation.expires_at());
            }
        }

        #[test]
        fn any_duration_is_read(text in ".{0,30}|[0-9]{0,25}(\\.[0-9]{0,5})?s") {
            let _ = seconds(&text);
        }
    }
}
