//! The pages about settings: limits, a freeze and its thaw by two people, legal holds, quarantine, details, tokens, retention.

use beadle_server::demo::{Council, Person, Town};
use beadle_server::store::quarantines::Quarantine;
use beadle_server::store::{self, Database};
use chrono::Duration;
use serde_json::json;
use tokio::runtime::Handle;

use super::{SCREENS, Screen, Visitor, enrolled};
use crate::installed;

const HOME: &str = "/console/councils/germoe";
const NASTY: &str = "<b>Request</b> \u{202e}evil\u{2066} of-a-very-long-word-Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch";

/// On SQLite alone: what differs between the databases is tried by the operations' own tests.
#[tokio::test(flavor = "multi_thread")]
async fn settings_are_read_and_changed() {
    if !installed("chromium", &["--version"]) {
        return;
    }
    beadle_server::operations::passwords::hash_cheaply();
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite:{}", folder.path().join("settings.db").display());
    let town = Town::start(folder.path(), |config| config.database.url = Some(url.clone())).await.expect("a town");
    let council = town.council("germoe", "Germoe <b>Parish</b> Council", "germoe").await.expect("a council");
    let mut phones = Vec::new();
    for number in 1..=2 {
        let (tag, holder) = (format!("GPC-<b>{number}</b>"), format!("Cllr Ann{number} Angove"));
        phones.push(enrolled(&town, &council, &tag, &holder, true).await);
    }
    let database = Database::open(&url).expect("opens");
    let profile = folder.path().join("browser");
    let handle = Handle::current();
    let town = tokio::task::spawn_blocking(move || {
        let mut visitor = Visitor::new(&profile, &town.addresses[0], SCREENS[0]);
        for (screen, (invited, _)) in SCREENS.into_iter().zip(&phones) {
            visitor.sit(screen);
            // What the pass before approved counts no more.
            town.clock.advance(Duration::hours(25));
            freeze_and_thaw(&town, &council, &mut visitor, &invited.tag);
            hold(&mut visitor, &invited.tag);
            rest(&mut visitor, screen);
            leave(&mut visitor);
            quarantine(&town, &mut visitor, &database, &handle);
            leave(&mut visitor);
        }
        town
    })
    .await
    .expect("the journey ends well");
    town.server.expect("runs").stop().await.expect("stops");
}

fn enter(town: &Town, visitor: &mut Visitor, person: &Person) {
    visitor.open("/console/sign-in");
    visitor.sign_in(town, person);
}

fn leave(visitor: &mut Visitor) {
    visitor.open("/console");
    visitor.browser.follow("Sign out");
}

fn choose(visitor: &mut Visitor, id: &str) {
    let script = format!("document.getElementById({}).checked = true", json!(id));
    assert_eq!(visitor.browser.evaluate(&script), json!(true));
}

/// The clerk sets the limits to nothing, an order freezes, and the chair and the clerk thaw it.
fn freeze_and_thaw(town: &Town, council: &Council, visitor: &mut Visitor, tag: &str) {
    enter(town, visitor, &council.clerk);
    visitor.open(&format!("{HOME}/settings"));
    visitor.judge("settings");
    visitor.browser.follow("Limits on erasing");
    visitor.judge("limits");
    visitor.browser.follow("Change the limits");
    visitor.browser.fill("#per_hour", "two");
    visitor.browser.follow("Change the limits");
    assert!(visitor.judge("limits-change-wrong").contains("must be a whole number"));
    visitor.browser.fill("#per_hour", "0");
    visitor.browser.fill("#per_day", "0");
    visitor.browser.follow("Change the limits");
    assert!(visitor.browser.words().contains("0 in an hour, 0 in a day"));

    visitor.open(HOME);
    visitor.browser.follow("Report a lost phone");
    visitor.browser.fill("#find", tag);
    visitor.browser.follow("Find");
    visitor.browser.follow("This one is lost");
    visitor.browser.follow("Lock it now and report it lost");
    visitor.browser.follow("Ask for the phone to be erased");
    visitor.browser.fill("#asset_tag", tag);
    visitor.browser.fill("#reason", "Stolen.");
    visitor.browser.follow("Ask for it to be erased");
    let order = visitor.place();
    leave(visitor);

    enter(town, visitor, &council.chair);
    visitor.open(&order);
    assert_eq!(visitor.browser.follow("Approve: erase"), 200, "{}", visitor.browser.words());
    visitor.open(&order);
    assert!(visitor.judge("order-frozen").contains("See why erasing is frozen"));
    visitor.open(HOME);
    visitor.judge("home-frozen");
    visitor.browser.follow("See why, and thaw");
    visitor.judge("limits-frozen");
    leave(visitor);

    enter(town, visitor, &council.clerk);
    visitor.open(&format!("{HOME}/limits"));
    visitor.browser.follow("Ask to thaw");
    visitor.judge("thaw-ask");
    visitor.browser.follow("Ask to thaw");
    assert!(visitor.judge("limits-thaw-asked").contains("now a second person must agree"));
    visitor.open(&format!("{HOME}/limits/thaw"));
    visitor.browser.follow("Thaw");
    assert!(visitor.judge("thaw-own").contains("you asked for it yourself"));
    leave(visitor);

    enter(town, visitor, &council.chair);
    visitor.open(&format!("{HOME}/approvals"));
    visitor.browser.follow("Limits on how many");
    visitor.browser.follow("Agree to thaw");
    visitor.judge("thaw-agree");
    assert_eq!(visitor.browser.follow("Thaw"), 200, "{}", visitor.browser.words());
    let words = visitor.judge("limits-thawed");
    assert!(words.contains("Limits on erasing") && !words.contains("Erasing is frozen since"), "{words}");
    leave(visitor);

    enter(town, visitor, &council.clerk);
    visitor.open(&format!("{HOME}/limits/change"));
    visitor.browser.fill("#per_hour", "3");
    visitor.browser.fill("#per_day", "6");
    visitor.browser.follow("Change the limits");
    assert!(visitor.judge("limits-raise-asked").contains("3 in an hour, 6 in a day"));
    leave(visitor);

    enter(town, visitor, &council.chair);
    visitor.open(HOME);
    visitor.open(&format!("{HOME}/limits"));
    visitor.browser.follow("Decide about the raise");
    visitor.judge("raise-agree");
    visitor.browser.follow("Agree to the higher limits");
    assert!(visitor.judge("limits-raised").contains("it counts from"));
    visitor.open(&order);
    visitor.browser.follow("Cancel the order");
    leave(visitor);
    enter(town, visitor, &council.clerk);
}

