//! The compiled profiles and the coverage, word for word, and Apple's schema as their arbiter.

use std::collections::BTreeSet;
use std::path::PathBuf;

use beadle_profiles::apple::{self, configuration_profile, configuration_profile_bytes};
use beadle_profiles::coverage::{Choice, Row, Status, coverage};
use beadle_profiles::{Context, Mode, Ownership, Platform, Policy, Preset};

use crate::common::{APPLE, Stored, strictest};

fn xml(policy: &Policy, mode: Mode, ownership: Ownership) -> String {
    let stored = Stored::for_policy(policy);
    let bytes = configuration_profile_bytes(policy, &stored.context(mode, ownership)).expect("a valid policy");
    String::from_utf8(bytes).expect("XML is text")
}

#[test]
fn every_preset_in_every_apple_mode() {
    for &preset in Preset::all() {
        for (mode, ownership) in APPLE {
            insta::assert_snapshot!(format!("profile_{preset}_{mode}"), xml(&Policy::preset(preset), mode, ownership));
        }
    }
}

#[test]
fn the_strictest_policy_in_every_apple_mode() {
    for (mode, ownership) in APPLE {
        insta::assert_snapshot!(format!("profile_strictest_{mode}"), xml(&strictest(), mode, ownership));
    }
}

#[test]
fn coverage_of_every_preset() {
    for &preset in Preset::all() {
        insta::assert_snapshot!(format!("coverage_{preset}"), told(&coverage(&Policy::preset(preset))));
    }
    insta::assert_snapshot!("coverage_strictest", told(&coverage(&strictest())));
}

fn told(rows: &[Row]) -> String {
    let mut text = String::new();
    let mut setting = "";
    for row in rows {
        if row.setting != setting {
            setting = row.setting;
            let clauses: Vec<String> =
                row.clauses.iter().map(|clause| format!("{} {}", clause.document, clause.number)).collect();
            text.push_str(&format!(
                "\n{} · {} [{}] {:?}\n  policy says: {}\n",
                row.setting,
                row.title,
                clauses.join(", "),
                row.choice,
                row.policy_says
            ));
        }
        text.push_str(&format!("  {:<22} {:<13} {}", row.mode.as_str(), row.status.as_str(), row.phone_does));
        if let Some(gap) = &row.gap {
            text.push_str(&format!("\n{:>38} gap: {gap}", ""));
        }
        text.push('\n');
    }
    text
}

#[test]
fn germoes_thirty_seconds_show_their_gap() {
    let rows = coverage(&Policy::preset(Preset::Germoe));
    let lock =
        |mode| rows.iter().find(|row| row.setting == "passcode.auto_lock_seconds" && row.mode == mode).expect("a row");
    assert_eq!(
        lock(Mode::Supervised).gap.as_deref(),
        Some("policy says 30 seconds; iPhone counts whole minutes: 1 minute")
    );
    assert_eq!(lock(Mode::Device).gap, lock(Mode::Supervised).gap);
    assert_eq!(lock(Mode::FullyManaged).gap, None);
    assert_eq!(lock(Mode::User).status, Status::NotPossible);
}

#[test]
fn what_coreley_leaves_open_is_open() {
    let rows = coverage(&Policy::preset(Preset::Coreley));
    let lock = rows.iter().find(|row| row.setting == "passcode.auto_lock_seconds").expect("a row");
    assert_eq!(lock.choice, Choice::Open);
    assert!(lock.gap.as_deref().is_some_and(|gap| gap.contains("council must decide")));
    let questions = Policy::preset(Preset::Coreley).open_questions();
    assert!(questions.iter().any(|question| question.setting == "council.loss_reported_to"));
}

#[test]
fn every_row_has_words_and_every_clause_is_the_councils_own() {
    for &preset in Preset::all() {
        for row in coverage(&Policy::preset(preset)) {
            assert!(!row.policy_says.is_empty() && !row.phone_does.is_empty());
            assert_eq!(row.platform, row.mode.platform());
            for clause in row.clauses {
                match preset {
                    Preset::Germoe => assert_eq!(clause.document, "Germoe"),
                    Preset::Coreley => assert_eq!(clause.document, "Coreley"),
                    Preset::CouncilTemplate => {}
                }
            }
        }
    }
}

