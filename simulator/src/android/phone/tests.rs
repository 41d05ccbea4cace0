//! Phones of three modes: how they are enrolled, what they report, where they refuse, and when they destroy by themselves.

use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::android::cloud::tests::Server;

const MANAGED: &str = "PERSONAL_USAGE_DISALLOWED";
const ALLOWED: &str = "PERSONAL_USAGE_ALLOWED";
const DAY: Duration = Duration::from_secs(24 * 3600);

async fn council(policy: Value) -> (Server, String) {
    let server = Server::new().await;
    let enterprise = server.enterprise("Germoe").await;
    server.policy(&enterprise, "p", policy).await;
    (server, enterprise)
}

async fn shown(server: &Server, device: &str) -> Value {
    server.get(&format!("/v1/{device}")).await.1
}

fn link(token: &Value) -> String {
    format!("https://enterprise.google.com/android/enroll?et={}", token["value"].as_str().unwrap())
}

#[tokio::test]
async fn mode_comes_from_how_the_phone_is_set_up_and_what_the_token_allows() {
    let (server, enterprise) = council(json!({})).await;
    let personal = AndroidPhone::personal("Jenny");
    let device = server.personal(&enterprise, &personal).await;
    let seen = shown(&server, &device).await;
    assert_eq!((&seen["managementMode"], &seen["ownership"]), (&json!("PROFILE_OWNER"), &json!("PERSONALLY_OWNED")));
    assert_eq!(seen["enrollmentTokenData"], "beadle1.abc");
    for (allow, management, mode) in
        [(ALLOWED, "PROFILE_OWNER", Mode::CompanyWorkProfile), (MANAGED, "DEVICE_OWNER", Mode::FullyManaged)]
    {
        let phone = AndroidPhone::company("Office");
        let device = server.company(&enterprise, &phone, allow).await;
        let seen = shown(&server, &device).await;
        assert_eq!((&seen["managementMode"], &seen["ownership"]), (&json!(management), &json!("COMPANY_OWNED")));
        assert_eq!(phone.snapshot().mode, Some(mode));
    }
    // A councillor's own phone, reset, scans the code: it is the council's from now on.
    let own = AndroidPhone::personal("Sam");
    let token = server.token(&enterprise, ALLOWED).await;
    let code = token["qrCode"].as_str().unwrap();
    assert!(own.enrol_by_qr(&server.cloud, code).is_err(), "not before it is reset");
    own.reset();
    assert!(own.enrol_by_link(&server.cloud, &link(&token)).is_err(), "in factory state it opens no links");
    let device = own.enrol_by_qr(&server.cloud, code).unwrap();
    assert_eq!(shown(&server, &device).await["ownership"], "COMPANY_OWNED");
    assert_eq!(shown(&server, &device).await["appliedState"], "PROVISIONING", "until it has a policy");
}

#[tokio::test]
async fn tokens_are_good_once_in_time_and_for_what_they_say() {
    let (server, enterprise) = council(json!({})).await;
    let enrol = |name: &str, token: &Value| AndroidPhone::personal(name).enrol_by_link(&server.cloud, &link(token));
    let refused = server.token(&enterprise, MANAGED).await;
    assert!(enrol("Jenny", &refused).is_err(), "no personal phone with this token");
    let token = server.token(&enterprise, ALLOWED).await;
    assert!(enrol("Jenny", &token).is_ok());
    assert!(enrol("Sam", &token).is_err(), "one use only");
    let token = server.token(&enterprise, ALLOWED).await;
    server.cloud.move_clock(Duration::from_secs(3601));
    assert!(enrol("Sam", &token).is_err(), "expired");
    let token = server.token(&enterprise, ALLOWED).await;
    server.delete(&format!("/v1/{}", token["name"].as_str().unwrap())).await;
    assert!(enrol("Sam", &token).is_err(), "deleted");
    server.cloud.set_device_limit(Some(1));
    let token = server.token(&enterprise, ALLOWED).await;
    assert!(enrol("Sam", &token).is_err(), "Google has not approved the project for more");
    let elsewhere = link(&token).replace("enterprise.google.com", "enterprise.example");
    assert!(AndroidPhone::personal("Sam").enrol_by_link(&server.cloud, &elsewhere).is_err());
}

