//! The API as its callers meet it: the gate, the first days of an installation, repeats, and the table of operations.

use std::rc::Rc;
use std::sync::Arc;

use actix_web::dev::Service as _;
use actix_web::http::header::HeaderMap;
use actix_web::http::{Method, StatusCode};
use actix_web::test::{TestRequest, init_service};
use actix_web::web;
use chrono::Duration;
use futures_util::future::LocalBoxFuture;
use serde_json::{Value, json};

use super::document::document;
use crate::app::App;
use crate::config::Config;
use crate::keys::sha256_hex;
use crate::model::Actor;
use crate::operations::{audit, second_factor};
use crate::store;
use crate::testing::{Bench, on_both};

fn app(bench: &Bench) -> App {
    App {
        database: bench.database.clone(),
        keys: Arc::clone(&bench.keys),
        clock: bench.clock.clone(),
        config: Arc::new(Config::default()),
        google: crate::google::Kept::default(),
        sightings: Arc::default(),
    }
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Value,
}

/// The server without its sockets.
struct Client(Box<dyn Fn(TestRequest) -> LocalBoxFuture<'static, Answer>>);

async fn client(bench: &Bench) -> Client {
    let routes = actix_web::App::new().app_data(web::Data::new(app(bench))).configure(crate::web::routes::configure);
    let service = Rc::new(init_service(routes).await);
    Client(Box::new(move |request| {
        let service = Rc::clone(&service);
        Box::pin(async move {
            let answer = match service.call(request.to_request()).await {
                Ok(answer) => answer.into_parts().1.map_into_boxed_body(),
                Err(error) => error.error_response(),
            };
            let (status, headers) = (answer.status(), answer.headers().clone());
            let bytes = actix_web::body::to_bytes(answer.into_body()).await.unwrap_or_default();
            let text = String::from_utf8_lossy(&bytes).into_owned();
            Answer { status, headers, body: serde_json::from_slice(&bytes).unwrap_or(Value::String(text)) }
        })
    }))
}

struct Asked<'a> {
    method: Method,
    path: &'a str,
    token: Option<&'a str>,
    key: Option<&'a str>,
    body: Option<Value>,
}

fn ask(method: Method, path: &str) -> Asked<'_> {
    Asked { method, path, token: None, key: None, body: None }
}

impl<'a> Asked<'a> {
    fn by(self, token: &'a str) -> Self {
        Self { token: Some(token), ..self }
    }
    fn key(self, key: &'a str) -> Self {
        Self { key: Some(key), ..self }
    }
    fn with(self, body: Value) -> Self {
        Self { body: Some(body), ..self }
    }
    async fn of(self, client: &Client) -> Answer {
        let mut request = TestRequest::with_uri(&format!("/api/v1{}", self.path))
            .method(self.method)
            .peer_addr("192.0.2.1:1000".parse().expect("an address"));
        if let Some(token) = self.token {
            request = request.insert_header(("authorization", format!("Bearer {token}")));
        }
        if let Some(key) = self.key {
            request = request.insert_header(("idempotency-key", key));
        }
        if let Some(body) = self.body {
            request = request.set_json(body);
        }
        (client.0)(request).await
    }
}

impl Answer {
    fn is(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
        self.body
    }
    fn refused_as(self, status: u16, kind: &str) -> Value {
        assert_eq!(
            self.headers.get("content-type").map(|value| value.as_bytes()),
            Some(&b"application/problem+json"[..])
        );
        let body = self.is(status);
        assert_eq!(body["type"], format!("urn:beadle:problem:{kind}"), "{body}");
        body
    }
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_else(|| panic!("{field} in {value}"))
}

const CODE: &str = "ABCDE-FGHJK-LMNPQ-RSTUV";

async fn print_set_up_code(bench: &Bench) {
    let now = bench.clock.now();
    bench
        .database
        .write("set-up code", move |tx| {
            store::installation::set_value(tx, "set-up-code", sha256_hex(CODE.as_bytes()).as_bytes(), now)
        })
        .await
        .expect("a code");
}

