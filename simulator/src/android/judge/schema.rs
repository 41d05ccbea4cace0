//! Turns the discovery document's own kind of schema into JSON Schema, one for the messages and one for each request.

use jsonschema::Validator;
use serde_json::{Map, Value, json};

use super::document::{Document, KnownMethod};

/// Who wrote what is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// A caller, who must leave out what only Google writes, and what Google has deprecated.
    Caller,
    /// Google.
    Google,
}

/// Every message of the document.
pub(super) fn definitions(document: &Document, by: By) -> Value {
    document.schemas.iter().map(|(name, rule)| (name.clone(), convert(rule, by))).collect::<Map<_, _>>().into()
}

fn convert(rule: &Value, by: By) -> Value {
    if by == By::Caller && (rule["readOnly"] == true || rule["deprecated"] == true) {
        return Value::Bool(false);
    }
    if let Some(name) = rule["$ref"].as_str() {
        return json!({ "$ref": format!("#/$defs/{name}") });
    }
    match rule["type"].as_str() {
        Some("object") => {
            let fields = rule["properties"].as_object().into_iter().flatten();
            let fields: Map<String, Value> = fields.map(|(name, rule)| (name.clone(), convert(rule, by))).collect();
            let others = rule.get("additionalProperties").map_or(Value::Bool(false), |rule| convert(rule, by));
            json!({ "type": "object", "properties": fields, "additionalProperties": others })
        }
        Some("array") => json!({ "type": "array", "items": convert(&rule["items"], by) }),
        Some("string") => text(rule, by),
        Some("integer") => json!({ "type": "integer", "minimum": i32::MIN, "maximum": i32::MAX }),
        Some(kind @ ("boolean" | "number")) => json!({ "type": kind }),
        Some("any") => Value::Bool(true),
        // What a new revision may bring is refused until it is understood.
        _ => Value::Bool(false),
    }
}

fn text(rule: &Value, by: By) -> Value {
    let mut made = json!({ "type": "string" });
    if let Some(words) = rule["enum"].as_array() {
        let old = |place: usize| by == By::Caller && rule["enumDeprecated"][place] == true;
        made["enum"] =
            words.iter().enumerate().filter(|(place, _)| !old(*place)).map(|(_, word)| word.clone()).collect();
    }
    for name in ["format", "pattern"] {
        if let Some(value) = rule.get(name) {
            made[name] = value.clone();
        }
    }
    made
}

/// A whole request of a method: path, query and body.
pub(super) fn request(method: &KnownMethod) -> Value {
    let query: Map<String, Value> = method
        .query
        .iter()
        .map(|(name, rule)| {
            let one = convert(rule, By::Caller);
            (name.clone(), if rule["repeated"] == true { json!({ "type": "array", "items": one }) } else { one })
        })
        .collect();
    let required: Vec<&String> =
        method.query.iter().filter(|(_, rule)| rule["required"] == true).map(|(name, _)| name).collect();
    let (body, needed) = match &method.body {
        Some(name) => (json!({ "$ref": format!("#/$defs/{name}") }), vec!["path", "query", "body"]),
        // Google takes an empty object where a method has no body.
        None => (json!({ "const": {} }), vec!["path", "query"]),
    };
    json!({
        "type": "object",
        "properties": {
            "path": { "type": "string", "pattern": pattern(&method.path) },
            "query": { "type": "object", "properties": query, "required": required, "additionalProperties": false },
            "body": body,
        },
        "required": needed,
        "additionalProperties": false,
    })
}

/// The paths that a template stands for.
fn pattern(template: &str) -> String {
    let mut pattern = String::from("^");
    let mut rest = template;
    while let Some((before, (_, after))) =
        rest.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?)))
    {
        pattern.push_str(before);
        pattern.push_str("[^/:?#]+");
        rest = after;
    }
    pattern + rest + "$"
}

/// A query as the document's types have it: a list where a name may come again, numbers and truth values read. What cannot be read
/// stays text, and what comes twice a list, for the validator to refuse.
pub(super) fn query(method: &KnownMethod, query: &[(String, String)]) -> Value {
    let mut read: Map<String, Value> = Map::new();
    for (name, value) in query {
        let rule = method.query.get(name).unwrap_or(&Value::Null);
        let value = match rule["type"].as_str() {
            Some("integer") => value.parse::<i64>().map_or_else(|_| json!(value), Value::from),
            Some("boolean") => value.parse::<bool>().map_or_else(|_| json!(value), Value::from),
            _ => json!(value),
        };
        match read.get_mut(name) {
            Some(Value::Array(earlier)) => earlier.push(value),
            Some(earlier) => *earlier = json!([earlier.take(), value]),
            None => {
                let whole = if rule["repeated"] == true { json!([value]) } else { value };
                read.insert(name.clone(), whole);
            }
        }
    }
    Value::Object(read)
}

/// Compiles a schema, with the forms of text that Google's documents name.
pub(super) fn compile(schema: &Value) -> Result<Validator, String> {
    jsonschema::options()
        .should_validate_formats(true)
        .with_format("int64", |text: &str| text.parse::<i64>().is_ok())
        .with_format("google-duration", is_duration)
        .with_format("google-datetime", |text: &str| chrono::DateTime::parse_from_rfc3339(text).is_ok())
        .with_format("google-fieldmask", is_mask)
        .with_format("byte", |text: &str| {
            use base64::Engine as _;
            base64::engine::general_purpose::STANDARD.decode(text).is_ok()
        })
        .should_ignore_unknown_formats(false)
        .build(schema)
        .map_err(|problem| problem.to_string())
}

fn is_duration(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|octet| octet.is_ascii_digit());
    let Some(number) = text.strip_suffix('s') else { return false };
    match number.strip_prefix('-').unwrap_or(number).split_once('.') {
        Some((whole, fraction)) => digits(whole) && digits(fraction) && fraction.len() <= 9,
        None => digits(number.strip_prefix('-').unwrap_or(number)),
    }
}

fn is_mask(text: &str) -> bool {
    let is_letter = |octet: u8| octet.is_ascii_alphanumeric() || octet == b'_';
    let path = |path: &str| path.split('.').all(|part| !part.is_empty() && part.bytes().all(is_letter));
    text.split(',').all(path)
}
