//! Each call as it goes out, and its answer as it is read.

use super::*;

#[tokio::test]
async fn signing_up_makes_an_enterprise() {
    let stage = stage().await;
    let callback = Url::parse("https://mdm.example/google?state=a&b").expect("an address");
    stage.replies([Reply::Json(200, json!({ "name": "signupUrls/C1", "url": "https://play.google.com/work/x" }))]);
    let url = stage.client.create_signup_url("beadle-council", &callback).await.expect("a page");
    assert_eq!(url.name, "signupUrls/C1");
    let request = stage.only();
    assert_eq!(request.line(), "POST /v1/signupUrls");
    assert_eq!(request.query[1], ("callbackUrl".to_owned(), callback.to_string()));
    assert!(request.headers.contains("content-length: 0"), "Google's front end wants it: {}", request.headers);

    stage.replies([Reply::Json(200, json!({ "name": ENTERPRISE, "enterpriseType": "X", "pubsubTopic": TOPIC }))]);
    let mut wanted = EnterprisePatch::notify(TOPIC);
    wanted.enterprise_display_name = Some("é".repeat(200));
    let made = stage.client.create_enterprise("beadle-council", "signupUrls/C1", "secret", &wanted).await.expect("one");
    assert_eq!((made.name.as_str(), made.pubsub_topic.as_deref()), (ENTERPRISE, Some(TOPIC)));
    let body = stage.only().json();
    assert_eq!(body["enterpriseDisplayName"].as_str().map(|name| name.chars().count()), Some(100));
    assert_eq!(body["enabledNotificationTypes"], json!(["ENROLLMENT", "STATUS_REPORT", "COMMAND"]));

    stage.replies([Reply::Json(200, json!({ "name": ENTERPRISE }))]);
    stage.client.patch_enterprise(ENTERPRISE, &EnterprisePatch::notify(TOPIC)).await.expect("done");
    let request = stage.only();
    assert_eq!(request.query, [("updateMask".to_owned(), "pubsubTopic,enabledNotificationTypes".to_owned())]);
    assert!(request.json().get("enterpriseDisplayName").is_none(), "what is not set is not sent");
    let nothing = stage.client.patch_enterprise(ENTERPRISE, &EnterprisePatch::default()).await;
    assert!(matches!(nothing, Err(Failure::Fault(_))));
}

#[tokio::test]
async fn policies_and_tokens_are_made_and_tokens_deleted() {
    let stage = stage().await;
    let policy = format!("{ENTERPRISE}/policies/fully_managed-everyday");
    stage.replies([Reply::Json(200, json!({ "name": policy, "version": "12" }))]);
    let version = stage.client.patch_policy(&policy, &json!({ "cameraAccess": "CAMERA_ACCESS_DISABLED" })).await;
    assert_eq!(version.expect("a version"), 12);
    let request = stage.only();
    assert_eq!((request.line(), request.query.len()), (format!("PATCH /v1/{policy}"), 0));

    let binding = Binding::from_random(&[1; 32]);
    for mode in EnrolmentMode::ALL {
        let wanted = TokenRequest::new(ENTERPRISE, mode, chrono::Duration::days(7), &binding);
        let name = format!("{ENTERPRISE}/enrollmentTokens/t");
        stage.replies([Reply::Json(200, json!({ "name": name, "value": "SECRET", "qrCode": "{\"a\":\"SECRET\"}" }))]);
        let token = stage.client.create_enrollment_token(ENTERPRISE, &wanted).await.expect("a token");
        assert_eq!((token.value.as_str(), token.qr_code.as_str()), ("SECRET", "{\"a\":\"SECRET\"}"));
        assert!(!format!("{token:?}").contains("SECRET"));
        assert_eq!(stage.only().json()["additionalData"], binding.as_str());
        for reply in [Reply::Json(200, json!({})), error(404, "NOT_FOUND", "m")] {
            stage.replies([reply]);
            stage.client.delete_enrollment_token(&token.name).await.expect("gone is gone");
            assert_eq!(stage.only().method, "DELETE");
        }
    }
}

