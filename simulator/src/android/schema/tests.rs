//! Makes each kind of mistake once and asks whether the checker sees it, and sees nothing where there is none.

use serde_json::{Value, json};

use super::*;

fn refused(found: Vec<Finding>) -> Vec<String> {
    found.into_iter().filter(|finding| finding.refused).map(|finding| finding.path).collect()
}

fn policy(body: &Value) -> Vec<String> {
    let mut found = check_body("Policy", body);
    found.extend(policy_rules(body));
    refused(found)
}

#[test]
fn a_good_policy_is_fine() {
    let body = json!({
        "passwordPolicies": [
            { "passwordScope": "SCOPE_DEVICE", "passwordQuality": "COMPLEXITY_MEDIUM" },
            { "passwordScope": "SCOPE_DEVICE", "passwordQuality": "NUMERIC", "passwordMinimumLength": 4 },
            { "passwordScope": "SCOPE_PROFILE", "passwordQuality": "NUMERIC_COMPLEX", "passwordMinimumLength": 6,
              "maximumFailedPasswordsForWipe": 10, "passwordExpirationTimeout": "7776000s",
              "unifiedLockSettings": "REQUIRE_SEPARATE_WORK_LOCK" },
        ],
        "maximumTimeToLock": "300000",
        "encryptionPolicy": "ENABLED_WITHOUT_PASSWORD",
        "policyEnforcementRules": [
            { "settingName": "passwordPolicies", "blockAction": { "blockAfterDays": 0 }, "wipeAction": { "wipeAfterDays": 36500 } },
        ],
        "applications": [
            { "packageName": "com.example.minutes", "installType": "FORCE_INSTALLED",
              "managedConfiguration": { "anything": [1, null, { "goes": true }] } },
        ],
        "openNetworkConfiguration": { "NetworkConfigurations": [{ "Name": "Office" }] },
        "shortSupportMessage": { "defaultMessage": "Ask the clerk", "localizedMessages": { "cy": "Gofynnwch" } },
        "systemUpdate": { "type": "WINDOWED", "startMinutes": 60, "endMinutes": 300 },
    });
    assert_eq!(policy(&body), Vec::<String>::new());
}

#[test]
fn names_types_and_members_are_judged() {
    let deep = "policy.shortSupportMessage.localizedMessages.cy";
    for (body, path) in [
        (json!({ "passwordPolicys": [] }), "policy.passwordPolicys"),
        (json!({ "passwordPolicies": {} }), "policy.passwordPolicies"),
        (json!({ "passwordPolicies": [{ "scope": "SCOPE_DEVICE" }] }), "policy.passwordPolicies[0].scope"),
        (json!({ "cameraAccess": "OFF" }), "policy.cameraAccess"),
        (json!({ "cameraAccess": 1 }), "policy.cameraAccess"),
        (json!({ "maximumTimeToLock": 300_000 }), "policy.maximumTimeToLock"),
        (json!({ "maximumTimeToLock": "5m" }), "policy.maximumTimeToLock"),
        (json!({ "minimumApiLevel": "31" }), "policy.minimumApiLevel"),
        (json!({ "minimumApiLevel": 3_000_000_000_i64 }), "policy.minimumApiLevel"),
        (json!({ "screenCaptureDisabled": "true" }), "policy.screenCaptureDisabled"),
        (json!({ "screenCaptureDisabled": null }), "policy.screenCaptureDisabled"),
        (json!({ "cameraDisabled": true }), "policy.cameraDisabled"),
        (json!({ "passwordRequirements": {} }), "policy.passwordRequirements"),
        (json!({ "locationMode": "BATTERY_SAVING" }), "policy.locationMode"),
        (json!({ "shortSupportMessage": { "localizedMessages": { "cy": 1 } } }), deep),
        (json!({ "shortSupportMessage": "x" }), "policy.shortSupportMessage"),
    ] {
        assert_eq!(policy(&body), [path], "{body}");
    }
    assert_eq!(refused(check_body("Policy", &json!([]))), ["policy"]);
    let noted = check_body("Policy", &json!({ "version": "7" }));
    assert!(noted.len() == 1 && !noted[0].refused, "output only: passed over");
}

