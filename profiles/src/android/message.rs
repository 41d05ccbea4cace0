//! How Google's messages are written: every field is optional and left out when unset, 64-bit numbers and durations are text.

use serde::{Serialize, Serializer};

/// Defines one of Google's messages. Every field is an `Option` that is left out when `None`: the API takes a `null` for a value.
macro_rules! message {
    ($(#[$meta:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident : $type:ty),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Default, PartialEq, serde::Serialize)]
        #[serde(rename_all = "camelCase")]
        pub(crate) struct $name {
            $(
                $(#[$field_meta])*
                #[serde(skip_serializing_if = "Option::is_none")]
                pub(crate) $field: Option<$type>,
            )+
        }
    };
}

/// Defines one of Google's enumerations with the members that Beadle sends, each beside Google's spelling. Where they grow stricter
/// one by one, they stand in that order.
macro_rules! members {
    ($(#[$meta:meta])* $name:ident { $($(#[$member_meta:meta])* $member:ident = $text:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
        pub(crate) enum $name { $($(#[$member_meta])* #[serde(rename = $text)] $member),+ }
    };
}

pub(super) use {members, message};

/// A duration, `google-duration`: seconds with the letter s. "90d" is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seconds(pub(crate) u64);

impl Serialize for Seconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{}s", self.0))
    }
}

/// Milliseconds as `int64`, which JSON carries as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Milliseconds(pub(crate) u64);

impl Serialize for Milliseconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

message! {
    /// Words for the holder, `UserFacingMessage`.
    UserFacingMessage {
        default_message: String,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_long_numbers_are_text() {
        assert_eq!(serde_json::to_string(&Seconds(90 * 86_400)).unwrap(), "\"7776000s\"");
        assert_eq!(serde_json::to_string(&Milliseconds(30_000)).unwrap(), "\"30000\"");
        assert_eq!(serde_json::to_string(&UserFacingMessage::default()).unwrap(), "{}");
    }
}
