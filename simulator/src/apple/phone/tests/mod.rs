//! A phone against a small server: it enrols, obeys, refuses, misbehaves and leaves as an iPhone does.

mod council;

use std::time::Duration;

use plist::Value;

use super::*;
use crate::Error;
use crate::apple::cms::SignatureStyle;
use crate::apple::keys::KeyPool;
use crate::apple::push_service::PushService;
use council::{Council, TOPIC};

fn options(council: &Council) -> PhoneOptions {
    PhoneOptions {
        root_certificate_pem: Some(council.root_certificate_pem()),
        not_now_retry: Duration::from_millis(50),
        failure_retry: Duration::from_millis(50),
        ..PhoneOptions::iphone("Councillor")
    }
}

async fn enrolled(council: &Council, options: PhoneOptions) -> Phone {
    let mut phone = Phone::new(options).unwrap();
    phone.enrol(&council.invitation()).await.unwrap();
    phone
}

fn status(answer: &plist::Dictionary) -> &str {
    answer.get("Status").and_then(Value::as_string).unwrap()
}

fn types(phone: &PhoneState) -> Vec<(String, Option<String>)> {
    phone.commands.iter().map(|seen| (seen.request_type.clone(), seen.status.clone())).collect()
}

#[tokio::test]
async fn a_phone_enrols_and_answers_what_it_is_asked() {
    let council = Council::start().await;
    let mut phone = enrolled(&council, options(&council)).await;
    let state = phone.snapshot();
    assert!(state.enrolled && state.has_profile("uk.example.Configuration"));
    let check_ins = council.book.lock().unwrap().check_ins.clone();
    assert_eq!(check_ins.len(), 2);
    assert_eq!(check_ins[0].get("SerialNumber").and_then(Value::as_string), Some(phone.options().serial.as_str()));
    assert!(!check_ins[0].contains_key("Model"));
    assert!(check_ins[1].contains_key("UnlockToken"));
    for message in &check_ins {
        assert_eq!(crate::apple::schema::check_check_in(&Value::Dictionary(message.clone())), []);
    }
    let asked =
        Value::Array(vec!["SerialNumber".into(), "IMEI".into(), "ServiceSubscriptions".into(), "NoSuch".into()]);
    council.queue("DeviceInformation", &[("Queries", asked)]);
    for request_type in ["SecurityInfo", "ProfileList", "InstalledApplicationList", "CertificateList"] {
        council.queue(request_type, &[]);
    }
    let outcome = phone.poll().await.unwrap();
    assert_eq!(outcome.end, PollEnd::Empty);
    assert!(outcome.commands.iter().all(|seen| seen.status.as_deref() == Some("Acknowledged")));
    let answers = council.answers();
    for (seen, answer) in outcome.commands.iter().zip(&answers) {
        let violations = crate::apple::schema::check_response(&seen.request_type, &Value::Dictionary(answer.clone()));
        assert_eq!(violations, [], "{}", seen.request_type);
    }
    let responses = answers[0].get("QueryResponses").and_then(Value::as_dictionary).unwrap();
    assert_eq!(responses.keys().collect::<Vec<_>>(), ["SerialNumber", "IMEI", "ServiceSubscriptions"]);
}

#[tokio::test]
async fn the_other_signature_style_and_scep_by_get_work_too() {
    let council = Council::start().await;
    let pool = KeyPool::generate(1).unwrap();
    let style = SignatureStyle::Sha256WithAttributes;
    let phone =
        enrolled(&council, PhoneOptions { signature_style: style, keys: Some(pool), ..options(&council) }).await;
    let sent = phone.last_scep().unwrap().clone();
    for by_get in [false, true] {
        let again = phone.send_scep(&sent, by_get).await.unwrap();
        assert!(again.public_key().unwrap().public_eq(&sent.key));
    }
}

#[tokio::test]
async fn a_phone_does_not_enrol_with_a_wrong_challenge_or_a_bad_answer() {
    let council = Council::start().await;
    let mut phone = Phone::new(options(&council)).unwrap();
    let profile = phone.fetch_profile(&council.invitation()).await.unwrap();
    let wrong = ScepAttempt { challenge: Some("guessed".into()), ..ScepAttempt::default() };
    assert!(matches!(phone.scep_enrol(&profile, &wrong).await, Err(Error::ScepRefused(info)) if info == "2"));
    council.book.lock().unwrap().wrong_nonce = true;
    assert!(matches!(phone.enrol(&council.invitation()).await, Err(Error::Server(_))));
    assert!(!phone.snapshot().enrolled);
    council.book.lock().unwrap().invented_key = true;
    assert!(matches!(phone.enrol(&council.invitation()).await, Err(Error::Server(_))));
    assert!(phone.snapshot().violations.iter().any(|violation| violation.contains("Invented")));
}

