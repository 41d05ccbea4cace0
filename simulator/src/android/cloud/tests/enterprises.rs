//! Sign-up, the enterprise, enrolment tokens, and whose is what.

use super::*;

#[tokio::test]
async fn an_enterprise_comes_only_from_a_completed_sign_up_and_only_once() {
    let server = Server::new().await;
    let project = server.cloud.project().to_owned();
    assert_refused(
        server.call("POST", "/v1/signupUrls?callbackUrl=https%3A%2F%2Fa.example", None).await,
        400,
        "INVALID_ARGUMENT",
    );
    let foreign = "/v1/signupUrls?projectId=other&callbackUrl=https%3A%2F%2Fa.example";
    assert_refused(server.call("POST", foreign, None).await, 403, "PERMISSION_DENIED");
    let path = format!("/v1/signupUrls?projectId={project}&callbackUrl=https%3A%2F%2Fa.example");
    let (_, sign_up) = server.call("POST", &path, None).await;
    let name = sign_up["name"].as_str().unwrap();
    let create =
        |token: &str| format!("/v1/enterprises?projectId={project}&signupUrlName={name}&enterpriseToken={token}");
    assert_refused(server.post(&create("guess"), json!({})).await, 400, "INVALID_ARGUMENT");
    let back = server.cloud.console_completes_sign_up(sign_up["url"].as_str().unwrap(), "Germoe").unwrap();
    let token = back.rsplit('=').next().unwrap();
    let agreed = format!("{}&agreementAccepted=true", create(token));
    assert_refused(server.post(&agreed, json!({})).await, 400, "INVALID_ARGUMENT");
    let long = json!({ "enterpriseDisplayName": "x".repeat(101) });
    assert_refused(server.post(&create(token), long).await, 400, "INVALID_ARGUMENT");
    assert_eq!(server.post(&create(token), json!({ "enterpriseDisplayName": "Germoe PC" })).await.0, 200);
    assert_refused(server.post(&create(token), json!({})).await, 409, "ALREADY_EXISTS");
    assert!(server.cloud.console_completes_sign_up("https://elsewhere.example", "Germoe").is_err());
}

#[tokio::test]
async fn deleting_an_enterprise_is_a_grave_violation() {
    let server = Server::new().await;
    let enterprise = server.enterprise("Germoe").await;
    assert!(server.cloud.grave_violations().is_empty());
    assert_refused(server.delete(&format!("/v1/{enterprise}")).await, 400, "FAILED_PRECONDITION");
    assert_eq!(server.cloud.grave_violations().len(), 1);
    assert_eq!(server.get(&format!("/v1/{enterprise}")).await.0, 200, "it is still there");
    assert_eq!(
        server.get("/v1/enterprises?projectId=any").await,
        (200, json!({})),
        "customer-managed ones are not listed"
    );
}

#[tokio::test]
async fn what_belongs_to_another_project_is_forbidden() {
    let mut server = Server::new().await;
    let enterprise = server.enterprise("Germoe").await;
    let key = server.cloud.another_project("provider-two").unwrap();
    server.key = serde_json::from_str(&key).unwrap();
    server.sign_in(|_, _| {}).await.unwrap();
    assert_refused(server.get(&format!("/v1/{enterprise}")).await, 403, "PERMISSION_DENIED");
    assert_refused(server.patch(&format!("/v1/{enterprise}/policies/p"), json!({})).await, 403, "PERMISSION_DENIED");
    assert_refused(server.get("/v1/enterprises/LCnone/devices").await, 403, "PERMISSION_DENIED");
    let pull = format!("/v1/projects/{}/subscriptions/s:pull", server.cloud.project());
    assert_refused(server.post(&pull, json!({ "maxMessages": 1 })).await, 403, "PERMISSION_DENIED");
}

#[tokio::test]
async fn enrolment_tokens_are_judged_listed_and_die() {
    let server = Server::new().await;
    let enterprise = server.enterprise("Germoe").await;
    server.policy(&enterprise, "p", json!({})).await;
    let other = server.enterprise("Breage").await;
    server.policy(&other, "elsewhere", json!({})).await;
    let path = format!("/v1/{enterprise}/enrollmentTokens");
    for body in [
        json!({ "policyName": format!("{enterprise}/policies/none") }),
        json!({ "policyName": format!("{other}/policies/elsewhere") }),
        json!({ "policyName": "p", "duration": "59s" }),
        json!({ "policyName": "p", "duration": "1h" }),
        json!({ "policyName": "p", "duration": 3600 }),
        json!({ "policyName": "p", "additionalData": "x".repeat(1025) }),
        json!({ "policyName": "p", "allowPersonalUsage": "ALLOWED" }),
        json!({ "policyName": "p", "user": { "accountIdentifier": "x" } }),
        json!({ "policyName": "p", "oneTimeOnly": "true" }),
    ] {
        assert_refused(server.post(&path, body).await, 400, "INVALID_ARGUMENT");
    }
    let token = server.token(&enterprise, "PERSONAL_USAGE_ALLOWED").await;
    let code: Value = serde_json::from_str(token["qrCode"].as_str().unwrap()).unwrap();
    assert_eq!(code[EXTRAS][EXTRA_TOKEN], token["value"]);
    let name = token["name"].as_str().unwrap().to_owned();
    let (status, partial) = server.get(&format!("/v1/{name}")).await;
    assert_eq!((status, &partial["value"]), (200, &token["value"]));
    assert!(partial.get("additionalData").is_none() && partial.get("policyName").is_none(), "a partial view");
    for _ in 0..11 {
        server.token(&enterprise, "PERSONAL_USAGE_DISALLOWED").await;
    }
    let (_, page) = server.get(&path).await;
    assert_eq!(page["enrollmentTokens"].as_array().unwrap().len(), 10, "ten unless asked for more");
    let (_, rest) = server.get(&format!("{path}?pageToken={}", page["nextPageToken"].as_str().unwrap())).await;
    assert_eq!(rest["enrollmentTokens"].as_array().unwrap().len(), 2);
    assert_eq!(server.delete(&format!("/v1/{name}")).await, (200, json!({})));
    assert_refused(server.get(&format!("/v1/{name}")).await, 404, "NOT_FOUND");
    server.cloud.move_clock(Duration::from_secs(3601));
    assert_eq!(server.get(&path).await, (200, json!({})), "all have expired");
}

#[tokio::test]
async fn calls_that_do_not_exist_are_violations() {
    let server = Server::new().await;
    assert_refused(server.get("/v1/nothing").await, 404, "NOT_FOUND");
    let (status, _) = server.post("/v1/enterprises/LC1/webTokens", json!({})).await;
    assert_eq!(status, 404);
    assert_eq!(server.cloud.violations().len(), 2);
    assert_eq!(server.cloud.calls("unknown").len(), 2);
}
