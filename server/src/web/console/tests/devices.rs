//! The pages about devices: what they show and to whom, and what clearing a PIN and confirming a phone take.

use chrono::Duration;

use super::desk::{Desk, NASTY};
use crate::model::{Confirmation, Mode, SettingState};
use crate::store;
use crate::store::setting_states::SettingStateRow;
use crate::testing::on_both;

async fn report(desk: &Desk, setting: &'static str, state: SettingState) {
    let (device, now) = (desk.phone.device.clone(), desk.bench.clock.now());
    desk.bench
        .database
        .write("a report", move |tx| {
            let device = store::devices::find(tx, &device)?.expect("a device");
            let enrolment = store::enrolments::live_of_device(tx, &device.council_id, &device.id)?.expect("live");
            let row = SettingStateRow {
                council_id: device.council_id.clone(),
                enrolment_id: enrolment.id,
                setting: setting.to_owned(),
                state,
                reason: "the phone says so".to_owned(),
                since: now,
                checked_at: now,
            };
            store::setting_states::insert(tx, &row)
        })
        .await
        .expect("reported");
}

/// The phone hands over what clearing its PIN needs.
async fn make_clearable(desk: &Desk) {
    let (device, now) = (desk.phone.device.clone(), desk.bench.clock.now());
    desk.bench
        .database
        .write("a token", move |tx| {
            let device = store::devices::find(tx, &device)?.expect("a device");
            let enrolment = store::enrolments::live_of_device(tx, &device.council_id, &device.id)?.expect("live");
            let tokens = store::enrolments::Tokens {
                topic: None,
                push_token: "0a",
                sealed_push_magic: b"sealed",
                sealed_unlock_token: Some(b"sealed"),
            };
            store::enrolments::set_tokens(tx, &enrolment, &tokens, now)
        })
        .await
        .expect("kept");
}

async fn let_it_wait(desk: &Desk) {
    let device = desk.phone.device.clone();
    desk.bench
        .database
        .write("another serial", move |tx| {
            let device = store::devices::find(tx, &device)?.expect("a device");
            let enrolment = store::enrolments::live_of_device(tx, &device.council_id, &device.id)?.expect("live");
            store::enrolments::set_confirmation(tx, &enrolment, Confirmation::Waiting)
        })
        .await
        .expect("waits");
}

#[actix_web::test]
async fn a_device_is_found_and_its_page_says_what_it_reports() {
    on_both(|bench| async move {
        let mut desk = Desk::new(bench).await;
        let (home, page) = ("/console/councils/germoe", format!("/console/devices/{}", desk.phone.device));
        report(&desk, "passcode.required", SettingState::NotInForce).await;
        let list = desk.clerk.get(&format!("{home}/devices")).await.is(200);
        list.has("GPC-001").has("One setting of the policy is not in force").has("Mary-Ann").has(&page);
        for find in ["gpc", "mary", "brien"] {
            desk.clerk.get(&format!("{home}/devices?find={find}")).await.is(200).has("One was found").has(&page);
        }
        desk.clerk.get(&format!("{home}/devices?find=nobody")).await.is(200).has("Nothing was found").lacks(&page);
        desk.auditor.get(&format!("{home}/devices")).await.is(200).has("GPC-001").lacks("Invite a phone");
        let shown = desk.clerk.get(&page).await.is(200);
        let shown = shown.has("One setting of the policy is not in force.").has("Not in force since");
        let shown = shown.has("the phone says so").has("supervised").has("The council cannot see");
        shown.has("Clear a forgotten PIN").has("Report it lost").has("put a lost device into Lost Mode");
        desk.auditor.get(&page).await.is(200).lacks("Clear a forgotten PIN").lacks("Report it lost");
        desk.clerk.get(home).await.is(200).has("Settings not in force").has("Look at this device").has(&page);
        desk.bench.clock.advance(Duration::minutes(1));
        let case = desk.lose().await;
        desk.clerk.get(&page).await.is(200).has("reported lost").has(&case).lacks("Clear a forgotten PIN");
        desk.clerk.get(&format!("{home}/devices")).await.is(200).has("Reported lost");
    })
    .await;
}

