//! A checker of what is sent to Google, written for these tests: the fields, types and members of the API's discovery document, and
//! the rules that the document tells only in words.
//!
//! `google_policy_fields.json` holds the part of the document that Beadle uses, so that a newcomer's clone checks too. Where the whole
//! document is at hand, the table is compared with it and everything is checked against the document itself.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde_json::Value;

/// Message → field → kind: `boolean`, `string int64`, `enum A B`, `[ApplicationPolicy]`, `Policy` …
pub(crate) type Table = BTreeMap<String, BTreeMap<String, String>>;

/// The committed table.
pub(crate) fn committed() -> Table {
    serde_json::from_str(include_str!("google_policy_fields.json")).expect("a table")
}

/// The whole discovery document as a table, without what is deprecated; `None` where it is not at hand.
pub(crate) fn discovered() -> Option<Table> {
    let shared = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    let path = shared.join("schema/androidmanagement.v1.json");
    if !path.is_file() {
        let insisted = shared.is_dir() && std::env::var_os("TEST_SKIP_NOTHING").is_some();
        assert!(!insisted, "{} is missing, and nothing may be left out here", path.display());
        eprintln!("left out: Google's discovery document is not at hand; the committed table still holds the fields");
        return None;
    }
    let document: Value = serde_json::from_str(&std::fs::read_to_string(path).expect("readable")).expect("JSON");
    let message = |message: &Value| {
        let fields = message["properties"].as_object().into_iter().flatten();
        fields
            .filter(|(_, field)| field["deprecated"].as_bool() != Some(true))
            .map(|(name, field)| (name.clone(), kind(field)))
            .collect()
    };
    let messages = document["schemas"].as_object().expect("messages");
    Some(messages.iter().map(|(name, fields)| (name.clone(), message(fields))).collect())
}

fn kind(field: &Value) -> String {
    let text = |name: &str| field[name].as_str().unwrap_or_default();
    if let Some(message) = field["$ref"].as_str() {
        return message.to_owned();
    }
    if text("type") == "array" {
        return format!("[{}]", kind(&field["items"]));
    }
    if let Some(members) = field["enum"].as_array() {
        let deprecated = |position: usize| field["enumDeprecated"][position].as_bool() == Some(true);
        let members = members.iter().filter_map(Value::as_str).enumerate();
        let usable: Vec<&str> = members
            .filter(|(position, member)| !deprecated(*position) && !member.ends_with("_UNSPECIFIED"))
            .map(|(_, member)| member)
            .collect();
        return format!("enum {}", usable.join(" "));
    }
    format!("{} {}", text("type"), text("format")).trim().to_owned()
}

/// All that is wrong with a policy.
pub(crate) fn problems(table: &Table, policy: &Value) -> Vec<String> {
    let mut problems = Vec::new();
    check(table, "Policy", policy, "policy", &mut problems);
    for rule in entries(policy, "policyEnforcementRules") {
        if !rule["settingName"].as_str().is_some_and(|name| table["Policy"].contains_key(name)) {
            problems.push(format!("policyEnforcementRules: {} is no setting of a policy", rule["settingName"]));
        }
    }
    in_words(policy, &mut problems);
    problems
}

fn check(table: &Table, kind: &str, value: &Value, place: &str, problems: &mut Vec<String>) {
    let mut refuse = |what: &str| problems.push(format!("{place}: {what}: {value}"));
    if let Some(entry) = kind.strip_prefix('[').and_then(|kind| kind.strip_suffix(']')) {
        let Some(entries) = value.as_array() else { return refuse("is not a list") };
        for (position, value) in entries.iter().enumerate() {
            check(table, entry, value, &format!("{place}[{position}]"), problems);
        }
        return;
    }
    if let Some(members) = kind.strip_prefix("enum ") {
        if !value.as_str().is_some_and(|value| members.split(' ').any(|member| member == value)) {
            refuse("is not a member that may be sent");
        }
        return;
    }
    let right = match kind {
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "string int64" => value.as_str().is_some_and(|text| text.parse::<i64>().is_ok_and(|number| number >= 0)),
        "integer int32" => value.as_i64().is_some_and(|number| (0..=i64::from(i32::MAX)).contains(&number)),
        "string google-duration" => value.as_str().is_some_and(is_duration),
        "object" => value.is_object(),
        message => {
            let Some(fields) = table.get(message) else { return refuse("is of a kind the checker does not know") };
            let Some(values) = value.as_object() else { return refuse("is not a message") };
            for (name, value) in values {
                let place = format!("{place}.{name}");
                match fields.get(name) {
                    Some(kind) => check(table, kind, value, &place, problems),
                    None => problems.push(format!("{place}: unknown or deprecated")),
                }
            }
            return;
        }
    };
    if !right {
        refuse(&format!("is not {kind}"));
    }
}

