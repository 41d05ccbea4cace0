//! Policies: form, rules, masks and versions.

use super::*;

#[tokio::test]
async fn a_policy_is_replaced_numbered_and_shown_without_defaults() {
    let server = Server::new().await;
    let enterprise = server.enterprise("Germoe").await;
    let path = format!("/v1/{enterprise}/policies/personal_work_profile-everyday");
    let body = json!({ "screenCaptureDisabled": true, "funDisabled": false, "maximumTimeToLock": "300000", "applications": [] });
    let (status, first) = server.patch(&path, body.clone()).await;
    assert_eq!(status, 200, "{first}");
    assert_eq!(first["version"], "1");
    assert_eq!(first["name"], format!("{enterprise}/policies/personal_work_profile-everyday"));
    assert!(first.get("funDisabled").is_none() && first.get("applications").is_none(), "{first}");
    assert_eq!(server.patch(&path, body).await.1["version"], "1", "nothing changed");
    let (_, second) = server.patch(&path, json!({ "maximumTimeToLock": "60000" })).await;
    assert_eq!((&second["version"], second.get("screenCaptureDisabled")), (&json!("2"), None), "replaced whole");
    let (_, third) = server
        .patch(
            &format!("{path}?updateMask=screenCaptureDisabled"),
            json!({ "screenCaptureDisabled": true, "cameraAccess": "CAMERA_ACCESS_DISABLED" }),
        )
        .await;
    assert_eq!((&third["version"], &third["maximumTimeToLock"]), (&json!("3"), &json!("60000")));
    assert!(third.get("cameraAccess").is_none(), "the mask does not name it");
    let (_, fourth) = server.patch(&format!("{path}?updateMask=maximum_time_to_lock"), json!({})).await;
    assert!(fourth.get("maximumTimeToLock").is_none(), "named and absent: cleared");
    assert_eq!(server.get(&path).await.1, fourth);
    assert_eq!(server.get(&format!("/v1/{enterprise}/policies")).await.1["policies"].as_array().unwrap().len(), 1);
    for mask in ["version", "nothing", "passwordPolicies.passwordScope", "cameraDisabled"] {
        assert_refused(server.patch(&format!("{path}?updateMask={mask}"), json!({})).await, 400, "INVALID_ARGUMENT");
    }
    assert_refused(server.patch(&path, json!({ "name": "enterprises/x/policies/y" })).await, 400, "INVALID_ARGUMENT");
    assert_eq!(server.delete(&path).await.0, 200);
    assert_refused(server.get(&path).await, 404, "NOT_FOUND");
}

#[tokio::test]
async fn a_rejected_policy_changes_nothing_and_is_a_violation() {
    let server = Server::new().await;
    let enterprise = server.enterprise("Germoe").await;
    let path = format!("/v1/{enterprise}/policies/p");
    server.patch(&path, json!({ "screenCaptureDisabled": true })).await;
    for body in [
        json!({ "screenCapturesDisabled": true }),
        json!({ "cameraAccess": "CAMERA_OFF" }),
        json!({ "maximumTimeToLock": 300_000 }),
        json!({ "cameraDisabled": true }),
        json!({ "locationMode": "HIGH_ACCURACY" }),
        json!({ "screenCaptureDisabled": null }),
        json!({ "policyEnforcementRules": [{ "settingName": "passwordPolicies", "blockAction": {} }] }),
    ] {
        assert_refused(server.patch(&path, body).await, 400, "INVALID_ARGUMENT");
    }
    assert_refused(server.patch(&format!("{path}?force=true"), json!({})).await, 400, "INVALID_ARGUMENT");
    assert_eq!(server.get(&path).await.1["version"], "1");
    assert_eq!(server.cloud.violations().len(), 8);
    let refused = server.cloud.calls("enterprises.policies.patch").into_iter().filter(|call| !call.problems.is_empty());
    assert_eq!(refused.count(), 8);
}

#[tokio::test]
async fn a_policy_in_use_stays_and_its_phones_hear_of_changes() {
    let server = Server::new().await;
    let enterprise = server.enterprise("Germoe").await;
    server.policy(&enterprise, "p", json!({})).await;
    let phone = AndroidPhone::personal("Jenny");
    let device = server.personal(&enterprise, &phone).await;
    assert_refused(server.delete(&format!("/v1/{enterprise}/policies/p")).await, 400, "FAILED_PRECONDITION");
    let living = phone.live();
    server.policy(&enterprise, "p", json!({ "screenCaptureDisabled": true })).await;
    let obeyed =
        |state: &crate::android::phone::PhoneState| state.policy.as_ref().is_some_and(|policy| policy.version == 2);
    phone.wait_until(Duration::from_secs(2), obeyed).await.expect("it hears of it by itself");
    let (_, shown) = server.get(&format!("/v1/{device}")).await;
    assert_eq!((&shown["appliedPolicyVersion"], &shown["appliedState"]), (&json!("2"), &json!("ACTIVE")));
    drop(living);
    server.policy(&enterprise, "other", json!({})).await;
    let path = format!("/v1/{device}?updateMask=policyName");
    assert_eq!(server.patch(&path, json!({ "policyName": "other" })).await.0, 200);
    assert_refused(server.patch(&path, json!({ "policyName": "none" })).await, 400, "INVALID_ARGUMENT");
    let path = format!("/v1/{device}?updateMask=serialNumber");
    assert_refused(server.patch(&path, json!({})).await, 400, "INVALID_ARGUMENT");
    let path = format!("/v1/{device}?updateMask=state");
    assert_refused(server.patch(&path, json!({ "state": "DELETED" })).await, 400, "INVALID_ARGUMENT");
    assert_eq!(server.patch(&path, json!({ "state": "DISABLED" })).await.0, 200);
    phone.sync();
    let (_, shown) = server.get(&format!("/v1/{device}")).await;
    assert_eq!(
        (&shown["appliedState"], &shown["appliedPolicyName"]),
        (&json!("DISABLED"), &json!(format!("{enterprise}/policies/other")))
    );
    assert_eq!(server.delete(&format!("/v1/{enterprise}/policies/p")).await.0, 200, "nobody uses it any more");
}

#[cfg(feature = "judge")]
#[tokio::test]
async fn the_judge_by_googles_document_sees_every_request_and_names_what_is_wrong() {
    let server = Server::new().await;
    assert_eq!(server.cloud.judgement(), Judgement::default());
    assert!(server.cloud.judgement().nothing_wrong().is_err(), "nothing judged is nothing proved");
    let enterprise = server.enterprise("Germoe").await;
    assert_eq!(server.cloud.judgement().nothing_wrong(), Ok(()));
    let before = server.cloud.judgement();
    // Also what never reaches an answer.
    server.cloud.set_fault("enterprises.policies.patch", Fault::Answer(503), Times::Next(1));
    let policy = format!("/v1/{enterprise}/policies/p1");
    let (status, _) = server.patch(&policy, json!({ "maximumTimeToLock": 300_000 })).await;
    assert_eq!(status, 503);
    let after = server.cloud.judgement();
    assert_eq!((after.requests, after.bodies), (before.requests + 1, before.bodies + 1));
    assert!(after.nothing_wrong().is_err_and(|words| words.contains("maximumTimeToLock")), "{after:?}");
}
