//! The first run, with only what the pages say: from the set-up code to the first phone under management.

use beadle_server::demo::{Fresh, Invited, Town};
use beadle_tests::{Place, databases};
use chrono::Duration;
use serde_json::json;
use tokio::runtime::Handle;

use super::{SCREENS, Screen, Visitor};
use crate::installed;

const PASSWORD: &str = "tin mine tide";

#[tokio::test(flavor = "multi_thread")]
async fn from_the_set_up_code_to_the_first_phone() {
    if !installed("chromium", &["--version"]) {
        return;
    }
    for screen in [SCREENS[0], SCREENS[1]] {
        // Each first run needs a database of its own.
        for place in databases() {
            first_run(&place, screen).await;
        }
    }
}

async fn first_run(place: &Place, screen: Screen) {
    let folder = tempfile::tempdir().expect("a folder");
    let fresh = Fresh::start(folder.path(), |config| config.database.url = place.url()).await.expect("a server");
    let profile = folder.path().join("browser");
    let handle = Handle::current();
    let (town, phone) = tokio::task::spawn_blocking(move || {
        let base = fresh.addresses[0].clone();
        let mut pat = Visitor::new(&profile, &base, screen);
        let secret = account(&fresh, &mut pat);
        let town = fresh.settled("pat", PASSWORD, &secret).expect("a town");
        council(&mut pat);
        apple(&town, &mut pat);
        second_person(&mut pat);
        let link = invite(&mut pat);
        let invited =
            Invited { asset: String::new(), tag: "GPC-001".to_owned(), holder: "Wenna Pascoe".to_owned(), link };
        let phone = handle.block_on(town.enrol(&invited, town.phone_options("first"))).expect("enrols");
        pat.open("/console/councils/germoe/set-up");
        assert!(pat.judge("set-up-with-a-phone").contains("Invite the first phone"));
        pat.browser.follow("Devices");
        assert!(pat.judge("first-phone").contains("GPC-001"));
        pat.browser.follow("Audit");
        assert!(pat.judge("audit").contains("Pat <b>Provider</b>"));
        pat.browser.fill("#tag", "no such tag");
        pat.browser.follow("Show these");
        assert!(pat.judge("audit-wrong").contains("No item of the register has this tag"));
        pat.browser.follow("Verify the trail");
        assert!(pat.judge("audit-verified").contains("The trail is whole"));
        pat.browser.follow("Settings");
        assert!(pat.judge("settings").contains("push certificate"));
        (town, phone)
    })
    .await
    .expect("the journey ends well");
    assert_eq!(phone.snapshot().violations, Vec::<String>::new());
    town.server.expect("runs").stop().await.expect("stops");
}

/// The first account, with its second factor; gives the secret of the app.
fn account(fresh: &Fresh, pat: &mut Visitor) -> String {
    pat.open("/console");
    assert!(pat.judge("set-up").contains("Make the first account"));
    pat.browser.fill("#code", "WRONG");
    pat.browser.fill("#name", "Pat <b>Provider</b>");
    pat.browser.fill("#login", "pat");
    pat.browser.fill("#new_password", PASSWORD);
    pat.browser.fill("#again", PASSWORD);
    pat.browser.follow("Make my account");
    assert!(pat.judge("set-up-wrong").contains("This is not the set-up code"));
    fresh.clock.advance(Duration::minutes(20));
    pat.browser.fill("#code", &fresh.code);
    pat.browser.fill("#new_password", PASSWORD);
    pat.browser.fill("#again", PASSWORD);
    assert_eq!(pat.browser.follow("Make my account"), 200);
    assert!(pat.judge("first-second-factor").contains("Continue"));
    pat.browser.follow("Continue");
    let secret = pat.browser.evaluate("document.querySelector('.secret').innerText.replaceAll(' ', '')");
    let secret = secret.as_str().expect("a secret").to_owned();
    pat.browser.fill("#code", &fresh.code_of(&secret).expect("a code"));
    pat.browser.follow("Continue");
    pat.browser.follow("I have kept them");
    assert!(pat.judge("councils-none").contains("There is no council yet"));
    secret
}

