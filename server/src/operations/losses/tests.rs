//! The evidence of a loss: it says what the trail proves, shows what was forged, and is nobody else's.

use serde_json::Value;

use super::{Evidence, Particulars, WitnessRow, close, evidence, note, witness};
use crate::error::{Error, Result};
use crate::model::{Actor, CaseId, OperatorId, Role, SignedIn, TokenId, TokenScope};
use crate::operations::losses::{Notes, decide_breach};
use crate::operations::orders::Outcome;
use crate::operations::orders::tests::scene::{Phone, Scene};
use crate::operations::{audit, holds};
use crate::store;
use crate::testing::on_both;

async fn of(scene: &Scene, actor: Actor, case: &CaseId, until: Option<i64>) -> Result<Evidence> {
    let case = case.clone();
    scene.run(actor, move |tx, context| evidence(tx, context, &case, until)).await
}

async fn noted(scene: &Scene, case: &CaseId, reference: &str) {
    let (case, notes) = (case.clone(), Notes { police_reference: Some(reference.to_owned()), ..Notes::default() });
    scene.run(scene.clerk(), move |tx, context| note(tx, context, &case, &notes).map(drop)).await.expect("noted");
}

fn row<'a>(evidence: &'a Evidence, kind: &str) -> &'a WitnessRow {
    let found = evidence.trail.rows.iter().find(|row| row.kind == kind);
    found.unwrap_or_else(|| panic!("no {kind} in {:#?}", evidence.trail))
}