#[tokio::test]
async fn the_code_must_be_one_that_android_takes() {
    let (server, enterprise) = council(json!({})).await;
    let token = server.token(&enterprise, MANAGED).await;
    let code: Value = serde_json::from_str(token["qrCode"].as_str().unwrap()).unwrap();
    let wifi = |name: &str| format!("android.app.extra.PROVISIONING_WIFI_{name}");
    let with = |pairs: &[(&str, Value)]| {
        let mut code = code.clone();
        for (name, value) in pairs {
            code[*name] = value.clone();
        }
        code.to_string()
    };
    let (ssid, password, security) = (wifi("SSID"), wifi("PASSWORD"), wifi("SECURITY_TYPE"));
    let bad = [
        "hello".to_owned(),
        "{}".to_owned(),
        with(&[("android.app.extra.PROVISIONING_DEVICE_ADMIN_COMPONENT_NAME", json!("org.example/.Admin"))]),
        with(&[("android.app.extra.PROVISIONING_ADMIN_EXTRAS_BUNDLE", json!({}))]),
        with(&[("wifi", json!("Office"))]),
        with(&[(&password, json!("secret"))]),
        with(&[(&ssid, json!("Office")), (&security, json!("WPA"))]),
        with(&[(&ssid, json!("Office")), (&security, json!("WPA2")), (&password, json!("secret"))]),
        with(&[(&ssid, json!("Office")), (&password, json!("secret"))]),
        with(&[(&ssid, json!(1))]),
    ];
    for code in bad {
        let phone = AndroidPhone::company("Office");
        assert!(phone.enrol_by_qr(&server.cloud, &code).is_err(), "{code}");
    }
    let good = with(&[(&ssid, json!("Office")), (&security, json!("WPA")), (&password, json!("secret"))]);
    assert!(AndroidPhone::company("Office").enrol_by_qr(&server.cloud, &good).is_ok());
}

#[tokio::test]
async fn a_personal_phone_says_nothing_of_its_hardware() {
    let all = json!({ "statusReportingSettings": {
        "softwareInfoEnabled": true, "deviceSettingsEnabled": true, "networkInfoEnabled": true,
        "hardwareStatusEnabled": true, "applicationReportsEnabled": true } });
    let (server, enterprise) = council(all).await;
    let phone = AndroidPhone::personal("Jenny");
    let device = server.personal(&enterprise, &phone).await;
    let seen = shown(&server, &device).await;
    assert_eq!(seen["hardwareInfo"]["serialNumber"], seen["hardwareInfo"]["enterpriseSpecificId"]);
    assert_ne!(seen["hardwareInfo"]["serialNumber"], phone.options().serial.as_str());
    assert!(seen["networkInfo"].get("imei").is_none() && seen["networkInfo"].get("telephonyInfos").is_none());
    assert!(seen.get("hardwareStatusSamples").is_none());
    assert_eq!(seen["deviceSettings"]["encryptionStatus"], "ACTIVE_PER_USER");
    let managed = AndroidPhone::company("Office");
    let seen = shown(&server, &server.company(&enterprise, &managed, MANAGED).await).await;
    assert_eq!(seen["hardwareInfo"]["serialNumber"], managed.options().serial.as_str());
    assert_eq!(seen["networkInfo"]["imei"], managed.options().imei.as_str());
    assert!(seen["networkInfo"]["telephonyInfos"].is_array() && seen["hardwareStatusSamples"].is_array());
    let clerk = AndroidPhone::company("Clerk");
    let seen = shown(&server, &server.company(&enterprise, &clerk, ALLOWED).await).await;
    assert!(seen["networkInfo"]["imei"].is_string() && seen["networkInfo"].get("telephonyInfos").is_none());
    // Nothing is reported that was not asked for.
    server.policy(&enterprise, "p", json!({})).await;
    managed.sync();
    let seen = shown(&server, &managed.device().unwrap()).await;
    for name in ["softwareInfo", "deviceSettings", "networkInfo", "applicationReports", "hardwareStatusSamples"] {
        assert!(seen.get(name).is_none(), "{name}");
    }
}