/// Signs in with the initial password, changes it, sets up a second factor: what everyone does on the first day. The token,
/// the seed and the code that this took.
async fn first_day(bench: &Bench, service: &Client, login: &str, initial: &str) -> (String, String, String) {
    let opened =
        ask(Method::POST, "/sessions").with(json!({ "login": login, "password": initial })).of(service).await.is(201);
    assert_eq!((&opened["must_change_password"], &opened["mfa"]), (&json!(true), &json!(false)));
    let token = text(&opened, "token").to_owned();
    ask(Method::GET, "/councils").by(&token).of(service).await.refused_as(403, "forbidden");
    let change = json!({ "current": initial, "new": format!("{login} never is a password").replace(login, "this") });
    ask(Method::POST, "/account/totp").by(&token).of(service).await.refused_as(403, "forbidden");
    ask(Method::POST, "/account/password").by(&token).with(change).of(service).await.is(204);
    ask(Method::GET, "/councils").by(&token).of(service).await.refused_as(403, "forbidden");
    let begun = ask(Method::POST, "/account/totp").by(&token).of(service).await.is(201);
    let secret = text(&begun, "secret").to_owned();
    assert!(text(&begun, "otpauth_url").starts_with("otpauth://totp/Beadle:"), "{begun}");
    ask(Method::POST, "/account/totp/confirm")
        .by(&token)
        .with(json!({ "code": "000000" }))
        .of(service)
        .await
        .refused_as(400, "invalid");
    let code = second_factor::code_of(&secret, bench.clock.now());
    let codes =
        ask(Method::POST, "/account/totp/confirm").by(&token).with(json!({ "code": code })).of(service).await.is(200);
    assert_eq!(codes["recovery_codes"].as_array().map(Vec::len), Some(10));
    (token, secret, code)
}

