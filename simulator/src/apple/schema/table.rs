//! Holds the committed table of names, types and ranges, taken from Apple's schema by the test `schema_table_matches_apples_files`.

use std::{collections::BTreeMap, fmt, sync::LazyLock};

use serde::{Deserialize, Serialize};

/// The committed table. Only a broken commit can make it unreadable; a test reads it.
pub(crate) static TABLE: LazyLock<Table> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../../data/apple-schema.json"))
        .expect("the committed table of Apple's schema is readable")
});

/// Every name the schema gives to a key with a free name starts like this.
const ANY: &str = "ANY";

/// A version of iOS: major and minor. A third number is dropped, which errs on the side of allowing.
pub(crate) type Version = (u32, u32);

/// Keys of a dictionary by name.
pub(crate) type Keys = BTreeMap<String, Node>;

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Table {
    /// By payload type; several forms where Apple describes one type in several files.
    pub(crate) profiles: BTreeMap<String, Vec<Entry>>,
    /// By request type.
    pub(crate) commands: BTreeMap<String, Entry>,
    /// By message type.
    pub(crate) check_ins: BTreeMap<String, Entry>,
}

/// A payload, command or check-in message.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) os: Availability,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) keys: Keys,
    /// Keys of the answer, beside those every answer has.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) response: Keys,
    /// Nodes that contain themselves, by name, for [`Node::like`].
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) shared: Keys,
}

/// When iOS takes a thing. The default is always.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Availability {
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) not_on_ios: bool,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) introduced: Option<Version>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) removed: Option<Version>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) supervised: bool,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) user_enrolment: Option<UserEnrolment>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) shared_ipad_only: bool,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) mdm_only: bool,
    /// At most one payload of this type.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) single: bool,
    /// Bits of `AccessRights` needed.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) rights: u32,
}

/// Where User Enrolment makes a difference. (Apple's "allowed" and "ignored" make none to what may be sent.)
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum UserEnrolment {
    Forbidden,
    /// Apple's "required": may be used under User Enrolment only.
    Only,
}

/// What a value must be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) required: bool,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) os: Availability,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) values: Vec<Scalar>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) min: Option<f64>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) max: Option<f64>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) format: Option<Format>,
    /// How many elements of this node its array has.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) repeat: Option<(usize, usize)>,
    /// A list of such values will do too.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) or_list: bool,
    /// Of a dictionary; none means anything goes.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) keys: Keys,
    /// Of an array: the forms an element may have; none means anything goes.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) items: Keys,
    /// Of a scalar in an array: the values it may have, each with its own availability.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) choices: BTreeMap<String, Availability>,
    /// The inside is that of this one of [`Entry::shared`].
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) like: Option<String>,
}

/// A type of property-list value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Kind {
    /// Text.
    String,
    /// Whole number.
    Integer,
    /// Number with decimals; a whole number will do where the schema asks for one.
    Real,
    /// True or false.
    Boolean,
    /// Date and time.
    Date,
    /// Bytes.
    Data,
    /// List.
    Array,
    /// Keys and values.
    Dictionary,
    /// In the schema: any of the others.
    Any,
    /// A keyed archiver's reference; never part of the protocol.
    Uid,
}

impl Kind {
    pub(crate) fn of(value: &plist::Value) -> Self {
        match value {
            plist::Value::Array(_) => Self::Array,
            plist::Value::Dictionary(_) => Self::Dictionary,
            plist::Value::Boolean(_) => Self::Boolean,
            plist::Value::Data(_) => Self::Data,
            plist::Value::Date(_) => Self::Date,
            plist::Value::Real(_) => Self::Real,
            plist::Value::Integer(_) => Self::Integer,
            plist::Value::String(_) => Self::String,
            _ => Self::Uid,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::String => "a string",
            Self::Integer => "an integer",
            Self::Real => "a real",
            Self::Boolean => "a boolean",
            Self::Date => "a date",
            Self::Data => "data",
            Self::Array => "an array",
            Self::Dictionary => "a dictionary",
            Self::Any => "any value",
            Self::Uid => "a UID",
        })
    }
}

/// A value of a list of values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Scalar {
    Integer(i64),
    Real(f64),
    Text(String),
}

impl fmt::Display for Scalar {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(number) => write!(formatter, "{number}"),
            Self::Real(number) => write!(formatter, "{number}"),
            Self::Text(text) => write!(formatter, "{text}"),
        }
    }
}

/// The forms of text the schema asks for.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Format {
    /// Groups of 8, 4, 4, 4 and 12 letters or digits.
    Uuid,
    /// Begins with `https://`.
    Https,
    /// Roaming consortium organisation identifier.
    RoamingConsortium,
    /// Mobile country and network code.
    MccMnc,
    /// Six pairs of hexadecimal digits between colons.
    HardwareAddress,
}

impl Format {
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Uuid => "a UUID (8-4-4-4-12)",
            Self::Https => "an address that begins with https://",
            Self::RoamingConsortium => "six or nine letters or digits",
            Self::MccMnc => "six digits",
            Self::HardwareAddress => "six pairs of hexadecimal digits between colons",
        }
    }

    pub(crate) fn fits(self, text: &str) -> bool {
        let alphanumeric = |part: &str| part.bytes().all(|byte| byte.is_ascii_alphanumeric());
        match self {
            Self::Uuid => {
                let lengths: Vec<usize> = text.split('-').map(str::len).collect();
                lengths == [8, 4, 4, 4, 12] && text.split('-').all(alphanumeric)
            }
            Self::Https => text.starts_with("https://"),
            Self::RoamingConsortium => matches!(text.len(), 6 | 9) && alphanumeric(text),
            Self::MccMnc => text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_digit()),
            Self::HardwareAddress => {
                let hexadecimal = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
                text.split(':').count() == 6 && text.split(':').all(hexadecimal)
            }
        }
    }
}

/// Whether this is the schema's way of saying that any key may stand here.
pub(crate) fn is_any_key(name: &str) -> bool {
    name == ANY || name.starts_with("ANY ")
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
