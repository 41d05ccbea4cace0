//! What people read of an Android phone: never more than was reported, and never the phone's word for what the phone did not say.

use super::refused::{commands_of, timeline};
use super::*;
use crate::model::CommandState;
use crate::store;

/// The phone reported whether a PIN is set.
async fn reports_lock(scene: &Scene, phone: &Phone, secure: bool) {
    scene.bench.clock.advance(Duration::minutes(1));
    let now = scene.bench.clock.now();
    let raw = json!({ "name": name(phone), "deviceSettings": { "isDeviceSecure": secure } });
    let mode = Some(Mode::PersonalWorkProfile);
    observe(scene, Seen { raw, mode, ..seen(phone, "ACTIVE", now) }, now).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_of_a_phone_without_a_pin_has_no_effect_and_says_so() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        let phone = android(&scene, "A-1", "personal_work_profile", "personal");
        for secure in [false, true] {
            reports_lock(&scene, &phone, secure).await;
            let told = scene.report(&phone).await;
            assert_eq!(told.warnings.iter().any(|warning| warning.contains("no PIN is set")), !secure);
            let (it, locking) = issue(&scene, &phone).await;
            assert_eq!(locking.kind, "LOCK");
            ends(&scene, &it, &locking, Standing::Done(json!({}))).await;
            let row = commands_of(&scene, &told.case.id).await.pop().expect("a lock");
            assert_eq!(row.state, CommandState::Acknowledged);
            assert_eq!(row.problem.is_some_and(|problem| problem.contains("no PIN is set")), !secure);
            assert_eq!(scene.alerted("lock_without_effect", phone.device.as_str()).await, !secure);
            let last = timeline(&scene, &told.case.id).await.pop().expect("an end").what;
            assert_eq!(last.contains("no effect"), !secure, "{last}");
            assert_eq!(last.contains("only its work profile"), secure, "{last}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_work_profile_that_goes_is_not_told_as_a_phone_that_is_erased() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        let phone = android(&scene, "A-1", "personal_work_profile", "personal");
        let order = scene.approved(&phone).await;
        let Step::Order(..) = next(&scene, &phone).await else { panic!("no order") };
        let council = scene.council.clone();
        let enrolment = phone.enrolment.clone();
        let open = scene
            .run(Actor::System, move |tx, _| store::google_operations::open_of_enrolment(tx, &council, &enrolment))
            .await
            .expect("reads");
        let operation = open.into_iter().next().expect("a call");
        let Step::Look(it, _) = next(&scene, &phone).await else { panic!("nothing to look for") };
        let issued = operation.clone();
        let name = format!("{}/operations/1", name(&phone));
        scene
            .run(Actor::System, move |tx, context| outcome::issued(tx, context, &issued, &name))
            .await
            .expect("issued");
        let words = scene.order(&order.id).await.words();
        assert!(words.contains("Google has it") && !words.contains("wake-up"), "{words}");
        ends(&scene, &it, &operation, Standing::Done(json!({}))).await;
        let words = scene.order(&order.id).await.words();
        assert!(words.contains("work profile") && !words.contains("erases"), "{words}");
        let told: Vec<String> = timeline(&scene, &order.case).await.into_iter().map(|entry| entry.what).collect();
        assert!(told.iter().any(|what| what.contains("given to Google")), "{told:?}");
        assert!(told.iter().any(|what| what.contains("removed the council's work profile")), "{told:?}");
        assert!(!told.iter().any(|what| what.contains("erases itself") || what.contains("wake-up")), "{told:?}");
    })
    .await;
}
