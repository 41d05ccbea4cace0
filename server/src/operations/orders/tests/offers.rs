//! How often an order is offered, what the trail keeps of it, and what becomes of it when its case is closed meanwhile.

use chrono::Duration;

use super::scene::{Phone, Scene};
use crate::model::{Actor, CaseId, CaseState, HeldReason, OrderState};
use crate::operations::orders::Outcome;
use crate::operations::{losses, trail};
use crate::testing::on_both;

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_polls_leave_one_row_and_are_answered_ever_more_slowly() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        let phone = scene.phone("T-1");
        let order = scene.approved(&phone).await;
        let (mut released, mut command) = (0, None);
        for _ in 0..100 {
            if let Some(release) = scene.idle(&phone).await {
                released += 1;
                assert_eq!(command.get_or_insert_with(|| release.command().clone()), release.command());
            }
            scene.bench.clock.advance(Duration::seconds(10));
        }
        assert_eq!(scene.rows("order.fetched", order.id.as_str()).await, 1, "polls are not audited");
        let row = scene.order(&order.id).await;
        // At 0, 10, 20, 50, 170 and 650 seconds.
        assert_eq!((row.state, row.offers, released), (OrderState::Fetched, 6, 6));
        scene.bench.clock.advance(Duration::hours(1));
        assert!(scene.idle(&phone).await.is_some(), "never given up");
        scene.check().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_that_keeps_saying_not_now_is_asked_ever_more_slowly() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        let phone = scene.phone("T-1");
        let order = scene.approved(&phone).await;
        let mut waits = Vec::new();
        for _ in 0..7 {
            let release = scene.idle(&phone).await.expect("offered");
            scene.answer(&phone, &release, Outcome::NotNow).await;
            let row = scene.order(&order.id).await;
            assert_eq!(row.state, OrderState::Approved);
            let wait = row.not_before.expect("put off") - row.changed_at;
            waits.push(wait.num_seconds());
            scene.bench.clock.advance(wait - Duration::seconds(1));
            assert!(scene.idle(&phone).await.is_none(), "not yet");
            scene.bench.clock.advance(Duration::seconds(2));
        }
        assert_eq!(waits, [10, 10, 30, 120, 480, 1800, 1800]);
        scene.check().await;
    })
    .await;
}

async fn presumed_erased(scene: &Scene, phone: &Phone) -> (CaseId, crate::model::OrderId) {
    let order = scene.approved(phone).await;
    scene.idle(phone).await.expect("fetched");
    scene.bench.clock.advance(Duration::hours(25));
    scene.work().await;
    assert_eq!(scene.state(&order.id).await, OrderState::PresumedErased);
    (order.case, order.id)
}

async fn close(scene: &Scene, case: &CaseId) {
    let case = case.clone();
    let closed =
        scene.run(scene.clerk(), move |tx, context| losses::close(tx, context, &case, "wiped, never seen again"));
    assert_eq!(closed.await.expect("closes").case.state, CaseState::Closed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_that_counted_as_erased_is_given_its_order_again_although_the_case_was_closed() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        let phone = scene.phone("T-1");
        let (case, order) = presumed_erased(&scene, &phone).await;
        let command = scene.order(&order).await.command_id;
        close(&scene, &case).await;
        scene.bench.clock.advance(Duration::days(30));
        let release = scene.idle(&phone).await.expect("the thief turned it on");
        assert_eq!(Some(release.command()), command.as_ref());
        assert_eq!(scene.state(&order).await, OrderState::Fetched);
        assert!(scene.alerted("order_reopened", order.as_str()).await);
        assert!(scene.idle(&phone).await.is_some(), "and again");
        scene.answer(&phone, &release, Outcome::Acknowledged).await;
        assert_eq!(scene.state(&order).await, OrderState::Confirmed);
        scene.check().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_that_was_found_is_not_erased_whether_or_not_the_case_is_closed() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        for (tag, closed) in [("T-1", false), ("T-2", true)] {
            let phone = scene.phone(tag);
            let (case, order) = presumed_erased(&scene, &phone).await;
            let found = case.clone();
            scene.run(scene.clerk(), move |tx, context| losses::found(tx, context, &found)).await.expect("found");
            if closed {
                close(&scene, &case).await;
            }
            assert!(scene.idle(&phone).await.is_none());
            assert_eq!(scene.order(&order).await.held_reason, Some(HeldReason::Forbidden));
        }
        // Nor is an order that never counted as that given out because somebody wrote that its case is closed.
        let phone = scene.phone("T-3");
        let order = scene.approved(&phone).await;
        scene.sql(&format!("UPDATE cases SET state = 'closed' WHERE id = '{}'", order.case)).expect("sql");
        assert!(scene.idle(&phone).await.is_none());
        assert_eq!(scene.order(&order.id).await.held_reason, Some(HeldReason::Forbidden));
        scene.check().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_trail_is_read_on_from_where_it_was_checked_and_a_forged_mark_counts_for_nothing() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        let phone = scene.phone("T-1");
        let order = scene.approved(&phone).await;
        let row = scene.order(&order.id).await;
        assert_eq!(row.trail_state, Some(OrderState::Approved));
        scene.idle(&phone).await.expect("released");
        let fetched = scene.order(&order.id).await;
        assert!(fetched.trail_seq > row.trail_seq, "it moves on with each offer");
        assert_eq!(fetched.trail_state, Some(OrderState::Fetched));

        // What was checked at the approval is not walked through again.
        let (council, seq) = (scene.council.clone(), fetched.trail_seq.expect("marked"));
        let state = |row: crate::store::orders::Order| {
            scene.run(Actor::System, move |tx, context| trail::state_of(tx, context, &row))
        };
        scene
            .sql(&format!("UPDATE audit_rows SET kind = 'x' WHERE chain = '{council}' AND seq = {}", seq - 1))
            .expect("sql");
        assert_eq!(state(fetched.clone()).await.expect("reads"), Some(OrderState::Fetched));
        // A mark with another state, another row or another order's seal is no mark: then everything is walked through.
        for change in [
            |row: &mut crate::store::orders::Order| row.trail_state = Some(OrderState::Approved),
            |row: &mut crate::store::orders::Order| row.trail_seq = row.trail_seq.map(|seq| seq - 2),
            |row: &mut crate::store::orders::Order| row.trail_seal = Some(vec![0; 32]),
        ] {
            let mut forged = fetched.clone();
            change(&mut forged);
            assert_eq!(state(forged).await.expect("reads"), None, "the row changed by hand is found");
        }
    })
    .await;
}
