//! A holder without an account: the card, the report at night, and what the council can see.

use beadle_server::demo::Town;
use beadle_tests::{Place, databases};

use super::{SCREENS, Visitor, enrolled};
use crate::installed;

#[tokio::test(flavor = "multi_thread")]
async fn a_holder_reports_his_own_phone() {
    if !installed("chromium", &["--version"]) {
        return;
    }
    for place in databases() {
        cards(&place).await;
    }
}

async fn cards(place: &Place) {
    let folder = tempfile::tempdir().expect("a folder");
    let town = Town::start(folder.path(), |config| config.database.url = place.url()).await.expect("a town");
    let council = town.council("germoe", "Germoe Parish Council", "council-template").await.expect("a council");
    let nasty = "مجلس <script>alert(1)</script> Llanfairpwllgwyngyll";
    let (_, phone) = enrolled(&town, &council, "<i>GPC</i>-1", nasty, true).await;
    let profile = folder.path().join("browser");
    let town = tokio::task::spawn_blocking(move || {
        let base = town.addresses[0].clone();
        let mut visitor = Visitor::new(&profile, &base, SCREENS[0]);
        visitor.open("/console");
        visitor.sign_in(&town, &council.clerk);
        visitor.open("/console/councils/germoe/lost?find=gpc");
        let report = visitor.browser.evaluate("document.querySelector('a[href*=\"/assets/\"]').getAttribute('href')");
        let cards = report.as_str().expect("a link").replace("/lost", "/card");
        let mut code = String::new();
        for (screen, button) in
            SCREENS.into_iter().zip(["Make a card", "Make a new card", "Make a new card", "Make a new card"])
        {
            visitor.sit(screen);
            visitor.open(&cards);
            assert!(visitor.judge("cards").contains("<script>alert(1)</script>"));
            visitor.browser.follow(button);
            assert!(visitor.judge("card").contains("/lost"));
            let shown = visitor.browser.evaluate("document.querySelector('.secret').innerText");
            code = shown.as_str().expect("a code").to_owned();
        }
        visitor.open("/console");
        visitor.browser.follow("Sign out");
        for screen in SCREENS {
            visitor.sit(screen);
            night(&mut visitor, &code);
        }
        (town, phone)
    })
    .await
    .expect("the journey ends well")
    .0;
    town.server.expect("runs").stop().await.expect("stops");
}

fn night(visitor: &mut Visitor, code: &str) {
    visitor.open("/lost");
    visitor.judge("holder-code");
    visitor.browser.fill("#code", "7K2M-X4QP-9TRW");
    visitor.browser.follow("Continue");
    assert!(visitor.judge("holder-wrong").contains("not the code of a phone in use"));
    visitor.browser.fill("#code", &code.to_lowercase());
    visitor.browser.follow("Continue");
    let words = visitor.judge("holder-item");
    assert!(words.contains("<i>GPC</i>-1") && words.contains("Germoe Parish Council"), "{words}");
    visitor.browser.follow("Lock it now and report it lost");
    assert!(visitor.judge("holder-reported").contains("The lock was ordered"));
    visitor.open("/lost");
    visitor.browser.fill("#code", code);
    visitor.browser.follow("Continue");
    visitor.browser.follow("See what the council can see of it");
    let words = visitor.judge("holder-phone");
    assert!(words.contains("What the council can see") && words.to_lowercase().contains("loss reported"), "{words}");
}
