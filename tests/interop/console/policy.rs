//! A policy read, changed one question at a time, brought to a phone that reports it, and gone back to.

use beadle_server::demo::{Council, Town, until};
use beadle_tests::{PATIENCE, Place, databases};
use serde_json::json;

use super::{SCREENS, Visitor, enrolled, screens};
use crate::installed;

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_is_changed_and_reported() {
    if !installed("chromium", &["--version"]) {
        return;
    }
    for place in databases() {
        policies(&place).await;
    }
}

async fn policies(place: &Place) {
    let folder = tempfile::tempdir().expect("a folder");
    let town = Town::start(folder.path(), |config| config.database.url = place.url()).await.expect("a town");
    let screens = screens(place);
    // One change and one step back at each screen, and one more; the first of all is the preset.
    let versions = 2 * screens.len() + 2;
    let council = town.council("germoe", "Germoe Parish Council", "germoe").await.expect("a council");
    let (_, phone) = enrolled(&town, &council, "GPC-<b>1</b>", "Cllr Wenna Pascoe", true).await;
    let profile = folder.path().join("browser");
    let (town, council) = tokio::task::spawn_blocking(move || {
        let base = town.addresses[0].clone();
        let mut clerk = Visitor::new(&profile, &base, SCREENS[0]);
        clerk.open("/console");
        clerk.sign_in(&town, &council.clerk);
        for (number, screen) in screens.into_iter().enumerate() {
            clerk.sit(screen);
            change(&council, &mut clerk, 9 + number);
        }
        clerk.open("/console/councils/germoe/policy/settings/passcode.minimum_length");
        // The phone's own PIN has six digits.
        clerk.browser.fill("#value", "5");
        clerk.browser.follow("Continue");
        clerk.browser.follow("Save the policy");
        (town, council)
    })
    .await
    .expect("the journey ends well");
    // What was saved last reaches the phone, which reports it.
    let version =
        council.clerk.api.get(&format!("/councils/{}/policy", council.id)).await.expect("a policy")["version"].clone();
    assert_eq!(version, json!(versions));
    let device = format!("/devices/{}", device(&council).await);
    until(&council.clerk.api, &format!("{device}/settings"), PATIENCE, |settings| {
        settings["reported_version"] == version
    })
    .await
    .expect("the phone reports the version");
    let settings = council.clerk.api.get(&format!("{device}/settings")).await.expect("settings");
    let all = settings["settings"].as_array().expect("a list");
    let length = all.iter().find(|one| one["setting"] == "passcode.minimum_length").expect("the length");
    assert_eq!(length["state"], json!("in_force"), "{settings}");
    assert_eq!(phone.snapshot().violations, Vec::<String>::new());
    town.server.expect("runs").stop().await.expect("stops");
}

/// From the first page to the saved change, and back again.
fn change(council: &Council, clerk: &mut Visitor, length: usize) {
    clerk.open(&format!("/console/councils/{}", council.slug));
    clerk.browser.follow("Policy");
    let words = clerk.judge("policy");
    for expected in ["Length of the PIN", "What the policy says", "of 6 kinds of phone do not do quite that"] {
        assert!(words.contains(expected), "{expected}: {words}");
    }
    clerk.browser.follow("Erase after wrong PINs");
    clerk.judge("policy-erase");
    clerk.browser.fill("#value", "99");
    clerk.browser.follow("Continue");
    assert!(clerk.judge("policy-erase-wrong").contains("There is a problem"));
    clerk.browser.fill("#value", "5");
    clerk.browser.evaluate("document.getElementById('acknowledged-false').checked = true");
    clerk.browser.follow("Continue");
    assert!(clerk.judge("policy-erase-refused").contains("There is a problem"));

    clerk.browser.follow("Policy");
    clerk.browser.follow("Length of the PIN");
    clerk.judge("policy-length");
    clerk.browser.fill("#value", &length.to_string());
    clerk.browser.follow("Continue");
    let words = clerk.judge("policy-check");
    for expected in ["Is this what should change?", "From now on", "Who is affected", "supervised"] {
        assert!(words.contains(expected), "{expected}: {words}");
    }
    clerk.browser.fill("#note", "The <b>council</b> agreed");
    assert_eq!(clerk.browser.follow("Save the policy"), 200);
    assert!(clerk.judge("policy-saved").contains(&format!("At least {length} characters")));

    clerk.browser.follow("Earlier versions, and going back");
    assert!(clerk.judge("policy-history").contains("The <b>council</b> agreed"));
    clerk.browser.follow("Go back to version 1");
    clerk.judge("policy-back");
    clerk.browser.follow("Save the policy");
    clerk.browser.follow("Start from a ready-made policy");
    clerk.judge("policy-presets");
    clerk.browser.click("a[href$='preset=coreley']");
    clerk.judge("policy-preset-check");
    clerk.browser.follow("Back, without saving");
}

/// The one device of the council.
async fn device(council: &Council) -> String {
    let devices = council.clerk.api.get(&format!("/councils/{}/devices", council.id)).await.expect("devices");
    devices["items"][0]["id"].as_str().expect("one device").to_owned()
}
