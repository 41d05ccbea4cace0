//! Mistakes in commands, answers and check-in messages.

use plist::Value;

use super::{DEVICE, SUPERVISED, USER, assert_fine, assert_only, dictionary, with, without};
use crate::apple::schema::{Kind, Problem, check_check_in, check_command, check_response};

fn command<const N: usize>(request_type: &str, keys: [(&str, Value); N]) -> Value {
    let request = with(dictionary(keys), "RequestType", request_type);
    dictionary([("CommandUUID", "6f1c".into()), ("Command", request)])
}

fn lock() -> Value {
    command("DeviceLock", [("Message", "Please return".into()), ("PhoneNumber", "01234 567890".into())])
}

fn queries(names: &[&str]) -> Value {
    let names = names.iter().map(|name| Value::from(*name)).collect();
    command("DeviceInformation", [("Queries", Value::Array(names))])
}

#[test]
fn good_commands_pass() {
    assert_fine(&check_command(&lock(), &USER, None));
    assert_fine(&check_command(&lock(), &DEVICE, Some(4)));
    let erase = command("EraseDevice", [("PreserveDataPlan", true.into()), ("DisallowProximitySetup", true.into())]);
    assert_fine(&check_command(&erase, &DEVICE, Some(8191)));
    let lost = command("EnableLostMode", [("Message", "Lost".into()), ("PhoneNumber", "01234".into())]);
    assert_fine(&check_command(&lost, &SUPERVISED, Some(8191)));
    assert_fine(&check_command(&queries(&["DeviceName", "OSVersion"]), &USER, None));
    assert_fine(&check_command(&command("ProfileList", []), &DEVICE, Some(1)));
    let unlock = command(
        "ClearPasscode",
        [("UnlockToken", Value::Data(vec![1])), ("RequestRequiresNetworkTether", false.into())],
    );
    assert_fine(&check_command(&unlock, &DEVICE, Some(8191)));
}

#[test]
fn a_wrong_envelope_is_found() {
    assert_only(&check_command(&with(lock(), "Priority", 1), &DEVICE, None), "Priority", &Problem::UnknownKey);
    assert_only(&check_command(&without(lock(), "CommandUUID"), &DEVICE, None), "CommandUUID", &Problem::MissingKey);
    assert_only(&check_command(&without(lock(), "Command"), &DEVICE, None), "Command", &Problem::MissingKey);
    let request_type = "Lock".to_owned();
    let found = check_command(&command("Lock", []), &DEVICE, None);
    assert_only(&found, "Command.RequestType", &Problem::UnknownRequestType { request_type });
    let found = check_command(&Value::from(true), &DEVICE, None);
    assert_only(&found, "", &Problem::WrongType { expected: Kind::Dictionary, found: Kind::Boolean });
}

#[test]
fn wrong_keys_of_a_command_are_found() {
    let found = check_command(&command("DeviceLock", [("Mesage", "typo".into())]), &DEVICE, None);
    assert_only(&found, "Command.Mesage", &Problem::UnknownKey);
    let found = check_command(&command("EraseDevice", [("PIN", "123456".into())]), &DEVICE, None);
    assert_only(&found, "Command.PIN", &Problem::NotOnIos);
    let found = check_command(&command("InstallProfile", []), &DEVICE, None);
    assert_only(&found, "Command.Payload", &Problem::MissingKey);
    let found = check_command(&command("ClearPasscode", [("UnlockToken", "text".into())]), &DEVICE, None);
    assert_only(&found, "Command.UnlockToken", &Problem::WrongType { expected: Kind::Data, found: Kind::String });
    let found = check_command(&queries(&["OSVersion", "ShoeSize"]), &DEVICE, None);
    assert!(matches!(found.as_slice(), [only] if only.path == "Command.Queries[1]"), "{found:?}");
}

#[test]
fn commands_forbidden_or_unsupervised_are_found() {
    assert_only(&check_command(&command("EraseDevice", []), &USER, None), "Command", &Problem::Forbidden);
    let unlock = command("ClearPasscode", [("UnlockToken", Value::Data(vec![1]))]);
    assert_only(&check_command(&unlock, &USER, None), "Command", &Problem::Forbidden);
    for request_type in ["DisableLostMode", "DeviceLocation", "PlayLostModeSound", "RestartDevice", "ShutDownDevice"] {
        let command = command(request_type, []);
        assert_fine(&check_command(&command, &SUPERVISED, None));
        assert_only(&check_command(&command, &DEVICE, None), "Command", &Problem::SupervisedOnly);
    }
    assert_only(&check_command(&queries(&["SerialNumber"]), &USER, None), "Command.Queries[0]", &Problem::Forbidden);
    assert_only(&check_command(&command("UserList", []), &DEVICE, None), "Command", &Problem::SharedIpadOnly);
}

