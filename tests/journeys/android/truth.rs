//! What Google refuses, and what is taken back: told as it is, and made good.

use beadle_server::demo::{Town, text, until};
use beadle_simulator::android::cloud::{Fault, Times};
use beadle_tests::{PATIENCE, on_both, wait_for_hours};
use serde_json::{Value, json};

use super::{Enrolled, connected, enrolled, nothing_is_wrong, phone_for, report};

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_key_holds_up_a_lock_and_never_ends_it() {
    on_both(async |town: &Town| {
        let council = connected(town, "germoe").await;
        let lost = enrolled(town, &council, "GPC-401", "fully_managed").await;
        let Enrolled { invited, phone, .. } = &lost;
        town.google.set_fault("enterprises.devices.issueCommand", Fault::Answer(403), Times::Next(1));
        let case = text(&report(&council, invited).await, "/case/id").expect("a case");
        let alerts = format!("/councils/{}/alerts", council.id);
        until(&council.clerk.api, &alerts, PATIENCE, |alerts| alerts.to_string().contains("google_key_refused"))
            .await
            .expect("people are told that Google refuses the key");
        phone.wait_until(PATIENCE, |state| state.lost_mode.is_some()).await.expect("lost mode, once the key is right");
        until(&council.clerk.api, &alerts, PATIENCE, |alerts| !alerts.to_string().contains("google_key_refused"))
            .await
            .expect("and that it does no more");
        let told = council.clerk.api.get(&format!("/losses/{case}")).await.expect("the case").to_string();
        assert!(!told.contains("the phone reported an error") && !told.contains("given up"), "{told}");
        nothing_is_wrong(town);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_code_of_a_withdrawn_invitation_enrols_nothing_at_google_either() {
    on_both(async |town: &Town| {
        let council = connected(town, "germoe").await;
        let invited = town.invite_android(&council, "GPC-402", "Mrs B", "fully_managed").await.expect("invited");
        town.accept_on_android(&invited).await.expect("accepted");
        let listed = council
            .clerk
            .api
            .get(&format!("/councils/{}/invitations?usable=true&limit=200", council.id))
            .await
            .expect("listed");
        let id = text(&listed, "/items/0/id").expect("an id");
        let code = council.clerk.api.post(&format!("/invitations/{id}/android-code"), json!({})).await.expect("a code");
        council.clerk.api.delete(&format!("/invitations/{id}")).await.expect("withdrawn");
        until(&council.clerk.api, &format!("/councils/{}", council.id), PATIENCE, |_: &Value| {
            // One for the page that was opened, one for the code asked for here: each goes in a call of its own.
            let made = town.google.calls("enterprises.enrollmentTokens.create").len();
            let deleted = town.google.calls("enterprises.enrollmentTokens.delete");
            made > 0 && deleted.iter().filter(|call| call.done).count() == made
        })
        .await
        .expect("its codes are deleted at Google");
        let phone = phone_for("fully_managed", "GPC-402");
        let refused = phone.enrol_by_qr(&town.google, &text(&code, "/text").expect("a code"));
        assert!(refused.is_err(), "Google knows no such code any more");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn notifications_that_could_not_be_set_up_with_a_new_key_are_set_up_later() {
    on_both(async |town: &Town| {
        let mut council = connected(town, "germoe").await;
        let status = format!("/councils/{}/google", council.id);
        until(&council.clerk.api, &status, PATIENCE, |status| status["notifications"] == true)
            .await
            .expect("notifications from the start");
        town.google.set_fault("topics.create", Fault::Answer(403), Times::Always);
        let key = town.google.service_account_key();
        town.provider.api.put("/google/project", json!({ "key_file": key })).await.expect("a new key");
        until(&council.clerk.api, &status, PATIENCE, |status| status["notifications"] == false)
            .await
            .expect("not ready with the new key");
        town.google.clear_faults();
        wait_for_hours(town, &mut council, 1).await;
        until(&council.clerk.api, &status, PATIENCE, |status| status["notifications"] == true)
            .await
            .expect("set up again by the clock");
    })
    .await;
}
