//! Android phones at the command line: what the phone reports, and one that came in another mode than it was invited to.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use beadle_simulator::android::AndroidPhone;
use serde_json::{Value, json};

use super::end_to_end::beadle;
use crate::demo::{Council, Invited, Offer, Town, text, until};

const PATIENCE: Duration = Duration::from_secs(45);

/// The clerk signs in at this computer.
async fn sign_in(town: &Town, council: &Council, folder: &Path) {
    let clerk = &council.clerk;
    let code = clerk.code(1).expect("a code");
    let session = json!({ "login": clerk.login, "password": clerk.password, "totp": code });
    let token = text(&town.api.post("/sessions", session).await.expect("signed in"), "/token").expect("a token");
    let file = folder.join("data/session");
    std::fs::write(&file, token).expect("kept");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).expect("private");
}

async fn reports(council: &Council, invited: &Invited) {
    let asset = until(&council.clerk.api, &format!("/assets/{}", invited.asset), PATIENCE, |asset| {
        asset.pointer("/device/id").is_some_and(Value::is_string)
    })
    .await
    .expect("Beadle hears of it");
    let device = format!("/devices/{}", text(&asset, "/device/id").expect("an id"));
    until(&council.clerk.api, &device, PATIENCE, |device| {
        device.pointer("/android/applied_version").is_some_and(Value::is_i64)
    })
    .await
    .expect("it reports");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_android_phone_reports_is_shown_and_one_of_another_mode_is_not_wiped() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let mut town = Town::start(folder, |_| {}).await.expect("a town");
    let council = town.council("germoe", "Germoe Parish Council", "germoe").await.expect("a council");
    town.connect_google(&council).await.expect("connected");
    sign_in(&town, &council, folder).await;

    let own = town.invite_android(&council, "OWN-1", "Ed Edwards", "personal_work_profile").await.expect("invited");
    let phone = AndroidPhone::personal("own");
    let living = phone.live();
    town.enrol_android(&council, &own, &phone).await.expect("enrols");
    reports(&council, &own).await;
    let shown = beadle(folder, &["device", "show", "OWN-1"], &[]).await.done().text;
    for words in ["What the phone reports by way of Google:", "patch level", "encrypted", "Applied version", "lock"] {
        assert!(shown.to_lowercase().contains(&words.to_lowercase()), "{words}: {shown}");
    }
    let shown = beadle(folder, &["device", "show", "OWN-1", "--json"], &[]).await.json();
    assert!(shown.pointer("/android/locks/0/rules/0").is_some_and(Value::is_string), "{shown}");

    let work = town.invite_android(&council, "GPC-1", "Dora Dyer", "company_work_profile").await.expect("invited");
    let used = AndroidPhone::personal("in use already");
    let used_living = used.live();
    let Offer::Code(code) = town.android_offer(&council, &work).await.expect("a code") else { panic!("a code") };
    let link = AndroidPhone::link_of_code(&code).expect("a token");
    used.enrol_by_link(&town.google, &link).expect("enrols");
    reports(&council, &work).await;
    let shown = beadle(folder, &["device", "show", "GPC-1", "--json"], &[]).await.json();
    assert_eq!(shown.pointer("/enrolment/mode_disagrees"), Some(&Value::Bool(true)), "{shown}");
    let alerts = beadle(folder, &["alert", "list"], &[]).await.done().text;
    assert!(alerts.contains("invite it again in the mode it really has"), "{alerts}");
    let report = ["loss", "report", "--asset", "GPC-1", "--reporter", "Dora Dyer", "--place", "the train"];
    beadle(folder, &report, &[]).await.done();
    let order = ["order", "request", "--loss", "GPC-1", "--reason", "Stolen.", "--asset-tag", "GPC-1"];
    let refusal = beadle(folder, &order, &[]).await.refused();
    assert!(refusal.contains("another kind of management"), "{refusal}");
    assert_eq!(beadle(folder, &["order", "list"], &[]).await.done().text, "There are none.");
    assert!(used.snapshot().commands("WIPE").is_empty());
    assert_eq!(town.google.judgement().nothing_wrong(), Ok(()));
    drop((living, used_living));
    town.server.take().expect("runs").stop().await.expect("stops");
}