#[test]
fn durations_are_whole_or_broken_seconds() {
    let command = |duration: &str| refused(check_body("Command", &json!({ "type": "LOCK", "duration": duration })));
    for good in ["1s", "7776000s", "1.5s", "315576000000s"] {
        assert_eq!(command(good), Vec::<String>::new(), "{good}");
    }
    for bad in ["", "s", "90d", "1h", "60", "1.s", ".5s", "1,5s", " 1s", "+1s", "315576000001s"] {
        assert_eq!(command(bad), ["command.duration"], "{bad}");
    }
}

#[test]
fn a_policy_is_judged_as_a_whole() {
    let rule = |block: Value, wipe: Value| json!({ "policyEnforcementRules": [{ "settingName": "passwordPolicies", "blockAction": block, "wipeAction": wipe }] });
    let mut long = Vec::new();
    for number in 0..3001 {
        long.push(json!({ "packageName": format!("com.example.app{number}") }));
    }
    let pinned: Vec<Value> = (0..21)
        .map(|number| json!({ "packageName": format!("com.example.app{number}"), "minimumVersionCode": 2 }))
        .collect();
    let rules = "policy.policyEnforcementRules[0]";
    let passwords = "policy.passwordPolicies[0]";
    for (body, path) in [
        (
            json!({ "policyEnforcementRules": [{ "settingName": "passwordPolicies", "blockAction": {} }] }),
            format!("{rules}.wipeAction"),
        ),
        (
            json!({ "policyEnforcementRules": [{ "settingName": "passwordPolicies", "wipeAction": { "wipeAfterDays": 10 } }] }),
            format!("{rules}.blockAction"),
        ),
        (
            json!({ "policyEnforcementRules": [{ "blockAction": {}, "wipeAction": { "wipeAfterDays": 10 } }] }),
            format!("{rules}.settingName"),
        ),
        (
            json!({ "policyEnforcementRules": [{ "settingName": "password", "blockAction": {}, "wipeAction": { "wipeAfterDays": 10 } }] }),
            format!("{rules}.settingName"),
        ),
        (
            rule(json!({ "blockAfterDays": 5 }), json!({ "wipeAfterDays": 5 })),
            format!("{rules}.wipeAction.wipeAfterDays"),
        ),
        (rule(json!({}), json!({})), format!("{rules}.wipeAction.wipeAfterDays")),
        (
            rule(json!({ "blockAfterDays": -1 }), json!({ "wipeAfterDays": 5 })),
            format!("{rules}.blockAction.blockAfterDays"),
        ),
        (
            json!({ "passwordPolicies": [{ "passwordScope": "SCOPE_DEVICE", "passwordQuality": "COMPLEXITY_HIGH" }] }),
            format!("{passwords}.passwordQuality"),
        ),
        (
            json!({ "passwordPolicies": [
                { "passwordScope": "SCOPE_DEVICE", "passwordQuality": "COMPLEXITY_HIGH" },
                { "passwordScope": "SCOPE_PROFILE", "passwordQuality": "NUMERIC" },
            ] }),
            format!("{passwords}.passwordQuality"),
        ),
        (
            json!({ "passwordPolicies": [{ "passwordScope": "SCOPE_DEVICE", "passwordQuality": "NUMERIC", "unifiedLockSettings": "REQUIRE_SEPARATE_WORK_LOCK" }] }),
            format!("{passwords}.unifiedLockSettings"),
        ),
        (
            json!({ "passwordPolicies": [{ "passwordQuality": "NUMERIC", "passwordMinimumLength": -1 }] }),
            format!("{passwords}.passwordMinimumLength"),
        ),
        (
            json!({ "passwordPolicies": [{ "passwordQuality": "NUMERIC" }, { "passwordQuality": "SOMETHING" }] }),
            "policy.passwordPolicies[1].passwordScope".into(),
        ),
        (json!({ "applications": long }), "policy.applications".into()),
        (json!({ "applications": pinned }), "policy.applications".into()),
        (json!({ "applications": [{ "packageName": "minutes" }] }), "policy.applications[0].packageName".into()),
        (
            json!({ "applications": [{ "packageName": "com.a.b" }, { "packageName": "com.a.b" }] }),
            "policy.applications[1].packageName".into(),
        ),
        (
            json!({ "applications": [{ "packageName": "com.a.b", "installPriority": 10_001 }] }),
            "policy.applications[0].installPriority".into(),
        ),
        (
            json!({ "applications": [{ "packageName": "com.a.b", "installType": "CUSTOM" }] }),
            "policy.applications[0].signingKeyCerts".into(),
        ),
        (json!({ "maximumTimeToLock": "-1" }), "policy.maximumTimeToLock".into()),
        (
            json!({ "personalUsagePolicies": { "maxDaysWithWorkOff": 2 } }),
            "policy.personalUsagePolicies.maxDaysWithWorkOff".into(),
        ),
        (
            json!({ "systemUpdate": { "type": "WINDOWED", "endMinutes": 1440 } }),
            "policy.systemUpdate.endMinutes".into(),
        ),
        (json!({ "wipeDataFlags": ["WIPE_ESIMS", "WIPE_ESIMS"] }), "policy.wipeDataFlags".into()),
    ] {
        assert_eq!(policy(&body), [path]);
    }
}