#[tokio::test]
async fn locks_lost_mode_and_passcodes() {
    let council = Council::start().await;
    let mut phone = enrolled(&council, options(&council)).await;
    council.queue("DeviceLock", &[("Message", "Lost".into())]);
    council.queue("EnableLostMode", &[("Message", "Lost".into())]);
    council.queue("ClearPasscode", &[("UnlockToken", Value::Data(vec![1; 64]))]);
    phone.poll().await.unwrap();
    let answers = council.answers();
    assert_eq!(answers[0].get("MessageResult").and_then(Value::as_string), Some("Success"));
    assert_eq!((status(&answers[1]), status(&answers[2])), ("Error", "Error"), "unsupervised; wrong token");
    assert!(phone.snapshot().locked && phone.snapshot().passcode_present);
    let token = council.book.lock().unwrap().check_ins[1].get("UnlockToken").unwrap().clone();
    council.queue("ClearPasscode", &[("UnlockToken", token)]);
    council.queue("DeviceLock", &[("Message", "Lost".into())]);
    phone.poll().await.unwrap();
    assert_eq!(council.answers()[4].get("MessageResult").and_then(Value::as_string), Some("NoPasscodeSet"));
    assert!(!phone.snapshot().locked);

    let mut supervised = enrolled(&council, PhoneOptions { supervised: true, ..options(&council) }).await;
    council.queue("DeviceLocation", &[]);
    council.queue("EnableLostMode", &[("PhoneNumber", "01326 000000".into())]);
    council.queue("DeviceLocation", &[]);
    council.queue("PlayLostModeSound", &[]);
    let outcome = supervised.poll().await.unwrap();
    let statuses: Vec<_> = outcome.commands.iter().filter_map(|seen| seen.status.as_deref()).collect();
    assert_eq!(statuses, ["Error", "Acknowledged", "Acknowledged", "Acknowledged"]);
    assert!(supervised.snapshot().lost_mode.is_some());
    council.queue("DisableLostMode", &[]);
    supervised.poll().await.unwrap();
    assert!(supervised.snapshot().lost_mode.is_none());
}

#[tokio::test]
async fn a_supervised_phone_gives_its_bypass_code_for_fifteen_days_and_waits_to_be_configured() {
    let council = Council::start().await;
    let options = PhoneOptions { supervised: true, awaiting_configuration: true, ..options(&council) };
    let mut phone = enrolled(&council, options).await;
    let check_ins = council.book.lock().unwrap().check_ins.clone();
    assert_eq!(check_ins[1].get("AwaitingConfiguration").and_then(Value::as_boolean), Some(true));
    council.queue("ActivationLockBypassCode", &[]);
    council.queue("DeviceConfigured", &[]);
    phone.poll().await.unwrap();
    let answers = council.answers();
    let violations =
        crate::apple::schema::check_response("ActivationLockBypassCode", &Value::Dictionary(answers[0].clone()));
    assert_eq!(violations, []);
    let code = answers[0].get("ActivationLockBypassCode").and_then(Value::as_string);
    assert_eq!(code, Some(phone.options().bypass_code.as_str()));
    assert_eq!(status(&answers[1]), "Acknowledged");
    assert!(!phone.snapshot().awaiting_configuration);
    phone.options_mut().supervised_for = Duration::from_secs(15 * 24 * 3600);
    council.queue("ActivationLockBypassCode", &[]);
    phone.poll().await.unwrap();
    assert_eq!(status(&council.answers()[2]), "Error");
    let mut other = enrolled(&council, PhoneOptions { supervised: false, ..phone.options().clone() }).await;
    council.queue("ActivationLockBypassCode", &[]);
    other.poll().await.unwrap();
    assert_eq!(status(&council.answers()[3]), "Error", "only supervised phones know it");
}

#[tokio::test]
async fn erase_wipes_and_the_same_phone_enrols_again() {
    let council = Council::start().await;
    let mut phone = enrolled(&council, options(&council)).await;
    council.queue("EraseDevice", &[]);
    assert_eq!(phone.poll().await.unwrap().end, PollEnd::Wiped);
    assert_eq!(status(&council.answers()[0]), "Acknowledged");
    assert!(phone.snapshot().wiped && phone.poll().await.is_err());
    phone.re_enrol(&council.invitation()).await.unwrap();
    let state = phone.snapshot();
    assert!(state.enrolled && !state.wiped);
    assert_ne!(state.identities[0], state.identities[1]);
    phone.options_mut().erase_acknowledges = false;
    council.queue("EraseDevice", &[]);
    phone.poll().await.unwrap();
    assert_eq!(council.answers().len(), 1, "this time nothing was answered");
}