#[test]
fn a_missing_access_right_is_found() {
    let erase = command("EraseDevice", []);
    // A personal phone enrolled by profile: everything but erasing (8) and locking (4).
    let personal = Some(8191 - 12);
    assert_only(&check_command(&erase, &DEVICE, personal), "Command", &Problem::MissingAccessRight { missing: 8 });
    assert_only(&check_command(&lock(), &DEVICE, personal), "Command", &Problem::MissingAccessRight { missing: 4 });
    let found = check_command(&queries(&["ICCID"]), &DEVICE, Some(16));
    assert_only(&found, "Command.Queries[0]", &Problem::MissingAccessRight { missing: 32 });
    // User Enrolment has no access rights to lack.
    assert_fine(&check_command(&lock(), &USER, Some(0)));
}

#[test]
fn settings_are_told_apart_by_their_item() {
    let settings = |item: Value| command("Settings", [("Settings", Value::Array(vec![item]))]);
    let roaming = dictionary([("Item", "DataRoaming".into()), ("Enabled", true.into())]);
    assert_fine(&check_command(&settings(roaming.clone()), &DEVICE, Some(8191)));
    let found = check_command(&settings(with(roaming.clone(), "Image", true)), &DEVICE, None);
    assert_only(&found, "Command.Settings[0].Image", &Problem::UnknownKey);
    let name = dictionary([("Item", "DeviceName".into()), ("DeviceName", "Clerk".into())]);
    assert_only(&check_command(&settings(name), &DEVICE, None), "Command.Settings[0]", &Problem::SupervisedOnly);
    let found = check_command(&settings(with(roaming.clone(), "Item", "Volume")), &DEVICE, None);
    assert!(matches!(found.as_slice(), [only] if matches!(only.problem, Problem::NotInRangeList { .. })), "{found:?}");
    let found = check_command(&settings(without(roaming, "Item")), &DEVICE, None);
    assert_only(&found, "Command.Settings[0].Item", &Problem::MissingKey);
}

#[test]
fn the_profile_inside_install_profile_is_checked() {
    let profile = dictionary([("PayloadType", "Configuration".into())]);
    let mut bytes = Vec::new();
    profile.to_writer_xml(&mut bytes).expect("written");
    let found = check_command(&command("InstallProfile", [("Payload", Value::Data(bytes))]), &DEVICE, None);
    assert!(found.iter().any(|violation| violation.path == "Command.Payload.PayloadUUID"), "{found:?}");
    let signed = command("InstallProfile", [("Payload", Value::Data(vec![0x30, 0x80]))]);
    assert_fine(&check_command(&signed, &DEVICE, None));
}

fn token_update() -> Value {
    dictionary([
        ("MessageType", "TokenUpdate".into()),
        ("Topic", "com.apple.mgmt.External.0".into()),
        ("UDID", "00008030-0".into()),
        ("Token", Value::Data(vec![0; 32])),
        ("PushMagic", "magic".into()),
        ("UnlockToken", Value::Data(vec![1])),
        ("AwaitingConfiguration", false.into()),
    ])
}

fn authenticate() -> Value {
    dictionary([
        ("MessageType", "Authenticate".into()),
        ("Topic", "com.apple.mgmt.External.0".into()),
        ("UDID", "00008030-0".into()),
        ("OSVersion", "18.1".into()),
        ("BuildVersion", "22B83".into()),
        ("ProductName", "iPhone14,5".into()),
        ("SerialNumber", "F2LX".into()),
    ])
}

#[test]
fn good_check_ins_pass() {
    assert_fine(&check_check_in(&authenticate()));
    assert_fine(&check_check_in(&token_update()));
    let personal = without(without(authenticate(), "UDID"), "SerialNumber");
    assert_fine(&check_check_in(&with(personal, "EnrollmentID", "E-1")));
    let personal = without(without(token_update(), "UDID"), "UnlockToken");
    assert_fine(&check_check_in(&with(personal, "EnrollmentID", "E-1")));
    let farewell = dictionary([
        ("MessageType", "CheckOut".into()),
        ("Topic", "com.apple.mgmt.External.0".into()),
        ("UDID", "0".into()),
    ]);
    assert_fine(&check_check_in(&farewell));
}

