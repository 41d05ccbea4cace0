//! Every route of the API refuses whoever has no business there, and lets through who has.

use std::collections::BTreeMap;

use beadle_server::demo::{Api, Council, Person, Town, text, until};
use beadle_simulator::apple::phone::Phone;
use beadle_tests::{PATIENCE, on_both};
use reqwest::Method;
use serde_json::{Map, Value, json};

/// What needs no sign-in.
const PUBLIC: &[(&str, &str)] =
    &[("POST", "/set-up"), ("POST", "/sessions"), ("GET", "/openapi.json"), ("GET", "/docs")];

/// What is done through the control socket alone.
const CONTROL_SOCKET: &[(&str, &str)] = &[("POST", "/backup"), ("POST", "/seal/rotate"), ("POST", "/set-up-code")];

/// What concerns only the caller himself, whoever he is.
const OWN: &[(&str, &str)] = &[
    ("GET", "/account"),
    ("PUT", "/account/mail"),
    ("POST", "/account/password"),
    ("POST", "/account/totp"),
    ("POST", "/account/totp/confirm"),
    ("POST", "/account/recovery-codes"),
    ("GET", "/sessions"),
    ("POST", "/sessions/current/confirm"),
    ("DELETE", "/sessions/current"),
];

/// What everyone who is signed in may read; the list of councils has only his own in it.
const SHARED: &[(&str, &str)] = &[("GET", "/policy-presets"), ("GET", "/councils")];

/// What everyone who is signed in may read, and a program only with the right to read.
const SHARED_BUT_SCOPED: &[(&str, &str)] = &[("GET", "/quarantine")];

/// What only the provider may do.
const PROVIDER: &[(&str, &str)] = &[
    ("POST", "/councils"),
    ("GET", "/operators"),
    ("POST", "/operators"),
    ("GET", "/audit"),
    ("POST", "/audit/verify"),
    ("GET", "/audit/checkpoints"),
    ("GET", "/caps"),
    ("POST", "/caps/raise"),
    ("POST", "/caps/approve-raise"),
    ("POST", "/caps/thaw"),
    ("POST", "/quarantine/end"),
    ("PUT", "/google/project"),
    ("GET", "/mail/server"),
    ("PUT", "/mail/server"),
    ("DELETE", "/mail/server"),
    ("POST", "/mail/test"),
];

/// What a program may do that may only report, and read nothing.
const REPORTS: &[(&str, &str)] =
    &[("POST", "/councils/{council}/losses"), ("POST", "/losses/{loss}/lock"), ("POST", "/losses/{loss}/notes")];

/// What this scene, or the least that a schema asks for, does not allow even to who may: with what it is answered. Everything
/// else is done.
const OTHERWISE: &[(&str, &str, u16)] = &[
    // Nobody asked, nothing is frozen, there is no quarantine.
    ("POST", "/caps/approve-raise", 409),
    ("POST", "/caps/thaw", 409),
    ("POST", "/councils/{council}/caps/approve-raise", 409),
    ("POST", "/councils/{council}/caps/thaw", 409),
    ("POST", "/quarantine/end", 409),
    // Nothing is connected to Google, and the invitation is for an iPhone.
    ("DELETE", "/councils/{council}/google", 409),
    ("POST", "/councils/{council}/google/sign-up", 409),
    ("POST", "/invitations/{invitation}/android-code", 409),
    // "text" is neither a key, nor a certificate, nor a stored secret, and no change of the policy; another has this login.
    ("PUT", "/google/project", 400),
    ("PUT", "/mail/server", 400),
    ("POST", "/councils/{council}/apple/push-certificate/import", 400),
    ("PUT", "/councils/{council}/policy/certificates", 404),
    ("PUT", "/councils/{council}/wifi-passwords/{ssid}", 404),
    ("PATCH", "/councils/{council}/policy", 409),
    ("POST", "/operators", 409),
    // The provider has no address.
    ("POST", "/mail/test", 409),
    // Not everyone has a mail address, and nothing is announced.
    ("POST", "/councils/{council}/one-operator", 409),
    ("DELETE", "/councils/{council}/one-operator", 404),
    // She is an approver already, by her role.
    ("DELETE", "/councils/{council}/approvers/{operator}", 404),
    ("PUT", "/councils/{council}/approvers/{operator}", 409),
    // The phone is lost, is not supervised, and has an order; the leaver's was never enrolled.
    ("POST", "/devices/{id}/clear-passcode", 409),
    ("POST", "/devices/{id}/activation-lock-bypass-code", 409),
    ("POST", "/losses/{loss}/orders", 409),
    ("POST", "/leavers/{leaver}/orders", 409),
    // It was approved before, and nothing holds it.
    ("POST", "/orders/{order}/refuse", 409),
    ("POST", "/orders/{order}/resume", 409),
    // It was reported lost in this very test; she still holds her phone.
    ("POST", "/assets/{asset}/dispose", 409),
    ("POST", "/people/{person}/end", 409),
];

