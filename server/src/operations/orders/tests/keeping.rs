//! What restoring and retention do to orders: held again after every restore, and never forgotten before their time.

use std::collections::BTreeSet;

use chrono::Duration;

use super::scene::{Phone, Scene, sql_time};
use crate::model::{Actor, HeldReason, OrderState};
use crate::operations::orders::Outcome;
use crate::operations::retention::{self, Periods};
use crate::operations::{audit, commands, holds, losses, quarantine};
use crate::store::{self, Database};
use crate::testing::on_both;

async fn begin_quarantine(scene: &Scene, reason: &'static str) {
    scene.run(Actor::System, move |tx, context| quarantine::begin(tx, context, reason)).await.expect("begins");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quarantine_that_begins_while_one_is_on_holds_again_what_was_found_to_stand() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        let phone = scene.phone("T-1");
        let order = scene.approved(&phone).await;
        begin_quarantine(&scene, "a backup was restored").await;
        scene.resume(scene.clerk(), &order.id).await.expect("still stands");
        assert_eq!(scene.state(&order.id).await, OrderState::Approved);
        // At the same moment, as a test's clock has it.
        begin_quarantine(&scene, "another backup was restored").await;
        let held = scene.order(&order.id).await;
        assert_eq!((held.state, held.held_reason), (OrderState::Held, Some(HeldReason::Quarantine)));
        let shown = scene.run(scene.provider(), quarantine::show).await.expect("shows");
        let reason = shown.reason.expect("on");
        assert!(reason.contains("a backup was restored; then: another backup"), "{reason}");
        assert_eq!(shown.to_reconcile.len(), 1);
        let problem = scene.run(scene.provider(), quarantine::end).await.expect_err("not reconciled").to_string();
        assert!(problem.contains("1 orders"), "{problem}");
        assert!(scene.idle(&phone).await.is_none());
        let problem = scene.run(scene.clerk(), quarantine::end).await.expect_err("no provider").to_string();
        assert!(problem.contains("operator add --role provider"), "{problem}");
        scene.resume(scene.clerk(), &order.id).await.expect("still stands");
        let ended = scene.run(scene.provider(), quarantine::end).await.expect("ends");
        assert!(!ended.on, "both");
        assert!(scene.idle(&phone).await.is_some());
        scene.check().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_taken_during_a_quarantine_is_restored_with_its_orders_held() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        let phone = scene.phone("T-1");
        let order = scene.approved(&phone).await;
        begin_quarantine(&scene, "a backup was restored").await;
        scene.resume(scene.clerk(), &order.id).await.expect("still stands");
        let mut lines = Vec::new();
        let dumped = scene.bench.database.dump(|line| {
            lines.push(line);
            Ok(())
        });
        dumped.expect("dumps");
        // What happens after the backup, and is not known to it.
        scene.cancel(scene.clerk(), &order.id).await.expect("cancels");

        let folder = tempfile::tempdir().expect("a folder");
        let url = format!("sqlite:{}", folder.path().join("restored.db").display());
        let restored = Database::open(&url).expect("opens");
        restored.migrate().expect("migrates");
        let context = scene.bench.context(Actor::System);
        let begin = |tx: &mut store::Transaction<'_>| quarantine::begin(tx, &context, "restored from the backup");
        restored.fill(lines.into_iter().map(Ok), begin).expect("fills");
        let id = order.id.clone();
        let held = restored.read("order", move |tx| store::orders::find(tx, &id)).await.expect("reads").expect("there");
        assert_eq!((held.state, held.held_reason), (OrderState::Held, Some(HeldReason::Quarantine)));
        restored.close().await;
    })
    .await;
}

/// Purges page by page what the periods let go; how much that was.
async fn purge(scene: &Scene, details: i64, wipe_evidence: i64) -> usize {
    let periods = Periods { details: Duration::days(details), wipe_evidence: Duration::days(wipe_evidence) };
    let (mut after, mut purged) = (Some(0), 0);
    while let Some(from) = after {
        let chain = scene.council.to_string();
        let page = scene
            .run(Actor::System, move |tx, context| retention::purge_details(tx, context, &chain, from, periods, 3))
            .await
            .expect("purges");
        purged += page.purged;
        after = page.next;
    }
    purged
}

/// Of which subjects and kinds the details are still there.
async fn known(scene: &Scene) -> BTreeSet<(String, String)> {
    let council = scene.council.clone();
    let rows = scene.run(Actor::Local, move |tx, context| audit::export(tx, context, Some(&council), 0, 1000)).await;
    let rows = rows.expect("reads").into_iter().filter(|row| row.details.is_some());
    rows.map(|row| (row.subject, row.kind)).collect()
}

