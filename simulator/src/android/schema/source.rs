//! Makes the committed table from Google's discovery document, so that it can be made again when Google publishes a new revision.
//! `BEADLE_UPDATE_SCHEMA_TABLE=1 cargo test -p beadle-simulator android_schema_table` rewrites it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::table::{Field, Kind, Method, TABLE, Table};

/// The methods that the stand-in plays. `enterprises.delete` is among them only to be refused.
const METHODS: [&str; 24] = [
    "signupUrls.create",
    "enterprises.create",
    "enterprises.get",
    "enterprises.list",
    "enterprises.patch",
    "enterprises.delete",
    "enterprises.policies.get",
    "enterprises.policies.list",
    "enterprises.policies.patch",
    "enterprises.policies.delete",
    "enterprises.enrollmentTokens.create",
    "enterprises.enrollmentTokens.get",
    "enterprises.enrollmentTokens.list",
    "enterprises.enrollmentTokens.delete",
    "enterprises.devices.get",
    "enterprises.devices.list",
    "enterprises.devices.patch",
    "enterprises.devices.delete",
    "enterprises.devices.issueCommand",
    "enterprises.devices.operations.get",
    "enterprises.devices.operations.list",
    "enterprises.devices.operations.cancel",
    "enterprises.policies.modifyPolicyApplications",
    "enterprises.policies.removePolicyApplications",
];

fn googles_document() -> Option<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/schema/androidmanagement.v1.json");
    let text = fs::read_to_string(path).ok()?;
    Some(serde_json::from_str(&text).expect("the discovery document is JSON"))
}

fn committed() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data/android-management.json")
}

#[test]
fn android_schema_table_matches_googles_document() {
    let from_google = googles_document().map(|document| read(&document));
    if let Some(table) = &from_google
        && std::env::var_os("BEADLE_UPDATE_SCHEMA_TABLE").is_some_and(|value| value == "1")
    {
        check_sanity(table);
        return fs::write(committed(), write(table)).expect("the table is writable");
    }
    check_sanity(&TABLE);
    let Some(table) = from_google else {
        let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
        let insisted = shared.is_dir() && std::env::var_os("TEST_SKIP_NOTHING").is_some();
        assert!(
            !insisted,
            "Google's discovery document is not in {}, and nothing may be left out here",
            shared.display()
        );
        return eprintln!(
            "left out: Google's discovery document is not beside the repository; only the committed table's own sanity was \
             checked"
        );
    };
    let same = *TABLE == table && fs::read_to_string(committed()).is_ok_and(|committed| committed == write(&table));
    assert!(same, "the committed table is not what Google's document says; BEADLE_UPDATE_SCHEMA_TABLE=1 rewrites it");
}

/// What must hold of any revision, checked even where Google's document is missing.
fn check_sanity(table: &Table) {
    assert_eq!(table.methods.len(), METHODS.len());
    assert!(table.messages.len() > 80, "{}", table.messages.len());
    let field = |message: &str, field: &str| table.messages[message][field].clone();
    assert_eq!(field("Policy", "maximumTimeToLock").kind, Kind::Int64);
    assert!(field("Policy", "passwordRequirements").deprecated);
    assert!(field("Policy", "version").read_only && field("EnrollmentToken", "value").read_only);
    assert_eq!(field("Command", "duration").kind, Kind::Duration);
    assert!(field("Command", "type").values.contains(&"WIPE".to_owned()));
    assert!(field("WipeParams", "wipeDataFlags").list);
    assert!(field("UserFacingMessage", "localizedMessages").map);
    assert!(field("Policy", "locationMode").deprecated_values.contains(&"HIGH_ACCURACY".to_owned()));
    assert_eq!(table.methods["enterprises.policies.patch"].query["updateMask"].kind, Kind::Fieldmask);
    for fields in table.messages.values() {
        for (name, field) in fields {
            assert_eq!(field.kind == Kind::Message, field.message.is_some(), "{name}");
            assert!(field.message.as_ref().is_none_or(|message| table.messages.contains_key(message)), "{name}");
        }
    }
}