/// What is tried last, in this order, because it ends what others are about.
const ENDS: &[(&str, &str)] = &[
    ("DELETE", "/mail/server"),
    ("POST", "/holds/{hold}/end"),
    ("POST", "/orders/{order}/approve"),
    ("POST", "/orders/{order}/refuse"),
    ("POST", "/orders/{order}/resume"),
    ("POST", "/orders/{order}/cancel"),
    ("POST", "/councils/{council}/holds"),
    ("POST", "/losses/{loss}/found"),
    ("POST", "/losses/{loss}/close"),
    ("POST", "/leavers/{leaver}/close"),
    ("POST", "/assets/{asset}/dispose"),
    ("POST", "/people/{person}/end"),
    ("DELETE", "/operators/{operator}"),
];

/// What is sent by POST and changes nothing.
const READS: &[(&str, &str)] = &[("POST", "/councils/{council}/audit/verify"), ("POST", "/audit/verify")];

fn among(list: &[(&str, &str)], route: &Route) -> bool {
    list.iter().any(|(method, path)| *method == route.method.as_str() && *path == route.path)
}

struct Route {
    method: Method,
    path: String,
    url: String,
    body: Option<Value>,
}

struct Cast {
    clerk: Person,
    chair: Person,
    auditor: Person,
    second_provider: Person,
    stranger: Person,
    /// A program that may report a loss and read nothing.
    reporter: Api,
    /// A program of another council that may do whatever a program may.
    foreign: Api,
    ids: BTreeMap<&'static str, String>,
}

async fn added(town: &Town, path: &str, body: Value) -> (String, Person) {
    let made = town.provider.api.post(path, body).await.expect("an operator");
    let (id, login) = (text(&made, "/id").expect("id"), text(&made, "/login").expect("login"));
    let initial = text(&made, "/initial_password").expect("a password");
    (id, Person::first_sign_in(&town.api, &login, &initial, &town.clock).await.expect("signs in"))
}

async fn first(api: &Api, path: &str) -> String {
    let page = api.get(path).await.expect(path);
    text(&page, "/items/0/id").expect(path)
}

async fn cast(town: &Town) -> Cast {
    let council = town.council("germoe", "Germoe Parish Council", "germoe").await.expect("a council");
    let other = town.council("coreley", "Coreley Parish Council", "coreley").await.expect("a council");
    let base = format!("/councils/{}", council.id);
    let operators = format!("{base}/operators");
    let (_, auditor) =
        added(town, &operators, json!({ "login": "audrey", "name": "Audrey Auditor", "role": "auditor" })).await;
    let (operator, _) =
        added(town, &operators, json!({ "login": "dora", "name": "Dora Deputy", "role": "approver" })).await;
    let (_, second_provider) = added(town, "/operators", json!({ "login": "second", "name": "Sam Second" })).await;
    // Nobody listens there.
    let server = json!({ "host": "127.0.0.1", "port": 1, "security": "none", "sender": "beadle@example.org" });
    town.provider.api.put("/mail/server", server).await.expect("a mail server");
    let mut ids = BTreeMap::from([("council", council.id.clone()), ("operator", operator.clone())]);
    let clerk = council.clerk.api.clone();

    let issued = clerk
        .post(&format!("{base}/tokens"), json!({ "name": "reporter", "scopes": ["report"] }))
        .await
        .expect("a token");
    ids.insert("token", text(&issued, "/id").expect("id"));
    // Its token is revoked by the routes under test, so it is not the one that they are tried with.
    let spare =
        clerk.post(&format!("{base}/tokens"), json!({ "name": "spare", "scopes": ["report"] })).await.expect("a token");
    let reporter = town.api.with_bearer(&text(&spare, "/token").expect("a token"));
    let everything = json!({ "name": "foreign", "scopes": ["read", "report", "lock", "register"] });
    let foreign = other.clerk.api.post(&format!("/councils/{}/tokens", other.id), everything).await.expect("a token");
    let foreign = town.api.with_bearer(&text(&foreign, "/token").expect("a token"));

    register(town, &council, &mut ids).await;
    ids.insert("session", first(&clerk, &format!("/operators/{operator}/sessions")).await);
    ids.insert("alert", first(&clerk, &format!("{base}/alerts")).await);
    ids.insert("ssid", "Hall".to_owned());
    let (clerk, chair, stranger) = (council.clerk, council.chair, other.clerk);
    Cast { clerk, chair, auditor, second_provider, stranger, reporter, foreign, ids }
}

