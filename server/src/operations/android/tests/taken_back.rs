//! What Google has of an order is called back when it must be, and the order then stands where its people put it.

use chrono::Duration;
use serde_json::json;

use super::*;
use crate::model::{GoogleOutcome, HeldReason};
use crate::operations::{holds, orders, quarantine};
use crate::store;

/// An approved order whose wipe Google has.
async fn lodged(scene: &Scene, phone: &Phone) -> (OrderId, dispatch::Phone, GoogleOperation) {
    let order = scene.approved(phone).await.id;
    let (it, operation) = issue(scene, phone).await;
    assert_eq!(operation.order_id.as_ref(), Some(&order));
    (order, it, operation)
}

async fn is_called_back(scene: &Scene, phone: &Phone, operation: &GoogleOperation) {
    match next(scene, phone).await {
        Step::Cancel(_, cancelled) => assert_eq!(cancelled.id, operation.id),
        other => panic!("it is not called back: {other:?}"),
    }
}

/// Every step until nothing is to be done, each command being done at once; whether a wipe was among them.
async fn wipes(scene: &Scene, phone: &Phone) -> Option<GoogleOperation> {
    loop {
        match next(scene, phone).await {
            Step::Order(_, operation, _) => return Some(operation),
            Step::Call(it, operation, _) | Step::Check(it, operation) if operation.order_id.is_none() => {
                ends(scene, &it, &operation, Standing::Done(json!({}))).await;
            }
            _ => return None,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_cancelled_while_google_did_not_answer_is_never_sent() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        let phone = android(&scene, "A-1", "fully_managed", "council");
        let order = scene.approved(&phone).await.id;
        let Step::Order(_, operation, _) = next(&scene, &phone).await else { panic!("an order waits") };
        scene.cancel(scene.clerk(), &order).await.expect("asked back");
        assert!(matches!(next(&scene, &phone).await, Step::Look(..)), "first it is looked whether Google had it");
        let found = operation.clone();
        scene
            .run(Actor::System, move |tx, context| outcome::not_made(tx, context, &found, "Google never had it"))
            .await
            .expect("not made");
        assert_eq!(scene.state(&order).await, OrderState::Cancelled);
        assert!(wipes(&scene, &phone).await.is_none());
        scene.check().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_that_comes_while_google_is_asked_counts() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        for (tag, standing) in [("A-1", Standing::Expired), ("A-2", Standing::Unknown), ("A-3", Standing::Cancelled)] {
            scene.bench.clock.advance(Duration::days(2));
            let phone = android(&scene, tag, "fully_managed", "council");
            // Read before the cancel, as the job that asks Google has it in hand.
            let (order, it, operation) = lodged(&scene, &phone).await;
            scene.cancel(scene.clerk(), &order).await.expect("asked back");
            ends(&scene, &it, &operation, standing).await;
            assert_eq!(scene.state(&order).await, OrderState::Cancelled);
            assert!(wipes(&scene, &phone).await.is_none());
        }
        scene.check().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_freeze_calls_back_what_google_was_given_before_it() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        let first = android(&scene, "A-1", "fully_managed", "council");
        let (order, it, operation) = lodged(&scene, &first).await;
        for number in 2.. {
            let phone = android(&scene, &format!("A-{number}"), "fully_managed", "council");
            let asked = scene.requested(&phone).await;
            if scene.approve(scene.chair(), &asked.id).await.is_err() {
                break;
            }
        }
        is_called_back(&scene, &first, &operation).await;
        ends(&scene, &it, &operation, Standing::Cancelled).await;
        let row = scene.order(&order).await;
        assert_eq!((row.state, row.held_reason), (OrderState::Held, Some(HeldReason::Frozen)));
        assert!(wipes(&scene, &first).await.is_none());
        scene.check().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_is_not_a_cancel_and_a_cancel_is_not_a_hold() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        // Held and resumed before Google answers: the order goes on.
        let phone = android(&scene, "A-1", "fully_managed", "council");
        let (order, it, operation) = lodged(&scene, &phone).await;
        let hold = legal_hold(&scene, &phone).await;
        scene.run(scene.clerk(), move |tx, context| holds::end(tx, context, &hold).map(drop)).await.expect("ends");
        scene.resume(scene.clerk(), &order).await.expect("resumed");
        is_called_back(&scene, &phone, &operation).await;
        ends(&scene, &it, &operation, Standing::Cancelled).await;
        assert_eq!(scene.state(&order).await, OrderState::Approved, "nobody cancelled it");
        assert!(wipes(&scene, &phone).await.is_some());

        // Held, and cancelled by a person before Google answers: it stays cancelled.
        scene.bench.clock.advance(Duration::days(2));
        let phone = android(&scene, "A-2", "fully_managed", "council");
        let (order, it, operation) = lodged(&scene, &phone).await;
        let hold = legal_hold(&scene, &phone).await;
        scene.cancel(scene.clerk(), &order).await.expect("asked back");
        scene.run(scene.clerk(), move |tx, context| holds::end(tx, context, &hold).map(drop)).await.expect("ends");
        let refused = scene.resume(scene.clerk(), &order).await.expect_err("it is being taken back");
        assert!(refused.to_string().contains("take this order back"), "{refused}");
        ends(&scene, &it, &operation, Standing::Cancelled).await;
        assert_eq!(scene.state(&order).await, OrderState::Cancelled);
        scene.check().await;
    })
    .await;
}

