//! What Google says about devices, commands and events: read with tolerance, and kept as it came.
//!
//! Google adds fields and words without notice, so nothing here fails on them: an unknown word is kept as `Unknown`, a field
//! of another type counts as absent, and the raw JSON stays beside what was understood.

mod device;
mod notification;
mod operation;

use chrono::DateTime;
use serde_json::Value;

use crate::model::Moment;

pub use device::{
    AppliedState, DeviceReport, DeviceState, EncryptionStatus, Hardware, ManagementMode, NonCompliance,
    NonComplianceReason, OwnershipAtGoogle, Posture, SecurityPosture, SecurityRisk, Sim, Software,
};
pub use notification::{Notification, NotificationKind};
pub use operation::{CommandSeen, Operation, Outcome};

/// Declares Google's words for something, with room for those that are not known yet.
macro_rules! open_enum {
    ($(#[$about:meta])* $visibility:vis enum $name:ident { $($(#[$variant_about:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        $visibility enum $name {
            $($(#[$variant_about])* $variant,)*
            /// A word that this program does not know.
            Unknown(String),
        }

        impl $name {
            /// The words that are known, for the comparison with the discovery document.
            #[allow(dead_code, reason = "of some, only the tests want all")]
            $visibility const WORDS: &'static [&'static str] = &[$($word),*];

            /// Google's word.
            #[must_use]
            $visibility fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $word,)*
                    Self::Unknown(word) => word,
                }
            }
        }

        impl From<&str> for $name {
            fn from(word: &str) -> Self {
                match word {
                    $($word => Self::$variant,)*
                    other => Self::Unknown($crate::platform::android::failure::shortened(other)),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(self.as_str())
            }
        }
    };
}
use open_enum;

/// The text at `path`, if it is one and not empty.
fn text(value: &Value, path: &[&str]) -> Option<String> {
    borrowed(value, path).map(str::to_owned)
}

fn borrowed<'a>(value: &'a Value, path: &[&str]) -> Option<&'a str> {
    at(value, path)?.as_str().filter(|text| !text.is_empty())
}

fn at<'a>(value: &'a Value, path: &[&str]) -> Option<&'a Value> {
    path.iter().try_fold(value, |value, key| value.get(key))
}

/// A word of an enumeration; Google's `…_UNSPECIFIED` is no word.
fn word<T: for<'a> From<&'a str>>(value: &Value, path: &[&str]) -> Option<T> {
    borrowed(value, path).filter(|word| !word.ends_with("_UNSPECIFIED")).map(T::from)
}

/// A whole number: int64 comes as text, int32 as a number.
fn number(value: &Value, path: &[&str]) -> Option<i64> {
    match at(value, path)? {
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => number.as_i64(),
        _ => None,
    }
}

fn moment(value: &Value, path: &[&str]) -> Option<Moment> {
    read_moment(borrowed(value, path)?)
}

/// RFC 3339, as Google writes times.
fn read_moment(text: &str) -> Option<Moment> {
    let time = DateTime::parse_from_rfc3339(text).ok()?;
    Some(Moment::from(time.to_utc()))
}

fn list<'a>(value: &'a Value, path: &[&str]) -> &'a [Value] {
    at(value, path).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Any JSON, of small size and with the keys that matter among them.
    pub(in crate::platform::android) fn any_json(keys: &'static str) -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            ".{0,20}".prop_map(Value::from),
            "enterprises/[a-z]{0,3}/devices/[a-z]{0,3}(/operations/[0-9]{0,3})?".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 48, 6, move |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::btree_map(keys, inner, 0..6)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    #[test]
    fn numbers_and_times_come_in_more_than_one_form() {
        let value =
            serde_json::json!({ "a": "12", "b": 12, "c": "x", "t": "2026-08-06T20:38:43.669Z", "u": "yesterday" });
        assert_eq!(
            (number(&value, &["a"]), number(&value, &["b"]), number(&value, &["c"])),
            (Some(12), Some(12), None)
        );
        assert_eq!(
            moment(&value, &["t"]).map(|moment| moment.to_string()).as_deref(),
            Some("2026-08-06T20:38:43.669Z")
        );
        assert_eq!(moment(&value, &["u"]), None);
    }
}
