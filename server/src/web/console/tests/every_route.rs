//! Every route that the console's sources name: a page or a form that is added is tried here without anybody thinking of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::desk::{Answer, Browser, Desk, NASTY, with_token};
use crate::model::Actor;
use crate::operations::alerts;
use crate::store::{self, Transaction};
use crate::testing::on_both;

/// What a form may be sent to without a sign-in; it has tests of its own.
const OPEN: &[&str] = &[
    "/console/set-up",
    "/console/sign-in",
    "/console/sign-in/passkey",
    "/console/sign-in/passkey/begin",
    "/lost",
    "/lost/report",
    "/lost/phone",
    "/console/break-glass",
    "/stop",
];
/// Where anybody is led on, and the files.
const NO_PAGES: &[&str] = &["/", "/console/files/{name}"];

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Route {
    form: bool,
    path: String,
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
        if entry.is_dir() && !entry.ends_with("tests") {
            sources(&entry, found);
        } else if entry.extension().is_some_and(|ending| ending == "rs") && !entry.ends_with("tests.rs") {
            found.push(entry);
        }
    }
}

/// The text of a constant that a route is named by.
fn constant(texts: &BTreeMap<PathBuf, String>, file: &Path, name: &str) -> String {
    let (module, name) = name.rsplit_once("::").unwrap_or(("", name));
    let beside = file.with_file_name(format!("{module}.rs"));
    let text = texts.get(if module.is_empty() { file } else { &beside });
    let text = text.unwrap_or_else(|| panic!("{name} of {} is nowhere", file.display()));
    let value = text.split_once(&format!("const {name}: &str = \"")).and_then(|(_, rest)| rest.split('"').next());
    value.unwrap_or_else(|| panic!("{name} of {} is no plain text", file.display())).to_owned()
}

/// Every route of the console and of the holder's pages, as the sources have it.
fn routes() -> Vec<Route> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/web/console");
    let mut files = Vec::new();
    sources(&folder, &mut files);
    let read = |file: PathBuf| (file.clone(), std::fs::read_to_string(file).expect("readable"));
    let texts: BTreeMap<PathBuf, String> = files.into_iter().map(read).collect();
    let mut routes = Vec::new();
    for (file, text) in &texts {
        for other in ["web::resource(", "#[get(", "#[post(", ".service(web::"] {
            assert!(!text.contains(other), "{}: {other} makes routes that are not tried here", file.display());
        }
        let mut scope = if file.ends_with("console/mod.rs") { "" } else { "/console" };
        for piece in text.split_inclusive(['(']).scan(0, |at, piece| {
            let from = *at;
            *at += piece.len();
            Some((from, piece))
        }) {
            let rest = text.get(piece.0 + piece.1.len()..).unwrap_or_default().trim_start();
            if piece.1.ends_with("web::scope(") {
                scope = rest.trim_start_matches('"').split('"').next().unwrap_or_default();
            } else if piece.1.ends_with(".route(") {
                let (place, rest) = rest.split_once(',').expect("a place and a handler");
                let place = match place.strip_prefix('"') {
                    Some(place) => place.trim_end_matches('"').to_owned(),
                    None => constant(&texts, file, place),
                };
                let form = match rest.trim_start().split('(').next() {
                    Some("get") => false,
                    Some("post") => true,
                    other => panic!("{}: {place} is for {other:?}", file.display()),
                };
                routes.push(Route { form, path: format!("{scope}{place}") });
            }
        }
    }
    routes.sort();
    assert!(routes.len() > 80, "only {} routes were found", routes.len());
    routes
}