/// A phone with commands, a loss with an order, a leaver, a hold, an invitation: something for each route to be about.
async fn register(town: &Town, council: &Council, ids: &mut BTreeMap<&'static str, String>) {
    let (clerk, base) = (&council.clerk.api, format!("/councils/{}", council.id));
    let options = town.phone_options("Ann's iPhone");
    let invited = town.invite(council, "GPC-001", "Ann Angove", &options).await.expect("invited");
    let mut phone = Phone::new(options).expect("a phone");
    phone.enrol(&invited.link).await.expect("enrols");
    phone.poll().await.expect("polls");
    let device = text(&town.device(council, &invited).await.expect("a device"), "/id").expect("id");
    let loss = clerk
        .post(&format!("{base}/losses"), json!({ "asset": invited.asset }))
        .await
        .and_then(|reported| text(&reported, "/case/id"))
        .expect("a loss");
    // The newest one: the lock, which waits.
    ids.insert("command", first(clerk, &format!("/devices/{device}/commands")).await);
    let order = clerk
        .post(&format!("/losses/{loss}/orders"), json!({ "asset_tag": invited.tag, "reason": "Stolen." }))
        .await
        .and_then(|order| text(&order, "/id"))
        .expect("an order");
    ids.extend([("device", device.clone()), ("loss", loss), ("order", order)]);

    let second = town.invite(council, "GPC-002", "Ben Bosanko", &town.phone_options("Ben's")).await.expect("invited");
    let leaver = clerk
        .post(&format!("{base}/leavers"), json!({ "asset": second.asset }))
        .await
        .and_then(|case| text(&case, "/case/id").or_else(|_| text(&case, "/id")))
        .expect("a leaver");
    let hold = clerk
        .post(&format!("{base}/holds"), json!({ "device": device, "reason": "A request for information." }))
        .await
        .and_then(|hold| text(&hold, "/id"))
        .expect("a hold");
    ids.extend([("leaver", leaver), ("hold", hold), ("asset", second.asset)]);
    ids.insert("invitation", first(clerk, &format!("{base}/invitations?usable=true")).await);
    let person = first(clerk, &format!("{base}/people")).await;
    ids.extend([("holders", person.clone()), ("person", person)]);
    // Words of which not any will do.
    ids.insert("public_url", town.addresses.get(2).expect("there is room").clone());
    for (field, word) in [
        ("asset_tag", "GPC-001"),
        ("slug", "third"),
        ("time_zone", "Europe/London"),
        ("preset", "germoe"),
        ("address", "mrs.chair@home.example"),
        ("recognised_by", "came to the office in person"),
    ] {
        ids.insert(field, word.to_owned());
    }
}

/// Every route of the document, with real ids in its address and a body that can be read.
fn routes(document: &Value, ids: &BTreeMap<&'static str, String>) -> Vec<Route> {
    let mut found = Vec::new();
    for (full, item) in document.get("paths").and_then(Value::as_object).expect("paths") {
        let path = full.strip_prefix("/api/v1").unwrap_or(full);
        for (method, operation) in item.as_object().expect("a path item") {
            let Ok(method) = method.to_uppercase().parse::<Method>() else { continue };
            if !operation.is_object() {
                continue;
            }
            let schema = operation.pointer("/requestBody/content/application~1json/schema");
            let body = schema.map(|schema| example(document, schema, "", ids));
            let body = body.or_else(|| (method != Method::GET).then(|| json!({})));
            found.push(Route { method, path: path.to_owned(), url: filled(path, ids), body });
        }
    }
    found
}

