//! Which of the council's policies a phone is given while it is lost.

use super::*;
use crate::model::Posture;

/// Google has every policy of the council.
fn policies_at_google(scene: &Scene) {
    let (council, now) = (&scene.council, sql_time(scene.bench.clock.now()));
    for mode in ["fully_managed", "company_work_profile", "personal_work_profile"] {
        for posture in ["everyday", "lost"] {
            scene
                .sql(&format!(
                    "INSERT INTO android_policies (council_id, mode, posture, sent_version, sent_digest, google_version, \
                     sent_at, changed_at) VALUES ('{council}', '{mode}', '{posture}', 1, 'd', 1, '{now}', '{now}')"
                ))
                .expect("a policy");
        }
    }
}

/// The policies that the phone is given until nothing is left to do.
async fn given(scene: &Scene, phone: &Phone) -> Vec<String> {
    let mut names = Vec::new();
    for _ in 0..20 {
        match next(scene, phone).await {
            Step::Move(it, posture, name) => {
                names.push(name);
                scene
                    .run(Actor::System, move |tx, context| outcome::moved(tx, context, &it, posture))
                    .await
                    .expect("moved");
            }
            Step::Call(it, operation, _) => ends(scene, &it, &operation, Standing::Done(json!({}))).await,
            _ => return names,
        }
    }
    panic!("there is no end to it: {names:?}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_holders_own_phone_set_up_as_the_councils_is_never_given_the_councils_policy() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        policies_at_google(&scene);
        // Reset, and set up with the code of a personal phone: Google calls it company-owned.
        let phone = android(&scene, "A-1", "company_work_profile", "personal");
        let disagrees = format!("UPDATE enrolments SET mode_disagrees = TRUE WHERE id = '{}'", phone.enrolment);
        for change in [disagrees.as_str(), "UPDATE enrolments SET mode_disagrees = FALSE"] {
            scene.sql(change).expect("changed");
            let case = scene.report(&phone).await.case.id;
            assert_eq!(given(&scene, &phone).await, Vec::<String>::new(), "{change}");
            scene.run(scene.clerk(), move |tx, context| losses::found(tx, context, &case)).await.expect("found");
            assert_eq!(given(&scene, &phone).await, Vec::<String>::new(), "{change}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn other_phones_are_given_the_policy_of_lost_phones_and_their_own_back() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        policies_at_google(&scene);
        for (tag, mode, ownership) in
            [("A-1", "company_work_profile", "council"), ("A-2", "personal_work_profile", "personal")]
        {
            let phone = android(&scene, tag, mode, ownership);
            let name = |posture: Posture| format!("{ENTERPRISE}/policies/{mode}-{posture}");
            let case = scene.report(&phone).await.case.id;
            assert_eq!(given(&scene, &phone).await, [name(Posture::Lost)]);
            scene.run(scene.clerk(), move |tx, context| losses::found(tx, context, &case)).await.expect("found");
            assert_eq!(given(&scene, &phone).await, [name(Posture::Everyday)]);
        }
    })
    .await;
}