#[tokio::test]
async fn devices_are_read_listed_and_given_policies() {
    let stage = stage().await;
    let device = json!({ "name": DEVICE, "state": "ACTIVE", "new": 1 });
    stage.replies([Reply::Json(200, device.clone())]);
    assert_eq!(stage.client.get_device(DEVICE).await.expect("a device").raw, device);
    stage.only();
    for gone in [
        Reply::Json(200, json!({ "name": DEVICE, "state": "DELETED" })),
        error(404, "NOT_FOUND", "m"),
        error(500, "INTERNAL", "Requested entity was not found."),
    ] {
        stage.replies([gone]);
        assert!(matches!(stage.client.get_device(DEVICE).await, Err(Failure::NotFound)));
        stage.only();
    }

    stage.replies([
        Reply::Json(200, json!({ "devices": [device.clone(), { "no": "name" }], "nextPageToken": "p&2" })),
        Reply::Json(200, json!({})),
    ]);
    let page = stage.client.list_devices(ENTERPRISE, None).await.expect("a page");
    assert_eq!((page.devices.len(), page.next.as_deref()), (1, Some("p&2")));
    let page = stage.client.list_devices(ENTERPRISE, page.next.as_deref()).await.expect("a page");
    assert_eq!((page.devices.len(), page.next), (0, None));
    let seen = stage.seen();
    seen.iter().for_each(judge);
    assert_eq!(seen[0].query, [("pageSize".to_owned(), "100".to_owned())]);
    assert_eq!(seen[1].query[1], ("pageToken".to_owned(), "p&2".to_owned()));

    stage.replies([Reply::Json(200, device)]);
    let policy = format!("{ENTERPRISE}/policies/fully_managed-lost");
    stage.client.patch_device_policy(DEVICE, &policy).await.expect("done");
    let request = stage.only();
    assert_eq!((request.query[0].1.as_str(), request.json()), ("policyName", json!({ "policyName": policy })));
}

#[tokio::test]
async fn commands_are_issued_followed_and_taken_back() {
    let stage = stage().await;
    stage.replies([operation()]);
    // As a job does it: on a task of its own.
    let client = stage.client.clone();
    let issued = tokio::spawn(async move { client.issue_command(DEVICE, &lock()).await }).await.expect("no panic");
    let issued = issued.expect("an operation");
    assert_eq!((issued.name.as_str(), issued.outcome), (OPERATION, Outcome::Pending));
    let request = stage.only();
    assert_eq!(request.line(), format!("POST /v1/{DEVICE}:issueCommand"));
    assert!(request.headers.contains("authorization: bearer token-1"), "{}", request.headers);

    stage.replies([Reply::Json(200, json!({ "name": OPERATION, "done": true }))]);
    let read = stage.client.get_operation(OPERATION).await.expect("an operation");
    assert_eq!(read.outcome, Outcome::Done { how: None });
    stage.only();
    stage.client.cancel_operation(OPERATION).await.expect("asked");
    assert_eq!(stage.only().line(), format!("POST /v1/{OPERATION}:cancel"));

    stage.replies([
        Reply::Json(200, json!({ "operations": [{ "name": OPERATION }], "nextPageToken": "2" })),
        Reply::Json(200, json!({ "operations": [{ "name": OPERATION }, {}] })),
    ]);
    assert_eq!(stage.client.list_operations(DEVICE).await.expect("all").len(), 2);
    stage.seen().iter().for_each(judge);
}

#[tokio::test]
async fn a_wipe_is_tried_once_and_a_record_is_forgotten_by_its_own_release_only() {
    let stage = stage().await;
    let release = release(Scope::EraseDevice, Mode::FullyManaged, Ownership::Council, true).expect("approved");
    let wipe = encode_wipe(Mode::FullyManaged, Ownership::Council, &release).expect("a wipe");
    stage.replies([operation()]);
    stage.client.issue_command(DEVICE, &wipe).await.expect("an operation");
    assert_eq!(stage.only().json()["type"], "WIPE");
    // Neither refusal nor silence makes the client send it a second time.
    stage.replies([Reply::RetryAfter(429, 1)]);
    let busy = stage.client.issue_command(DEVICE, &wipe).await;
    assert!(matches!(busy, Err(Failure::Again { after: Some(_), .. })), "{busy:?}");
    stage.only();
    stage.replies([Reply::Drop]);
    let lost = stage.client.issue_command(DEVICE, &wipe).await;
    assert!(matches!(lost, Err(Failure::Unclear { .. })), "{lost:?}");
    stage.only();

    let refused = stage.client.delete_device(&release, DEVICE).await;
    assert!(matches!(refused, Err(Failure::Fault(Error::Forbidden(_)))), "{refused:?}");
    assert!(stage.seen().is_empty(), "nothing left");
}

#[tokio::test]
async fn a_name_of_another_kind_reaches_nobody() {
    let stage = stage().await;
    for wrong in
        [ENTERPRISE, "enterprises/LC01/devices/..", "enterprises/LC01/policies/p", "", "enterprises//devices/x"]
    {
        assert!(matches!(stage.client.get_device(wrong).await, Err(Failure::Fault(_))), "{wrong}");
        assert!(matches!(stage.client.issue_command(wrong, &lock()).await, Err(Failure::Fault(_))), "{wrong}");
        assert!(matches!(stage.client.get_operation(wrong).await, Err(Failure::Fault(_))), "{wrong}");
        assert!(matches!(stage.client.delete_enrollment_token(wrong).await, Err(Failure::Fault(_))), "{wrong}");
        assert!(
            matches!(stage.client.patch_device_policy(DEVICE, wrong).await, Err(Failure::Fault(_)))
                == (wrong != "enterprises/LC01/policies/p")
        );
    }
    stage.seen().iter().for_each(|request| assert_eq!(request.method, "PATCH"));
}