/// W3: whatever the mode, a personal phone's profile never holds the key that erases all of it.
#[test]
fn no_personal_phone_is_told_to_erase_itself() {
    for policy in [
        strictest(),
        Policy::preset(Preset::Germoe),
        Policy::preset(Preset::Coreley),
        Policy::preset(Preset::CouncilTemplate),
    ] {
        assert!(xml(&policy, Mode::Device, Ownership::Council).contains("maxFailedAttempts"));
        for mode in [Mode::Supervised, Mode::Device, Mode::User] {
            assert!(!xml(&policy, mode, Ownership::Personal).contains("maxFailedAttempts"), "{mode}");
        }
        assert!(!xml(&policy, Mode::User, Ownership::Council).contains("maxFailedAttempts"));
    }
}

#[test]
fn the_same_policy_gives_the_same_bytes_and_a_new_version_another_uuid() {
    let policy = strictest();
    let stored = Stored::for_policy(&policy);
    let mut context = stored.context(Mode::Device, Ownership::Council);
    let first = configuration_profile_bytes(&policy, &context).expect("valid");
    assert_eq!(first, configuration_profile_bytes(&policy, &context).expect("valid"));
    let uuid = apple::profile_uuid(&context);
    let network = |context: &Context<'_>| {
        payload_uuid(&configuration_profile(&policy, context).expect("valid"), "com.apple.wifi.managed")
    };
    let before = network(&context);
    context.policy_version += 1;
    assert_ne!(uuid, apple::profile_uuid(&context));
    assert_eq!(before, network(&context), "a phone must not drop its Wi-Fi for a new version");
    context.council_id = "another";
    assert_ne!(before, network(&context));
}

fn payload_uuid(profile: &plist::Value, payload_type: &str) -> String {
    payloads(profile)
        .find(|payload| payload["PayloadType"].as_string() == Some(payload_type))
        .and_then(|payload| payload["PayloadUUID"].as_string())
        .expect("the payload")
        .to_owned()
}

