//! What phones do now and then: put off, refuse, dawdle, lose what they were told or what they meant to say, repeat, garble.
//! Whatever it is, the queue goes on, nothing is done twice, and nothing is called done that the phone did not say.

use std::collections::BTreeSet;
use std::time::Duration;

use beadle_server::demo::{Town, text, until};
use beadle_server::model::{Actor, CommandKind, CouncilId, EnrolmentId};
use beadle_server::operations::commands::{self as queue, NewCommand};
use beadle_server::store;
use beadle_simulator::apple::phone::{Behaviour, ErrorItem, Message, PhoneState, PollEnd};
use beadle_tests::{PATIENCE, on_both, wait_for_hours};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::steps::{
    alert_is_open, alerts, all_answered, answers, approved, change_policy, command_becomes, commands, device_of,
    enrolled, enrolled_by_hand, only, order_becomes, policy_changes, pushes, report, state_of, switch_off, token_of,
};

/// So long that only a push of the server can be what brought a phone back.
const NEVER: Duration = Duration::from_secs(24 * 3600);
/// An answer that does not begin to come within this is not worth waiting for.
const LINGER: Duration = Duration::from_secs(20);

fn given(state: &PhoneState, kind: &str) -> usize {
    state.commands_of(kind).len()
}

fn said(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_comes_back_to_a_phone_that_said_not_now() {
    on_both(async |town: &Town| {
        let council = town.council("germoe", "Germoe Parish Council", "germoe").await.expect("a council");
        let (invited, phone) = enrolled(town, &council, "GPC-001", |options| options.not_now_retry = NEVER).await;
        let (other, second) = enrolled(town, &council, "GPC-002", |_| {}).await;
        let (device, other) = (device_of(town, &council, &invited).await, device_of(town, &council, &other).await);
        all_answered(&council, &device).await;
        phone
            .behave(Behaviour::NotNow { request_type: "InstallProfile".to_owned(), times: 1 })
            .await
            .expect("iOS puts profiles off");
        change_policy(&council, 8).await;
        // It goes on to what comes after, so NotNow is not the last thing it says and iOS does not come back by itself.
        until(&council.clerk.api, &format!("/devices/{device}/commands"), PATIENCE, |page| {
            let open: Vec<&Value> = page["items"].as_array().into_iter().flatten().collect();
            let open: Vec<_> = open.into_iter().filter(|command| command["ended_at"].is_null()).collect();
            open.len() == 1 && open[0]["kind"] == "install_profile" && open[0]["state"] == "deferred"
        })
        .await
        .expect("the profile alone is put off");
        let put_off = commands(&council, &device).await;
        let put_off = text(only(&put_off, "install_profile", "deferred"), "/id").expect("id");
        let token = token_of(&phone).await;
        let before = pushes(town, &token);

        // Fifty seconds later the workers look at what is due: the other phone is locked, this one is left alone.
        town.clock.advance(chrono::Duration::seconds(50));
        council.clerk.api.post(&format!("/devices/{other}/lock"), json!({})).await.expect("locks");
        second.wait_until(PATIENCE, |state| state.locked).await.expect("locks");
        assert_eq!(pushes(town, &token), before, "a phone that said not now is not pestered");
        assert_eq!(answers(&phone.snapshot().commands, &put_off), [said("NotNow")]);

        town.clock.advance(chrono::Duration::seconds(11));
        let done = command_becomes(&council, &device, &put_off, "acknowledged").await;
        assert_eq!(done["offers"], 2, "{done}");
        assert!(pushes(town, &token) > before, "it was the server that came back");
        let state = phone.snapshot();
        assert_eq!(answers(&state.commands, &put_off), [said("NotNow"), said("Acknowledged")]);
        assert!(state.violations.is_empty(), "{:?}", state.violations);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_lost_mode_forbids_waits_for_its_end() {
    on_both(async |town: &Town| {
        let council = town.council("germoe", "Germoe Parish Council", "germoe").await.expect("a council");
        let (invited, phone) = enrolled(town, &council, "GPC-001", |options| {
            options.supervised = true;
            options.not_now_retry = NEVER;
        })
        .await;
        let device = device_of(town, &council, &invited).await;
        let case = report(&council, &invited).await;
        phone.wait_until(PATIENCE, |state| state.lost_mode.is_some()).await.expect("Lost Mode");
        all_answered(&council, &device).await;
        let chain = vec![ErrorItem::lost_mode()];
        phone
            .behave(Behaviour::Refuse { request_type: "InstallProfile".to_owned(), chain, times: u32::MAX })
            .await
            .expect("refuses");
        change_policy(&council, 8).await;
        let path = format!("/devices/{device}/commands");
        let page = until(&council.clerk.api, &path, PATIENCE, |page| {
            let mut items = page["items"].as_array().into_iter().flatten();
            items.any(|command| command["kind"] == "install_profile" && command["state"] == "deferred")
        })
        .await
        .expect("it is put off");
        let waiting = only(page["items"].as_array().expect("a list"), "install_profile", "deferred");
        let profile = text(waiting, "/id").expect("id");
        assert!(waiting["problem"].as_str().is_some_and(|problem| problem.contains("Lost Mode")), "{waiting}");
        assert!(alerts(&council, "profile_refused").await.is_empty(), "waiting is no failure");

        phone.change(|phone| phone.behave_well()).await.expect("behaves");
        council.clerk.api.post(&format!("/losses/{case}/found"), json!({})).await.expect("found");
        phone.wait_until(PATIENCE, |state| state.lost_mode.is_none()).await.expect("Lost Mode ends");
        town.clock.advance(chrono::Duration::seconds(61));
        command_becomes(&council, &device, &profile, "acknowledged").await;
        let answered = answers(&phone.snapshot().commands, &profile);
        assert_eq!(answered.last(), Some(&said("Acknowledged")), "{answered:?}");
        assert!(answered.iter().rev().skip(1).all(|answer| *answer == said("Error")), "{answered:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_is_told_and_stops_nothing() {
    on_both(async |town: &Town| {
        let council = town.council("germoe", "Germoe Parish Council", "germoe").await.expect("a council");
        let (invited, mut phone) = enrolled_by_hand(town, &council, "GPC-001", |_| {}).await;
        let device = device_of(town, &council, &invited).await;
        for (kind, request_type, alert) in
            [("install_profile", "InstallProfile", "profile_refused"), ("device_lock", "DeviceLock", "lock_failed")]
        {
            let ask = async |pin_length: u8| {
                if kind == "device_lock" {
                    council.clerk.api.post(&format!("/devices/{device}/lock"), json!({})).await.expect("locks");
                } else {
                    policy_changes(&council, &device, pin_length).await;
                }
            };
            let chain = vec![ErrorItem::mdm(4001, "The disk is full.")];
            phone
                .behave(Behaviour::Refuse { request_type: request_type.to_owned(), chain, times: 1 })
                .expect("refuses");
            ask(9).await;
            let waiting = commands(&council, &device).await;
            let waiting = waiting.iter().filter(|command| command["ended_at"].is_null()).count();
            let outcome = phone.poll().await.expect("polls");
            assert_eq!(outcome.end, PollEnd::Empty);
            assert_eq!(outcome.commands.len(), waiting, "everything is offered all the same");
            let all = all_answered(&council, &device).await;
            let failed = only(&all, kind, "failed");
            assert!(
                failed["problem"].as_str().is_some_and(|problem| problem.contains("The disk is full.")),
                "{failed}"
            );
            assert_eq!(alerts(&council, alert).await.len(), 1, "somebody is told");
            assert!(!phone.snapshot().locked);

            ask(10).await;
            phone.poll().await.expect("polls");
            alert_is_open(&council, alert, false).await;
        }
        assert!(phone.snapshot().locked, "the second lock was obeyed");
    })
    .await;
}

/// What can happen between a phone and a server, one at a time, while five commands wait.
fn mishaps() -> Vec<(&'static str, Behaviour)> {
    let kind = |request_type: &str| request_type.to_owned();
    vec![
        ("dawdles", Behaviour::Slow { pause: Duration::from_millis(300), times: 4 }),
        ("half an Idle", Behaviour::DropBeforeSending { message: Message::Idle, times: 1 }),
        ("half an answer", Behaviour::DropBeforeSending { message: Message::Answer, times: 2 }),
        (
            "an Idle whose command is lost",
            Behaviour::DropBeforeReading { message: Message::Idle, times: 1, linger: LINGER },
        ),
        (
            "answers whose next command is lost",
            Behaviour::DropBeforeReading { message: Message::Answer, times: 2, linger: LINGER },
        ),
        (
            "an answer on a line cut at once",
            Behaviour::DropBeforeReading { message: Message::Answer, times: 1, linger: Duration::ZERO },
        ),
        ("a command forgotten", Behaviour::ForgetCommand { request_type: kind("SecurityInfo"), times: 1 }),
        ("an answer forgotten", Behaviour::ForgetAnswer { request_type: kind("InstallProfile"), times: 1 }),
        ("answers sent twice", Behaviour::RepeatAnswer { times: 3 }),
        ("answers to nothing", Behaviour::UnknownAnswer { times: 3 }),
        ("an answer that cannot be read", Behaviour::UndecodableAnswer { times: 1 }),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn no_mishap_on_the_line_stops_the_queue_or_loses_a_command() {
    on_both(async |town: &Town| {
        let council = town.council("germoe", "Germoe Parish Council", "germoe").await.expect("a council");
        let (invited, mut phone) = enrolled_by_hand(town, &council, "GPC-001", |_| {}).await;
        let device = device_of(town, &council, &invited).await;
        for (index, (what, mishap)) in mishaps().into_iter().enumerate() {
            let seen_before = phone.snapshot().commands.len();
            policy_changes(&council, &device, if index % 2 == 0 { 9 } else { 10 }).await;
            let waiting: BTreeSet<String> = commands(&council, &device)
                .await
                .iter()
                .filter(|command| command["ended_at"].is_null())
                .map(|command| text(command, "/id").expect("id"))
                .collect();
            assert!(waiting.len() >= 5, "{what}: {waiting:?}");
            let strays = matches!(mishap, Behaviour::UndecodableAnswer { .. });
            phone.behave(mishap).expect("misbehaves");
            let first = phone.poll().await.expect("polls");
            if strays {
                let all = commands(&council, &device).await;
                let open: Vec<_> = all.iter().filter(|command| command["ended_at"].is_null()).collect();
                assert_eq!(open.len(), 1, "{what}: all but the one that was garbled are done: {open:#?}");
                assert_eq!(open[0]["state"], "deferred", "{what}");
                assert_eq!(first.commands.len(), waiting.len(), "{what}: the queue went on in the same visit");
            }
            // A phone comes back after a push; here its visits are counted instead.
            let mut visits = 1;
            while !commands(&council, &device).await.iter().all(|command| command["ended_at"].is_string()) {
                phone.poll().await.expect("polls");
                visits += 1;
                assert!(visits < 6, "{what}: the queue stands still: {:#?}", commands(&council, &device).await);
            }
            let all = commands(&council, &device).await;
            for id in &waiting {
                let command = all.iter().find(|command| command["id"] == *id.as_str()).expect("is kept");
                assert_eq!(command["state"], "acknowledged", "{what}: {command}");
            }
            let seen: Vec<_> = phone.snapshot().commands.split_off(seen_before);
            let told: BTreeSet<String> = seen.iter().map(|command| command.uuid.to_lowercase()).collect();
            assert!(told.is_superset(&waiting), "{what}: {told:?} lacks some of {waiting:?}");
            let repeated: Vec<_> = waiting.iter().filter(|id| answers(&seen, id).len() > 1).collect();
            match what {
                // What the phone forgot, or the server could not read, has to be given once more; a next command that was lost
                // on the line is given again, but was never there before.
                "a command forgotten" | "an answer forgotten" | "an answer that cannot be read" => {
                    assert_eq!(repeated.len(), 1, "{what}: {seen:#?}");
                    assert_eq!(answers(&seen, repeated[0]).last(), Some(&said("Acknowledged")), "{what}");
                }
                _ => assert!(repeated.is_empty(), "{what}: done twice: {seen:#?}"),
            }
        }
        let state = phone.snapshot();
        assert!(state.enrolled && state.violations.is_empty(), "{:?}", state.violations);
        let faults: Vec<_> = state.http.iter().filter(|exchange| exchange.status.is_some_and(|it| it >= 400)).collect();
        assert!(faults.is_empty(), "{faults:?}");
        assert!(alerts(&council, "profile_refused").await.is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_is_done_when_the_phone_says_so_and_pushed_until_then() {
    on_both(async |town: &Town| {
        let council = town.council("germoe", "Germoe Parish Council", "germoe").await.expect("a council");
        let (invited, phone) = enrolled(town, &council, "GPC-001", |options| options.failure_retry = NEVER).await;
        let device = device_of(town, &council, &invited).await;
        let lock = async || {
            all_answered(&council, &device).await;
            let queued = council.clerk.api.post(&format!("/devices/{device}/lock"), json!({})).await;
            queued.and_then(|queued| text(&queued, "/command/id")).expect("locks")
        };

        // The command is lost on the way: the server gave it out, and the phone never saw it.
        all_answered(&council, &device).await;
        let lost = Behaviour::DropBeforeReading { message: Message::Idle, times: 1, linger: LINGER };
        phone.behave(lost).await.expect("misbehaves");
        let first = lock().await;
        let sent = command_becomes(&council, &device, &first, "sent").await;
        assert_eq!(sent["offers"], 1, "{sent}");
        // Between two visits, so that the cut line is behind it.
        let state = phone.change(|phone| phone.snapshot()).await.expect("a moment");
        assert!(!state.locked && given(&state, "DeviceLock") == 0, "the phone knows of no lock");
        town.clock.advance(chrono::Duration::seconds(31));
        phone.wait_until(PATIENCE, |state| state.locked).await.expect("locks after the second push");
        let done = command_becomes(&council, &device, &first, "acknowledged").await;
        assert_eq!(done["offers"], 2, "{done}");
        assert_eq!(answers(&phone.snapshot().commands, &first), [said("Acknowledged")], "under the same id");

        // The answer is lost: the phone is locked, and the server does not claim to know it.
        phone.change(|phone| phone.unlock()).await.expect("opened again");
        let forgets = Behaviour::ForgetAnswer { request_type: "DeviceLock".to_owned(), times: 1 };
        phone.behave(forgets).await.expect("misbehaves");
        let second = lock().await;
        phone.wait_until(PATIENCE, |state| state.locked).await.expect("locks");
        let unknown = commands(&council, &device).await;
        assert_eq!(text(only(&unknown, "device_lock", "sent"), "/id").expect("id"), second, "nobody said it was done");
        town.clock.advance(chrono::Duration::seconds(31));
        command_becomes(&council, &device, &second, "acknowledged").await;
        assert_eq!(answers(&phone.snapshot().commands, &second), [None, said("Acknowledged")]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_was_lost_on_the_way_is_offered_again_under_its_id() {
    on_both(async |town: &Town| {
        let council = town.council("germoe", "Germoe Parish Council", "germoe").await.expect("a council");
        let (invited, phone) = enrolled(town, &council, "GPC-001", |options| options.failure_retry = NEVER).await;
        let device = device_of(town, &council, &invited).await;
        let case = report(&council, &invited).await;
        phone.wait_until(PATIENCE, |state| state.locked).await.expect("locks");
        all_answered(&council, &device).await;
        let lost = Behaviour::DropBeforeReading { message: Message::Idle, times: 1, linger: LINGER };
        phone.behave(lost).await.expect("misbehaves");
        let order = approved(&council, &invited, &case).await;
        let fetched = order_becomes(&council, &order, "fetched").await;
        let state = phone.change(|phone| phone.snapshot()).await.expect("a moment");
        assert!(!state.wiped && given(&state, "EraseDevice") == 0, "the phone knows of no order");

        town.clock.advance(chrono::Duration::seconds(31));
        phone.wait_until(PATIENCE, |state| state.wiped).await.expect("erases itself after the second push");
        let confirmed = order_becomes(&council, &order, "confirmed").await;
        assert_eq!(confirmed["command"], fetched["command"]);
        let state = phone.snapshot();
        let [erase] = state.commands_of("EraseDevice")[..] else { panic!("{:?}", state.commands) };
        assert_eq!(Some(erase.uuid.as_str()), confirmed["command"].as_str(), "the same id at each offer");
        // The form for a loss: the SIM's plan goes on, so that it can be found, and no phone nearby sets it up.
        let form = erase.command.as_dictionary().expect("a dictionary");
        let flag = |key: &str| form.get(key).and_then(plist::Value::as_boolean);
        assert_eq!((flag("PreserveDataPlan"), flag("DisallowProximitySetup")), (Some(true), Some(true)), "{form:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_phone_whose_answer_was_lost_is_not_called_confirmed() {
    on_both(async |town: &Town| {
        // Two councils: one may not erase three phones within an hour.
        let mut germoe = town.council("germoe", "Germoe Parish Council", "germoe").await.expect("a council");
        let coreley = town.council("coreley", "Coreley Parish Council", "coreley").await.expect("a council");
        let mut orders = Vec::new();
        let mishaps = [
            ("fetched", Behaviour::ForgetAnswer { request_type: "EraseDevice".to_owned(), times: 1 }),
            ("fetched", Behaviour::DropBeforeSending { message: Message::Answer, times: 1 }),
            // The phone hears nothing, but what it said was heard.
            ("confirmed", Behaviour::DropBeforeReading { message: Message::Answer, times: 1, linger: LINGER }),
        ];
        for (number, (state, mishap)) in mishaps.into_iter().enumerate() {
            let council = if state == "confirmed" { &coreley } else { &germoe };
            let (invited, phone) = enrolled(town, council, &format!("PC-{number:03}"), |_| {}).await;
            let device = device_of(town, council, &invited).await;
            let case = report(council, &invited).await;
            phone.wait_until(PATIENCE, |state| state.locked).await.expect("locks");
            all_answered(council, &device).await;
            phone.behave(mishap).await.expect("misbehaves");
            let order = approved(council, &invited, &case).await;
            phone.wait_until(PATIENCE, |state| state.wiped).await.expect("erases itself");
            // Between two visits: the last word was said, or not.
            phone.change(|_| ()).await.expect("a moment");
            order_becomes(council, &order, state).await;
            assert_eq!(given(&phone.snapshot(), "EraseDevice"), 1);
            if state == "fetched" {
                orders.push(order);
            }
        }
        assert_eq!(orders.len(), 2);
        wait_for_hours(town, &mut germoe, 25).await;
        for order in &orders {
            order_becomes(&germoe, order, "presumed_erased").await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_presumed_erased_that_comes_back_is_told_again() {
    on_both(async |town: &Town| {
        let mut council = town.council("germoe", "Germoe Parish Council", "germoe").await.expect("a council");
        let (invited, phone) = enrolled(town, &council, "GPC-001", |_| {}).await;
        let device = device_of(town, &council, &invited).await;
        let case = report(&council, &invited).await;
        phone.wait_until(PATIENCE, |state| state.locked).await.expect("locks");
        all_answered(&council, &device).await;
        let forgets = Behaviour::ForgetCommand { request_type: "EraseDevice".to_owned(), times: 1 };
        phone.behave(forgets).await.expect("misbehaves");
        let order = approved(&council, &invited, &case).await;
        let fetched = order_becomes(&council, &order, "fetched").await;
        phone.wait_until(PATIENCE, |state| given(state, "EraseDevice") == 1).await.expect("it was told");
        // The battery dies before it acts.
        switch_off(&phone).await;
        assert!(!phone.snapshot().wiped);
        wait_for_hours(town, &mut council, 25).await;
        order_becomes(&council, &order, "presumed_erased").await;

        phone.set_online(true).await.expect("on again");
        phone.wait_until(PATIENCE, |state| state.wiped).await.expect("erases itself after all");
        let confirmed = order_becomes(&council, &order, "confirmed").await;
        assert_eq!(confirmed["command"], fetched["command"]);
        let command = text(&confirmed, "/command").expect("a command");
        assert_eq!(answers(&phone.snapshot().commands, &command), [None, said("Acknowledged")]);
        let trail = council.clerk.api.get(&format!("/councils/{}/audit?limit=200", council.id)).await.expect("a trail");
        let kinds: Vec<&str> = trail["items"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|row| row["subject"] == *order.as_str())
            .filter_map(|row| row["kind"].as_str())
            .collect();
        for pair in [["order.fetched", "order.presumed_erased"], ["order.presumed_erased", "order.reopened"]] {
            let at = |kind: &str| kinds.iter().position(|it| *it == kind);
            assert!(at(pair[0]).is_some() && at(pair[0]) < at(pair[1]), "{pair:?} in {kinds:?}");
        }
        assert_eq!(state_of(&confirmed), "confirmed");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_and_sixty_commands_of_sixteen_clients_at_once() {
    const CLIENTS: usize = 16;
    const EACH: usize = 10;
    on_both(async |town: &Town| {
        let council = town.council("germoe", "Germoe Parish Council", "germoe").await.expect("a council");
        let (invited, mut phone) = enrolled_by_hand(town, &council, "GPC-001", |_| {}).await;
        let device = town.device(&council, &invited).await.expect("a device");
        let enrolment = EnrolmentId::from(text(&device, "/enrolment/id").expect("id"));
        let device = text(&device, "/id").expect("id");

        // Sixteen people lock it ten times each: all are told yes, and one lock is in flight.
        let mut clients = JoinSet::new();
        for _ in 0..CLIENTS {
            let (api, path) = (council.clerk.api.clone(), format!("/devices/{device}/lock"));
            clients.spawn(async move {
                let mut ids = Vec::new();
                for _ in 0..EACH {
                    let queued = api.post(&path, json!({})).await.expect("locks");
                    ids.push(text(&queued, "/command/id").expect("id"));
                }
                ids
            });
        }
        let ids: BTreeSet<String> = clients.join_all().await.into_iter().flatten().collect();
        assert_eq!(ids.len(), CLIENTS * EACH, "each has its own");
        let all = commands(&council, &device).await;
        let locks: Vec<_> = all.iter().filter(|command| command["kind"] == "device_lock").collect();
        assert_eq!(locks.len(), CLIENTS * EACH, "none is lost");
        let queued = text(only(&all, "device_lock", "queued"), "/id").expect("id");
        let superseded = locks.iter().filter(|command| command["state"] == "superseded").count();
        assert_eq!(superseded, CLIENTS * EACH - 1);
        phone.poll().await.expect("polls");
        assert_eq!(answers(&phone.snapshot().commands, &queued), [said("Acknowledged")]);
        assert_eq!(given(&phone.snapshot(), "DeviceLock"), 1, "the phone locks once");

        // And as many that all must arrive, queued while the phone is fetching.
        let app = &town.server.as_ref().expect("the server").app;
        let mut clients = JoinSet::new();
        for _ in 0..CLIENTS {
            let (app, council, enrolment) = (app.clone(), CouncilId::from(council.id.as_str()), enrolment.clone());
            clients.spawn(async move {
                for _ in 0..EACH {
                    let context = app.context(Actor::System);
                    let (council, enrolment) = (council.clone(), enrolment.clone());
                    let question = NewCommand {
                        kind: CommandKind::SecurityInfo,
                        payload: json!({}),
                        priority: 50,
                        case: None,
                        expires_in: chrono::Duration::days(1),
                        supersede_key: None,
                    };
                    app.database
                        .write("ask", move |tx| {
                            let phone = store::enrolments::find(tx, &council, &enrolment)?.expect("enrolled");
                            queue::queue(tx, &context, &phone, &question).map(drop)
                        })
                        .await
                        .expect("queues");
                }
            });
        }
        let before = given(&phone.snapshot(), "SecurityInfo");
        while !clients.is_empty() {
            let outcome = phone.poll().await.expect("polls");
            assert_eq!(outcome.end, PollEnd::Empty);
            while let Some(done) = clients.try_join_next() {
                done.expect("a client");
            }
        }
        phone.poll().await.expect("polls once more");
        let seen = phone.snapshot().commands;
        let asked: Vec<_> = seen.iter().filter(|command| command.request_type == "SecurityInfo").skip(before).collect();
        let ids: BTreeSet<&str> = asked.iter().map(|command| command.uuid.as_str()).collect();
        assert_eq!((asked.len(), ids.len()), (CLIENTS * EACH, CLIENTS * EACH), "each arrives, and once");
        all_answered(&council, &device).await;
    })
    .await;
}
