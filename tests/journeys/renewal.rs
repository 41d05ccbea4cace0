//! Identities that end: renewed by command in good time, asked for again when that fails, and served nothing else once they
//! have run out. The device stays the one that it was.

use std::collections::BTreeSet;
use std::time::Duration;

use beadle_server::demo::{Council, Town, text, until};
use beadle_simulator::apple::phone::{Behaviour, Channel, ErrorItem, Phone, PollEnd, SeenCommand};
use beadle_tests::{PATIENCE, on_both, wait_for_hours};
use plist::Value as Plist;
use serde_json::{Value, json};

use crate::nanomdm::idle;
use crate::steps::{
    alert_is_open, alerts, all_answered, change_policy, command_becomes, commands, device_of, enrolled,
    enrolled_by_hand, only, policy_changes, pushes, report,
};

const DAY: i64 = 24;
/// An identity stands for 365 days and is renewed from 60 days before its end.
const IN_TIME: i64 = 310 * DAY;

async fn renewal_in(council: &Council, device: &str, state: &str) -> String {
    let path = format!("/devices/{device}/commands?limit=200");
    let page = until(&council.clerk.api, &path, PATIENCE, |page| {
        let mut items = page["items"].as_array().into_iter().flatten();
        items.any(|command| command["kind"] == "renew_identity" && command["state"] == state)
    })
    .await
    .expect("a renewal");
    text(only(page["items"].as_array().expect("a list"), "renew_identity", state), "/id").expect("id")
}

/// Whether a command carries the enrolment profile again.
fn renews(command: &SeenCommand) -> bool {
    let payload = command.command.as_dictionary().and_then(|command| command.get("Payload")).and_then(Plist::as_data);
    command.request_type == "InstallProfile"
        && payload.is_some_and(|profile| String::from_utf8_lossy(profile).contains("com.apple.mdm"))
}