/// A scene with one of everything, and what stands for it in an address.
async fn scene(desk: &mut Desk) -> BTreeMap<&'static str, String> {
    let after = |text: &str, before: &str| {
        let rest = text.split_once(before).unwrap_or_else(|| panic!("{before} is not in {text}")).1;
        rest.split(['/', '"', '?']).next().unwrap_or_default().to_owned()
    };
    let case = desk.lose().await;
    let order = desk.ask(&case).await;
    let item = [
        ("tag", "GPC-7"),
        ("kind", "phone"),
        ("make", "Apple"),
        ("model", "iPhone"),
        ("name", "Wenna"),
        ("mode", "device"),
    ];
    let invited = desk.clerk.send("/console/councils/germoe/invite", &item).await.is(200).text;
    let item = format!("/console/assets/{}", desk.phone.asset);
    desk.clerk.send(&format!("{item}/fault"), &[("what", "Cracked")]).await.is(303);
    let shown = desk.clerk.get(&item).await.is(200).text;
    let person = after(&shown, "/console/people/");
    let begin = format!("/console/people/{person}/begin/{}", desk.phone.asset);
    desk.clerk.send(&begin, &[]).await.is(303);
    let leaving = desk.clerk.get(&format!("/console/people/{person}/leaving")).await.is(200).text;
    let operators = desk.clerk.get("/console/councils/germoe/operators").await.is(200).text;
    let (context, council) = (desk.bench.context(Actor::System), desk.council.clone());
    let alert =
        move |tx: &mut Transaction<'_>| alerts::raise(tx, &context, &council, "sim_changed", "GPC-001", "A SIM.");
    desk.bench.database.write("an alert", alert).await.expect("raised");
    let home = desk.clerk.get("/console/councils/germoe").await.is(200).text;
    let token = [("name", "List"), ("scope_read", "yes"), ("hours", "1")];
    desk.clerk.send("/console/councils/germoe/tokens/new", &token).await.is(200);
    let tokens = desk.clerk.get("/console/councils/germoe/tokens").await.is(200).text;
    let hold = format!("/console/devices/{}/hold", desk.phone.device);
    desk.clerk.send(&hold, &[("reason", "A request for information")]).await.is(303);
    let holds = desk.clerk.get("/console/councils/germoe/holds").await.is(200).text;
    BTreeMap::from([
        ("council", "germoe".to_owned()),
        ("asset", desk.phone.asset.to_string()),
        ("device", desk.phone.device.to_string()),
        ("loss", after(&case, "/losses/")),
        ("order", after(&order, "/orders/")),
        ("invitation", after(&invited, "/console/invitations/")),
        ("alert", after(&home, "/console/alerts/")),
        ("token", after(&tokens, "/console/tokens/")),
        ("hold", after(&holds, "/console/holds/")),
        ("person", person),
        ("fault", after(&shown, "/console/faults/")),
        ("leaver", after(&leaving, "/console/leavers/")),
        ("operator", after(&operators, "/console/operators/")),
        // The other pages of passkeys are tried with real ones, beside the tests of signing in.
        ("setting", "passcode.erase_after_failed_attempts".to_owned()),
        ("passkey", "01900000-0000-7000-8000-000000000000".to_owned()),
    ])
}

fn filled(path: &str, ids: &BTreeMap<&'static str, String>) -> String {
    let parts = path.split('/').map(|part| {
        let Some(name) = part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) else { return part };
        ids.get(name).unwrap_or_else(|| panic!("{path}: this scene has no {name}; give it one"))
    });
    parts.collect::<Vec<_>>().join("/")
}

/// What the council's trail and register are, to see that nothing was done.
async fn whole(desk: &Desk) -> (usize, usize, usize) {
    let council = desk.council.clone();
    desk.bench
        .database
        .read("everything", move |tx| {
            let rows = store::audit::rows_after(tx, council.as_str(), 0, 10_000)?.len();
            let items = store::assets::page(tx, &council, None, None, 1000)?.len();
            Ok((rows, items, store::people::page(tx, &council, true, None, 1000)?.len()))
        })
        .await
        .expect("read")
}

