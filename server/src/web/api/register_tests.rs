//! The register over HTTP, from the first person to an invitation, and who is let in.

use std::sync::Arc;

use actix_web::http::{Method, StatusCode};
use actix_web::{App as WebApp, test, web};
use chrono::Duration;
use serde_json::{Value, json};

use crate::app::App;
use crate::config::Config;
use crate::keys::sha256_hex;
use crate::model::{Actor, CouncilId, OperatorId, Role, SessionId};
use crate::operations::{alerts, apple_test_bench::sql};
use crate::store::{self, sessions::Session};
use crate::testing::{Bench, on_both};

macro_rules! serve {
    ($bench:expr) => {{
        let app = App {
            database: $bench.database.clone(),
            keys: Arc::clone(&$bench.keys),
            clock: $bench.clock.clone(),
            config: Arc::new(Config::default()),
            google: crate::google::Kept::default(),
            sightings: Arc::default(),
        };
        test::init_service(WebApp::new().app_data(web::Data::new(app)).service(super::scope())).await
    }};
}

/// Sends a request as `$token` (or nobody) and gives status and body.
macro_rules! ask {
    ($service:expr, $token:expr, $method:ident $path:expr, $body:expr) => {{
        let mut request = test::TestRequest::default().method(Method::$method).uri(&format!("/api/v1{}", $path));
        let token: Option<&str> = $token;
        if let Some(token) = token {
            request = request.insert_header(("Authorization", format!("Bearer {token}")));
        }
        let body: Value = $body;
        if !body.is_null() {
            request = request.set_json(body);
        }
        // A refusal at the gate comes as an error: actix draws it for real clients.
        match test::try_call_service(&$service, request.to_request()).await {
            Ok(answer) => {
                let status = answer.status();
                let body = test::read_body(answer).await;
                (status, serde_json::from_slice::<Value>(&body).unwrap_or(Value::Null))
            }
            Err(error) => (error.as_response_error().status_code(), Value::Null),
        }
    }};
}