#[actix_web::test]
async fn a_pin_is_cleared_for_who_confirmed_and_noted_how_and_never_on_a_lost_phone() {
    on_both(|bench| async move {
        let mut desk = Desk::new(bench).await;
        let page = format!("/console/devices/{}", desk.phone.device);
        let clear = format!("{page}/clear-pin");
        let without = desk.clerk.get(&clear).await.is(200).has("has not given the token");
        without.lacks("How did you recognise the caller?");
        make_clearable(&desk).await;
        desk.clerk.get(&clear).await.is(200).has("How did you recognise the caller?");
        desk.clerk.send(&clear, &[("recognised_by", " x ")]).await.is(422).has("Say how you recognised the caller");
        assert_eq!(desk.recorded("PIN cleared").await, 0);
        let token = desk.clerk.token(&clear);
        let fields = super::desk::with_token(&[("recognised_by", "came to the office")], &token);
        for _ in 0..2 {
            assert_eq!(desk.clerk.post(&clear, &fields, "same-origin").await.leads_to(), page);
        }
        assert_eq!(desk.recorded("PIN cleared").await, 1, "sent twice, done once");
        let shown = desk.clerk.get(&page).await.is(200).has("Clearing of the PIN, asked for on");
        shown.has("has not fetched it yet").lacks("confirmed that the PIN is cleared");
        // Five minutes later one confirms first; the form then refuses, too.
        desk.bench.clock.advance(Duration::minutes(6));
        assert!(desk.clerk.get(&clear).await.leads_to().starts_with("/console/confirm?then="));
        let late = desk.clerk.send(&clear, &[("recognised_by", "came to the office")]).await;
        late.is(403).has("five minutes have passed");
        desk.lose().await;
        let lost = desk.clerk.get(&clear).await.is(200);
        lost.has("reported lost and has not said since").lacks("How did you recognise");
        assert_eq!(desk.recorded("PIN cleared").await, 1);
    })
    .await;
}

#[actix_web::test]
async fn a_phone_with_another_serial_waits_for_the_clerk() {
    on_both(|bench| async move {
        let mut desk = Desk::new(bench).await;
        let page = format!("/console/devices/{}", desk.phone.device);
        let confirm = format!("{page}/confirm");
        assert_eq!(desk.clerk.get(&confirm).await.leads_to(), page, "there is nothing to confirm");
        let_it_wait(&desk).await;
        desk.clerk.get("/console/councils/germoe/devices").await.is(200).has("Waits for you to confirm");
        desk.clerk.get(&page).await.is(200).has("Confirm that it is the right phone");
        desk.clerk.get(&format!("{page}/clear-pin")).await.is(200).has("Confirm first that this phone");
        desk.clerk.get(&confirm).await.is(200).has("Serial number that the phone reports");
        desk.auditor.get(&confirm).await.is(403);
        desk.auditor.send(&confirm, &[]).await.is(403);
        assert_eq!(desk.recorded("device confirmed").await, 0);
        assert_eq!(desk.clerk.send(&confirm, &[]).await.leads_to(), page);
        assert_eq!(desk.recorded("device confirmed").await, 1);
        let shown = desk.clerk.get(&page).await.is(200).has("confirmed by a person that this phone is the item");
        shown.lacks("Confirm that it is the right phone");
    })
    .await;
}

#[actix_web::test]
async fn nothing_of_a_device_is_for_others_and_nasty_names_do_nothing() {
    on_both(|bench| async move {
        let mut desk = Desk::new(bench).await;
        let page = format!("/console/devices/{}", desk.phone.device);
        let (clear, confirm) = (format!("{page}/clear-pin"), format!("{page}/confirm"));
        for place in [&page, &clear, &confirm, &"/console/councils/germoe/devices".to_owned()] {
            desk.stranger.get(place).await.is(404).lacks("GPC-001");
            desk.nobody().get(place).await.is(303);
        }
        let note = [("recognised_by", "came to the office")];
        for action in [&clear, &confirm] {
            desk.stranger.send(action, &note).await.is(404).lacks("GPC-001");
            desk.clerk.post(action, &note, "same-origin").await.is(403).has("can no longer be used");
        }
        for browser in [&mut desk.auditor, &mut desk.chair] {
            browser.get(&clear).await.is(403);
            browser.send(&clear, &note).await.is(403);
        }
        assert_eq!(desk.recorded("PIN cleared").await, 0);
        let council = desk.council.clone();
        desk.phone = Desk::phone(&desk.bench, &council, NASTY, NASTY, Mode::Device).await;
        let page = format!("/console/devices/{}", desk.phone.device);
        let clear = format!("{page}/clear-pin");
        make_clearable(&desk).await;
        desk.clerk.send(&clear, &[("recognised_by", &"x".repeat(10_000))]).await.is(303);
        desk.clerk.send(&clear, &[("recognised_by", NASTY)]).await.is(303);
        for place in [&page, &clear, &"/console/councils/germoe/devices".to_owned()] {
            desk.clerk.get(place).await.is(200).lacks("<script>alert").has("&#60;script&#62;");
        }
        for find in ["x".repeat(10_000), "%3Cscript%3Ealert(1)".to_owned()] {
            let found = desk.clerk.get(&format!("/console/councils/germoe/devices?find={find}")).await.is(200);
            found.lacks("<script>alert");
        }
    })
    .await;
}