fn payloads(profile: &plist::Value) -> impl Iterator<Item = &plist::Dictionary> {
    profile
        .as_dictionary()
        .and_then(|profile| profile.get("PayloadContent"))
        .and_then(plist::Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(plist::Value::as_dictionary)
}

#[test]
fn what_is_not_stored_or_not_apples_is_refused_in_words() {
    let policy = strictest();
    let mut stored = Stored::for_policy(&policy);
    stored.passwords.remove("Büro");
    let problem =
        configuration_profile(&policy, &stored.context(Mode::Device, Ownership::Council)).expect_err("no password");
    assert_eq!(
        problem.to_string(),
        "wifi.networks.1: the password of \"Büro\" is not stored; store it, or remove the network"
    );
    stored.passwords.insert("Büro".into(), "short".into());
    let problem = configuration_profile(&policy, &stored.context(Mode::Device, Ownership::Council))
        .expect_err("a short password");
    assert!(problem.problem.contains("8 to 63") && !problem.problem.contains("short"), "{problem}");

    let stored = Stored::for_policy(&policy);
    let problem =
        configuration_profile(&policy, &stored.context(Mode::FullyManaged, Ownership::Council)).expect_err("Android");
    assert_eq!(problem.field, "mode");

    let mut stored = Stored::for_policy(&policy);
    stored.certificates.clear();
    let problem =
        configuration_profile(&policy, &stored.context(Mode::Device, Ownership::Council)).expect_err("no certificate");
    assert_eq!(problem.field, "certificates.install");
}

/// The restrictions User Enrollment takes (Apple's schema, iOS 18.1).
const USER_ENROLLMENT: [&str; 9] = [
    "allowDiagnosticSubmission",
    "allowLockScreenNotificationsView",
    "allowLockScreenTodayView",
    "allowManagedAppsCloudSync",
    "allowOpenFromManagedToUnmanaged",
    "allowOpenFromUnmanagedToManaged",
    "allowScreenShot",
    "allowUnmanagedToReadManagedContacts",
    "forceAirDropUnmanaged",
];

#[test]
fn user_enrolment_gets_only_what_it_takes() {
    let policy = strictest();
    let stored = Stored::for_policy(&policy);
    let profile = configuration_profile(&policy, &stored.context(Mode::User, Ownership::Personal)).expect("valid");
    assert!(!profile.as_dictionary().expect("a dictionary").contains_key("PayloadRemovalDisallowed"));
    let also = ["forceEncryptedBackup", "requireManagedPasteboard"];
    for payload in
        payloads(&profile).filter(|payload| payload["PayloadType"].as_string() == Some("com.apple.applicationaccess"))
    {
        for (key, _) in payload.iter().filter(|(key, _)| !key.starts_with("Payload")) {
            assert!(USER_ENROLLMENT.contains(&key.as_str()) || also.contains(&key.as_str()), "{key}");
        }
    }
}

/// Every key of every payload against Apple's own schema, where it is at hand: known, right type, in range, allowed in the mode.
#[test]
fn apples_schema_agrees_with_every_key() {
    let shared = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    let schema = shared.join("schema/apple/mdm/profiles");
    if !schema.is_dir() {
        let insisted = shared.is_dir() && std::env::var_os("TEST_SKIP_NOTHING").is_some();
        assert!(!insisted, "{} is missing, and nothing may be left out here", schema.display());
        eprintln!("left out: Apple's schema is not at hand; the snapshots and the list above still hold the keys");
        return;
    }
    let read = |name: &str| -> serde_yaml_ng::Value {
        let text = std::fs::read_to_string(schema.join(name)).expect("a file of the schema");
        serde_yaml_ng::from_str(&text).expect("YAML")
    };
    let common = read("CommonPayloadKeys.yaml");
    let top = read("TopLevel.yaml");
    let mut seen = BTreeSet::new();
    for (mode, ownership) in APPLE {
        let policy = strictest();
        let stored = Stored::for_policy(&policy);
        let profile = configuration_profile(&policy, &stored.context(mode, ownership)).expect("valid");
        for (key, value) in profile.as_dictionary().expect("a dictionary") {
            check(&[&top], key, value, mode);
        }
        for payload in payloads(&profile) {
            let payload_type = payload["PayloadType"].as_string().expect("a type");
            let own = read(&format!("{payload_type}.yaml"));
            seen.insert(payload_type.to_owned());
            let ios = &own["payload"]["supportedOS"]["iOS"];
            assert_ne!(
                ios["userenrollment"]["mode"].as_str(),
                if mode == Mode::User { Some("forbidden") } else { None },
                "{payload_type}"
            );
            assert!(mode == Mode::Supervised || ios["supervised"].as_bool() != Some(true), "{payload_type}");
            for (key, value) in payload {
                check(&[&own, &common], key, value, mode);
            }
            for wanted in
                [&own, &common].iter().flat_map(|file| file["payloadkeys"].as_sequence().into_iter().flatten())
            {
                let name = wanted["key"].as_str().expect("a name");
                assert!(
                    wanted["presence"].as_str() != Some("required") || payload.contains_key(name),
                    "{payload_type} lacks {name}"
                );
            }
        }
    }
    assert_eq!(seen.len(), 5, "{seen:?}");
}

fn check(files: &[&serde_yaml_ng::Value], key: &str, value: &plist::Value, mode: Mode) {
    let entry = files
        .iter()
        .flat_map(|file| file["payloadkeys"].as_sequence().into_iter().flatten())
        .find(|entry| entry["key"].as_str() == Some(key))
        .unwrap_or_else(|| panic!("{key} is not in Apple's schema"));
    let type_name = match value {
        plist::Value::Boolean(_) => "<boolean>",
        plist::Value::Integer(_) => "<integer>",
        plist::Value::String(_) => "<string>",
        plist::Value::Data(_) => "<data>",
        plist::Value::Array(_) => "<array>",
        _ => "other",
    };
    assert_eq!(entry["type"].as_str(), Some(type_name), "{key}");
    if let Some(number) = value.as_signed_integer() {
        assert!(entry["range"]["min"].as_i64().is_none_or(|least| number >= least), "{key} = {number}");
        assert!(entry["range"]["max"].as_i64().is_none_or(|most| number <= most), "{key} = {number}");
    }
    if let (Some(list), Some(word)) = (entry["rangelist"].as_sequence(), value.as_string()) {
        assert!(list.iter().any(|allowed| allowed.as_str() == Some(word)), "{key} = {word}");
    }
    let ios = &entry["supportedOS"]["iOS"];
    assert_ne!(ios["introduced"].as_str(), Some("n/a"), "{key}");
    assert!(
        mode == Mode::Supervised || ios["supervised"].as_bool() != Some(true),
        "{key} is for supervised devices only"
    );
    assert!(
        mode != Mode::User || ios["userenrollment"]["mode"].as_str() != Some("forbidden"),
        "{key} is forbidden under User Enrollment"
    );
}

#[test]
fn both_platforms_are_covered() {
    let rows = coverage(&Policy::preset(Preset::Germoe));
    for &mode in Mode::all() {
        assert!(rows.iter().any(|row| row.mode == mode));
    }
    assert_eq!(Platform::all().len(), 2);
}
