//! Caps against someone who has two accounts and patience, and beyond one council.

use chrono::Duration;

use super::rules::refusal;
use super::scene::{Phone, Scene};
use crate::error::Result;
use crate::model::{Actor, CouncilId, HeldReason, OperatorId, OrderId, OrderState, Role};
use crate::operations::caps::{self, CapScope, CapsView};
use crate::operations::{jobs, operators, orders};
use crate::store;
use crate::testing::on_both;

impl Scene {
    async fn thaw(&self, actor: Actor) -> Result<CapsView> {
        let scope = CapScope::Council(self.council.clone());
        self.run(actor, move |tx, context| caps::thaw(tx, context, &scope)).await
    }

    async fn caps(&self) -> CapsView {
        let scope = CapScope::Council(self.council.clone());
        self.run(self.clerk(), move |tx, context| caps::show(tx, context, &scope)).await.expect("shows")
    }

    async fn alert_of(&self, council: &CouncilId, kind: &'static str) -> Option<String> {
        let council = council.clone();
        let found = self.run(Actor::System, move |tx, _| store::alerts::find_open(tx, &council, kind, "installation"));
        found.await.expect("reads").map(|alert| alert.message)
    }

    /// How many of these orders have left, when every phone asks.
    async fn leaves(&self, phones: &[Phone], orders: &[OrderId]) -> usize {
        let mut left = 0;
        for (phone, order) in phones.iter().zip(orders) {
            self.idle(phone).await;
            left += usize::from(self.order(order).await.first_fetched_at.is_some());
        }
        left
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_orders_are_frozen_nothing_is_approved() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        for tag in ["T-1", "T-2", "T-3"] {
            scene.approved(&scene.phone(tag)).await;
        }
        let waiting = scene.requested(&scene.phone("T-4")).await;
        assert!(refusal(scene.approve(scene.chair(), &waiting.id).await).contains("frozen"));
        let row = scene.order(&waiting.id).await;
        assert_eq!((row.state, row.seal.is_none()), (OrderState::Requested, true), "it waits, and nothing is sealed");
        scene.check().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_thaw_no_more_orders_leave_in_an_hour_than_the_cap_says() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        let phones: Vec<Phone> = (1..=3).map(|number| scene.phone(&format!("T-{number}"))).collect();
        let mut ids = Vec::new();
        for phone in &phones {
            ids.push(scene.approved(phone).await.id);
        }
        assert_eq!(scene.leaves(&phones, &ids).await, 0, "all frozen");
        scene.thaw(scene.clerk()).await.expect("asks");
        scene.thaw(scene.chair()).await.expect("agrees");
        for id in &ids {
            assert!(
                refusal(scene.resume(scene.clerk(), id).await).contains("the cap is 2"),
                "the approvals still count"
            );
        }
        scene.bench.clock.advance(Duration::minutes(61));
        let mut resumed = 0;
        for id in &ids {
            resumed += usize::from(scene.resume(scene.clerk(), id).await.is_ok());
        }
        assert_eq!((resumed, scene.leaves(&phones, &ids).await), (2, 2));
        assert_eq!(scene.caps().await.approved_last_hour, 2, "letting go counts as approving");
        // What was let go counts against a new approval, too.
        let more = scene.approved(&scene.phone("T-4")).await;
        assert_eq!(more.held_reason, Some(HeldReason::Frozen));
        scene.check().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_to_thaw_lapses_and_ends_with_its_account() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        let second = OperatorId::new();
        scene.add_operator(&second, "approver", Some(&scene.council));
        let second = || Actor::Operator(scene.signed_in(&second, Role::Approver));
        for tag in ["T-1", "T-2", "T-3"] {
            scene.approved(&scene.phone(tag)).await;
        }
        scene.thaw(second()).await.expect("asks");
        scene.bench.clock.advance(Duration::hours(73));
        assert_eq!(scene.caps().await.freeze.expect("frozen").thaw_requested_by, None, "lapsed");
        let asked = scene.thaw(scene.clerk()).await.expect("asks anew").freeze.expect("still frozen");
        assert_eq!(asked.thaw_requested_by.as_ref(), Some(&scene.clerk));
        scene
            .sql(&format!("UPDATE operators SET ended_at = '2026-01-01 00:00:00' WHERE id = '{}'", scene.clerk))
            .expect("sql");
        let asked = scene.thaw(scene.chair()).await.expect("asks anew").freeze.expect("still frozen");
        assert_eq!(asked.thaw_requested_by.as_ref(), Some(&scene.chair));
        assert!(scene.thaw(second()).await.expect("agrees").freeze.is_none());
        scene.check().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn caps_written_by_hand_are_no_higher_than_caps_that_can_be_asked_for() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        scene
            .sql(&format!(
                "INSERT INTO order_caps (scope, per_hour, per_day, changed_at) VALUES ('{}', 1000000, 1000000, \
                 '2026-01-01 00:00:00')",
                scene.council
            ))
            .expect("sql");
        let shown = scene.caps().await;
        assert_eq!((shown.per_hour, shown.per_day), (10, 30));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_concerns_the_whole_installation_is_told_to_every_council() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        let mut sql = String::new();
        for number in 0..500 {
            sql += &format!(
                "INSERT INTO councils (id, slug, name, public_url, time_zone, created_at) VALUES ('zz-{number:03}', \
                 'zz-{number}', 'Another', 'https://zz-{number}.example', 'Europe/London', '2026-01-01 00:00:00');"
            );
        }
        scene.sql(&sql).expect("five hundred councils more");
        let (first, last) = (scene.council.clone(), CouncilId::from("zz-499"));
        scene
            .run(scene.provider(), |tx, context| caps::change(tx, context, &CapScope::Installation, 20, 240))
            .await
            .expect("asks");
        let told = scene.alert_of(&first, "caps_raise").await.expect("told at once");
        assert!(told.contains("20 an hour"), "{told}");
        assert_eq!(scene.alert_of(&last, "caps_raise").await, None, "beyond the first page");
        let tell_the_rest = || {
            scene.run(Actor::System, |tx, context| {
                let job = store::jobs::find_by_key(tx, caps::TELL_COUNCILS)?.expect("a job for the rest");
                let payload: serde_json::Value = serde_json::from_str(&job.payload)?;
                let after = CouncilId::from(payload["after"].as_str().expect("from where"));
                assert_eq!(caps::tell_councils(tx, context, Some(&after), 500)?, None, "that was all");
                Ok(())
            })
        };
        tell_the_rest().await.expect("tells");
        assert!(scene.alert_of(&last, "caps_raise").await.is_some());

        let another = OperatorId::new();
        scene.add_operator(&another, "provider", None);
        let another = Actor::Operator(scene.signed_in(&another, Role::Provider));
        scene
            .run(another, |tx, context| caps::approve_raise(tx, context, &CapScope::Installation))
            .await
            .expect("agrees");
        assert_eq!(scene.alert_of(&first, "caps_raise").await, None);

        scene
            .run(scene.provider(), |tx, context| caps::change(tx, context, &CapScope::Installation, 0, 0))
            .await
            .expect("lowers");
        scene.approved(&scene.phone("T-1")).await;
        tell_the_rest().await.expect("tells");
        for council in [&first, &last] {
            assert!(scene.alert_of(council, "orders_frozen").await.is_some(), "{council}");
            assert_eq!(scene.alert_of(council, "caps_raise").await, None, "{council}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ending_or_resetting_an_account_stops_what_it_approved_and_asked_for() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        let (one, two) = (scene.phone("T-1"), scene.phone("T-2"));
        let approved = scene.approved(&one).await;
        let requested = scene.requested(&two).await;
        let chair = scene.chair.clone();
        scene.run(scene.provider(), move |tx, context| operators::end(tx, context, &chair)).await.expect("ends");
        assert!(scene.idle(&one).await.is_none(), "what the account approved does not leave");
        let row = scene.order(&approved.id).await;
        assert_eq!((row.state, row.held_reason), (OrderState::Held, Some(HeldReason::Forbidden)));
        assert_eq!(row.problem.as_deref(), Some("the account that approved it was ended"));
        assert!(scene.alerted("order_held", approved.id.as_str()).await);
        assert_eq!(scene.state(&requested.id).await, OrderState::Requested, "somebody else asked for that");
        scene.resume(scene.clerk(), &approved.id).await.expect("a person lets it go on");

        let clerk = scene.clerk.clone();
        scene
            .run(scene.provider(), move |tx, context| operators::reset(tx, context, &clerk, "hash", false))
            .await
            .expect("resets");
        let row = scene.order(&requested.id).await;
        assert_eq!(row.state, OrderState::Cancelled);
        assert_eq!(row.problem.as_deref(), Some("the account that asked for it was reset"));
        assert!(scene.alerted("order_taken_back", requested.id.as_str()).await);
        assert_eq!(scene.order(&approved.id).await.held_reason, Some(HeldReason::Forbidden));
        assert!(scene.idle(&one).await.is_none());
        scene.check().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quarantine_that_begins_elsewhere_does_not_trip_over_what_changed_meanwhile() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        let order = scene.approved(&scene.phone("T-1")).await;
        let stale = scene.order(&order.id).await;
        scene.cancel(scene.clerk(), &order.id).await.expect("cancels");
        let held = scene
            .run(Actor::System, move |tx, context| orders::hold_for_quarantine(tx, context, &stale, "restored"))
            .await
            .expect("goes on");
        assert!(!held);
        assert_eq!(scene.state(&order.id).await, OrderState::Cancelled);
        scene.check().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_is_woken_again_for_an_order_that_was_put_off() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        let phone = scene.phone("T-1");
        scene.approved(&phone).await;
        for _ in 0..3 {
            assert!(scene.idle(&phone).await.is_some());
        }
        let (council, id) = (scene.council.clone(), phone.enrolment.clone());
        let (claimable, again, key) = scene
            .run(Actor::System, move |tx, context| {
                let enrolment = store::enrolments::find(tx, &council, &id)?.expect("there");
                let again = orders::offered_again_at(tx, context, &enrolment)?;
                let job = store::jobs::find_by_key(tx, &format!("wake:{id}"))?;
                Ok((orders::claimable(tx, context, &enrolment)?, again, job.map(|job| job.kind)))
            })
            .await
            .expect("reads");
        assert!(!claimable);
        assert!(again.is_some_and(|again| again - scene.bench.clock.now() > Duration::seconds(25)), "{again:?}");
        assert_eq!(key.as_deref(), Some(jobs::WAKE_DEVICE));
    })
    .await;
}