#[test]
fn queries_are_judged() {
    let query = |method: &str, pairs: &[(&str, &str)]| {
        let pairs: Vec<(String, String)> =
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        refused(check_query(method, &pairs))
    };
    let none = Vec::<String>::new();
    assert_eq!(query("enterprises.devices.list", &[("pageSize", "100"), ("pageToken", "x"), ("alt", "json")]), none);
    assert_eq!(query("enterprises.devices.list", &[("pageSize", "many")]), ["pageSize"]);
    assert_eq!(query("enterprises.devices.list", &[("page", "1")]), ["page"]);
    assert_eq!(query("enterprises.devices.list", &[("pageSize", "1"), ("pageSize", "2")]), ["pageSize"]);
    assert_eq!(
        query(
            "enterprises.devices.delete",
            &[("wipeDataFlags", "WIPE_ESIMS"), ("wipeDataFlags", "WIPE_EXTERNAL_STORAGE")]
        ),
        none
    );
    assert_eq!(query("enterprises.devices.delete", &[("wipeDataFlags", "ALL")]), ["wipeDataFlags"]);
    assert_eq!(query("enterprises.create", &[("agreementAccepted", "true")]), ["agreementAccepted"]);
    assert_eq!(query("enterprises.devices.get", &[("access_token", "secret")]), ["access_token"]);
}

#[test]
fn defaults_are_not_written_but_presence_is() {
    let body = json!({
        "screenCaptureDisabled": false,
        "maximumTimeToLock": "0",
        "cameraAccess": "CAMERA_ACCESS_UNSPECIFIED",
        "applications": [],
        "version": "9",
        "policyEnforcementRules": [{ "settingName": "x", "blockAction": { "blockAfterDays": 0 }, "wipeAction": { "wipeAfterDays": 9 } }],
        "applications2": 1,
        "openNetworkConfiguration": { "kept": false },
    });
    let shown = json!({
        "policyEnforcementRules": [{ "settingName": "x", "blockAction": {}, "wipeAction": { "wipeAfterDays": 9 } }],
        "openNetworkConfiguration": { "kept": false },
    });
    assert_eq!(without_defaults("Policy", &body), shown);
}