fn council(pat: &mut Visitor) {
    pat.browser.follow("Add a council");
    pat.judge("add-council");
    pat.browser.follow("Add the council");
    assert!(pat.judge("add-council-wrong").contains("There is a problem"));
    pat.browser.fill("#name", "Germoe Parish Council");
    pat.browser.fill("#slug", "germoe");
    pat.browser.evaluate("document.getElementById('preset-germoe').checked = true");
    assert_eq!(pat.browser.follow("Add the council"), 200);
    let words = pat.judge("getting-started");
    for expected in ["Connect to Apple", "Set the mail server", "Add a second person", "Not done yet"] {
        assert!(words.contains(expected), "{expected}: {words}");
    }
}

fn apple(town: &Town, pat: &mut Visitor) {
    pat.browser.follow("Connect to Apple");
    assert!(pat.judge("apple").contains("Make the request"));
    // What the browser would save as a file.
    pat.browser.become_wide(pat.screen.width, true);
    let request = pat.browser.evaluate(
        "(() => { const form = document.querySelector('form[action$=\"/apple/request\"]'); \
         return fetch(form.action, { method: 'POST', body: new URLSearchParams(new FormData(form)) }) \
         .then(answer => answer.text()); })()",
    );
    pat.sit(pat.screen);
    let signed = town.push.portal_sign(request.as_str().expect("a request"), None).expect("Apple takes it");
    pat.browser.follow("Take it into use");
    assert!(pat.judge("apple-wrong").contains("There is a problem"));
    pat.browser.fill("#certificate", &signed.certificate_pem);
    pat.browser.fill("#apple_account", "it@example.org");
    assert_eq!(pat.browser.follow("Take it into use"), 200);
    assert!(pat.judge("apple-connected").contains("The council is connected"));
    pat.browser.follow("Getting started");
    pat.browser.follow("Connect to Google");
    assert!(pat.judge("google-none").contains("not connected to a project"));
    pat.browser.follow("Connect this server to a project");
    assert!(pat.judge("google-confirm").contains("Confirm that it is you"));
    town.clock.advance(Duration::seconds(31));
    pat.browser.fill("#password", PASSWORD);
    pat.browser.fill("#totp", &town.provider.code(0).expect("a code"));
    assert_eq!(pat.browser.follow("Confirm"), 200);
    pat.judge("google-project");
    pat.browser.follow("Try it and keep it");
    assert!(pat.judge("google-project-wrong").contains("There is a problem"));
}

fn second_person(pat: &mut Visitor) {
    pat.open("/console/councils/germoe/set-up");
    pat.browser.follow("Add a second person");
    pat.browser.follow("Add somebody who signs in");
    pat.browser.fill("#name", "Charlie Chair");
    pat.browser.fill("#login", "charlie");
    pat.browser.evaluate("document.getElementById('role-approver').checked = true");
    assert_eq!(pat.browser.follow("Add this operator"), 200);
    assert!(pat.judge("second-person").contains("charlie"));
}

/// Three questions; gives the link.
fn invite(pat: &mut Visitor) -> String {
    pat.open("/console/councils/germoe/set-up");
    pat.browser.follow("Invite the first phone");
    pat.browser.fill("#tag", "GPC-001");
    pat.browser.evaluate("document.getElementById('kind-phone').checked = true");
    pat.browser.fill("#make", "Apple");
    pat.browser.fill("#model", "iPhone 15");
    pat.browser.follow("Continue");
    pat.browser.fill("#name", "Wenna Pascoe");
    pat.browser.follow("Continue");
    pat.browser.evaluate("document.getElementById('mode-device').checked = true");
    assert_eq!(pat.browser.follow("Make the invitation"), 200);
    let link = pat.browser.evaluate("document.getElementById('link').innerText");
    assert_ne!(link, json!(""));
    link.as_str().expect("a link").trim().to_owned()
}
