//! A thing that nobody manages, from the register to the tip: added, handed over twice, taken back, disposed of.

use beadle_server::demo::{Council, Town};
use beadle_tests::{Place, databases};
use chrono::Duration;

use super::{SCREENS, Visitor, enrolled, screens};
use crate::installed;

/// Names that try what they can: program text, and letters from right to left.
const NASTY: &str = "مجلس <script>alert(1)</script> Llanfairpwllgwyngyll";

#[tokio::test(flavor = "multi_thread")]
async fn a_thing_on_the_register_from_its_first_day_to_its_last() {
    if !installed("chromium", &["--version"]) {
        return;
    }
    for place in databases() {
        keep(&place).await;
    }
}

async fn keep(place: &Place) {
    let folder = tempfile::tempdir().expect("a folder");
    let town = Town::start(folder.path(), |config| config.database.url = place.url()).await.expect("a town");
    let screens = screens(place);
    let council = town.council("germoe", "Germoe Parish Council", "germoe").await.expect("a council");
    let _phone = enrolled(&town, &council, "GPC-001", "Cllr Ann Angove", false).await;
    let profile = folder.path().join("clerk");
    let town = tokio::task::spawn_blocking(move || {
        let base = town.addresses[0].clone();
        let mut clerk = Visitor::new(&profile, &base, SCREENS[0]);
        for (number, screen) in screens.into_iter().enumerate() {
            clerk.sit(screen);
            town.clock.advance(Duration::minutes(61));
            one_thing(&town, &council, &mut clerk, number);
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

fn one_thing(town: &Town, council: &Council, clerk: &mut Visitor, number: usize) {
    clerk.open("/console");
    clerk.sign_in(town, &council.clerk);
    clerk.browser.follow("Equipment");
    assert!(clerk.judge("equipment").contains("GPC-001"));
    clerk.browser.follow("GPC-001");
    let words = clerk.judge("item-managed");
    assert!(words.contains("In use, under management") && words.contains("Cllr Ann Angove"), "{words}");
    clerk.browser.follow("What it reports");
    assert!(clerk.place().starts_with("/console/devices/"));
    clerk.browser.follow("Equipment");
    clerk.browser.follow("Add an item");
    clerk.judge("item-new");
    clerk.browser.follow("Add it to the register");
    assert!(clerk.judge("item-new-wrong").contains("Choose what it is"));
    choose(clerk, "kind-dongle");
    let tag = format!("<b>{number}</b> {NASTY}").chars().take(39).collect::<String>();
    clerk.browser.fill("#tag", &tag);
    clerk.browser.fill("#make", "Huawei");
    clerk.browser.follow("Add it to the register");
    let item = clerk.place();
    assert!(clerk.judge("item").contains("Nobody holds it. It is not under management"));
    clerk.browser.follow("Change what is written");
    clerk.judge("item-change");
    clerk.browser.fill("#imei", "12");
    clerk.browser.follow("Save");
    assert!(clerk.judge("item-change-wrong").contains("IMEI must have 15 digits"));
    clerk.browser.fill("#imei", "356938035643809");
    clerk.browser.follow("Save");
    assert!(clerk.browser.words().contains("356938035643809"));

    clerk.browser.follow("Write down a fault");
    clerk.judge("fault-new");
    clerk.browser.follow("Write it down");
    assert!(clerk.judge("fault-new-wrong").contains("The fault must have 1 to 1000 characters"));
    clerk.browser.fill("#what", &format!("{NASTY} does not light up"));
    clerk.browser.follow("Write it down");
    assert!(clerk.judge("item-with-fault").contains("does not light up"));
    clerk.browser.follow("Say how it ended");
    clerk.judge("fault");
    clerk.browser.fill("#outcome", "A new cable.");
    clerk.browser.follow("Save");
    assert!(clerk.browser.words().contains("A new cable."));

    hand_over(clerk, &item, &format!("{NASTY} Taker{number}"), number);
    clerk.browser.follow("Take it back");
    clerk.judge("take-back");
    clerk.browser.follow("It is back");
    let words = clerk.judge("item-back");
    assert!(words.contains("Who held it before") && words.contains(&format!("Taker{number}")), "{words}");
    clerk.browser.follow("Dispose of it");
    assert!(clerk.judge("dispose").contains("cannot be taken back"));
    clerk.browser.follow("It is disposed of");
    assert!(clerk.judge("item-disposed").contains("Disposed of on"));
    clerk.browser.follow("All equipment");
    clerk.browser.follow("Disposed of");
    assert!(clerk.judge("equipment-disposed").contains(&tag));
    clerk.browser.fill("#find", "nothing of this name");
    clerk.browser.follow("Find");
    assert!(clerk.judge("equipment-nothing").contains("Nothing was found"));
    clerk.browser.follow("Sign out");
}

fn hand_over(clerk: &mut Visitor, item: &str, taker: &str, number: usize) {
    clerk.browser.follow("Hand it to somebody");
    clerk.judge("hand-over");
    clerk.browser.fill("#find", "nobody of this name");
    clerk.browser.follow("Find");
    assert!(clerk.judge("hand-over-nobody").contains("Nobody was found"));
    clerk.browser.follow("Add somebody who is not on the register");
    clerk.browser.fill("#name", taker);
    clerk.browser.follow("Add this person");
    clerk.open(&format!("{item}/hand-over"));
    clerk.browser.fill("#find", &format!("taker{number}"));
    clerk.browser.follow("Find");
    assert!(clerk.judge("hand-over-found").contains("One was found"));
    clerk.browser.follow("Hand it to this person");
    clerk.judge("hand-over-to");
    clerk.browser.follow("Hand it over");
    assert!(clerk.browser.words().contains(taker));
    clerk.browser.follow("Hand it to somebody");
    clerk.browser.fill("#find", "angove");
    clerk.browser.follow("Find");
    clerk.browser.follow("Hand it to this person");
    assert!(clerk.judge("hand-over-shared").contains("keep it, too"));
    choose(clerk, "shared-yes");
    clerk.browser.follow("Hand it over");
    let words = clerk.judge("item-shared");
    assert!(words.contains("Angove") && words.contains(taker), "{words}");
}
