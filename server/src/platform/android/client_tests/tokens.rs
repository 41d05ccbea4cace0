//! The statement for the token endpoint, and how long its tokens are used.

use super::*;

#[tokio::test]
async fn the_statement_is_as_google_wants_it() {
    let stage = stage().await;
    stage.client.check_key().await.expect("both are granted");
    let tokens = stage.tokens();
    let scopes: Vec<String> = tokens
        .iter()
        .map(|request| {
            assert_eq!(request.line(), "POST /token");
            assert!(request.headers.contains("content-type: application/x-www-form-urlencoded"));
            let form: Vec<(String, String)> = url::form_urlencoded::parse(&request.body).into_owned().collect();
            assert_eq!(form[0], ("grant_type".to_owned(), "urn:ietf:params:oauth:grant-type:jwt-bearer".to_owned()));
            let assertion = &form[1].1;
            let (message, signature) = assertion.rsplit_once('.').expect("three parts");
            let mut verifier = openssl::sign::Verifier::new(MessageDigest::sha256(), &stage.public).expect("one");
            let signature = URL_SAFE_NO_PAD.decode(signature).expect("base64url");
            assert!(verifier.verify_oneshot(&signature, message.as_bytes()).expect("verifies"));
            let (header, claims) = message.split_once('.').expect("two parts");
            let open = |part: &str| -> Value {
                serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).expect("base64url")).expect("JSON")
            };
            let (header, claims) = (open(header), open(claims));
            assert_eq!((&header["alg"], &header["typ"]), (&json!("RS256"), &json!("JWT")));
            assert_eq!(header["kid"], "0123456789abcdef0123456789abcdef01234567");
            assert_eq!(claims["iss"], "beadle@beadle-council.iam.gserviceaccount.com");
            assert_eq!(claims["aud"], stage.token_uri.as_str());
            assert_eq!(claims["exp"].as_i64(), claims["iat"].as_i64().map(|iat| iat + 3600));
            assert!((claims["iat"].as_i64().expect("a time") - stage.clock.now().unix()).abs() < 10);
            claims["scope"].as_str().expect("a scope").to_owned()
        })
        .collect();
    assert_eq!(scopes, ["https://www.googleapis.com/auth/androidmanagement", "https://www.googleapis.com/auth/pubsub"]);
}

#[tokio::test]
async fn a_token_is_fetched_once_for_all_and_renewed_early() {
    let stage = stage().await;
    stage.replies(std::iter::repeat_n(Reply::Json(200, json!({ "name": DEVICE })), 23));
    let answers = futures_util::future::join_all((0..20).map(|_| stage.client.get_device(DEVICE))).await;
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(stage.tokens().len(), 1, "one fetch for twenty callers");
    stage.clock.advance(chrono::Duration::seconds(3599 - 300 - 30));
    stage.client.get_device(DEVICE).await.expect("a device");
    assert_eq!(stage.tokens().len(), 0);
    stage.clock.advance(chrono::Duration::seconds(60));
    stage.client.get_device(DEVICE).await.expect("a device");
    assert_eq!(stage.tokens().len(), 1, "renewed five minutes early");
}

#[tokio::test]
async fn a_token_that_is_not_accepted_is_replaced_once() {
    let stage = stage().await;
    let refusal = error(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.");
    stage.replies([refusal.clone(), operation()]);
    stage.client.issue_command(DEVICE, &lock()).await.expect("with the new token");
    assert_eq!((stage.tokens().len(), stage.seen().len(), stage.paced()), (2, 2, 2));
    stage.replies([refusal.clone(), refusal]);
    let refused = stage.client.get_device(DEVICE).await;
    assert!(matches!(refused, Err(Failure::KeyRefused { status: 401, .. })), "{refused:?}");
    assert_eq!((stage.tokens().len(), stage.seen().len()), (1, 2));
}

#[tokio::test]
async fn a_key_that_is_not_accepted_is_told_and_a_silent_endpoint_is_tried_again() {
    let stage = stage().await;
    stage.token_replies([Reply::Json(
        400,
        json!({ "error": "invalid_grant", "error_description": "Invalid JWT Signature." }),
    )]);
    let refused = stage.client.check_key().await;
    assert!(
        matches!(&refused, Err(Failure::KeyRefused { status: 400, reason, .. }) if reason == "invalid_grant"),
        "{refused:?}"
    );
    for strange in [
        error(404, "NOT_FOUND", "Requested entity was not found."),
        Reply::Json(401, json!({ "error": "invalid_client" })),
    ] {
        stage.token_replies([strange]);
        let refused = stage.client.get_device(DEVICE).await;
        assert!(matches!(refused, Err(Failure::KeyRefused { .. })), "no device was asked about: {refused:?}");
    }
    stage.tokens();
    stage.token_replies([Reply::Text(503, ""), Reply::Drop, Reply::Json(200, json!({}))]);
    stage.client.check_key().await.expect("at the fourth");
    assert_eq!(stage.tokens().len(), 5);
    stage.clock.advance(chrono::Duration::hours(2));
    stage.token_replies(std::iter::repeat_n(Reply::Text(503, ""), 4));
    let lock = lock();
    let again = futures_util::future::join_all((0..5).map(|_| stage.client.issue_command(DEVICE, &lock))).await;
    assert!(again.iter().all(|answer| matches!(answer, Err(Failure::Again { .. }))), "nothing was sent: {again:?}");
    assert_eq!(stage.tokens().len(), 4, "who waited for the fetch shares its failure");
    assert!(stage.seen().is_empty());
}
