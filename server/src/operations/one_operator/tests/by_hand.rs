//! Against someone who can write SQL: no row makes an order go, nor takes back what stopped it.

use chrono::Duration;

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn nothing_written_by_hand_makes_an_order_go() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        in_effect(&scene).await;
        let old = sql_time(scene.bench.clock.now() - Duration::hours(1));
        // The begin written by hand: the mail was never accepted.
        let phone = scene.phone("GPC-001");
        let order = asked(&scene, &phone).await;
        scene.sql(&format!("UPDATE one_operator_notices SET accepted_at = '{old}'; UPDATE cooling_offs SET began_at = '{old}'")).expect("sql");
        cooled(&scene).await;
        assert_eq!(held(&scene, &order.id).await, Some(HeldReason::Distrusted));
        // Accepted, and the begin put back by an hour.
        let phone = scene.phone("GPC-002");
        let order = asked(&scene, &phone).await;
        deliver(&scene).await;
        scene.sql(&format!("UPDATE cooling_offs SET began_at = '{old}'")).expect("sql");
        cooled(&scene).await;
        assert_eq!(held(&scene, &order.id).await, Some(HeldReason::Distrusted));
        // The mail turned to another address, in the notice and in the job.
        let phone = scene.phone("GPC-003");
        let order = asked(&scene, &phone).await;
        scene
            .sql(
                "UPDATE one_operator_notices SET address = 'thief@x.example' WHERE order_id IS NOT NULL; \
                 UPDATE jobs SET payload = replace(payload, 'mrs.chair@home.example', 'thief@x.example')",
            )
            .expect("sql");
        assert!(deliver(&scene).await.iter().any(|letter| letter.to == "thief@x.example"));
        after(&scene, Duration::minutes(31)).await;
        assert_eq!(held(&scene, &order.id).await, Some(HeldReason::Distrusted));
        // The state written by hand, with a seal that nobody made.
        scene.bench.clock.advance(Duration::hours(7));
        let phone = scene.phone("GPC-004");
        let order = asked(&scene, &phone).await;
        scene
            .sql(&format!(
                "UPDATE orders SET state = 'approved', one_operator_id = (SELECT id FROM one_operator_settings), \
                 cooling_off_from = requested_at, approved_at = requested_at, seal = {}, seal_key_id = 'approval', command_id = \
                 'c-1' WHERE id = '{}'",
                scene.blob(&"ab".repeat(32)),
                order.id
            ))
            .expect("sql");
        assert!(scene.idle(&phone).await.is_none());
        assert_eq!(held(&scene, &order.id).await, Some(HeldReason::Distrusted));
        // What a cooling-off sealed is no second person's seal, nor another time's.
        let phone = scene.phone("GPC-005");
        let order = asked(&scene, &phone).await;
        deliver(&scene).await;
        after(&scene, Duration::minutes(30)).await;
        assert_eq!(scene.state(&order.id).await, OrderState::Approved);
        let both = format!("UPDATE orders SET approved_by = '{}' WHERE id = '{}'", scene.chair, order.id);
        assert!(scene.sql(&both).is_err(), "two authorities");
        scene
            .sql(&format!(
                "UPDATE orders SET approved_by = '{}', one_operator_id = NULL, cooling_off_from = NULL WHERE id = '{}'",
                scene.chair, order.id
            ))
            .expect("sql");
        assert!(scene.idle(&phone).await.is_none());
        assert_eq!(held(&scene, &order.id).await, Some(HeldReason::Distrusted));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_that_was_taken_out_by_hand_stays_an_end() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        in_effect(&scene).await;
        let council = scene.council.clone();
        scene.run(scene.chair(), move |tx, context| end(tx, context, &council)).await.expect("ended");
        scene.sql("UPDATE one_operator_settings SET ended_at = NULL, ended_by = NULL").expect("sql");
        assert!(!shown(&scene).await.in_effect, "the trail says that it ended");
        scene
            .sql(
                "DELETE FROM audit_details WHERE seq IN (SELECT seq FROM audit_rows WHERE kind = 'one_operator.ended'); \
                 DELETE FROM audit_rows WHERE kind = 'one_operator.ended'",
            )
            .expect("sql");
        let phone = scene.phone("GPC-001");
        let order = asked(&scene, &phone).await;
        deliver(&scene).await;
        after(&scene, Duration::minutes(31)).await;
        assert_eq!(held(&scene, &order.id).await, Some(HeldReason::Distrusted));
        assert!(scene.idle(&phone).await.is_none());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_paused_or_begun_anew_does_not_go_on_by_what_is_written_by_hand() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        in_effect(&scene).await;
        // Paused after it was sealed, and called something else.
        let phone = scene.phone("GPC-001");
        let order = asked(&scene, &phone).await;
        let code = code_in(&deliver(&scene).await, "mrs.chair@home.example");
        after(&scene, Duration::minutes(30)).await;
        assert_eq!(stop_by(&scene, &code).await, Some(Stopped::Done));
        scene.sql(&format!("UPDATE orders SET held_reason = 'forbidden' WHERE id = '{}'", order.id)).expect("sql");
        let answer = scene.resume(scene.clerk(), &order.id).await.expect("answers");
        assert_eq!((answer.state, answer.held_reason), (OrderState::Held, Some(HeldReason::Distrusted)));
        assert!(scene.idle(&phone).await.is_none());
        // The seal of before a restart, put back while it is held for something else.
        let phone = scene.phone("GPC-002");
        let order = asked(&scene, &phone).await;
        let code = code_in(&deliver(&scene).await, "mrs.chair@home.example");
        after(&scene, Duration::minutes(30)).await;
        let sealed = scene.order(&order.id).await;
        stop_by(&scene, &code).await;
        scene.resume(scene.clerk(), &order.id).await.expect("begun anew");
        deliver(&scene).await;
        let device = phone.device.clone();
        let hold = scene
            .run(scene.clerk(), move |tx, context| crate::operations::holds::add(tx, context, &device, "a dispute"))
            .await
            .expect("held");
        after(&scene, Duration::minutes(31)).await;
        assert_eq!(held(&scene, &order.id).await, Some(HeldReason::Forbidden));
        scene.run(scene.clerk(), move |tx, context| crate::operations::holds::end(tx, context, &hold.id)).await.expect("ended");
        let time = |moment: Option<crate::model::Moment>| sql_time(moment.expect("a time"));
        scene
            .sql(&format!(
                "UPDATE orders SET seal = {}, seal_key_id = '{}', command_id = '{}', approved_at = '{}', cooling_off_from = '{}', \
                 one_operator_id = '{}' WHERE id = '{}'",
                scene.blob(&hex::encode(sealed.seal.expect("a seal"))),
                sealed.seal_key_id.expect("a key"),
                sealed.command_id.expect("a command"),
                time(sealed.approved_at),
                time(sealed.cooling_off_from),
                sealed.one_operator_id.expect("a setting"),
                order.id
            ))
            .expect("sql");
        scene.resume(scene.clerk(), &order.id).await.expect("it looks sealed");
        assert!(scene.idle(&phone).await.is_none(), "the trail knows that it was begun anew");
        assert_eq!(held(&scene, &order.id).await, Some(HeldReason::Distrusted));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_or_a_link_that_was_changed_by_hand_tells_nobody() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        in_effect(&scene).await;
        for (number, change) in [
            "UPDATE jobs SET payload = replace(payload, 'press the button', 'do nothing')",
            "UPDATE one_operator_notices SET code_hash = 'x' || id WHERE order_id IS NOT NULL",
            "UPDATE one_operator_notices SET used_at = made_at WHERE order_id IS NOT NULL",
        ]
        .into_iter()
        .enumerate()
        {
            let phone = scene.phone(&format!("GPC-00{number}"));
            let order = asked(&scene, &phone).await;
            scene.sql(change).expect("sql");
            deliver(&scene).await;
            after(&scene, Duration::minutes(31)).await;
            assert_eq!(held(&scene, &order.id).await, Some(HeldReason::Distrusted), "{change}");
        }
        // And of the announcement.
        let council = scene.council.clone();
        scene.run(scene.chair(), move |tx, context| end(tx, context, &council)).await.expect("ended");
        begin_with(&scene, vec![mrs_chair()]).await.expect("announced");
        scene.sql("UPDATE jobs SET payload = replace(payload, 'press the button', 'do nothing')").expect("sql");
        deliver(&scene).await;
        scene.bench.clock.advance(HOURS_72 * 2);
        assert!(!shown(&scene).await.in_effect);
    })
    .await;
}
