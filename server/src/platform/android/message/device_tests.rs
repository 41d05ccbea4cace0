//! Devices as Google describes them: whole, half and broken, and the words against the discovery document.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::platform::android::discovery::Discovery;
use crate::platform::android::message::tests::any_json;

#[test]
fn a_report_is_read_field_by_field_and_kept() {
    let raw = json!({
        "name": "enterprises/LC01/devices/3a5f",
        "state": "ACTIVE",
        "appliedState": "LOST",
        "ownership": "COMPANY_OWNED",
        "managementMode": "PROFILE_OWNER",
        "enrollmentTokenData": "beadle1.x",
        "enrollmentTokenName": "enterprises/LC01/enrollmentTokens/t",
        "policyName": "enterprises/LC01/policies/company_work_profile-lost",
        "appliedPolicyName": "enterprises/LC01/policies/company_work_profile-everyday",
        "appliedPolicyVersion": "17",
        "policyCompliant": false,
        "nonComplianceDetails": [{
            "settingName": "passwordPolicies", "nonComplianceReason": "USER_ACTION",
            "specificNonComplianceReason": "PASSWORD_POLICIES_PASSWORD_NOT_SUFFICIENT", "fieldPath": "[0]",
        }, { "nonComplianceReason": "NEW_WORD" }],
        "apiLevel": 36,
        "enrollmentTime": "2026-11-01T09:00:00Z",
        "lastStatusReportTime": "2026-11-02T09:00:00.5Z",
        "lastPolicySyncTime": "2026-11-02T09:00:01Z",
        "previousDeviceNames": ["enterprises/LC01/devices/old", 7],
        "hardwareInfo": { "serialNumber": "R5CT1", "brand": "samsung", "model": "SM-A556B", "manufacturer": "samsung" },
        "softwareInfo": { "androidVersion": "16", "securityPatchLevel": "2026-10-05" },
        "networkInfo": { "imei": "350000000000001", "telephonyInfos": [{ "phoneNumber": "+441736000000" }] },
        "securityPosture": { "devicePosture": "AT_RISK", "postureDetails": [{ "securityRisk": "UNKNOWN_OS" }] },
        "deviceSettings": { "encryptionStatus": "ACTIVE_PER_USER", "isDeviceSecure": true },
        "somethingNew": { "a": 1 },
    });
    Discovery::with(|discovery| {
        let mut known = raw.clone();
        known.as_object_mut().expect("an object").remove("somethingNew");
        known["previousDeviceNames"] = json!(["enterprises/LC01/devices/old"]);
        known["nonComplianceDetails"].as_array_mut().expect("a list").pop();
        assert_eq!(discovery.problems("Device", &known, true), Vec::<String>::new(), "the sample is Google's own form");
    });
    let report = DeviceReport::read(raw.clone()).expect("a device");
    assert_eq!(report.state, Some(DeviceState::Active));
    assert_eq!(report.applied_state, Some(DeviceState::Lost));
    assert_eq!(report.mode(), Some(Mode::CompanyWorkProfile));
    assert_eq!(report.applied_policy_version, Some(17));
    assert_eq!(report.api_level, Some(36));
    assert_eq!(report.policy_compliant, Some(false));
    assert_eq!(report.non_compliance[0].reason, Some(NonComplianceReason::UserAction));
    assert_eq!(report.non_compliance[1].reason, Some(NonComplianceReason::Unknown("NEW_WORD".to_owned())));
    assert_eq!(report.previous_device_names, ["enterprises/LC01/devices/old"]);
    assert_eq!(report.hardware.serial_number.as_deref(), Some("R5CT1"));
    assert_eq!(report.software.security_patch_level.as_deref(), Some("2026-10-05"));
    assert_eq!(report.imei.as_deref(), Some("350000000000001"));
    assert_eq!(report.sims[0].phone_number.as_deref(), Some("+441736000000"));
    let posture = report.security_posture.clone().expect("a posture");
    assert_eq!((posture.posture, posture.risks), (Posture::AtRisk, vec![SecurityRisk::UnknownOs]));
    assert_eq!(report.encryption, Some(EncryptionStatus::ActivePerUser));
    assert_eq!(report.raw, raw);
    let shown = format!("{report:?}");
    assert!(!shown.contains("beadle1.x") && !shown.contains("350000000000001") && !shown.contains("R5CT1"), "{shown}");
}

#[test]
fn what_google_does_not_say_is_not_known() {
    let report = DeviceReport::read(json!({
        "name": "enterprises/LC01/devices/3a5f", "ownership": "OWNERSHIP_UNSPECIFIED", "managementMode": 3,
        "appliedPolicyVersion": "x", "lastStatusReportTime": "soon", "previousDeviceNames": "none",
    }))
    .expect("a device");
    assert_eq!((report.ownership.clone(), report.management_mode.clone(), report.mode()), (None, None, None));
    assert_eq!((report.applied_policy_version, report.last_status_report_time), (None, None));
    assert!(DeviceReport::read(json!({ "state": "ACTIVE" })).is_none());
}

#[test]
fn the_words_are_those_of_the_discovery_document() {
    Discovery::with(|discovery| {
        for (schema, field, words) in [
            ("Device", "state", DeviceState::WORDS),
            ("Device", "appliedState", DeviceState::WORDS),
            ("Device", "ownership", OwnershipAtGoogle::WORDS),
            ("Device", "managementMode", ManagementMode::WORDS),
            ("SecurityPosture", "devicePosture", Posture::WORDS),
            ("PostureDetail", "securityRisk", SecurityRisk::WORDS),
            ("DeviceSettings", "encryptionStatus", EncryptionStatus::WORDS),
            ("NonComplianceDetail", "nonComplianceReason", NonComplianceReason::WORDS),
        ] {
            assert_eq!(discovery.words(schema, field), words, "{schema}.{field}");
        }
    });
}

proptest! {
    #[test]
    fn any_device_is_read(value in any_json("name|state|ownership|managementMode|hardwareInfo|nonComplianceDetails|securityPosture|previousDeviceNames|[a-z]{0,3}")) {
        if let Some(report) = DeviceReport::read(value) {
            let _ = (report.mode(), format!("{report:?}"));
        }
    }
}
