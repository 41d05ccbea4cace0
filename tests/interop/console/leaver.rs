//! A councillor leaves: everything of his comes back step by step, the phone is erased by two people, and then he has left.
//! An operator comes and goes, too.

use beadle_server::demo::{Council, Invited, Town, text};
use beadle_simulator::apple::phone::PhoneHandle;
use beadle_tests::{PATIENCE, Place, databases};
use chrono::Duration;
use serde_json::json;
use tokio::runtime::Handle;

use super::{SCREENS, Screen, Visitor, enrolled, screens};
use crate::installed;

/// Names that try what they can: program text, and letters from right to left.
const NASTY: &str = "مجلس <script>alert(1)</script> Llanfairpwllgwyngyll";

#[tokio::test(flavor = "multi_thread")]
async fn somebody_leaves_and_everything_comes_back() {
    if !installed("chromium", &["--version"]) {
        return;
    }
    for place in databases() {
        leave(&place).await;
    }
}

struct Leaver {
    screen: Screen,
    phone: (Invited, PhoneHandle),
    dongle: String,
}

async fn leave(place: &Place) {
    let folder = tempfile::tempdir().expect("a folder");
    let town = Town::start(folder.path(), |config| config.database.url = place.url()).await.expect("a town");
    let council = town.council("germoe", "Germoe Parish Council", "germoe").await.expect("a council");
    let mut leavers = Vec::new();
    for (number, screen) in screens(place).into_iter().enumerate() {
        let (tag, holder) = (format!("GPC-03{number}"), format!("{NASTY} Quitter{number}"));
        let phone = enrolled(&town, &council, &tag, &holder, true).await;
        let shown = town.provider.api.get(&format!("/assets/{}", phone.0.asset)).await.expect("the item");
        let person = text(&shown, "/custody/0/person").expect("a holder");
        let dongle = format!("DONGLE-{number}");
        let body = json!({ "tag": dongle, "kind": "other", "make": "Huawei", "holders": [person] });
        town.provider.api.post(&format!("/councils/{}/assets", council.id), body).await.expect("a dongle");
        leavers.push(Leaver { screen, phone, dongle });
    }
    let profiles = (folder.path().join("clerk"), folder.path().join("chair"));
    let handle = Handle::current();
    let town = tokio::task::spawn_blocking(move || {
        let base = town.addresses[0].clone();
        let mut clerk = Visitor::new(&profiles.0, &base, SCREENS[0]);
        let mut chair = Visitor::new(&profiles.1, &base, SCREENS[0]);
        for (number, leaver) in leavers.iter().enumerate() {
            // Two approvals an hour are the most, and nobody stays signed in for so long.
            town.clock.advance(Duration::minutes(61));
            clerk.sit(leaver.screen);
            chair.sit(leaver.screen);
            clerk.open("/console");
            clerk.sign_in(&town, &council.clerk);
            come(&mut clerk, number);
            go(&town, &council, &mut clerk, &mut chair, leaver, &handle, number);
            operators(&mut clerk, number);
        }
        town
    })
    .await
    .expect("the journey ends well");
    town.server.expect("runs").stop().await.expect("stops");
}

fn choose(visitor: &mut Visitor, choice: &str) {
    visitor.browser.evaluate(&format!("document.getElementById('{choice}').checked = true"));
}

/// Somebody new, with what the register keeps of a person.
fn come(clerk: &mut Visitor, number: usize) {
    clerk.browser.follow("People");
    assert!(clerk.judge("people").contains("Quitter"));
    clerk.browser.follow("Add a person");
    clerk.judge("person-new");
    clerk.browser.fill("#email", "nobody");
    clerk.browser.follow("Add this person");
    assert!(clerk.judge("person-new-wrong").contains("Name must not be empty"));
    clerk.browser.fill("#name", &format!("{NASTY} Newcomer{number}"));
    clerk.browser.fill("#email", "new@germoe.example");
    clerk.browser.follow("Add this person");
    assert!(clerk.judge("person-without-anything").contains("Nothing."));
    clerk.browser.follow("Change which devices");
    clerk.judge("person-devices");
    choose(clerk, "rule-council");
    clerk.browser.follow("Save");
    assert!(clerk.browser.words().contains("Council devices only"));
    clerk.browser.follow("Change name or address");
    clerk.judge("person-change");
    clerk.browser.fill("#phone", "01736 123456");
    clerk.browser.follow("Save");
    assert!(clerk.browser.words().contains("01736 123456"));
    clerk.browser.follow("All people");
    clerk.browser.fill("#find", "nobody of this name");
    clerk.browser.follow("Find");
    assert!(clerk.judge("people-none").contains("Nobody was found"));
}