async fn status(phone: &mut Phone, channel: Channel) -> u16 {
    let message = match channel {
        Channel::Command => idle(phone),
        Channel::CheckIn => phone.token_update_message(false).expect("a message"),
    };
    let reply = phone.send(channel, &message).await.expect("an answer");
    assert!(!String::from_utf8_lossy(&reply.body).contains("unrecognized"), "a phone is told to leave");
    reply.status
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identity_is_renewed_and_the_device_stays_what_it_was() {
    on_both(async |town: &Town| {
        let mut council = town.council("germoe", "Germoe Parish Council", "germoe").await.expect("a council");
        let (invited, mut phone) = enrolled_by_hand(town, &council, "GPC-001", |_| {}).await;
        let device = device_of(town, &council, &invited).await;
        let before = town.device(&council, &invited).await.expect("a device");
        let (old, token) = (phone.identity().expect("an identity").clone(), phone.push_token().map(<[u8]>::to_vec));
        let token = token.expect("a push token");

        wait_for_hours(town, &mut council, IN_TIME).await;
        let renewal = renewal_in(&council, &device, "queued").await;
        policy_changes(&council, &device, 8).await;
        let waiting: BTreeSet<String> = commands(&council, &device)
            .await
            .iter()
            .filter(|command| command["ended_at"].is_null())
            .map(|command| text(command, "/id").expect("id"))
            .collect();
        let outcome = phone.poll().await.expect("polls");
        assert_eq!(outcome.end, PollEnd::Empty);
        assert!(outcome.commands.first().is_some_and(renews), "the renewal comes first: {:?}", outcome.commands);
        assert_eq!(outcome.commands.iter().filter(|command| renews(command)).count(), 1, "and once");
        let told: BTreeSet<String> = outcome.commands.iter().map(|command| command.uuid.to_lowercase()).collect();
        assert!(told.is_superset(&waiting), "the queue goes on under the new identity: {waiting:?}, {told:?}");
        for command in all_answered(&council, &device).await {
            let waited = command["id"].as_str().is_some_and(|id| waiting.contains(id));
            assert!(!waited || command["state"] == "acknowledged", "{command}");
        }
        assert_eq!(command_becomes(&council, &device, &renewal, "acknowledged").await["problem"], Value::Null);

        let after = town.device(&council, &invited).await.expect("a device");
        for same in ["/id", "/enrolment/id", "/enrolment/generation", "/enrolment/state", "/enrolment/authenticated_at"]
        {
            assert_eq!(after.pointer(same), before.pointer(same), "{same}");
        }
        for whole in ["/enrolment/can_be_woken", "/enrolment/can_clear_passcode"] {
            assert_eq!(after.pointer(whole), Some(&Value::Bool(true)), "{whole}");
        }
        let end = |device: &Value| {
            let end = text(device, "/enrolment/identity_not_after").expect("an end");
            end.parse::<chrono::DateTime<chrono::Utc>>().expect("a time")
        };
        assert_eq!((end(&after) - end(&before)).num_days(), 310, "a year from now");
        let identities = phone.snapshot().identities;
        assert!(identities.len() == 2 && identities[0] != identities[1], "{identities:?}");

        // The tokens still are the old ones: it is woken by one, and the other clears its PIN.
        assert_eq!(phone.push_token(), Some(token.as_slice()));
        let earlier = pushes(town, &token);
        let clear = json!({ "recognised_by": "came to the office in person" });
        let queued = council.clerk.api.post(&format!("/devices/{device}/clear-passcode"), clear).await;
        let queued = queued.and_then(|queued| text(&queued, "/command/id")).expect("clears");
        let pushed = async {
            while pushes(town, &token) == earlier {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, pushed).await.expect("a push by the old token");
        assert!(town.push.log().last().is_some_and(|push| push.delivered), "the magic is the old one, too");
        phone.poll().await.expect("polls");
        assert!(!phone.snapshot().passcode_present, "the old unlock token opens it");
        command_becomes(&council, &device, &queued, "acknowledged").await;
        for quiet in ["renewal_failed", "identity_misused", "command_not_made"] {
            assert!(alerts(&council, quiet).await.is_empty(), "{quiet}");
        }

        // The old identity is worth nothing any more, and showing it ends nothing.
        let new = phone.identity().expect("an identity").clone();
        phone.set_identity(old);
        for channel in [Channel::Command, Channel::CheckIn] {
            assert_eq!(status(&mut phone, channel).await, 403, "{channel:?} with the old identity");
        }
        phone.set_identity(new);
        for channel in [Channel::Command, Channel::CheckIn] {
            assert_eq!(status(&mut phone, channel).await, 200, "{channel:?} with the new identity");
        }
        let state = phone.snapshot();
        assert!(state.enrolled && state.violations.is_empty(), "{:?}", state.violations);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_that_fails_is_told_and_asked_for_again_within_a_week() {
    on_both(async |town: &Town| {
        let mut council = town.council("germoe", "Germoe Parish Council", "germoe").await.expect("a council");
        let (invited, phone) = enrolled(town, &council, "GPC-001", |_| {}).await;
        let device = device_of(town, &council, &invited).await;
        all_answered(&council, &device).await;
        let chain = vec![ErrorItem::mdm(4001, "The disk is full.")];
        let refuses = Behaviour::Refuse { request_type: "InstallProfile".to_owned(), chain, times: 1 };
        phone.behave(refuses).await.expect("refuses");
        wait_for_hours(town, &mut council, IN_TIME).await;
        let failed = renewal_in(&council, &device, "failed").await;
        alert_is_open(&council, "renewal_failed", true).await;
        assert_eq!(phone.poll_now().await.expect("polls").end, PollEnd::Empty, "the old identity still serves");
        assert_eq!(phone.snapshot().identities.len(), 1);

        wait_for_hours(town, &mut council, 8 * DAY).await;
        let renewed = renewal_in(&council, &device, "acknowledged").await;
        assert_ne!(renewed, failed, "asked anew");
        alert_is_open(&council, "renewal_failed", false).await;
        assert_eq!(phone.snapshot().identities.len(), 2);
        assert_eq!(phone.poll_now().await.expect("polls").end, PollEnd::Empty);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_that_is_put_off_is_pushed_again() {
    on_both(async |town: &Town| {
        let mut council = town.council("germoe", "Germoe Parish Council", "germoe").await.expect("a council");
        let never = Duration::from_secs(24 * 3600);
        let (invited, phone) = enrolled(town, &council, "GPC-001", |options| options.not_now_retry = never).await;
        let device = device_of(town, &council, &invited).await;
        all_answered(&council, &device).await;
        let put_off = Behaviour::NotNow { request_type: "InstallProfile".to_owned(), times: 1 };
        phone.behave(put_off).await.expect("puts off");
        wait_for_hours(town, &mut council, IN_TIME).await;
        let renewal = renewal_in(&council, &device, "deferred").await;
        assert!(alerts(&council, "renewal_failed").await.is_empty(), "waiting is no failure");
        town.clock.advance(chrono::Duration::seconds(61));
        command_becomes(&council, &device, &renewal, "acknowledged").await;
        assert_eq!(phone.snapshot().identities.len(), 2);
        assert_eq!(phone.poll_now().await.expect("polls").end, PollEnd::Empty);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identity_that_ran_out_gets_its_renewal_and_then_what_waited() {
    on_both(async |town: &Town| {
        let mut council = town.council("germoe", "Germoe Parish Council", "germoe").await.expect("a council");
        let (invited, mut phone) = enrolled_by_hand(town, &council, "GPC-001", |_| {}).await;
        let device = device_of(town, &council, &invited).await;
        wait_for_hours(town, &mut council, 366 * DAY).await;
        change_policy(&council, 8).await;
        report(&council, &invited).await;
        let chain = vec![ErrorItem::mdm(4001, "The disk is full.")];
        let refuses = Behaviour::Refuse { request_type: "InstallProfile".to_owned(), chain, times: 1 };
        phone.behave(refuses).expect("refuses");

        let first = phone.poll().await.expect("polls");
        assert_eq!(first.end, PollEnd::Empty);
        let [only] = first.commands.as_slice() else { panic!("more than a renewal: {:?}", first.commands) };
        assert!(renews(only), "{only:?}");
        assert!(!phone.snapshot().locked, "an identity that ran out is told nothing else");

        // It is not asked again in the same breath.
        assert!(phone.poll().await.expect("polls").commands.is_empty(), "it rests for ten minutes");
        town.clock.advance(chrono::Duration::minutes(11));
        let second = phone.poll().await.expect("polls");
        assert!(second.commands.first().is_some_and(renews), "{:?}", second.commands);
        assert!(phone.snapshot().locked, "the lock follows in the same visit");
        assert_eq!(phone.snapshot().identities.len(), 2);
        all_answered(&council, &device).await;
        assert_eq!(status(&mut phone, Channel::Command).await, 200);
    })
    .await;
}
