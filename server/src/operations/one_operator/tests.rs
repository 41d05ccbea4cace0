//! One person alone, only where everyone was told.

mod by_hand;

use chrono::Duration;

use super::*;
use crate::error::Error;
use crate::model::{Actor, HeldReason, OperatorId, OrderId, OrderState, Role};
use crate::operations::mail::tests::{new_server, with_mail};
use crate::operations::mail::{self, Letter, SEND_MAIL};
use crate::operations::orders::tests::scene::{Phone, Scene, sql_time};
use crate::operations::orders::{self, OrderView, Outcome};
use crate::operations::{caps, operators, quarantine};
use crate::store;
use crate::testing::on_both;

const HOURS_72: Duration = Duration::hours(72);

pub(crate) fn mrs_chair() -> Hearer {
    Hearer { name: "Cllr Mrs Chair".to_owned(), address: "mrs.chair@home.example".to_owned() }
}

async fn begin_with(scene: &Scene, hearers: Vec<Hearer>) -> crate::error::Result<OneOperatorView> {
    let council = scene.council.clone();
    let new = NewSetting { reason: "There is only the clerk.".to_owned(), hearers };
    scene.run(scene.clerk(), move |tx, context| begin(tx, context, &council, &new)).await
}

/// The mail server accepts every message that waits; gives them back.
async fn deliver(scene: &Scene) -> Vec<Letter> {
    deliver_by(scene, None, false).await
}

/// The same; `by` another server than the present one, and another is set while the messages are on their way.
async fn deliver_by(scene: &Scene, by: Option<&store::mail_servers::MailServer>, set_anew: bool) -> Vec<Letter> {
    if set_anew {
        let server = mail::NewServer { host: "new.example.org".to_owned(), ..new_server() };
        scene.run(scene.provider(), move |tx, context| mail::put(tx, context, &server)).await.expect("set");
    }
    let by = by.cloned();
    let letters = scene
        .run(Actor::System, move |tx, context| {
            let server = match &by {
                Some(server) => server.clone(),
                None => store::mail_servers::find(tx)?.expect("a server"),
            };
            let mut letters = Vec::new();
            for job in store::jobs::claim(tx, "test", context.now, context.now, 1000)? {
                if job.kind == SEND_MAIL {
                    let letter: Letter = serde_json::from_str(&job.payload).expect("a letter");
                    mail::sent(tx, context, &letter, &server)?;
                    store::jobs::finish(tx, &job)?;
                    if letter.notice.is_some() || by.is_none() {
                        letters.push(letter);
                    }
                }
            }
            Ok(letters)
        })
        .await
        .expect("sent");
    scene.bench.clock.advance(Duration::seconds(1));
    letters
}

fn code_in(letters: &[Letter], to: &str) -> String {
    let letter = letters.iter().find(|letter| letter.to == to && letter.notice.is_some()).expect("a notice");
    assert_eq!(letter.text.matches("https://").count(), 1, "one link: {}", letter.text);
    let code = letter.text.split("/stop?code=").nth(1).expect("a link");
    code.chars().take_while(char::is_ascii_hexdigit).collect()
}

async fn stop_by(scene: &Scene, code: &str) -> Option<Stopped> {
    let code = code.to_owned();
    scene.run(Actor::System, move |tx, context| stop(tx, context, &code)).await.expect("answers")
}

/// Announced, everyone told, 72 hours gone by.
async fn in_effect(scene: &Scene) {
    with_mail(scene).await;
    begin_with(scene, vec![mrs_chair()]).await.expect("announced");
    deliver(scene).await;
    scene.bench.clock.advance(HOURS_72);
    assert!(shown(scene).await.in_effect);
}

async fn shown(scene: &Scene) -> OneOperatorView {
    let council = scene.council.clone();
    scene.run(scene.clerk(), move |tx, context| show(tx, context, &council)).await.expect("shown")
}

/// What the worker does every minute about cooling-offs.
async fn cooled(scene: &Scene) {
    while scene.run(Actor::System, orders::cool_off_due).await.expect("works") {}
}

async fn asked(scene: &Scene, phone: &Phone) -> OrderView {
    scene.requested(phone).await
}

