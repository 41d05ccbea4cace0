//! The token endpoint and what tokens are good for.

use super::*;

#[tokio::test]
async fn a_claim_is_judged_in_every_part() {
    let mut server = Server::new().await;
    let other: Value = serde_json::from_str(&GoogleCloud::start().await.unwrap().service_account_key()).unwrap();
    type Change = fn(&mut Value, &mut Value);
    let cases: [(&str, Change); 12] = [
        ("invalid_grant", |head, _| head["alg"] = "HS256".into()),
        ("invalid_grant", |head, _| head["kid"] = "another".into()),
        ("invalid_grant", |_, claims| claims["iss"] = "nobody@p.iam.gserviceaccount.com".into()),
        ("invalid_grant", |_, claims| claims["aud"] = "https://oauth2.googleapis.com/token".into()),
        ("invalid_grant", |_, claims| claims["iat"] = (claims["iat"].as_i64().unwrap() + 120).into()),
        ("invalid_grant", |_, claims| claims["exp"] = (claims["iat"].as_i64().unwrap() + 3601).into()),
        ("invalid_grant", |_, claims| {
            claims["iat"] = (claims["iat"].as_i64().unwrap() - 7200).into();
            claims["exp"] = (claims["iat"].as_i64().unwrap() + 3600).into();
        }),
        ("invalid_grant", |_, claims| claims["exp"] = "soon".into()),
        ("unauthorized_client", |_, claims| claims["sub"] = "admin@council.example".into()),
        ("invalid_scope", |_, claims| claims["scope"] = "https://www.googleapis.com/auth/cloud-platform".into()),
        ("invalid_scope", |_, claims| claims["scope"] = "".into()),
        ("invalid_scope", |_, claims| claims["scope"] = "https://www.googleapis.com/auth/drive".into()),
    ];
    for (code, change) in cases {
        assert_eq!(server.sign_in(change).await, Err(code.to_owned()));
    }
    let mut stranger = server.key().clone();
    stranger["private_key"] = other["private_key"].clone();
    let forged = assertion(&stranger, |_, _| {});
    assert_eq!(server.form(&[("grant_type", GRANT), ("assertion", &forged)]).await["error"], "invalid_grant");
    let good = assertion(server.key(), |_, _| {});
    assert_eq!(server.form(&[("grant_type", "jwt"), ("assertion", &good)]).await["error"], "unsupported_grant_type");
    assert_eq!(server.form(&[("grant_type", GRANT)]).await["error"], "invalid_request");
    let answer = server.form(&[("grant_type", GRANT), ("assertion", &good)]).await;
    assert_eq!(answer["expires_in"], 3599);
    assert!(server.cloud.calls("token").iter().all(|call| call.body.is_empty() && call.answer.is_none()), "no secrets");
}

#[tokio::test]
async fn tokens_expire_and_are_good_for_their_scope() {
    let mut server = Server::new().await;
    let enterprise = server.enterprise("Germoe").await;
    let path = format!("/v1/{enterprise}");
    assert_eq!(server.get(&path).await.0, 200);
    server.cloud.expire_tokens();
    assert_refused(server.get(&path).await, 401, "UNAUTHENTICATED");
    server.cloud.set_token_lifetime(Duration::from_millis(60));
    server.sign_in(|_, _| {}).await.unwrap();
    tokio::time::sleep(Duration::from_millis(80)).await;
    assert_refused(server.get(&path).await, 401, "UNAUTHENTICATED");
    server.cloud.set_token_lifetime(Duration::from_secs(3600));
    server.sign_in(|_, claims| claims["scope"] = "https://www.googleapis.com/auth/pubsub".into()).await.unwrap();
    assert_refused(server.get(&path).await, 403, "PERMISSION_DENIED");
    let topic = format!("/v1/projects/{}/topics/t", server.cloud.project());
    assert_eq!(server.call("PUT", &topic, None).await.0, 200);
    server
        .sign_in(|_, claims| claims["scope"] = "https://www.googleapis.com/auth/androidmanagement".into())
        .await
        .unwrap();
    assert_eq!(server.get(&path).await.0, 200);
    assert_refused(server.get(&topic).await, 403, "PERMISSION_DENIED");
    server.cloud.revoke_keys(server.cloud.project());
    assert_refused(server.get(&path).await, 401, "UNAUTHENTICATED");
    assert_eq!(server.sign_in(|_, _| {}).await, Err("invalid_grant".to_owned()));
}