#[actix_web::test]
async fn from_the_set_up_code_to_a_council_with_a_clerk() {
    on_both(|bench| async move {
        print_set_up_code(&bench).await;
        let service = client(&bench).await;
        let set_up = |code: &str| json!({ "code": code, "login": "Provider", "name": "Pat Provider" });
        ask(Method::POST, "/set-up").with(set_up("WRONG")).of(&service).await.refused_as(403, "forbidden");
        let made = ask(Method::POST, "/set-up").with(set_up(CODE)).of(&service).await.is(201);
        assert_eq!((text(&made, "login"), text(&made, "role")), ("provider", "provider"));
        ask(Method::POST, "/set-up").with(set_up(CODE)).of(&service).await.refused_as(409, "conflict");
        let (provider, ..) = first_day(&bench, &service, "provider", text(&made, "initial_password")).await;

        let council = json!({ "name": "Germoe Parish Council", "slug": "germoe", "public_url": "https://phones.germoe.example/",
            "preset": "germoe" });
        let added = ask(Method::POST, "/councils").by(&provider).with(council.clone()).of(&service).await.is(201);
        assert_eq!(text(&added, "public_url"), "https://phones.germoe.example");
        ask(Method::POST, "/councils").by(&provider).with(council).of(&service).await.refused_as(409, "conflict");
        for (field, wrong) in [
            ("public_url", "http://phones.example"),
            ("public_url", "https://phones.example/path"),
            ("public_url", "https://me@phones.example"),
            ("slug", "Not A Slug"),
            ("time_zone", "Cornwall"),
            ("preset", "none"),
            ("name", " "),
        ] {
            let mut council = json!({ "name": "X", "slug": "coreley", "public_url": "https://b.example" });
            council[field] = json!(wrong);
            let problem =
                ask(Method::POST, "/councils").by(&provider).with(council).of(&service).await.refused_as(400, "invalid");
            assert_eq!(text(&problem, "field"), field);
        }
        let shown = ask(Method::GET, "/councils/germoe").by(&provider).of(&service).await.is(200);
        assert_eq!(shown["counts"], json!({ "managed_devices": 0, "open_cases": 0, "open_alerts": 0 }));
        let id = text(&shown, "id").to_owned();

        // Key and certificate belong together, and only this row's key opens them.
        let (council, keys) = (crate::model::CouncilId::from(id.as_str()), Arc::clone(&bench.keys));
        bench
            .database
            .read("authority", move |tx| {
                let row = store::authorities::current(tx, &council)?.expect("an authority");
                let purpose = crate::sealing::Purpose::AuthorityKey;
                let key = keys.sealer.open(purpose, council.as_str(), row.id.as_str(), &row.sealed_key)?;
                beadle_enrollment::authority::Authority::from_parts(&row.certificate, &key).expect("a pair");
                Ok(())
            })
            .await
            .expect("an authority");

        let clerk = json!({ "login": "clerk", "name": "Cleo Clerk", "role": "clerk" });
        let path = format!("/councils/{id}/operators");
        let first = ask(Method::POST, &path).by(&provider).key("k1").with(clerk.clone()).of(&service).await.is(201);
        let again = ask(Method::POST, &path).by(&provider).key("k1").with(clerk.clone()).of(&service).await.is(201);
        assert_eq!(first, again, "a repeat is answered again, with the same initial password, and not done again");
        let mut other = clerk.clone();
        other["name"] = json!("Someone Else");
        ask(Method::POST, &path)
            .by(&provider)
            .key("k1")
            .with(other)
            .of(&service)
            .await
            .refused_as(422, "idempotency-key-reused");
        ask(Method::POST, &path).by(&provider).key("k2").with(clerk).of(&service).await.refused_as(409, "conflict");

        let (clerk, secret, used) = first_day(&bench, &service, "clerk", text(&first, "initial_password")).await;
        ask(Method::POST, "/councils")
            .by(&clerk)
            .with(json!({ "name": "X", "slug": "xx", "public_url": "https://x.example" }))
            .of(&service)
            .await
            .refused_as(403, "forbidden");
        let listed = ask(Method::GET, "/councils").by(&clerk).of(&service).await.is(200);
        assert_eq!(listed["items"].as_array().map(Vec::len), Some(1));
        bench.council("other").await;
        ask(Method::GET, "/councils/other").by(&clerk).of(&service).await.refused_as(404, "not-found");
        ask(Method::GET, "/operators").by(&clerk).of(&service).await.refused_as(403, "forbidden");
        let changed = ask(Method::PATCH, "/councils/germoe")
            .by(&clerk)
            .with(json!({ "scep_legacy": true }))
            .of(&service)
            .await
            .is(200);
        assert_eq!(changed["scep_legacy"], json!(true));

        // Signing in again: the code of the set-up was used, so the next one is needed.
        let password = "this never is a password";
        let sign_in = |code: Option<String>| json!({ "login": "CLERK", "password": password, "totp": code });
        let missing = ask(Method::POST, "/sessions").with(sign_in(None)).of(&service).await.refused_as(400, "invalid");
        assert_eq!(text(&missing, "field"), "totp");
        ask(Method::POST, "/sessions").with(sign_in(Some(used))).of(&service).await.refused_as(401, "unauthenticated");
        bench.clock.advance(Duration::seconds(60));
        let code = second_factor::code_of(&secret, bench.clock.now());
        let opened = ask(Method::POST, "/sessions").with(sign_in(Some(code.clone()))).of(&service).await.is(201);
        assert_eq!(opened["mfa"], json!(true));
        ask(Method::POST, "/sessions").with(sign_in(Some(code))).of(&service).await.refused_as(401, "unauthenticated");

        let sessions = ask(Method::GET, "/sessions").by(&clerk).of(&service).await.is(200);
        assert_eq!(sessions["items"].as_array().map(Vec::len), Some(2));
        let second = text(&opened, "token");
        ask(Method::DELETE, "/sessions/current").by(second).of(&service).await.is(204);
        ask(Method::GET, "/account").by(second).of(&service).await.refused_as(401, "unauthenticated");

        // Confirming, then a token.
        bench.clock.advance(Duration::seconds(60));
        let code = second_factor::code_of(&secret, bench.clock.now());
        let confirm = json!({ "password": password, "totp": code });
        ask(Method::POST, "/sessions/current/confirm").by(&clerk).with(confirm).of(&service).await.is(200);
        let issued = ask(Method::POST, "/councils/germoe/tokens")
            .by(&clerk)
            .with(json!({ "name": "switchboard", "scopes": ["read"] }))
            .of(&service)
            .await
            .is(201);
        let jwt = text(&issued, "token");
        ask(Method::GET, "/councils/germoe").by(jwt).of(&service).await.is(200);
        ask(Method::GET, "/councils/other").by(jwt).of(&service).await.refused_as(404, "not-found");
        ask(Method::GET, "/sessions").by(jwt).of(&service).await.refused_as(403, "forbidden");
        let path = format!("/tokens/{}", text(&issued, "id"));
        ask(Method::DELETE, &path).by(&clerk).of(&service).await.is(204);
        ask(Method::GET, "/councils/germoe").by(jwt).of(&service).await.refused_as(401, "unauthenticated");

        // What does not exist, or is no id at all, is not there: nothing breaks, and nothing is told.
        let unknown = uuid::Uuid::now_v7().to_string();
        for id in [unknown.as_str(), "none", "%27%20OR%201=1"] {
            let refused = async |method: Method, path: String, body: Option<Value>| {
                let asked = Asked { body, ..ask(method, &path).by(&clerk) };
                asked.of(&service).await.refused_as(404, "not-found")
            };
            for path in ["", "/commands", "/settings", "/apps"] {
                refused(Method::GET, format!("/devices/{id}{path}"), None).await;
            }
            refused(Method::POST, format!("/commands/{id}/cancel"), None).await;
            for path in ["confirm", "activation-lock-bypass-code"] {
                refused(Method::POST, format!("/devices/{id}/{path}"), None).await;
            }
            refused(Method::POST, format!("/devices/{id}/lock"), Some(json!({}))).await;
            let recognised = json!({ "recognised_by": "in person" });
            refused(Method::POST, format!("/devices/{id}/clear-passcode"), Some(recognised)).await;
        }

        // Idle for twenty minutes: over. And the trails verify.
        bench.clock.advance(Duration::minutes(21));
        ask(Method::GET, "/account").by(&clerk).of(&service).await.refused_as(401, "unauthenticated");
        let (key, chain) = (Arc::clone(&bench.keys), id.clone());
        let problems = bench
            .database
            .read("verify", move |tx| {
                let mut problems = audit::verify(tx, &key.audit, &chain, None)?.problems;
                problems.extend(audit::verify(tx, &key.audit, audit::INSTALLATION, None)?.problems);
                Ok(problems)
            })
            .await
            .expect("verifies");
        assert_eq!(problems, Vec::<String>::new());
    })
    .await;
}

