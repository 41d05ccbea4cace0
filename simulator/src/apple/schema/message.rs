//! Checks commands, their answers and check-in messages, and the envelopes around them, which the schema does not describe.

use std::io::Cursor;

use plist::{Dictionary, Value};

use super::{
    Device, Source,
    profile::check_profile,
    table::{Entry, Kind, TABLE},
    violation::{Problem, Violation},
    walk::{View, Walk, join},
};

/// How a device says what became of a command.
const STATUSES: [&str; 5] = ["Acknowledged", "CommandFormatError", "Error", "Idle", "NotNow"];

/// What an answer carries beside the command's own keys.
/// Apple, "Commands and Queries", <https://developer.apple.com/documentation/devicemanagement/commands-and-queries>.
const ENVELOPE: [(&str, Kind); 10] = [
    ("CommandUUID", Kind::String),
    ("EnrollmentID", Kind::String),
    ("EnrollmentUserID", Kind::String),
    ("ErrorChain", Kind::Array),
    ("NotOnConsole", Kind::Boolean),
    ("Status", Kind::String),
    ("UDID", Kind::String),
    ("UserID", Kind::String),
    ("UserLongName", Kind::String),
    ("UserShortName", Kind::String),
];

/// Every way in which `command` (the whole of it: `CommandUUID` and `Command`) would not do for `device`, whose enrolment holds
/// `access_rights` (`None`: not looked at). A profile inside InstallProfile is checked too, unless it is signed.
#[must_use]
pub fn check_command(command: &Value, device: &Device, access_rights: Option<u32>) -> Vec<Violation> {
    let Value::Dictionary(envelope) = command else {
        return vec![wrong_type("", Kind::Dictionary, command)];
    };
    let mut found = Vec::new();
    for name in envelope.keys() {
        if !matches!(name.as_str(), "Command" | "CommandUUID") {
            found.push(Violation::new(name, Problem::UnknownKey));
        }
    }
    typed(envelope, "", "CommandUUID", Kind::String, true, &mut found);
    typed(envelope, "", "Command", Kind::Dictionary, true, &mut found);
    let Some(Value::Dictionary(request)) = envelope.get("Command") else {
        return found;
    };
    typed(request, "Command", "RequestType", Kind::String, true, &mut found);
    typed(request, "Command", "RequestRequiresNetworkTether", Kind::Boolean, false, &mut found);
    let Some(request_type) = text(request, "RequestType") else {
        return found;
    };
    let Some(entry) = TABLE.commands.get(request_type) else {
        let request_type = request_type.to_owned();
        found.push(Violation::new("Command.RequestType", Problem::UnknownRequestType { request_type }));
        return found;
    };
    let view = View { rights: access_rights, source: Some(Source::Mdm), ..device.view() };
    let mut walk = Walk::new(view, entry);
    if walk.available("Command", &entry.os) {
        let mut own = request.clone();
        own.remove("RequestType");
        own.remove("RequestRequiresNetworkTether");
        walk.dictionary("Command", &[&entry.keys], &own);
    }
    found.append(&mut walk.found);
    if request_type == "InstallProfile"
        && let Some(Value::Data(bytes)) = request.get("Payload")
        // A signed profile is no property list; it is for whoever signed it to have checked it.
        && let Ok(profile) = Value::from_reader(Cursor::new(bytes))
    {
        let through_mdm = Device { source: Source::Mdm, ..*device };
        let inner = check_profile(&profile, &through_mdm).into_iter();
        found.extend(inner.map(|violation| Violation { path: join("Command.Payload", &violation.path), ..violation }));
    }
    found
}

/// Every way in which `message` is not a check-in message of an iPhone or iPad. The kind of enrolment is read from the message: with an
/// `EnrollmentID` it is a User Enrolment, and must not carry what identifies the phone.
#[must_use]
pub fn check_check_in(message: &Value) -> Vec<Violation> {
    let Value::Dictionary(keys) = message else {
        return vec![wrong_type("", Kind::Dictionary, message)];
    };
    let mut found = Vec::new();
    typed(keys, "", "MessageType", Kind::String, true, &mut found);
    let Some(message_type) = text(keys, "MessageType") else {
        return found;
    };
    let Some(entry) = TABLE.check_ins.get(message_type) else {
        let message_type = message_type.to_owned();
        found.push(Violation::new("MessageType", Problem::UnknownMessageType { message_type }));
        return found;
    };
    let view = View { user_enrolment: Some(keys.contains_key("EnrollmentID")), ..View::default() };
    let mut walk = Walk::new(view, entry);
    if walk.available("", &entry.os) {
        walk.dictionary("", &[&entry.keys], keys);
    }
    found.append(&mut walk.found);
    check_identity(keys, &mut found);
    found
}

