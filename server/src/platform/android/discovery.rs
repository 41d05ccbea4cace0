//! Google's discovery document as a judge of what is sent: unknown fields, words, forms of numbers, durations and times.
//!
//! `discovery.json` holds what the judge needs of it: names, types and patterns, without Google's descriptions. Where the
//! document itself is at hand, a test compares the two; `BEADLE_UPDATE_SCHEMA_TABLE=1` rewrites the table.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use serde_json::{Map, Value};

static COMMITTED: LazyLock<Discovery> =
    LazyLock::new(|| Discovery(serde_json::from_str(include_str!("discovery.json")).expect("JSON")));

/// What a schema is kept with.
const OF_A_SCHEMA: [&str; 6] = ["$ref", "type", "format", "enum", "readOnly", "deprecated"];
/// What is kept with those that the server sends or reads, besides what they refer to.
const SCHEMAS: [&str; 9] = [
    "Command",
    "Device",
    "EnrollmentToken",
    "Enterprise",
    "ListDevicesResponse",
    "ListOperationsResponse",
    "Operation",
    "Policy",
    "SignupUrl",
];

/// The document, as far as it is kept.
pub(super) struct Discovery(Value);

impl Discovery {
    /// Does `work` with the document.
    pub(super) fn with(work: impl FnOnce(&Self)) {
        work(&COMMITTED);
    }

    /// The words of an enumeration, without the one that stands for nothing.
    pub(super) fn words(&self, schema: &str, field: &str) -> Vec<&str> {
        let field = &self.0["schemas"][schema]["properties"][field];
        let words = field.get("enum").or_else(|| field["items"].get("enum")).expect("an enumeration");
        let words = words.as_array().expect("a list").iter().filter_map(Value::as_str);
        words.filter(|word| !word.ends_with("_UNSPECIFIED")).collect()
    }

    /// What is wrong with `value` as a `schema`. What Google itself says may hold fields that are its own to write.
    pub(super) fn problems(&self, schema: &str, value: &Value, from_google: bool) -> Vec<String> {
        let mut found = Vec::new();
        self.check(&serde_json::json!({ "$ref": schema }), value, schema, from_google, &mut found);
        found
    }

    fn check(&self, rule: &Value, value: &Value, path: &str, from_google: bool, found: &mut Vec<String>) {
        if !from_google && (rule["readOnly"] == true || rule["deprecated"] == true) {
            found.push(format!("{path} is not to be sent"));
        }
        if let Some(name) = rule["$ref"].as_str() {
            let named = &self.0["schemas"][name];
            assert!(named.is_object(), "no schema {name}");
            return self.check(named, value, path, from_google, found);
        }
        let form = match (rule["type"].as_str(), rule["format"].as_str()) {
            (Some("any"), _) => true,
            (Some("boolean"), _) => value.is_boolean(),
            (Some("integer"), _) => value.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
            (Some("number"), _) => value.is_number(),
            (Some("string"), Some("int64")) => value.as_str().is_some_and(|text| text.parse::<i64>().is_ok()),
            (Some("string"), Some("google-duration")) => value.as_str().is_some_and(is_duration),
            (Some("string"), Some("google-datetime")) => {
                value.as_str().is_some_and(|text| chrono::DateTime::parse_from_rfc3339(text).is_ok())
            }
            (Some("string"), _) => value.as_str().is_some_and(|text| {
                rule["enum"]
                    .as_array()
                    .is_none_or(|words| words.iter().any(|word| word == text) && !text.ends_with("_UNSPECIFIED"))
            }),
            (Some("array"), _) => match value.as_array() {
                Some(items) => {
                    for (index, item) in items.iter().enumerate() {
                        self.check(&rule["items"], item, &format!("{path}[{index}]"), from_google, found);
                    }
                    true
                }
                None => false,
            },
            (Some("object"), _) => match value.as_object() {
                Some(fields) => {
                    for (name, field) in fields {
                        let path = format!("{path}.{name}");
                        let rule = rule["properties"].get(name).or_else(|| rule.get("additionalProperties"));
                        match rule {
                            Some(rule) => self.check(rule, field, &path, from_google, found),
                            None => found.push(format!("{path} is unknown")),
                        }
                    }
                    true
                }
                None => false,
            },
            (other, _) => panic!("{path}: the document has a type {other:?}"),
        };
        if !form {
            found.push(format!("{path} must not be {value}"));
        }
    }