#[actix_web::test]
async fn nobody_and_no_other_council_gets_in_anywhere() {
    on_both(|bench| async move {
        let mut desk = Desk::new(bench).await;
        let ids = scene(&mut desk).await;
        let before = whole(&desk).await;
        for route in routes() {
            if NO_PAGES.contains(&route.path.as_str()) || OPEN.contains(&route.path.as_str()) {
                continue;
            }
            let path = filled(&route.path, &ids);
            let told = format!("{} {path}", if route.form { "POST" } else { "GET" });
            let mut nobody = desk.nobody();
            if route.form {
                let token = desk.clerk.token(&path);
                let sent = nobody.post(&path, &with_token(&[], &token), "same-origin").await;
                assert_eq!(sent.status, 303, "{told}: {}", sent.text);
                let stale = desk.clerk.post(&path, &[], "same-origin").await;
                assert_eq!(stale.status, 403, "{told}: {}", stale.text);
                stale.has("can no longer be used");
                let abroad = desk.clerk.post(&path, &with_token(&[], &token), "cross-site").await;
                assert_eq!(abroad.status, 403, "{told}: {}", abroad.text);
            } else {
                let place = nobody.get(&path).await;
                let over = route.path.ends_with("/live") && place.text.starts_with("event: over");
                assert!(place.status == 303 || over, "{told}: {} {}", place.status, place.text);
            }
            if route.path.contains('{') {
                let answer =
                    if route.form { desk.stranger.send(&path, &[]).await } else { desk.stranger.get(&path).await };
                let over = route.path.ends_with("/live") && answer.text.is_empty();
                assert!(
                    (400..500).contains(&answer.status) || over,
                    "{told} by a stranger: {} {}",
                    answer.status,
                    answer.text
                );
                answer.lacks("GPC-001").lacks("Mary-Ann").lacks("Penzance");
            }
        }
        assert_eq!(whole(&desk).await, before, "something was done");
    })
    .await;
}

/// The forms of a page: where each goes, and the names of what can be filled in.
fn forms(page: &str) -> Vec<(String, Vec<String>)> {
    let attribute = |tag: &str, name: &str| {
        let value = tag.split_once(&format!(" {name}=\""))?.1.split('"').next()?;
        Some(value.to_owned())
    };
    let mut forms = Vec::new();
    for form in page.split("<form ").skip(1) {
        let form = form.split("</form>").next().unwrap_or_default();
        let head = format!(" {}", form.split('>').next().unwrap_or_default());
        if attribute(&head, "method").as_deref() != Some("post") {
            continue;
        }
        let tags =
            form.split('<').filter(|tag| ["input ", "textarea ", "select "].iter().any(|kind| tag.starts_with(kind)));
        let mut names: Vec<String> = tags.filter_map(|tag| attribute(tag, "name")).collect();
        names.retain(|name| name != "form_token");
        names.dedup();
        forms.push((attribute(&head, "action").expect("where it goes"), names));
    }
    forms
}

/// Sends a page's forms with one field after the other filled like this, by whoever sees them.
async fn fill(browser: &mut Browser, page: &Answer, text: &str, tried: &mut usize) {
    for (action, names) in forms(&page.text) {
        if action.starts_with("/console/sign-") {
            continue;
        }
        for name in &names {
            let fields: Vec<(&str, &str)> =
                names.iter().map(|other| (other.as_str(), if other == name { text } else { "" })).collect();
            let answer = browser.send(&action, &fields).await;
            assert!(answer.status < 500, "{action} with {name}: {} {}", answer.status, answer.text);
            answer.lacks("<script>alert(1)").lacks("onload='x'");
            *tried += 1;
        }
    }
}

#[actix_web::test]
async fn far_too_much_and_nasty_text_is_refused_or_harmless_in_every_field_of_every_page() {
    on_both(|bench| async move {
        let mut desk = Desk::new(bench).await;
        let ids = scene(&mut desk).await;
        let (_, items, people) = whole(&desk).await;
        let (much, mut tried) = ("x".repeat(10_000), 0);
        for route in routes().into_iter().filter(|route| !route.form && !route.path.ends_with("/live")) {
            if NO_PAGES.contains(&route.path.as_str()) {
                continue;
            }
            let path = filled(&route.path, &ids);
            for mut browser in [desk.clerk.clone(), desk.provider.clone()] {
                let page = browser.get(&path).await;
                assert!(page.status < 500, "{path}: {}", page.text);
                fill(&mut browser, &page, &much, &mut tried).await;
                fill(&mut browser, &page, NASTY, &mut tried).await;
            }
        }
        assert!(tried > 40, "only {tried} fields were found");
        let (_, items_after, people_after) = whole(&desk).await;
        // A name is all that somebody new needs, and a nasty one is a name: the clerk and the provider added one each.
        assert_eq!((items, people + 2), (items_after, people_after), "something was registered");
    })
    .await;
}
