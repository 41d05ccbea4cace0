//! What is read at Google and in which order, against what becomes of losses, commands and orders.

mod taken_back;

use chrono::Duration;
use serde_json::json;

use super::dispatch::{self, Step};
use super::observe::{self, Observed};
use super::outcome::{self, Standing};
use super::{Seen, device_of, enterprise_of};
use crate::model::{Actor, CaseId, Mode, Moment, OrderId, OrderState, Scope};
use crate::operations::losses;
use crate::operations::orders::tests::scene::{Phone, Scene, sql_time};
use crate::store::google_operations::GoogleOperation;
use crate::testing::on_both;

mod crossing;
mod found;
mod pacing;
mod postures;
mod refused;
mod taking_back;
mod withdrawn;
mod words;

const ENTERPRISE: &str = "enterprises/LC1";

#[test]
fn names_lead_to_their_owners() {
    assert_eq!(enterprise_of("enterprises/LC1/devices/d1"), Some(ENTERPRISE));
    assert_eq!(device_of("enterprises/LC1/devices/d1/operations/7"), Some("enterprises/LC1/devices/d1"));
    for odd in ["", "enterprises", "enterprises//devices/x", "devices/LC1/x", "enterprises/LC1"] {
        assert_eq!(enterprise_of(odd), None, "{odd}");
    }
}

/// An Android phone that Google enrolled, with Android 15; the council is connected.
fn android(scene: &Scene, tag: &str, mode: &str, ownership: &str) -> Phone {
    let council = scene.council.clone();
    let phone = scene.phone_of(&council, tag, mode, ownership);
    let now = sql_time(scene.bench.clock.now());
    let (device, enrolment, asset) = (&phone.device, &phone.enrolment, &phone.asset);
    scene
        .sql(&format!(
            "UPDATE assets SET platform = 'android' WHERE id = '{asset}'; \
             UPDATE devices SET platform = 'android' WHERE id = '{device}'; \
             UPDATE enrolments SET platform = 'android' WHERE id = '{enrolment}'; \
             INSERT INTO google_projects (id, slot, client_email, sealed_key, notifications_ready, paced_until, \
             connected_by, connected_at, changed_at) VALUES ('project', 1, 'beadle@project', {blob}, TRUE, '{now}', \
             'test', '{now}', '{now}') ON CONFLICT DO NOTHING; \
             INSERT INTO google_enterprises (council_id, id, project_id, name, notifications_on, connected_by, \
             connected_at) VALUES ('{council}', 'enterprise', 'project', '{ENTERPRISE}', TRUE, 'test', '{now}') \
             ON CONFLICT DO NOTHING; \
             INSERT INTO android_enrolments (council_id, enrolment_id, device_name, posture, posture_sent, api_level, \
             google_state, reported_at, read_at) VALUES ('{council}', '{enrolment}', '{name}', 'everyday', 'everyday', \
             35, 'ACTIVE', '{now}', '{now}')",
            blob = scene.blob("00"),
            name = name(&phone),
        ))
        .expect("an Android phone");
    phone
}

fn name(phone: &Phone) -> String {
    format!("{ENTERPRISE}/devices/{}", phone.enrolment)
}

/// What Google says of the phone: it reported at `at`.
fn seen(phone: &Phone, state: &str, at: Moment) -> Seen {
    Seen {
        name: name(phone),
        state: state.to_owned(),
        mode: Some(Mode::FullyManaged),
        api_level: Some(35),
        reported_at: Some(at),
        raw: json!({ "name": name(phone) }),
        ..Seen::default()
    }
}

async fn observe(scene: &Scene, seen: Seen, asked_at: Moment) -> Observed {
    scene.run(Actor::System, move |tx, context| observe::observe(tx, context, &seen, asked_at)).await.expect("observed")
}

async fn next(scene: &Scene, phone: &Phone) -> Step {
    let (council, enrolment) = (scene.council.clone(), phone.enrolment.clone());
    scene
        .run(Actor::System, move |tx, context| dispatch::next(tx, context, &council, &enrolment, Some(context.now)))
        .await
        .expect("decided")
}

/// Google takes the call that is next, and the operation has a name.
async fn issue(scene: &Scene, phone: &Phone) -> (dispatch::Phone, GoogleOperation) {
    let (it, operation) = match next(scene, phone).await {
        Step::Call(it, operation, _) | Step::Order(it, operation, _) => (it, operation),
        other => panic!("nothing to call: {other:?}"),
    };
    let issued = operation.clone();
    let name = format!("{}/operations/{}", name(phone), operation.id);
    scene.run(Actor::System, move |tx, context| outcome::issued(tx, context, &issued, &name)).await.expect("issued");
    (it, operation)
}

async fn ends(scene: &Scene, phone: &dispatch::Phone, operation: &GoogleOperation, standing: Standing) {
    let (phone, operation) = (phone.clone(), operation.clone());
    scene
        .run(Actor::System, move |tx, context| outcome::checked(tx, context, &phone, &operation, &standing))
        .await
        .expect("checked");
}