async fn after(scene: &Scene, wait: Duration) {
    scene.bench.clock.advance(wait);
    cooled(scene).await;
}

async fn held(scene: &Scene, order: &OrderId) -> Option<HeldReason> {
    let row = scene.order(order).await;
    assert_eq!(row.state, OrderState::Held, "{:?}", row.problem);
    row.held_reason
}

#[tokio::test(flavor = "multi_thread")]
async fn one_person_alone_once_everyone_was_told() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        with_mail(&scene).await;
        // A colleague who is sent away first is told all the same.
        let gone = OperatorId::new();
        scene.add_operator(&gone, "approver", Some(&scene.council));
        scene.sql(&format!("UPDATE operators SET mail = 'gone@germoe.example' WHERE id = '{gone}'")).expect("set");
        scene.run(scene.clerk(), move |tx, context| operators::end(tx, context, &gone)).await.expect("ended");
        deliver(&scene).await;
        begin_with(&scene, vec![mrs_chair()]).await.expect("announced");
        assert!(matches!(begin_with(&scene, vec![mrs_chair()]).await, Err(Error::Conflict(_))), "once");
        scene.bench.clock.advance(HOURS_72 * 2);
        assert!(!shown(&scene).await.in_effect, "nobody was told yet");
        let letters = deliver(&scene).await;
        let mut to: Vec<&str> = letters.iter().map(|letter| letter.to.as_str()).collect();
        to.sort_unstable();
        assert_eq!(
            to,
            [
                "chair@germoe.example",
                "clerk@germoe.example",
                "gone@germoe.example",
                "mrs.chair@home.example",
                "provider@germoe.example"
            ]
        );
        scene.bench.clock.advance(HOURS_72 - Duration::minutes(1));
        assert!(!shown(&scene).await.in_effect);
        let early = scene.phone("GPC-001");
        let order = asked(&scene, &early).await;
        assert!(order.cooling_off.is_none(), "two people, as before");
        scene.bench.clock.advance(Duration::minutes(2));
        deliver(&scene).await;
        after(&scene, Duration::hours(2)).await;
        assert_eq!(scene.state(&order.id).await, OrderState::Requested, "what was asked for before does not go");

        let phone = scene.phone("GPC-002");
        let order = asked(&scene, &phone).await;
        let cooling = order.cooling_off.expect("cools off");
        assert_eq!((cooling.began_at, cooling.waits_for), (None, vec!["Cllr Mrs Chair".to_owned()]));
        after(&scene, Duration::hours(5)).await;
        assert_eq!(scene.state(&order.id).await, OrderState::Requested, "without mail, no wipe");
        let letters = deliver(&scene).await;
        assert!(letters.iter().any(|letter| letter.to == "chair@germoe.example" && letter.notice.is_some()));
        assert!(letters.iter().all(|letter| letter.to != "clerk@germoe.example" || letter.notice.is_none()));
        assert!(letters.iter().any(|letter| letter.text.contains("GPC-002")));
        after(&scene, Duration::minutes(29)).await;
        assert_eq!(scene.state(&order.id).await, OrderState::Requested);
        assert!(scene.idle(&phone).await.is_none());
        after(&scene, Duration::minutes(1)).await;
        let row = scene.order(&order.id).await;
        assert_eq!(row.state, OrderState::Approved, "{:?}", row.problem);
        assert!(row.approved_by.is_none() && row.one_operator_id.is_some() && row.seal.is_some());
        assert!(scene.alerted("order_cooled_off", order.id.as_str()).await);
        let release = scene.idle(&phone).await.expect("released");
        scene.answer(&phone, &release, Outcome::Acknowledged).await;
        assert_eq!(scene.state(&order.id).await, OrderState::Confirmed);
        scene.check().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_was_told_stops_it_and_its_time_begins_anew() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        in_effect(&scene).await;
        let phone = scene.phone("GPC-001");
        let order = asked(&scene, &phone).await;
        let code = code_in(&deliver(&scene).await, "mrs.chair@home.example");
        let seen = {
            let code = code.clone();
            scene.run(Actor::System, move |tx, _| look(tx, &code)).await.expect("looks").expect("a link")
        };
        assert_eq!((seen.state, seen.item.expect("an item").tag.as_str()), (Stopped::Possible, "GPC-001"));
        assert_eq!(scene.state(&order.id).await, OrderState::Requested, "looking changes nothing");
        assert_eq!(stop_by(&scene, "00").await, None);
        assert_eq!(stop_by(&scene, &code).await, Some(Stopped::Done));
        assert_eq!(held(&scene, &order.id).await, Some(HeldReason::Paused));
        assert_eq!(stop_by(&scene, &code).await, Some(Stopped::Done), "twice is once");
        after(&scene, Duration::hours(2)).await;
        assert!(scene.idle(&phone).await.is_none());

        let resumed = scene.resume(scene.provider(), &order.id).await;
        assert!(matches!(resumed, Err(Error::Forbidden(_))), "{resumed:?}");
        let mut stale = scene.signed_in(&scene.clerk, Role::Clerk);
        stale.reauthenticated_at = None;
        assert!(scene.resume(Actor::Operator(stale), &order.id).await.is_err(), "signed in long ago");
        let again = scene.resume(scene.clerk(), &order.id).await.expect("begun anew");
        assert_eq!((again.state, again.cooling_off.expect("cools off").began_at), (OrderState::Requested, None));
        after(&scene, Duration::hours(1)).await;
        assert_eq!(scene.state(&order.id).await, OrderState::Requested, "the first mail counts no more");
        assert!(matches!(stop_by(&scene, &code).await, Some(Stopped::TooLate(_))), "of an earlier round");
        let letters = deliver(&scene).await;
        let (second, other) = (code_in(&letters, "mrs.chair@home.example"), code_in(&letters, "chair@germoe.example"));
        after(&scene, Duration::minutes(30)).await;
        assert_eq!(scene.state(&order.id).await, OrderState::Approved);
        // Approved and not fetched: still in time, and the seal of before is good for nothing.
        assert_eq!(stop_by(&scene, &second).await, Some(Stopped::Done));
        assert_eq!(held(&scene, &order.id).await, Some(HeldReason::Paused));
        assert!(matches!(stop_by(&scene, &other).await, Some(Stopped::TooLate(_))));
        assert!(scene.idle(&phone).await.is_none());
        scene.resume(scene.clerk(), &order.id).await.expect("begun anew");
        assert!(scene.order(&order.id).await.seal.is_none());
        let last = code_in(&deliver(&scene).await, "mrs.chair@home.example");
        assert!(matches!(stop_by(&scene, &other).await, Some(Stopped::TooLate(_))), "of an earlier round");
        after(&scene, Duration::minutes(31)).await;
        assert!(scene.idle(&phone).await.is_some());
        assert!(matches!(stop_by(&scene, &last).await, Some(Stopped::TooLate(_))), "the phone has it");
        scene.check().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_for_the_councils_own_established_clerk_and_never_unheard() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        with_mail(&scene).await;
        let council = scene.council.clone();
        for (actor, why) in [(scene.provider(), "a provider"), (scene.chair(), "whoever may not ask for an order")] {
            let (council, new) =
                (council.clone(), NewSetting { reason: "r".to_owned(), hearers: vec![mrs_chair()] });
            let refused = scene.run(actor, move |tx, context| begin(tx, context, &council, &new)).await;
            assert!(matches!(refused, Err(Error::Forbidden(_))), "{why}: {refused:?}");
        }
        let own = Hearer { name: "Me".to_owned(), address: "Clerk@germoe.example".to_owned() };
        for wrong in [vec![], vec![own], vec![mrs_chair(), mrs_chair()], vec![Hearer { address: "x".to_owned(), ..mrs_chair() }], vec![Hearer { name: "\u{202e}A".to_owned(), ..mrs_chair() }]] {
            assert!(matches!(begin_with(&scene, wrong).await, Err(Error::Invalid { .. })));
        }
        scene.sql(&format!("UPDATE operators SET mail = NULL WHERE id = '{}'", scene.chair)).expect("set");
        assert!(matches!(begin_with(&scene, vec![mrs_chair()]).await, Err(Error::Conflict(_))), "she cannot be told");
        scene.sql(&format!("UPDATE operators SET mail = 'chair@germoe.example' WHERE id = '{}'", scene.chair)).expect("set");
        in_effect(&scene).await;

        // A provider, and a new account, need a second person here as anywhere.
        let phone = scene.phone("GPC-001");
        let case = scene.report(&phone).await.case.id;
        let order = scene.ask(scene.provider(), &phone, &case).await.expect("asked");
        assert!(order.cooling_off.is_none());
        scene.cancel(scene.clerk(), &order.id).await.expect("cancelled");
        let new = OperatorId::new();
        scene.add_operator(&new, "clerk", Some(&scene.council));
        let now = sql_time(scene.bench.clock.now() - Duration::hours(71));
        scene.sql(&format!("UPDATE operators SET standing_since = '{now}' WHERE id = '{new}'")).expect("set");
        let order =
            scene.ask(Actor::Operator(scene.signed_in(&new, Role::Clerk)), &phone, &case).await.expect("asked");
        assert!(order.cooling_off.is_none());
        scene.cancel(scene.clerk(), &order.id).await.expect("cancelled");

        // The one who is told holds the lost phone himself: a second person, or nobody.
        scene
            .sql(&format!(
                "UPDATE people SET name = 'cllr mrs  CHAIR' WHERE id = 'person-{0}'; INSERT INTO custody (council_id, id, \
                 asset_id, person_id, since) VALUES ('{1}', 'custody-{0}', '{2}', 'person-{0}', '{now}')",
                phone.device, scene.council, phone.asset
            ))
            .expect("a holder");
        let order = scene.ask(scene.clerk(), &phone, &case).await.expect("asked");
        assert!(order.cooling_off.is_none());
        scene.cancel(scene.clerk(), &order.id).await.expect("cancelled");
        let chair = scene.chair.clone();
        scene.run(scene.clerk(), move |tx, context| operators::end(tx, context, &chair)).await.expect("ended");
        let refused = scene.ask(scene.clerk(), &phone, &case).await;
        assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
        scene.check().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_told_of_the_announcement_ends_it_and_so_does_any_operator() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        with_mail(&scene).await;
        begin_with(&scene, vec![mrs_chair()]).await.expect("announced");
        let code = code_in(&deliver(&scene).await, "mrs.chair@home.example");
        assert_eq!(stop_by(&scene, &code).await, Some(Stopped::Done));
        scene.bench.clock.advance(HOURS_72);
        assert!(!shown(&scene).await.announced);
        in_effect(&scene).await;
        let phone = scene.phone("GPC-001");
        let order = asked(&scene, &phone).await;
        deliver(&scene).await;
        let council = scene.council.clone();
        scene.run(scene.chair(), move |tx, context| end(tx, context, &council)).await.expect("ended");
        after(&scene, Duration::hours(1)).await;
        assert_eq!(scene.state(&order.id).await, OrderState::Requested, "it waits for a second person");
        let approved = scene.approve(scene.chair(), &order.id).await.expect("approved");
        assert_eq!(approved.state, OrderState::Approved);
        assert!(scene.idle(&phone).await.is_some());
        scene.check().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_mail_server_restarts_the_72_hours() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        in_effect(&scene).await;
        scene.run(scene.provider(), |tx, context| mail::put(tx, context, &new_server())).await.expect("set again");
        assert!(!shown(&scene).await.in_effect);
        scene.bench.clock.advance(HOURS_72);
        assert!(shown(&scene).await.in_effect);
        // Put in by hand: what it accepts tells nobody anything.
        let phone = scene.phone("GPC-001");
        let order = asked(&scene, &phone).await;
        scene.sql("UPDATE mail_servers SET host = 'thief.example'").expect("sql");
        deliver(&scene).await;
        scene.sql("UPDATE mail_servers SET host = 'smtp.example.org'").expect("sql");
        assert!(scene.alerted("mail_server_differs", "mail").await);
        after(&scene, Duration::hours(1)).await;
        assert_eq!(scene.state(&order.id).await, OrderState::Requested);
        scene.check().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_stops_an_approval_stops_it_too() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        in_effect(&scene).await;
        // A legal hold that came meanwhile.
        let phone = scene.phone("GPC-001");
        let order = asked(&scene, &phone).await;
        deliver(&scene).await;
        let device = phone.device.clone();
        let hold = scene
            .run(scene.clerk(), move |tx, context| crate::operations::holds::add(tx, context, &device, "a dispute"))
            .await
            .expect("held");
        after(&scene, Duration::minutes(31)).await;
        assert_eq!(held(&scene, &order.id).await, Some(HeldReason::Forbidden));
        let id = hold.id.clone();
        scene
            .run(scene.clerk(), move |tx, context| crate::operations::holds::end(tx, context, &id))
            .await
            .expect("ended");
        scene.resume(scene.clerk(), &order.id).await.expect("begun anew");
        // A restore: who ended it since the backup is not known, so two people must agree again.
        deliver(&scene).await;
        scene.run(Actor::System, |tx, context| quarantine::begin(tx, context, "restored")).await.expect("begun");
        assert_eq!(held(&scene, &order.id).await, Some(HeldReason::Quarantine));
        assert!(!shown(&scene).await.announced);
        let stands = scene.resume(scene.clerk(), &order.id).await.expect("it stands");
        assert!(stands.state == OrderState::Requested && stands.cooling_off.is_none());
        after(&scene, Duration::minutes(31)).await;
        assert_eq!(scene.state(&order.id).await, OrderState::Requested);
        scene.cancel(scene.clerk(), &order.id).await.expect("cancelled");
        scene.run(scene.provider(), quarantine::end).await.expect("ended");
        in_effect(&scene).await;
        // The third within the hour.
        let (mut last, mut last_code) = (None, String::new());
        for number in 2..5 {
            let phone = scene.phone(&format!("GPC-00{number}"));
            last = Some(asked(&scene, &phone).await.id);
            last_code = code_in(&deliver(&scene).await, "mrs.chair@home.example");
            after(&scene, Duration::minutes(5)).await;
        }
        after(&scene, Duration::minutes(30)).await;
        let last = last.expect("three");
        assert_eq!(held(&scene, &last).await, Some(HeldReason::Frozen));
        let council = scene.council.clone();
        let frozen = scene.run(Actor::System, move |tx, _| caps::frozen(tx, &council)).await.expect("reads");
        assert!(frozen.is_some());
        assert!(!scene.alerted("order_cooled_off", last.as_str()).await, "it goes nowhere yet");
        // Sealed, and held by the freeze: whoever was told stops it all the same, so that a thaw does not let it go.
        assert!(scene.order(&last).await.seal.is_some());
        assert_eq!(stop_by(&scene, &last_code).await, Some(Stopped::Done));
        assert_eq!(held(&scene, &last).await, Some(HeldReason::Paused));
        // The account that asked was reset meanwhile: the request was taken back.
        scene.bench.clock.advance(Duration::hours(6));
        let phone = scene.phone("GPC-009");
        let order = asked(&scene, &phone).await;
        deliver(&scene).await;
        let clerk = scene.clerk.clone();
        scene
            .run(scene.provider(), move |tx, context| operators::reset(tx, context, &clerk, "hash", false))
            .await
            .expect("reset");
        after(&scene, Duration::minutes(31)).await;
        assert_eq!(scene.state(&order.id).await, OrderState::Cancelled);
        scene.check().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_lapses_72_hours_after_it_was_asked_for_however_often_it_began_anew() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        in_effect(&scene).await;
        let phone = scene.phone("GPC-001");
        let order = asked(&scene, &phone).await;
        let code = code_in(&deliver(&scene).await, "mrs.chair@home.example");
        stop_by(&scene, &code).await;
        scene.bench.clock.advance(Duration::hours(70));
        scene.resume(scene.clerk(), &order.id).await.expect("begun anew");
        scene.bench.clock.advance(Duration::hours(2));
        scene.work().await;
        deliver(&scene).await;
        after(&scene, Duration::minutes(40)).await;
        assert_eq!(scene.state(&order.id).await, OrderState::Lapsed);
        scene.check().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_silenced_first_and_then_counted_as_told() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        with_mail(&scene).await;
        // Her mail turned to the thief, then her account ended: it is not sure who reads what is sent to her.
        let turned = operators::Change { mail: Some("thief@x.example".to_owned()), ..operators::Change::default() };
        let chair = scene.chair.clone();
        scene
            .run(scene.clerk(), move |tx, context| operators::change(tx, context, &chair, &turned))
            .await
            .expect("set");
        let chair = scene.chair.clone();
        scene.run(scene.clerk(), move |tx, context| operators::end(tx, context, &chair)).await.expect("ended");
        for _ in 0..2 {
            let refused = begin_with(&scene, vec![mrs_chair()]).await;
            assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
            scene.bench.clock.advance(Duration::days(6));
        }
        scene.bench.clock.advance(Duration::days(3));
        begin_with(&scene, vec![mrs_chair()]).await.expect("two weeks later");
        let council = scene.council.clone();
        scene.run(scene.clerk(), move |tx, context| end(tx, context, &council)).await.expect("ended");
        // The provider who approves, un-named a moment before: told all the same, or it is not announced.
        let deputy = OperatorId::new();
        scene.add_operator(&deputy, "approver", Some(&scene.council));
        scene.sql(&format!("UPDATE operators SET mail = 'deputy@x.example' WHERE id = '{deputy}'")).expect("set");
        let (council, provider) = (scene.council.clone(), scene.provider.clone());
        let by = Actor::Operator(scene.signed_in(&deputy, Role::Approver));
        scene
            .run(by, move |tx, context| {
                operators::name_approver(tx, context, &council, &provider)?;
                operators::unname_approver(tx, context, &council, &provider)
            })
            .await
            .expect("named and un-named");
        scene.sql(&format!("UPDATE operators SET mail = NULL WHERE id = '{}'", scene.provider)).expect("set");
        assert!(matches!(begin_with(&scene, vec![mrs_chair()]).await, Err(Error::Conflict(_))));
        scene
            .sql(&format!("UPDATE operators SET mail = 'pat@x.example' WHERE id = '{}'", scene.provider))
            .expect("set");
        let view = begin_with(&scene, vec![mrs_chair()]).await.expect("announced");
        assert!(view.told.iter().any(|told| told.address == "pat@x.example" && told.needed));
        // The account that announced it turns out to be stolen.
        let clerk = scene.clerk.clone();
        scene
            .run(scene.provider(), move |tx, context| operators::reset(tx, context, &clerk, "hash", true))
            .await
            .expect("reset");
        assert!(!shown(&scene).await.announced);
        scene.check().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_it_stops_what_no_phone_has_fetched() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        in_effect(&scene).await;
        let phone = scene.phone("GPC-001");
        let order = asked(&scene, &phone).await;
        deliver(&scene).await;
        after(&scene, Duration::minutes(30)).await;
        assert_eq!(scene.state(&order.id).await, OrderState::Approved);
        let council = scene.council.clone();
        scene.run(scene.chair(), move |tx, context| end(tx, context, &council)).await.expect("ended");
        assert_eq!(held(&scene, &order.id).await, Some(HeldReason::Paused));
        assert!(scene.idle(&phone).await.is_none());
        let again = scene.resume(scene.clerk(), &order.id).await.expect("it waits for a second person");
        assert!(again.state == OrderState::Requested && again.cooling_off.is_none());
        assert!(scene.alerted("order_waits", order.id.as_str()).await);
        scene.approve(scene.chair(), &order.id).await.expect("approved");
        assert!(scene.idle(&phone).await.is_some());
        scene.check().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_the_former_server_took_is_sent_again_by_the_new_one() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        with_mail(&scene).await;
        begin_with(&scene, vec![mrs_chair()]).await.expect("announced");
        let former =
            scene.run(Actor::System, |tx, _| store::mail_servers::find(tx)).await.expect("reads").expect("one");
        let letters = deliver_by(&scene, Some(&former), true).await;
        assert!(!scene.alerted("mail_server_differs", "mail").await, "nobody is accused");
        assert!(shown(&scene).await.told.iter().all(|told| told.accepted_at.is_none()));
        assert_eq!(deliver(&scene).await.len(), letters.len());
        assert!(shown(&scene).await.from.is_some(), "everyone was told by the new one");
    })
    .await;
}
