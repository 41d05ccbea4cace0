//! Each command as it goes out, each refusal, and W3 once more at the last door.

use beadle_enrollment::android::WIPE_REASON_LIMIT;

use super::*;
use crate::model::{
    CaseId, Circumstances, CommandId, Confirmation, CouncilId, DeviceId, EnrolmentFacts, EnrolmentId, Moment,
    OperatorId, OrderFacts, OrderId, OrderState, Refusal,
};
use crate::platform::android::discovery::Discovery;

const MODES: [Mode; 3] = [Mode::FullyManaged, Mode::CompanyWorkProfile, Mode::PersonalWorkProfile];
const SCOPES: [Scope; 3] = [Scope::EraseDevice, Scope::EraseWorkProfile, Scope::ForgetRecord];

/// What the model gives for an approved order of this kind; the approval itself is tested where it is made.
pub(in crate::platform::android) fn release(
    scope: Scope,
    mode: Mode,
    ownership: Ownership,
    preserve_data_plan: bool,
) -> Result<Release, Refusal> {
    let keys = crate::keys::for_tests().approval;
    let (council, order, case) = (CouncilId::from("council"), OrderId::from("order"), CaseId::from("case"));
    let (device, enrolment) = (DeviceId::from("device"), EnrolmentId::from("enrolment"));
    let (command, asked_by, approved_by) =
        (CommandId::from("command"), OperatorId::from("clerk"), OperatorId::from("chair"));
    let (asked_at, approved_at) = (Moment::from_unix(1_800_000_000), Moment::from_unix(1_800_000_060));
    let key = keys.current().expect("a key");
    let parts: [&[u8]; 14] = [
        b"council",
        b"order",
        b"case",
        b"device",
        b"enrolment",
        mode.as_str().as_bytes(),
        ownership.as_str().as_bytes(),
        scope.as_str().as_bytes(),
        &[u8::from(preserve_data_plan)],
        b"clerk",
        &asked_at.unix_micros().to_be_bytes(),
        b"chair",
        &approved_at.unix_micros().to_be_bytes(),
        b"command",
    ];
    let seal = key.mac("beadle order seal 1", &parts).expect("a seal");
    let facts = OrderFacts {
        council: &council,
        order: &order,
        case: &case,
        device: &device,
        enrolment: &enrolment,
        mode,
        ownership,
        scope,
        state: OrderState::Approved,
        preserve_data_plan,
        requested_by: &asked_by,
        requested_at: asked_at,
        approved_by: Some(&approved_by),
        one_operator: None,
        cooling_off_from: None,
        approved_at: Some(approved_at),
        command: Some(&command),
        seal: Some(&seal),
        seal_key: Some(&key.id),
        ended: false,
    };
    let enrolment = EnrolmentFacts {
        council: &council,
        enrolment: &enrolment,
        device: &device,
        mode,
        ownership,
        confirmation: Confirmation::NotNeeded,
        mode_disagrees: false,
        live: true,
    };
    let circumstances = Circumstances {
        authorised: Some(command.clone()),
        case_stands: true,
        asset_ownership: ownership,
        legal_hold: false,
        frozen: false,
        quarantine: false,
        trail: Some(OrderState::Approved),
    };
    Release::verify(&facts, &enrolment, &circumstances, &keys, approved_at)
}

fn lost_payload() -> Value {
    json!({ "message": "Please ring the clerk", "phone_number": "+44 1736 000000", "organisation": "Germoe Parish Council" })
}

fn ask(kind: CommandKind, mode: Mode, ownership: Ownership, payload: &Value) -> Result<Message, Unsupported> {
    let id = CommandId::from("01890000-0000-7000-8000-000000000001");
    encode(mode, ownership, &Command { id: &id, kind, payload, data: Some(b"data") })
}

#[test]
fn what_each_kind_of_phone_can_be_asked() {
    let mut table = String::new();
    for kind in CommandKind::ALL {
        for mode in MODES {
            for ownership in Ownership::ALL {
                let said = match ask(*kind, mode, *ownership, &lost_payload()) {
                    Ok(message) => message.body().to_string(),
                    Err(Unsupported(problem)) => format!("no: {problem}"),
                };
                table += &format!("{kind} | {mode} | {ownership} | {said}\n");
            }
        }
    }
    insta::assert_snapshot!(table);
}