async fn legal_hold(scene: &Scene, phone: &Phone) -> crate::model::HoldId {
    let device = phone.device.clone();
    scene
        .run(scene.clerk(), move |tx, context| holds::add(tx, context, &device, "the police asked"))
        .await
        .expect("a hold")
        .id
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_of_an_earlier_enrolment_is_called_back_and_can_be_cancelled() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        for (tag, standing) in [("A-1", Standing::Cancelled), ("A-2", Standing::Unknown)] {
            scene.bench.clock.advance(Duration::days(2));
            let phone = android(&scene, tag, "fully_managed", "council");
            let (order, it, operation) = lodged(&scene, &phone).await;
            let council = scene.council.clone();
            let (old, device, asset) = (phone.enrolment.clone(), phone.device.clone(), phone.asset.clone());
            let of = council.clone();
            scene
                .run(Actor::System, move |tx, context| {
                    let row = store::enrolments::find(tx, &of, &old)?.expect("an enrolment");
                    crate::operations::enrolments::end(tx, context, &row, "re_enrolled", "it enrolled again").map(drop)
                })
                .await
                .expect("ended");
            let new = scene.enrol(&council, &device, &asset, "fully_managed", "council", 2);
            let (of, old) = (council.clone(), phone.enrolment.clone());
            scene
                .run(Actor::System, move |tx, context| {
                    let old = store::enrolments::find(tx, &of, &old)?.expect("an enrolment");
                    let new = store::enrolments::find(tx, &of, &new)?.expect("an enrolment");
                    orders::on_re_enrolment(tx, context, &old, &new)
                })
                .await
                .expect("enrolled again");
            is_called_back(&scene, &phone, &operation).await;
            scene.cancel(scene.clerk(), &order).await.expect("asked back");
            ends(&scene, &it, &operation, standing).await;
            assert_eq!(scene.state(&order).await, OrderState::Cancelled);
            assert!(matches!(next(&scene, &phone).await, Step::Rest(None)), "nothing is left open");
        }
        scene.check().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_that_is_gone_leaves_no_operation_of_an_earlier_enrolment_open() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        let phone = android(&scene, "A-1", "fully_managed", "council");
        scene.report(&phone).await;
        let (it, operation) = issue(&scene, &phone).await;
        assert_eq!(operation.kind, "START_LOST_MODE");
        let row = it.enrolment.clone();
        scene
            .run(Actor::System, move |tx, context| {
                crate::operations::enrolments::end(tx, context, &row, "re_enrolled", "it enrolled again").map(drop)
            })
            .await
            .expect("ended");
        is_called_back(&scene, &phone, &operation).await;
        let row = it.enrolment.clone();
        scene
            .run(Actor::System, move |tx, context| super::super::gone::gone(tx, context, &row, "Google has it no more"))
            .await
            .expect("gone");
        let (council, id) = (scene.council.clone(), operation.id.clone());
        let operation = scene
            .run(Actor::System, move |tx, _| store::google_operations::find(tx, &council, &id))
            .await
            .expect("reads");
        assert_eq!(operation.expect("a row").outcome, Some(GoogleOutcome::LostSight));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_restore_it_is_looked_whether_google_has_a_wipe_that_the_database_forgot() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        let phone = android(&scene, "A-1", "fully_managed", "council");
        let order = scene.approved(&phone).await.id;
        scene
            .run(Actor::System, |tx, context| quarantine::begin(tx, context, "the database was restored"))
            .await
            .expect("quarantine");
        let Step::Look(it, doubted) = next(&scene, &phone).await else { panic!("Google is not asked") };
        assert_eq!(doubted.order_id.as_ref(), Some(&order));
        // Google had it: it is taken back, and the order waits for a person.
        let row = doubted.clone();
        let name = format!("{}/operations/7", name(&phone));
        scene.run(Actor::System, move |tx, context| outcome::issued(tx, context, &row, &name)).await.expect("found");
        is_called_back(&scene, &phone, &doubted).await;
        ends(&scene, &it, &doubted, Standing::Cancelled).await;
        let row = scene.order(&order).await;
        assert_eq!((row.state, row.held_reason), (OrderState::Held, Some(HeldReason::Quarantine)));
        assert!(wipes(&scene, &phone).await.is_none());
        scene.check().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_record_is_tidied_away_in_quarantine_under_a_hold_or_while_frozen() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        let phone = android(&scene, "A-1", "fully_managed", "council");
        let (_, it, operation) = lodged(&scene, &phone).await;
        ends(&scene, &it, &operation, Standing::Done(json!({}))).await;
        let may = async |scene: &Scene| {
            let device = name(&phone);
            scene
                .run(Actor::System, move |tx, context| Ok(orders::to_forget(tx, context, &device)?.is_some()))
                .await
                .expect("asked")
        };
        assert!(may(&scene).await);
        let hold = legal_hold(&scene, &phone).await;
        assert!(!may(&scene).await, "under a hold");
        scene.run(scene.clerk(), move |tx, context| holds::end(tx, context, &hold).map(drop)).await.expect("ends");
        assert!(may(&scene).await);
        scene
            .run(Actor::System, |tx, context| quarantine::begin(tx, context, "the database was restored"))
            .await
            .expect("quarantine");
        assert!(!may(&scene).await, "in quarantine");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_ended_account_approved_is_held_also_where_it_counts_as_carried_out() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        let phone = scene.phone("T-1");
        let order = scene.approved(&phone).await;
        scene.idle(&phone).await.expect("fetched");
        scene.bench.clock.advance(Duration::hours(25));
        scene.work().await;
        assert_eq!(scene.state(&order.id).await, OrderState::PresumedErased);
        let chair = scene.chair.clone();
        scene
            .run(scene.provider(), move |tx, context| orders::stop_of_account(tx, context, &chair, "was ended"))
            .await
            .expect("stopped");
        assert_eq!(scene.state(&order.id).await, OrderState::Held);
        assert!(scene.idle(&phone).await.is_none(), "a phone that comes back is not given it");
        scene.check().await;
    })
    .await;
}
