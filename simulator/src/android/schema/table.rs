//! The shape of our table of the Android Management API, and the committed table itself.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

/// The committed table. A table that cannot be read is empty, so that everything is refused; a test would say so at once.
pub static TABLE: LazyLock<Table> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../../data/android-management.json")).unwrap_or_default());

/// Methods and messages of the Android Management API that this stand-in knows.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// Google's revision of the discovery document.
    pub revision: String,
    /// Methods by their short name, such as `enterprises.devices.issueCommand`.
    pub methods: BTreeMap<String, Method>,
    /// Messages by name, each with its fields.
    pub messages: BTreeMap<String, BTreeMap<String, Field>>,
}

/// One method.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Method {
    /// `GET`, `POST`, `PATCH` or `DELETE`.
    pub http: String,
    /// The path with placeholders, such as `v1/enterprises/{enterprisesId}`.
    pub path: String,
    /// Query parameters.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub query: BTreeMap<String, Field>,
    /// The message in the request's body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// The message in the answer's body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<String>,
}

/// One field of a message, or one query parameter.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Field {
    /// The type of the value, or of each element or map value.
    pub kind: Kind,
    /// The name of the message, for [`Kind::Message`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// A list of such values.
    #[serde(default, skip_serializing_if = "is_default")]
    pub list: bool,
    /// A map from text to such values.
    #[serde(default, skip_serializing_if = "is_default")]
    pub map: bool,
    /// The members of the enumeration; empty when it is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
    /// Those members that Google has deprecated.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deprecated_values: Vec<String>,
    /// Written by Google only.
    #[serde(default, skip_serializing_if = "is_default")]
    pub read_only: bool,
    /// Deprecated by Google.
    #[serde(default, skip_serializing_if = "is_default")]
    pub deprecated: bool,
}

/// The types of the discovery document.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Any JSON value.
    #[default]
    Any,
    /// Text.
    String,
    /// `true` or `false`.
    Boolean,
    /// A number of 32 bits.
    Int32,
    /// A number of 64 bits, as decimal text.
    Int64,
    /// A number with a fraction.
    Double,
    /// Seconds as text, such as `3600s`.
    Duration,
    /// A moment as text (RFC 3339).
    Datetime,
    /// Octets as base64 text.
    Bytes,
    /// Paths of fields, separated by commas.
    Fieldmask,
    /// Another message.
    Message,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
