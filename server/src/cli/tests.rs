use std::collections::BTreeSet;
use std::path::Path;

use clap::CommandFactory as _;
use serde_json::Value;

use super::endpoints::{ALL, Endpoint};
use super::{Cli, reference};

#[cfg(feature = "demo")]
mod android;
mod end_to_end;

use crate::web::api::document::document;
pub(super) use end_to_end::{hear, type_in};

#[test]
fn the_commands_are_well_formed() {
    Cli::command().debug_assert();
}

#[test]
fn the_reference_in_the_documentation_is_in_step() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/commands.md");
    if std::env::var_os("UPDATE_REFERENCE").is_some() {
        std::fs::write(&file, reference::page()).expect("written");
    }
    let written = std::fs::read_to_string(&file).expect("docs/commands.md");
    assert!(written == reference::page(), "run this test once with UPDATE_REFERENCE=1");
}

/// The commands in a page of the documentation: lines of its shell examples, and what stands between backticks.
fn commands_in(page: &str) -> (Vec<String>, Vec<String>) {
    let (mut lines, mut words, mut example) = (Vec::new(), Vec::new(), None);
    for line in page.lines() {
        match (line.strip_prefix("```"), example) {
            (Some(language), None) => example = Some(language == "sh"),
            (Some(_), Some(_)) => example = None,
            (None, Some(shell)) => lines.extend((shell && line.starts_with("beadle ")).then(|| line.to_owned())),
            (None, None) => {
                let quoted = line.split('`').skip(1).step_by(2).filter(|text| text.starts_with("beadle "));
                words.extend(quoted.map(str::to_owned));
            }
        }
    }
    (lines, words)
}

/// A command line as a shell takes it apart, as far as the documentation needs it.
fn shell_words(line: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (place, part) in line.split('"').enumerate() {
        if place % 2 == 1 {
            found.push(part.to_owned());
        } else {
            found.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    found
}

#[test]
fn every_command_in_the_guides_exists() {
    use clap::Parser as _;
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    for (name, fewest) in [("operating.md", 30), ("keeping.md", 0)] {
        let (lines, words) = commands_in(&std::fs::read_to_string(docs.join(name)).expect(name));
        assert!(lines.len() >= fewest, "{name} is read: {lines:?}");
        for line in lines {
            Cli::try_parse_from(shell_words(&line)).unwrap_or_else(|problem| panic!("{name}: {line}\n{problem}"));
        }
        // In running text a command need not be whole, but what is there must be right.
        for text in words {
            let mut command = Cli::command();
            for word in shell_words(&text).iter().skip(1) {
                if let Some(option) = word.strip_prefix("--") {
                    let everywhere = Cli::command();
                    let mut known = command.get_arguments().chain(everywhere.get_arguments());
                    assert!(known.any(|argument| argument.get_long() == Some(option)), "{name}: {text}: --{option}");
                } else if command.has_subcommands() {
                    let next = command.find_subcommand(word).cloned();
                    command = next.unwrap_or_else(|| panic!("{name}: {text}: there is no {word}"));
                }
            }
        }
    }
}

/// What one operation of the API takes and gives, by the names of the fields.
struct Described {
    takes: BTreeSet<String>,
    must_take: BTreeSet<String>,
    asks: BTreeSet<String>,
    schema: Option<Value>,
}

fn follow<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    match schema.get("$ref").and_then(Value::as_str) {
        Some(reference) => {
            document.pointer(reference.trim_start_matches('#')).map_or(schema, |found| follow(document, found))
        }
        None => schema,
    }
}

/// The properties of a schema, also of one that is put together from several, and of one that may be null.
fn properties<'a>(document: &'a Value, schema: &'a Value) -> Vec<(&'a String, &'a Value)> {
    let schema = follow(document, schema);
    let mut found: Vec<_> = schema.get("properties").and_then(Value::as_object).into_iter().flatten().collect();
    for word in ["allOf", "oneOf", "anyOf"] {
        let parts = schema.get(word).and_then(Value::as_array).into_iter().flatten();
        found.extend(parts.flat_map(|part| properties(document, part)));
    }
    found
}

fn names(value: Option<&Value>) -> BTreeSet<String> {
    value.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn described(document: &Value, endpoint: &Endpoint) -> Option<Described> {
    let without_names = |path: &str| {
        let parts = path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part });
        parts.collect::<Vec<_>>().join("/")
    };
    let wanted = without_names(&format!("/api/v1{}", endpoint.path));
    let method = endpoint.method.as_str().to_lowercase();
    let operation = document
        .get("paths")?
        .as_object()?
        .iter()
        .filter(|(path, _)| without_names(path) == wanted)
        .find_map(|(_, item)| item.get(&method))?;
    let body = operation.pointer("/requestBody/content/application~1json/schema").map(|body| follow(document, body));
    let parameters = operation.get("parameters").and_then(Value::as_array).into_iter().flatten();
    let answers = operation.get("responses").and_then(Value::as_object).into_iter().flatten();
    Some(Described {
        takes: body
            .map(|body| properties(document, body))
            .into_iter()
            .flatten()
            .map(|(name, _)| name.clone())
            .collect(),
        must_take: names(body.and_then(|body| body.get("required"))),
        asks: parameters
            .filter(|parameter| parameter.get("in").and_then(Value::as_str) == Some("query"))
            .filter_map(|parameter| parameter.get("name")?.as_str().map(str::to_owned))
            .collect(),
        schema: answers
            .filter(|(status, _)| status.starts_with('2'))
            .find_map(|(_, answer)| answer.pointer("/content/application~1json/schema").cloned()),
    })
}

/// Whether an item of the list that `schema` describes has the dotted `column`.
fn has_column(document: &Value, schema: &Value, column: &str) -> bool {
    let list = follow(document, schema);
    let items =
        properties(document, list).into_iter().find(|(name, _)| *name == "items").map_or(list, |(_, items)| items);
    let mut at = items.get("items").unwrap_or(items);
    for part in column.split('.') {
        match properties(document, at).into_iter().find(|(name, _)| *name == part) {
            Some((_, inner)) => at = inner,
            None => return false,
        }
    }
    true
}

#[test]
fn everything_that_the_commands_send_is_in_the_description_of_the_api() {
    let document = document().expect("a document");
    let mut wrong = Vec::new();
    for endpoint in ALL {
        let said = format!("{} {}", endpoint.method, endpoint.path);
        let Some(described) = described(document, endpoint) else {
            wrong.push(format!("{said}: the API has no such operation"));
            continue;
        };
        let sent: BTreeSet<String> = endpoint.takes.split_whitespace().map(str::to_owned).collect();
        for field in sent.difference(&described.takes) {
            wrong.push(format!("{said}: the API takes no {field}, but {:?}", described.takes));
        }
        for field in described.must_take.difference(&sent) {
            wrong.push(format!("{said}: the API needs {field}"));
        }
        for parameter in endpoint.asks.split_whitespace().filter(|asked| !described.asks.contains(*asked)) {
            wrong.push(format!("{said}: the API is not asked for {parameter}, but {:?}", described.asks));
        }
        for column in endpoint.columns() {
            if !described.schema.as_ref().is_some_and(|schema| has_column(document, schema, column)) {
                wrong.push(format!("{said}: the list has no {column}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
