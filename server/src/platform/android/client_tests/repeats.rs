//! What is repeated, how often and when; what is unclear; what is refused.

use super::*;

#[tokio::test]
async fn what_may_be_repeated_is_and_each_attempt_is_paced() {
    let stage = stage().await;
    let device = Reply::Json(200, json!({ "name": DEVICE }));
    for fault in [
        Reply::Text(408, ""),
        error(429, "RESOURCE_EXHAUSTED", "quota"),
        error(409, "ABORTED", "concurrent change"),
        error(500, "INTERNAL", "m"),
        Reply::Text(502, "<html>"),
        error(503, "UNAVAILABLE", "m"),
        Reply::Text(504, ""),
        Reply::Drop,
        Reply::Break,
        Reply::Hang,
        Reply::Text(200, "<html>"),
    ] {
        let whole = matches!(fault, Reply::Text(200, _));
        stage.replies([fault.clone(), device.clone()]);
        let answer = stage.client.get_device(DEVICE).await;
        if whole {
            assert!(matches!(answer, Err(Failure::Again { .. })), "{answer:?}");
            stage.client.get_device(DEVICE).await.expect("and goes on");
        } else {
            answer.unwrap_or_else(|failure| panic!("{fault:?}: {failure}"));
        }
        assert_eq!((stage.seen().len(), stage.paced()), (2, 2), "{fault:?}");
    }
}

#[tokio::test]
async fn repeats_are_bounded_and_google_is_believed_about_when() {
    let stage = stage().await;
    stage.replies(std::iter::repeat_n(error(503, "UNAVAILABLE", "m"), 4));
    let again = stage.client.get_device(DEVICE).await;
    assert!(
        matches!(&again, Err(Failure::Again { after: None, problem }) if problem.contains("503 UNAVAILABLE")),
        "{again:?}"
    );
    assert_eq!((stage.seen().len(), stage.paced()), (4, 4));

    stage.replies([Reply::RetryAfter(429, 1)]);
    let begun = std::time::Instant::now();
    stage.replies([Reply::Json(200, json!({ "name": DEVICE }))]);
    stage.client.get_device(DEVICE).await.expect("a device");
    assert!(begun.elapsed() >= Duration::from_secs(1), "Retry-After is waited for");
    stage.seen();

    stage.replies([Reply::RetryAfter(429, 60)]);
    let again = stage.client.get_device(DEVICE).await;
    assert!(matches!(again, Err(Failure::Again { after: Some(after), .. }) if after.as_secs() == 60));
    assert_eq!(stage.seen().len(), 1, "who asks for a long pause is left alone");
}

#[tokio::test]
async fn what_must_not_be_done_twice_is_unclear_when_its_answer_is_lost() {
    let stage = stage().await;
    for fault in [
        Reply::Text(408, ""),
        error(500, "INTERNAL", "m"),
        Reply::Text(502, ""),
        Reply::Text(504, ""),
        Reply::Drop,
        Reply::Break,
        Reply::Hang,
        Reply::Text(200, "<html>"),
        Reply::Json(200, json!({ "done": false })),
    ] {
        stage.replies([fault.clone()]);
        let answer = stage.client.issue_command(DEVICE, &lock()).await;
        assert!(matches!(answer, Err(Failure::Unclear { .. })), "{fault:?}: {answer:?}");
        assert_eq!(stage.seen().len(), 1, "{fault:?}");
    }
    stage.replies([error(503, "UNAVAILABLE", "m")]);
    let answer = stage.client.issue_command(DEVICE, &lock()).await;
    assert!(matches!(answer, Err(Failure::Again { .. })), "{answer:?}");
    assert_eq!(stage.seen().len(), 1, "503 is for the caller to repeat");
    stage.replies([error(429, "RESOURCE_EXHAUSTED", "m"), operation()]);
    stage.client.issue_command(DEVICE, &lock()).await.expect("429 was certainly not done");
    assert_eq!(stage.seen().len(), 2);
    let others: [Result<(), Failure>; 3] = {
        stage.replies(std::iter::repeat_n(Reply::Drop, 3));
        let callback = Url::parse("https://mdm.example").expect("an address");
        let wanted = TokenRequest::new(
            ENTERPRISE,
            EnrolmentMode::FullyManaged,
            chrono::Duration::hours(1),
            &Binding::from_random(&[1; 32]),
        );
        let patch = EnterprisePatch::notify(TOPIC);
        [
            stage.client.create_signup_url("p", &callback).await.map(drop),
            stage.client.create_enrollment_token(ENTERPRISE, &wanted).await.map(drop),
            stage.client.create_enterprise("p", "signupUrls/C1", "t", &patch).await.map(drop),
        ]
    };
    assert!(others.iter().all(|answer| matches!(answer, Err(Failure::Unclear { .. }))), "{others:?}");
}