#[actix_web::test]
async fn wrong_sign_ins_look_alike_have_to_wait_and_raise_an_alert() {
    on_both(|bench| async move {
        let council = bench.council("germoe").await;
        let initial = crate::operations::passwords::initial().await.expect("a password");
        let (context, home) = (bench.context(Actor::System), council.clone());
        bench
            .database
            .write("clerk", move |tx| {
                let new = crate::operations::operators::NewOperator {
                    council: Some(home.clone()),
                    login: "clerk".to_owned(),
                    name: "Cleo".to_owned(),
                    role: crate::model::Role::Clerk,
                    password_hash: initial.hash.clone(),
                };
                crate::operations::operators::add(tx, &context, &new)
            })
            .await
            .expect("a clerk");
        let service = client(&bench).await;
        let try_in = |login: &str| json!({ "login": login, "password": "not the password" });
        let unknown =
            ask(Method::POST, "/sessions").with(try_in("nobody")).of(&service).await.refused_as(401, "unauthenticated");
        for _ in 0..5 {
            let wrong = ask(Method::POST, "/sessions").with(try_in("clerk")).of(&service).await;
            assert_eq!(wrong.refused_as(401, "unauthenticated"), unknown);
        }
        let waits = ask(Method::POST, "/sessions").with(try_in("clerk")).of(&service).await;
        assert!(waits.headers.contains_key("retry-after"));
        waits.refused_as(429, "too-many");
        let right = json!({ "login": "clerk", "password": initial.words.as_str() });
        ask(Method::POST, "/sessions").with(right.clone()).of(&service).await.refused_as(429, "too-many");
        let alerts = bench
            .database
            .read("alerts", move |tx| store::alerts::page(tx, &council, true, None, 10))
            .await
            .expect("alerts");
        assert!(alerts.iter().any(|alert| alert.kind == "sign_in_failures"), "{alerts:?}");
        bench.clock.advance(Duration::minutes(2));
        let opened = ask(Method::POST, "/sessions").with(right).of(&service).await.is(201);
        bench.clock.advance(Duration::hours(13));
        ask(Method::GET, "/account").by(text(&opened, "token")).of(&service).await.refused_as(401, "unauthenticated");
    })
    .await;
}

