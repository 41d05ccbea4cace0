//! Commands as Apple's devices read them. Source: Apple's schema, `mdm/commands`.

use plist::{Dictionary, Value as Plist};
use serde_json::Value;

use crate::model::{CommandId, CommandKind, Release, Scope};
use crate::platform::{Command, Unsupported};

/// What DeviceInformation asks for unless the command names its own queries. A device leaves out what its rights do not cover.
pub const QUERIES: &[&str] = &[
    "UDID",
    "SerialNumber",
    "DeviceName",
    "ProductName",
    "ModelName",
    "Model",
    "OSVersion",
    "BuildVersion",
    "IMEI",
    "ServiceSubscriptions",
    "IsSupervised",
    "IsMDMLostModeEnabled",
    "IsActivationLockEnabled",
    "IsDeviceLocatorServiceEnabled",
    "IsCloudBackupEnabled",
    "BatteryLevel",
    "DeviceCapacity",
    "AvailableDeviceCapacity",
    "CellularTechnology",
    "ICCID",
    "PhoneNumber",
    "IsRoaming",
    "DataRoamingEnabled",
];

/// Writes a command that destroys nothing. Whether the device's mode knows it has been checked.
pub(crate) fn encode(command: &Command<'_>) -> Result<Vec<u8>, Unsupported> {
    let mut body = Dictionary::new();
    let text = |key: &str| command.payload.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    let copy = |body: &mut Dictionary, pairs: &[(&str, &str)]| {
        for (from, to) in pairs {
            if let Some(text) = text(from) {
                body.insert((*to).to_owned(), text.into());
            }
        }
    };
    let data =
        || command.data.map(|data| Plist::Data(data.to_vec())).ok_or(Unsupported::from("its content is missing"));
    let request_type = match command.kind {
        CommandKind::DeviceInformation => {
            let asked: Option<Vec<Plist>> = command
                .payload
                .get("queries")
                .and_then(Value::as_array)
                .map(|queries| queries.iter().filter_map(Value::as_str).map(Plist::from).collect());
            let queries = asked
                .filter(|queries| !queries.is_empty())
                .unwrap_or_else(|| QUERIES.iter().map(|query| Plist::from(*query)).collect());
            body.insert("Queries".to_owned(), Plist::Array(queries));
            "DeviceInformation"
        }
        CommandKind::SecurityInfo => "SecurityInfo",
        CommandKind::ProfileList => "ProfileList",
        CommandKind::InstalledApplicationList => "InstalledApplicationList",
        CommandKind::InstallProfile | CommandKind::RenewIdentity => {
            body.insert("Payload".to_owned(), data()?);
            "InstallProfile"
        }
        CommandKind::DeviceLock => {
            copy(&mut body, &[("message", "Message"), ("phone_number", "PhoneNumber")]);
            "DeviceLock"
        }
        CommandKind::ClearPasscode => {
            body.insert("UnlockToken".to_owned(), data()?);
            "ClearPasscode"
        }
        CommandKind::EnableLostMode => {
            copy(&mut body, &[("message", "Message"), ("phone_number", "PhoneNumber"), ("footnote", "Footnote")]);
            if body.is_empty() {
                return Err("Lost Mode needs a message or a telephone number".into());
            }
            "EnableLostMode"
        }
        CommandKind::DisableLostMode => "DisableLostMode",
        CommandKind::DeviceConfigured => "DeviceConfigured",
        CommandKind::ActivationLockBypassCode => "ActivationLockBypassCode",
    };
    write(command.id, request_type, body)
}

/// Writes EraseDevice: the only place that does, and only for a verified order.
pub(crate) fn encode_erase(release: &Release) -> Result<Vec<u8>, Unsupported> {
    match release.scope() {
        Scope::EraseDevice => {}
        Scope::EraseWorkProfile | Scope::ForgetRecord => {
            return Err("Apple's devices know no such order".into());
        }
    }
    let mut body = Dictionary::new();
    body.insert("PreserveDataPlan".to_owned(), release.preserve_data_plan().into());
    // A lost phone must not be set up again by whoever holds it beside another one (Apple: iOS 11 and later).
    if release.preserve_data_plan() {
        body.insert("DisallowProximitySetup".to_owned(), true.into());
    }
    write(release.command(), "EraseDevice", body)
}

fn write(id: &CommandId, request_type: &str, mut body: Dictionary) -> Result<Vec<u8>, Unsupported> {
    body.insert("RequestType".to_owned(), request_type.into());
    let mut message = Dictionary::new();
    message.insert("Command".to_owned(), Plist::Dictionary(body));
    message.insert("CommandUUID".to_owned(), id.as_str().into());
    let mut bytes = Vec::new();
    Plist::Dictionary(message).to_writer_xml(&mut bytes).map_err(|problem| Unsupported(problem.to_string()))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_as_it_goes_out() {
        let id = CommandId::from("01890000-0000-7000-8000-000000000001");
        let payload = serde_json::json!({
            "message": "Please ring <the clerk> & Co.", "phone_number": "+44 1736 000000", "footnote": "Germoe",
            "identifier": "beadle.policy.germoe",
        });
        let mut all = String::new();
        for kind in CommandKind::ALL {
            let command = Command { id: &id, kind: *kind, payload: &payload, data: Some(b"data") };
            let bytes = encode(&command).expect("all of these can be written");
            all += &format!("# {kind}\n{}\n", String::from_utf8(bytes).expect("XML is text"));
        }
        insta::assert_snapshot!(all);
    }

    #[test]
    fn nothing_that_destroys_can_be_had_from_a_command() {
        let id = CommandId::new();
        for kind in CommandKind::ALL {
            let payload =
                serde_json::json!({ "RequestType": "EraseDevice", "message": "m", "identifier": "beadle.policy.x" });
            let command = Command { id: &id, kind: *kind, payload: &payload, data: Some(b"x") };
            if let Ok(bytes) = encode(&command) {
                let sent = String::from_utf8_lossy(&bytes);
                assert!(!sent.contains("EraseDevice") && !sent.contains("RemoveProfile"), "{kind}");
            }
        }
    }
}
