//! Field masks: which parts of a resource a `patch` changes.

use serde_json::{Map, Value};

use super::check::Finding;
use super::table::{Kind, TABLE};

/// The paths of an `updateMask`, in JSON's spelling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mask(Vec<Vec<String>>);

impl Mask {
    /// Reads `a,b.c` for a message; names may be spelled as in JSON or with underscores, as Google takes both.
    ///
    /// # Errors
    /// The findings, when a path names no field that may be written.
    pub fn read(message: &str, text: &str) -> Result<Self, Vec<Finding>> {
        let mut found = Vec::new();
        let mut paths = Vec::new();
        for path in text.split(',') {
            let parts: Vec<String> = path.trim().split('.').map(camel).collect();
            match judge(message, &parts) {
                Ok(()) => paths.push(parts),
                Err(problem) => found.push(Finding::refused("updateMask", format!("'{path}': {problem}"))),
            }
        }
        if found.is_empty() { Ok(Self(paths)) } else { Err(found) }
    }

    /// Whether a top-level field is named, wholly or in part.
    pub fn names(&self, field: &str) -> bool {
        self.0.iter().any(|path| path.first().is_some_and(|first| first == field))
    }
}

fn camel(name: &str) -> String {
    let mut parts = name.split('_');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let mut letters = part.chars();
        out.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        out.push_str(letters.as_str());
    }
    out
}

fn judge(message: &str, path: &[String]) -> Result<(), &'static str> {
    let mut message = Some(message.to_owned());
    for (depth, name) in path.iter().enumerate() {
        let fields = message.as_deref().and_then(|message| TABLE.messages.get(message));
        let field = fields.and_then(|fields| fields.get(name)).ok_or("no such field")?;
        if field.read_only {
            return Err("output only");
        }
        if field.deprecated {
            return Err("deprecated");
        }
        let last = depth + 1 == path.len();
        if !last && (field.list || field.map || field.kind != Kind::Message) {
            return Err("a path may not go into a list or a map");
        }
        message = field.message.clone();
    }
    Ok(())
}

/// The stored resource with what the mask names taken from the body; without a mask, the body replaces it.
pub fn apply_mask(stored: &Value, body: &Value, mask: Option<&Mask>) -> Value {
    let Some(Mask(paths)) = mask else { return body.clone() };
    let mut result = stored.clone();
    for path in paths {
        let value = path.iter().try_fold(body, |place, name| place.get(name)).cloned();
        put(&mut result, path, value);
    }
    result
}

fn put(place: &mut Value, path: &[String], value: Option<Value>) {
    let Some((name, rest)) = path.split_first() else { return };
    if !place.is_object() {
        *place = Value::Object(Map::new());
    }
    let Some(object) = place.as_object_mut() else { return };
    match (rest.is_empty(), value) {
        (true, Some(value)) => {
            object.insert(name.clone(), value);
        }
        (true, None) => {
            object.remove(name);
        }
        // Clearing something inside what is absent changes nothing.
        (false, None) if !object.contains_key(name) => {}
        (false, value) => put(object.entry(name.clone()).or_insert(Value::Null), rest, value),
    }
}