fn operations() -> Vec<(Method, String, Value)> {
    let document = document().expect("a document");
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations") {
            if operation.is_object() {
                let method = Method::from_bytes(method.to_uppercase().as_bytes()).expect("a method");
                found.push((method, path.clone(), operation.clone()));
            }
        }
    }
    found
}

#[actix_web::test]
async fn every_operation_refuses_a_caller_without_credentials_before_it_reads_anything() {
    on_both(|bench| async move {
        let service = client(&bench).await;
        for (method, path, operation) in operations() {
            if operation["security"] == json!([{}]) {
                assert!(path.ends_with("/sessions") || path.ends_with("/set-up"), "{method} {path} is open");
                continue;
            }
            let path = path.trim_start_matches(super::ROOT).replace(['{', '}'], "");
            for token in [None, Some("bs_nonsense"), Some("a.b.c")] {
                let mut asked = ask(method.clone(), &path).with(json!({ "not": "what it takes" }));
                asked.token = token;
                let answer = asked.of(&service).await;
                assert!(answer.headers.contains_key("www-authenticate"), "{method} {path}");
                answer.refused_as(401, "unauthenticated");
            }
        }
        ask(Method::GET, "/no/such/thing").of(&service).await.refused_as(401, "unauthenticated");
    })
    .await;
}

#[actix_web::test]
async fn a_repeat_is_answered_again_although_what_it_shows_is_good_once() {
    on_both(|bench| async move {
        print_set_up_code(&bench).await;
        let service = client(&bench).await;
        let set_up = json!({ "code": CODE, "login": "provider", "name": "Pat Provider" });
        let made = ask(Method::POST, "/set-up").with(set_up).of(&service).await.is(201);
        let (provider, secret, _) = first_day(&bench, &service, "provider", text(&made, "initial_password")).await;
        let own = "another marmalade lantern";
        let change = json!({ "current": "this never is a password", "new": own });
        for _ in 0..2 {
            let path = "/account/password";
            ask(Method::POST, path).by(&provider).key("p").with(change.clone()).of(&service).await.is(204);
        }
        let other = json!({ "current": own, "new": "yet another marmalade lantern" });
        let path = "/account/password";
        let reused = ask(Method::POST, path).by(&provider).key("p").with(other).of(&service).await;
        reused.refused_as(422, "idempotency-key-reused");
        bench.clock.advance(Duration::seconds(60));
        let code = second_factor::code_of(&secret, bench.clock.now());
        let confirm = json!({ "password": own, "totp": code });
        let path = "/sessions/current/confirm";
        let first = ask(Method::POST, path).by(&provider).key("c").with(confirm.clone()).of(&service).await.is(200);
        let again = ask(Method::POST, path).by(&provider).key("c").with(confirm.clone()).of(&service).await.is(200);
        assert_eq!(first, again);
        ask(Method::POST, path).by(&provider).with(confirm).of(&service).await.refused_as(401, "unauthenticated");
    })
    .await;
}