fn hold(visitor: &mut Visitor, tag: &str) {
    visitor.open(&format!("{HOME}/settings"));
    visitor.browser.follow("Legal holds");
    assert!(visitor.judge("holds-none").contains("No device is under a legal hold"));
    visitor.browser.follow("Put a device under");
    visitor.browser.follow("Find");
    assert!(visitor.judge("hold-find-wrong").contains("Enter a name"));
    visitor.browser.fill("#find", tag);
    visitor.browser.follow("Find");
    visitor.judge("hold-found");
    visitor.browser.follow("This one");
    visitor.browser.follow("Put it under a legal hold");
    assert!(visitor.judge("hold-wrong").contains("Say why nothing"));
    visitor.browser.fill("#reason", NASTY);
    visitor.browser.follow("Put it under a legal hold");
    assert!(visitor.judge("holds").contains(tag));
    visitor.browser.follow("End this legal hold");
    visitor.judge("hold-end");
    visitor.browser.follow("End the legal hold");
    assert!(visitor.browser.words().contains("No device is under a legal hold"));
}

fn rest(visitor: &mut Visitor, screen: Screen) {
    visitor.open(&format!("{HOME}/settings"));
    visitor.browser.follow("The council\u{2019}s details");
    visitor.judge("details");
    visitor.browser.fill("#time_zone", "Cornwall");
    visitor.browser.follow("Save");
    assert!(visitor.judge("details-wrong").contains("Time zone must be a time zone"));
    visitor.browser.fill("#time_zone", "Europe/London");
    visitor.browser.follow("Save");
    visitor.browser.follow("Tokens for programs");
    visitor.judge("tokens");
    visitor.browser.follow("Make a token");
    visitor.browser.follow("Make the token");
    assert!(visitor.judge("token-wrong").contains("Tick at least one"));
    visitor.browser.fill("#name", &NASTY.chars().take(90).collect::<String>());
    choose(visitor, "scope_read");
    choose(visitor, "scope_register");
    visitor.browser.follow("Make the token");
    // A picture of a token would be one too many; it is of this test alone.
    assert!(visitor.judge("token-made").contains("shown only now"));
    let token = visitor.browser.evaluate("document.getElementById('token').innerText");
    let token = token.as_str().expect("a token").to_owned();
    visitor.browser.follow("I have copied it");
    let words = visitor.judge("tokens-one");
    assert!(words.contains("Works until") && !words.contains(&token), "{words}");
    visitor.browser.follow("End this token");
    visitor.judge("token-end");
    visitor.browser.follow("End this token");
    assert!(visitor.browser.words().contains("Ended on"));
    visitor.open(&format!("{HOME}/settings"));
    visitor.browser.follow("What is kept for how long");
    assert!(visitor.judge("retention").contains("6 years"), "{}", screen.width);
}

/// As after a restore: the provider sees it, and ends it.
fn quarantine(town: &Town, visitor: &mut Visitor, database: &Database, handle: &Handle) {
    let row = Quarantine {
        id: town.clock.now().unix().to_string(),
        reason: "a back-up was restored".to_owned(),
        since: town.clock.now(),
        ended_by: None,
        ended_at: None,
    };
    handle
        .block_on(database.write("quarantine", move |tx| store::quarantines::insert(tx, &row)))
        .expect("as after a restore");
    enter(town, visitor, &town.provider);
    visitor.open(HOME);
    assert!(visitor.judge("home-quarantine").contains("The server is in quarantine"));
    visitor.browser.follow("See what must be gone through");
    visitor.judge("quarantine");
    visitor.browser.follow("End the quarantine");
    visitor.judge("quarantine-end");
    visitor.browser.follow("End the quarantine");
    assert!(visitor.judge("quarantine-none").contains("not in quarantine"));
    visitor.open("/console/limits");
    visitor.judge("limits-of-all");
}