async fn close_case(scene: &Scene, phone: &Phone) {
    let asset = phone.asset.clone();
    scene
        .run(scene.clerk(), move |tx, context| {
            let council = &store::cases::asset(tx, &asset)?.expect("an item").council_id;
            let case = store::cases::unclosed_of_asset(tx, council, &asset, crate::model::CaseKind::Loss)?;
            losses::close(tx, context, &case.expect("a case").id, "over").map(drop)
        })
        .await
        .expect("closes");
}

#[tokio::test(flavor = "multi_thread")]
async fn details_are_purged_in_time_and_those_of_wipes_and_of_what_is_not_over_later() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        let [wiped, waits, found, lost, kept] = ["T-1", "T-2", "T-3", "T-4", "T-5"].map(|tag| scene.phone(tag));
        let done = scene.approved(&wiped).await;
        let release = scene.idle(&wiped).await.expect("released");
        scene.answer(&wiped, &release, Outcome::Acknowledged).await;
        close_case(&scene, &wiped).await;
        let asked = scene.requested(&waits).await;
        let returned = scene.report(&found).await.case.id;
        close_case(&scene, &found).await;
        let open = scene.report(&lost).await.case.id;
        let device = kept.device.clone();
        scene
            .run(scene.clerk(), move |tx, context| holds::add(tx, context, &device, "the audit of 2026"))
            .await
            .expect("holds");
        let all = known(&scene).await;
        let subjects = |known: &BTreeSet<(String, String)>| -> BTreeSet<String> {
            known.iter().map(|(subject, _)| subject.clone()).collect()
        };
        assert_eq!(purge(&scene, 180, 2192).await, 0, "nothing is old");

        scene.bench.clock.advance(Duration::days(181));
        let purged = purge(&scene, 180, 2192).await;
        let left = known(&scene).await;
        assert_eq!(all.len(), left.len() + purged, "each row is of its own kind and subject");
        let evidence = [done.id.as_str(), done.case.as_str(), asked.id.as_str(), asked.case.as_str(), open.as_str()];
        let mut expected: BTreeSet<String> = evidence.iter().map(|id| (*id).to_owned()).collect();
        expected.insert(kept.device.to_string());
        assert_eq!(subjects(&left), expected, "but for {returned} and what else is no evidence");
        assert_eq!(purge(&scene, 180, 2192).await, 0, "once");

        scene.bench.clock.advance(Duration::days(2192));
        assert!(purge(&scene, 180, 2192).await > 0);
        let left = known(&scene).await;
        for gone in &evidence[..2] {
            expected.remove(*gone);
        }
        assert_eq!(subjects(&left), expected, "what is not over is kept");

        let (keys, chain) = (std::sync::Arc::clone(&scene.bench.keys), scene.council.to_string());
        let rows = all.len();
        let verified =
            scene.run(Actor::Local, move |tx, _| audit::verify(tx, &keys.audit, &chain, None)).await.expect("verifies");
        assert_eq!(verified.problems, Vec::<String>::new());
        assert_eq!(usize::try_from(verified.purged).expect("a count"), rows - left.len(), "the count is told");
        scene.check().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn details_are_never_kept_shorter_for_a_wipe_than_for_the_rest() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        let phone = scene.phone("T-1");
        let order = scene.requested(&phone).await;
        scene.cancel(scene.clerk(), &order.id).await.expect("cancels");
        close_case(&scene, &phone).await;
        scene.bench.clock.advance(Duration::days(100));
        assert_eq!(purge(&scene, 200, 30).await, 0);
        scene.bench.clock.advance(Duration::days(101));
        assert!(purge(&scene, 200, 30).await > 0);
        assert!(known(&scene).await.is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_of_a_case_stay_until_it_is_closed() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        let phone = scene.phone("T-1");
        scene.report(&phone).await;
        let now = sql_time(scene.bench.clock.now());
        scene.sql(&format!("UPDATE commands SET state = 'acknowledged', ended_at = '{now}'")).expect("sql");
        scene.bench.clock.advance(Duration::days(200));
        let purge = || {
            scene.run(Actor::System, |tx, context| commands::purge_ended(tx, context.now - Duration::days(180), 100))
        };
        assert_eq!(purge().await.expect("purges"), 0, "it may still be in Lost Mode");
        close_case(&scene, &phone).await;
        assert_eq!(purge().await.expect("purges"), 1);
    })
    .await;
}
