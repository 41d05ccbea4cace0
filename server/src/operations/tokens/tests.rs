//! Each thing that is pinned about a token, tried the wrong way.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::Duration;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::sign::Signer;
use serde_json::{Value, json};

use super::super::operators_tests::{add, signed_in};
use super::*;
use crate::keys::{self, Keys};
use crate::model::{Actor, Moment, Role};
use crate::operations::sign_in::{Credential, authenticate};
use crate::testing::on_both;

/// A token put together by hand, so that it can be wrong in any way.
fn forged(header: &Value, claims: &Value, digest: MessageDigest, secret: &[u8]) -> String {
    let text = format!("{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode(claims.to_string()));
    let key = PKey::hmac(secret).expect("a key");
    let mut signer = Signer::new(digest, &key).expect("a signer");
    let mac = signer.sign_oneshot_to_vec(text.as_bytes()).expect("a MAC");
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(mac))
}

fn right(keys: &Keys, now: Moment) -> (Value, Value) {
    let header = json!({ "alg": "HS256", "typ": "JWT", "kid": keys.token.id });
    let claims = json!({
        "iss": jwt::issuer(keys), "aud": "beadle-api", "jti": "an id",
        "iat": now.unix(), "nbf": now.unix(), "exp": now.unix() + 60,
    });
    (header, claims)
}

fn with(value: &Value, field: &str, new: Value) -> Value {
    let mut changed = value.clone();
    changed[field] = new;
    changed
}

fn without(value: &Value, field: &str) -> Value {
    let mut changed = value.clone();
    changed.as_object_mut().expect("an object").remove(field);
    changed
}

#[test]
fn every_pin_holds() {
    let (keys, now) = (keys::for_tests(), Moment::from_unix(1_800_000_000));
    let (header, claims) = right(&keys, now);
    let (sha256, secret) = (MessageDigest::sha256(), keys.token.secret().to_vec());
    let sign = |header: &Value, claims: &Value| forged(header, claims, sha256, &secret);
    assert_eq!(verify(&keys, &sign(&header, &claims), now).expect("a right token").as_str(), "an id");

    let none = with(&header, "alg", json!("none"));
    let unsigned = sign(&none, &claims);
    let unsigned = format!("{}.", unsigned.rsplit_once('.').expect("three parts").0);
    let hs512 = with(&header, "alg", json!("HS512"));
    let wrong = [
        ("algorithm none", unsigned),
        ("algorithm none, signed", sign(&none, &claims)),
        ("another algorithm", forged(&hs512, &claims, MessageDigest::sha512(), &secret)),
        ("an asymmetric algorithm", sign(&with(&header, "alg", json!("RS256")), &claims)),
        ("another key", forged(&header, &claims, sha256, &[9; 32])),
        ("another key id", sign(&with(&header, "kid", json!("another")), &claims)),
        ("no key id", sign(&without(&header, "kid"), &claims)),
        ("another issuer", sign(&header, &with(&claims, "iss", json!("urn:beadle:installation:x")))),
        ("no issuer", sign(&header, &without(&claims, "iss"))),
        ("another audience", sign(&header, &with(&claims, "aud", json!("something-else")))),
        ("no audience", sign(&header, &without(&claims, "aud"))),
        ("expired", sign(&header, &with(&claims, "exp", json!(now.unix())))),
        ("no expiry", sign(&header, &without(&claims, "exp"))),
        ("not yet valid", sign(&header, &with(&claims, "nbf", json!(now.unix() + 31)))),
        ("no beginning", sign(&header, &without(&claims, "nbf"))),
        ("no id", sign(&header, &without(&claims, "jti"))),
        ("nothing", String::new()),
        ("dots", "..".to_owned()),
        ("not base64", "a.b.c".to_owned()),
    ];
    for (what, token) in wrong {
        let refused = verify(&keys, &token, now).expect_err(what);
        assert!(matches!(refused, Error::Unauthenticated(_)), "{what}: {refused}");
    }
    let mut changed = sign(&header, &claims).into_bytes();
    let last = changed.len() - 2;
    changed[last] = if changed[last] == b'A' { b'B' } else { b'A' };
    verify(&keys, &String::from_utf8(changed).expect("text"), now).expect_err("a changed signature");
}

#[tokio::test]
async fn the_row_decides_whether_a_token_still_stands() {
    on_both(|bench| async move {
        let council = bench.council("germoe").await;
        let system = bench.context(Actor::System);
        bench
            .database
            .write("tokens", move |tx| {
                let clerk = add(tx, &system, Some(&council), "clerk", Role::Clerk)?;
                let other = add(tx, &system, Some(&council), "other", Role::Clerk)?;
                let (by_clerk, by_other) = (signed_in(tx, &system, &clerk)?, signed_in(tx, &system, &other)?);
                let scopes = [TokenScope::Lock, TokenScope::Report, TokenScope::Lock];
                let (token, jwt) = issue(tx, &by_clerk, &council, "switchboard", &scopes, None)?;
                assert_eq!(token.expires_at, system.now + USUAL_LIFE);
                let id = verify(&system.keys, &jwt, system.now)?;
                let credential = Credential::Token(id);
                let found = authenticate(tx, &credential, system.now)?.actor;
                let expected = vec![TokenScope::Lock, TokenScope::Report];
                assert_eq!(
                    found,
                    Actor::Token { id: token.id.clone(), council: council.clone(), scopes: expected },
                    "council and scopes come from the row"
                );
                found.require(Permission::Lock, &council)?;
                found.require(Permission::RequestOrder, &council).expect_err("never an order");
                found.require(Permission::Read, &council).expect_err("not in scope");
                authenticate(tx, &credential, token.expires_at).expect_err("over");
                authenticate(tx, &Credential::Token(TokenId::new()), system.now).expect_err("unknown");

                revoke(tx, &by_other, &token.id)?;
                authenticate(tx, &credential, system.now).expect_err("revoked");

                let (token, _) = issue(tx, &by_clerk, &council, "x", &[TokenScope::Read], None)?;
                super::super::operators::end(tx, &by_other, &clerk.id)?;
                authenticate(tx, &Credential::Token(token.id), system.now).expect_err("its issuer was ended");

                for (life, scopes, name) in [
                    (Some(LONGEST_LIFE + Duration::minutes(1)), &scopes[..], "x"),
                    (Some(Duration::zero()), &scopes[..], "x"),
                    (None, &[][..], "x"),
                    (None, &scopes[..], " "),
                ] {
                    let refused = issue(tx, &by_other, &council, name, scopes, life);
                    assert!(matches!(refused, Err(Error::Invalid { .. })), "{refused:?}");
                }
                let local = crate::operations::Context { actor: Actor::Local, ..system.clone() };
                let refused = issue(tx, &local, &council, "x", &[TokenScope::Read], None);
                assert!(matches!(refused, Err(Error::Forbidden(_))), "a token stands for a person");
                Ok(())
            })
            .await
            .expect("tokens");
    })
    .await;
}