fn filled(path: &str, ids: &BTreeMap<&'static str, String>) -> String {
    let kind = path.split('/').nth(1).unwrap_or_default().trim_end_matches('s');
    let parts = path.split('/').map(|part| {
        let Some(name) = part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) else { return part };
        let name = if name == "id" { kind } else { name };
        ids.get(name).unwrap_or_else(|| panic!("{path}: an id for {name} is missing in this test"))
    });
    parts.collect::<Vec<_>>().join("/")
}

/// The least that a schema asks for.
fn example(document: &Value, schema: &Value, name: &str, ids: &BTreeMap<&'static str, String>) -> Value {
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        let target = document.pointer(reference.trim_start_matches('#')).expect("a reference leads somewhere");
        return example(document, target, name, ids);
    }
    // The last one: a council's operator cannot have the first role.
    if let Some(value) = schema.get("enum").and_then(Value::as_array).and_then(|words| words.last()) {
        // Words are in small letters on the wire, however the document writes them.
        return value.as_str().map_or_else(|| value.clone(), |word| json!(word.to_lowercase()));
    }
    for choice in ["oneOf", "anyOf", "allOf"] {
        let choices = schema.get(choice).and_then(Value::as_array).into_iter().flatten();
        if let Some(one) = choices.into_iter().find(|one| one.get("type") != Some(&json!("null"))) {
            return example(document, one, name, ids);
        }
    }
    let kind = match schema.get("type") {
        Some(Value::String(kind)) => kind.as_str(),
        Some(Value::Array(kinds)) => {
            kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null").unwrap_or_default()
        }
        _ => "object",
    };
    match kind {
        "string" if schema.get("format") == Some(&json!("date-time")) => json!("2026-01-05T09:00:00Z"),
        "string" => json!(ids.get(name).map_or("text", String::as_str)),
        "integer" | "number" => schema.get("minimum").cloned().unwrap_or(json!(1)),
        "boolean" => json!(false),
        "array" => json!([example(document, schema.get("items").unwrap_or(&Value::Null), name, ids)]),
        _ => {
            let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
            let fields = required.filter_map(Value::as_str).map(|field| {
                let about = schema.pointer(&format!("/properties/{field}")).unwrap_or(&Value::Null);
                (field.to_owned(), example(document, about, field, ids))
            });
            Value::Object(fields.collect::<Map<_, _>>())
        }
    }
}

async fn status(api: &Api, route: &Route) -> (u16, Value) {
    api.raw(route.method.clone(), &route.url, route.body.as_ref()).await.expect("an answer")
}

/// Who may do this.
fn right<'a>(town: &'a Town, cast: &'a Cast, route: &Route) -> &'a Api {
    match route.path.as_str() {
        // A second person, each time.
        "/caps/approve-raise" => &cast.second_provider.api,
        "/orders/{order}/approve" | "/councils/{council}/caps/approve-raise" => &cast.chair.api,
        _ if among(PROVIDER, route) || (route.path == "/councils/{council}" && route.method == Method::PATCH) => {
            &town.provider.api
        }
        _ => &cast.clerk.api,
    }
}

