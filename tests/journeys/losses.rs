//! Lost phones on the worst of days: switched off, out of time, enrolled anew, silent, and with Apple not answering.

use std::time::Duration;

use beadle_server::demo::{Town, text};
use beadle_simulator::apple::push_service::{Fault, Times};
use beadle_tests::{PATIENCE, on_both, wait_for_hours};
use serde_json::json;

use crate::steps::{approved, enrolled, order_becomes, report, state_of, switch_off};

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_that_is_off_gets_what_waits_for_it() {
    on_both(async |town: &Town| {
        let mut council = town.council("germoe", "Germoe Parish Council", "germoe").await.expect("a council");
        let (off, phone) = enrolled(town, &council, "GPC-001", |_| {}).await;
        let (found, other) = enrolled(town, &council, "GPC-002", |_| {}).await;
        switch_off(&phone).await;
        switch_off(&other).await;

        // Friday night: both are reported, both are ordered to be erased, neither can be reached.
        let case = report(&council, &off).await;
        let other_case = report(&council, &found).await;
        let device = text(&town.device(&council, &off).await.expect("a device"), "/id").expect("id");
        let commands = council.clerk.api.get(&format!("/devices/{device}/commands")).await.expect("commands");
        let lock = commands.pointer("/items/0").expect("a command");
        assert_eq!((lock["kind"].as_str(), lock["state"].as_str()), (Some("device_lock"), Some("queued")), "{lock}");
        let order = approved(&council, &off, &case).await;
        let cancelled = approved(&council, &found, &other_case).await;
        let taken_back = council.clerk.api.post(&format!("/orders/{cancelled}/cancel"), json!({})).await;
        assert_eq!(state_of(&taken_back.expect("cancelled")), "cancelled");

        // Monday morning: still nothing but waiting.
        wait_for_hours(town, &mut council, 60).await;
        let waiting = council.clerk.api.get(&format!("/orders/{order}")).await.expect("the order");
        assert!(["approved", "pushed"].contains(&state_of(&waiting)), "{waiting}");
        assert!(!phone.snapshot().locked && !phone.snapshot().wiped, "a phone that is off does nothing");

        phone.set_online(true).await.expect("on");
        phone.wait_until(PATIENCE, |state| state.wiped).await.expect("erases itself");
        order_becomes(&council, &order, "confirmed").await;
        other.set_online(true).await.expect("on");
        let state = other.wait_until(PATIENCE, |state| state.locked).await.expect("locks");
        other.poll_now().await.expect("visits once more");
        assert!(!state.wiped && other.snapshot().commands_of("EraseDevice").is_empty(), "a cancelled order erased");
        let cancelled = council.clerk.api.get(&format!("/orders/{cancelled}")).await.expect("the order");
        assert_eq!(state_of(&cancelled), "cancelled");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_does_not_follow_a_phone_that_enrols_anew() {
    on_both(async |town: &Town| {
        let council = town.council("germoe", "Germoe Parish Council", "germoe").await.expect("a council");
        let (invited, phone) = enrolled(town, &council, "GPC-001", |_| {}).await;
        switch_off(&phone).await;
        let case = report(&council, &invited).await;
        let order = approved(&council, &invited, &case).await;
        let link = council
            .clerk
            .api
            .post(&format!("/councils/{}/invitations", council.id), json!({ "asset": invited.asset }))
            .await
            .and_then(|made| text(&made, "/link"))
            .expect("another invitation");
        let mut phone = phone.stop().await.expect("stops");
        phone.re_enrol(&link).await.expect("enrols anew");
        let held = order_becomes(&council, &order, "held").await;
        assert_eq!(held["held_reason"].as_str(), Some("re_enrolled"), "{held}");
        let outcome = phone.poll().await.expect("polls");
        assert!(outcome.commands.iter().all(|command| command.request_type != "EraseDevice"));
        assert!(!phone.snapshot().wiped);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_after_the_order_was_fetched_is_presumed_and_never_called_confirmed() {
    on_both(async |town: &Town| {
        let mut council = town.council("germoe", "Germoe Parish Council", "germoe").await.expect("a council");
        let (invited, phone) = enrolled(town, &council, "GPC-001", |options| options.erase_acknowledges = false).await;
        let case = report(&council, &invited).await;
        phone.wait_until(PATIENCE, |state| state.locked).await.expect("locks");
        let order = approved(&council, &invited, &case).await;
        phone.wait_until(PATIENCE, |state| state.wiped).await.expect("erases itself");
        order_becomes(&council, &order, "fetched").await;
        wait_for_hours(town, &mut council, 23).await;
        tokio::time::sleep(Duration::from_secs(3)).await;
        let early = council.clerk.api.get(&format!("/orders/{order}")).await.expect("the order");
        assert_eq!(state_of(&early), "fetched", "an hour too early");
        wait_for_hours(town, &mut council, 2).await;
        order_becomes(&council, &order, "presumed_erased").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_outage_loses_nothing() {
    on_both(async |town: &Town| {
        let council = town.council("germoe", "Germoe Parish Council", "germoe").await.expect("a council");
        let (first, one) = enrolled(town, &council, "GPC-001", |_| {}).await;
        let (second, two) = enrolled(town, &council, "GPC-002", |_| {}).await;
        for (fault, invited, phone) in [
            (Fault::status(500), first, one),
            (Fault::Answer { status: 429, reason: None, retry_after: Some(60) }, second, two),
        ] {
            town.push.set_fault(None, fault, Times::Always);
            report(&council, &invited).await;
            tokio::time::sleep(Duration::from_secs(2)).await;
            assert!(!phone.snapshot().locked, "a phone that nobody woke locked itself");
            town.push.clear_faults();
            let mut locked = None;
            // Fifteen minutes on the server's clock at most: sessions still stand.
            for _ in 0..15 {
                town.clock.advance(chrono::Duration::seconds(30));
                locked = phone.wait_until(Duration::from_secs(3), |state| state.locked).await;
                if locked.is_some() {
                    break;
                }
            }
            assert!(locked.is_some(), "the lock was lost with the push");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_reports_and_locks_and_never_orders() {
    on_both(async |town: &Town| {
        let council = town.council("germoe", "Germoe Parish Council", "germoe").await.expect("a council");
        let (invited, phone) = enrolled(town, &council, "GPC-001", |_| {}).await;
        let issued = council
            .clerk
            .api
            .post(
                &format!("/councils/{}/tokens", council.id),
                json!({ "name": "helpdesk", "scopes": ["read", "report", "lock", "register"] }),
            )
            .await
            .expect("a token");
        let program = town.api.with_bearer(&text(&issued, "/token").expect("a token"));
        let case = program
            .post(&format!("/councils/{}/losses", council.id), json!({ "asset": invited.asset }))
            .await
            .and_then(|reported| text(&reported, "/case/id"))
            .expect("a program reports");
        phone.wait_until(PATIENCE, |state| state.locked).await.expect("locks");
        phone.change(|phone| phone.unlock()).await.expect("opened again");
        let device = text(&town.device(&council, &invited).await.expect("a device"), "/id").expect("id");
        program.post(&format!("/devices/{device}/lock"), json!({})).await.expect("a program locks");
        phone.wait_until(PATIENCE, |state| state.locked).await.expect("locks");

        let wanted = json!({ "asset_tag": invited.tag, "reason": "Stolen." });
        let refused = program.post(&format!("/losses/{case}/orders"), wanted.clone()).await.expect_err("orders");
        assert_eq!(refused.status, 403);
        let order = council.clerk.api.post(&format!("/losses/{case}/orders"), wanted).await.expect("asked for");
        let order = text(&order, "/id").expect("id");
        for what in ["approve", "cancel", "refuse"] {
            let refused = program.post(&format!("/orders/{order}/{what}"), json!({})).await.expect_err(what);
            assert_eq!(refused.status, 403, "{what}");
        }
        let clear = json!({ "recognised_by": "a voice" });
        let refused = program.post(&format!("/devices/{device}/clear-passcode"), clear).await.expect_err("clears");
        assert_eq!(refused.status, 403);
        assert!(phone.snapshot().commands_of("EraseDevice").is_empty());
    })
    .await;
}
