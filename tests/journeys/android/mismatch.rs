//! A phone that comes under management in another way than its holder was invited to: told at once, never wiped until resolved.

use beadle_server::demo::{Council, Invited, Offer, Town, text, until};
use beadle_simulator::android::phone::{AndroidOptions, AndroidPhone};
use beadle_tests::{PATIENCE, on_both};
use serde_json::{Value, json};

use super::{connected, nothing_is_wrong, report};

async fn device_of(council: &Council, invited: &Invited) -> Value {
    let asset = until(&council.clerk.api, &format!("/assets/{}", invited.asset), PATIENCE, |asset| {
        asset.pointer("/device/id").is_some_and(Value::is_string)
    })
    .await
    .expect("Beadle hears of the phone");
    let device = text(&asset, "/device/id").expect("an id");
    council.clerk.api.get(&format!("/devices/{device}")).await.expect("a device")
}

/// How many open alerts there are about a mode.
async fn alerts(council: &Council) -> usize {
    let alerts = council.clerk.api.get(&format!("/councils/{}/alerts?limit=200", council.id)).await.expect("alerts");
    let items = alerts["items"].as_array().expect("a list");
    items.iter().filter(|alert| alert["kind"] == "mode_disagrees").count()
}

/// Reported lost it is locked, and its wipe is refused; gives the case.
async fn no_order_is_taken(
    town: &Town,
    council: &Council,
    invited: &Invited,
    phone: &AndroidPhone,
    why: &str,
) -> String {
    let device = device_of(council, invited).await;
    assert_eq!(device.pointer("/enrolment/mode_disagrees"), Some(&json!(true)), "{device}");
    assert_eq!(alerts(council).await, 1, "people are told, once");
    let before = phone.snapshot().policy.map(|policy| policy.name);
    let case = text(&report(council, invited).await, "/case/id").expect("a case");
    phone
        .wait_until(PATIENCE, |state| state.screen_locked || state.work_profile_locked)
        .await
        .expect("a lock is never held up");
    let order = json!({ "asset_tag": invited.tag, "reason": "Stolen." });
    let refusal = council.clerk.api.post(&format!("/losses/{case}/orders"), order).await.expect_err("no order");
    assert_eq!(refusal.status, 409, "{refusal}");
    assert!(refusal.detail.contains(why), "{refusal}");
    let now = phone.snapshot();
    assert!(now.commands("WIPE").is_empty() && now.work_data, "{:?}", now.events);
    assert_eq!(before, now.policy.map(|policy| policy.name), "it keeps the policy that it came with");
    nothing_is_wrong(town);
    case
}

/// Invited again in the mode that it really has, it is like any other phone.
async fn invited_again(council: &Council, invited: &Invited, mode: &str) -> Invited {
    let invitation = json!({ "asset": invited.asset, "mode": mode });
    let made = council.clerk.api.post(&format!("/councils/{}/invitations", council.id), invitation).await;
    Invited { link: text(&made.expect("invited again"), "/link").expect("a link"), ..invited.clone() }
}

async fn is_resolved(council: &Council, invited: &Invited, mode: &str, before: &Value) {
    until(&council.clerk.api, &format!("/assets/{}", invited.asset), PATIENCE, |asset| {
        asset.pointer("/device/id").is_some_and(|id| id.is_string() && *id != before["id"])
    })
    .await
    .expect("the item is what enrolled now");
    let device = device_of(council, invited).await;
    assert_eq!(device.pointer("/enrolment/mode"), Some(&json!(mode)), "{device}");
    assert_eq!(device.pointer("/enrolment/mode_disagrees"), Some(&json!(false)), "{device}");
    assert_eq!(alerts(council).await, 0, "the alert ends with what it was about");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_personal_phone_set_up_as_the_councils_is_not_wiped_until_resolved() {
    on_both(async |town: &Town| {
        let council = connected(town, "germoe").await;
        let mode = "personal_work_profile";
        let invited = town.invite_android(&council, "OWN-401", "Cllr Ed Edwards", mode).await.expect("invited");
        let phone = AndroidPhone::new(AndroidOptions::personal("Ed's own phone"));
        let living = phone.live();
        let Offer::Link(link) = town.android_offer(&council, &invited).await.expect("a link") else {
            panic!("a personal phone is given a link")
        };
        phone.reset();
        phone.enrol_at_set_up(&town.google, &link).expect("Google makes it company-owned");
        let device = device_of(&council, &invited).await;
        assert_eq!(device.pointer("/enrolment/mode"), Some(&json!("company_work_profile")), "what Google reports");
        assert_eq!(device.pointer("/enrolment/ownership"), Some(&json!("personal")), "a fact of the asset");
        let before = device_of(&council, &invited).await;
        let case = no_order_is_taken(town, &council, &invited, &phone, "this is a personal device").await;
        council.clerk.api.post(&format!("/losses/{case}/found"), json!({})).await.expect("found");

        let again = invited_again(&council, &invited, mode).await;
        phone.reset();
        phone.set_up_privately();
        let offer = town.android_offer(&council, &again).await.expect("a link");
        let Offer::Link(link) = offer else { panic!("a link") };
        phone.enrol_by_link(&town.google, &link).expect("enrols");
        is_resolved(&council, &again, mode, &before).await;
        drop(living);
        nothing_is_wrong(town);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_council_phone_with_a_personal_work_profile_is_not_wiped_until_resolved() {
    on_both(async |town: &Town| {
        let council = connected(town, "germoe").await;
        let mode = "company_work_profile";
        let invited = town.invite_android(&council, "GPC-402", "Dora Dyer", mode).await.expect("invited");
        let phone = AndroidPhone::new(AndroidOptions::personal("Dora's council phone, in use already"));
        let living = phone.live();
        let Offer::Code(code) = town.android_offer(&council, &invited).await.expect("a code") else {
            panic!("a council phone is given a code")
        };
        let link = AndroidPhone::link_of_code(&code).expect("a token");
        phone.enrol_by_link(&town.google, &link).expect("Google takes it for personal");
        let before = device_of(&council, &invited).await;
        let case = no_order_is_taken(town, &council, &invited, &phone, "another kind of management").await;
        council.clerk.api.post(&format!("/losses/{case}/found"), json!({})).await.expect("found");

        let again = invited_again(&council, &invited, mode).await;
        phone.reset();
        let Offer::Code(code) = town.android_offer(&council, &again).await.expect("a code") else { panic!("a code") };
        phone.enrol_by_qr(&town.google, &code).expect("enrols");
        is_resolved(&council, &again, mode, &before).await;
        drop(living);
        nothing_is_wrong(town);
    })
    .await;
}
