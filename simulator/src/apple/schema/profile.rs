//! Checks a whole configuration profile: each payload against its schema, and the payloads against each other.

use std::collections::{BTreeMap, BTreeSet};

use plist::{Dictionary, Value};

use super::{
    Device, Mode,
    table::{Entry, Kind, TABLE},
    violation::{Problem, Violation},
    walk::{Walk, join},
};

const MDM: &str = "com.apple.mdm";
const SCEP: &str = "com.apple.security.scep";
const WIFI: &str = "com.apple.wifi.managed";

/// Payload types that bring a private key with its certificate.
const IDENTITIES: [&str; 3] = ["com.apple.security.acme", "com.apple.security.pkcs12", SCEP];

/// Payload types that bring a certificate alone.
const CERTIFICATES: [&str; 3] = ["com.apple.security.pem", "com.apple.security.pkcs1", "com.apple.security.root"];

/// Keys, at any depth of a payload, that name other payloads of the same profile by their `PayloadUUID`.
const REFERENCES: [(&str, &[&str], &str); 7] = [
    ("IdentityCertificateUUID", &IDENTITIES, "an identity payload"),
    ("PayloadCertificateUUID", &IDENTITIES, "an identity payload"),
    ("SMIMESigningCertificateUUID", &IDENTITIES, "an identity payload"),
    ("SMIMEEncryptionCertificateUUID", &IDENTITIES, "an identity payload"),
    ("PayloadCertificateAnchorUUID", &CERTIFICATES, "a certificate payload"),
    ("ServerURLPinningCertificateUUIDs", &CERTIFICATES, "a certificate payload"),
    ("CheckInURLPinningCertificateUUIDs", &CERTIFICATES, "a certificate payload"),
];

/// Every way in which `profile` (the outermost dictionary, unsigned) would not do for `device`; empty if it would.
#[must_use]
pub fn check_profile(profile: &Value, device: &Device) -> Vec<Violation> {
    let Value::Dictionary(top) = profile else {
        let (expected, found) = (Kind::Dictionary, Kind::of(profile));
        return vec![Violation::new("", Problem::WrongType { expected, found })];
    };
    let mut found = check_top(top, device);
    let payloads: Vec<(String, &Dictionary)> = match top.get("PayloadContent") {
        Some(Value::Array(items)) => {
            let numbered = items.iter().enumerate();
            numbered
                .filter_map(|(place, item)| Some((format!("PayloadContent[{place}]"), item.as_dictionary()?)))
                .collect()
        }
        _ => Vec::new(),
    };
    for (path, payload) in &payloads {
        found.extend(check_payload(path, payload, device));
    }
    found.extend(check_names(top, &payloads));
    found.extend(check_numbers_of_each(&payloads));
    let types: BTreeMap<&str, &str> = payloads
        .iter()
        .filter_map(|(_, payload)| Some((text(payload, "PayloadUUID")?, text(payload, "PayloadType")?)))
        .collect();
    for (path, payload) in &payloads {
        check_references(path, payload, &types, &mut found);
        match text(payload, "PayloadType") {
            Some(MDM) => check_mdm(path, payload, device, &mut found),
            Some(SCEP) => check_scep(path, payload, &mut found),
            Some(WIFI) => check_wifi(path, payload, &mut found),
            _ => {}
        }
    }
    found
}

fn check_top(top: &Dictionary, device: &Device) -> Vec<Violation> {
    let Some(entry) = TABLE.profiles.get("TopLevel").and_then(|forms| forms.first()) else {
        return Vec::new();
    };
    let mut walk = Walk::new(device.view(), entry);
    walk.dictionary("", &[&entry.keys], top);
    let mut found = walk.found;
    if top.get("IsEncrypted").and_then(Value::as_boolean) == Some(true) {
        // The schema's own words: an encrypted profile carries its payloads in the other key.
        found.retain(|violation| !(violation.path == "PayloadContent" && violation.problem == Problem::MissingKey));
        if !top.contains_key("EncryptedPayloadContent") {
            found.push(Violation::new("EncryptedPayloadContent", Problem::MissingKey));
        }
    }
    found
}

fn check_payload(path: &str, payload: &Dictionary, device: &Device) -> Vec<Violation> {
    let common = TABLE.profiles.get("CommonPayloadKeys").and_then(|forms| forms.first());
    let empty = Entry::default();
    let common = common.unwrap_or(&empty);
    // Without a type there is nothing to compare with, beyond the keys every payload has.
    let Some(payload_type) = text(payload, "PayloadType") else {
        let mut walk = Walk::new(device.view(), common);
        walk.dictionary(path, &[&common.keys], payload);
        walk.found.retain(|violation| violation.problem != Problem::UnknownKey);
        return walk.found;
    };
    let forms = match payload_type {
        "TopLevel" | "CommonPayloadKeys" => None,
        _ => TABLE.profiles.get(payload_type),
    };
    let Some(forms) = forms else {
        let payload_type = payload_type.to_owned();
        return vec![Violation::new(join(path, "PayloadType"), Problem::UnknownPayloadType { payload_type })];
    };
    // Where Apple describes a type in several forms, the payload need fit one.
    let attempts = forms.iter().map(|entry| {
        let mut walk = Walk::new(device.view(), entry);
        if walk.available(path, &entry.os) {
            walk.dictionary(path, &[&entry.keys, &common.keys], payload);
        }
        walk.found
    });
    attempts.min_by_key(Vec::len).unwrap_or_default()
}

