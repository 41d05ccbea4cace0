//! Android phones through Google, in all three modes: from the council's connection to the confirmed wipe.

mod faults;
mod link;
mod load;
mod mismatch;
mod reports;
mod truth;

use beadle_server::demo::{Council, Invited, Town, text, until};
use beadle_simulator::android::phone::{AndroidOptions, AndroidPhone, Living};
use beadle_tests::{PATIENCE, on_both};
use serde_json::{Value, json};

use crate::steps::{approved, order_becomes};

const MODES: [&str; 3] = ["fully_managed", "company_work_profile", "personal_work_profile"];

fn phone_for(mode: &str, name: &str) -> AndroidPhone {
    AndroidPhone::new(match mode {
        "personal_work_profile" => AndroidOptions::personal(name),
        _ => AndroidOptions::company(name),
    })
}

async fn connected(town: &Town, slug: &str) -> Council {
    let council = town.council(slug, "Germoe Parish Council", "germoe").await.expect("a council");
    town.connect_google(&council).await.expect("connected to Google");
    council
}

/// An enrolled phone that lives by itself.
struct Enrolled {
    invited: Invited,
    phone: AndroidPhone,
    device: String,
    _living: Living,
}

/// An enrolled phone that reports the council's policy.
async fn enrolled(town: &Town, council: &Council, tag: &str, mode: &str) -> Enrolled {
    let invited = town.invite_android(council, tag, &format!("Holder of {tag}"), mode).await.expect("invited");
    let phone = phone_for(mode, tag);
    let living = phone.live();
    town.enrol_android(council, &invited, &phone).await.expect("enrols");
    let asset = until(&council.clerk.api, &format!("/assets/{}", invited.asset), PATIENCE, |asset| {
        asset.pointer("/device/id").is_some_and(Value::is_string)
    })
    .await
    .expect("Beadle hears of the phone");
    let device = text(&asset, "/device/id").expect("an id");
    until(&council.clerk.api, &format!("/devices/{device}/settings"), PATIENCE, |settings| {
        settings["settings"]
            .as_array()
            .is_some_and(|rows| rows.iter().any(|row| row["setting"] == "profile" && row["state"] == "in_force"))
    })
    .await
    .expect("the phone reports the policy");
    Enrolled { invited, phone, device, _living: living }
}

async fn report(council: &Council, invited: &Invited) -> Value {
    council
        .clerk
        .api
        .post(&format!("/councils/{}/losses", council.id), json!({ "asset": invited.asset, "place": "a train" }))
        .await
        .expect("reported")
}

fn nothing_is_wrong(town: &Town) {
    assert_eq!(town.google.violations(), Vec::<String>::new(), "Google would have refused");
    assert_eq!(town.google.grave_violations(), Vec::<String>::new());
    assert_eq!(town.google.judgement().nothing_wrong(), Ok(()));
}

#[tokio::test(flavor = "multi_thread")]
async fn phones_of_all_three_modes_enrol_obey_are_locked_and_wiped() {
    on_both(async |town: &Town| {
        for (number, mode) in MODES.into_iter().enumerate() {
            // A council each: the cap lets two orders an hour through.
            let council = connected(town, &format!("council-{number}")).await;
            let tag = format!("GPC-10{number}");
            let enrolled = enrolled(town, &council, &tag, mode).await;
            let Enrolled { invited, phone, device, .. } = &enrolled;
            let shown = council.clerk.api.get(&format!("/devices/{device}")).await.expect("a device");
            assert_eq!(shown.pointer("/enrolment/mode").or(shown.get("mode")), Some(&json!(mode)), "{shown}");

            let reported = report(&council, invited).await;
            let case = text(&reported, "/case/id").expect("a case");
            let lost = phone
                .wait_until(PATIENCE, |state| {
                    state.screen_locked || state.work_profile_locked || state.lost_mode.is_some()
                })
                .await
                .unwrap_or_else(|| panic!("{mode} is locked: {:?}", phone.snapshot().events));
            assert_eq!(lost.lost_mode.is_some(), mode != "personal_work_profile", "{mode}: lost mode where it exists");
            phone
                .wait_until(PATIENCE, |state| state.policy.as_ref().is_some_and(|it| it.name.ends_with("-lost")))
                .await
                .expect("the policy of lost phones");

            let order = approved(&council, invited, &case).await;
            order_becomes(&council, &order, "confirmed").await;
            let after = phone.snapshot();
            assert!(!after.work_data, "{mode}: the council's data is gone");
            if mode == "personal_work_profile" {
                assert!(after.personal_data, "W3: the holder's own data stays");
                assert_eq!((after.factory_resets, after.profiles_removed), (0, 1));
            } else {
                assert_eq!(after.factory_resets, 1, "{mode}");
            }
            let wipes = phone.snapshot().commands("WIPE").into_iter().cloned().collect::<Vec<Value>>();
            assert_eq!(wipes.len(), 1, "{mode}: wiped once");
            assert_eq!(wipes[0]["duration"], "7776000s", "ninety days, or a phone that is off never hears of it");
            assert!(wipes[0]["wipeParams"].is_object(), "{:?}", wipes[0]);
            let verified = council.clerk.api.post(&format!("/councils/{}/audit/verify", council.id), json!({})).await;
            assert_eq!(verified.expect("verified")["whole"], true, "the audit trail verifies");
        }
        nothing_is_wrong(town);
    })
    .await;
}