/// In lost mode by the phone's own word, then found; the call that ends lost mode is at Google.
async fn found(scene: &Scene, phone: &Phone) -> (CaseId, dispatch::Phone, GoogleOperation) {
    let case = scene.report(phone).await.case.id;
    let (it, locking) = issue(scene, phone).await;
    assert_eq!(locking.kind, "START_LOST_MODE");
    ends(scene, &it, &locking, Standing::Done(json!({}))).await;
    scene.bench.clock.advance(Duration::minutes(5));
    let id = case.clone();
    scene.run(scene.clerk(), move |tx, context| losses::found(tx, context, &id)).await.expect("found");
    let (it, ending) = issue(scene, phone).await;
    assert_eq!(ending.kind, "STOP_LOST_MODE");
    scene.bench.clock.advance(Duration::seconds(5));
    (case, it, ending)
}

async fn is_back_in_use(scene: &Scene, case: &CaseId) -> bool {
    let case = case.clone();
    let row = scene.run(Actor::System, move |tx, _| crate::store::cases::find(tx, &case)).await.expect("reads");
    row.expect("a case").back_in_use_at.is_some()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_found_phone_is_back_in_use_whichever_is_read_first_its_report_or_the_end_of_lost_mode() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        for (tag, report_first) in [("A-1", true), ("A-2", false)] {
            let phone = android(&scene, tag, "fully_managed", "council");
            let (case, it, ending) = found(&scene, &phone).await;
            let now = scene.bench.clock.now();
            if report_first {
                observe(&scene, seen(&phone, "ACTIVE", now), now).await;
                assert!(!is_back_in_use(&scene, &case).await, "the end of lost mode is not known yet");
            }
            ends(&scene, &it, &ending, Standing::Done(json!({}))).await;
            assert!(is_back_in_use(&scene, &case).await, "{tag}");
        }
        scene.check().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_phone_in_lost_mode_reports_does_not_say_that_it_is_back_in_use() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        // Google may say it as what the phone is to be, or as what it is.
        for (tag, state, applied) in [("A-1", "LOST", None), ("A-2", "ACTIVE", Some("LOST"))] {
            let phone = android(&scene, tag, "fully_managed", "council");
            let (case, it, ending) = found(&scene, &phone).await;
            // It could not be ended: no word of somebody who uses it.
            ends(&scene, &it, &ending, Standing::Failed("it cannot be ended now".to_owned())).await;
            let now = scene.bench.clock.now();
            let report = Seen { applied_state: applied.map(str::to_owned), ..seen(&phone, state, now) };
            observe(&scene, report, now).await;
            assert!(!is_back_in_use(&scene, &case).await, "{tag}");
            let later = now + Duration::minutes(1);
            let report = Seen { applied_state: Some("ACTIVE".to_owned()), ..seen(&phone, "ACTIVE", later) };
            observe(&scene, report, later).await;
            assert!(is_back_in_use(&scene, &case).await, "somebody ended it on the phone");
        }
        scene.check().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_answer_changes_nothing_and_a_deleted_phone_stays_gone() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        let phone = android(&scene, "A-1", "fully_managed", "council");
        let start = scene.bench.clock.now();
        let (early, late) = (start + Duration::minutes(1), start + Duration::minutes(2));
        assert!(matches!(observe(&scene, seen(&phone, "ACTIVE", late), late).await, Observed::Known(_)));
        observe(&scene, seen(&phone, "DELETED", early), early).await;
        let (council, id) = (scene.council.clone(), phone.enrolment.clone());
        let row = scene
            .run(Actor::System, move |tx, _| crate::store::enrolments::find(tx, &council, &id))
            .await
            .expect("reads")
            .expect("an enrolment");
        assert!(row.ended_at.is_none(), "an answer from before does not count");
        assert_eq!(row.last_seen_at, late);
        let later = late + Duration::minutes(1);
        assert_eq!(observe(&scene, seen(&phone, "DELETED", later), later).await, Observed::Gone);
        let again = later + Duration::minutes(1);
        observe(&scene, seen(&phone, "ACTIVE", again), again).await;
        let (council, id) = (scene.council.clone(), phone.enrolment.clone());
        let row = scene.run(Actor::System, move |tx, _| crate::store::enrolments::find(tx, &council, &id)).await;
        assert!(row.expect("reads").expect("an enrolment").ended_at.is_some());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_ran_out_at_google_is_given_to_it_again_and_never_beside_another() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        let phone = android(&scene, "A-1", "fully_managed", "council");
        let order = scene.approved(&phone).await;
        let mut wipes = 0;
        let (it, first) = loop {
            // The lock comes after the order here; what is asked for last is the wipe's turn first.
            let (it, operation) = issue(&scene, &phone).await;
            if operation.order_id.is_some() {
                wipes += 1;
                break (it, operation);
            }
        };
        assert_eq!(scene.state(&order.id).await, OrderState::Pushed);
        for _ in 0..4 {
            scene.bench.clock.advance(Duration::minutes(20));
            if let Step::Order(..) = next(&scene, &phone).await {
                panic!("a second wipe while the first is under way");
            }
        }
        ends(&scene, &it, &first, Standing::Expired).await;
        assert_eq!(scene.state(&order.id).await, OrderState::Unreachable);
        let (it, second) = loop {
            match next(&scene, &phone).await {
                Step::Order(it, operation, _) => break (it, operation),
                Step::Check(it, operation) => ends(&scene, &it, &operation, Standing::Done(json!({}))).await,
                Step::Call(it, operation, _) => ends(&scene, &it, &operation, Standing::Done(json!({}))).await,
                other => panic!("the order is not given out again: {other:?}"),
            }
        };
        wipes += 1;
        ends(&scene, &it, &second, Standing::Done(json!({}))).await;
        assert_eq!((scene.state(&order.id).await, wipes), (OrderState::Confirmed, 2));
        scene.check().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_hand_written_row_lets_a_personal_phone_be_erased_whole() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        let changes: [fn(&Phone, &OrderId) -> String; 5] = [
            |_, order| format!("UPDATE orders SET scope = 'erase_device' WHERE id = '{order}'"),
            |phone, _| format!("UPDATE enrolments SET mode = 'fully_managed' WHERE id = '{}'", phone.enrolment),
            |phone, _| format!("UPDATE enrolments SET ownership = 'council' WHERE id = '{}'", phone.enrolment),
            |phone, order| {
                format!(
                    "UPDATE enrolments SET ownership = 'council', mode = 'fully_managed' WHERE id = '{}'; UPDATE orders \
                     SET ownership = 'council', mode = 'fully_managed', scope = 'erase_device' WHERE id = '{order}'",
                    phone.enrolment
                )
            },
            |phone, order| {
                format!(
                    "UPDATE assets SET ownership = 'council' WHERE id = '{}'; UPDATE orders SET ownership = 'council', \
                     scope = 'erase_device' WHERE id = '{order}'",
                    phone.asset
                )
            },
        ];
        for (number, change) in changes.into_iter().enumerate() {
            // Past the cap of orders in one day.
            scene.bench.clock.advance(Duration::days(2));
            let phone = android(&scene, &format!("A-{number}"), "personal_work_profile", "personal");
            let order = scene.approved(&phone).await;
            assert_eq!(scene.order(&order.id).await.scope, Scope::EraseWorkProfile);
            let change = change(&phone, &order.id);
            if scene.sql(&change).is_err() {
                continue;
            }
            while let Step::Call(it, operation, _) = next(&scene, &phone).await {
                ends(&scene, &it, &operation, Standing::Done(json!({}))).await;
            }
            assert_eq!(scene.state(&order.id).await, OrderState::Held, "{change}");
        }
        scene.check().await;
    })
    .await;
}