#[test]
fn wrong_check_ins_are_found() {
    for key in ["Token", "PushMagic", "Topic", "UDID"] {
        assert_only(&check_check_in(&without(token_update(), key)), key, &Problem::MissingKey);
    }
    assert_only(&check_check_in(&with(authenticate(), "Model", "MKQ")), "Model", &Problem::NotOnIos);
    assert_only(&check_check_in(&with(authenticate(), "Colour", "red")), "Colour", &Problem::UnknownKey);
    let found = check_check_in(&with(token_update(), "Token", "abc"));
    assert_only(&found, "Token", &Problem::WrongType { expected: Kind::Data, found: Kind::String });
    let nobody = check_check_in(&without(authenticate(), "UDID"));
    assert!(matches!(nobody.as_slice(), [only] if only.path == "UDID"), "{nobody:?}");
    let telling = with(without(authenticate(), "UDID"), "EnrollmentID", "E-1");
    assert_only(&check_check_in(&telling), "SerialNumber", &Problem::Forbidden);
    let message_type = "Hello".to_owned();
    let found = check_check_in(&with(token_update(), "MessageType", "Hello"));
    assert_only(&found, "MessageType", &Problem::UnknownMessageType { message_type });
    let mac = with(token_update(), "MessageType", "GetBootstrapToken");
    assert_only(&check_check_in(&mac), "", &Problem::NotOnIos);
}

fn answer<const N: usize>(keys: [(&str, Value); N]) -> Value {
    let answer = with(dictionary(keys), "Status", "Acknowledged");
    with(with(answer, "CommandUUID", "6f1c"), "UDID", "0")
}

#[test]
fn good_answers_pass() {
    assert_fine(&check_response("DeviceLock", &answer([("MessageResult", "Success".into())])));
    assert_fine(&check_response("EraseDevice", &answer([])));
    let values =
        dictionary([("BatteryLevel", Value::Real(0.5)), ("OSVersion", "18.1".into()), ("IsSupervised", true.into())]);
    assert_fine(&check_response("DeviceInformation", &answer([("QueryResponses", values)])));
    assert_fine(&check_response("", &dictionary([("Status", "Idle".into()), ("UDID", "0".into())])));
    assert_fine(&check_response("InstallProfile", &with(answer([]), "Status", "NotNow")));
    let error = dictionary([
        ("ErrorCode", 12078.into()),
        ("ErrorDomain", "MCMDMErrorDomain".into()),
        ("LocalizedDescription", "Lost".into()),
    ]);
    let failed = with(with(answer([]), "Status", "Error"), "ErrorChain", Value::Array(vec![error]));
    assert_fine(&check_response("ProfileList", &failed));
}

#[test]
fn wrong_answers_are_found() {
    assert_only(&check_response("ProfileList", &answer([])), "ProfileList", &Problem::MissingKey);
    assert_only(&check_response("EraseDevice", &answer([("Erased", true.into())])), "Erased", &Problem::UnknownKey);
    assert_only(
        &check_response("EraseDevice", &without(answer([]), "CommandUUID")),
        "CommandUUID",
        &Problem::MissingKey,
    );
    let found = check_response("EraseDevice", &with(answer([]), "Status", "Done"));
    assert!(matches!(found.as_slice(), [only] if only.path == "Status"), "{found:?}");
    let values = dictionary([("BatteryLevel", "half".into())]);
    let found = check_response("DeviceInformation", &answer([("QueryResponses", values)]));
    assert_only(
        &found,
        "QueryResponses.BatteryLevel",
        &Problem::WrongType { expected: Kind::Real, found: Kind::String },
    );
    let personal = with(without(answer([]), "UDID"), "EnrollmentID", "E-1");
    assert_only(&check_response("EraseDevice", &personal), "", &Problem::Forbidden);
    let found = check_response("DeviceLock", &with(answer([("MessageResult", "Success".into())]), "Status", "NotNow"));
    assert_only(&found, "MessageResult", &Problem::UnknownKey);
    let bare = Value::Array(vec![dictionary([("ErrorCode", 1.into())])]);
    let found = check_response("ProfileList", &with(with(answer([]), "Status", "Error"), "ErrorChain", bare));
    assert_only(&found, "ErrorChain[0].ErrorDomain", &Problem::MissingKey);
}
