//! A hundred phones at once: each its own certificate, each the policy, one locked, one wiped, and nobody told to leave.

use std::collections::BTreeSet;

use beadle_server::demo::{Invited, Town, text, until};
use beadle_simulator::apple::keys::KeyPool;
use beadle_simulator::apple::phone::{Phone, PhoneHandle};
use beadle_tests::{PATIENCE, on_both};
use serde_json::{Value, json};
use tokio::task::JoinSet;

const PHONES: usize = 100;
const AT_ONCE: usize = 16;

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_phones_live_side_by_side() {
    // Keys are dear and the certificates are what must differ.
    let keys = KeyPool::generate(8).expect("keys");
    on_both(async |town: &Town| {
        let council = town.council("germoe", "Germoe Parish Council", "germoe").await.expect("a council");
        let mut waiting = Vec::new();
        for number in 1..=PHONES {
            let tag = format!("GPC-{number:03}");
            let mut options = town.phone_options(&tag);
            options.keys = Some(keys.clone());
            let invited = town.invite(&council, &tag, &format!("Holder {number}"), &options).await.expect("invited");
            waiting.push((invited, options));
        }
        let mut phones: Vec<(Invited, PhoneHandle)> = Vec::new();
        while !waiting.is_empty() {
            let mut enrolling = JoinSet::new();
            for (invited, options) in waiting.drain(..AT_ONCE.min(waiting.len())) {
                enrolling.spawn(async move {
                    let mut phone = Phone::new(options).expect("a phone");
                    phone.enrol(&invited.link).await.expect("enrols");
                    (invited, phone.listen())
                });
            }
            phones.extend(enrolling.join_all().await);
        }
        for (invited, phone) in &phones {
            phone
                .wait_until(PATIENCE, |state| state.profiles.iter().any(|profile| profile.managed))
                .await
                .unwrap_or_else(|| panic!("{} did not get the policy", invited.tag));
        }
        let page = council.clerk.api.get(&format!("/councils/{}/devices?limit=200", council.id)).await;
        let page = page.expect("the devices");
        let devices = page["items"].as_array().expect("a list");
        assert_eq!(devices.len(), PHONES);
        for device in devices {
            let path = format!("/devices/{}/settings", text(device, "/id").expect("id"));
            until(&council.clerk.api, &path, PATIENCE, |report| {
                report["settings"].as_array().into_iter().flatten().any(|setting| {
                    setting["setting"].as_str() == Some("profile") && setting["state"].as_str() == Some("in_force")
                })
            })
            .await
            .expect("the phone reports the policy");
        }

        let [(locked, lost), (wiped, stolen), ..] = phones.as_slice() else { panic!("there are phones") };
        let mut case = String::new();
        for invited in [locked, wiped] {
            let loss = json!({ "asset": invited.asset });
            let reported = council.clerk.api.post(&format!("/councils/{}/losses", council.id), loss).await;
            case = reported.and_then(|reported| text(&reported, "/case/id")).expect("reported");
        }
        lost.wait_until(PATIENCE, |state| state.locked).await.expect("locks");
        // Enrolling so many may have taken longer than the five minutes in which a sign-in counts for orders.
        town.clock.advance(chrono::Duration::minutes(1));
        let (mut clerk, mut chair) = (council.clerk.clone(), council.chair.clone());
        clerk.sign_in(&town.api).await.expect("signs in");
        chair.sign_in(&town.api).await.expect("signs in");
        let wanted = json!({ "asset_tag": wiped.tag, "reason": "Stolen." });
        let order = clerk.api.post(&format!("/losses/{case}/orders"), wanted).await.expect("asked for");
        let order = text(&order, "/id").expect("id");
        chair.api.post(&format!("/orders/{order}/approve"), json!({})).await.expect("approved");
        stolen.wait_until(PATIENCE, |state| state.wiped).await.expect("erases itself");
        until(&clerk.api, &format!("/orders/{order}"), PATIENCE, |order| {
            order.get("state").and_then(Value::as_str) == Some("confirmed")
        })
        .await
        .expect("confirmed");

        let mut certificates = BTreeSet::new();
        for (index, (invited, phone)) in phones.iter().enumerate() {
            let state = phone.snapshot();
            assert!(state.violations.is_empty(), "{}: {:?}", invited.tag, state.violations);
            assert!(state.http.iter().all(|exchange| exchange.status != Some(401)), "{}: 401", invited.tag);
            assert_eq!(state.wiped, index == 1, "{}", invited.tag);
            assert_eq!(state.enrolled, index != 1, "{}", invited.tag);
            assert!(!state.locked || index == 0, "{} is locked", invited.tag);
            certificates.extend(state.identities);
        }
        assert_eq!(certificates.len(), PHONES, "each phone has a certificate of its own");
        let verified = clerk.api.post(&format!("/councils/{}/audit/verify", council.id), json!({})).await;
        assert_eq!(verified.expect("verifies")["whole"], Value::Bool(true));
        for (_, phone) in phones {
            phone.stop().await.expect("stops");
        }
    })
    .await;
}
