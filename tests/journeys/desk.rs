//! What the council's desk does for a holder over the API: says which phone it is, and clears a forgotten PIN.

use beadle_server::demo::{Council, Town, text};
use beadle_simulator::apple::phone::Phone;
use beadle_tests::on_both;
use serde_json::{Value, json};

use crate::steps::{alerts, command_becomes, commands, device_of, enrolled_by_hand, report};

async fn clear(council: &Council, device: &str, recognised_by: &str) -> Result<Value, u16> {
    let body = json!({ "recognised_by": recognised_by });
    let path = format!("/devices/{device}/clear-passcode");
    council.clerk.api.post(&path, body).await.map_err(|refused| refused.status)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_pin_is_cleared_by_who_has_just_signed_in_and_knows_the_holder() {
    on_both(async |town: &Town| {
        let mut council = town.council("germoe", "Germoe Parish Council", "germoe").await.expect("a council");
        let (invited, mut phone) = enrolled_by_hand(town, &council, "GPC-001", |_| {}).await;
        let device = device_of(town, &council, &invited).await;
        assert_eq!(clear(&council, &device, "yes").await, Err(400), "how was he recognised?");

        // A sign-in of six minutes ago is too old; confirming who one is makes it good again.
        town.clock.advance(chrono::Duration::minutes(6));
        assert_eq!(clear(&council, &device, "came to the office").await, Err(403));
        let shown = json!({ "password": council.clerk.password, "totp": council.clerk.code(0).expect("a code") });
        council.clerk.api.post("/sessions/current/confirm", shown).await.expect("confirms");
        let queued = clear(&council, &device, "came to the office in person").await.expect("clears");
        let command = text(&queued, "/command/id").expect("id");
        assert!(phone.snapshot().passcode_present, "queued is not done");
        phone.poll().await.expect("polls");
        assert!(!phone.snapshot().passcode_present);
        let done = command_becomes(&council, &device, &command, "acknowledged").await;
        assert!(!done.to_string().contains("UnlockToken"), "no token is shown: {done}");
        let trail = council.clerk.api.get(&format!("/councils/{}/audit?limit=200", council.id)).await.expect("a trail");
        let rows: Vec<&Value> =
            trail["items"].as_array().into_iter().flatten().filter(|row| row["kind"] == "PIN cleared").collect();
        let [row] = rows[..] else { panic!("once: {rows:?}") };
        assert_eq!(row["subject"], device.as_str());
        assert!(row.to_string().contains("came to the office in person"), "{row}");

        // Not while it is lost; and one that waits when it is reported is taken back instead of given out.
        phone.set_passcode(Some(6));
        clear(&council, &device, "came to the office in person").await.expect("clears");
        report(&council, &invited).await;
        assert_eq!(clear(&council, &device, "a voice on the telephone").await, Err(409));
        phone.poll().await.expect("polls");
        let state = phone.snapshot();
        assert!(state.passcode_present && state.locked, "a finder would have it open");
        let waiting = commands(&council, &device).await;
        let waiting = waiting.iter().filter(|command| command["kind"] == "clear_passcode");
        let states: Vec<&str> = waiting.filter_map(|command| command["state"].as_str()).collect();
        assert_eq!(states, ["cancelled", "acknowledged"]);
        council.chair.sign_in(&town.api).await.expect("signs in");
        let (path, body) = (format!("/devices/{device}/clear-passcode"), json!({ "recognised_by": "a friend" }));
        let refused = council.chair.api.post(&path, body).await.expect_err("an approver keeps no desk");
        assert_eq!(refused.status, 403);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_with_another_serial_number_waits_until_the_clerk_says_which_it_is() {
    on_both(async |town: &Town| {
        let council = town.council("germoe", "Germoe Parish Council", "germoe").await.expect("a council");
        let registered = town.phone_options("as registered");
        let invited = town.invite(&council, "GPC-001", "Ann Angove", &registered).await.expect("invited");
        let other = town.phone_options("another one");
        assert_ne!(registered.serial, other.serial);
        let mut phone = Phone::new(other).expect("a phone");
        phone.enrol(&invited.link).await.expect("enrols");
        phone.poll().await.expect("polls");
        let device = device_of(town, &council, &invited).await;
        let confirmation = async || {
            let shown = town.device(&council, &invited).await.expect("a device");
            text(&shown, "/enrolment/confirmation").expect("a confirmation")
        };
        assert_eq!(confirmation().await, "waiting");
        assert_eq!(alerts(&council, "serial_differs").await.len(), 1);
        assert_eq!(clear(&council, &device, "came to the office in person").await, Err(409), "whose phone is it?");
        phone.poll().await.expect("polls");
        assert!(phone.snapshot().passcode_present);

        let path = format!("/devices/{device}/confirm");
        let refused = council.chair.api.post(&path, json!({})).await.expect_err("an approver keeps no register");
        assert_eq!(refused.status, 403);
        assert_eq!(confirmation().await, "waiting");
        let confirmed = council.clerk.api.post(&path, json!({})).await.expect("confirms");
        assert_eq!(text(&confirmed, "/enrolment/confirmation").expect("a word"), "confirmed");
        assert!(alerts(&council, "serial_differs").await.is_empty());
        // What it reports afterwards does not undo the clerk's word.
        clear(&council, &device, "came to the office in person").await.expect("clears");
        phone.poll().await.expect("polls");
        assert!(!phone.snapshot().passcode_present);
        assert_eq!(confirmation().await, "confirmed");
    })
    .await;
}
