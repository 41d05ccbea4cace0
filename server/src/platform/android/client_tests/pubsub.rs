//! Topic, right and subscription; notifications fetched and acknowledged.

use super::*;

#[tokio::test]
async fn topic_right_and_subscription_are_made_where_they_are_not_there() {
    let stage = stage().await;
    let rights = json!({ "etag": "BwX", "bindings": [{ "role": "roles/owner", "members": ["user:a@example.org"] }] });
    stage.replies([
        Reply::Json(200, json!({ "name": TOPIC })),
        Reply::Json(200, rights.clone()),
        error(409, "ABORTED", "etag"),
        Reply::Json(200, rights),
        Reply::Json(200, json!({})),
        Reply::Json(200, json!({ "name": SUBSCRIPTION })),
    ]);
    stage.client.ensure_notifications(TOPIC, SUBSCRIPTION).await.expect("made");
    let seen = stage.seen();
    let lines: Vec<String> = seen.iter().map(Request::line).collect();
    insta::assert_snapshot!(lines.join("\n"));
    assert_eq!(seen[1].query, [("options.requestedPolicyVersion".to_owned(), "3".to_owned())]);
    let written = &seen[4].json()["policy"];
    assert_eq!((&written["etag"], written["bindings"].as_array().map(Vec::len)), (&json!("BwX"), Some(2)));
    insta::assert_json_snapshot!(seen[5].json());
    assert_eq!(stage.paced(), 0, "Pub/Sub has another quota");

    let granted = json!({ "bindings": [{
        "role": "roles/pubsub.publisher", "members": ["serviceAccount:android-cloud-policy@system.gserviceaccount.com"],
    }] });
    let there = || error(409, "ALREADY_EXISTS", "m");
    stage.replies([there(), Reply::Json(200, granted.clone()), there(), Reply::Json(200, json!({ "topic": TOPIC }))]);
    stage.client.ensure_notifications(TOPIC, SUBSCRIPTION).await.expect("was there");
    assert_eq!(stage.seen().len(), 4);
    stage.replies([
        there(),
        Reply::Json(200, granted),
        there(),
        Reply::Json(200, json!({ "topic": "_deleted-topic_" })),
    ]);
    let wrong = stage.client.ensure_notifications(TOPIC, SUBSCRIPTION).await;
    assert!(matches!(wrong, Err(Failure::Refused { status: 409, .. })), "{wrong:?}");
}

#[tokio::test]
async fn notifications_are_fetched_and_acknowledged() {
    let stage = stage().await;
    let data = STANDARD.encode(json!({ "name": DEVICE, "state": "ACTIVE" }).to_string());
    stage.replies([Reply::Json(
        200,
        json!({ "receivedMessages": [
            { "ackId": "a", "message": {
                "data": data, "messageId": "7", "publishTime": "2026-11-02T09:00:00Z",
                "attributes": { "notificationType": "STATUS_REPORT" },
            } },
            { "ackId": "b", "message": { "messageId": "8", "attributes": { "notificationType": "test" } } },
            { "ackId": "c" },
            {},
        ] }),
    )]);
    let received = stage.client.pull(SUBSCRIPTION, 50).await.expect("some");
    assert_eq!(received.iter().map(|one| one.ack_id.as_str()).collect::<Vec<_>>(), ["a", "b", "c"]);
    assert_eq!(received[0].notification.device.as_deref(), Some(DEVICE));
    let request = &stage.seen()[0];
    assert_eq!(
        (request.line(), request.json()),
        (format!("POST /v1/{SUBSCRIPTION}:pull"), json!({ "maxMessages": 50 }))
    );
    assert!(request.headers.contains("bearer token-1"));

    for fault in [Reply::Hang, Reply::Drop, error(503, "UNAVAILABLE", "m"), Reply::Text(200, "x")] {
        stage.replies([fault]);
        assert!(matches!(stage.client.pull(SUBSCRIPTION, 50).await, Err(Failure::Again { .. })));
        assert_eq!(stage.seen().len(), 1, "who fetches does so for ever");
    }
    let ids: Vec<String> = (0..1001).map(|number| number.to_string()).collect();
    stage.client.acknowledge(SUBSCRIPTION, &ids).await.expect("done");
    let sizes: Vec<usize> =
        stage.seen().iter().map(|one| one.json()["ackIds"].as_array().map_or(0, Vec::len)).collect();
    assert_eq!(sizes, [1000, 1]);
    stage.client.acknowledge(SUBSCRIPTION, &[]).await.expect("nothing to do");
    assert!(stage.seen().is_empty());
}
