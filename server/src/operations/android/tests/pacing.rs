//! The pace of calls to Google.

use super::super::pace::{self, Urgency};
use super::*;
use crate::error::Error;
use crate::store;

async fn take(scene: &Scene, urgency: Urgency) -> crate::error::Result<Duration> {
    scene.run(Actor::System, move |tx, context| pace::take(tx, context.now, urgency)).await
}

async fn until(scene: &Scene) -> Moment {
    let project = scene.run(Actor::System, |tx, _| store::google_projects::find(tx)).await.expect("reads");
    project.expect("a project").paced_until
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_are_turned_away_do_not_keep_the_queue_full() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        android(&scene, "A-1", "fully_managed", "council");
        let end = scene.bench.clock.now() + Duration::seconds(70);
        scene.run(Actor::System, move |tx, _| pace::hold_back(tx, end)).await.expect("held back");
        let held = until(&scene).await;
        for _ in 0..200 {
            let refused = take(&scene, Urgency::Usual).await;
            assert!(matches!(refused, Err(Error::TooMany { retry_after_seconds: 60.. })), "{refused:?}");
        }
        assert_eq!(until(&scene).await, held, "who is turned away takes no place");
        // Google's pause is over after 70 seconds, however many came meanwhile.
        scene.bench.clock.advance(Duration::seconds(71));
        assert_eq!(take(&scene, Urgency::Urgent).await.expect("a place"), Duration::zero());
    })
    .await;
}
