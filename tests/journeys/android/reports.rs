//! What a phone reports against itself is shown and told: a PIN that does not do, a system that was tampered with.

use beadle_server::demo::{Town, text, until};
use beadle_simulator::android::phone::{AndroidOptions, AndroidPhone, Lock};
use beadle_tests::{PATIENCE, on_both};
use serde_json::{Value, json};

use super::{connected, nothing_is_wrong};

#[tokio::test(flavor = "multi_thread")]
async fn what_a_phone_reports_against_itself_is_shown_and_told() {
    on_both(async |town: &Town| {
        let council = connected(town, "germoe").await;
        let invited = town.invite_android(&council, "GPC-701", "Dora Dyer", "fully_managed").await.expect("invited");
        let options = AndroidOptions { rooted: true, ..AndroidOptions::company("tampered with") };
        let phone = AndroidPhone::new(AndroidOptions { screen_lock: Lock::simple_pin(4), ..options });
        let living = phone.live();
        town.enrol_android(&council, &invited, &phone).await.expect("enrols");
        let clerk = &council.clerk.api;
        let asset = until(clerk, &format!("/assets/{}", invited.asset), PATIENCE, |asset| {
            asset.pointer("/device/id").is_some_and(Value::is_string)
        })
        .await
        .expect("Beadle hears of it");
        let path = format!("/devices/{}", text(&asset, "/device/id").expect("an id"));
        let shown = until(clerk, &path, PATIENCE, |device| {
            device.pointer("/android/compliant") == Some(&json!(false))
                && device.pointer("/android/policy") == Some(&json!("applied"))
        })
        .await
        .expect("it reports");
        let android = &shown["android"];
        assert_eq!(android["applied_version"], android["policy_version"], "{android}");
        assert_eq!(android["compromised"], json!(true), "{android}");
        assert!(android["risks"].to_string().contains("tampered with"), "{android}");
        assert!(android["encryption"].is_string(), "{android}");
        assert!(android["patch_level"].is_string() && android["last_report"].is_string(), "{android}");
        let details = android["non_compliance"].as_array().expect("a list");
        assert!(details.iter().any(|detail| detail["field"].to_string().contains("passwordPolicies")), "{android}");
        assert!(details.iter().all(|detail| detail["told"].as_str().is_some_and(|told| !told.is_empty())));
        assert!(
            android.pointer("/locks/0/rules").and_then(Value::as_array).is_some_and(|it| !it.is_empty()),
            "{android}"
        );
        let settings = clerk.get(&format!("{path}/settings")).await.expect("settings");
        assert_eq!(settings.pointer("/summary/compromised"), Some(&json!(true)), "the same beside the settings");
        let alerts = format!("/councils/{}/alerts?limit=200", council.id);
        let open = clerk.get(&alerts).await.expect("alerts").to_string();
        assert!(open.contains("phone_compromised") && open.contains("policy_not_obeyed"), "{open}");
        assert!(phone.snapshot().wipes().is_empty(), "W5: nothing is wiped for it");
        phone.set_screen_lock(Lock::pin(8));
        until(clerk, &alerts, PATIENCE, |alerts| {
            let open = alerts["items"].as_array().into_iter().flatten();
            open.filter(|alert| alert["ended_at"].is_null()).all(|alert| alert["kind"] != "policy_not_obeyed")
        })
        .await
        .expect("the alert ends when the phone obeys");
        drop(living);
        nothing_is_wrong(town);
    })
    .await;
}
