//! The wipe rules, one by one, on both databases.

use chrono::Duration;

use super::scene::{Phone, Scene, sql_time};
use crate::error::Error;
use crate::model::{Actor, HeldReason, OperatorId, OrderState, Role, Scope, TokenId, TokenScope};
use crate::operations::caps::{self, CapScope};
use crate::operations::cases::DetailAnswer;
use crate::operations::orders::{self, Outcome};
use crate::operations::{holds, leavers, quarantine};
use crate::store;
use crate::testing::on_both;

pub(super) fn refusal<T: std::fmt::Debug>(outcome: Result<T, Error>) -> String {
    let problem = outcome.expect_err("must be refused");
    assert!(!matches!(problem, Error::Internal(_) | Error::Unavailable(_)), "{problem}");
    problem.to_string()
}

async fn revoked(scene: &Scene, phone: &Phone) -> bool {
    let fingerprint = format!("print-{}", phone.enrolment);
    let found = scene.run(Actor::System, move |tx, _| store::certificates::find_by_fingerprint(tx, &fingerprint)).await;
    found.expect("reads").expect("a certificate").revoked_at.is_some()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wipe_goes_its_whole_way_and_ends_confirmed() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        let phone = scene.phone("T-1");
        let order = scene.requested(&phone).await;
        assert!(order.what.contains("T-1") && order.what.contains("cannot be undone"), "{}", order.what);
        assert_eq!(order.reported_serial.as_deref(), Some("SERIAL-T-1"));
        assert!(scene.idle(&phone).await.is_none(), "not approved yet");
        let approved = scene.approve(scene.chair(), &order.id).await.expect("approves");
        assert_eq!(approved.state, OrderState::Approved);

        let first = scene.idle(&phone).await.expect("released");
        assert_eq!((first.council(), first.order(), first.enrolment()), (&scene.council, &order.id, &phone.enrolment));
        assert_eq!((first.scope(), first.preserve_data_plan()), (Scope::EraseDevice, true));
        assert!(approved.state_words.contains("not yet fetched"));
        // An Idle after the fetch: not carried out, so the same command again.
        let second = scene.idle(&phone).await.expect("released again");
        assert_eq!(first.command(), second.command());
        let row = scene.order(&order.id).await;
        assert_eq!((row.state, row.offers), (OrderState::Fetched, 2));

        assert!(!revoked(&scene, &phone).await, "revoked before the phone could answer");
        scene.answer(&phone, &second, Outcome::Acknowledged).await;
        assert_eq!(scene.state(&order.id).await, OrderState::Confirmed);
        assert!(revoked(&scene, &phone).await);
        let ended = scene.order(&order.id).await.ended_at;
        scene.answer(&phone, &second, Outcome::Acknowledged).await;
        scene.answer(&phone, &second, Outcome::Failed("late".to_owned())).await;
        let row = scene.order(&order.id).await;
        assert_eq!((row.state, row.ended_at), (OrderState::Confirmed, ended), "a repeated answer changes nothing");
        assert!(scene.idle(&phone).await.is_none());
        let (council, id) = (scene.council.clone(), phone.enrolment.clone());
        let enrolment = scene
            .run(Actor::System, move |tx, _| store::enrolments::find(tx, &council, &id))
            .await
            .expect("reads")
            .expect("there");
        assert_eq!(enrolment.end_reason.as_deref(), Some("erased"));
        scene.check().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_2_a_request_needs_case_tag_reason_role_and_a_fresh_sign_in() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        let phone = scene.phone("T-1");
        let case = scene.report(&phone).await.case.id;
        let mut wrong_tag = scene.phone("T-2");
        wrong_tag.tag = "T-2".to_owned();
        assert!(refusal(scene.ask(scene.clerk(), &wrong_tag, &case).await).contains("asset_tag"));
        assert!(refusal(scene.ask(scene.chair(), &phone, &case).await).contains("role"), "a chair does not ask");
        let token =
            Actor::Token { id: TokenId::new(), council: scene.council.clone(), scopes: TokenScope::ALL.to_vec() };
        for actor in [Actor::Local, Actor::System, token] {
            refusal(scene.ask(actor, &phone, &case).await);
        }
        let Actor::Operator(mut stale) = scene.clerk() else { unreachable!() };
        stale.reauthenticated_at = Some(scene.bench.clock.now() - Duration::minutes(6));
        assert!(refusal(scene.ask(Actor::Operator(stale.clone()), &phone, &case).await).contains("five minutes"));
        stale.mfa = false;
        refusal(scene.ask(Actor::Operator(stale), &phone, &case).await);
        scene.ask(scene.clerk(), &phone, &case).await.expect("right at last");
        assert!(
            refusal(scene.ask(scene.clerk(), &phone, &case).await).contains("already"),
            "one open order per enrolment"
        );
        scene.check().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_3_only_another_established_person_approves_and_only_for_72_hours() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        let phone = scene.phone("T-1");
        let order = scene.requested(&phone).await;
        // The clerk, even when named an approver, never his own request.
        assert!(refusal(scene.approve(scene.clerk(), &order.id).await).contains("another person"));
        assert!(
            refusal(scene.approve(scene.provider(), &order.id).await).contains("named"),
            "a provider must be named"
        );
        let fresh = OperatorId::new();
        scene.add_operator(&fresh, "approver", Some(&scene.council));
        let yesterday = sql_time(scene.bench.clock.now() - Duration::hours(24));
        scene.sql(&format!("UPDATE operators SET standing_since = '{yesterday}' WHERE id = '{fresh}'")).expect("sql");
        let fresh = Actor::Operator(scene.signed_in(&fresh, Role::Approver));
        refusal(scene.approve(fresh, &order.id).await);
        for actor in [Actor::System, Actor::Local] {
            refusal(scene.approve(actor, &order.id).await);
        }
        assert_eq!(scene.state(&order.id).await, OrderState::Requested);

        scene.bench.clock.advance(Duration::hours(25));
        scene.work().await;
        assert_eq!(scene.order(&order.id).await.reminders, 1);
        scene.bench.clock.advance(Duration::hours(24));
        scene.work().await;
        assert_eq!(scene.order(&order.id).await.reminders, 2);
        assert!(scene.alerted("order_waits", order.id.as_str()).await);
        scene.bench.clock.advance(Duration::hours(24));
        assert!(refusal(scene.approve(scene.chair(), &order.id).await).contains("72 hours"));
        scene.work().await;
        assert_eq!(scene.state(&order.id).await, OrderState::Lapsed);
        refusal(scene.approve(scene.chair(), &order.id).await);
        assert!(scene.idle(&phone).await.is_none());
        scene.check().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_4_cancel_until_fetched_then_presumed_then_reopened() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        let phone = scene.phone("T-1");
        let order = scene.approved(&phone).await;
        scene.cancel(scene.chair(), &order.id).await.expect("in time");
        assert!(scene.idle(&phone).await.is_none());

        let case = order.case.clone();
        let order = scene.ask(scene.clerk(), &phone, &case).await.expect("asks again");
        scene.approve(scene.chair(), &order.id).await.expect("approves");
        let release = scene.idle(&phone).await.expect("released");
        assert!(refusal(scene.cancel(scene.clerk(), &order.id).await).contains("too late to cancel"));
        scene.bench.clock.advance(Duration::hours(25));
        scene.work().await;
        assert_eq!(scene.state(&order.id).await, OrderState::PresumedErased);
        let again = scene.idle(&phone).await.expect("the phone is alive: offered again");
        assert_eq!(again.command(), release.command());
        assert_eq!(scene.state(&order.id).await, OrderState::Fetched);
        assert!(scene.alerted("order_reopened", order.id.as_str()).await);
        scene.check().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_ends_it_not_now_puts_it_off_and_silence_is_unreachable() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        let (one, two) = (scene.phone("T-1"), scene.phone("T-2"));
        let order = scene.approved(&one).await;
        let release = scene.idle(&one).await.expect("released");
        scene.answer(&one, &release, Outcome::NotNow).await;
        assert!(scene.idle(&one).await.is_none(), "not within the same visit");
        scene.bench.clock.advance(Duration::minutes(1));
        let again = scene.idle(&one).await.expect("offered again");
        assert_eq!(again.command(), release.command());
        scene.answer(&one, &again, Outcome::Failed("error 12021".to_owned())).await;
        let row = scene.order(&order.id).await;
        assert_eq!((row.state, row.problem.as_deref()), (OrderState::Failed, Some("error 12021")));
        assert!(scene.idle(&one).await.is_none());

        let order = scene.approved(&two).await;
        let (council, id) = (scene.council.clone(), two.enrolment.clone());
        scene
            .run(Actor::System, move |tx, context| {
                let enrolment = store::enrolments::find(tx, &council, &id)?.expect("there");
                orders::on_pushed(tx, context, &enrolment)?;
                orders::on_pushed(tx, context, &enrolment)
            })
            .await
            .expect("pushed");
        assert_eq!(scene.state(&order.id).await, OrderState::Pushed);
        scene.bench.clock.advance(Duration::days(8));
        scene.work().await;
        assert_eq!(scene.state(&order.id).await, OrderState::Unreachable);
        assert!(scene.idle(&two).await.is_some(), "it still stands");
        scene.check().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_5_the_third_order_in_an_hour_freezes_and_two_people_thaw() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        let phones = [scene.phone("T-1"), scene.phone("T-2"), scene.phone("T-3"), scene.phone("T-4")];
        let first = scene.approved(&phones[0]).await;
        scene.approved(&phones[1]).await;
        let third = scene.approved(&phones[2]).await;
        assert_eq!((third.state, third.held_reason), (OrderState::Held, Some(HeldReason::Frozen)));
        assert!(scene.alerted("orders_frozen", scene.council.as_str()).await);
        // A frozen council gives nothing out, not even what was approved before; reporting and locking go on.
        assert!(scene.idle(&phones[0]).await.is_none());
        assert_eq!(scene.state(&first.id).await, OrderState::Held);
        assert!(scene.report(&phones[3]).await.lock.is_some());
        assert!(refusal(scene.resume(scene.clerk(), &third.id).await).contains("frozen"));

        let scope = CapScope::Council(scene.council.clone());
        let thaw = |actor: Actor| {
            let scope = scope.clone();
            scene.run(actor, move |tx, context| caps::thaw(tx, context, &scope))
        };
        let asked = thaw(scene.clerk()).await.expect("asks");
        assert!(asked.freeze.is_some());
        assert!(refusal(thaw(scene.clerk()).await).contains("second person"));
        let thawed = thaw(scene.chair()).await.expect("agrees");
        assert!(thawed.freeze.is_none());
        assert!(scene.idle(&phones[2]).await.is_none(), "each is resumed by a person");
        scene.bench.clock.advance(Duration::minutes(61));
        scene.resume(scene.clerk(), &third.id).await.expect("resumes");
        assert!(scene.idle(&phones[2]).await.is_some());
        scene.check().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn raising_a_cap_takes_two_people_and_a_day_lowering_is_at_once() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        let scope = CapScope::Council(scene.council.clone());
        let change = |actor: Actor, hour: i64, day: i64| {
            let scope = scope.clone();
            scene.run(actor, move |tx, context| caps::change(tx, context, &scope, hour, day))
        };
        let approve = |actor: Actor| {
            let scope = scope.clone();
            scene.run(actor, move |tx, context| caps::approve_raise(tx, context, &scope))
        };
        let show = || {
            let scope = scope.clone();
            scene.run(scene.clerk(), move |tx, context| caps::show(tx, context, &scope))
        };
        assert!(refusal(change(scene.clerk(), 1000, 5).await).contains("bulk"));
        let asked = change(scene.clerk(), 4, 8).await.expect("asks");
        assert_eq!((asked.per_hour, asked.per_day), (2, 5));
        refusal(approve(scene.clerk()).await);
        approve(scene.chair()).await.expect("agrees");
        assert_eq!(show().await.expect("shows").per_hour, 2);
        scene.bench.clock.advance(Duration::hours(25));
        let shown = show().await.expect("shows");
        assert_eq!((shown.per_hour, shown.per_day, shown.pending_raise.is_none()), (4, 8, true));
        let lowered = change(scene.clerk(), 0, 0).await.expect("lowers");
        assert_eq!((lowered.per_hour, lowered.per_day), (0, 0));
        let held = scene.approved(&scene.phone("T-1")).await;
        assert_eq!(held.held_reason, Some(HeldReason::Frozen));
        // The installation's caps are the provider's.
        let whole = scene.run(scene.clerk(), |tx, context| caps::change(tx, context, &CapScope::Installation, 1, 1));
        refusal(whole.await);
        scene
            .run(scene.provider(), |tx, context| caps::change(tx, context, &CapScope::Installation, 1, 1))
            .await
            .expect("lowers");
        scene.check().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_installations_cap_counts_over_all_councils() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        scene
            .run(scene.provider(), |tx, context| caps::change(tx, context, &CapScope::Installation, 1, 5))
            .await
            .expect("lowers");
        scene.approved(&scene.phone("T-1")).await;
        let second = scene.approved(&scene.phone("T-2")).await;
        assert_eq!(second.held_reason, Some(HeldReason::Frozen));
        assert!(scene.alerted("orders_frozen", "installation").await);
        scene.check().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_6_a_device_that_enrols_again_gets_nothing_and_the_clerk_decides() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        let mut phone = scene.phone("T-1");
        let old = scene.approved(&phone).await;
        let again = |generation: i64| {
            scene
                .sql(&format!(
                    "UPDATE enrolments SET state = 'ended', ended_at = authenticated_at WHERE device_id = '{}'",
                    phone.device
                ))
                .expect("ends");
            scene.enrol(&scene.council, &phone.device, &phone.asset, "supervised", "council", generation)
        };
        let (before, after) = (phone.enrolment.clone(), again(2));
        phone.enrolment = after.clone();
        let council = scene.council.clone();
        scene
            .run(Actor::System, move |tx, context| {
                let before = store::enrolments::find(tx, &council, &before)?.expect("there");
                let after = store::enrolments::find(tx, &council, &after)?.expect("there");
                orders::on_re_enrolment(tx, context, &before, &after)
            })
            .await
            .expect("holds");
        let row = scene.order(&old.id).await;
        assert_eq!((row.state, row.held_reason), (OrderState::Held, Some(HeldReason::ReEnrolled)));
        assert!(scene.idle(&phone).await.is_none(), "the order was for the enrolment before");
        refusal(scene.resume(scene.clerk(), &old.id).await);
        let new = scene.ask(scene.clerk(), &phone, &old.case).await.expect("a new order");
        assert_eq!(scene.state(&old.id).await, OrderState::Cancelled);
        scene.approve(scene.chair(), &new.id).await.expect("approves");
        assert_eq!(scene.idle(&phone).await.expect("released").enrolment(), &phone.enrolment);
        scene.check().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_7_a_legal_hold_blocks_request_approval_and_release() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        let (one, two) = (scene.phone("T-1"), scene.phone("T-2"));
        let order = scene.approved(&one).await;
        let waiting = scene.requested(&two).await;
        let mut added = Vec::new();
        for phone in [&one, &two] {
            let device = phone.device.clone();
            let hold = scene
                .run(scene.clerk(), move |tx, context| holds::add(tx, context, &device, "the audit of 2026"))
                .await
                .expect("holds");
            added.push(hold.id);
        }
        assert_eq!(scene.order(&order.id).await.held_reason, Some(HeldReason::LegalHold));
        assert!(scene.idle(&one).await.is_none());
        assert!(refusal(scene.resume(scene.clerk(), &order.id).await).contains("legal hold"));
        assert!(refusal(scene.approve(scene.chair(), &waiting.id).await).contains("legal hold"));
        scene.cancel(scene.clerk(), &waiting.id).await.expect("cancels");
        assert!(refusal(scene.ask(scene.clerk(), &two, &waiting.case).await).contains("legal hold"));
        for id in added {
            scene.run(scene.clerk(), move |tx, context| holds::end(tx, context, &id)).await.expect("ends");
        }
        assert!(scene.idle(&one).await.is_none(), "a person resumes it");
        scene.resume(scene.clerk(), &order.id).await.expect("resumes");
        assert!(scene.idle(&one).await.is_some());
        scene.check().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_8_in_quarantine_nothing_leaves_until_every_order_is_reconciled() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        let (one, two) = (scene.phone("T-1"), scene.phone("T-2"));
        let fetched = scene.approved(&one).await;
        scene.idle(&one).await.expect("released before the restore");
        let approved = scene.approved(&two).await;
        scene
            .run(Actor::System, |tx, context| quarantine::begin(tx, context, "a backup was restored"))
            .await
            .expect("begins");
        for (phone, order) in [(&one, &fetched), (&two, &approved)] {
            assert!(scene.idle(phone).await.is_none());
            assert_eq!(scene.order(&order.id).await.held_reason, Some(HeldReason::Quarantine));
        }
        // Rule 1: a report locks all the same.
        let third = scene.phone("T-3");
        let reported = scene.report(&third).await;
        assert!(reported.lock.is_some());
        let asked = scene.ask(scene.clerk(), &third, &reported.case.id).await.expect("asking is no harm");
        assert!(refusal(scene.approve(scene.chair(), &asked.id).await).contains("quarantine"));
        let end = |actor: Actor| scene.run(actor, quarantine::end);
        refusal(end(scene.clerk()).await);
        refusal(end(Actor::Local).await);
        assert!(refusal(end(scene.provider()).await).contains("2 orders"));
        scene.cancel(scene.clerk(), &fetched.id).await.expect("cancels");
        scene.resume(scene.clerk(), &approved.id).await.expect("still stands");
        assert!(scene.idle(&two).await.is_none(), "still in quarantine");
        end(scene.provider()).await.expect("ends");
        assert!(scene.idle(&one).await.is_none());
        assert!(scene.idle(&two).await.is_some());
        scene.check().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_9_a_loss_keeps_the_mobile_plan_a_leaver_does_not() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        let phone = scene.phone("T-1");
        let asset = phone.asset.clone();
        let case = scene
            .run(scene.clerk(), move |tx, context| leavers::open(tx, context, &asset, "resigned"))
            .await
            .expect("opens");
        let DetailAnswer::Case(case) = case else { panic!("a clerk reads cases: {case:?}") };
        let order = scene.ask(scene.clerk(), &phone, &case.case.id).await.expect("asks");
        scene.approve(scene.chair(), &order.id).await.expect("approves");
        assert!(!scene.idle(&phone).await.expect("released").preserve_data_plan());
        scene.check().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn w3_no_personal_device_is_ever_erased() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        for (tag, mode) in [("T-1", "device"), ("T-2", "user")] {
            let phone = scene.phone_of(&scene.council, tag, mode, "personal");
            let case = scene.report(&phone).await.case.id;
            assert!(refusal(scene.ask(scene.clerk(), &phone, &case).await).contains("personal device"));
        }
        // A council phone that becomes somebody's own between approval and fetch.
        let phone = scene.phone("T-3");
        let order = scene.approved(&phone).await;
        scene.sql(&format!("UPDATE assets SET ownership = 'personal' WHERE id = '{}'", phone.asset)).expect("sql");
        assert!(scene.idle(&phone).await.is_none());
        let row = scene.order(&order.id).await;
        assert_eq!((row.held_reason, row.offers), (Some(HeldReason::Forbidden), 0));
        scene.check().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_that_may_not_be_the_item_is_not_ordered_and_not_erased() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        let (one, two) = (scene.phone("T-1"), scene.phone("T-2"));
        let doubt = |id: &crate::model::EnrolmentId, what: &str| {
            scene.sql(&format!("UPDATE enrolments SET {what} WHERE id = '{id}'")).expect("sql");
        };
        let case = scene.report(&one).await.case.id;
        doubt(&one.enrolment, "confirmation = 'waiting'");
        assert!(refusal(scene.ask(scene.clerk(), &one, &case).await).contains("serial"));
        doubt(&one.enrolment, "confirmation = 'not_needed', mode_disagrees = TRUE");
        refusal(scene.ask(scene.clerk(), &one, &case).await);
        let order = scene.approved(&two).await;
        doubt(&two.enrolment, "confirmation = 'waiting'");
        assert!(scene.idle(&two).await.is_none());
        assert_eq!(scene.order(&order.id).await.held_reason, Some(HeldReason::IdentityWaiting));
        doubt(&two.enrolment, "confirmation = 'confirmed'");
        scene.resume(scene.clerk(), &order.id).await.expect("resumes");
        assert!(scene.idle(&two).await.is_some());
        scene.check().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visit_that_began_just_before_the_approval_is_no_forgery() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        // The phone's visit read the time, waited its turn, and found the approval that was written meanwhile.
        let (one, two) = (scene.phone("T-1"), scene.phone("T-2"));
        let order = scene.approved(&one).await;
        scene.bench.clock.advance(Duration::seconds(-2));
        assert!(scene.idle(&one).await.is_some(), "{:?}", scene.order(&order.id).await.problem);
        // An approval of the future is one.
        let order = scene.approved(&two).await;
        scene.bench.clock.advance(Duration::minutes(-6));
        assert!(scene.idle(&two).await.is_none());
        assert_eq!(scene.order(&order.id).await.held_reason, Some(HeldReason::Distrusted));
    })
    .await;
}
