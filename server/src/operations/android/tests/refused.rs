//! What Google refuses: its own word, or that of the project's key, and never the phone's.

use super::super::health;
use super::*;
use crate::model::CommandKind;
use crate::operations::cases::TimelineEntry;
use crate::store;
use crate::store::commands::CommandRow;

pub(super) async fn timeline(scene: &Scene, case: &CaseId) -> Vec<TimelineEntry> {
    let case = case.clone();
    scene.run(scene.clerk(), move |tx, context| losses::show(tx, context, &case)).await.expect("shown").timeline
}

pub(super) async fn commands_of(scene: &Scene, case: &CaseId) -> Vec<CommandRow> {
    let (council, case) = (scene.council.clone(), case.clone());
    scene.run(Actor::System, move |tx, _| store::cases::commands(tx, &council, &case)).await.expect("reads")
}

async fn refuses(scene: &Scene, phone: &dispatch::Phone, operation: &GoogleOperation) {
    let (phone, operation) = (phone.clone(), operation.clone());
    scene
        .run(Actor::System, move |tx, context| {
            outcome::refused(tx, context, &phone, &operation, "Google refused it: Illegal value")
        })
        .await
        .expect("written down");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_google_refuses_is_not_told_as_the_phones_word() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        let phone = android(&scene, "A-1", "fully_managed", "council");
        let case = scene.report(&phone).await.case.id;
        let (it, locking) = issue(&scene, &phone).await;
        refuses(&scene, &it, &locking).await;
        let told = timeline(&scene, &case).await;
        let end = told.iter().find(|entry| entry.what.contains("Google refused it")).expect("its end");
        assert!(!end.reported_by_phone && !end.what.contains("the phone reported"), "{end:?}");
        let kinds: Vec<CommandKind> = commands_of(&scene, &case).await.iter().map(|row| row.kind).collect();
        assert_eq!(kinds, [CommandKind::EnableLostMode, CommandKind::DeviceLock], "locked instead");
        scene.check().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_google_refuses_failed_without_the_phones_word() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        let phone = android(&scene, "A-1", "fully_managed", "council");
        let order = scene.approved(&phone).await;
        let Step::Order(it, operation, _) = next(&scene, &phone).await else { panic!("no order") };
        refuses(&scene, &it, &operation).await;
        assert_eq!(scene.state(&order.id).await, OrderState::Failed);
        let told = timeline(&scene, &order.case).await;
        let end = told.iter().find(|entry| entry.what.contains("order failed")).expect("its end");
        assert!(!end.reported_by_phone && end.what.contains("knows nothing of it"), "{end:?}");
        assert!(!OrderState::Failed.words().contains("phone"));
        scene.check().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_key_is_told_once_and_what_waits_goes_on_when_it_works_again() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        let phone = android(&scene, "A-1", "fully_managed", "council");
        scene.report(&phone).await;
        let later = sql_time(scene.bench.clock.now() + Duration::hours(1));
        scene.sql(&format!("UPDATE jobs SET run_at = '{later}', rests_until = '{later}'")).expect("the job rests");
        let council = scene.council.clone();
        scene
            .run(Actor::System, move |tx, context| health::key_refused(tx, context, &council, "no"))
            .await
            .expect("told");
        assert!(scene.alerted("google_key_refused", "google").await);
        let council = scene.council.clone();
        scene.run(Actor::System, move |tx, context| health::works(tx, context, &council)).await.expect("works");
        assert!(!scene.alerted("google_key_refused", "google").await);
        let key = crate::operations::jobs::wake_key(&phone.enrolment);
        let job = scene.run(Actor::System, move |tx, _| store::jobs::find_by_key(tx, &key)).await.expect("reads");
        assert!(job.is_some_and(|job| job.run_at <= scene.bench.clock.now()), "the lock need not wait out the hour");
    })
    .await;
}
