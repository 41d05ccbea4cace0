//! A lost phone, from signing in to a phone erased, or found again: the clerk and the chair in two browsers.

use beadle_server::demo::{Council, Invited, Town};
use beadle_simulator::apple::phone::PhoneHandle;
use beadle_tests::{PATIENCE, Place, databases};
use chrono::Duration;
use tokio::runtime::Handle;

use super::{SCREENS, Screen, Visitor, enrolled, screens};
use crate::installed;

const NASTY: &str = "مجلس <script>alert(1)</script> Llanfairpwllgwyngyll";

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_phone_in_two_browsers() {
    if !installed("chromium", &["--version"]) {
        return;
    }
    for place in databases() {
        lose_phones(&place).await;
    }
}

struct Lost {
    screen: Screen,
    erased: (Invited, PhoneHandle),
    found: (Invited, PhoneHandle),
}

async fn lose_phones(place: &Place) {
    let folder = tempfile::tempdir().expect("a folder");
    let town = Town::start(folder.path(), |config| config.database.url = place.url()).await.expect("a town");
    let council = town.council("germoe", "Germoe Parish Council", "germoe").await.expect("a council");
    let mut lost = Vec::new();
    for (number, screen) in screens(place).into_iter().enumerate() {
        let (tag, holder) = (format!("GPC-01{number}"), format!("Cllr Ann{number} Angove"));
        let erased = enrolled(&town, &council, &tag, &holder, false).await;
        let (tag, holder) = (format!("GPC-02{number}"), format!("Cllr Ben{number} Bolitho"));
        let found = enrolled(&town, &council, &tag, &holder, true).await;
        lost.push(Lost { screen, erased, found });
    }
    let profiles = (folder.path().join("clerk"), folder.path().join("chair"));
    let handle = Handle::current();
    let town = tokio::task::spawn_blocking(move || {
        let base = town.addresses[0].clone();
        let mut clerk = Visitor::new(&profiles.0, &base, SCREENS[0]);
        let mut chair = Visitor::new(&profiles.1, &base, SCREENS[0]);
        for lost in &lost {
            // Two approvals an hour are the most, and nobody stays signed in for so long.
            town.clock.advance(Duration::minutes(61));
            clerk.sit(lost.screen);
            chair.sit(lost.screen);
            erase(&town, &council, &mut clerk, &mut chair, &lost.erased, &handle);
            find_again(&mut clerk, &lost.found, &handle);
        }
        town
    })
    .await
    .expect("the journey ends well");
    town.server.expect("runs").stop().await.expect("stops");
}

fn erase(
    town: &Town,
    council: &Council,
    clerk: &mut Visitor,
    chair: &mut Visitor,
    (invited, phone): &(Invited, PhoneHandle),
    handle: &Handle,
) {
    clerk.open("/console");
    clerk.judge("sign-in-again");
    clerk.sign_in(town, &council.clerk);
    assert!(clerk.judge("home").contains("Report a lost phone"));
    let name = invited.holder.split(' ').nth(1).expect("a name").to_lowercase();
    let case = clerk.report(&invited.tag, &name);
    clerk.wait_for("The phone confirmed it");
    assert!(clerk.judge("case-locked").contains("Read this to the mobile network"));
    assert!(handle.block_on(phone.wait_until(PATIENCE, |state| state.locked)).is_some(), "it is locked");

    clerk.browser.follow("Ask for the phone to be erased");
    clerk.judge("wipe");
    clerk.browser.fill("#asset_tag", "GPC-999");
    clerk.browser.follow("Ask for it to be erased");
    assert!(clerk.judge("wipe-wrong").contains("There is a problem"));
    clerk.browser.fill("#asset_tag", &invited.tag);
    clerk.browser.fill("#reason", "Stolen on the train, and it holds residents' letters.");
    assert_eq!(clerk.browser.follow("Ask for it to be erased"), 200);
    let order = clerk.place();
    assert!(clerk.judge("order-asked").contains("another person must approve it"));

    // The address comes in a mail; it is behind the sign-in.
    chair.open(&order);
    assert!(chair.judge("sign-in-first").contains("Sign in to go on"));
    chair.sign_in(town, &council.chair);
    assert_eq!(chair.place(), order);
    let words = chair.judge("order-to-decide");
    assert!(words.contains("cannot be undone") && words.contains("residents' letters"), "{words}");
    assert_eq!(chair.browser.follow("Approve: erase"), 200);
    chair.wait_for("Confirmed by the phone: it erases itself");
    chair.judge("order-confirmed");
    assert!(handle.block_on(phone.wait_until(PATIENCE, |state| state.wiped)).is_some(), "it is erased");
    clerk.wait_for("Confirmed by the phone: it erases itself");
    clerk.judge("order-confirmed-for-the-clerk");

    clerk.open(&case);
    clerk.browser.follow("Add the police reference");
    clerk.judge("notes");
    clerk.browser.fill("#police_reference", "CR/2026/117");
    clerk.browser.fill("#place", NASTY);
    clerk.browser.fill("#circumstances", &format!("{NASTY}\n{}", "Llanfairpwllgwyngyll".repeat(30)));
    clerk.browser.follow("Save");
    clerk.browser.follow("Write down what was decided");
    clerk.judge("breach");
    clerk.browser.fill("#data_held", "Residents' letters");
    clerk.browser.evaluate("document.getElementById('decision-do_not_notify').checked = true");
    clerk.browser.follow("Save the decision");
    assert!(clerk.judge("breach-wrong").contains("Say why"));
    clerk.browser.fill("#reason", "Locked within a minute, and erased.");
    clerk.browser.follow("Save the decision");
    let words = clerk.judge("case-erased");
    assert!(words.contains("CR/2026/117") && words.contains("need not be told"), "{words}");
    evidence(clerk, &case);
    clerk.open(&case);
    clerk.browser.follow("Close this case");
    clerk.judge("close");
    clerk.browser.fill("#outcome", "Stolen, and erased.");
    clerk.browser.follow("Close the case");
    assert!(clerk.judge("case-closed").contains("Stolen, and erased."));
}