#[tokio::test]
async fn renewal_keeps_the_server_and_refuses_another() {
    let council = Council::start().await;
    let mut phone = enrolled(&council, options(&council)).await;
    let before = phone.identity().unwrap().fingerprint().unwrap();
    council.book.lock().unwrap().challenge = "second".into();
    council.queue("InstallProfile", &[("Payload", Value::Data(council.profile(8191, "com.apple.mgmt.Other")))]);
    council.queue("InstallProfile", &[("Payload", Value::Data(council.profile(8183, TOPIC)))]);
    council.queue("InstallProfile", &[("Payload", Value::Data(council.profile(8191, TOPIC)))]);
    phone.poll().await.unwrap();
    let answers = council.answers();
    let statuses: Vec<&str> = answers.iter().map(status).collect();
    assert_eq!(statuses, ["Error", "Acknowledged", "Error"], "other topic; fewer rights; more rights than now");
    assert_ne!(phone.identity().unwrap().fingerprint().unwrap(), before);
    assert_eq!(council.book.lock().unwrap().check_ins.len(), 4);
    assert_eq!(phone.snapshot().profiles.len(), 1);
}

#[tokio::test]
async fn profiles_come_and_go_and_take_management_along() {
    let council = Council::start().await;
    let mut phone = enrolled(&council, options(&council)).await;
    let mut profile = plist::Dictionary::new();
    for (key, value) in [
        ("PayloadType", "Configuration"),
        ("PayloadIdentifier", "uk.example.policy"),
        ("PayloadUUID", "7B1C2A0E-3F44-4E9E-8A55-000000000009"),
    ] {
        profile.insert(key.into(), value.into());
    }
    profile.insert("PayloadVersion".into(), 1.into());
    profile.insert("PayloadContent".into(), Value::Array(vec![]));
    let mut xml = Vec::new();
    Value::Dictionary(profile).to_writer_xml(&mut xml).unwrap();
    council.queue("InstallProfile", &[("Payload", Value::Data(xml))]);
    phone.poll().await.unwrap();
    assert!(phone.snapshot().has_profile("uk.example.policy"));
    council.queue("RemoveProfile", &[("Identifier", "uk.example.policy".into())]);
    council.queue("RemoveProfile", &[("Identifier", "uk.example.policy".into())]);
    phone.poll().await.unwrap();
    assert_eq!(council.answers().iter().map(status).collect::<Vec<_>>(), ["Acknowledged", "Acknowledged", "Error"]);
    council.queue("RemoveProfile", &[("Identifier", "uk.example.Configuration".into())]);
    assert_eq!(phone.poll().await.unwrap().end, PollEnd::Unenrolled);
    let last = council.book.lock().unwrap().check_ins.last().unwrap().clone();
    assert_eq!(last.get("MessageType").and_then(Value::as_string), Some("CheckOut"));
    assert!(!phone.snapshot().enrolled);
}

#[tokio::test]
async fn misbehaviour_on_request() {
    let council = Council::start().await;
    let mut phone = enrolled(&council, options(&council)).await;
    assert!(phone.behave(Behaviour::NotNow { request_type: "EraseDevice".into(), times: 1 }).is_err());
    phone.behave(Behaviour::NotNow { request_type: "*".into(), times: 1 }).unwrap();
    let chain = vec![ErrorItem::lost_mode()];
    phone.behave(Behaviour::Refuse { request_type: "SecurityInfo".into(), chain, times: 1 }).unwrap();
    council.queue("DeviceLock", &[]);
    council.queue("Settings", &[("Settings", Value::Array(vec![]))]);
    council.queue("SecurityInfo", &[]);
    council.queue("NoSuchThing", &[]);
    phone.poll().await.unwrap();
    let statuses: Vec<String> = council.answers().iter().map(|answer| status(answer).to_owned()).collect();
    assert_eq!(statuses, ["Acknowledged", "NotNow", "Error", "Error"]);

    phone.behave(Behaviour::RepeatAnswer { times: 1 }).unwrap();
    phone.behave(Behaviour::UnknownAnswer { times: 1 }).unwrap();
    council.queue("SecurityInfo", &[]);
    phone.poll().await.unwrap();
    let answers = council.answers();
    assert_eq!(answers.len(), 7);
    assert_ne!(answers[4].get("CommandUUID"), answers[5].get("CommandUUID"));
    assert_eq!(answers[5], answers[6]);

    phone.behave(Behaviour::UndecodableAnswer { times: 1 }).unwrap();
    council.queue("SecurityInfo", &[]);
    phone.poll().await.unwrap();
    assert_eq!(council.book.lock().unwrap().undecodable, 1);

    phone.behave(Behaviour::ForgetCommand { request_type: "*".into(), times: 1 }).unwrap();
    council.queue("EraseDevice", &[]);
    assert_eq!(phone.poll().await.unwrap().end, PollEnd::Forgotten);
    assert!(!phone.snapshot().wiped);
    assert_eq!(types(&phone.snapshot()).last(), Some(&("EraseDevice".to_owned(), None)));
}

