//! The worst of days between Beadle, Google and an Android phone.

use std::time::Duration;

use beadle_server::demo::{Town, text, until};
use beadle_simulator::android::cloud::{Fault, PubSubBehaviour, Times};
use beadle_tests::{PATIENCE, on_both, wait_for_hours};
use serde_json::{Value, json};

use super::{Enrolled, approved, connected, enrolled, nothing_is_wrong, order_becomes, report};

const ISSUE: &str = "enterprises.devices.issueCommand";
const LIST: &str = "enterprises.devices.list";

/// Waits while the town's time goes by ten times as fast: what the server puts off for ten seconds is tried after one.
async fn hurried<T>(town: &Town, wait: impl Future<Output = T>) -> T {
    tokio::pin!(wait);
    loop {
        tokio::select! {
            done = &mut wait => return done,
            () = tokio::time::sleep(Duration::from_millis(500)) => town.clock.advance(chrono::Duration::seconds(5)),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_can_be_taken_back_until_the_phone_has_it() {
    on_both(async |town: &Town| {
        let council = connected(town, "germoe").await;
        let found = enrolled(town, &council, "GPC-101", "fully_managed").await;
        let Enrolled { invited, phone, .. } = &found;
        phone.set_online(false);
        let case = text(&report(&council, invited).await, "/case/id").expect("a case");
        let order = approved(&council, invited, &case).await;
        order_becomes(&council, &order, "pushed").await;
        let asked = council.clerk.api.post(&format!("/orders/{order}/cancel"), json!({})).await.expect("asked");
        assert_ne!(asked["state"], "cancelled", "Google has not said so yet: {asked}");
        order_becomes(&council, &order, "cancelled").await;
        phone.set_online(true);
        phone
            .wait_until(PATIENCE, |state| state.lost_mode.is_some())
            .await
            .expect("the lock, which nobody took back, still arrives");
        let after = phone.snapshot();
        assert!(after.commands("WIPE").is_empty() && after.factory_resets == 0, "{:?}", after.events);
        nothing_is_wrong(town);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_word_from_google_about_two_commands_is_about_both() {
    on_both(async |town: &Town| {
        let council = connected(town, "germoe").await;
        let found = enrolled(town, &council, "GPC-151", "company_work_profile").await;
        let Enrolled { invited, phone, .. } = &found;
        phone.set_online(false);
        let case = text(&report(&council, invited).await, "/case/id").expect("a case");
        let order = approved(&council, invited, &case).await;
        order_becomes(&council, &order, "pushed").await;
        // Both ends are told of in one breath: Beadle reads the phone once.
        let delay = std::time::Duration::from_secs(4);
        town.google.set_pubsub_behaviour(PubSubBehaviour { delay, ..PubSubBehaviour::default() });
        phone.set_online(true);
        order_becomes(&council, &order, "confirmed").await;
        let commands = council.clerk.api.get(&format!("/devices/{}/commands", found.device)).await.expect("commands");
        assert!(commands["items"].as_array().is_some_and(|items| items.iter().all(|it| it["ended_at"].is_string())));
        assert_eq!(phone.snapshot().commands("WIPE").len(), 1);
        nothing_is_wrong(town);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_google_did_although_its_answer_was_lost_is_done_once() {
    on_both(async |town: &Town| {
        for (number, fault) in [Fault::ResetAfter, Fault::AnswerAfter(503)].into_iter().enumerate() {
            let council = connected(town, &format!("council-{number}")).await;
            let lost = enrolled(town, &council, &format!("GPC-20{number}"), "company_work_profile").await;
            let Enrolled { invited, phone, .. } = &lost;
            town.google.set_fault(ISSUE, fault, Times::Next(1));
            let case = text(&report(&council, invited).await, "/case/id").expect("a case");
            phone.wait_until(PATIENCE, |state| state.lost_mode.is_some()).await.expect("lost mode");
            let commands = format!("/devices/{}/commands", lost.device);
            hurried(
                town,
                until(&council.clerk.api, &commands, PATIENCE, |commands| {
                    commands.pointer("/items/0/state").and_then(Value::as_str) == Some("acknowledged")
                }),
            )
            .await
            .expect("Beadle finds out what became of it");
            assert_eq!(phone.snapshot().commands("START_LOST_MODE").len(), 1, "{fault:?}: once");

            town.google.set_fault(ISSUE, fault, Times::Next(1));
            let order = approved(&council, invited, &case).await;
            hurried(town, order_becomes(&council, &order, "confirmed")).await;
            let after = phone.snapshot();
            assert_eq!((after.commands("WIPE").len(), after.factory_resets), (1, 1), "{fault:?}: once");
        }
        nothing_is_wrong(town);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_holder_who_removes_the_work_profile_has_left_and_silence_alone_is_not_that() {
    on_both(async |town: &Town| {
        let mut council = connected(town, "germoe").await;
        let gone = enrolled(town, &council, "OWN-301", "personal_work_profile").await;
        let silent = enrolled(town, &council, "OWN-302", "personal_work_profile").await;
        silent.phone.set_online(false);
        let name = gone.phone.device().expect("enrolled");
        gone.phone.remove_work_profile();
        town.google.forget_device(&name);
        // Google tells nobody; the comparison by the clock finds out.
        wait_for_hours(town, &mut council, 7).await;
        until(&council.clerk.api, &format!("/devices/{}", gone.device), PATIENCE, |device| {
            device.pointer("/enrolment/state").and_then(Value::as_str) == Some("ended")
        })
        .await
        .expect("it has left management");
        let alerts = council.clerk.api.get(&format!("/councils/{}/alerts", council.id)).await.expect("alerts");
        assert!(alerts.to_string().contains("left_management"), "{alerts}");
        let other = council.clerk.api.get(&format!("/devices/{}", silent.device)).await.expect("the other");
        assert_eq!(other.pointer("/enrolment/state"), Some(&json!("enrolled")), "silence is only silence");
        nothing_is_wrong(town);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_councils_trouble_at_google_keeps_no_other_from_being_compared() {
    on_both(async |town: &Town| {
        connected(town, "germoe").await;
        connected(town, "coreley").await;
        town.google.clear_log();
        town.google.set_fault(LIST, Fault::Answer(403), Times::Always);
        town.clock.advance(chrono::Duration::hours(7));
        let enterprises = town.google.enterprises();
        assert_eq!(enterprises.len(), 2);
        let asked = async {
            loop {
                let asked: String = town.google.calls(LIST).into_iter().map(|call| call.path).collect();
                if enterprises.iter().all(|enterprise| asked.contains(enterprise.as_str())) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        tokio::time::timeout(PATIENCE, asked).await.expect("both are asked for their devices");
    })
    .await;
}
