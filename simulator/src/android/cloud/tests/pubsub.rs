//! Notifications: who may publish, what comes, and that it comes at least once and in no order.

use super::*;

fn kinds(messages: &[(String, Value, String)]) -> Vec<&str> {
    messages.iter().map(|(kind, _, _)| kind.as_str()).collect()
}

#[tokio::test]
async fn google_must_be_allowed_to_publish() {
    let server = Server::new().await;
    let enterprise = server.enterprise("Germoe").await;
    let topic = format!("projects/{}/topics/t", server.cloud.project());
    let point = |topic: &str| server.point_to(&enterprise, topic);
    assert_refused(point(&topic).await, 404, "NOT_FOUND");
    assert_eq!(server.call("PUT", &format!("/v1/{topic}"), None).await.0, 200);
    assert_refused(server.call("PUT", &format!("/v1/{topic}"), None).await, 409, "ALREADY_EXISTS");
    assert_refused(point(&topic).await, 403, "PERMISSION_DENIED");
    let bind = |member: &str, role: &str| json!({ "policy": { "bindings": [{ "role": role, "members": [member] }] } });
    let set = format!("/v1/{topic}:setIamPolicy");
    let user = bind("user:android-cloud-policy@system.gserviceaccount.com", "roles/pubsub.publisher");
    assert_refused(server.post(&set, user).await, 400, "INVALID_ARGUMENT");
    let member = crate::android::cloud::enterprises::PUBLISHER;
    assert_eq!(server.post(&set, bind(member, "roles/pubsub.viewer")).await.0, 200);
    assert_refused(point(&topic).await, 403, "PERMISSION_DENIED");
    assert_eq!(server.post(&set, bind(member, "roles/pubsub.publisher")).await.0, 200);
    assert_eq!(server.get(&format!("/v1/{topic}:getIamPolicy")).await.1["bindings"][0]["members"][0], member);
    assert_eq!(point(&topic).await.0, 200);
    assert_refused(point("projects/other/topics/t").await, 403, "PERMISSION_DENIED");
    assert_refused(point("t").await, 400, "INVALID_ARGUMENT");
}

impl Server {
    fn point_to(&self, enterprise: &str, topic: &str) -> impl Future<Output = (u16, Value)> + use<'_> {
        let path = format!("/v1/{enterprise}?updateMask=pubsubTopic");
        let body = json!({ "pubsubTopic": topic });
        async move { self.patch(&path, body).await }
    }
}

#[tokio::test]
async fn events_come_until_they_are_acknowledged() {
    let server = Server::new().await;
    let enterprise = server.enterprise("Germoe").await;
    let subscription = server.subscribe(&enterprise).await;
    let test = server.pull(&subscription).await;
    assert_eq!((kinds(&test), &test[0].1), (vec!["TEST"], &Value::Null), "a test without data");
    server.acknowledge(&subscription, &[test[0].2.clone()]).await;
    server.policy(&enterprise, "p", json!({})).await;
    let phone = AndroidPhone::personal("Jenny");
    let device = server.personal(&enterprise, &phone).await;
    let first = server.pull(&subscription).await;
    assert_eq!(kinds(&first), ["ENROLLMENT", "STATUS_REPORT"]);
    assert_eq!((&first[0].1["name"], &first[0].1["enrollmentTokenData"]), (&json!(device), &json!("beadle1.abc")));
    assert!(server.pull(&subscription).await.is_empty(), "not before the deadline");
    let deadline = |ids: &[&str], seconds: i64| json!({ "ackIds": ids, "ackDeadlineSeconds": seconds });
    let modify = format!("/v1/{subscription}:modifyAckDeadline");
    assert_refused(server.post(&modify, deadline(&[&first[0].2], 601)).await, 400, "INVALID_ARGUMENT");
    assert_eq!(server.post(&modify, deadline(&[&first[0].2], 0)).await.0, 200);
    let again = server.pull(&subscription).await;
    assert_eq!(kinds(&again), ["ENROLLMENT"], "given back, it comes again");
    assert_ne!(again[0].2, first[0].2, "under another id");
    server.acknowledge(&subscription, &[first[0].2.clone(), first[1].2.clone()]).await;
    assert_eq!(server.cloud.pubsub_counts().waiting, 1, "the old id is good for nothing");
    server.acknowledge(&subscription, &[again[0].2.clone()]).await;
    assert_eq!(server.cloud.pubsub_counts().waiting, 0);
    let ack = format!("/v1/{subscription}:acknowledge");
    assert_refused(server.post(&ack, json!({ "ackIds": ["nonsense"] })).await, 400, "INVALID_ARGUMENT");
    assert_refused(server.post(&ack, json!({ "ackIds": [] })).await, 400, "INVALID_ARGUMENT");
    let pull = format!("/v1/{subscription}:pull");
    assert_refused(server.post(&pull, json!({})).await, 400, "INVALID_ARGUMENT");
    assert_refused(server.post(&pull, json!({ "maxMessages": 1, "max": 1 })).await, 400, "INVALID_ARGUMENT");
    assert_refused(
        server.post("/v1/projects/beadle-stand-in/subscriptions/none:pull", json!({ "maxMessages": 1 })).await,
        404,
        "NOT_FOUND",
    );
}