/// Whether the job that is queued for the phone is to ask Google for news; `None` where none is queued.
async fn hint(scene: &Scene, phone: &Phone) -> Option<bool> {
    let key = crate::operations::jobs::wake_key(&phone.enrolment);
    let job = scene.run(Actor::System, move |tx, _| crate::store::jobs::find_by_key(tx, &key)).await.expect("reads")?;
    let wake: crate::operations::jobs::Wake = serde_json::from_str(&job.payload).expect("a wake-up");
    Some(wake.hint)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_that_was_just_read_is_not_read_again_unless_something_of_it_is_under_way() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        let (quiet, busy) = (android(&scene, "A-1", "fully_managed", "council"), {
            let phone = android(&scene, "A-2", "fully_managed", "council");
            scene.report(&phone).await;
            issue(&scene, &phone).await;
            phone
        });
        for (phone, expected) in [(quiet, false), (busy, true)] {
            let now = scene.bench.clock.now();
            let Observed::Known(it) = observe(&scene, seen(&phone, "ACTIVE", now), now).await else {
                panic!("it is known")
            };
            scene
                .run(Actor::System, move |tx, context| observe::look_at_what_waits(tx, context, &it))
                .await
                .expect("looked");
            assert_eq!(hint(&scene, &phone).await, Some(expected), "{}", phone.tag);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_pin_is_cleared_on_a_phone_that_is_managed_otherwise_than_invited() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        for (tag, disagrees) in [("A-1", false), ("A-2", true)] {
            let phone = android(&scene, tag, "fully_managed", "council");
            let device = phone.device.clone();
            scene
                .run(scene.clerk(), move |tx, context| {
                    crate::operations::devices::clear_passcode(tx, context, &device, "Mrs P").map(drop)
                })
                .await
                .expect("asked for");
            let disagreeing =
                format!("UPDATE enrolments SET mode_disagrees = {disagrees} WHERE id = '{}'", phone.enrolment);
            scene.sql(&disagreeing).expect("sql");
            let step = next(&scene, &phone).await;
            assert_eq!(matches!(step, Step::Call(..)), !disagrees, "{step:?}");
        }
    })
    .await;
}
