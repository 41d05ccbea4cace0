//! A phone invited, enrolled, looked at and opened again for its forgetful holder, through the pages alone.

use beadle_server::demo::{Council, Invited, Town};
use beadle_simulator::apple::phone::PhoneHandle;
use beadle_tests::{PATIENCE, Place, databases};
use chrono::Duration;
use serde_json::json;
use tokio::runtime::Handle;

use super::{SCREENS, Screen, Visitor, screens};
use crate::installed;

/// Names that try what they can: program text, and letters from right to left.
const HOLDER: &str = "مجلس <script>alert(1)</script> Llanfairpwllgwyngyll";

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_invited_enrolled_and_opened_again() {
    if !installed("chromium", &["--version"]) {
        return;
    }
    for place in databases() {
        invite_phones(&place).await;
    }
}

async fn invite_phones(place: &Place) {
    let folder = tempfile::tempdir().expect("a folder");
    let town = Town::start(folder.path(), |config| config.database.url = place.url()).await.expect("a town");
    let screens = screens(place);
    let council = town.council("germoe", "Germoe Parish Council", "germoe").await.expect("a council");
    let profile = folder.path().join("clerk");
    let handle = Handle::current();
    let town = tokio::task::spawn_blocking(move || {
        let base = town.addresses[0].clone();
        let mut clerk = Visitor::new(&profile, &base, SCREENS[0]);
        let mut phones = Vec::new();
        for (number, screen) in screens.into_iter().enumerate() {
            clerk.sit(screen);
            if number > 0 {
                clerk.open("/console");
                clerk.browser.follow("Sign out");
            }
            town.clock.advance(Duration::minutes(6));
            phones.push(one_phone(&town, &council, &mut clerk, number, screen, &handle));
        }
        town
    })
    .await
    .expect("the journey ends well");
    town.server.expect("runs").stop().await.expect("stops");
}

fn one_phone(
    town: &Town,
    council: &Council,
    clerk: &mut Visitor,
    number: usize,
    screen: Screen,
    handle: &Handle,
) -> PhoneHandle {
    clerk.open("/console/sign-in");
    clerk.sign_in(town, &council.clerk);
    clerk.browser.follow("Devices");
    let words = clerk.judge("devices");
    assert_eq!(words.contains("No phone or tablet has enrolled yet"), number == 0, "{words}");
    let (tag, holder) = (format!("GPC-<b>{number}</b>"), format!("{HOLDER}{number}"));
    let link = invite(clerk, &tag, &holder);
    clerk.open("/console/councils/germoe/invitations");
    assert!(clerk.judge("invitations").contains("has not accepted the notice yet"));

    let invited = Invited { asset: String::new(), tag: tag.clone(), holder, link };
    let phone = handle.block_on(town.enrol(&invited, town.phone_options(&format!("phone{number}")))).expect("enrols");
    clerk.browser.follow("All devices");
    clerk.browser.fill("#find", "llanfair");
    clerk.browser.follow("Find");
    assert!(clerk.judge("devices-found").contains(&tag));
    clerk.browser.follow(&tag);
    look(clerk, "In force since");
    let words = clerk.judge("device");
    for expected in ["The policy says", "The council cannot see", "under management", "not supervised"] {
        assert!(words.contains(expected), "{expected}: {words}");
    }
    clear_pin(town, council, clerk, screen);
    let cleared = handle.block_on(phone.wait_until(PATIENCE, |state| !state.commands_of("ClearPasscode").is_empty()));
    assert!(cleared.is_some(), "the phone was told to clear its PIN");
    look(clerk, "the phone confirmed that the PIN is cleared");
    clerk.judge("device-pin-cleared");
    lose(clerk);
    phone
}