/// Reported, asked for, approved and erased.
async fn erased(scene: &Scene, phone: &Phone) -> CaseId {
    let order = scene.approved(phone).await;
    let release = scene.idle(phone).await.expect("released");
    scene.answer(phone, &release, Outcome::Acknowledged).await;
    order.case
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_story_of_an_erased_phone_is_told_and_checked() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        let (phone, other) = (scene.phone("T-1"), scene.phone("T-2"));
        let before = scene.report(&other).await.case.id;
        let case = erased(&scene, &phone).await;
        noted(&scene, &case, "CR/117").await;
        noted(&scene, &before, "CR/118").await;
        let id = case.clone();
        scene
            .run(scene.clerk(), move |tx, context| {
                decide_breach(tx, context, &id, "letters", crate::model::BreachDecision::DoNotNotify, "erased")
            })
            .await
            .expect("decided");
        let told = of(&scene, scene.clerk(), &case, None).await.expect("evidence");
        assert!(told.trail.is_whole(), "{:#?}", told.trail);
        assert_eq!((told.item.tag.as_str(), told.case.police_reference.as_str()), ("T-1", "CR/117"));
        assert_eq!(told.people.reported_by, "the clerk");
        assert_eq!(told.breach.as_ref().map(|breach| breach.decided_by.as_str()), Some("the clerk"));
        let device = told.device.as_ref().expect("a device");
        assert_eq!(device.serial.as_deref(), Some("SERIAL-T-1"));
        assert!(device.last_seen_at.is_some() && device.management_ended_at.is_some(), "erased, and remembered");
        assert!(!told.protection.phone_reports.is_empty() && told.protection.backup.is_some(), "after the erasure too");
        let [order] = told.orders.as_slice() else { panic!("one order: {:?}", told.orders) };
        assert_eq!(
            (order.requested_by_name.as_str(), order.approved_by_name.as_deref()),
            ("the clerk", Some("the approver"))
        );
        for (kind, by) in [
            ("loss.reported", "the clerk"),
            ("order.requested", "the clerk"),
            ("order.approved", "the approver"),
            ("order.fetched", "Beadle by itself"),
            ("order.confirmed", "Beadle by itself"),
            ("case.noted", "the clerk"),
            ("case.breach_decided", "the clerk"),
        ] {
            let row = row(&told, kind);
            assert_eq!(row.by.as_deref(), Some(by), "{kind}");
            assert!(row.as_written && row.particulars_are == Particulars::AsWritten, "{row:?}");
            // Whoever has the file can tell that the particulars are those that the chain saw.
            let salt = hex::decode(row.salt.as_deref().expect("a salt")).expect("hex");
            let hash = audit::hash_details(&salt, row.particulars.as_deref().expect("particulars"));
            assert_eq!(hex::encode(hash), row.details_hash);
        }
        assert!(told.timeline.iter().any(|entry| entry.reported_by_phone && entry.what.contains("erases itself")));
        let text = told.file().expect("a file");
        assert!(!text.contains("CR/118") && !text.contains("T-2"), "nothing of another loss: {text}");
        assert_eq!(told.trail.first_row, Some(row(&told, "loss.reported").seq));

        // What else the council does leaves the file of an earlier page as it was.
        noted(&scene, &before, "CR/119").await;
        let again = of(&scene, scene.chair(), &case, Some(told.trail.until_row)).await.expect("evidence");
        assert_eq!(again.file().expect("a file"), text);
        assert_ne!(of(&scene, scene.chair(), &case, None).await.expect("evidence").file().expect("a file"), text);
        // Rows that are not there yet are not asked for, nor those from before the loss.
        let beyond = of(&scene, scene.chair(), &case, Some(i64::MAX)).await.expect("evidence");
        assert!(beyond.trail.is_whole());
        for early in [i64::MIN, 0, 1] {
            let early = of(&scene, scene.chair(), &case, Some(early)).await.expect("evidence");
            assert!(early.trail.rows.is_empty() && !early.trail.is_whole(), "{:?}", early.trail);
        }
        scene.check().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_forged_is_shown_as_forged() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        let phone = scene.phone("T-1");
        let case = erased(&scene, &phone).await;
        noted(&scene, &case, "CR/117").await;
        let true_one = of(&scene, scene.clerk(), &case, None).await.expect("evidence");
        assert!(true_one.trail.is_whole());
        let (approved, noted) = (row(&true_one, "order.approved").clone(), row(&true_one, "case.noted").clone());

        // Another name for what happened.
        scene.sql(&format!("UPDATE audit_rows SET kind = 'order.refused' WHERE seq = {}", approved.seq)).expect("sql");
        let forged = of(&scene, scene.clerk(), &case, None).await.expect("evidence");
        let refused = row(&forged, "order.refused");
        assert!(!refused.as_written && refused.by.is_none(), "{refused:?}");
        assert_eq!(forged.trail.problems, [format!("row {} was changed, or put there by hand", approved.seq)]);
        assert!(!forged.trail.is_whole() && forged.trail.reaches_sealed_end);
        assert!(row(&forged, "order.confirmed").as_written, "the others are as they were");
        scene.sql(&format!("UPDATE audit_rows SET kind = 'order.approved' WHERE seq = {}", approved.seq)).expect("sql");

        // Other particulars: of somebody else, and such as are no JSON.
        let particulars = noted.particulars.clone().expect("particulars");
        for words in ["{\"by\":\"local\",\"details\":{}}", "nothing at all"] {
            scene.sql(&format!("UPDATE audit_details SET details = '{words}' WHERE seq = {}", noted.seq)).expect("sql");
            let forged = of(&scene, scene.clerk(), &case, None).await.expect("evidence");
            let changed = row(&forged, "case.noted");
            assert_eq!((changed.as_written, changed.particulars_are), (true, Particulars::Changed));
            assert_eq!(changed.by, None);
            assert_eq!(forged.trail.problems, [format!("the particulars of row {} were changed", noted.seq)]);
        }
        scene
            .sql(&format!("UPDATE audit_details SET details = '{particulars}' WHERE seq = {}", noted.seq))
            .expect("sql");
        assert!(of(&scene, scene.clerk(), &case, None).await.expect("evidence").trail.is_whole(), "as before");

        // A row less in the middle, then at the end.
        let gone = |seq: i64| {
            scene.sql(&format!("DELETE FROM audit_details WHERE seq = {seq}")).expect("sql");
            scene.sql(&format!("DELETE FROM audit_rows WHERE seq = {seq}")).expect("sql");
        };
        gone(approved.seq);
        let cut = of(&scene, scene.clerk(), &case, None).await.expect("evidence");
        assert_eq!(cut.trail.problems, [format!("row {} is missing", approved.seq)]);
        gone(noted.seq);
        let cut = of(&scene, scene.clerk(), &case, None).await.expect("evidence");
        assert!(!cut.trail.reaches_sealed_end, "{:?}", cut.trail);
        assert!(cut.trail.problems.iter().any(|problem| problem.contains("the end of the chain")), "{:?}", cut.trail);

        // Not one row about it.
        scene.sql(&format!("UPDATE audit_rows SET subject = 'another' WHERE subject = '{case}'")).expect("sql");
        let nothing = of(&scene, scene.clerk(), &case, None).await.expect("evidence");
        assert!(!nothing.trail.is_whole() && nothing.trail.problems.len() == 1, "{:?}", nothing.trail);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_for_who_may_read_the_council() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        let phone = scene.phone("T-1");
        let case = scene.report(&phone).await.case.id;
        let auditor = OperatorId::new();
        scene.add_operator(&auditor, "auditor", Some(&scene.council));
        let auditor = Actor::Operator(scene.signed_in(&auditor, Role::Auditor));
        let token = |scopes: &[TokenScope]| Actor::Token {
            id: TokenId::new(),
            council: scene.council.clone(),
            scopes: scopes.to_vec(),
        };
        for actor in [scene.clerk(), scene.chair(), scene.provider(), auditor, token(&[TokenScope::Read])] {
            of(&scene, actor, &case, None).await.expect("may read");
        }
        let refused = of(&scene, token(&[TokenScope::Report, TokenScope::Register]), &case, None).await;
        assert!(matches!(refused, Err(Error::Forbidden(_))), "{refused:?}");

        let elsewhere = scene.bench.council("coreley").await;
        let stranger =
            SignedIn { council: Some(elsewhere.clone()), ..scene.signed_in(&OperatorId::new(), Role::Clerk) };
        let foreign = Actor::Token { id: TokenId::new(), council: elsewhere, scopes: vec![TokenScope::Read] };
        for actor in [Actor::Operator(stranger), foreign] {
            let refused = of(&scene, actor, &case, None).await;
            assert!(matches!(refused, Err(Error::NotFound("case"))), "{refused:?}");
        }
        let nothing = of(&scene, scene.clerk(), &CaseId::new(), None).await;
        assert!(matches!(nothing, Err(Error::NotFound("case"))));
        scene.check().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_kept_any_more_does_not_come_back() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        let phone = scene.phone("T-1");
        let case = scene.report(&phone).await.case.id;
        noted(&scene, &case, "CR/of-somebody").await;
        noted(&scene, &case, "").await;
        let council = scene.council.clone();
        scene
            .run(Actor::System, move |tx, _| {
                let last = store::audit::head(tx, council.as_str())?.expect("a head").seq;
                store::audit::forget_details(tx, council.as_str(), &(1..=last).collect::<Vec<_>>())
            })
            .await
            .expect("purged");
        let told = of(&scene, scene.clerk(), &case, None).await.expect("evidence");
        assert!(told.trail.is_whole(), "purged particulars are no fault: {:?}", told.trail);
        for row in &told.trail.rows {
            assert_eq!((row.particulars_are, row.as_written), (Particulars::NotKept, true));
            assert!(row.by.is_none() && row.particulars.is_none() && row.salt.is_none() && row.details().is_none());
        }
        let file: Value = serde_json::from_str(&told.file().expect("a file")).expect("JSON");
        assert!(!file.to_string().contains("of-somebody"), "{file:#}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_to_the_phone_later_is_no_part_of_it() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        let phone = scene.phone("T-1");
        let hold = |reason: &'static str| {
            let device = phone.device.clone();
            scene.run(scene.clerk(), move |tx, context| holds::add(tx, context, &device, reason).map(drop))
        };
        hold("before").await.expect("held");
        let case = scene.report(&phone).await.case.id;
        scene.bench.clock.advance(chrono::Duration::minutes(1));
        hold("during").await.expect("held");
        scene.bench.clock.advance(chrono::Duration::minutes(1));
        let id = case.clone();
        scene.run(scene.clerk(), move |tx, context| close(tx, context, &id, "over").map(drop)).await.expect("closed");
        scene.bench.clock.advance(chrono::Duration::minutes(1));
        hold("after").await.expect("held");
        let told = of(&scene, scene.clerk(), &case, None).await.expect("evidence");
        assert!(told.trail.is_whole());
        let held: Vec<_> = told.trail.rows.iter().filter(|row| row.kind == "hold.added").collect();
        let [during] = held.as_slice() else { panic!("one hold: {held:?}") };
        assert_eq!(during.details().expect("particulars")["details"]["reason"], "during");
        assert!(told.trail.rows.iter().any(|row| row.kind == "case.closed"));
        assert_eq!(told.people.closed_by.as_deref(), Some("the clerk"));
        scene.check().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stretch_that_is_too_long_is_told_as_not_checked() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        let phone = scene.phone("T-1");
        let id = erased(&scene, &phone).await;
        let within = |most: i64| {
            let id = id.clone();
            scene.run(scene.clerk(), move |tx, context| {
                let case = store::cases::find(tx, &id)?.expect("a case");
                witness::of_case(tx, context, &case, &[], None, most)
            })
        };
        let all = within(100).await.expect("told");
        assert!(all.is_whole() && all.checked_to == Some(all.until_row));
        let first = all.first_row.expect("a first");
        for most in [1, 3] {
            let part = within(most).await.expect("told");
            assert_eq!(part.checked_to, Some(first + most - 1));
            assert!(part.problems.is_empty() && !part.reaches_sealed_end && !part.is_whole(), "{part:?}");
            assert!(part.rows.iter().all(|row| row.as_written), "each by itself");
        }
        let confirmed = all.rows.iter().find(|row| row.kind == "order.confirmed").expect("confirmed").seq;
        scene.sql(&format!("UPDATE audit_rows SET kind = 'order.failed' WHERE seq = {confirmed}")).expect("sql");
        let part = within(1).await.expect("told");
        assert!(part.checked_to.is_some_and(|checked| checked < confirmed));
        assert!(part.problems.iter().any(|problem| problem.contains(&format!("row {confirmed}"))), "{part:?}");
    })
    .await;
}
