//! An invitation that is withdrawn takes its codes along.

use super::super::tokens;
use super::*;
use crate::model::{AndroidTokenId, AndroidTokenState, InvitationId};
use crate::operations::invitations;
use crate::store;
use crate::store::android_tokens::AndroidToken;

async fn ask(scene: &Scene, invitation: &InvitationId, binding: &'static str) -> AndroidToken {
    let (council, id) = (scene.council.clone(), invitation.clone());
    let now = scene.bench.clock.now();
    scene
        .run(Actor::System, move |tx, _| {
            let token = AndroidToken {
                council_id: council.clone(),
                id: AndroidTokenId::new(),
                invitation_id: id.clone(),
                mode: Mode::PersonalWorkProfile,
                binding_hash: binding.to_owned(),
                google_name: None,
                state: AndroidTokenState::Asked,
                created_at: now,
                expires_at: now + Duration::days(7),
                used_at: None,
            };
            store::android_tokens::insert(tx, &token)?;
            Ok(token)
        })
        .await
        .expect("a token")
}

async fn made(scene: &Scene, token: &AndroidToken, name: &'static str) -> bool {
    let token = token.clone();
    scene.run(Actor::System, move |tx, context| tokens::made(tx, context, &token, name)).await.expect("written down")
}

/// What the job would delete at Google, where one waits.
async fn deletes(scene: &Scene, invitation: &InvitationId) -> Option<Vec<String>> {
    let (council, id) = (scene.council.clone(), invitation.clone());
    scene
        .run(Actor::System, move |tx, context| {
            let job = store::jobs::find_by_key(tx, &format!("android_tokens:{id}"))?;
            let names = tokens::to_delete(tx, context, &council, &id)?;
            Ok(job.map(|_| names))
        })
        .await
        .expect("reads")
}

#[tokio::test(flavor = "multi_thread")]
async fn withdrawing_an_invitation_deletes_its_codes_at_google_also_those_that_are_just_being_made() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        let phone = android(&scene, "A-1", "personal_work_profile", "personal");
        let invitation = InvitationId::from(format!("invitation-{}", phone.enrolment).as_str());
        let later = sql_time(scene.bench.clock.now() + Duration::days(14));
        scene
            .sql(&format!(
                "UPDATE invitations SET state = 'accepted', expires_at = '{later}' WHERE id = '{invitation}'"
            ))
            .expect("an accepted invitation");
        let there = ask(&scene, &invitation, "one").await;
        assert!(made(&scene, &there, "enterprises/LC1/enrollmentTokens/1").await);
        let under_way = ask(&scene, &invitation, "two").await;
        assert_eq!(deletes(&scene, &invitation).await, None);
        let id = invitation.clone();
        scene
            .run(scene.clerk(), move |tx, context| invitations::withdraw(tx, context, &id).map(drop))
            .await
            .expect("withdrawn");
        assert_eq!(deletes(&scene, &invitation).await, Some(vec!["enterprises/LC1/enrollmentTokens/1".to_owned()]));
        scene.sql("DELETE FROM jobs").expect("the worker has done its jobs");
        assert!(!made(&scene, &under_way, "enterprises/LC1/enrollmentTokens/2").await, "it is shown to nobody");
        assert_eq!(deletes(&scene, &invitation).await.expect("a job").len(), 2);
        // What has run out needs no deleting.
        scene.bench.clock.advance(Duration::days(8));
        assert_eq!(deletes(&scene, &invitation).await, Some(Vec::new()));
    })
    .await;
}