fn is_duration(text: &str) -> bool {
    text.strip_suffix('s').is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

fn entries<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    value[name].as_array().into_iter().flatten()
}

/// The rules that the document tells in its descriptions.
fn in_words(policy: &Value, problems: &mut Vec<String>) {
    let mut refuse = |what: String| problems.push(what);
    if policy["playStoreMode"].is_null() {
        refuse("playStoreMode: left out means WHITELIST, which uninstalls".into());
    }
    if policy["deviceConnectivityManagement"]["configureWifi"] == "DISALLOW_CONFIGURING_WIFI"
        && entries(&policy["openNetworkConfiguration"], "NetworkConfigurations").next().is_none()
    {
        refuse("configureWifi: would leave the phone without any Wi-Fi".into());
    }
    if policy["maximumTimeToLock"].as_str().and_then(|text| text.parse::<i64>().ok()).is_some_and(|ms| ms < 1_000) {
        refuse("maximumTimeToLock: counts milliseconds, and 0 is no limit".into());
    }
    if policy["personalUsagePolicies"]["maxDaysWithWorkOff"].as_i64().is_some_and(|days| (1..3).contains(&days)) {
        refuse("maxDaysWithWorkOff: 0, or at least 3".into());
    }
    if policy["systemUpdate"].get("freezePeriods").is_some() {
        refuse("freezePeriods: hold back security patches".into());
    }
    for (name, most) in [("shortSupportMessage", 200), ("longSupportMessage", 4_096)] {
        if policy[name]["defaultMessage"].as_str().is_some_and(|text| text.chars().count() > most) {
            refuse(format!("{name}: longer than {most} characters"));
        }
    }
    let mut features = BTreeSet::new();
    for feature in entries(policy, "keyguardDisabledFeatures") {
        if !features.insert(feature.to_string()) {
            refuse(format!("keyguardDisabledFeatures: {feature} twice"));
        }
    }
    let mut packages = BTreeSet::new();
    for app in entries(policy, "applications") {
        if !packages.insert(app["packageName"].to_string()) {
            refuse(format!("applications: {} twice", app["packageName"]));
        }
    }
    if packages.len() > 3_000 {
        refuse("applications: more than 3,000".into());
    }
    enforcement(policy, &mut refuse);
    passwords(policy, &mut refuse);
}

fn enforcement(policy: &Value, refuse: &mut impl FnMut(String)) {
    let mut settings = BTreeSet::new();
    for rule in entries(policy, "policyEnforcementRules") {
        let name = rule["settingName"].as_str().unwrap_or_default();
        settings.insert(name.to_owned());
        let (block, wipe) = (&rule["blockAction"]["blockAfterDays"], &rule["wipeAction"]["wipeAfterDays"]);
        match (block.as_i64(), wipe.as_i64()) {
            (Some(block), Some(wipe)) if wipe > block && wipe >= 18_262 => {}
            _ => refuse(format!(
                "policyEnforcementRules {name}: a block, and a wipe that no phone reaches, are both needed: {rule}"
            )),
        }
    }
    for enforced in ["passwordPolicies", "encryptionPolicy"] {
        if !settings.contains(enforced) {
            refuse(format!("policyEnforcementRules: without one for {enforced} Google wipes after ten days"));
        }
    }
}

fn passwords(policy: &Value, refuse: &mut impl FnMut(String)) {
    let quality = |entry: &Value| entry["passwordQuality"].as_str().unwrap_or_default().to_owned();
    let all: Vec<&Value> = entries(policy, "passwordPolicies").collect();
    for entry in &all {
        let (scope, own) = (&entry["passwordScope"], quality(entry));
        if scope.is_null() || own.is_empty() {
            refuse(format!("passwordPolicies: scope and quality are both needed: {entry}"));
        }
        let band = own.starts_with("COMPLEXITY_");
        if band
            && !all.iter().any(|other| &other["passwordScope"] == scope && !quality(other).starts_with("COMPLEXITY_"))
        {
            refuse(format!("passwordPolicies: {own} needs a quality in the same scope"));
        }
        if (band || own == "SOMETHING") && !entry["passwordMinimumLength"].is_null() {
            refuse(format!("passwordPolicies: a length is ignored under {own}"));
        }
        if !entry["unifiedLockSettings"].is_null() && scope != "SCOPE_PROFILE" {
            refuse("passwordPolicies: unifiedLockSettings stands only under SCOPE_PROFILE".into());
        }
        for zero in ["maximumFailedPasswordsForWipe", "passwordHistoryLength", "passwordMinimumLength"] {
            if entry[zero] == 0 {
                refuse(format!("passwordPolicies: {zero} 0 is no limit"));
            }
        }
    }
    let kinds: Vec<String> = all
        .iter()
        .map(|entry| format!("{} {}", entry["passwordScope"], quality(entry).starts_with("COMPLEXITY_")))
        .collect();
    if kinds.iter().collect::<BTreeSet<_>>().len() != kinds.len() {
        refuse("passwordPolicies: two entries of one kind in one scope".into());
    }
}

