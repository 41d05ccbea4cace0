//! What was asked for and is no longer wanted: it does not leave, is asked back at once, and is told as done where the phone did it.

use super::*;
use crate::model::{CommandId, CommandState};
use crate::operations::{commands, devices};
use crate::store;
use crate::store::commands::CommandRow;

/// The clerk clears the PIN of a phone that is not reported lost.
async fn clear(scene: &Scene, phone: &Phone) -> CommandId {
    let device = phone.device.clone();
    scene
        .run(scene.clerk(), move |tx, context| devices::clear_passcode(tx, context, &device, "came to the office"))
        .await
        .expect("cleared")
}

async fn command(scene: &Scene, id: &CommandId) -> CommandRow {
    let id = id.clone();
    scene.run(Actor::System, move |tx, _| store::commands::find_any(tx, &id)).await.expect("reads").expect("a command")
}

/// The kinds of calls that go out, and of those that are asked back, until nothing is left to do.
pub(super) async fn goes_out(scene: &Scene, phone: &Phone) -> (Vec<String>, Vec<String>) {
    let (mut called, mut asked_back) = (Vec::new(), Vec::new());
    for _ in 0..20 {
        match next(scene, phone).await {
            Step::Call(it, operation, _) => {
                called.push(operation.kind.clone());
                ends(scene, &it, &operation, Standing::Done(json!({}))).await;
            }
            Step::Cancel(it, operation) => {
                asked_back.push(operation.kind.clone());
                ends(scene, &it, &operation, Standing::Cancelled).await;
            }
            Step::Check(it, operation) => ends(scene, &it, &operation, Standing::Pending).await,
            _ => return (called, asked_back),
        }
    }
    panic!("there is no end to it: {called:?}, {asked_back:?}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clearing_that_waits_when_the_loss_is_reported_never_leaves() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        let phone = android(&scene, "A-1", "fully_managed", "council");
        let clearing = clear(&scene, &phone).await;
        scene.report(&phone).await;
        assert_eq!(command(&scene, &clearing).await.state, CommandState::Cancelled);
        let (called, _) = goes_out(&scene, &phone).await;
        assert_eq!(called, ["START_LOST_MODE"]);
        scene.check().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clearing_that_slipped_past_the_report_is_refused_where_it_would_leave() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        let phone = android(&scene, "A-1", "fully_managed", "council");
        let clearing = clear(&scene, &phone).await;
        scene.report(&phone).await;
        let open =
            format!("UPDATE commands SET state = 'queued', ended_at = NULL, problem = NULL WHERE id = '{clearing}'");
        scene.sql(&open).expect("open again");
        let (called, _) = goes_out(&scene, &phone).await;
        assert_eq!(called, ["START_LOST_MODE"]);
        let row = command(&scene, &clearing).await;
        assert_eq!(row.state, CommandState::Cancelled);
        assert!(row.problem.is_some_and(|problem| problem.contains("reported lost")));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clearing_that_google_has_is_asked_back_before_the_lock_goes_out() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        let phone = android(&scene, "A-1", "fully_managed", "council");
        clear(&scene, &phone).await;
        let (_, clearing) = issue(&scene, &phone).await;
        assert_eq!(clearing.kind, "RESET_PASSWORD");
        scene.report(&phone).await;
        let Step::Cancel(_, first) = next(&scene, &phone).await else { panic!("something went before it") };
        assert_eq!(first.id, clearing.id);
        let (called, asked_back) = goes_out(&scene, &phone).await;
        assert_eq!((called, asked_back), (vec!["START_LOST_MODE".to_owned()], vec!["RESET_PASSWORD".to_owned()]));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clearing_that_the_phone_did_before_it_was_taken_back_is_told_as_done() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        let phone = android(&scene, "A-1", "fully_managed", "council");
        let clearing = clear(&scene, &phone).await;
        let (it, operation) = issue(&scene, &phone).await;
        scene.report(&phone).await;
        ends(&scene, &it, &operation, Standing::Done(json!({}))).await;
        let row = command(&scene, &clearing).await;
        assert_eq!(row.state, CommandState::Acknowledged, "it was done, whatever was wanted meanwhile");
        assert_eq!(row.problem.as_deref(), Some("the phone did it before it could be taken back"));
        assert!(scene.alerted("pin_cleared_while_lost", phone.device.as_str()).await);
        scene.check().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_taken_back_here_is_asked_back_at_google_at_once() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        let phone = android(&scene, "A-1", "fully_managed", "council");
        let clearing = clear(&scene, &phone).await;
        issue(&scene, &phone).await;
        scene.sql("DELETE FROM jobs").expect("the worker has done its jobs");
        scene
            .run(scene.clerk(), move |tx, context| commands::cancel(tx, context, &clearing))
            .await
            .expect("taken back");
        let key = crate::operations::jobs::wake_key(&phone.enrolment);
        let job = scene.run(Actor::System, move |tx, _| store::jobs::find_by_key(tx, &key)).await.expect("reads");
        assert!(job.is_some_and(|job| job.run_at <= scene.bench.clock.now()), "a job that asks it back");
        assert!(matches!(next(&scene, &phone).await, Step::Cancel(..)));
    })
    .await;
}
