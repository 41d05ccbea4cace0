//! The first day of a clerk: the initial password, the second factor, and a council in which nothing is as it should be.

use beadle_server::demo::{Town, text};
use beadle_tests::{Place, databases};
use serde_json::json;

use super::{SCREENS, Visitor};
use crate::installed;

#[tokio::test(flavor = "multi_thread")]
async fn the_first_day_of_a_clerk() {
    if !installed("chromium", &["--version"]) {
        return;
    }
    for place in databases() {
        begin(&place).await;
    }
}

async fn begin(place: &Place) {
    let folder = tempfile::tempdir().expect("a folder");
    let town = Town::start(folder.path(), |config| config.database.url = place.url()).await.expect("a town");
    let long = "The Parish Council of Saint Mary near Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch";
    let council = town.council("long", long, "council-template").await.expect("a council");
    let (tag, holder) = ("<i>LLANFAIRPWLLGWYNGYLLGOGERY</i>-1", "مجلس <script>alert(1)</script> Llanfairpwllgwyngyll");
    town.invite(&council, tag, holder, &town.phone_options("unmanaged")).await.expect("an item");
    let mut people = Vec::new();
    for (number, screen) in SCREENS.into_iter().enumerate() {
        let path = format!("/councils/{}/operators", council.id);
        let body = json!({ "login": format!("deputy{number}"), "name": "Dilys Deputy-Clerk", "role": "clerk" });
        let made = town.provider.api.post(&path, body).await.expect("an operator");
        people.push((screen, format!("deputy{number}"), text(&made, "/initial_password").expect("a password")));
    }
    let profile = folder.path().join("browser");
    let town = tokio::task::spawn_blocking(move || {
        let base = town.addresses[0].clone();
        let mut visitor = Visitor::new(&profile, &base, SCREENS[0]);
        for (screen, login, initial) in &people {
            visitor.sit(*screen);
            first_day(&town, &mut visitor, login, initial);
            visitor.open("/console");
            visitor.browser.follow("Sign out");
            visitor.judge("signed-out");
        }
        visitor.sit(SCREENS[1]);
        visitor.open("/console/sign-in");
        visitor.sign_in(&town, &town.provider);
        assert!(visitor.judge("councils").contains(long));
        visitor.browser.follow("The Parish Council of Saint Mary");
        assert!(visitor.judge("home-of-the-provider").contains("acting for this council"));
        town
    })
    .await
    .expect("the journey ends well");
    town.server.expect("runs").stop().await.expect("stops");
}

fn first_day(town: &Town, visitor: &mut Visitor, login: &str, initial: &str) {
    visitor.open("/console");
    assert!(visitor.judge("sign-in").contains("Sign in"));
    visitor.browser.follow("Sign in");
    assert!(visitor.judge("sign-in-wrong").contains("There is a problem"));
    visitor.browser.fill("#login", login);
    visitor.browser.fill("#password", initial);
    visitor.browser.follow("Sign in");
    assert!(visitor.judge("password").contains("for the first time only"));
    let password = format!("tin mine tide {}", initial.len());
    visitor.browser.fill("#current", initial);
    visitor.browser.fill("#new", "short");
    visitor.browser.fill("#again", "short");
    visitor.browser.follow("Change password");
    assert!(visitor.judge("password-wrong").contains("at least 12 characters"));
    visitor.browser.fill("#current", initial);
    visitor.browser.fill("#new", &password);
    visitor.browser.fill("#again", &password);
    visitor.browser.follow("Change password");
    visitor.judge("second-factor");
    visitor.browser.follow("Continue");
    assert!(visitor.judge("second-factor-code").contains("type this secret"));
    let secret = visitor.browser.evaluate("document.querySelector('.secret').innerText.replaceAll(' ', '')");
    let mut person = town.provider.clone();
    person.login = login.to_owned();
    person.password = password;
    person.secret = secret.as_str().expect("a secret").to_owned();
    visitor.browser.fill("#code", "000000");
    visitor.browser.follow("Continue");
    assert!(visitor.judge("second-factor-wrong").contains("not the code"));
    visitor.browser.fill("#code", &person.code(0).expect("a code"));
    visitor.browser.follow("Continue");
    assert!(visitor.judge("recovery-codes").contains("shown only now"));
    visitor.browser.follow("I have kept them");
    assert!(visitor.judge("home-without-anything").contains("Report a lost phone"));
    visitor.browser.follow("Your account");
    assert!(visitor.judge("account").contains("10 are left"));
    visitor.browser.follow("Make new recovery codes");
    assert!(visitor.judge("confirm").contains("Show your password and a code once more"));
    visitor.browser.follow("I cannot get a code");
    visitor.judge("confirm-with-recovery-code");

    visitor.open("/console");
    visitor.browser.follow("Report a lost phone");
    visitor.browser.follow("Find");
    assert!(visitor.judge("find-without-anything").contains("Enter a name, a tag or a number"));
    visitor.browser.fill("#find", "nobody of this name");
    visitor.browser.follow("Find");
    assert!(visitor.judge("find-nothing").contains("Nothing was found"));
    visitor.browser.fill("#find", "llanfair");
    visitor.browser.follow("Find");
    assert!(visitor.judge("find-nasty").contains("<script>alert(1)</script>"), "shown as it is written");
    let reported = visitor.browser.words().contains("reported lost before");
    visitor.browser.follow(if reported { "Go on with that loss" } else { "This one is lost" });
    if !reported {
        assert!(visitor.judge("report-unmanaged").contains("cannot be locked from here"));
        visitor.browser.fill("#circumstances", &"Left on the bus, as far as anybody remembers. ".repeat(30));
        visitor.browser.follow("Report it lost");
    }
    assert!(visitor.judge("case-unmanaged").contains("not managed by Beadle"));
    visitor.open("/console/approvals");
    assert!(visitor.judge("not-found").contains("Page not found"));
    visitor.open("/console");
    visitor.judge("home-with-a-loss");
    visitor.browser.follow("Approvals");
    visitor.judge("approvals-none");
}