/// The evidence of an erased phone, and the file that goes with the print.
fn evidence(clerk: &mut Visitor, case: &str) {
    clerk.browser.follow("Evidence of this loss");
    assert_eq!(clerk.place(), format!("{case}/evidence"));
    let words = clerk.judge("evidence");
    let prints = clerk.browser.evaluate("document.querySelector('[data-print]').getClientRects().length > 0");
    assert_eq!(prints.as_bool(), Some(clerk.screen.scripts), "only a script prints");
    for part in [
        "CR/2026/117",
        NASTY,
        "Order approved by a second person",
        "reported by the phone",
        "What was checked is whole",
    ] {
        assert!(words.contains(part), "{part:?} is not in {words}");
    }
    let file = "(() => { const get = new XMLHttpRequest(); \
                get.open('GET', document.querySelector('a[href*=\"evidence.json\"]').href, false); get.send(); \
                return get.status + ' ' + get.getResponseHeader('content-disposition') + ' ' + get.responseText; })()";
    let file = clerk.browser.evaluate(file).as_str().expect("a file").to_owned();
    let (head, text) = file.split_once(".json\" ").expect("a name and a text");
    assert!(head.starts_with("200 attachment; filename=\"loss-"), "{head}");
    let hash: String = openssl::sha::sha256(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(words.contains(&hash), "{hash} is not in {words}");

    // Between the page and the file something is written down.
    let link = clerk.browser.evaluate("document.querySelector('a[href*=\"evidence.json\"]').getAttribute('href')");
    clerk.open(&format!("{case}/notes"));
    clerk.browser.fill("#police_reference", "CR/2026/118");
    clerk.browser.follow("Save");
    assert_eq!(clerk.open(link.as_str().expect("a link")), 409);
    assert!(clerk.judge("evidence-has-changed").contains("has changed since"));
    clerk.browser.follow("Make the evidence anew");
    assert!(clerk.browser.words().contains("CR/2026/118"));
}

fn find_again(clerk: &mut Visitor, (invited, phone): &(Invited, PhoneHandle), handle: &Handle) {
    clerk.open("/console");
    clerk.report(&invited.tag, &invited.tag);
    clerk.wait_for("Locked in Lost Mode");
    clerk.judge("case-lost-mode");
    assert!(
        handle.block_on(phone.wait_until(PATIENCE, |state| state.lost_mode.is_some())).is_some(),
        "it is in Lost Mode"
    );
    clerk.browser.follow("The phone has been found");
    clerk.judge("found");
    clerk.browser.follow("It has been found");
    clerk.wait_for("back in use, as the phone itself reports");
    clerk.judge("case-back-in-use");
    clerk.browser.follow("Close this case");
    clerk.browser.fill("#outcome", "It was in the other coat.");
    clerk.browser.follow("Close the case");
    assert!(clerk.browser.words().contains("It was in the other coat."));
    assert!(handle.block_on(phone.wait_until(PATIENCE, |state| state.lost_mode.is_none())).is_some(), "it is open");
}
