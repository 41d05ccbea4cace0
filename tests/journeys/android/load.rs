//! Hundreds of Android phones: a policy costs a call for each mode and posture, and the comparison one call for a hundred phones.

use beadle_server::demo::{Town, until};
use beadle_tests::android_fleet::{busiest_hundred_seconds, multiply};
use beadle_tests::{PATIENCE, on_both, wait_for_hours};
use serde_json::{Value, json};

use super::{connected, enrolled, nothing_is_wrong};

/// With the one that enrolls: three pages of the list.
const COPIES: usize = 299;

async fn reporting(town: &Town, council: &str, version: i64) -> usize {
    let database = &town.server.as_ref().expect("runs").app.database;
    let council = beadle_server::model::CouncilId::from(council);
    let rows = database.read("who reports", move |tx| {
        let mut count = 0;
        for row in beadle_server::store::android_enrolments::live_page(tx, &council, "", 1000)? {
            let enrolment = beadle_server::store::enrolments::find(tx, &council, &row.enrolment_id)?;
            count += usize::from(enrolment.is_some_and(|enrolment| enrolment.profile_version == Some(version)));
        }
        Ok(count)
    });
    rows.await.expect("read")
}

async fn all_report(town: &Town, council: &str, version: i64) {
    let started = std::time::Instant::now();
    loop {
        let so_far = reporting(town, council, version).await;
        if so_far == COPIES + 1 {
            return;
        }
        assert!(started.elapsed() < 3 * PATIENCE, "{so_far} report version {version}");
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_is_sent_once_for_three_hundred_phones_and_they_are_compared_in_three_calls() {
    on_both(async |town: &Town| {
        let mut council = connected(town, "germoe").await;
        let first = enrolled(town, &council, "GPC-601", "fully_managed").await;
        let database = &town.server.as_ref().expect("runs").app.database;
        multiply(database, &town.google, &council.id, COPIES).await;
        let calls = |name: &str| town.google.calls(name).len();
        let status = council.clerk.api.get(&format!("/councils/{}/policy", council.id)).await.expect("the policy");
        let before = status["version"].as_i64().expect("a number");
        let (patched, read) = (calls("enterprises.policies.patch"), calls("enterprises.devices.get"));
        let change = json!({ "set": { "passcode.minimum_length": 9 } });
        let path = format!("/councils/{}/policy", council.id);
        council.clerk.api.patch(&path, change).await.expect("a new policy");
        until(&council.clerk.api, &format!("/devices/{}/settings", first.device), PATIENCE, |settings| {
            settings["reported_version"].as_i64() == Some(before + 1)
        })
        .await
        .expect("the phone that lives reports the new policy");
        assert_eq!(calls("enterprises.policies.patch") - patched, 2, "one for everyday use and one for lost phones");
        let hinted = calls("enterprises.devices.get") - read;
        assert!(hinted < 10, "{hinted} devices were read: only those that told something");

        town.google.everyone_applies(&town.google.enterprises()[0], 0);
        let (listed, read) = (calls("enterprises.devices.list"), calls("enterprises.devices.get"));
        wait_for_hours(town, &mut council, 7).await;
        all_report(town, &council.id, before + 1).await;
        assert_eq!(calls("enterprises.devices.list") - listed, 3, "a hundred phones cost one call");
        let read = calls("enterprises.devices.get") - read;
        assert!(read < 10, "{read} devices were read one by one");
        assert_eq!(calls("enterprises.policies.patch") - patched, 2, "nothing is sent again");
        assert_eq!(busiest_hundred_seconds(&town.google, 0).refused, 0);
        let alerts =
            council.clerk.api.get(&format!("/councils/{}/alerts?limit=200", council.id)).await.expect("alerts");
        assert!(!alerts.to_string().contains("left_management"), "{alerts}");
        let shown = council.clerk.api.get(&format!("/devices/{}", first.device)).await.expect("a device");
        assert_eq!(shown.pointer("/android/policy"), Some(&Value::from("applied")), "{shown}");
        nothing_is_wrong(town);
    })
    .await;
}