/// `PayloadUUID` and `PayloadIdentifier` are unique within the profile.
fn check_names(top: &Dictionary, payloads: &[(String, &Dictionary)]) -> Vec<Violation> {
    let mut found = Vec::new();
    for key in ["PayloadUUID", "PayloadIdentifier"] {
        let mut seen: BTreeSet<String> = text(top, key).map(str::to_ascii_uppercase).into_iter().collect();
        for (path, payload) in payloads {
            if let Some(name) = text(payload, key)
                && !seen.insert(name.to_ascii_uppercase())
            {
                found.push(Violation::new(join(path, key), Problem::NotUnique));
            }
        }
    }
    found
}

/// At most one payload of a type that cannot be installed more than once.
fn check_numbers_of_each(payloads: &[(String, &Dictionary)]) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    for (path, payload) in payloads {
        let Some(payload_type) = text(payload, "PayloadType") else {
            continue;
        };
        let single = TABLE.profiles.get(payload_type).is_some_and(|forms| forms.iter().all(|entry| entry.os.single));
        if !seen.insert(payload_type) && single {
            let payload_type = payload_type.to_owned();
            found.push(Violation::new(path, Problem::TooMany { payload_type }));
        }
    }
    found
}

fn check_references(path: &str, dictionary: &Dictionary, types: &BTreeMap<&str, &str>, found: &mut Vec<Violation>) {
    for (name, value) in dictionary {
        let here = join(path, name);
        let reference = REFERENCES.iter().find(|(key, _, _)| key == name);
        let suits = |value: &Value, allowed: &[&str]| {
            let uuid = value.as_string();
            uuid.and_then(|uuid| types.get(uuid)).is_some_and(|payload_type| allowed.contains(payload_type))
        };
        match (reference, value) {
            (Some((_, allowed, wanted)), Value::String(_)) if !suits(value, allowed) => {
                found.push(Violation::new(here, Problem::WrongReference { wanted }));
            }
            (Some((_, allowed, wanted)), Value::Array(items)) => {
                for (place, item) in items.iter().enumerate() {
                    if !suits(item, allowed) {
                        found.push(Violation::new(format!("{here}[{place}]"), Problem::WrongReference { wanted }));
                    }
                }
            }
            (None, Value::Dictionary(inner)) => check_references(&here, inner, types, found),
            _ => {}
        }
    }
}

/// The documentation of the MDM payload: access rights that go together, the topic's form, account-driven keys.
fn check_mdm(path: &str, payload: &Dictionary, device: &Device, found: &mut Vec<Violation>) {
    let mut rule = |key: &str, broken: bool, rule: &'static str| {
        if broken {
            found.push(Violation::new(join(path, key), Problem::Inconsistent { rule }));
        }
    };
    if let Some(Value::Integer(rights)) = payload.get("AccessRights") {
        let rights = rights.as_signed().unwrap_or(i64::MAX);
        let has = |bit: i64| rights & bit != 0;
        rule("AccessRights", rights == 0, "must not be 0");
        rule("AccessRights", !(0..=8191).contains(&rights), "only the bits 1 to 4096 exist");
        rule("AccessRights", has(2) && !has(1), "2 (install profiles) needs 1 (inspect profiles)");
        rule("AccessRights", has(128) && !has(64), "128 (install provisioning profiles) needs 64 (inspect them)");
    }
    if let Some(topic) = text(payload, "Topic") {
        rule("Topic", !topic.starts_with("com.apple.mgmt."), "must begin with com.apple.mgmt.");
    }
    let assigned = text(payload, "AssignedManagedAppleID");
    rule("AssignedManagedAppleID", assigned.is_some_and(str::is_empty), "must not be empty");
    let enrolment = text(payload, "EnrollmentMode");
    match device.mode {
        Mode::User => {
            // iOS 18 left only the account-driven form of User Enrolment, and that needs both keys.
            let account_driven = !payload.contains_key("ManagedAppleID");
            rule("EnrollmentMode", account_driven && enrolment.is_none(), "account-driven enrolment needs it");
            rule("AssignedManagedAppleID", account_driven && assigned.is_none(), "account-driven enrolment needs it");
            rule("EnrollmentMode", enrolment == Some("ADDE"), "ADDE is not User Enrolment");
        }
        Mode::Device | Mode::Supervised => {
            rule("EnrollmentMode", enrolment == Some("BYOD"), "BYOD makes it a User Enrolment");
        }
    }
}

fn check_scep(path: &str, payload: &Dictionary, found: &mut Vec<Violation>) {
    let Some(content) = payload.get("PayloadContent").and_then(Value::as_dictionary) else {
        return;
    };
    let path = join(path, "PayloadContent");
    if text(content, "Key Type").is_some_and(|kind| kind != "RSA") {
        found.push(Violation::new(join(&path, "Key Type"), Problem::Inconsistent { rule: "is always RSA" }));
    }
    if let Some(usage) = content.get("Key Usage").and_then(Value::as_signed_integer)
        && !matches!(usage, 0 | 1 | 4 | 5)
    {
        let rule = "only 1 (signing), 4 (encryption), both or none";
        found.push(Violation::new(join(&path, "Key Usage"), Problem::Inconsistent { rule }));
    }
}

fn check_wifi(path: &str, payload: &Dictionary, found: &mut Vec<Violation>) {
    if !payload.contains_key("SSID_STR") && !payload.contains_key("DomainName") {
        found.push(Violation::new(join(path, "SSID_STR"), Problem::MissingKey));
    }
    if text(payload, "ProxyType") == Some("Manual") {
        for key in ["ProxyServer", "ProxyServerPort"] {
            if !payload.contains_key(key) {
                found.push(Violation::new(join(path, key), Problem::MissingKey));
            }
        }
    }
}

fn text<'a>(dictionary: &'a Dictionary, key: &str) -> Option<&'a str> {
    dictionary.get(key).and_then(Value::as_string)
}