/// The routes of the handlers of changes: whether each comes to `Caller::write`, itself or through a function beside it.
fn keeps_answers() -> Vec<(String, bool)> {
    let writes = |item: &str| item.contains(".write(&app,") || item.contains(".write(app,");
    let name_of =
        |item: &str| item.split_once("async fn ").and_then(|(_, rest)| rest.split('(').next().map(str::to_owned));
    let mut found = Vec::new();
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/web/api")).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("named").to_string_lossy().into_owned();
        if !name.ends_with(".rs") || name.ends_with("tests.rs") {
            continue;
        }
        let source = std::fs::read_to_string(&path).expect("text");
        let items: Vec<&str> = source.split("\n}\n").collect();
        let beside: Vec<String> = items.iter().filter(|item| writes(item)).filter_map(|item| name_of(item)).collect();
        for item in items {
            let change =
                ["#[post(\"", "#[put(\"", "#[patch(\"", "#[delete(\""].iter().find_map(|mark| item.split_once(mark));
            let Some((_, rest)) = change else { continue };
            let route = rest.split('"').next().unwrap_or_default().to_owned();
            let through = beside.iter().any(|name| item.contains(&format!("{name}(&app")));
            found.push((route, writes(item) || through));
        }
    }
    found
}

#[test]
fn an_idempotency_key_is_documented_where_the_answer_is_kept_and_nowhere_else() {
    let handlers = keeps_answers();
    let changes: Vec<_> = operations().into_iter().filter(|(method, _, _)| *method != Method::GET).collect();
    assert_eq!(handlers.len(), changes.len(), "every handler of a change is found: {handlers:#?}");
    for (method, path, operation) in changes {
        let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
        let listed = parameters.iter().any(|parameter| parameter["name"] == "Idempotency-Key");
        let route = path.trim_start_matches(super::ROOT);
        assert!(
            handlers.iter().any(|(found, keeps)| found == route && *keeps == listed),
            "{method} {path}: listed {listed}; {:?}",
            handlers.iter().filter(|(found, _)| found == route).collect::<Vec<_>>()
        );
        assert!(operation.get("x-not-repeated").is_none(), "the mark is ours alone");
    }
    for path in ["/api/v1/backup", "/api/v1/seal/rotate"] {
        assert!(document().expect("a document")["paths"][path]["post"]["parameters"].is_null(), "{path}");
    }
}

#[actix_web::test]
async fn malformed_requests_are_answered_as_problems_and_faults_say_nothing() {
    on_both(|bench| async move {
        let service = client(&bench).await;
        let post = |body: &'static str| TestRequest::post().uri("/api/v1/sessions").set_payload(body);
        let cases = [
            (post("{").insert_header(("content-type", "application/json")), 400),
            (post("{}").insert_header(("content-type", "application/json")), 400),
            (post("{}").insert_header(("content-type", "text/plain")), 400),
            (TestRequest::post().uri("/api/v1/sessions").set_payload(vec![b' '; 70_000]), 413),
        ];
        for (request, status) in cases {
            let answer = (service.0)(request).await;
            assert_eq!(answer.status.as_u16(), status, "{}", answer.body);
        }
        bench.database.set_broken(true);
        let down = ask(Method::POST, "/sessions").with(json!({ "login": "x", "password": "y" })).of(&service).await;
        let problem = down.refused_as(503, "unavailable");
        assert!(!problem.to_string().contains("switched off"), "{problem}");
        bench.database.set_broken(false);
    })
    .await;
}

#[actix_web::test]
async fn the_document_and_its_page_are_open_and_whole() {
    on_both(|bench| async move {
        let service = client(&bench).await;
        let served = ask(Method::GET, "/openapi.json").of(&service).await.is(200);
        assert_eq!(&served, document().expect("a document"));
        assert!(served["components"]["securitySchemes"]["bearer"].is_object());
        let page = ask(Method::GET, "/docs").of(&service).await.is(200);
        let page = page.as_str().expect("a page");
        for (_, path, operation) in operations() {
            assert!(page.contains(&path), "{path} is on the page");
            assert!(operation["summary"].is_string(), "{path} says what it does");
        }
    })
    .await;
}

#[test]
fn table_of_operations() {
    let table: Vec<String> = operations()
        .into_iter()
        .map(|(method, path, operation)| format!("{method:<6} {path}  {}", operation["summary"].as_str().unwrap_or("")))
        .collect();
    insta::assert_snapshot!(table.join("\n"));
}