/// All that is wrong with how a route refuses.
async fn refusals(cast: &Cast, town: &Town, route: &Route, faults: &mut Vec<String>) {
    let mut expect = |who: &str, wanted: &[u16], (got, answer): (u16, Value)| {
        if !wanted.contains(&got) {
            faults.push(format!("{} {} as {who}: {got} instead of {wanted:?}: {answer}", route.method, route.path));
        }
    };
    if among(PUBLIC, route) {
        return;
    }
    expect("nobody", &[401], status(&town.api, route).await);
    // Of the form of a sign-in, then of that of a token.
    for forged in [format!("bs_{}", "0".repeat(43)), "e30.e30.AAAA".to_owned()] {
        let forger = town.api.with_bearer(&forged);
        expect("a forger", &[401], status(&forger, route).await);
    }
    if among(CONTROL_SOCKET, route) {
        for (who, api) in [("the clerk", &cast.clerk.api), ("the provider", &town.provider.api)] {
            expect(who, &[403], status(api, route).await);
        }
        return;
    }
    if among(OWN, route) || among(SHARED, route) {
        return;
    }
    if !among(SHARED_BUT_SCOPED, route) {
        expect("another council's clerk", &[403, 404], status(&cast.stranger.api, route).await);
        expect("another council's program", &[403, 404], status(&cast.foreign, route).await);
    }
    let reads = route.method == Method::GET || among(READS, route);
    if !reads || among(PROVIDER, route) {
        expect("an auditor", &[403, 404], status(&cast.auditor.api, route).await);
    }
    if !among(REPORTS, route) {
        expect("a program that may only report", &[403, 404], status(&cast.reporter, route).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_refuses_and_lets_through_whom_it_should() {
    on_both(async |town: &Town| {
        let cast = cast(town).await;
        let document = town.api.get("/openapi.json").await.expect("the document");
        let routes = routes(&document, &cast.ids);
        assert!(routes.len() > 90, "only {} routes are described", routes.len());
        let mut faults = Vec::new();
        let otherwise: Vec<(&str, &str)> = OTHERWISE.iter().map(|(method, path, _)| (*method, *path)).collect();
        for list in [PUBLIC, CONTROL_SOCKET, OWN, SHARED, SHARED_BUT_SCOPED, PROVIDER, READS, REPORTS, ENDS, &otherwise]
        {
            for (method, path) in list.iter().filter(|(_, path)| !matches!(*path, "/openapi.json" | "/docs")) {
                if !routes.iter().any(|route| route.method.as_str() == *method && route.path == *path) {
                    faults.push(format!("{method} {path} is listed in this test and does not exist"));
                }
            }
        }
        for route in &routes {
            refusals(&cast, town, route, &mut faults).await;
        }
        // What was refused must not have happened: everything can still be read.
        for route in routes.iter().filter(|route| route.method == Method::GET) {
            let (got, answer) = status(right(town, &cast, route), route).await;
            if got != 200 {
                faults.push(format!("GET {} by who may: {got}: {answer}", route.path));
            }
        }
        let own = cast.stranger.api.get("/councils").await.expect("his councils");
        if own.to_string().contains(&cast.ids["council"]) {
            faults.push(format!("a clerk sees another council in the list: {own}"));
        }
        let mut routes: Vec<&Route> = routes.iter().filter(|route| route.method != Method::GET).collect();
        routes.sort_by_key(|route| ENDS.iter().position(|it| it.0 == route.method.as_str() && it.1 == route.path));
        for route in routes {
            if among(PUBLIC, route) || among(CONTROL_SOCKET, route) || among(OWN, route) {
                continue;
            }
            let exception = OTHERWISE.iter().find(|it| it.0 == route.method.as_str() && it.1 == route.path);
            let mut callers = vec![("who may", right(town, &cast, route))];
            if among(REPORTS, route) {
                callers.push(("a program that may report", &cast.reporter));
            }
            for (who, api) in callers {
                let (got, answer) = status(api, route).await;
                if exception.map_or(!(200..300).contains(&got), |wanted| got != wanted.2) {
                    faults.push(format!("{} {} by {who}: {got}: {answer}", route.method, route.path));
                }
            }
        }
        assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
        own_account(town, &cast).await;
    })
    .await;
}

/// What concerns the caller alone works for the least of them.
async fn own_account(town: &Town, cast: &Cast) {
    let mut auditor = cast.auditor.clone();
    for path in ["/account", "/sessions"] {
        auditor.api.get(path).await.expect(path);
    }
    // Each code counts once.
    town.clock.advance(chrono::Duration::minutes(1));
    let shown = json!({ "password": auditor.password, "totp": auditor.code(0).expect("a code") });
    auditor.api.post("/sessions/current/confirm", shown).await.expect("confirms");
    auditor.api.delete("/sessions/current").await.expect("signs out");
    let refused = auditor.api.get("/account").await.expect_err("signed out");
    assert_eq!(refused.status, 401);
    town.clock.advance(chrono::Duration::minutes(1));
    auditor.sign_in(&town.api).await.expect("signs in again");
    until(&auditor.api, "/account", PATIENCE, |account| account.is_object()).await.expect("an account");
}