    /// What is wrong with a request: the method, its parameters, its body.
    pub(super) fn request_problems(
        &self,
        method: &str,
        path: &str,
        query: &[(String, String)],
        body: &[u8],
    ) -> Vec<String> {
        let Some(found) = find_method(&self.0["resources"], method, path) else {
            return vec![format!("there is no method {method} {path}")];
        };
        let mut problems = Vec::new();
        for (name, value) in query {
            match found["parameters"].get(name) {
                Some(rule) if rule["location"] == "query" => {
                    if rule["type"] == "integer" && value.parse::<i32>().is_err() {
                        problems.push(format!("{name} must be a number"));
                    }
                }
                _ => problems.push(format!("{name} is no parameter of {}", found["id"])),
            }
        }
        match found["request"]["$ref"].as_str() {
            Some(schema) => match serde_json::from_slice(body) {
                Ok(body) => problems.extend(self.problems(schema, &body, false)),
                Err(problem) => problems.push(format!("the body is not JSON: {problem}")),
            },
            None if body.is_empty() => {}
            None => problems.push(format!("{} takes no body", found["id"])),
        }
        problems
    }
}

/// The method whose path, a pattern such as `v1/{+name}:cancel`, is the most particular that fits.
fn find_method<'a>(resources: &'a Value, method: &str, path: &str) -> Option<&'a Value> {
    let mut all = Vec::new();
    collect(resources, &mut all);
    let fits =
        |candidate: &&Value| candidate["httpMethod"] == method && matches(candidate, path.trim_start_matches('/'));
    all.into_iter().filter(fits).max_by_key(|candidate| candidate["path"].as_str().map_or(0, str::len))
}

fn collect<'a>(resources: &'a Value, all: &mut Vec<&'a Value>) {
    for resource in resources.as_object().into_iter().flat_map(|resources| resources.values()) {
        all.extend(resource["methods"].as_object().into_iter().flat_map(|methods| methods.values()));
        collect(&resource["resources"], all);
    }
}

/// Whether `path` fits the method's pattern, including the pattern of the name in it.
fn matches(candidate: &Value, path: &str) -> bool {
    let pattern = candidate["path"].as_str().expect("a path");
    let Some((before, rest)) = pattern.split_once("{+") else { return pattern == path };
    let (parameter, after) = rest.split_once('}').expect("an end");
    let Some(name) = path.strip_prefix(before).and_then(|path| path.strip_suffix(after)) else { return false };
    let wanted = candidate["parameters"][parameter]["pattern"].as_str().expect("a pattern");
    let wanted = wanted.trim_start_matches('^').trim_end_matches('$').replace("[^/]+", "*");
    let (wanted, name): (Vec<&str>, Vec<&str>) = (wanted.split('/').collect(), name.split('/').collect());
    wanted.len() == name.len()
        && wanted
            .iter()
            .zip(&name)
            .all(|(wanted, part)| if *wanted == "*" { !part.is_empty() && !part.contains(':') } else { wanted == part })
}

fn is_duration(text: &str) -> bool {
    let Some(number) = text.strip_suffix('s') else { return false };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    [whole, fraction].iter().all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
}

/// What is kept of one schema, or of a part of one.
fn reduced(rule: &Value) -> Value {
    let mut kept: Map<String, Value> = Map::new();
    for name in OF_A_SCHEMA {
        kept.extend(rule.get(name).map(|value| (name.to_owned(), value.clone())));
    }
    for name in ["items", "additionalProperties"] {
        kept.extend(rule.get(name).map(|inside| (name.to_owned(), reduced(inside))));
    }
    if let Some(fields) = rule["properties"].as_object() {
        let fields: Map<String, Value> = fields.iter().map(|(name, field)| (name.clone(), reduced(field))).collect();
        kept.insert("properties".to_owned(), Value::Object(fields));
    }
    Value::Object(kept)
}

