//! What MDM servers before this one got wrong: repeats, strangers' answers, goodbyes, take-overs, bodies without end.

use beadle_server::demo::{Api, Town, text};
use beadle_simulator::apple::phone::{Channel, Phone, ScepAttempt};
use beadle_tests::on_both;
use plist::{Dictionary, Value as Plist};
use serde_json::Value;

/// What a phone says that wants its next command.
pub(crate) fn idle(phone: &Phone) -> Dictionary {
    said(phone, "Status", "Idle")
}

/// A message as a device writes it.
pub(crate) fn xml(message: &Dictionary) -> Vec<u8> {
    let mut body = Vec::new();
    Plist::Dictionary(message.clone()).to_writer_xml(&mut body).expect("writes");
    body
}

fn said(phone: &Phone, key: &str, value: &str) -> Dictionary {
    let mut message = Dictionary::new();
    message.insert(key.to_owned(), value.into());
    message.insert("UDID".to_owned(), phone.options().udid.clone().into());
    message
}

async fn commands(api: &Api, device: &str) -> Value {
    api.get(&format!("/devices/{device}/commands")).await.expect("the commands")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_phone_says_twice_or_out_of_turn_changes_nothing() {
    on_both(async |town: &Town| {
        let council = town.council("germoe", "Germoe Parish Council", "germoe").await.expect("a council");
        let options = town.phone_options("Ann's iPhone");
        let invited = town.invite(&council, "GPC-001", "Ann Angove", &options).await.expect("invited");
        let mut phone = Phone::new(options).expect("a phone");
        phone.enrol(&invited.link).await.expect("enrols");
        phone.poll().await.expect("polls");
        let device = text(&town.device(&council, &invited).await.expect("a device"), "/id").expect("id");
        let api = &council.clerk.api;
        let before = commands(api, &device).await;
        let seen = phone.snapshot().commands;
        assert!(!seen.is_empty(), "the phone was asked nothing");

        let mut answers: Vec<String> = seen.iter().map(|command| command.uuid.clone()).collect();
        answers.push("11111111-2222-4333-8444-555555555555".to_owned());
        answers.push("../../nothing".to_owned());
        for status in ["Acknowledged", "Acknowledged", "Error", "NotNow"] {
            for uuid in &answers {
                let mut message = said(&phone, "Status", status);
                message.insert("CommandUUID".to_owned(), uuid.clone().into());
                let reply = phone.send(Channel::Command, &message).await.expect("an answer");
                assert_eq!(reply.status, 200, "{status} to {uuid}");
                assert!(reply.body.is_empty(), "{status} to {uuid} brought a command");
            }
        }
        assert_eq!(commands(api, &device).await, before, "a repeat changed the queue");

        // The body's limits, each told at once.
        for (channel, limit) in [(Channel::CheckIn, 512 * 1024), (Channel::Command, 4 * 1024 * 1024)] {
            let reply = phone.put(channel, &vec![b'x'; limit + 1], None).await.expect("an answer");
            assert_eq!(reply.status, 413, "{channel:?}");
        }

        // Goodbye is heeded: nothing of the old identity counts afterwards, and still no 401.
        let identity = phone.identity().expect("an identity").clone();
        let management = phone.management().expect("managed").clone();
        let mut goodbye = said(&phone, "MessageType", "CheckOut");
        goodbye.insert("Topic".to_owned(), management.topic.clone().into());
        let reply = phone.send(Channel::CheckIn, &goodbye).await.expect("an answer");
        assert_eq!(reply.status, 200);
        let gone = api.get(&format!("/devices/{device}")).await.expect("the device");
        assert_eq!(text(&gone, "/enrolment/state").expect("a state"), "ended");
        phone.set_identity(identity);
        phone.set_management(management);
        let message = idle(&phone);
        let reply = phone.send(Channel::Command, &message).await.expect("an answer");
        assert_eq!(reply.status, 403, "a poll after the goodbye");
        let message = phone.authenticate_message().expect("a message");
        let reply = phone.send(Channel::CheckIn, &message).await.expect("an answer");
        assert_eq!(reply.status, 403, "an Authenticate after the goodbye");
        assert!(phone.snapshot().enrolled, "the phone was told to leave");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_cannot_be_taken_over_with_another_certificate() {
    on_both(async |town: &Town| {
        let council = town.council("germoe", "Germoe Parish Council", "germoe").await.expect("a council");
        let options = town.phone_options("Ann's iPhone");
        let invited = town.invite(&council, "GPC-001", "Ann Angove", &options).await.expect("invited");
        let mut phone = Phone::new(options).expect("a phone");
        phone.enrol(&invited.link).await.expect("enrols");
        phone.poll().await.expect("polls");
        let before = town.device(&council, &invited).await.expect("a device");

        // A second person's certificate, good and not used yet, in the hands of somebody who says he is the first phone.
        let thief = town.phone_options("Mallory's iPhone");
        let link = town.invite(&council, "GPC-002", "Mallory Moyle", &thief).await.expect("invited").link;
        let mut thief = Phone::new(thief).expect("a phone");
        let profile = thief.fetch_profile(&link).await.expect("a profile");
        let unused = thief.scep_enrol(&profile, &ScepAttempt::default()).await.expect("a certificate");
        let own = phone.identity().expect("an identity").clone();
        phone.set_identity(unused);
        let message = idle(&phone);
        let reply = phone.send(Channel::Command, &message).await.expect("an answer");
        assert_eq!(reply.status, 403, "a poll in another's name");
        for message in [
            phone.token_update_message(true).expect("a message"),
            phone.authenticate_message().expect("a message"),
            phone.token_update_message(false).expect("a message"),
        ] {
            let reply = phone.send(Channel::CheckIn, &message).await.expect("an answer");
            assert_eq!(reply.status, 403, "{:?} in another's name", message.get("MessageType"));
        }
        let alerts = council.clerk.api.get(&format!("/councils/{}/alerts", council.id)).await.expect("the alerts");
        assert!(alerts.to_string().contains("identity_misused"), "nobody was told: {alerts}");

        phone.set_identity(own);
        phone.poll().await.expect("polls");
        let after = town.device(&council, &invited).await.expect("a device");
        for what in ["/id", "/enrolment/id", "/enrolment/state"] {
            assert_eq!(after.pointer(what), before.pointer(what), "{what}");
        }
        assert_eq!(after.pointer("/enrolment/can_be_woken"), Some(&Value::Bool(true)));
    })
    .await;
}