/// Somebody leaves, to the end.
fn go(
    town: &Town,
    council: &Council,
    clerk: &mut Visitor,
    chair: &mut Visitor,
    leaver: &Leaver,
    handle: &Handle,
    number: usize,
) {
    let (invited, phone) = &leaver.phone;
    clerk.browser.fill("#find", &format!("quitter{number}"));
    clerk.browser.follow("Find");
    assert!(clerk.judge("people-found").contains("One was found"));
    clerk.browser.follow(NASTY);
    let words = clerk.judge("person");
    assert!(words.contains(&invited.tag) && words.contains(&leaver.dongle), "{words}");
    let person = clerk.place();
    clerk.browser.follow("They are leaving");
    let list = clerk.place();
    let words = clerk.judge("leaving");
    for expected in ["Begin its return", "Take it back", "When everything above is back"] {
        assert!(words.contains(expected), "{expected}: {words}");
    }
    // Who tries to end it early is told what is missing.
    clerk.open(&format!("{person}/left"));
    clerk.judge("left");
    clerk.browser.follow("They have left");
    assert!(clerk.judge("left-too-early").contains("still holds"));
    clerk.browser.follow("Back to the checklist");

    clerk.browser.follow("Begin its return");
    assert!(clerk.judge("return-begin").contains("Nothing is erased yet"));
    clerk.browser.fill("#note", "He brings it on Friday.");
    clerk.browser.follow("Begin");
    assert_eq!(clerk.place(), list);
    assert!(clerk.judge("leaving-begun").contains("It has not been erased"));
    clerk.browser.follow("Look at its return");
    assert!(clerk.judge("return").contains("He brings it on Friday."));
    clerk.browser.follow("Ask for it to be erased");
    let words = clerk.judge("return-wipe");
    assert!(words.contains("cannot be undone") && words.contains("second person"), "{words}");
    clerk.browser.fill("#asset_tag", "GPC-999");
    clerk.browser.follow("Ask for it to be erased");
    assert!(clerk.judge("return-wipe-wrong").contains("There is a problem"));
    clerk.browser.fill("#asset_tag", &invited.tag);
    assert_eq!(clerk.browser.follow("Ask for it to be erased"), 200);
    let order = clerk.place();
    assert!(clerk.judge("return-order").contains("Back to its return"));
    clerk.open(&list);
    assert!(clerk.judge("leaving-ordered").contains("See how it stands"));

    chair.open(&order);
    chair.sign_in(town, &council.chair);
    assert_eq!(chair.browser.follow("Approve: erase"), 200);
    chair.wait_for("Confirmed by the phone: it erases itself");
    assert!(handle.block_on(phone.wait_until(PATIENCE, |state| state.wiped)).is_some(), "it is erased");

    clerk.open(&list);
    let words = clerk.judge("leaving-erased");
    assert!(words.contains("Confirmed by the phone") && !words.contains("Begin its return"), "{words}");
    clerk.browser.follow(&format!("Take it back\n: {}", invited.tag));
    assert!(clerk.judge("give-back").contains("in your hands"));
    clerk.browser.follow("It is back");
    assert!(clerk.browser.words().contains("Only its return is still open"));
    clerk.browser.follow("Close its return");
    clerk.judge("return-close");
    clerk.browser.follow("Close its return");
    assert!(clerk.judge("return-close-wrong").contains("Say how it ended"));
    clerk.browser.fill("#outcome", "Erased, and in the safe with its charger.");
    clerk.browser.follow("Close its return");
    assert_eq!(clerk.place(), list);
    clerk.browser.follow(&format!("Take it back\n: {}", leaver.dongle));
    clerk.browser.follow("It is back");
    assert!(clerk.judge("leaving-done").contains("Everything is back"));
    clerk.browser.follow("They have left");
    clerk.browser.follow("They have left");
    assert_eq!(clerk.place(), person);
    let words = clerk.judge("person-left");
    assert!(words.contains("Left on") && words.contains("Held before") && words.contains(&leaver.dongle), "{words}");
    clerk.browser.follow("All people");
    assert!(!clerk.browser.words().contains(&format!("Quitter{number}")));
    clerk.browser.follow("Show those who have left, too");
    assert!(clerk.judge("people-left-too").contains(&format!("Quitter{number}")));
}

/// An account is added, changed, reset and ended; the last one that can act stays.
fn operators(clerk: &mut Visitor, number: usize) {
    clerk.browser.follow("Who signs in to Beadle");
    clerk.judge("operators");
    clerk.browser.follow("Add somebody who signs in");
    clerk.judge("operator-new");
    clerk.browser.fill("#name", NASTY);
    clerk.browser.follow("Add this operator");
    assert!(clerk.judge("operator-new-wrong").contains("Choose a role"));
    clerk.browser.fill("#login", &format!("deputy{number}"));
    choose(clerk, "role-auditor");
    clerk.browser.follow("Add this operator");
    let words = clerk.judge("operator-initial-password");
    assert!(words.contains("shown only now"), "{words}");
    let password = clerk.browser.evaluate("document.getElementById('initial-password').innerText");
    assert_eq!(password.as_str().map(|words| words.split('-').count()), Some(3), "three words");
    clerk.browser.follow("I have handed it over");
    assert!(clerk.judge("operator").contains("Has not chosen a password yet"));
    let place = clerk.place();
    clerk.browser.follow("Change the role");
    clerk.judge("operator-role");
    choose(clerk, "role-clerk");
    clerk.browser.follow("Change the role");
    assert!(clerk.browser.words().contains("Clerk"));
    clerk.browser.follow("Change name, sign-in name");
    clerk.judge("operator-change");
    clerk.browser.fill("#login", "x");
    clerk.browser.follow("Save");
    assert!(clerk.judge("operator-change-wrong").contains("Sign-in name must have 3 to 64"));
    clerk.browser.follow("Back to this operator");
    clerk.browser.follow("Say whether they may approve");
    clerk.judge("operator-approver");
    choose(clerk, "approves-yes");
    clerk.browser.follow("Save");
    assert_eq!(clerk.place(), place);
    clerk.browser.follow("They cannot sign in");
    clerk.judge("operator-reset");
    clerk.browser.follow("Give them a new password");
    assert!(clerk.judge("operator-reset-wrong").contains("Choose one"));
    choose(clerk, "second_factor-keep");
    clerk.browser.follow("Give them a new password");
    assert!(clerk.browser.words().contains("shown only now"));
    clerk.browser.follow("I have handed it over");
    clerk.browser.follow("End this account");
    assert!(clerk.judge("operator-end").contains("signed out everywhere"));
    clerk.browser.follow("End this account");
    assert!(clerk.judge("operator-ended").contains("This account was ended"));
}