/// Every way in which `response` is not an iPhone's or iPad's answer to the command `request_type`. An answer other than
/// `Acknowledged` carries none of the command's keys; `Idle` answers no command, so its `request_type` is not looked at.
#[must_use]
pub fn check_response(request_type: &str, response: &Value) -> Vec<Violation> {
    let Value::Dictionary(keys) = response else {
        return vec![wrong_type("", Kind::Dictionary, response)];
    };
    let mut found = Vec::new();
    let status = text(keys, "Status");
    for (name, kind) in ENVELOPE {
        let required = name == "Status" || (name == "CommandUUID" && status != Some("Idle"));
        typed(keys, "", name, kind, required, &mut found);
    }
    if let Some(status) = status
        && !STATUSES.contains(&status)
    {
        let allowed = STATUSES.map(str::to_owned).to_vec();
        found.push(Violation::new("Status", Problem::NotInRangeList { found: status.to_owned(), allowed }));
    }
    if status == Some("Idle") && keys.contains_key("CommandUUID") {
        let rule = "Idle answers no command";
        found.push(Violation::new("CommandUUID", Problem::Inconsistent { rule }));
    }
    check_identity(keys, &mut found);
    check_errors(keys, status, &mut found);
    let mut own = keys.clone();
    own.retain(|name, _| ENVELOPE.iter().all(|(known, _)| known != name));
    if status != Some("Acknowledged") {
        found.extend(own.keys().map(|name| Violation::new(name, Problem::UnknownKey)));
        return found;
    }
    let Some(entry) = TABLE.commands.get(request_type) else {
        let request_type = request_type.to_owned();
        found.push(Violation::new("", Problem::UnknownRequestType { request_type }));
        return found;
    };
    let view = View { user_enrolment: Some(keys.contains_key("EnrollmentID")), ..View::default() };
    found.extend(check_own_keys(entry, view, &own));
    found
}

fn check_own_keys(entry: &Entry, view: View, own: &Dictionary) -> Vec<Violation> {
    let mut walk = Walk::new(view, entry);
    if walk.available("", &entry.os) {
        walk.dictionary("", &[&entry.response], own);
    }
    walk.found
}

/// A device says who it is in one of two ways, by the kind of its enrolment.
fn check_identity(keys: &Dictionary, found: &mut Vec<Violation>) {
    let rule = match (keys.contains_key("UDID"), keys.contains_key("EnrollmentID")) {
        (false, false) => "either UDID or EnrollmentID is needed",
        (true, true) => "UDID and EnrollmentID exclude each other",
        _ => return,
    };
    if found.iter().all(|violation| violation.path != "UDID") {
        found.push(Violation::new("UDID", Problem::Inconsistent { rule }));
    }
}

/// Apple, "ErrorChainItem": code and domain always, descriptions as they come.
fn check_errors(keys: &Dictionary, status: Option<&str>, found: &mut Vec<Violation>) {
    let Some(Value::Array(chain)) = keys.get("ErrorChain") else {
        return;
    };
    if matches!(status, Some("Acknowledged" | "Idle")) {
        let rule = "only an error has an error chain";
        found.push(Violation::new("ErrorChain", Problem::Inconsistent { rule }));
    }
    for (place, item) in chain.iter().enumerate() {
        let here = format!("ErrorChain[{place}]");
        let Value::Dictionary(error) = item else {
            found.push(wrong_type(&here, Kind::Dictionary, item));
            continue;
        };
        typed(error, &here, "ErrorCode", Kind::Integer, true, found);
        typed(error, &here, "ErrorDomain", Kind::String, true, found);
        typed(error, &here, "LocalizedDescription", Kind::String, false, found);
        typed(error, &here, "USEnglishDescription", Kind::String, false, found);
    }
}

fn typed(keys: &Dictionary, path: &str, name: &str, expected: Kind, required: bool, found: &mut Vec<Violation>) {
    match keys.get(name) {
        None if required => found.push(Violation::new(join(path, name), Problem::MissingKey)),
        Some(value) if Kind::of(value) != expected => found.push(wrong_type(&join(path, name), expected, value)),
        _ => {}
    }
}

fn wrong_type(path: &str, expected: Kind, value: &Value) -> Violation {
    let found = Kind::of(value);
    Violation::new(path, Problem::WrongType { expected, found })
}

fn text<'a>(dictionary: &'a Dictionary, key: &str) -> Option<&'a str> {
    dictionary.get(key).and_then(Value::as_string)
}
