//! Cases: reported, locked, found, left, closed; and what their timeline says.

use chrono::Duration;

use super::scene::Scene;
use crate::model::{Actor, CaseState, CommandKind, CommandState, OrderState};
use crate::operations::check_in;
use crate::operations::losses;
use crate::operations::orders;
use crate::store;
use crate::testing::on_both;

#[tokio::test(flavor = "multi_thread")]
async fn a_report_locks_at_once_says_what_is_wrong_and_is_not_doubled() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        let phone = scene.phone("T-1");
        let first = scene.report(&phone).await;
        assert!(first.opened && first.lock.is_some());
        assert_eq!(first.case.notify_breach_by, Some(first.case.aware_at + Duration::hours(72)));
        assert!(first.warnings.iter().any(|warning| warning.contains("push certificate")), "{:?}", first.warnings);
        let second = scene.report(&phone).await;
        assert!(!second.opened && second.lock.is_some());
        assert_eq!(first.case.id, second.case.id);

        let dongle = scene.phone("T-2");
        scene
            .sql(&format!(
                "UPDATE enrolments SET state = 'ended', ended_at = authenticated_at WHERE id = '{}'",
                dongle.enrolment
            ))
            .expect("sql");
        let unmanaged = scene.report(&dongle).await;
        assert!(unmanaged.lock.is_none() && unmanaged.warnings.iter().any(|warning| warning.contains("not managed")));
        let mut future = Scene::loss_of(&phone);
        future.aware_at = Some(scene.bench.clock.now() + Duration::days(1));
        assert!(scene.run(scene.clerk(), move |tx, context| losses::report(tx, context, &future)).await.is_err());
        scene.check().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn found_takes_back_what_was_not_fetched_and_back_in_use_is_the_phones_word() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        let phone = scene.phone("T-1");
        let order = scene.approved(&phone).await;
        let case = order.case.clone();
        // The phone had fetched Lost Mode.
        let (council, id) = (scene.council.clone(), case.clone());
        scene
            .run(Actor::System, move |tx, context| {
                for command in store::cases::commands(tx, &council, &id)? {
                    store::commands::mark_sent(tx, &command, context.now)?;
                }
                Ok(())
            })
            .await
            .expect("sent");
        let id = case.clone();
        let closed_early =
            scene.run(scene.clerk(), move |tx, context| losses::close(tx, context, &id, "lost for ever"));
        assert!(closed_early.await.expect_err("an order is open").to_string().contains("order"));
        let id = case.clone();
        let found = scene.run(scene.chair(), move |tx, context| losses::found(tx, context, &id)).await.expect("found");
        assert_eq!(found.warnings, Vec::<String>::new());
        assert_eq!(scene.state(&order.id).await, OrderState::Cancelled);
        assert_eq!(found.case.case.state, CaseState::Found);
        assert!(found.case.case.back_in_use_at.is_none());
        let (council, id, enrolment) = (scene.council.clone(), case.clone(), phone.enrolment.clone());
        let contact = move |answered: bool| {
            let (council, id, enrolment) = (council.clone(), id.clone(), enrolment.clone());
            move |tx: &mut store::Transaction<'_>, context: &crate::operations::Context| {
                let disable = store::cases::commands(tx, &council, &id)?
                    .into_iter()
                    .find(|command| command.kind == CommandKind::DisableLostMode)
                    .expect("Lost Mode is ended");
                if answered {
                    store::commands::finish(tx, &disable, CommandState::Acknowledged, context.now, None, None)?;
                }
                let enrolment = store::enrolments::find(tx, &council, &enrolment)?.expect("there");
                assert!(orders::claim(tx, context, &enrolment)?.is_none());
                losses::show(tx, context, &id)
            }
        };
        let before = scene.run(Actor::System, contact(false)).await.expect("polls");
        assert!(before.case.back_in_use_at.is_none(), "Lost Mode is still on");
        let after = scene.run(Actor::System, contact(true)).await.expect("polls");
        assert!(after.case.back_in_use_at.is_some());
        let back = after.timeline.iter().find(|entry| entry.what.contains("back in use")).expect("told");
        assert!(back.reported_by_phone);
        let sent = after.timeline.iter().find(|entry| entry.what == "Lost Mode: sent to the phone").expect("told");
        assert!(!sent.reported_by_phone);
        let id = case.clone();
        let closed = scene.run(scene.clerk(), move |tx, context| losses::close(tx, context, &id, "on the bus")).await;
        assert_eq!(closed.expect("closes").case.state, CaseState::Closed);
        scene.check().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn found_too_late_says_so_and_leaving_management_ends_the_order() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        let (one, two) = (scene.phone("T-1"), scene.phone("T-2"));
        let order = scene.approved(&one).await;
        scene.idle(&one).await.expect("fetched");
        let case = order.case.clone();
        let found =
            scene.run(scene.clerk(), move |tx, context| losses::found(tx, context, &case)).await.expect("found");
        assert!(found.warnings.iter().any(|warning| warning.contains("Too late")), "{:?}", found.warnings);
        assert_eq!(scene.state(&order.id).await, OrderState::Fetched);
        // The phone is alive after all, and the case no longer open: nothing is given out again.
        assert!(scene.idle(&one).await.is_none());
        assert_eq!(scene.state(&order.id).await, OrderState::Held);

        let order = scene.approved(&two).await;
        let (council, id) = (scene.council.clone(), two.enrolment.clone());
        scene
            .run(Actor::System, move |tx, context| {
                let enrolment = store::enrolments::find(tx, &council, &id)?.expect("there");
                orders::on_left_management(tx, context, &enrolment)
            })
            .await
            .expect("leaves");
        assert_eq!(scene.state(&order.id).await, OrderState::LeftManagement);
        assert!(scene.idle(&two).await.is_none());
        scene.check().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_presumed_erased_that_sends_its_token_is_not_erased() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        let phone = scene.phone("T-1");
        let order = scene.approved(&phone).await;
        scene.idle(&phone).await.expect("fetched");
        scene.bench.clock.advance(Duration::hours(25));
        scene.work().await;
        assert_eq!(scene.state(&order.id).await, OrderState::PresumedErased);
        let change = check_in::TokenChange {
            sealed_for: phone.enrolment.clone(),
            topic: None,
            push_token: "aa".to_owned(),
            sealed_push_magic: vec![1],
            sealed_unlock_token: None,
            awaiting_configuration: false,
        };
        let (council, print) = (scene.council.clone(), format!("print-{}", phone.enrolment));
        let outcome = scene
            .run(Actor::System, move |tx, context| check_in::token_update(tx, context, &council, &print, None, &change))
            .await
            .expect("told");
        assert_eq!(outcome, check_in::Outcome::Done);
        assert_eq!(scene.state(&order.id).await, OrderState::Fetched);
        assert!(scene.alerted("order_reopened", order.id.as_str()).await);
        assert!(scene.idle(&phone).await.is_some(), "it is offered again");
        scene.check().await;
    })
    .await;
}
