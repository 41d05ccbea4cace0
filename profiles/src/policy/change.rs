//! Changing one setting by its path, through the policy's own JSON, so that a new setting needs no change here.

use serde_json::Value;

use super::{Policy, Problem};

/// The policy with one setting changed.
pub(super) fn changed(policy: &Policy, path: &str, text: &str) -> Result<Policy, Problem> {
    let mut whole = to_json(policy, path)?;
    let place = find(&mut whole, path)?;
    if place.is_object() {
        let inside: Vec<String> =
            place.as_object().into_iter().flatten().map(|(name, _)| format!("{path}.{name}")).collect();
        return Err(Problem::new(path, format!("is a whole section; choose one of: {}", inside.join(", "))));
    }
    let mut last = None;
    for candidate in candidates(place, text.trim()) {
        let mut attempt = whole.clone();
        *find(&mut attempt, path)? = candidate;
        match serde_json::from_value::<Policy>(attempt) {
            Ok(policy) => return Ok(policy),
            Err(error) => last = Some(error.to_string()),
        }
    }
    Err(Problem::new(path, refusal(text, last.as_deref().unwrap_or("no value was given"))))
}

/// Every leaf of the policy.
pub(super) fn values(policy: &Policy) -> Vec<(String, String)> {
    fn walk(path: &str, value: &Value, into: &mut Vec<(String, String)>) {
        match value {
            Value::Object(fields) => {
                for (name, field) in fields {
                    let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                    walk(&path, field, into);
                }
            }
            leaf => into.push((path.to_owned(), leaf.to_string())),
        }
    }
    let mut leaves = Vec::new();
    if let Ok(whole) = serde_json::to_value(policy) {
        walk("", &whole, &mut leaves);
    }
    leaves.sort();
    leaves
}

fn to_json(policy: &Policy, path: &str) -> Result<Value, Problem> {
    serde_json::to_value(policy)
        .map_err(|error| Problem::new(path, format!("the policy cannot be written as JSON: {error}")))
}

/// Walks to the place the path names; list entries are named by their number, from 0.
fn find<'a>(whole: &'a mut Value, path: &str) -> Result<&'a mut Value, Problem> {
    let mut place = whole;
    for step in path.split('.') {
        let known = match &*place {
            Value::Object(fields) => fields.keys().cloned().collect::<Vec<_>>().join(", "),
            Value::Array(entries) if entries.is_empty() => "nothing yet: the list is empty".to_owned(),
            Value::Array(entries) => format!("0 to {}", entries.len() - 1),
            _ => "nothing further".to_owned(),
        };
        let next = match place {
            Value::Object(fields) => fields.get_mut(step),
            Value::Array(entries) => step.parse::<usize>().ok().and_then(|number| entries.get_mut(number)),
            _ => None,
        };
        place =
            next.ok_or_else(|| Problem::new(path, format!("there is no setting \"{step}\" here; known: {known}")))?;
    }
    Ok(place)
}

/// What the text may mean, most likely first; the policy's own types decide which of them fits.
fn candidates(present: &Value, text: &str) -> Vec<Value> {
    let mut meanings = Vec::new();
    if matches!(text, "" | "none" | "null") {
        meanings.push(Value::Null);
        if present.is_array() {
            meanings.push(Value::Array(Vec::new()));
        }
    }
    match text {
        "yes" | "on" => meanings.push(Value::Bool(true)),
        "no" | "off" => meanings.push(Value::Bool(false)),
        _ => {}
    }
    let parsed = serde_json::from_str::<Value>(text).ok();
    let word = Value::String(text.to_owned());
    // A version such as 17 or 18.1 is text to the policy, yet reads as a number.
    let (first, second) = if present.is_string() { (Some(word), parsed) } else { (parsed, Some(word)) };
    meanings.extend(first);
    meanings.extend(second);
    if present.is_array() {
        let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        meanings.push(Value::Array(entries.map(|entry| Value::String(entry.to_owned())).collect()));
    }
    meanings
}

/// Puts serde's message into words a clerk can use.
fn refusal(text: &str, message: &str) -> String {
    let expected = message.split_once("expected ").map_or(message, |(_, expected)| expected);
    let expected = match expected {
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65535",
        "u32" => "a whole number from 0 to 4294967295",
        "u64" => "a whole number, 0 or more",
        "a boolean" => "true or false",
        "a sequence" => "a list",
        other => other,
    };
    format!("\"{text}\" does not fit here; expected {expected}")
}

#[cfg(test)]
mod tests {
    use super::super::Preset;
    use super::*;

    #[test]
    fn changes_numbers_words_switches_and_lists() {
        let mut policy = Policy::preset(Preset::CouncilTemplate);
        policy.set("passcode.minimum_length", "8").unwrap();
        policy.set("camera.allowed", "no").unwrap();
        policy.set("updates.minimum_ios", "18").unwrap();
        policy.set("passcode.auto_lock_seconds", "none").unwrap();
        policy.set("council.loss_reported_to", "clerk, chair").unwrap();
        policy.set("wifi.networks", r#"[{"ssid":"Village hall","security":"wpa2"}]"#).unwrap();
        policy.set("wifi.networks.0.hidden", "true").unwrap();
        assert_eq!(policy.passcode.minimum_length, Some(8));
        assert!(!policy.camera.allowed);
        assert_eq!(policy.updates.minimum_ios.as_deref(), Some("18"));
        assert_eq!(policy.passcode.auto_lock_seconds, None);
        assert_eq!(policy.council.loss_reported_to.len(), 2);
        assert!(policy.wifi.networks[0].hidden);
        policy.set("council.council_device_only", "none").unwrap();
        policy.set("wifi.networks", "none").unwrap();
        assert!(policy.council.council_device_only.is_empty() && policy.wifi.networks.is_empty());
    }

    #[test]
    fn refuses_in_plain_words_and_changes_nothing() {
        let mut policy = Policy::preset(Preset::Germoe);
        let before = policy.clone();
        let mut refused = Vec::new();
        for (path, value) in [
            ("passcode.minimum_lenght", "8"),
            ("passcode", "8"),
            ("passcode.minimum_length", "300"),
            ("passcode.required", "perhaps"),
            ("written_policy", "camelot"),
            ("wifi.networks.0.ssid", "x"),
            ("", ""),
        ] {
            refused.push(policy.set(path, value).unwrap_err().to_string());
        }
        assert_eq!(policy, before);
        insta::assert_snapshot!(refused.join("\n"));
    }
}