#[tokio::test]
async fn a_refusal_is_told_with_googles_reason() {
    let stage = stage().await;
    stage.replies([
        error(400, "INVALID_ARGUMENT", "Illegal value.\nLook."),
        Reply::Text(404, "<html>"),
        error(403, "PERMISSION_DENIED", "m"),
    ]);
    let refused = stage.client.issue_command(DEVICE, &lock()).await;
    assert!(
        matches!(&refused, Err(Failure::Refused { status: 400, reason, message }) if reason == "INVALID_ARGUMENT" && message == "Illegal value. Look."),
        "{refused:?}"
    );
    let elsewhere = stage.client.get_device(DEVICE).await;
    assert!(matches!(elsewhere, Err(Failure::Refused { status: 404, .. })), "not Google's 404: {elsewhere:?}");
    let denied = stage.client.get_device(DEVICE).await;
    assert!(matches!(denied, Err(Failure::KeyRefused { status: 403, .. })), "{denied:?}");
}

#[tokio::test]
async fn nobody_there_is_a_reason_to_try_again_for_everything() {
    let stage = stage().await;
    let closed: Url = "http://127.0.0.1:9".parse().expect("an address");
    let settings = GoogleSettings { api_url: closed.clone(), pubsub_url: closed, extra_roots: Vec::new() };
    let key = ServiceAccountKey::parse(key_file(&stage.token_uri).to_string().as_bytes()).expect("a key");
    let client = GoogleClient::with_patience(&settings, key, Clock::default(), Pace::none(), QUICK).expect("a client");
    let answer = client.issue_command(DEVICE, &lock()).await;
    assert!(matches!(&answer, Err(Failure::Again { problem, .. }) if !problem.contains("devices")), "{answer:?}");
}

#[tokio::test]
async fn a_limiter_that_asks_for_patience_holds_everything_back() {
    let stage = stage().await;
    let key = ServiceAccountKey::parse(key_file(&stage.token_uri).to_string().as_bytes()).expect("a key");
    let base: Url = stage.token_uri.trim_end_matches("/token").parse().expect("an address");
    let settings = GoogleSettings { api_url: base.clone(), pubsub_url: base, extra_roots: Vec::new() };
    let pace = Pace::new(|| std::future::ready(Err(Error::TooMany { retry_after_seconds: 9 })));
    let client = GoogleClient::with_patience(&settings, key, Clock::default(), pace, QUICK).expect("a client");
    let answer = client.issue_command(DEVICE, &lock()).await;
    assert!(matches!(answer, Err(Failure::Paced { after }) if after.as_secs() == 9), "{answer:?}");
    client.pull(SUBSCRIPTION, 10).await.expect("Pub/Sub has another quota");
    assert_eq!(stage.seen().len(), 1);
}

#[tokio::test]
async fn only_https_leaves_this_machine() {
    let https: Url = "https://google.example".parse().expect("an address");
    let http: Url = "http://google.example".parse().expect("an address");
    let key = || {
        ServiceAccountKey::parse(key_file("https://oauth2.googleapis.com/token").to_string().as_bytes()).expect("a key")
    };
    let client = |api_url: &Url, pubsub_url: &Url| {
        let settings =
            GoogleSettings { api_url: api_url.clone(), pubsub_url: pubsub_url.clone(), extra_roots: Vec::new() };
        GoogleClient::new(&settings, key(), Clock::default(), Pace::none())
    };
    assert!(client(&https, &https).is_ok());
    assert!(client(&http, &https).expect_err("wrong").to_string().starts_with("google.api_url"));
    assert!(client(&https, &http).expect_err("wrong").to_string().starts_with("google.pubsub_url"));
    let shown = format!("{:?}", client(&https, &https).expect("a client"));
    assert!(shown.contains("beadle@beadle-council") && !shown.contains("PRIVATE"), "{shown}");
}
