//! Walks a body or a query through the table, and says what Google would refuse and what it would pass over.

use serde_json::{Map, Value};

use super::table::{Field, Kind, TABLE};

/// One thing found in a body or query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Where: names joined by dots, places in lists in brackets, as in `policy.passwordPolicies[0].passwordScope`.
    pub path: String,
    /// What is wrong there, in words like Google's.
    pub problem: String,
    /// Whether Google refuses it; otherwise it passes it over in silence, and the finding is only a note.
    pub refused: bool,
}

impl Finding {
    /// A finding for which the call is refused.
    pub fn refused(path: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { path: path.into(), problem: problem.into(), refused: true }
    }

    fn note(path: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { refused: false, ..Self::refused(path, problem) }
    }
}

impl std::fmt::Display for Finding {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}: {}", self.path, self.problem)
    }
}

/// Checks a body against a message of the table.
pub fn check_body(message: &str, body: &Value) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut root = message.to_owned();
    if let Some(first) = root.get_mut(..1) {
        first.make_ascii_lowercase();
    }
    match body.as_object() {
        Some(object) => check_message(message, object, &root, &mut found),
        None => found.push(Finding::refused(root, "Invalid JSON payload received. The body must be an object.")),
    }
    found
}

/// Checks the query of a method: unknown names, wrong types, and a name given twice that may stand once.
pub fn check_query(method: &str, query: &[(String, String)]) -> Vec<Finding> {
    let mut found = Vec::new();
    let known = TABLE.methods.get(method);
    for (place, (name, value)) in query.iter().enumerate() {
        // Google's own parameters, the same for every method; the others would put a secret into the address.
        if matches!(name.as_str(), "alt" | "prettyPrint" | "quotaUser" | "fields" | "$.xgafv") {
            continue;
        }
        let Some(field) = known.and_then(|method| method.query.get(name)) else {
            let problem =
                format!("Invalid JSON payload received. Unknown name \"{name}\": Cannot bind query parameter.");
            found.push(Finding::refused(name.as_str(), problem));
            continue;
        };
        if !field.list && query.iter().take(place).any(|(earlier, _)| earlier == name) {
            found.push(Finding::refused(name.as_str(), "Given twice."));
        }
        if field.deprecated {
            found.push(Finding::refused(name.as_str(), "Deprecated."));
        }
        let read = match field.kind {
            Kind::Int32 => value.parse::<i32>().map(Value::from).ok(),
            Kind::Boolean => value.parse::<bool>().map(Value::from).ok(),
            _ => Some(Value::from(value.as_str())),
        };
        check_one(field, &read.unwrap_or(Value::Null), name, &mut found);
    }
    found
}

fn check_message(message: &str, object: &Map<String, Value>, path: &str, found: &mut Vec<Finding>) {
    let Some(fields) = TABLE.messages.get(message) else {
        return found.push(Finding::refused(path, format!("The stand-in does not know the message {message}.")));
    };
    for (name, value) in object {
        let here = format!("{path}.{name}");
        let Some(field) = fields.get(name) else {
            let problem =
                format!("Invalid JSON payload received. Unknown name \"{name}\" at '{path}': Cannot find field.");
            found.push(Finding::refused(here, problem));
            continue;
        };
        if field.deprecated {
            found.push(Finding::refused(&here, "Deprecated by Google."));
        }
        if field.read_only {
            found.push(Finding::note(&here, "Output only: Google passes it over."));
        }
        check_field(field, value, &here, found);
    }
}

fn check_field(field: &Field, value: &Value, path: &str, found: &mut Vec<Finding>) {
    match value {
        Value::Null if field.kind != Kind::Any => {
            found.push(Finding::refused(path, "null: a field that is not set must be left out."));
        }
        Value::Array(items) if field.list => {
            for (place, item) in items.iter().enumerate() {
                check_one(field, item, &format!("{path}[{place}]"), found);
            }
        }
        Value::Object(entries) if field.map => {
            for (key, entry) in entries {
                check_one(field, entry, &format!("{path}.{key}"), found);
            }
        }
        _ if field.list => found.push(invalid(path, "a list", value)),
        _ if field.map => found.push(invalid(path, "an object", value)),
        _ => check_one(field, value, path, found),
    }
}

