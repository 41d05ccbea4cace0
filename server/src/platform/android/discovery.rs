//! Google's discovery document as a judge of what is sent: unknown fields, words, forms of numbers, durations and times.

use std::path::Path;
use std::sync::OnceLock;

use serde_json::Value;

static DOCUMENT: OnceLock<Option<Discovery>> = OnceLock::new();

/// The document, where it is at hand.
pub(super) struct Discovery(Value);

impl Discovery {
    /// Does `work` with the document; nothing where it is not at hand, since the snapshots still hold the bodies.
    pub(super) fn with(work: impl FnOnce(&Self)) {
        let document = DOCUMENT.get_or_init(|| {
            let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/schema/androidmanagement.v1.json");
            if !file.exists() {
                eprintln!("skipped: the discovery document is not at hand");
                return None;
            }
            let text = std::fs::read_to_string(file).expect("readable");
            Some(Self(serde_json::from_str(&text).expect("JSON")))
        });
        if let Some(document) = document {
            work(document);
        }
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
