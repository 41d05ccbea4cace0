//! A supervised phone: what only its first days can give is fetched, and its set-up goes on only when everything is on it.

use beadle_server::demo::{Town, text, until};
use beadle_tests::{PATIENCE, on_both};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_supervised_phone_gives_its_bypass_code_and_is_let_go_on() {
    on_both(async |town: &Town| {
        let mut council = town.council("germoe", "Germoe Parish Council", "germoe").await.expect("a council");
        let mut options = town.phone_options("Ann's iPhone");
        options.supervised = true;
        options.awaiting_configuration = true;
        let code = options.bypass_code.clone();
        let invited = town.invite(&council, "GPC-001", "Ann Angove", &options).await.expect("invited");
        let phone = town.enrol(&invited, options).await.expect("enrols");
        let state = phone.wait_until(PATIENCE, |state| !state.awaiting_configuration).await.expect("set-up goes on");
        assert!(state.profiles.iter().any(|profile| profile.managed), "the policy came first");
        assert!(state.violations.is_empty(), "{:?}", state.violations);

        let device = text(&town.device(&council, &invited).await.expect("a device"), "/id").expect("id");
        let path = format!("/devices/{device}");
        let has_code = |shown: &Value| shown["has_bypass_code"] == json!(true);
        let shown = until(&council.clerk.api, &path, PATIENCE, has_code).await.expect("the code is kept");
        assert!(!shown.to_string().contains(&code), "shown only to who asks for it");
        let asked = format!("{path}/activation-lock-bypass-code");
        let answer = council.clerk.api.post(&asked, json!({})).await.expect("shown");
        assert_eq!(text(&answer, "/code").expect("a code"), code);
        let refused = council.chair.api.post(&asked, json!({})).await.expect_err("not the chair's business");
        assert_eq!(refused.status, 403);
        town.clock.advance(chrono::Duration::minutes(6));
        let refused = council.clerk.api.post(&asked, json!({})).await.expect_err("confirmed too long ago");
        assert_eq!(refused.status, 403);
        council.clerk.sign_in(&town.api).await.expect("signs in again");
        let trail = council.clerk.api.get(&format!("/councils/{}/audit", council.id)).await.expect("the trail");
        assert!(trail.to_string().contains("bypass code shown") && !trail.to_string().contains(&code), "{trail}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_supervised_long_ago_gives_no_code_and_the_clerk_is_told() {
    on_both(async |town: &Town| {
        let council = town.council("germoe", "Germoe Parish Council", "germoe").await.expect("a council");
        let mut options = town.phone_options("Ben's iPhone");
        options.supervised = true;
        options.supervised_for = std::time::Duration::from_secs(20 * 24 * 3600);
        let invited = town.invite(&council, "GPC-002", "Ben Bosanko", &options).await.expect("invited");
        let phone = town.enrol(&invited, options).await.expect("enrols");
        phone
            .wait_until(PATIENCE, |state| !state.commands_of("ActivationLockBypassCode").is_empty())
            .await
            .expect("asked");
        let path = format!("/councils/{}/alerts", council.id);
        let told = |alerts: &Value| alerts.to_string().contains("did not give the code");
        let alerts = until(&council.clerk.api, &path, PATIENCE, told).await.expect("told");
        assert!(alerts.to_string().contains("GPC-002"), "{alerts}");
    })
    .await;
}