#[tokio::test]
async fn what_a_mode_or_version_cannot_do_is_reported() {
    let policy = json!({
        "crossProfilePolicies": { "crossProfileCopyPaste": "COPY_FROM_WORK_TO_PERSONAL_DISALLOWED" },
        "deviceConnectivityManagement": { "usbDataAccess": "DISALLOW_USB_DATA_TRANSFER" },
        "systemUpdate": { "type": "AUTOMATIC" },
        "factoryResetDisabled": true,
        "locationMode": "LOCATION_DISABLED",
        "minimumApiLevel": 31,
    });
    let (server, enterprise) = council(policy).await;
    let reasons = async |device: &str| -> Vec<String> {
        let seen = shown(&server, device).await;
        assert_eq!(seen["policyCompliant"], seen.get("nonComplianceDetails").is_none());
        let details = seen["nonComplianceDetails"].as_array().cloned().unwrap_or_default();
        let words = |detail: &Value| {
            format!("{} {}", detail["settingName"].as_str().unwrap(), detail["nonComplianceReason"].as_str().unwrap())
        };
        details.iter().map(words).collect()
    };
    let personal = server.personal(&enterprise, &AndroidPhone::personal("Jenny")).await;
    let expected = [
        "factoryResetDisabled MANAGEMENT_MODE",
        "locationMode MANAGEMENT_MODE",
        "systemUpdate MANAGEMENT_MODE",
        "deviceConnectivityManagement MANAGEMENT_MODE",
    ];
    assert_eq!(reasons(&personal).await, expected);
    let managed = server.company(&enterprise, &AndroidPhone::company("Office"), MANAGED).await;
    assert_eq!(reasons(&managed).await, ["crossProfilePolicies MANAGEMENT_MODE"]);
    let clerk = server.company(&enterprise, &AndroidPhone::company("Clerk"), ALLOWED).await;
    assert_eq!(reasons(&clerk).await, ["factoryResetDisabled MANAGEMENT_MODE", "locationMode USER_ACTION"]);
    let old = AndroidPhone::new(AndroidOptions::company("Old").with_api_level(30));
    let old = server.company(&enterprise, &old, MANAGED).await;
    let expected = [
        "crossProfilePolicies MANAGEMENT_MODE",
        "deviceConnectivityManagement API_LEVEL",
        "minimumApiLevel OS_NOT_PERMITTED",
    ];
    assert_eq!(reasons(&old).await, expected);
}

#[tokio::test]
async fn a_weak_pin_blocks_work_until_the_holder_changes_it() {
    let policy = json!({
        "passwordPolicies": [{ "passwordScope": "SCOPE_PROFILE", "passwordQuality": "NUMERIC_COMPLEX", "passwordMinimumLength": 6,
            "unifiedLockSettings": "REQUIRE_SEPARATE_WORK_LOCK" }],
        "policyEnforcementRules": [{ "settingName": "passwordPolicies", "blockAction": {}, "wipeAction": { "wipeAfterDays": 36500 } }],
    });
    let (server, enterprise) = council(policy).await;
    let phone =
        AndroidPhone::new(AndroidOptions { screen_lock: Lock::simple_pin(4), ..AndroidOptions::personal("Jenny") });
    let device = server.personal(&enterprise, &phone).await;
    let seen = shown(&server, &device).await;
    let details = seen["nonComplianceDetails"].as_array().unwrap();
    assert_eq!(details[0]["fieldPath"], "passwordPolicies[0].unifiedLockSettings");
    assert_eq!(details[1]["specificNonComplianceReason"], "PASSWORD_POLICIES_PASSWORD_NOT_SUFFICIENT");
    assert_eq!(
        details[1]["specificNonComplianceContext"]["passwordPoliciesContext"]["passwordPolicyScope"],
        "SCOPE_PROFILE"
    );
    assert_eq!(seen["appliedPasswordPolicies"][0]["passwordMinimumLength"], 6);
    assert!(phone.snapshot().blocked);
    phone.set_work_lock(Some(Lock::pin(6)));
    assert!(!phone.snapshot().blocked, "the phone knows at once");
    phone.sync();
    assert_eq!(shown(&server, &device).await["policyCompliant"], true);
    phone.set_work_lock(None);
    phone.move_clock(DAY * 365);
    assert!(phone.snapshot().blocked && phone.snapshot().wipes().is_empty(), "our own rules never wipe in practice");
}