/// What is kept of the methods below `resources`.
fn methods(resources: &Value) -> Value {
    let pick = |from: &Value, names: &[&str]| -> Map<String, Value> {
        names.iter().filter_map(|name| from.get(*name).map(|value| ((*name).to_owned(), value.clone()))).collect()
    };
    let one = |method: &Value| {
        let mut kept = pick(method, &["id", "httpMethod", "path", "request"]);
        let parameters = method["parameters"].as_object().into_iter().flatten();
        let parameters: Map<String, Value> = parameters
            .map(|(name, rule)| (name.clone(), Value::Object(pick(rule, &["location", "type", "pattern"]))))
            .collect();
        kept.insert("parameters".to_owned(), Value::Object(parameters));
        Value::Object(kept)
    };
    let mut all = Map::new();
    for (name, resource) in resources.as_object().into_iter().flatten() {
        let own = resource["methods"].as_object().into_iter().flatten();
        let own: Map<String, Value> = own.map(|(name, method)| (name.clone(), one(method))).collect();
        all.insert(name.clone(), serde_json::json!({ "methods": own, "resources": methods(&resource["resources"]) }));
    }
    Value::Object(all)
}

fn references(rule: &Value, found: &mut Vec<String>) {
    match rule {
        Value::Object(fields) => {
            found.extend(fields.get("$ref").and_then(Value::as_str).map(str::to_owned));
            fields.values().for_each(|inside| references(inside, found));
        }
        Value::Array(items) => items.iter().for_each(|inside| references(inside, found)),
        _ => {}
    }
}

/// The table, as it is made from the document: a line for each schema, and one for the methods.
fn table(document: &Value) -> String {
    let (mut wanted, mut seen) = (SCHEMAS.map(str::to_owned).to_vec(), BTreeSet::new());
    while let Some(name) = wanted.pop() {
        references(&reduced(&document["schemas"][&name]), &mut wanted);
        assert!(document["schemas"][&name].is_object(), "no schema {name}");
        wanted.retain(|name| !seen.contains(name));
        seen.insert(name);
    }
    let schemas: Vec<String> =
        seen.iter().map(|name| format!("\"{name}\": {}", reduced(&document["schemas"][name]))).collect();
    format!(
        "{{\"revision\": {}, \"resources\": {},\n\"schemas\": {{\n{}\n}}}}\n",
        document["revision"],
        methods(&document["resources"]),
        schemas.join(",\n")
    )
}

#[test]
fn the_committed_table_is_what_googles_document_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let shared = folder.join("../../shared");
    let Ok(text) = std::fs::read_to_string(shared.join("schema/androidmanagement.v1.json")) else {
        let insisted = shared.is_dir() && std::env::var_os("TEST_SKIP_NOTHING").is_some();
        assert!(!insisted, "Google's discovery document is not in {}", shared.display());
        return eprintln!("left out: Google's discovery document is not at hand; the committed table stands for it");
    };
    let table = table(&serde_json::from_str(&text).expect("JSON"));
    let committed: PathBuf = folder.join("src/platform/android/discovery.json");
    if std::env::var_os("BEADLE_UPDATE_SCHEMA_TABLE").is_some_and(|value| value == "1") {
        return std::fs::write(committed, table).expect("the table is writable");
    }
    let same = std::fs::read_to_string(committed).expect("readable") == table;
    assert!(same, "the committed table is not what the document says; BEADLE_UPDATE_SCHEMA_TABLE=1 rewrites it");
}

#[test]
fn the_judge_sees_what_is_wrong() {
    Discovery::with(|discovery| {
        let command = serde_json::json!({
            "type": "LOOK", "duration": "90d", "createTime": 7, "nonsense": 1, "wipeParams": { "wipeDataFlags": ["ALL"] },
            "startLostModeStatus": { "status": "SUCCESS" },
        });
        let mut problems = discovery.problems("Command", &command, false);
        problems.sort();
        insta::assert_snapshot!(problems.join("\n"));
        assert!(!discovery.problems("Device", &serde_json::json!({ "appliedPolicyVersion": 17 }), true).is_empty());
        let problems =
            discovery.request_problems("GET", "/v1/enterprises/LC01/devices/3a", &[("x".into(), "1".into())], b"{}");
        assert_eq!(problems.len(), 2, "{problems:?}");
        assert_eq!(discovery.request_problems("POST", "/v1/enterprises/LC01/devices/3a:explode", &[], b"").len(), 1);
    });
}
