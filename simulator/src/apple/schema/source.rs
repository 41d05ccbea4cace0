//! Makes the committed table from Apple's YAML files, so that it can be made again when Apple publishes a new release.
//! `BEADLE_UPDATE_SCHEMA_TABLE=1 cargo test -p beadle-simulator schema_table` rewrites it.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use serde_yaml_ng::Value;

use super::table::{Availability, Entry, Format, Keys, Kind, Node, Scalar, TABLE, Table, UserEnrolment, Version};

/// Names of the access rights as the schema writes them, with their bits.
const RIGHTS: [(&str, u32); 16] = [
    ("AllowInspection", 1),
    ("AllowInstallationRemoval", 2),
    ("AllowPasscodeRemovalAndLock", 4),
    ("AllowDeviceErase", 8),
    ("AllowQueryDeviceInformation", 16),
    ("AllowQueryNetworkInformation", 32),
    ("AllowProvisioningInspection", 64),
    ("AllowProvisioningInstallationRemoval", 128),
    ("AllowQueryApplications", 256),
    ("AllowQueryRestrictions", 512),
    ("AllowQuerySecurity", 1024),
    ("AllowSettings", 2048),
    ("AllowAppInstallation", 4096),
    ("None", 0),
    ("n/a", 0),
    // DeviceInformation: each query has its own.
    ("Special Case", 0),
];

fn apples_files() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/schema/apple/mdm")
}

fn committed() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data/apple-schema.json")
}

#[test]
fn schema_table_matches_apples_files() {
    let folder = apples_files();
    let from_apple = folder.is_dir().then(|| read(&folder));
    if let Some(table) = &from_apple
        && std::env::var_os("BEADLE_UPDATE_SCHEMA_TABLE").is_some_and(|value| value == "1")
    {
        check_sanity(table);
        return fs::write(committed(), write(table)).expect("the table is writable");
    }
    check_sanity(&TABLE);
    let Some(table) = from_apple else {
        let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
        let insisted = shared.is_dir() && std::env::var_os("TEST_SKIP_NOTHING").is_some();
        assert!(!insisted, "{} is missing, and nothing may be left out here", folder.display());
        return eprintln!(
            "left out: Apple's schema is not beside the repository; only the committed table's own sanity was checked"
        );
    };
    let same = *TABLE == table && fs::read_to_string(committed()).is_ok_and(|committed| committed == write(&table));
    assert!(same, "the committed table is not what Apple's files say; BEADLE_UPDATE_SCHEMA_TABLE=1 rewrites it");
}

/// What must hold of any release, checked even where Apple's files are missing.
fn check_sanity(table: &Table) {
    assert!(table.profiles.len() > 100 && table.commands.len() > 60 && table.check_ins.len() >= 8);
    for payload_type in [
        "TopLevel",
        "CommonPayloadKeys",
        "com.apple.applicationaccess",
        "com.apple.mdm",
        "com.apple.mobiledevice.passwordpolicy",
        "com.apple.security.scep",
        "com.apple.wifi.managed",
    ] {
        let forms = &table.profiles[payload_type];
        assert!(forms.iter().all(|entry| !entry.keys.is_empty() && !entry.os.not_on_ios), "{payload_type}");
    }
    let passcode = &table.profiles["com.apple.mobiledevice.passwordpolicy"][0].keys["maxFailedAttempts"];
    assert_eq!((passcode.min, passcode.max), (Some(2.0), Some(11.0)));
    assert_eq!(table.commands["EraseDevice"].os.rights, 8);
    assert!(table.commands["EnableLostMode"].os.supervised);
    assert!(table.profiles["com.apple.dock"][0].os.not_on_ios);
    assert!(table.check_ins["TokenUpdate"].keys["PushMagic"].required);
    let profiles = table.profiles.values().flatten();
    for entry in profiles.chain(table.commands.values()).chain(table.check_ins.values()) {
        let nodes = entry.keys.values().chain(entry.response.values()).chain(entry.shared.values());
        nodes.for_each(|node| check_node(node, &entry.shared));
    }
}

fn check_node(node: &Node, shared: &Keys) {
    assert!(node.keys.is_empty() || node.kind == Kind::Dictionary);
    assert!(node.items.is_empty() || node.kind == Kind::Array);
    assert!(node.min.zip(node.max).is_none_or(|(min, max)| min <= max));
    if let Some(name) = &node.like {
        assert_eq!(shared[name].kind, node.kind, "{name}");
    }
    let inner = node.keys.values().chain(node.items.values());
    inner.for_each(|node| check_node(node, shared));
}