#[tokio::test]
async fn without_rules_of_our_own_a_weak_pin_wipes_after_ten_days() {
    let policy = json!({ "passwordPolicies": [{ "passwordQuality": "NUMERIC_COMPLEX", "passwordMinimumLength": 6 }] });
    let (server, enterprise) = council(policy).await;
    for (personal, allow) in [(true, ALLOWED), (false, MANAGED), (false, ALLOWED)] {
        let options = if personal { AndroidOptions::personal("Jenny") } else { AndroidOptions::company("Office") };
        let phone = AndroidPhone::new(AndroidOptions { screen_lock: Lock::pin(4), ..options });
        let device = match personal {
            true => server.personal(&enterprise, &phone).await,
            false => server.company(&enterprise, &phone, allow).await,
        };
        phone.set_online(false);
        phone.move_clock(DAY * 9);
        assert!(phone.snapshot().blocked && phone.snapshot().work_data);
        phone.move_clock(DAY);
        let state = phone.snapshot();
        assert_eq!(state.wipes(), [(!personal, &Because::Enforcement("passwordPolicies".into()))]);
        assert_eq!(state.personal_data, personal);
        assert_eq!(server.get(&format!("/v1/{device}")).await.0, 200, "nobody was told");
    }
}

#[tokio::test]
async fn wrong_passwords_cost_what_their_scope_says() {
    let limit = |scope: &str| json!({ "passwordPolicies": [{ "passwordScope": scope, "passwordQuality": "NUMERIC", "maximumFailedPasswordsForWipe": 10 }] });
    for (scope, personal, allow, whole) in [
        ("SCOPE_PROFILE", true, ALLOWED, false),
        ("SCOPE_PROFILE", false, ALLOWED, false),
        ("SCOPE_DEVICE", false, ALLOWED, true),
        ("SCOPE_DEVICE", false, MANAGED, true),
        // The mistake to be caught.
        ("SCOPE_DEVICE", true, ALLOWED, true),
    ] {
        let (server, enterprise) = council(limit(scope)).await;
        let phone = if personal { AndroidPhone::personal("Jenny") } else { AndroidPhone::company("Office") };
        match personal {
            true => server.personal(&enterprise, &phone).await,
            false => server.company(&enterprise, &phone, allow).await,
        };
        phone.wrong_passwords(9, false);
        assert!(phone.snapshot().work_data);
        phone.wrong_passwords(10, false);
        assert_eq!(phone.snapshot().wipes(), [(whole, &Because::WrongPasswords)], "{scope} {personal}");
    }
    let (server, enterprise) = council(limit("SCOPE_DEVICE")).await;
    let phone = AndroidPhone::new(AndroidOptions { work_lock: Some(Lock::pin(6)), ..AndroidOptions::company("Clerk") });
    server.company(&enterprise, &phone, ALLOWED).await;
    phone.wrong_passwords(50, true);
    assert!(phone.snapshot().work_data, "the profile's own lock has no limit");
}

#[tokio::test]
async fn rules_of_the_policy_replace_the_usual_ones() {
    let policy = json!({
        "minimumApiLevel": 36,
        "passwordPolicies": [{ "passwordQuality": "COMPLEX", "passwordMinimumLength": 12 }],
        "policyEnforcementRules": [{ "settingName": "minimumApiLevel", "blockAction": { "blockAfterDays": 1 }, "wipeAction": { "wipeAfterDays": 3 } }],
    });
    let (server, enterprise) = council(policy).await;
    let phone = AndroidPhone::personal("Jenny");
    server.personal(&enterprise, &phone).await;
    assert!(!phone.snapshot().blocked, "neither the PIN, which has no rule, nor the version, on the first day");
    phone.move_clock(DAY);
    assert!(phone.snapshot().blocked);
    phone.move_clock(DAY * 2);
    assert_eq!(phone.snapshot().wipes(), [(false, &Because::Enforcement("minimumApiLevel".into()))]);
}

