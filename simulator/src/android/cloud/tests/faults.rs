//! Everything that can go wrong on the way, and the quota.

use super::*;

#[tokio::test]
async fn faults_hit_before_or_after_the_effect() {
    let server = Server::new().await;
    let enterprise = server.enterprise("Germoe").await;
    server.policy(&enterprise, "p", json!({})).await;
    let phone = AndroidPhone::personal("Jenny");
    let device = server.personal(&enterprise, &phone).await;
    let path = format!("/v1/{device}:issueCommand");
    let issue = || server.try_call("POST", &path, Some(json!({ "type": "LOCK" })));
    let so_far = || server.cloud.operations(&device).len();
    let call = "enterprises.devices.issueCommand";
    for status in [408, 429, 500, 503] {
        server.cloud.set_fault(call, Fault::Answer(status), Times::Next(1));
        assert_eq!(issue().await.unwrap().0, status);
    }
    server.cloud.set_fault(call, Fault::Reset, Times::Next(1));
    assert!(issue().await.is_err());
    assert_eq!(so_far(), 0, "nothing was done");
    server.cloud.set_fault("enterprises.devices.*", Fault::AnswerAfter(500), Times::Next(1));
    assert_eq!(issue().await.unwrap().0, 500);
    assert_eq!(so_far(), 1);
    server.cloud.set_fault("/devices/", Fault::ResetAfter, Times::Next(1));
    assert!(issue().await.is_err());
    assert_eq!(so_far(), 2);
    for (fault, done) in [(Fault::Hang, 2), (Fault::HangAfter, 3)] {
        server.cloud.set_fault("*", fault, Times::Next(1));
        assert!(tokio::time::timeout(Duration::from_millis(200), issue()).await.is_err());
        assert_eq!(so_far(), done);
    }
    let started = std::time::Instant::now();
    server.cloud.set_fault(call, Fault::Slow(Duration::from_millis(150)), Times::Next(1));
    assert_eq!(issue().await.unwrap().0, 200);
    assert!(started.elapsed() >= Duration::from_millis(150));
    let log = server.cloud.calls(call);
    assert_eq!(log.iter().filter(|call| call.done).count(), 4);
    assert_eq!(log.iter().filter(|call| call.status.is_none()).count(), 4);
}

#[tokio::test]
async fn an_event_may_overtake_the_answer() {
    let server = Server::new().await;
    let enterprise = server.enterprise("Germoe").await;
    let subscription = server.subscribe(&enterprise).await;
    server.policy(&enterprise, "p", json!({})).await;
    let phone = AndroidPhone::personal("Jenny");
    let device = server.personal(&enterprise, &phone).await;
    let _living = phone.live();
    server.pull(&subscription).await;
    server.cloud.set_fault(
        "enterprises.devices.issueCommand",
        Fault::AnswerLate(Duration::from_millis(500)),
        Times::Next(1),
    );
    let path = format!("/v1/{device}:issueCommand");
    let issue = server.post(&path, json!({ "type": "LOCK" }));
    let watch = async {
        let (_, answer) = server.post(&format!("/v1/{subscription}:pull"), json!({ "maxMessages": 1 })).await;
        (answer, std::time::Instant::now())
    };
    let ((issued, answered), (event, told)) = tokio::join!(async { (issue.await, std::time::Instant::now()) }, watch);
    assert_eq!(event["receivedMessages"][0]["message"]["attributes"]["notificationType"], "COMMAND");
    assert!(told < answered && issued.0 == 200);
}

#[tokio::test]
async fn the_quota_is_the_projects() {
    let server = Server::new().await;
    let enterprise = server.enterprise("Germoe").await;
    let path = format!("/v1/{enterprise}");
    server.cloud.set_quota(5, Duration::from_millis(400));
    tokio::time::sleep(Duration::from_millis(450)).await;
    for _ in 0..5 {
        assert_eq!(server.get(&path).await.0, 200);
    }
    assert_refused(server.get(&path).await, 429, "RESOURCE_EXHAUSTED");
    tokio::time::sleep(Duration::from_millis(450)).await;
    assert_eq!(server.get(&path).await.0, 200);
}

#[tokio::test]
async fn not_found_comes_as_500_now_and_then() {
    let server = Server::new().await;
    let enterprise = server.enterprise("Germoe").await;
    server.cloud.set_not_found_as_500(2);
    let path = format!("/v1/{enterprise}/devices/none");
    assert_refused(server.get(&path).await, 404, "NOT_FOUND");
    let (status, body) = server.get(&path).await;
    assert_eq!((status, &body["error"]["message"]), (500, &json!("Requested entity was not found.")));
}

#[tokio::test]
async fn random_faults_are_the_same_for_the_same_seed() {
    let mut seen = Vec::new();
    for _ in 0..2 {
        let server = Server::new().await;
        let enterprise = server.enterprise("Germoe").await;
        let faults = vec![Fault::Answer(429), Fault::Answer(503), Fault::AnswerAfter(500)];
        let random = RandomFaults { seed: 7, per_thousand: 300, calls: "enterprises.get".into(), faults };
        server.cloud.set_random_faults(Some(random));
        let mut statuses = Vec::new();
        for _ in 0..40 {
            statuses.push(server.get(&format!("/v1/{enterprise}")).await.0);
        }
        server.cloud.set_random_faults(None);
        assert_eq!(server.get(&format!("/v1/{enterprise}")).await.0, 200);
        seen.push(statuses);
    }
    assert_eq!(seen[0], seen[1]);
    for status in [200, 429, 500, 503] {
        assert!(seen[0].contains(&status), "{status} in {:?}", seen[0]);
    }
}