/// Three questions, and the link at their end; another invitation is made and withdrawn before.
fn invite(clerk: &mut Visitor, tag: &str, holder: &str) -> String {
    clerk.browser.follow("Invite a phone or tablet");
    clerk.judge("invite-item");
    clerk.browser.follow("Find");
    assert!(clerk.judge("invite-item-search-empty").contains("Enter a name, a tag or a serial number"));
    clerk.browser.follow("Continue");
    assert!(clerk.judge("invite-item-wrong").contains("Enter the tag"));
    clerk.browser.fill("#tag", tag);
    clerk.browser.evaluate("document.getElementById('kind-phone').checked = true");
    clerk.browser.fill("#make", "Apple");
    clerk.browser.fill("#model", "iPhone 15");
    clerk.browser.follow("Continue");
    assert!(clerk.judge("invite-holder").contains("Who holds it?"));
    clerk.browser.fill("#find", "nobody of this name");
    clerk.browser.follow("Find");
    assert!(clerk.judge("invite-holder-nobody").contains("Nothing was found"));
    clerk.browser.follow("Continue");
    assert!(clerk.judge("invite-holder-wrong").contains("Enter the name, or choose somebody"));
    clerk.browser.fill("#name", holder);
    clerk.browser.follow("Continue");
    assert!(clerk.judge("invite-phone").contains("Whose phone is it?"));
    clerk.browser.follow("Make the invitation");
    assert!(clerk.judge("invite-phone-wrong").contains("Choose one"));
    clerk.browser.evaluate("document.getElementById('mode-user').checked = true");
    clerk.browser.follow("Make the invitation");
    assert!(clerk.judge("invite-phone-refused").contains("would give the council too much"));
    clerk.browser.evaluate("document.getElementById('mode-device').checked = true");
    assert_eq!(clerk.browser.follow("Make the invitation"), 200);
    assert!(clerk.judge("invited").contains("shown only on this page"));
    clerk.browser.follow("Withdraw this invitation");
    assert!(clerk.judge("withdraw").contains("stops working at once"));
    clerk.browser.follow("Withdraw the invitation");
    assert!(clerk.judge("invitations-none").contains("No invitation is open"));

    // The item is on the register now, and its holder too: once more, by choosing.
    clerk.browser.follow("Invite a phone or tablet");
    clerk.browser.fill("#find", tag);
    clerk.browser.follow("Find");
    clerk.judge("invite-item-found");
    clerk.browser.follow("Invite for this one");
    assert!(clerk.judge("invite-holder-known").contains("Holds"));
    clerk.browser.follow("Invite this person");
    clerk.browser.evaluate("document.getElementById('mode-device').checked = true");
    clerk.browser.follow("Make the invitation");
    let link = clerk.browser.evaluate("document.getElementById('link').innerText");
    let made = clerk.place();
    clerk.browser.follow("holder\u{2019}s card");
    assert!(clerk.judge("cards-none").contains("No card yet"));
    clerk.browser.follow("Make a card");
    assert!(clerk.judge("card").contains(tag));
    assert_eq!(made, "/console/councils/germoe/invite");
    link.as_str().expect("a link").trim().to_owned()
}

/// Looks at the page again and again until it says so.
fn look(clerk: &mut Visitor, words: &str) {
    let started = std::time::Instant::now();
    while !clerk.browser.words().contains(words) {
        assert!(started.elapsed() < PATIENCE, "{words:?} does not come: {}", clerk.browser.words());
        std::thread::sleep(std::time::Duration::from_millis(300));
        assert_eq!(clerk.browser.follow("Show how it stands now"), 200);
    }
}

fn clear_pin(town: &Town, council: &Council, clerk: &mut Visitor, screen: Screen) {
    let page = clerk.place();
    // More than five minutes after signing in, one shows once more who one is.
    town.clock.advance(Duration::minutes(6));
    clerk.browser.follow("Clear a forgotten PIN");
    assert!(clerk.judge("confirm-before-clearing").contains("Confirm that it is you"), "{}", screen.width);
    clerk.browser.fill("#password", &council.clerk.password);
    clerk.browser.fill("#totp", &council.clerk.code(0).expect("a code"));
    assert_eq!(clerk.browser.follow("Confirm"), 200);
    assert_eq!(clerk.place(), format!("{page}/clear-pin"));
    assert!(clerk.judge("clear-pin").contains("How did you recognise the caller?"));
    clerk.browser.follow("Clear the PIN");
    assert!(clerk.judge("clear-pin-wrong").contains("Say how you recognised the caller"));
    clerk.browser.fill("#recognised_by", "Came to the office in person.");
    clerk.browser.follow("Clear the PIN");
    assert_eq!(clerk.place(), page);
    assert!(clerk.browser.words().contains("Clearing of the PIN, asked for on"));
}

/// Lost, its PIN is not cleared: the page refuses in words, also where nobody is led to it.
fn lose(clerk: &mut Visitor) {
    let page = clerk.place();
    clerk.browser.follow("Report it lost");
    clerk.browser.follow("Lock it now and report it lost");
    clerk.open(&page);
    let words = clerk.judge("device-lost");
    assert!(words.contains("reported lost") && !words.contains("Clear a forgotten PIN"), "{words}");
    clerk.open(&format!("{page}/clear-pin"));
    assert!(clerk.judge("clear-pin-refused").contains("reported lost and has not said since"));
    assert_eq!(clerk.browser.evaluate("document.querySelectorAll('main form').length"), json!(0));
}