#[actix_web::test]
async fn guesses_at_his_login_do_not_keep_someone_signed_in_from_confirming() {
    on_both(|bench| async move {
        let council = bench.council("germoe").await;
        let initial = crate::operations::passwords::initial().await.expect("a password");
        let (context, hash) = (bench.context(Actor::System), initial.hash.clone());
        bench
            .database
            .write("clerk", move |tx| {
                let new = crate::operations::operators::NewOperator {
                    council: Some(council.clone()),
                    login: "clerk".to_owned(),
                    name: "Cleo".to_owned(),
                    role: crate::model::Role::Clerk,
                    password_hash: hash.clone(),
                };
                crate::operations::operators::add(tx, &context, &new)
            })
            .await
            .expect("a clerk");
        let service = client(&bench).await;
        let words = initial.words.as_str();
        let right = json!({ "login": "clerk", "password": words });
        let opened = ask(Method::POST, "/sessions").with(right.clone()).of(&service).await.is(201);
        let clerk = text(&opened, "token");
        // A stranger in the same office, or behind the same proxy, guesses.
        for _ in 0..5 {
            let wrong = json!({ "login": "clerk", "password": "not the password" });
            ask(Method::POST, "/sessions").with(wrong).of(&service).await.refused_as(401, "unauthenticated");
        }
        ask(Method::POST, "/sessions").with(right).of(&service).await.refused_as(429, "too-many");
        let own = "quiet marmalade lantern bridge";
        let change = |current: &str| json!({ "current": current, "new": own });
        ask(Method::POST, "/account/password").by(clerk).with(change(words)).of(&service).await.is(204);
        let begun = ask(Method::POST, "/account/totp").by(clerk).of(&service).await.is(201);
        let secret = text(&begun, "secret").to_owned();
        let code = second_factor::code_of(&secret, bench.clock.now());
        ask(Method::POST, "/account/totp/confirm").by(clerk).with(json!({ "code": code })).of(&service).await.is(200);
        bench.clock.advance(Duration::seconds(30));
        for _ in 0..5 {
            let wrong = json!({ "login": "clerk", "password": "not the password" });
            let refused = ask(Method::POST, "/sessions").with(wrong).of(&service).await;
            assert!(matches!(refused.status.as_u16(), 401 | 429));
        }
        let code = second_factor::code_of(&secret, bench.clock.now());
        let confirm = json!({ "password": own, "totp": code });
        ask(Method::POST, "/sessions/current/confirm").by(clerk).with(confirm).of(&service).await.is(200);

        // His own wrong ones count, of this session alone.
        for _ in 0..5 {
            let wrong = json!({ "password": "not the password", "totp": "000000" });
            let refused = ask(Method::POST, "/sessions/current/confirm").by(clerk).with(wrong).of(&service).await;
            refused.refused_as(401, "unauthenticated");
        }
        let again = json!({ "password": own, "totp": "000000" });
        let refused = ask(Method::POST, "/sessions/current/confirm").by(clerk).with(again).of(&service).await;
        refused.refused_as(429, "too-many");
    })
    .await;
}

#[actix_web::test]
async fn the_set_up_tells_nobody_without_its_code_which_councils_there_are() {
    on_both(|bench| async move {
        bench.council("germoe").await;
        print_set_up_code(&bench).await;
        let service = client(&bench).await;
        let guess = |council: &str| json!({ "code": "WRONG", "login": "clerk", "name": "Cleo", "council": council });
        let there = ask(Method::POST, "/set-up").with(guess("germoe")).of(&service).await.refused_as(403, "forbidden");
        let not = ask(Method::POST, "/set-up").with(guess("nowhere")).of(&service).await.refused_as(403, "forbidden");
        assert_eq!(there, not);
        // With the code he is told, and the code is still good.
        let known = |council: &str| json!({ "code": CODE, "login": "clerk", "name": "Cleo", "council": council });
        ask(Method::POST, "/set-up").with(known("nowhere")).of(&service).await.refused_as(404, "not-found");
        ask(Method::POST, "/set-up").with(known("germoe")).of(&service).await.is(201);
    })
    .await;
}