#[test]
fn every_body_is_one_that_google_takes_and_none_destroys() {
    for kind in CommandKind::ALL {
        for mode in MODES {
            for ownership in Ownership::ALL {
                let hostile = json!({ "type": "WIPE", "wipeParams": {}, "message": "m", "newPassword": "x" });
                for payload in [&lost_payload(), &hostile] {
                    let Ok(message) = ask(*kind, mode, *ownership, payload) else { continue };
                    assert!(!message.destroys());
                    assert!(!message.body().to_string().contains("WIPE"), "{kind}");
                    Discovery::with(|discovery| {
                        assert_eq!(
                            discovery.problems("Command", message.body(), false),
                            Vec::<String>::new(),
                            "{kind}"
                        );
                    });
                    if *kind != CommandKind::ClearPasscode {
                        assert_eq!(message.body()["duration"], STANDS, "{kind}");
                    }
                }
            }
        }
    }
}

#[test]
fn an_apple_mode_is_refused_whatever_is_asked() {
    for mode in [Mode::Supervised, Mode::Device, Mode::User] {
        for kind in CommandKind::ALL {
            assert!(ask(*kind, mode, Ownership::Council, &lost_payload()).is_err(), "{kind} {mode}");
        }
        for scope in SCOPES {
            assert!(may_be_wiped(scope, mode, Ownership::Council).is_err(), "{scope} {mode}");
        }
    }
}

#[test]
fn lost_mode_says_more_than_a_name() {
    let params = |payload: &Value| lost_mode(payload).map(|params| params.to_string());
    assert!(params(&json!({ "organisation": "Germoe" })).is_err(), "Google refuses the name alone");
    assert!(params(&json!({ "message": "  ", "phone_number": 7 })).is_err());
    assert_eq!(
        params(&json!({ "phone_number": "1" })),
        Ok(json!({ "lostPhoneNumber": { "defaultMessage": "1" } }).to_string())
    );
    let long = lost_mode(&json!({ "message": "é".repeat(9000), "footnote": "Germoe" })).expect("a message");
    assert_eq!(long["lostMessage"]["defaultMessage"].as_str().map(|text| text.chars().count()), Some(TEXT_LIMIT));
    assert_eq!(long["lostOrganization"]["defaultMessage"], "Germoe");
}

#[test]
fn scope_mode_and_ownership_must_agree() {
    let mut table = String::new();
    for scope in SCOPES {
        for mode in MODES {
            for ownership in Ownership::ALL {
                let said = match may_be_wiped(scope, mode, *ownership) {
                    Ok(()) => "yes".to_owned(),
                    Err(Unsupported(problem)) => format!("no: {problem}"),
                };
                table += &format!("{scope} | {mode} | {ownership} | {said}\n");
            }
        }
    }
    insta::assert_snapshot!(table);
}

/// W3: the release is for one phone, the encoder is told of another.
#[test]
fn a_release_for_a_council_phone_does_not_erase_a_personal_one() {
    let release = release(Scope::EraseDevice, Mode::FullyManaged, Ownership::Council, true).expect("approved");
    for (mode, ownership) in [
        (Mode::FullyManaged, Ownership::Personal),
        (Mode::CompanyWorkProfile, Ownership::Personal),
        (Mode::PersonalWorkProfile, Ownership::Council),
        (Mode::PersonalWorkProfile, Ownership::Personal),
        (Mode::Supervised, Ownership::Council),
        (Mode::User, Ownership::Personal),
    ] {
        assert!(encode_wipe(mode, ownership, &release).is_err(), "{mode} {ownership}");
    }
}

#[test]
fn a_wipe_as_it_goes_out() {
    let mut all = Vec::new();
    for scope in SCOPES {
        for mode in MODES {
            for ownership in Ownership::ALL {
                for loss in [true, false] {
                    let Ok(release) = release(scope, mode, *ownership, loss) else { continue };
                    let message = encode_wipe(mode, *ownership, &release);
                    assert_eq!(message.is_ok(), may_be_wiped(scope, mode, *ownership).is_ok(), "{scope} {mode}");
                    let Ok(message) = message else { continue };
                    assert!(message.destroys());
                    Discovery::with(|discovery| {
                        assert_eq!(discovery.problems("Command", message.body(), false), Vec::<String>::new());
                    });
                    assert_eq!(message.body()["duration"], STANDS);
                    assert_eq!(message.body()["wipeParams"], wipe_params(scope, loss));
                    if (scope, mode) == (Scope::EraseDevice, Mode::FullyManaged) {
                        all.push(message.body().clone());
                    }
                }
            }
        }
    }
    insta::assert_json_snapshot!(all);
}

#[test]
fn only_a_work_profile_goes_with_a_word_to_the_holder() {
    insta::assert_json_snapshot!([
        wipe_params(Scope::EraseWorkProfile, true),
        wipe_params(Scope::EraseWorkProfile, false)
    ]);
    assert!(wipe_params(Scope::EraseDevice, true).get("wipeReason").is_none());
    assert!(PROFILE_GOES.chars().count() <= WIPE_REASON_LIMIT);
}
