//! The steps that several stories take: a phone enrolled, lost, ordered to be erased, asked about.

use beadle_server::demo::{Council, Invited, Town, text, until};
use beadle_simulator::apple::phone::{Phone, PhoneHandle, PhoneOptions, SeenCommand};
use beadle_tests::PATIENCE;
use serde_json::{Value, json};

pub(crate) async fn enrolled(
    town: &Town,
    council: &Council,
    tag: &str,
    change: impl FnOnce(&mut PhoneOptions),
) -> (Invited, PhoneHandle) {
    let mut options = town.phone_options(tag);
    change(&mut options);
    let invited = town.invite(council, tag, &format!("Holder of {tag}"), &options).await.expect("invited");
    let phone = town.enrol(&invited, options).await.expect("enrols");
    phone
        .wait_until(PATIENCE, |state| state.profiles.iter().any(|profile| profile.managed))
        .await
        .expect("the policy arrives");
    (invited, phone)
}

/// Switches a phone off, and waits for the end of a visit that it is in.
pub(crate) async fn switch_off(phone: &PhoneHandle) {
    phone.set_online(false).await.expect("off");
    phone.change(|_| ()).await.expect("off by now");
}

pub(crate) async fn report(council: &Council, invited: &Invited) -> String {
    council
        .clerk
        .api
        .post(&format!("/councils/{}/losses", council.id), json!({ "asset": invited.asset, "place": "a train" }))
        .await
        .and_then(|reported| text(&reported, "/case/id"))
        .expect("reported")
}

/// An order that two people stand behind.
pub(crate) async fn approved(council: &Council, invited: &Invited, case: &str) -> String {
    let order = council
        .clerk
        .api
        .post(&format!("/losses/{case}/orders"), json!({ "asset_tag": invited.tag, "reason": "Stolen." }))
        .await
        .and_then(|order| text(&order, "/id"))
        .expect("asked for");
    let approved = council.chair.api.post(&format!("/orders/{order}/approve"), json!({})).await.expect("approved");
    assert_eq!(text(&approved, "/state").expect("a state"), "approved");
    order
}

pub(crate) async fn order_becomes(council: &Council, order: &str, state: &str) -> Value {
    until(&council.clerk.api, &format!("/orders/{order}"), PATIENCE, |order| {
        order.get("state").and_then(Value::as_str) == Some(state)
    })
    .await
    .expect(state)
}

pub(crate) fn state_of(order: &Value) -> &str {
    order.get("state").and_then(Value::as_str).unwrap_or_default()
}

/// The id of the device that was enrolled as this asset.
pub(crate) async fn device_of(town: &Town, council: &Council, invited: &Invited) -> String {
    text(&town.device(council, invited).await.expect("a device"), "/id").expect("id")
}

/// A phone that visits only when it is told to, enrolled, with everything answered that enrolment asks.
pub(crate) async fn enrolled_by_hand(
    town: &Town,
    council: &Council,
    tag: &str,
    change: impl FnOnce(&mut PhoneOptions),
) -> (Invited, Phone) {
    let mut options = town.phone_options(tag);
    change(&mut options);
    let invited = town.invite(council, tag, &format!("Holder of {tag}"), &options).await.expect("invited");
    let mut phone = Phone::new(options).expect("a phone");
    phone.enrol(&invited.link).await.expect("enrols");
    phone.poll().await.expect("polls");
    let device = device_of(town, council, &invited).await;
    all_answered(council, &device).await;
    (invited, phone)
}

/// A device's commands, newest first.
pub(crate) async fn commands(council: &Council, device: &str) -> Vec<Value> {
    let page = council.clerk.api.get(&format!("/devices/{device}/commands?limit=200")).await.expect("the commands");
    page["items"].as_array().cloned().expect("a list")
}