/// An operator of the council, signed in with both factors; gives the token.
async fn signed_in(bench: &Bench, council: &CouncilId, role: Role) -> String {
    let (id, now) = (OperatorId::new(), bench.clock.now());
    sql(
        bench,
        &format!(
            "INSERT INTO operators (id, council_id, login, name, role, password_hash, must_change_password, \
             made_at_set_up, standing_since, created_at) VALUES ('{id}', '{council}', '{id}', 'Somebody', '{role}', \
             '-', FALSE, TRUE, '2026-01-01 00:00:00', '2026-01-01 00:00:00')"
        ),
    );
    let token = format!("bs_{id}");
    let session = Session {
        id: SessionId::new(),
        operator_id: id,
        token_hash: sha256_hex(token.as_bytes()),
        created_at: now,
        last_seen_at: now,
        expires_at: now + Duration::hours(1),
        mfa_at: Some(now),
        reauthenticated_at: None,
        address: "192.0.2.1".to_owned(),
        agent: "test".to_owned(),
        revoked_at: None,
    };
    bench.database.write("sign in", move |tx| store::sessions::insert(tx, &session)).await.expect("signs in");
    token
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

#[actix_web::test]
async fn from_a_person_to_an_invitation() {
    on_both(|bench| async move {
        let council = bench.council("germoe").await;
        let clerk = signed_in(&bench, &council, Role::Clerk).await;
        let clerk = Some(clerk.as_str());
        let service = serve!(bench);

        let (status, ann) =
            ask!(service, clerk, POST "/councils/germoe/people", json!({ "name": "Ann", "email": "ann@germoe.example" }));
        assert_eq!((status, text(&ann, "/name")), (StatusCode::CREATED, "Ann"), "{ann}");
        let phone = json!({
            "tag": "G-1", "kind": "phone", "make": "Apple", "platform": "apple", "serial": "C7F",
            "phone_number": "07700 900123", "holders": [ann["id"]],
        });
        let (status, asset) = ask!(service, clerk, POST "/councils/germoe/assets", phone.clone());
        assert_eq!((status, text(&asset, "/holders/0/name")), (StatusCode::CREATED, "Ann"), "{asset}");
        let (status, problem) = ask!(service, clerk, POST "/councils/germoe/assets", phone);
        assert_eq!(status, StatusCode::CONFLICT);
        assert!(text(&problem, "/detail").contains("the tag G-1"), "{problem}");
        let (status, problem) =
            ask!(service, clerk, POST "/councils/germoe/assets", json!({ "tag": "G-2", "kind": "car", "make": "Ford" }));
        assert_eq!((status, text(&problem, "/field")), (StatusCode::BAD_REQUEST, "body"), "{problem}");

        for query in ["tag=G-1", "serial=c7f", "search=123", "search=g", "limit=1"] {
            let (status, page) = ask!(service, clerk, GET format!("/councils/germoe/assets?{query}"), Value::Null);
            assert_eq!((status, text(&page, "/items/0/tag")), (StatusCode::OK, "G-1"), "{query}: {page}");
        }
        let id = text(&asset, "/id").to_owned();
        let (_, changed) = ask!(service, clerk, PATCH format!("/assets/{id}"), json!({ "model": "iPhone SE" }));
        assert_eq!((text(&changed, "/model"), text(&changed, "/serial")), ("iPhone SE", "C7F"), "{changed}");

        let (status, made) = ask!(service, clerk, POST "/councils/germoe/invitations", json!({ "asset": "G-1" }));
        assert_eq!((status, text(&made, "/person_name")), (StatusCode::CREATED, "Ann"), "{made}");
        assert!(text(&made, "/link").starts_with("https://germoe.example/i/"), "{made}");
        assert!(text(&made, "/warnings/0").contains("push certificate"), "{made}");
        let (_, page) = ask!(service, clerk, GET "/councils/germoe/invitations?usable=true", Value::Null);
        assert_eq!((page["items"][0]["id"].clone(), page["items"][0]["usable"].clone()), (made["id"].clone(), json!(true)));
        assert!(!page.to_string().contains("/i/") && page["items"][0].get("code").is_none(), "shown once: {page}");
        let (_, shown) = ask!(service, clerk, GET "/councils/germoe/assets/g-1", Value::Null);
        assert_eq!(shown["invitations"][0]["id"], made["id"], "{shown}");
        let gone = format!("/invitations/{}", text(&made, "/id"));
        let (status, gone) = ask!(service, clerk, DELETE gone, Value::Null);
        assert_eq!((status, text(&gone, "/state")), (StatusCode::OK, "withdrawn"));

        let ends = format!("/people/{}/end", text(&ann, "/id"));
        let (status, problem) = ask!(service, clerk, POST &ends, Value::Null);
        assert_eq!(status, StatusCode::CONFLICT, "{problem}");
        let (_, back) = ask!(service, clerk, POST format!("/assets/{id}/holders"), json!({ "holders": [] }));
        assert_eq!(back["holders"], json!([]));
        let (status, _) = ask!(service, clerk, POST &ends, Value::Null);
        assert_eq!(status, StatusCode::OK);
        let (status, disposed) = ask!(service, clerk, POST format!("/assets/{id}/dispose"), Value::Null);
        assert!(status.is_success() && disposed["disposed_at"].is_string(), "{disposed}");

        let context = bench.context(Actor::System);
        bench
            .database
            .write("alert", move |tx| alerts::raise(tx, &context, &council, "sim_changed", "x", "another SIM"))
            .await
            .expect("raises");
        let (_, page) = ask!(service, clerk, GET "/councils/germoe/alerts", Value::Null);
        let alert = text(&page, "/items/0/id").to_owned();
        let (status, ended) = ask!(service, clerk, POST format!("/alerts/{alert}/acknowledge"), Value::Null);
        assert!(status.is_success() && ended["ended_at"].is_string(), "{ended}");
        let (_, page) = ask!(service, clerk, GET "/councils/germoe/alerts", Value::Null);
        assert_eq!(page["items"], json!([]));
        let (_, page) = ask!(service, clerk, GET "/councils/germoe/alerts?ended=true", Value::Null);
        assert_eq!(text(&page, "/items/0/id"), alert);
    })
    .await;
}

#[actix_web::test]
async fn nobody_a_stranger_and_an_auditor_are_kept_out() {
    on_both(|bench| async move {
        let (council, other) = (bench.council("germoe").await, bench.council("coreley").await);
        let clerk = signed_in(&bench, &council, Role::Clerk).await;
        let stranger = signed_in(&bench, &other, Role::Clerk).await;
        let auditor = signed_in(&bench, &council, Role::Auditor).await;
        let service = serve!(bench);
        let clerk = Some(clerk.as_str());
        let (_, ann) = ask!(service, clerk, POST "/councils/germoe/people", json!({ "name": "Ann" }));
        let phone = json!({ "tag": "G-1", "kind": "phone", "make": "Apple", "holders": [ann["id"]] });
        let (_, asset) = ask!(service, clerk, POST "/councils/germoe/assets", phone);
        let (_, made) = ask!(service, clerk, POST "/councils/germoe/invitations", json!({ "asset": "G-1" }));
        let (ann, asset, made) = (text(&ann, "/id"), text(&asset, "/id"), text(&made, "/id"));
        let context = bench.context(Actor::System);
        let alert = bench
            .database
            .write("alert", move |tx| {
                alerts::raise(tx, &context, &council, "sim_changed", "x", "another SIM")?;
                Ok(alerts::list(tx, &context, &council, true, None, 1)?.remove(0).id)
            })
            .await
            .expect("raises");
        let refused = [StatusCode::UNAUTHORIZED, StatusCode::NOT_FOUND, StatusCode::FORBIDDEN];
        let read = [StatusCode::UNAUTHORIZED, StatusCode::NOT_FOUND, StatusCode::OK];
        let callers = [None, Some(stranger.as_str()), Some(auditor.as_str())];
        for ((caller, changing), reading) in callers.into_iter().zip(refused).zip(read) {
            for path in [
                "/councils/germoe/people",
                "/councils/germoe/assets",
                "/councils/germoe/assets/G-1",
                "/councils/germoe/invitations",
                "/councils/germoe/alerts",
                &format!("/people/{ann}"),
                &format!("/assets/{asset}"),
            ] {
                let (status, body) = ask!(service, caller, GET path, Value::Null);
                assert_eq!(status, reading, "GET {path} {caller:?} {body}");
            }
            for (path, body) in [
                ("/councils/germoe/people", json!({ "name": "Eve" })),
                ("/councils/germoe/assets", json!({ "tag": "E", "kind": "phone", "make": "E" })),
                ("/councils/germoe/invitations", json!({ "asset": "G-1" })),
                (&format!("/people/{ann}/end"), Value::Null),
                (&format!("/assets/{asset}/holders"), json!({ "holders": [] })),
                (&format!("/assets/{asset}/dispose"), Value::Null),
                (&format!("/alerts/{alert}/acknowledge"), Value::Null),
            ] {
                let (status, body) = ask!(service, caller, POST path, body.clone());
                assert_eq!(status, changing, "POST {path} {caller:?} {body}");
            }
            for path in [format!("/people/{ann}"), format!("/assets/{asset}")] {
                let (status, body) = ask!(service, caller, PATCH path, json!({}));
                assert_eq!(status, changing, "PATCH {path} {caller:?} {body}");
            }
            let (status, body) = ask!(service, caller, DELETE format!("/invitations/{made}"), Value::Null);
            assert_eq!(status, changing, "DELETE invitation {caller:?} {body}");
        }
    })
    .await;
}
