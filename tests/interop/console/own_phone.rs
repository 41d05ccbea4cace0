//! The clerk's own phone is the lost one: from a borrowed computer, by a recovery code, in a few clicks.

use beadle_server::demo::{Council, Town};
use beadle_tests::{Place, databases};
use serde_json::json;

use super::{SCREENS, Screen, Visitor, enrolled};
use crate::installed;

#[tokio::test(flavor = "multi_thread")]
async fn the_clerks_own_phone_is_the_lost_one() {
    if !installed("chromium", &["--version"]) {
        return;
    }
    // One visit each: afterwards the clerk's app is gone.
    for (place, screen) in databases().into_iter().zip([SCREENS[1], SCREENS[0]]) {
        lose(&place, screen).await;
    }
}

async fn lose(place: &Place, screen: Screen) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut town = Town::start(folder.path(), |config| config.database.url = place.url()).await.expect("a town");
    if let Some(first) = town.addresses.first_mut() {
        *first = first.replace("127.0.0.1", "localhost");
    }
    let council = town.council("germoe", "Germoe Parish Council", "council-template").await.expect("a council");
    let (_, phone) = enrolled(&town, &council, "GPC-9", "Carol Clerk", true).await;
    let profile = folder.path().join("browser");
    let town = tokio::task::spawn_blocking(move || {
        let base = town.addresses[0].clone();
        let mut visitor = Visitor::new(&profile, &base, screen);
        journey(&town, &council, &mut visitor);
        (town, phone)
    })
    .await
    .expect("the journey ends well")
    .0;
    town.server.expect("runs").stop().await.expect("stops");
}

fn journey(town: &Town, council: &Council, visitor: &mut Visitor) {
    visitor.open("/console");
    visitor.sign_in(town, &council.clerk);
    visitor.browser.follow("Your account");
    visitor.judge("account-with-own-phone");
    visitor.browser.follow("Make new recovery codes");
    if visitor.place() == "/console/confirm" {
        town.clock.advance(chrono::Duration::seconds(31));
        visitor.browser.fill("#password", &council.clerk.password);
        visitor.browser.fill("#totp", &council.clerk.code(0).expect("a code"));
        visitor.browser.follow("Confirm");
    }
    visitor.browser.follow("Make new recovery codes");
    let code = visitor.browser.evaluate("document.querySelector('.codes li').innerText");
    visitor.browser.follow("Sign out");

    visitor.browser.follow("I cannot get a code");
    visitor.judge("own-phone-recovery");
    visitor.browser.fill("#login", &council.clerk.login);
    visitor.browser.fill("#password", &council.clerk.password);
    visitor.browser.fill("#recovery_code", code.as_str().expect("a code"));
    visitor.browser.follow("Sign in");
    assert!(visitor.judge("own-phone").contains("GPC-9"));
    assert_eq!(
        visitor
            .browser
            .evaluate("document.querySelector('[name=asset]:checked').nextSibling.innerText.includes('GPC-9')"),
        json!(true)
    );
    visitor.browser.follow("Lock it and sign it out");
    assert!(visitor.judge("own-phone-done").contains("The phone was reported lost"));
    visitor.browser.follow("Go on with this loss");
    assert!(visitor.browser.words().contains("GPC-9: lost phone"));
    visitor.open("/console/account/second-factor");
    visitor.judge("own-phone-new-factor");
    visitor.browser.follow("Continue");
    assert!(visitor.browser.words().contains("type this secret"));
}