#[tokio::test]
async fn answers_that_did_not_arrive_are_sent_again() {
    let council = Council::start().await;
    let mut phone = enrolled(&council, options(&council)).await;
    phone.behave(Behaviour::DropBeforeSending { message: Message::Answer, times: 1 }).unwrap();
    council.queue("SecurityInfo", &[]);
    assert_eq!(phone.poll().await.unwrap().end, PollEnd::Dropped);
    assert!(council.answers().is_empty());
    phone.poll().await.unwrap();
    assert_eq!(council.answers().len(), 1);
    let linger = Duration::from_millis(100);
    phone.behave(Behaviour::DropBeforeReading { message: Message::Answer, times: 1, linger }).unwrap();
    council.queue("SecurityInfo", &[]);
    phone.poll().await.unwrap();
    phone.poll().await.unwrap();
    let answers = council.answers();
    assert_eq!(answers.len(), 3);
    assert_eq!(answers[1], answers[2], "arrived both times, octet for octet");
}

#[tokio::test]
async fn a_401_unenrols_and_a_503_does_not() {
    let council = Council::start().await;
    let mut phone = enrolled(&council, options(&council)).await;
    council.book.lock().unwrap().failures = [503, 401].into();
    assert_eq!(phone.poll().await.unwrap().end, PollEnd::Refused(503));
    assert!(phone.snapshot().enrolled);
    assert_eq!(phone.poll().await.unwrap().end, PollEnd::Unenrolled);
    let state = phone.snapshot();
    assert_eq!(state.unenrolled_because.as_deref(), Some("the server answered 401"));
    assert_eq!(state.http.last().and_then(|exchange| exchange.status), Some(401));
}

#[tokio::test]
async fn a_listening_phone_comes_when_pushed_and_after_a_last_not_now() {
    let council = Council::start().await;
    let push = PushService::start().await.unwrap();
    let phone = enrolled(&council, PhoneOptions { push: Some(push.clone()), ..options(&council) }).await;
    let bell = phone.registration.clone().unwrap().wake;
    let handle = phone.listen();
    let soon = Duration::from_secs(5);
    council.queue("SecurityInfo", &[]);
    bell.notify_one();
    handle.wait_until(soon, |state| state.commands.len() == 1).await.expect("comes when pushed");
    handle.behave(Behaviour::NotNow { request_type: "Settings".into(), times: 1 }).await.unwrap();
    council.queue("Settings", &[("Settings", Value::Array(vec![]))]);
    bell.notify_one();
    handle.wait_until(soon, |state| state.commands.len() == 2).await.expect("comes when pushed");
    council.queue("SecurityInfo", &[]);
    handle.wait_until(soon, |state| state.commands.len() == 3).await.expect("comes back by itself");
    council.book.lock().unwrap().failures = [503].into();
    council.queue("EraseDevice", &[]);
    bell.notify_one();
    let state = handle.wait_until(soon, |state| state.wiped).await.expect("tries again after a fault");
    assert_eq!(types(&state).last(), Some(&("EraseDevice".to_owned(), Some("Acknowledged".to_owned()))));
    assert!(handle.stop().await.unwrap().management().is_none());
}

#[tokio::test]
async fn a_saved_phone_goes_on() {
    let council = Council::start().await;
    let phone = enrolled(&council, options(&council)).await;
    let line = serde_json::to_string(&phone.save().unwrap()).unwrap();
    let mut again = Phone::restore(&serde_json::from_str(&line).unwrap(), options(&council)).unwrap();
    assert_eq!(again.poll().await.unwrap().end, PollEnd::Empty);
}