fn check_one(field: &Field, value: &Value, path: &str, found: &mut Vec<Finding>) {
    let text = value.as_str();
    let fits = match field.kind {
        Kind::Any => true,
        Kind::Message => {
            if let (Some(object), Some(message)) = (value.as_object(), &field.message) {
                check_message(message, object, path, found);
            }
            value.is_object()
        }
        Kind::String | Kind::Fieldmask => text.is_some(),
        Kind::Boolean => value.is_boolean(),
        Kind::Int32 => value.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
        Kind::Int64 => text.is_some_and(|text| text.parse::<i64>().is_ok()),
        Kind::Double => value.is_number(),
        Kind::Duration => text.is_some_and(|text| seconds(text).is_some()),
        Kind::Datetime => text.is_some_and(|text| chrono::DateTime::parse_from_rfc3339(text).is_ok()),
        Kind::Bytes => text.is_some_and(is_base64),
    };
    if !fits {
        return found.push(invalid(path, words(field.kind), value));
    }
    let Some(member) = text.filter(|_| !field.values.is_empty()) else { return };
    if !field.values.iter().any(|known| known == member) {
        found.push(invalid(path, "a member of the enumeration", value));
    } else if field.deprecated_values.iter().any(|old| old == member) {
        found.push(Finding::refused(path, format!("{member} is deprecated by Google.")));
    }
}

fn invalid(path: &str, wanted: &str, value: &Value) -> Finding {
    let shown: String = value.to_string().chars().take(80).collect();
    Finding::refused(path, format!("Invalid value at '{path}' ({wanted} is wanted), {shown}"))
}

fn words(kind: Kind) -> &'static str {
    match kind {
        Kind::Any => "anything",
        Kind::String | Kind::Fieldmask => "text",
        Kind::Boolean => "true or false",
        Kind::Int32 => "a number of 32 bits",
        Kind::Int64 => "a number of 64 bits as text",
        Kind::Double => "a number",
        Kind::Duration => "seconds as text, such as \"3600s\"",
        Kind::Datetime => "a moment as in RFC 3339",
        Kind::Bytes => "base64 text",
        Kind::Message => "an object",
    }
}

fn is_base64(text: &str) -> bool {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.decode(text).is_ok()
        || base64::engine::general_purpose::URL_SAFE.decode(text).is_ok()
}

/// The whole seconds of a duration such as `3600s` or `1.5s`; `None` for anything else.
pub(crate) fn seconds(text: &str) -> Option<i64> {
    let number = text.strip_suffix('s')?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = whole.strip_prefix('-').unwrap_or(whole);
    // Protocol buffers end at about 10,000 years.
    let fits = digits(unsigned) && digits(fraction) && fraction.len() <= 9;
    fits.then(|| whole.parse::<i64>().ok()).flatten().filter(|seconds| seconds.abs() <= 315_576_000_000)
}

/// The body as Google gives it back: protocol buffers do not write what has its default value (`false`, 0, "", an empty list).
/// What stands in free-form places stays as it was. Output-only fields sent by the caller are gone.
pub fn without_defaults(message: &str, body: &Value) -> Value {
    let mut kept = Map::new();
    let fields = TABLE.messages.get(message);
    for (name, value) in body.as_object().into_iter().flatten() {
        let Some(field) = fields.and_then(|fields| fields.get(name)) else { continue };
        if field.read_only {
            continue;
        }
        let inner = |value: &Value| match (&field.message, field.kind) {
            (Some(message), Kind::Message) => without_defaults(message, value),
            _ => value.clone(),
        };
        let value = match value {
            Value::Array(items) if field.list => Value::Array(items.iter().map(inner).collect()),
            Value::Object(entries) if field.map => {
                Value::Object(entries.iter().map(|(key, entry)| (key.clone(), inner(entry))).collect())
            }
            other => inner(other),
        };
        let default = match &value {
            Value::Null => true,
            Value::Bool(value) => !value,
            Value::Number(number) => number.as_f64() == Some(0.0),
            Value::String(text) => {
                text.is_empty()
                    || (field.kind == Kind::Int64 && text == "0")
                    || field.values.first().is_some_and(|first| first == text && text.ends_with("UNSPECIFIED"))
            }
            Value::Array(items) => items.is_empty(),
            Value::Object(entries) => field.map && entries.is_empty(),
        };
        if !default || field.kind == Kind::Any {
            kept.insert(name.clone(), value);
        }
    }
    Value::Object(kept)
}
