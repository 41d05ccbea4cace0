//! Two send one policy at once: what is written down is what Google has, or that it is not known.

use beadle_profiles::{Policy, Preset};

use super::super::policies::{self, Sent, ToSend};
use super::*;
use crate::model::Posture;
use crate::operations::policies::{self as council_policies, Base, Change};
use crate::store;
use crate::store::android_policies::AndroidPolicy;

/// A council's policy changes once more.
async fn change(scene: &Scene, least: u8) {
    let council = scene.council.clone();
    scene
        .run(scene.clerk(), move |tx, context| {
            let base = Base::Whole(Box::new(Policy::preset(Preset::Germoe)));
            let length = Change { path: "passcode.minimum_length".to_owned(), value: least.to_string() };
            council_policies::change(tx, context, &council, &base, &[length], "").map(drop)
        })
        .await
        .expect("a new version");
}

/// What a sender finds before it calls.
async fn finds(scene: &Scene) -> ToSend {
    let council = scene.council.clone();
    scene
        .run(Actor::System, move |tx, context| {
            policies::again(tx, context, &council, Mode::FullyManaged, Posture::Everyday)
        })
        .await
        .expect("reads")
        .expect("a policy")
}

/// Google answered this sender, with this number.
async fn answered(scene: &Scene, sender: ToSend, number: i64) -> Sent {
    let digest = policies::compile(&scene.bench.keys, &sender).expect("compiled").digest;
    scene
        .run(Actor::System, move |tx, context| policies::taken(tx, context, &sender, &digest, number))
        .await
        .expect("written down")
}

async fn row(scene: &Scene) -> AndroidPolicy {
    let council = scene.council.clone();
    scene
        .run(Actor::System, move |tx, _| {
            store::android_policies::find(tx, &council, Mode::FullyManaged, Posture::Everyday)
        })
        .await
        .expect("reads")
        .expect("a row")
}

/// Whether the job that brings the policy to Google waits.
async fn is_queued(scene: &Scene) -> bool {
    let key = format!("android_policies:{}", scene.council);
    scene.run(Actor::System, move |tx, _| store::jobs::find_by_key(tx, &key)).await.expect("reads").is_some()
}

#[tokio::test(flavor = "multi_thread")]
async fn patches_of_one_policy_that_cross_are_noticed_and_it_is_sent_again() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        android(&scene, "A-1", "fully_managed", "council");
        for old_is_written_first in [true, false] {
            change(&scene, 6).await;
            let old = finds(&scene).await;
            change(&scene, 8).await;
            let new = finds(&scene).await;
            scene.sql("DELETE FROM jobs").expect("the worker has done its jobs");
            // The old one was being retried: Google has it last.
            let (first, second) = if old_is_written_first { ((old, 12), (new, 11)) } else { ((new, 11), (old, 12)) };
            assert_eq!(answered(&scene, first.0, first.1).await, Sent::There);
            assert!(!is_queued(&scene).await);
            assert_eq!(answered(&scene, second.0, second.1).await, Sent::Crossed);
            assert_eq!(row(&scene).await.sent_version, None, "nothing is said to be in force");
            assert!(is_queued(&scene).await, "it is sent again, whatever becomes of this sender");
            let again = finds(&scene).await;
            assert_eq!(answered(&scene, again, 13).await, Sent::There);
            assert_eq!(row(&scene).await.google_version, Some(13));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_was_lost_counts_as_another_sender() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        android(&scene, "A-1", "fully_managed", "council");
        change(&scene, 6).await;
        let first = finds(&scene).await;
        answered(&scene, first, 3).await;
        let old = finds(&scene).await;
        change(&scene, 8).await;
        let new = finds(&scene).await;
        scene.run(Actor::System, move |tx, context| policies::unclear(tx, context, &old)).await.expect("written down");
        assert_eq!(answered(&scene, new, 4).await, Sent::Crossed);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_that_send_the_same_do_not_cross() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        android(&scene, "A-1", "fully_managed", "council");
        change(&scene, 6).await;
        let (one, other) = (finds(&scene).await, finds(&scene).await);
        assert_eq!(answered(&scene, one, 6).await, Sent::There);
        assert_eq!(answered(&scene, other, 5).await, Sent::There);
        assert_eq!(row(&scene).await.google_version, Some(6), "the later number");
    })
    .await;
}
