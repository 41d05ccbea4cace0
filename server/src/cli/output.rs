//! What a person sees: tables, fields, sentences; or the API's JSON as it is.

use comfy_table::Table;
use serde_json::{Map, Value};

use super::Answer;

/// Writes a line to standard output; a reader that went away is no fault of ours.
pub(super) fn say(text: impl std::fmt::Display) {
    use std::io::Write as _;
    #[cfg(test)]
    if super::tests::hear(&text.to_string()) {
        return;
    }
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// Prints `value` as JSON.
pub(super) fn json(value: &Value) -> Answer {
    say(serde_json::to_string_pretty(value).map_err(crate::Error::from)?);
    Ok(())
}

/// A value as it stands in a cell or after a colon.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::Null => "–".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::String(text) => moment(text).unwrap_or_else(|| text.clone()),
        Value::Array(values) => values.iter().map(plain).collect::<Vec<_>>().join(", "),
        Value::Object(_) => value.to_string(),
        Value::Number(number) => number.to_string(),
    }
}

/// A time to the second: more only clutters.
fn moment(text: &str) -> Option<String> {
    if text.len() < 20 || text.as_bytes().get(10) != Some(&b'T') {
        return None;
    }
    let time = chrono::DateTime::parse_from_rfc3339(text).ok()?;
    Some(time.to_utc().format("%Y-%m-%d %H:%M:%S UTC").to_string())
}

fn heading(field: &str) -> String {
    let words = field.rsplit('.').next().unwrap_or(field).replace('_', " ");
    let mut letters = words.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => words,
    }
}

fn at<'a>(item: &'a Value, field: &str) -> &'a Value {
    item.pointer(&format!("/{}", field.replace('.', "/"))).unwrap_or(&Value::Null)
}

/// A table of `items` with the columns `fields` (dotted for what lies deeper); columns that are empty throughout are left out.
pub(super) fn table(items: &[Value], fields: &[&str]) {
    if items.is_empty() {
        say("There are none.");
        return;
    }
    let shown: Vec<&str> =
        fields.iter().copied().filter(|field| items.iter().any(|item| !at(item, field).is_null())).collect();
    let mut table = Table::new();
    table.load_style(comfy_table::presets::UTF8_HORIZONTAL_ONLY);
    table.set_header(shown.iter().map(|field| heading(field)));
    for item in items {
        table.add_row(shown.iter().map(|field| plain(at(item, field))));
    }
    say(table);
}

/// The fields of one thing, one a line; lists of things as tables below.
pub(super) fn record(value: &Value) {
    let Value::Object(fields) = value else {
        if !value.is_null() {
            say(plain(value));
        }
        return;
    };
    let mut lines = Vec::new();
    let mut tables = Vec::new();
    flatten("", fields, &mut lines, &mut tables);
    let width = lines.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    for (name, text) in lines {
        say(format!("{name:<width$}  {text}"));
    }
    for (name, items) in tables {
        say(format!("\n{name}:"));
        let mut columns: Vec<&str> = Vec::new();
        for item in items.iter().filter_map(Value::as_object) {
            for (column, value) in item {
                if !value.is_object() && !columns.contains(&column.as_str()) {
                    columns.push(column);
                }
            }
        }
        table(&items, &columns);
    }
}

fn flatten(
    prefix: &str,
    fields: &Map<String, Value>,
    lines: &mut Vec<(String, String)>,
    tables: &mut Vec<(String, Vec<Value>)>,
) {
    for (name, value) in fields {
        let name = if prefix.is_empty() { heading(name) } else { format!("{prefix} {}", name.replace('_', " ")) };
        match value {
            Value::Null => {}
            Value::Object(inner) => flatten(&name, inner, lines, tables),
            Value::Array(items) if items.iter().any(Value::is_object) => tables.push((name, items.clone())),
            Value::Array(items) if items.is_empty() => {}
            other => lines.push((name, plain(other))),
        }
    }
}

/// A field of an answer inside a sentence; "?" where the server did not say.
pub(super) fn word(value: &Value, field: &str) -> String {
    match at(value, field) {
        Value::Null => "?".to_owned(),
        value => plain(value),
    }
}

/// What the person must know at once.
pub(super) fn warnings(answer: &Value) {
    for warning in answer.get("warnings").and_then(Value::as_array).into_iter().flatten() {
        say(format!("! {}", plain(warning)));
    }
}