fn read(document: &Value) -> Table {
    let mut table = Table { revision: text(&document["revision"]), ..Table::default() };
    for name in METHODS {
        let mut place = document;
        let mut parts: Vec<&str> = name.split('.').collect();
        let last = parts.pop().expect("every method has a name");
        for part in parts {
            place = &place["resources"][part];
        }
        let method = &place["methods"][last];
        assert!(method.is_object(), "Google has no method {name} any more");
        let message = |key: &str| method[key]["$ref"].as_str().map(str::to_owned);
        let parameters = method["parameters"].as_object().expect("every method has parameters");
        let query = parameters.iter().filter(|(_, parameter)| parameter["location"] == "query");
        let path = method["flatPath"].as_str().unwrap_or_else(|| method["path"].as_str().expect("a path"));
        table.methods.insert(
            name.to_owned(),
            Method {
                http: text(&method["httpMethod"]),
                path: path.to_owned(),
                query: query.map(|(name, parameter)| (name.clone(), field(parameter))).collect(),
                request: message("request"),
                response: message("response"),
            },
        );
    }
    let mut wanted: Vec<String> =
        table.methods.values().flat_map(|method| [method.request.clone(), method.response.clone()]).flatten().collect();
    // What stands in free-form places: an operation's metadata, and what Pub/Sub carries.
    wanted.extend(["Command", "BatchUsageLogEvents"].map(str::to_owned));
    while let Some(name) = wanted.pop() {
        if table.messages.contains_key(&name) {
            continue;
        }
        let properties = document["schemas"][&name]["properties"].as_object().cloned().unwrap_or_default();
        let fields: BTreeMap<String, Field> =
            properties.iter().map(|(name, property)| (name.clone(), field(property))).collect();
        wanted.extend(fields.values().filter_map(|field| field.message.clone()));
        table.messages.insert(name, fields);
    }
    table
}

fn field(property: &Value) -> Field {
    let described = property["description"].as_str().unwrap_or_default();
    let repeated = property["repeated"] == true;
    let list = property["type"] == "array" || repeated;
    let additional = &property["additionalProperties"];
    let inner = match (property["type"].as_str(), additional.is_object()) {
        (Some("array"), _) => &property["items"],
        // `any` values make a free-form object, not a map of messages.
        (_, true) if additional["type"] != "any" => additional,
        _ => property,
    };
    let kind = match (inner["type"].as_str(), inner["format"].as_str()) {
        (None, _) => Kind::Message,
        (Some("string"), Some("int64")) => Kind::Int64,
        (Some("string"), Some("google-duration")) => Kind::Duration,
        (Some("string"), Some("google-datetime")) => Kind::Datetime,
        (Some("string"), Some("google-fieldmask")) => Kind::Fieldmask,
        (Some("string"), Some("byte")) => Kind::Bytes,
        (Some("string"), None) => Kind::String,
        (Some("boolean"), None) => Kind::Boolean,
        (Some("integer"), Some("int32")) => Kind::Int32,
        (Some("number"), _) => Kind::Double,
        (Some("any" | "object"), _) => Kind::Any,
        other => panic!("new type {other:?}"),
    };
    let (values, deprecated_values) = members(inner);
    Field {
        kind,
        message: inner["$ref"].as_str().map(str::to_owned),
        list,
        map: additional.is_object() && additional["type"] != "any",
        values,
        deprecated_values,
        read_only: property["readOnly"] == true
            || described.starts_with("Output only")
            || described.contains("read-only field")
            || described.contains("generated by the server"),
        deprecated: property["deprecated"] == true,
    }
}

fn members(property: &Value) -> (Vec<String>, Vec<String>) {
    let values: Vec<String> = property["enum"].as_array().into_iter().flatten().map(text).collect();
    let marks = property["enumDeprecated"].as_array().cloned().unwrap_or_default();
    let old = values.iter().zip(marks).filter(|(_, mark)| *mark == true).map(|(value, _)| value.clone()).collect();
    (values, old)
}

fn text(value: &Value) -> String {
    value.as_str().expect("text").to_owned()
}

/// One line for one method or message, so that a new revision shows as a readable difference.
fn write(table: &Table) -> String {
    let mut out = format!("{{\n\"revision\":{},\n\"methods\":{{\n", json(&table.revision));
    let lines: Vec<String> =
        table.methods.iter().map(|(name, method)| format!("{}:{}", json(name), json(method))).collect();
    let _ = write!(out, "{}\n}},\n\"messages\":{{\n", lines.join(",\n"));
    let lines: Vec<String> =
        table.messages.iter().map(|(name, fields)| format!("{}:{}", json(name), json(fields))).collect();
    let _ = write!(out, "{}\n}}\n}}\n", lines.join(",\n"));
    out
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("the table is JSON")
}
