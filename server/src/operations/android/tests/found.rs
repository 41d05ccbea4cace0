//! A phone that was found stays open, whatever Google tells late.

use super::taking_back::goes_out;
use super::*;
use crate::model::CommandKind;
use crate::store;

#[tokio::test(flavor = "multi_thread")]
async fn lost_mode_that_fails_after_the_phone_was_found_does_not_lock_it() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        let phone = android(&scene, "A-1", "fully_managed", "council");
        let case = scene.report(&phone).await.case.id;
        let (it, locking) = issue(&scene, &phone).await;
        scene.bench.clock.advance(Duration::minutes(1));
        let id = case.clone();
        scene.run(scene.clerk(), move |tx, context| losses::found(tx, context, &id)).await.expect("found");
        ends(&scene, &it, &locking, Standing::Failed("its holder had just left lost mode".to_owned())).await;
        scene.bench.clock.advance(Duration::minutes(1));
        let (called, _) = goes_out(&scene, &phone).await;
        assert_eq!(called, ["STOP_LOST_MODE"], "and no lock");
        assert!(is_back_in_use(&scene, &case).await);
        let council = scene.council.clone();
        let locks = scene
            .run(Actor::System, move |tx, _| store::cases::commands(tx, &council, &case))
            .await
            .expect("reads")
            .iter()
            .filter(|row| row.kind == CommandKind::DeviceLock)
            .count();
        assert_eq!(locks, 0);
    })
    .await;
}