#[test]
fn the_committed_table_is_googles() {
    let Some(discovered) = discovered() else { return };
    for (message, fields) in committed() {
        for (field, kind) in fields {
            assert_eq!(discovered[&message].get(&field), Some(&kind), "{message}.{field}");
        }
    }
}

/// The checker would be worth nothing if it let these pass.
#[test]
fn the_checker_refuses_what_google_refuses() {
    let rule = |name: &str| serde_json::json!({"settingName": name, "blockAction": {"blockAfterDays": 0}, "wipeAction": {"wipeAfterDays": 20_000}});
    let right: Value = serde_json::json!({
        "playStoreMode": "BLACKLIST",
        "maximumTimeToLock": "30000",
        "policyEnforcementRules": [rule("passwordPolicies"), rule("encryptionPolicy")],
        "passwordPolicies": [{"passwordScope": "SCOPE_DEVICE", "passwordQuality": "NUMERIC", "passwordExpirationTimeout": "60s"}],
        "minimumApiLevel": 31
    });
    for table in [Some(committed()), discovered()].into_iter().flatten() {
        assert_eq!(problems(&table, &right), Vec::<String>::new());
        for (place, wrong) in [
            ("/playStoreMode", serde_json::json!("GREYLIST")),
            ("/playStoreMode", serde_json::json!("PLAY_STORE_MODE_UNSPECIFIED")),
            ("/playStoreMode", Value::Null),
            ("/maximumTimeToLock", serde_json::json!(30_000)),
            ("/maximumTimeToLock", serde_json::json!("30")),
            ("/minimumApiLevel", serde_json::json!("31")),
            ("/minimumApiLevel", serde_json::json!(1.5)),
            ("/policyEnforcementRules/0/wipeAction", serde_json::json!({})),
            ("/policyEnforcementRules/0/wipeAction/wipeAfterDays", serde_json::json!(10)),
            ("/policyEnforcementRules/0/settingName", serde_json::json!("passwords")),
            ("/policyEnforcementRules/1/settingName", serde_json::json!("passwordPolicies")),
            ("/policyEnforcementRules", serde_json::json!([])),
            ("/passwordPolicies/0/passwordExpirationTimeout", serde_json::json!("90d")),
            ("/passwordPolicies/0/passwordQuality", serde_json::json!("COMPLEXITY_HIGH")),
            ("/passwordPolicies/0/passwordScope", serde_json::json!("SCOPE_UNSPECIFIED")),
            (
                "/passwordPolicies/0",
                serde_json::json!({"passwordScope": "SCOPE_DEVICE", "passwordQuality": "SOMETHING", "passwordMinimumLength": 6}),
            ),
            (
                "/passwordPolicies/0",
                serde_json::json!({"passwordScope": "SCOPE_DEVICE", "passwordQuality": "NUMERIC", "unifiedLockSettings": "REQUIRE_SEPARATE_WORK_LOCK"}),
            ),
        ] {
            let mut policy = right.clone();
            *policy.pointer_mut(place).expect("a place") = wrong.clone();
            assert!(!problems(&table, &policy).is_empty(), "{place} = {wrong}");
        }
        for (name, wrong) in [
            ("cameraDisabled", serde_json::json!(true)),
            ("passwordRequirements", serde_json::json!({})),
            ("cameraAcess", serde_json::json!("CAMERA_ACCESS_DISABLED")),
            ("locationMode", serde_json::json!("OFF")),
            ("personalUsagePolicies", serde_json::json!({"personalPlayStoreMode": "BLACKLIST"})),
        ] {
            let mut policy = right.clone();
            policy[name] = wrong;
            assert!(!problems(&table, &policy).is_empty(), "{name}");
        }
    }
}
