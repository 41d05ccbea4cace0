//! Cases: reported, locked, found, left, closed; and what their timeline says.

use chrono::Duration;

use super::rules::refusal;
use super::scene::Scene;
use crate::model::{Actor, CaseState, CommandKind, CommandState, OrderState, TokenId, TokenScope};
use crate::operations::cases::{CaseAnswer, DetailAnswer};
use crate::operations::check_in;
use crate::operations::commands::{self, NewCommand};
use crate::operations::losses::{self, Notes};
use crate::operations::policies::{self, Base};
use crate::operations::{devices, leavers, orders};
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
async fn a_loss_says_who_is_told_and_who_pays_by_the_policy_in_force() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        let phone = scene.phone("T-1");
        let case = scene.report(&phone).await.case;
        assert!(case.liability.expect("said").contains("does not say"), "there is no policy yet");
        let council = scene.council.clone();
        scene
            .run(Actor::Local, move |tx, context| {
                policies::start(tx, context, &council, beadle_profiles::Preset::Germoe).map(drop)
            })
            .await
            .expect("a policy");
        let shown =
            |id: crate::model::CaseId| scene.run(scene.clerk(), move |tx, context| losses::show(tx, context, &id));
        let germoe = shown(case.id.clone()).await.expect("shows").case;
        assert!(germoe.liability.expect("said").contains("the first £100"));
        assert!(germoe.told_to.expect("said").contains("the clerk or the chair"));
        let council = scene.council.clone();
        scene
            .run(scene.clerk(), move |tx, context| {
                let base = Base::Preset(beadle_profiles::Preset::Coreley);
                policies::change(tx, context, &council, &base, &[], "merged").map(drop)
            })
            .await
            .expect("another policy");
        let coreley = shown(case.id).await.expect("shows").case;
        assert!(coreley.liability.expect("said").contains("no limit"));
        let council = scene.council.clone();
        let listed = scene.run(scene.clerk(), move |tx, context| losses::list(tx, context, &council, None, 9)).await;
        assert!(listed.expect("lists").iter().all(|case| case.liability.is_some() && case.told_to.is_some()));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_may_not_read_gets_a_receipt() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        let phone = scene.phone("T-1");
        scene
            .sql(&format!("UPDATE devices SET imei = '35 209900 176148 1' WHERE id = '{}'", phone.device))
            .expect("sql");
        let case = scene.report(&phone).await.case.id;
        let token = |scopes: &[TokenScope]| Actor::Token {
            id: TokenId::new(),
            council: scene.council.clone(),
            scopes: scopes.to_vec(),
        };
        let mut answers = Vec::new();
        let new = Scene::loss_of(&phone);
        let reported = scene.run(token(&[TokenScope::Report]), move |tx, context| losses::report(tx, context, &new));
        answers.push(serde_json::to_value(reported.await.expect("reports").case).expect("json"));
        let id = case.clone();
        let locked = scene.run(token(&[TokenScope::Report]), move |tx, context| losses::lock_again(tx, context, &id));
        answers.push(serde_json::to_value(locked.await.expect("locks").case).expect("json"));
        let (id, notes) = (case.clone(), Notes { place: Some("the bus".to_owned()), ..Notes::default() });
        let noted = scene.run(token(&[TokenScope::Report]), move |tx, context| losses::note(tx, context, &id, &notes));
        answers.push(serde_json::to_value(noted.await.expect("notes")).expect("json"));
        for opened in ["first", "again"] {
            let asset = phone.asset.clone();
            let leaver = scene
                .run(token(&[TokenScope::Register]), move |tx, context| leavers::open(tx, context, &asset, opened));
            answers.push(serde_json::to_value(leaver.await.expect("opens")).expect("json"));
        }
        for answer in &answers {
            let mut fields: Vec<&str> = answer.as_object().expect("an object").keys().map(String::as_str).collect();
            fields.sort_unstable();
            assert_eq!(fields, ["asset_tag", "council", "id", "reported_at", "state", "state_words"]);
        }
        assert_eq!(
            (&answers[0]["id"], &answers[0]["asset_tag"]),
            (&serde_json::json!(case), &serde_json::json!("T-1"))
        );

        let (new, reads) = (Scene::loss_of(&phone), token(&[TokenScope::Report, TokenScope::Read]));
        let reported = scene.run(reads, move |tx, context| losses::report(tx, context, &new)).await.expect("reports");
        let CaseAnswer::Case(whole) = reported.case else { panic!("it may read") };
        assert_eq!(whole.imei.as_deref(), Some("35 209900 176148 1"));
        let (asset, reads) = (phone.asset.clone(), token(&[TokenScope::Register, TokenScope::Read]));
        let leaver = scene.run(reads, move |tx, context| leavers::open(tx, context, &asset, "")).await.expect("opens");
        assert!(matches!(leaver, DetailAnswer::Case(_)));
        scene.check().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pin_is_not_cleared_before_a_found_phone_has_been_heard_from() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        let phone = scene.phone("T-1");
        scene
            .sql(&format!(
                "UPDATE enrolments SET sealed_unlock_token = {} WHERE id = '{}'",
                scene.blob("00"),
                phone.enrolment
            ))
            .expect("sql");
        let clear = || {
            let device = phone.device.clone();
            scene.run(scene.clerk(), move |tx, context| devices::clear_passcode(tx, context, &device, "came in person"))
        };
        let case = scene.report(&phone).await.case.id;
        assert!(refusal(clear().await).contains("lost"));
        scene.run(scene.clerk(), move |tx, context| losses::found(tx, context, &case)).await.expect("found");
        assert!(refusal(clear().await).contains("lost"), "found is what people say; the phone has not said so");
        assert!(scene.idle(&phone).await.is_none());
        scene
            .run(Actor::System, {
                let (council, id) = (scene.council.clone(), phone.enrolment.clone());
                move |tx, context| {
                    let enrolment = store::enrolments::find(tx, &council, &id)?.expect("there");
                    losses::on_contact(tx, context, &enrolment)
                }
            })
            .await
            .expect("heard from");
        clear().await.expect("back in use");
        scene.check().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_token_takes_a_lock_back_nor_anything_else() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        let phone = scene.phone("T-1");
        let lock = scene.report(&phone).await.lock.expect("locked");
        let (council, id) = (scene.council.clone(), phone.enrolment.clone());
        let profile = scene
            .run(Actor::System, move |tx, context| {
                let enrolment = store::enrolments::find(tx, &council, &id)?.expect("there");
                let install = NewCommand {
                    kind: CommandKind::InstallProfile,
                    payload: serde_json::json!({}),
                    priority: 30,
                    case: None,
                    expires_in: Duration::days(1),
                    supersede_key: Some("profile"),
                };
                commands::queue(tx, context, &enrolment, &install)
            })
            .await
            .expect("queues");
        let take_back = |actor: Actor, id: &crate::model::CommandId| {
            let id = id.clone();
            scene.run(actor, move |tx, context| commands::cancel(tx, context, &id))
        };
        for id in [&lock, &profile] {
            let token =
                Actor::Token { id: TokenId::new(), council: scene.council.clone(), scopes: TokenScope::ALL.to_vec() };
            assert!(refusal(take_back(token, id).await).contains("allow"));
        }
        assert!(refusal(take_back(scene.chair(), &profile).await).contains("allow"), "the policy is the clerk's");
        take_back(scene.clerk(), &profile).await.expect("taken back");
        take_back(scene.chair(), &lock).await.expect("taken back");
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
