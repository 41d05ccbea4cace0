//! W2 and W6 against someone who can write SQL: refused by the database, or by `Release::verify`.

use chrono::Duration;

use super::scene::{Phone, Scene, sql_time};
use crate::model::{CommandId, HeldReason, OrderId, OrderState};
use crate::operations::caps::{self, CapScope};
use crate::operations::orders::Outcome;
use crate::operations::{audit, holds};
use crate::testing::on_both;

/// After an attack that the database let pass: the phone asks, gets nothing, and the council is told.
async fn gets_nothing(scene: &Scene, phone: &Phone, order: &OrderId) {
    assert!(scene.idle(phone).await.is_none(), "released");
    let row = scene.order(order).await;
    assert_eq!((row.state, row.held_reason), (OrderState::Held, Some(HeldReason::Distrusted)), "{:?}", row.problem);
    assert!(scene.alerted("order_distrusted", order.as_str()).await);
    assert!(scene.idle(phone).await.is_none(), "released at the second try");
    assert!(scene.resume(scene.clerk(), order).await.is_err(), "resumed");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_refuses_a_destructive_command() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        let phone = scene.phone("T-1");
        for kind in ["erase_device", "erase", "wipe", "remove_management", "EraseDevice", "device_lock; --"] {
            let insert = format!(
                "INSERT INTO commands (council_id, id, enrolment_id, kind, payload, priority, state, created_by, created_at, \
                 available_at, expires_at) VALUES ('{}', '{}', '{}', '{kind}', '{{}}', 0, 'queued', 'x', '{now}', '{now}', \
                 '{now}')",
                scene.council,
                CommandId::new(),
                phone.enrolment,
                now = sql_time(scene.bench.clock.now()),
            );
            assert!(scene.sql(&insert).is_err(), "{kind}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_turned_to_another_device_is_refused() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        let (lost, other) = (scene.phone("T-1"), scene.phone("T-2"));
        let order = scene.approved(&lost).await;
        let change = |what: &str| scene.sql(&format!("UPDATE orders SET {what} WHERE id = '{}'", order.id));
        assert!(change(&format!("enrolment_id = '{}'", other.enrolment)).is_err(), "half a change");
        assert!(change(&format!("device_id = '{}'", other.device)).is_err(), "half a change");
        assert!(change("mode = 'device'").is_err(), "a mode that the enrolment does not have");
        assert!(change("ownership = 'personal'").is_err(), "an erase of a personal device");
        assert!(change("council_id = 'another'").is_err());
        change(&format!("enrolment_id = '{}', device_id = '{}'", other.enrolment, other.device))
            .expect("a whole change");
        assert!(scene.idle(&lost).await.is_none());
        gets_nothing(&scene, &other, &order.id).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn anything_that_the_seal_covers_cannot_be_changed() {
    on_both(|bench| async move {
        let changes = [
            "preserve_data_plan = FALSE".to_owned(),
            "scope = 'erase_work_profile'".to_owned(),
            "requested_at = '2026-01-01 00:00:00'".to_owned(),
            "approved_at = requested_at".to_owned(),
            format!("command_id = '{}'", CommandId::new()),
            "seal_key_id = 'audit'".to_owned(),
        ];
        let scene = Scene::new(bench).await;
        for (number, change) in changes.iter().enumerate() {
            let phone = scene.phone(&format!("T-{number}"));
            let order = scene.approved(&phone).await;
            scene.sql(&format!("UPDATE orders SET {change} WHERE id = '{}'", order.id)).expect("sql");
            assert!(scene.idle(&phone).await.is_none(), "{change}");
            assert_eq!(scene.order(&order.id).await.held_reason, Some(HeldReason::Distrusted), "{change}");
            scene.bench.clock.advance(Duration::hours(7));
        }
        // The requester and the approver, too.
        let phone = scene.phone("T-x");
        let order = scene.approved(&phone).await;
        scene
            .sql(&format!("UPDATE orders SET requested_by = '{}' WHERE id = '{}'", scene.provider, order.id))
            .expect("sql");
        gets_nothing(&scene, &phone, &order.id).await;
        assert!(
            scene.sql(&format!("UPDATE orders SET approved_by = requested_by WHERE id = '{}'", order.id)).is_err(),
            "one person as both"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approval_written_by_hand_releases_nothing() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        let phone = scene.phone("T-1");
        let order = scene.requested(&phone).await;
        let half = format!("UPDATE orders SET state = 'approved' WHERE id = '{}'", order.id);
        assert!(scene.sql(&half).is_err(), "approved by nobody");
        scene
            .sql(&format!(
                "UPDATE orders SET state = 'approved', approved_by = '{}', approved_at = requested_at, seal = {}, \
                 seal_key_id = 'approval', command_id = '{}' WHERE id = '{}'",
                scene.provider,
                scene.blob(&"ab".repeat(32)),
                CommandId::new(),
                order.id
            ))
            .expect("sql");
        gets_nothing(&scene, &phone, &order.id).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_written_or_changed_by_hand_is_not_approved() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        let (lost, other) = (scene.phone("T-1"), scene.phone("T-2"));
        // A genuine request, turned to another device before the chair looks at it.
        let order = scene.requested(&lost).await;
        scene.report(&other).await;
        scene
            .sql(&format!(
                "UPDATE orders SET device_id = '{}', enrolment_id = '{}' WHERE id = '{}'",
                other.device, other.enrolment, order.id
            ))
            .expect("sql");
        let answer = scene.approve(scene.chair(), &order.id).await.expect("answers");
        assert_eq!((answer.state, answer.held_reason), (OrderState::Held, Some(HeldReason::Distrusted)));
        assert!(answer.approved_by.is_none());
        // A request that nobody ever made.
        let genuine = scene.ask(scene.clerk(), &lost, &order.case).await.expect("asks");
        let forged = OrderId::new();
        scene.cancel(scene.clerk(), &genuine.id).await.expect("cancels");
        scene
            .sql(&format!(
                "INSERT INTO orders (council_id, id, case_id, device_id, enrolment_id, mode, ownership, scope, state, reason, \
                 preserve_data_plan, requested_by, requested_at, lapses_at, changed_at) SELECT council_id, '{forged}', \
                 case_id, device_id, enrolment_id, mode, ownership, scope, 'requested', reason, preserve_data_plan, \
                 requested_by, requested_at, lapses_at, changed_at FROM orders WHERE id = '{}'",
                genuine.id
            ))
            .expect("sql");
        let answer = scene.approve(scene.chair(), &forged).await.expect("answers");
        assert_eq!(answer.held_reason, Some(HeldReason::Distrusted));
        assert!(scene.idle(&lost).await.is_none());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seal_is_good_for_its_own_order_only() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        let (one, two) = (scene.phone("T-1"), scene.phone("T-2"));
        let genuine = scene.approved(&one).await;
        let wanted = scene.requested(&two).await;
        let copy = format!(
            "UPDATE orders SET state = 'approved', approved_by = (SELECT approved_by FROM orders WHERE id = '{0}'), \
             approved_at = (SELECT approved_at FROM orders WHERE id = '{0}'), seal = (SELECT seal FROM orders WHERE id = \
             '{0}'), seal_key_id = 'approval', command_id = '{1}' WHERE id = '{2}'",
            genuine.id,
            CommandId::new(),
            wanted.id
        );
        assert!(scene.sql(&copy).is_err(), "one seal, two orders");
        // Taken away from the genuine one first, the database lets it pass.
        let seal = hex::encode(scene.order(&genuine.id).await.seal.expect("sealed"));
        scene
            .sql(&format!("UPDATE orders SET seal = {} WHERE id = '{}'", scene.blob(&"00".repeat(32)), genuine.id))
            .expect("sql");
        scene
            .sql(&format!(
                "UPDATE orders SET state = 'approved', approved_by = '{}', approved_at = requested_at, seal = {}, \
                 seal_key_id = 'approval', command_id = '{}' WHERE id = '{}'",
                scene.provider,
                scene.blob(&seal),
                CommandId::new(),
                wanted.id
            ))
            .expect("sql");
        gets_nothing(&scene, &two, &wanted.id).await;
        gets_nothing(&scene, &one, &genuine.id).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn w6_a_row_cannot_be_moved_to_another_council() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        let other = scene.bench.council("coreley").await;
        let phone = scene.phone("T-1");
        let theirs = scene.phone_of(&other, "T-1", "supervised", "council");
        let order = scene.approved(&phone).await;
        let mut moved = vec![
            format!("UPDATE orders SET council_id = '{other}' WHERE id = '{}'", order.id),
            format!("UPDATE cases SET council_id = '{other}' WHERE id = '{}'", order.case),
            format!("UPDATE enrolments SET council_id = '{other}' WHERE id = '{}'", phone.enrolment),
            format!("UPDATE devices SET council_id = '{other}' WHERE id = '{}'", phone.device),
        ];
        // All that the order hangs on, at once, to the other council's device.
        moved.push(format!(
            "UPDATE orders SET council_id = '{other}', device_id = '{}', enrolment_id = '{}' WHERE id = '{}'",
            theirs.device, theirs.enrolment, order.id
        ));
        for sql in moved {
            assert!(scene.sql(&sql).is_err(), "{sql}");
        }
        assert!(scene.idle(&phone).await.is_some(), "untouched");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_ended_is_not_brought_back_by_hand() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        // Carried out, its enrolment made live again, everything put back as it was before.
        let phone = scene.phone("T-1");
        let order = scene.approved(&phone).await;
        let release = scene.idle(&phone).await.expect("released");
        scene.answer(&phone, &release, Outcome::Acknowledged).await;
        let revive = |order: &OrderId| {
            scene.sql(&format!(
                "UPDATE orders SET state = 'approved', ended_at = NULL, ended_by = NULL, fetched_at = NULL, \
                 first_fetched_at = NULL, offers = 0 WHERE id = '{order}'"
            ))
        };
        revive(&order.id).expect("sql");
        scene
            .sql(&format!(
                "UPDATE enrolments SET state = 'enrolled', ended_at = NULL, end_reason = NULL WHERE id = '{}'",
                phone.enrolment
            ))
            .expect("sql");
        gets_nothing(&scene, &phone, &order.id).await;

        // Cancelled, and the audit row that says so removed too: then the chain is broken.
        let phone = scene.phone("T-2");
        let order = scene.approved(&phone).await;
        scene.cancel(scene.clerk(), &order.id).await.expect("cancels");
        revive(&order.id).expect("sql");
        scene
            .sql(&format!(
                "DELETE FROM audit_details WHERE chain = '{0}' AND seq IN (SELECT seq FROM audit_rows WHERE chain = '{0}' AND \
                 subject = '{1}' AND kind = 'order.cancelled'); \
                 DELETE FROM audit_rows WHERE chain = '{0}' AND subject = '{1}' AND kind = 'order.cancelled'; \
                 UPDATE audit_heads SET seq = (SELECT MAX(seq) FROM audit_rows WHERE chain = '{0}'), mac = (SELECT mac FROM \
                 audit_rows WHERE chain = '{0}' ORDER BY seq DESC LIMIT 1) WHERE chain = '{0}'",
                scene.council, order.id
            ))
            .expect("sql");
        gets_nothing(&scene, &phone, &order.id).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_order_is_not_let_go_by_hand() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        let phone = scene.phone("T-1");
        let order = scene.approved(&phone).await;
        let device = phone.device.clone();
        scene
            .run(scene.clerk(), move |tx, context| {
                crate::operations::holds::add(tx, context, &device, "the audit of 2026")
            })
            .await
            .expect("holds");
        scene
            .sql(&format!(
                "DELETE FROM legal_holds; UPDATE orders SET state = 'approved', held_reason = NULL WHERE id = '{}'",
                order.id
            ))
            .expect("sql");
        gets_nothing(&scene, &phone, &order.id).await;
    })
    .await;
}

/// Held for `reason`, told to the council, and not to be let go.
async fn stays_held(scene: &Scene, phone: &Phone, order: &OrderId, reason: HeldReason, alert: (&'static str, &str)) {
    assert!(scene.idle(phone).await.is_none(), "released");
    let row = scene.order(order).await;
    assert_eq!((row.state, row.held_reason), (OrderState::Held, Some(reason)), "{:?}", row.problem);
    assert!(scene.alerted(alert.0, alert.1).await);
    assert!(scene.resume(scene.clerk(), order).await.is_err(), "let go while it stands");
    assert!(scene.idle(phone).await.is_none(), "released at the second try");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_legal_hold_that_is_taken_away_by_hand_before_the_order_still_holds() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        let attacks = [
            "DELETE FROM legal_holds WHERE device_id = 'DEVICE'",
            "UPDATE legal_holds SET ended_at = added_at, ended_by = 'x' WHERE device_id = 'DEVICE'",
            "UPDATE legal_holds SET device_id = 'OTHER' WHERE device_id = 'DEVICE'",
            // An end that nobody recorded, put into the trail by hand.
            "DELETE FROM legal_holds WHERE device_id = 'DEVICE'; UPDATE audit_rows SET kind = 'hold.ended', details_hash = \
             (SELECT details_hash FROM audit_rows WHERE subject = 'DEVICE' AND kind = 'hold.added') WHERE seq = (SELECT \
             MAX(seq) FROM audit_rows WHERE subject = 'DEVICE') AND subject = 'DEVICE'",
        ];
        let other = scene.phone("T-x");
        for (number, attack) in attacks.iter().enumerate() {
            let phone = scene.phone(&format!("T-{number}"));
            let device = phone.device.clone();
            let hold = scene
                .run(scene.clerk(), move |tx, context| {
                    let hold = holds::add(tx, context, &device, "the audit of 2026")?;
                    audit::record(tx, context, &hold.council, "noted", device.as_str(), serde_json::json!({}))?;
                    Ok(hold.id)
                })
                .await
                .expect("holds");
            let attack = attack.replace("DEVICE", phone.device.as_str()).replace("OTHER", other.device.as_str());
            scene.sql(&attack).expect("sql");
            let order = scene.approved(&phone).await;
            let alert = ("hold_differs", phone.device.as_str());
            stays_held(&scene, &phone, &order.id, HeldReason::LegalHold, alert).await;
            // It is there again for people to end, and then it does not hold any more.
            scene.run(scene.clerk(), move |tx, context| holds::end(tx, context, &hold)).await.expect("ends");
            scene.resume(scene.clerk(), &order.id).await.expect("goes on");
            assert!(scene.idle(&phone).await.is_some(), "{attack}");
            scene.bench.clock.advance(Duration::hours(7));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_legal_hold_of_which_nothing_but_its_row_in_the_trail_is_left_holds() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        let phone = scene.phone("T-1");
        let device = phone.device.clone();
        scene.run(scene.clerk(), move |tx, context| holds::add(tx, context, &device, "why")).await.expect("holds");
        scene.sql("DELETE FROM legal_holds; DELETE FROM audit_details").expect("sql");
        let order = scene.approved(&phone).await;
        assert!(scene.idle(&phone).await.is_none());
        assert_eq!(scene.order(&order.id).await.held_reason, Some(HeldReason::LegalHold));
        assert!(scene.alerted("hold_differs", phone.device.as_str()).await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_freeze_that_is_taken_away_by_hand_before_the_order_still_freezes() {
    on_both(|bench| async move {
        let attacks = [
            "DELETE FROM freezes",
            "UPDATE freezes SET thaw_requested_by = (SELECT MIN(id) FROM operators), thawed_by = (SELECT MAX(id) FROM \
             operators), thawed_at = frozen_at",
            "DELETE FROM freezes; UPDATE audit_rows SET kind = 'orders.thawed', subject = chain WHERE (chain, seq) = (SELECT \
             chain, seq FROM audit_heads WHERE chain = 'COUNCIL')",
        ];
        let scene = Scene::new(bench).await;
        for (number, attack) in attacks.iter().enumerate() {
            let phones = ["a", "b", "c", "d"].map(|name| scene.phone(&format!("T-{number}-{name}")));
            let before = scene.approved(&phones[0]).await;
            scene.approved(&phones[1]).await;
            let over = scene.approved(&phones[2]).await;
            assert_eq!(over.held_reason, Some(HeldReason::Frozen), "over the cap");
            scene.sql(&attack.replace("COUNCIL", scene.council.as_str())).expect("sql");
            // What nobody approved yet is not approved, what was approved does not leave.
            let asked = scene.requested(&phones[3]).await;
            let refused = scene.approve(scene.chair(), &asked.id).await.expect_err("frozen").to_string();
            assert!(refused.contains("orders are frozen"), "{refused}");
            if number + 1 == attacks.len() {
                // A forged row of the trail: the order is not believed either, whatever is thawed.
                assert!(scene.idle(&phones[0]).await.is_none(), "released");
                let row = scene.order(&before.id).await;
                assert_eq!((row.state, row.held_reason), (OrderState::Held, Some(HeldReason::Distrusted)));
                break;
            }
            let alert = ("freeze_differs", scene.council.as_str());
            stays_held(&scene, &phones[0], &before.id, HeldReason::Frozen, alert).await;
            // It is there again for two people to thaw.
            for actor in [scene.clerk(), scene.chair()] {
                let scope = CapScope::Council(scene.council.clone());
                scene.run(actor, move |tx, context| caps::thaw(tx, context, &scope)).await.expect("thaws");
            }
            scene.bench.clock.advance(Duration::days(2));
            scene.resume(scene.clerk(), &before.id).await.expect("goes on");
            assert!(scene.idle(&phones[0]).await.is_some(), "{attack}");
            let council = scene.council.clone();
            scene
                .run(crate::model::Actor::System, move |tx, context| {
                    crate::operations::alerts::end(tx, context, &council, "freeze_differs", council.as_str())
                })
                .await
                .expect("seen to");
            scene.bench.clock.advance(Duration::days(2));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_freeze_can_be_thawed_and_is_found_without_an_order() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        let phones = ["T-1", "T-2", "T-3"].map(|tag| scene.phone(tag));
        for phone in &phones {
            scene.approved(phone).await;
        }
        let missing = || scene.run(crate::model::Actor::System, caps::missing_freezes);
        assert_eq!(missing().await.expect("looks"), []);
        scene.sql("DELETE FROM freezes").expect("sql");
        let scope = CapScope::Council(scene.council.clone());
        assert_eq!(missing().await.expect("looks"), std::slice::from_ref(&scope));
        for actor in [scene.clerk(), scene.chair()] {
            let scope = scope.clone();
            scene.run(actor, move |tx, context| caps::thaw(tx, context, &scope)).await.expect("thaws");
        }
        assert!(scene.alerted("freeze_differs", scene.council.as_str()).await);
        assert_eq!(missing().await.expect("looks"), []);
    })
    .await;
}

#[test]
fn only_an_approval_and_the_end_of_a_cooling_off_seal() {
    let (mut seals, mut authorises) = (Vec::new(), Vec::new());
    let mut folders = vec![std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let text = std::fs::read_to_string(&path).expect("text");
                let name = path.file_name().expect("named").to_string_lossy().into_owned();
                if text.contains(concat!("Seal::", "sign(")) {
                    seals.push(name.clone());
                }
                if text.contains(concat!("author", "ise(")) {
                    authorises.push(name);
                }
            }
        }
    }
    authorises.sort();
    assert_eq!(seals, ["authorise.rs"]);
    assert_eq!(authorises, ["approve.rs", "authorise.rs", "cool_off_due.rs"]);
}