fn read(folder: &Path) -> Table {
    let mut table = Table::default();
    for (name, key) in [("profiles", "payloadtype"), ("commands", "requesttype"), ("checkin", "requesttype")] {
        let mut files: Vec<PathBuf> = fs::read_dir(folder.join(name))
            .expect("the folder is readable")
            .map(|file| file.expect("the folder is readable").path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
            .collect();
        files.sort();
        for path in files {
            let text = fs::read_to_string(&path).expect("the file is readable");
            let file: Value = serde_yaml_ng::from_str(&break_circles(&text))
                .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let title = string(&file["payload"][key]).expect("every file names its type");
            let entry = entry(&file);
            match name {
                "profiles" => {
                    let forms = table.profiles.entry(title).or_default();
                    // One form for "not on iOS" says as much as six.
                    if !entry.os.not_on_ios || forms.is_empty() {
                        forms.push(entry);
                    }
                }
                "commands" => assert!(table.commands.insert(title, entry).is_none()),
                _ => assert!(table.check_ins.insert(title, entry).is_none()),
            }
        }
    }
    correct(&mut table);
    table
}

/// Where Apple's files do not say what Apple's documentation says.
fn correct(table: &mut Table) {
    let mut keys = |payload_type: &str| {
        let forms = table.profiles.get_mut(payload_type).expect("the payload exists");
        std::mem::take(&mut forms[0].keys)
    };
    // Apple's errata: a string or a list of strings, which the schema's form cannot say.
    let mut scep = keys("com.apple.security.scep");
    let content = scep.get_mut("PayloadContent").expect("SCEP has content");
    let names = content.keys.get_mut("SubjectAltName").expect("SCEP has alternative names");
    for name in ["dNSName", "rfc822Name", "uniformResourceIdentifier"] {
        names.keys.get_mut(name).expect("the name exists").or_list = true;
    }
    // Written as if languages stood one level deeper than they do.
    let mut top = keys("TopLevel");
    let consent = top.get_mut("ConsentText").expect("a profile may have consent text");
    consent.keys = consent.keys.remove("ConsentTextItem").expect("the extra level is still there").keys;
    for (payload_type, keys) in [("com.apple.security.scep", scep), ("TopLevel", top)] {
        table.profiles.get_mut(payload_type).expect("the payload exists")[0].keys = keys;
    }
}

/// Apple's files use YAML's anchors, once in a circle (folders of the home screen), which no YAML reader for Rust takes. The closing
/// alias is left out here; the node's `subkeytype` says what belongs there.
fn break_circles(text: &str) -> String {
    let mut open: Vec<(usize, &str)> = Vec::new();
    let mut kept = String::new();
    for line in text.lines() {
        let content = line.trim_start();
        let indent = line.len() - content.len();
        if !content.is_empty() {
            open.retain(|(at, _)| indent > *at || (indent == *at && content.starts_with("- ")));
        }
        if let Some(name) = content.strip_prefix("subkeys: *")
            && open.iter().any(|(_, opened)| *opened == name.trim())
        {
            continue;
        }
        if let Some(name) = content.strip_prefix("subkeys: &") {
            open.push((indent, name.trim()));
        }
        kept.push_str(line);
        kept.push('\n');
    }
    kept
}

fn entry(file: &Value) -> Entry {
    let os = availability(&file["payload"]["supportedOS"]["iOS"]);
    if os.not_on_ios {
        // The name alone is enough to say so.
        return Entry { os, ..Entry::default() };
    }
    let mut named = BTreeMap::new();
    let keys = keys(&file["payloadkeys"], &mut named);
    let response = self::keys(&file["responsekeys"], &mut named);
    let mut wanted = Vec::new();
    keys.values().chain(response.values()).for_each(|node| likes(node, &mut wanted));
    named.retain(|name, _| wanted.contains(name));
    assert!(wanted.iter().all(|name| named.contains_key(name)), "{wanted:?}");
    Entry { os, keys, response, shared: named }
}

fn likes(node: &Node, names: &mut Vec<String>) {
    names.extend(node.like.clone());
    node.keys.values().chain(node.items.values()).for_each(|node| likes(node, names));
}

fn keys(list: &Value, named: &mut Keys) -> Keys {
    let mut keys = Keys::new();
    for item in list.as_sequence().into_iter().flatten() {
        let name = string(&item["key"]).expect("every key has a name");
        assert!(keys.insert(name.clone(), node(item, named)).is_none(), "{name} twice");
    }
    keys
}

fn node(item: &Value, named: &mut Keys) -> Node {
    let kind = match string(&item["type"]).expect("every key has a type").as_str() {
        "<string>" => Kind::String,
        "<integer>" => Kind::Integer,
        "<real>" => Kind::Real,
        "<boolean>" => Kind::Boolean,
        "<date>" => Kind::Date,
        "<data>" => Kind::Data,
        "<array>" => Kind::Array,
        "<dictionary>" => Kind::Dictionary,
        "<any>" => Kind::Any,
        other => panic!("new type {other}"),
    };
    let mut node = Node {
        kind,
        required: item["presence"] == "required",
        os: availability(&item["supportedOS"]["iOS"]),
        values: item["rangelist"].as_sequence().into_iter().flatten().map(scalar).collect(),
        min: item["range"]["min"].as_f64(),
        max: item["range"]["max"].as_f64(),
        format: string(&item["format"]).map(|pattern| format(&pattern)),
        repeat: item["repetition"]["min"].as_u64().zip(item["repetition"]["max"].as_u64()).map(|(min, max)| {
            let count = |number| usize::try_from(number).expect("a small number");
            (count(min), count(max))
        }),
        or_list: false,
        keys: Keys::new(),
        items: Keys::new(),
        choices: BTreeMap::new(),
        like: None,
    };
    if node.os.not_on_ios {
        return Node { values: Vec::new(), min: None, max: None, format: None, repeat: None, ..node };
    }
    let inside = &item["subkeys"];
    let subkeytype = string(&item["subkeytype"]);
    match kind {
        Kind::Array | Kind::Dictionary if inside.is_null() => node.like = subkeytype,
        Kind::Array => node.items = keys(inside, named),
        Kind::Dictionary => node.keys = keys(inside, named),
        _ => {
            for choice in inside.as_sequence().into_iter().flatten() {
                let name = string(&choice["key"]).expect("every choice has a name");
                node.choices.insert(name, availability(&choice["supportedOS"]["iOS"]));
            }
        }
    }
    if let Some(name) = string(&item["subkeytype"]).filter(|_| !inside.is_null()) {
        named.entry(name).or_insert_with(|| node.clone());
    }
    node
}

fn availability(ios: &Value) -> Availability {
    let introduced = string(&ios["introduced"]);
    if introduced.as_deref() == Some("n/a") {
        return Availability { not_on_ios: true, ..Availability::default() };
    }
    let rights = string(&ios["accessrights"]).map_or(0, |name| {
        let right = RIGHTS.iter().find(|(known, _)| *known == name);
        right.unwrap_or_else(|| panic!("new access right {name}")).1
    });
    Availability {
        not_on_ios: false,
        introduced: introduced.map(|text| version(&text)),
        removed: string(&ios["removed"]).map(|text| version(&text)),
        supervised: ios["supervised"] == true,
        user_enrolment: match string(&ios["userenrollment"]["mode"]).as_deref() {
            Some("forbidden") => Some(UserEnrolment::Forbidden),
            Some("required") => Some(UserEnrolment::Only),
            None | Some("allowed" | "ignored") => None,
            Some(other) => panic!("new mode {other}"),
        },
        shared_ipad_only: ios["sharedipad"]["mode"] == "required",
        mdm_only: ios["allowmanualinstall"] == false,
        single: ios["multiple"] == false,
        rights,
    }
}

fn version(text: &str) -> Version {
    let mut parts = text.split('.').map(|part| part.parse().unwrap_or_else(|_| panic!("version {text}")));
    (parts.next().expect("split gives one part"), parts.next().unwrap_or(0))
}

fn format(pattern: &str) -> Format {
    let group = "[0-9A-Za-z]";
    match pattern.replace(group, "x").as_str() {
        "^x{8}-x{4}-x{4}-x{4}-x{12}$" => Format::Uuid,
        "^https://.*$" => Format::Https,
        "^(x{6})|(x{9})$" => Format::RoamingConsortium,
        "^([0-9A-Fa-f]{2}:){5}([0-9A-Fa-f]{2})$" => Format::HardwareAddress,
        "^[0-9]{6}$" => Format::MccMnc,
        other => panic!("new format {other}"),
    }
}

fn scalar(value: &Value) -> Scalar {
    match value {
        Value::String(text) => Scalar::Text(text.clone()),
        Value::Number(number) => {
            number.as_i64().map_or_else(|| Scalar::Real(number.as_f64().expect("a number")), Scalar::Integer)
        }
        other => panic!("value {other:?}"),
    }
}

/// Text, also where YAML reads an unquoted version as a number.
fn string(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// One line for each payload, command and message, so that a new release shows as a readable difference.
fn write(table: &Table) -> String {
    let mut text = String::from("{\n");
    section(&mut text, "profiles", &table.profiles, ",");
    section(&mut text, "commands", &table.commands, ",");
    section(&mut text, "check_ins", &table.check_ins, "");
    text.push_str("}\n");
    text
}

fn section<T: serde::Serialize>(text: &mut String, name: &str, entries: &BTreeMap<String, T>, after: &str) {
    let lines: Vec<String> = entries
        .iter()
        .map(|(name, entry)| {
            let entry = serde_json::to_string(entry).expect("the table is writable");
            format!("{}:{entry}", serde_json::Value::from(name.as_str()))
        })
        .collect();
    writeln!(text, "\"{name}\":{{\n{}\n}}{after}", lines.join(",\n")).expect("writing to a string succeeds");
}