#[tokio::test]
async fn only_the_types_asked_for_come() {
    let server = Server::new().await;
    let enterprise = server.enterprise("Germoe").await;
    let subscription = server.subscribe(&enterprise).await;
    server.pull(&subscription).await;
    let body = json!({ "enabledNotificationTypes": ["COMMAND"] });
    server.patch(&format!("/v1/{enterprise}?updateMask=enabledNotificationTypes"), body).await;
    server.policy(&enterprise, "p", json!({})).await;
    let phone = AndroidPhone::personal("Jenny");
    let device = server.personal(&enterprise, &phone).await;
    server.post(&format!("/v1/{device}:issueCommand"), json!({ "type": "LOCK" })).await;
    phone.sync();
    let messages = server.pull(&subscription).await;
    assert_eq!(kinds(&messages), ["COMMAND"]);
    assert_eq!((&messages[0].1["done"], &messages[0].1["metadata"]["type"]), (&json!(true), &json!("LOCK")));
    let old = json!({ "enabledNotificationTypes": ["COMPLIANCE_REPORT"] });
    assert_refused(
        server.patch(&format!("/v1/{enterprise}?updateMask=enabledNotificationTypes"), old).await,
        400,
        "INVALID_ARGUMENT",
    );
}

#[tokio::test]
async fn messages_double_turn_round_and_dawdle_when_told_to() {
    let server = Server::new().await;
    let enterprise = server.enterprise("Germoe").await;
    let subscription = server.subscribe(&enterprise).await;
    server.cloud.set_pubsub_behaviour(PubSubBehaviour {
        duplicate_every: 1,
        reverse: true,
        ..PubSubBehaviour::default()
    });
    server.policy(&enterprise, "p", json!({})).await;
    let phone = AndroidPhone::personal("Jenny");
    let device = server.personal(&enterprise, &phone).await;
    let messages = server.pull(&subscription).await;
    assert_eq!(kinds(&messages), ["STATUS_REPORT", "STATUS_REPORT", "ENROLLMENT", "ENROLLMENT", "TEST"]);
    let acknowledged: Vec<String> = messages.into_iter().map(|(_, _, id)| id).collect();
    server
        .cloud
        .set_pubsub_behaviour(PubSubBehaviour { forget_acknowledgement_every: 1, ..PubSubBehaviour::default() });
    server.acknowledge(&subscription, &acknowledged).await;
    assert_eq!(server.cloud.pubsub_counts().waiting, 5, "answered well and forgotten");
    let late = Duration::from_millis(300);
    server.cloud.set_pubsub_behaviour(PubSubBehaviour { delay_deleted: late, ..PubSubBehaviour::default() });
    server.acknowledge(&subscription, &acknowledged).await;
    server.cloud.publish_deleted(&device);
    phone.report();
    assert_eq!(kinds(&server.pull(&subscription).await), ["STATUS_REPORT"], "the live phone is heard first");
    let started = std::time::Instant::now();
    let (_, answer) = server.post(&format!("/v1/{subscription}:pull"), json!({ "maxMessages": 5 })).await;
    assert!(started.elapsed() < Duration::from_secs(1), "a waiting pull ends with the message");
    assert_eq!(answer["receivedMessages"].as_array().map(Vec::len), Some(1));
    server.cloud.set_pull_wait(Duration::from_millis(100));
    assert_eq!(server.post(&format!("/v1/{subscription}:pull"), json!({ "maxMessages": 5 })).await, (200, json!({})));
    server.cloud.publish(&enterprise, "USAGE_LOGS", Some(&json!({})));
    assert!(server.pull(&subscription).await.is_empty(), "not asked for");
}
