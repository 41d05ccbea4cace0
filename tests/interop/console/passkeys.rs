//! A passkey in a real browser: made, used to sign in and to confirm, and removed; and what is there without scripts.

use beadle_server::demo::{Council, Town};
use beadle_tests::{Place, databases};

use super::{SCREENS, Screen, Visitor};
use crate::installed;

#[tokio::test(flavor = "multi_thread")]
async fn a_passkey_from_first_to_last() {
    if !installed("chromium", &["--version"]) {
        return;
    }
    for place in databases() {
        passkeys(&place).await;
    }
}

async fn passkeys(place: &Place) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut town = Town::start(folder.path(), |config| config.database.url = place.url()).await.expect("a town");
    // Passkeys need an address that is a name.
    if let Some(first) = town.addresses.first_mut() {
        *first = first.replace("127.0.0.1", "localhost");
    }
    let council = town.council("germoe", "Germoe Parish Council", "council-template").await.expect("a council");
    let profile = folder.path().join("browser");
    let town = tokio::task::spawn_blocking(move || {
        let base = town.addresses[0].clone();
        for (number, screen) in SCREENS.into_iter().enumerate() {
            let mut visitor = Visitor::new(&profile.join(number.to_string()), &base, screen);
            visitor.open("/console/account");
            visitor.judge("passkey-sign-in");
            visitor.sign_in(&town, &council.clerk);
            if screen.scripts {
                with_scripts(&town, &council, &mut visitor);
            } else {
                without_scripts(&mut visitor, screen);
            }
        }
        town
    })
    .await
    .expect("the journey ends well");
    town.server.expect("runs").stop().await.expect("stops");
}

fn without_scripts(visitor: &mut Visitor, _: Screen) {
    visitor.browser.follow("See and change your passkeys");
    assert!(visitor.judge("passkeys-none").contains("You have no passkey"));
    visitor.browser.follow("Add a passkey");
    let words = visitor.judge("passkey-add-without");
    assert!(words.contains("does not run the scripts") && !words.contains("Make a passkey"), "{words}");
}

fn with_scripts(town: &Town, council: &Council, visitor: &mut Visitor) {
    let holder = visitor.browser.hold_passkeys();
    visitor.browser.follow("See and change your passkeys");
    visitor.browser.follow("Add a passkey");
    assert!(!visitor.judge("passkey-add").contains("makes no passkeys"));
    // The wrong finger: nothing is made, and the page says so.
    visitor.browser.set_finger(&holder, false);
    visitor.browser.press("Make a passkey");
    visitor.browser.wait_for_words("That did not work");
    visitor.judge("passkey-cancelled");
    visitor.browser.set_finger(&holder, true);
    visitor.browser.fill("#name", "<b>work</b> laptop \u{202e}evil");
    visitor.browser.follow("Make a passkey");
    assert!(visitor.judge("passkeys").contains("<b>work</b> laptop"));
    assert!(visitor.browser.passkeys(&holder) >= 1);

    visitor.browser.follow("Sign out");
    assert!(visitor.judge("passkey-sign-in-again").contains("Use your passkey"));
    visitor.browser.set_finger(&holder, false);
    visitor.browser.press("Use your passkey");
    visitor.browser.wait_for_words("That did not work");
    visitor.browser.set_finger(&holder, true);
    visitor.browser.follow("Use your passkey");
    assert!(visitor.browser.words().contains(&council.clerk.login) || visitor.place().starts_with("/console/councils"));

    town.clock.advance(chrono::Duration::minutes(6));
    visitor.open("/console/account/recovery-codes");
    assert!(visitor.judge("passkey-confirm").contains("Use your passkey"));
    visitor.browser.follow("Use your passkey");
    assert!(visitor.browser.words().contains("New recovery codes"), "{}", visitor.browser.words());

    visitor.open("/console/account/passkeys");
    visitor.browser.follow("Change or remove");
    visitor.judge("passkey-one");
    visitor.browser.follow("Remove this passkey");
    assert!(visitor.judge("passkey-remove").contains("Remove this passkey?"));
    visitor.browser.follow("Remove this passkey");
    assert!(visitor.browser.words().contains("You have no passkey"));
    visitor.browser.follow("Sign out");
    visitor.browser.follow("Use your passkey");
    assert!(visitor.judge("passkey-removed").contains("That passkey was not accepted"), "{}", visitor.browser.words());
}