#[tokio::test]
async fn apps_come_and_go_with_the_policy() {
    let apps = |mode: &str, kind: &str| json!({ "playStoreMode": mode, "applications": [{ "packageName": "com.example.minutes", "installType": kind }] });
    let (server, enterprise) = council(apps("WHITELIST", "FORCE_INSTALLED")).await;
    let phone = AndroidPhone::personal("Jenny");
    let device = server.personal(&enterprise, &phone).await;
    phone.install_app("com.example.own");
    assert_eq!(phone.snapshot().work_apps.len(), 2);
    server.policy(&enterprise, "p", apps("BLACKLIST", "FORCE_INSTALLED")).await;
    phone.sync();
    assert_eq!(phone.snapshot().work_apps.len(), 2, "only what is blocked goes");
    server.policy(&enterprise, "p", apps("BLACKLIST", "BLOCKED")).await;
    phone.sync();
    assert_eq!(phone.snapshot().work_apps.len(), 1);
    server.policy(&enterprise, "p", json!({})).await;
    phone.sync();
    assert!(phone.snapshot().work_apps.is_empty(), "unsaid, the mode is WHITELIST");
    phone.change_options(|options| options.unavailable_packages.push("com.example.minutes".into()));
    server.policy(&enterprise, "p", apps("WHITELIST", "FORCE_INSTALLED")).await;
    phone.sync();
    let detail = shown(&server, &device).await["nonComplianceDetails"][0].clone();
    assert_eq!(
        (&detail["nonComplianceReason"], &detail["packageName"]),
        (&json!("APP_NOT_INSTALLED"), &json!("com.example.minutes"))
    );
}

#[tokio::test]
async fn a_holder_who_leaves_tells_nobody_and_comes_back_under_another_name() {
    let (server, enterprise) = council(json!({})).await;
    let subscription = server.subscribe(&enterprise).await;
    let phone = AndroidPhone::personal("Jenny");
    let first = server.personal(&enterprise, &phone).await;
    server.pull(&subscription).await;
    phone.remove_work_profile();
    assert_eq!(phone.sync(), Visited::NotManaged);
    assert!(phone.snapshot().personal_data);
    assert!(server.pull(&subscription).await.is_empty());
    assert_eq!(shown(&server, &first).await["appliedState"], "ACTIVE", "for all Google knows");
    let second = server.personal(&enterprise, &phone).await;
    assert_ne!(first, second);
    assert_eq!(shown(&server, &second).await["previousDeviceNames"], json!([first]));
    let office = AndroidPhone::company("Office");
    let one = server.company(&enterprise, &office, MANAGED).await;
    office.reset();
    let two = server.company(&enterprise, &office, MANAGED).await;
    office.reset();
    let three = server.company(&enterprise, &office, ALLOWED).await;
    assert_eq!(shown(&server, &three).await["previousDeviceNames"], json!([one, two]));
    assert_eq!(server.cloud.devices(&enterprise).len(), 5, "what nobody deletes stays");
}

#[tokio::test]
async fn a_living_phone_answers_by_itself_and_a_silent_one_does_not_report() {
    let (server, enterprise) = council(json!({})).await;
    let phone = AndroidPhone::personal("Jenny");
    let device = server.personal(&enterprise, &phone).await;
    let living = phone.live();
    phone.set_online(false);
    server.post(&format!("/v1/{device}:issueCommand"), json!({ "type": "LOCK" })).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(phone.snapshot().commands("LOCK").is_empty());
    phone.set_online(true);
    phone.wait_until(Duration::from_secs(2), |state| state.screen_locked).await.expect("it comes back and hears");
    drop(living);
    phone.behave(Behaviour::Silent { times: 1 });
    server.policy(&enterprise, "p", json!({ "screenCaptureDisabled": true })).await;
    phone.sync();
    assert_eq!(shown(&server, &device).await["appliedPolicyVersion"], "1", "it obeys, and says nothing");
    phone.behave_well();
    phone.sync();
    assert_eq!(shown(&server, &device).await["appliedPolicyVersion"], "2");
    server.cloud.forget_device(&device);
    assert_eq!(phone.sync(), Visited::Unknown);
}