/// Waits until nothing is open for the device, and gives its commands.
pub(crate) async fn all_answered(council: &Council, device: &str) -> Vec<Value> {
    let page = until(&council.clerk.api, &format!("/devices/{device}/commands?limit=200"), PATIENCE, |page| {
        page["items"].as_array().is_some_and(|items| items.iter().all(|command| command["ended_at"].is_string()))
    })
    .await
    .expect("everything is answered");
    page["items"].as_array().cloned().expect("a list")
}

/// Waits until a command is in a state, and gives it.
pub(crate) async fn command_becomes(council: &Council, device: &str, id: &str, state: &str) -> Value {
    let find = |page: &Value| {
        page["items"].as_array().into_iter().flatten().find(|command| command["id"] == id).cloned().unwrap_or_default()
    };
    let path = format!("/devices/{device}/commands?limit=200");
    let page = until(&council.clerk.api, &path, PATIENCE, |page| find(page)["state"] == state).await;
    find(&page.unwrap_or_else(|problem| panic!("{id} does not become {state}: {problem}")))
}

/// The one command of a kind in a state.
pub(crate) fn only<'a>(commands: &'a [Value], kind: &str, state: &str) -> &'a Value {
    let mut found = commands.iter().filter(|command| command["kind"] == kind && command["state"] == state);
    match (found.next(), found.next()) {
        (Some(command), None) => command,
        (None, _) => panic!("no {kind} is {state}: {commands:#?}"),
        (Some(_), Some(_)) => panic!("more than one {kind} is {state}: {commands:#?}"),
    }
}

/// Changes the policy in a way that every phone can follow.
pub(crate) async fn change_policy(council: &Council, pin_length: u8) {
    let set = json!({ "set": { "passcode.minimum_length": pin_length } });
    council.clerk.api.patch(&format!("/councils/{}/policy", council.id), set).await.expect("changes the policy");
}

/// The same, and waits until the change waits for the device: a profile and the questions that go with it.
pub(crate) async fn policy_changes(council: &Council, device: &str, pin_length: u8) {
    change_policy(council, pin_length).await;
    until(&council.clerk.api, &format!("/devices/{device}/commands?limit=200"), PATIENCE, |page| {
        let open = page["items"].as_array().into_iter().flatten().filter(|command| command["ended_at"].is_null());
        open.count() >= 5
    })
    .await
    .expect("the change waits for the phone");
}

/// The open alerts of one kind.
pub(crate) async fn alerts(council: &Council, kind: &str) -> Vec<Value> {
    let page = council.clerk.api.get(&format!("/councils/{}/alerts?limit=200", council.id)).await.expect("the alerts");
    let items = page["items"].as_array().cloned().expect("a list");
    items.into_iter().filter(|alert| alert["kind"] == kind && alert["ended_at"].is_null()).collect()
}

/// Waits until an alert of this kind is open (or, with `false`, none).
pub(crate) async fn alert_is_open(council: &Council, kind: &str, open: bool) {
    until(&council.clerk.api, &format!("/councils/{}/alerts?limit=200", council.id), PATIENCE, |page| {
        let mut alerts = page["items"].as_array().into_iter().flatten();
        alerts.any(|alert| alert["kind"] == kind && alert["ended_at"].is_null()) == open
    })
    .await
    .unwrap_or_else(|problem| panic!("the alert {kind}: {problem}"));
}

/// How a phone answered a command each time that it was given it.
pub(crate) fn answers(seen: &[SeenCommand], id: &str) -> Vec<Option<String>> {
    seen.iter().filter(|command| command.uuid.eq_ignore_ascii_case(id)).map(|command| command.status.clone()).collect()
}

/// The push token of a phone that lives by itself.
pub(crate) async fn token_of(phone: &PhoneHandle) -> Vec<u8> {
    let token = phone.change(|phone| phone.push_token().map(<[u8]>::to_vec)).await.expect("a moment");
    token.expect("a push token")
}

/// How many pushes of any outcome went to this phone.
pub(crate) fn pushes(town: &Town, token: &[u8]) -> usize {
    let token: String = token.iter().map(|byte| format!("{byte:02x}")).collect();
    town.push.log().iter().filter(|push| push.token == token).count()
}
