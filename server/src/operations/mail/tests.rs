//! Who is told of what, and who may say through which server.

use super::*;
use crate::model::{Actor, MailSecurity, OperatorId, Role, TokenScope};
use crate::operations::operators::{self, Change};
use crate::operations::orders;
use crate::operations::orders::tests::scene::{Phone, Scene};
use crate::store::jobs::Job;
use crate::testing::on_both;

pub(crate) fn new_server() -> NewServer {
    NewServer {
        host: "SMTP.example.org".to_owned(),
        port: 587,
        security: MailSecurity::Starttls,
        username: "beadle".to_owned(),
        sealed_password: Some(vec![1]),
        sender: "beadle@Example.org".to_owned(),
    }
}

/// The clerk, the chair and the provider have addresses, and there is a mail server.
pub(crate) async fn with_mail(scene: &Scene) {
    scene.run(scene.provider(), |tx, context| put(tx, context, &new_server())).await.expect("a server");
    for (id, mail) in [(&scene.clerk, "clerk"), (&scene.chair, "chair"), (&scene.provider, "provider")] {
        scene
            .sql(&format!("UPDATE operators SET mail = '{mail}@germoe.example' WHERE id = '{id}'"))
            .expect("an address");
    }
}

/// The messages that wait, as recipient and subject, and their texts; takes them away.
async fn told(scene: &Scene) -> Vec<Letter> {
    let mut letters: Vec<Letter> = scene
        .run(Actor::System, |tx, context| {
            let jobs = store::jobs::claim(tx, "test", context.now, context.now, 1000)?;
            let mails: Vec<Job> = jobs.into_iter().filter(|job| job.kind == SEND_MAIL).collect();
            for job in &mails {
                store::jobs::finish(tx, job)?;
            }
            Ok(mails.iter().map(|job| serde_json::from_str(&job.payload).expect("a letter")).collect())
        })
        .await
        .expect("jobs");
    scene.bench.clock.advance(chrono::Duration::seconds(1));
    letters.sort_by(|one, other| (&one.to, &one.subject).cmp(&(&other.to, &other.subject)));
    letters
}

fn lines(letters: &[Letter]) -> Vec<(&str, &str)> {
    letters
        .iter()
        .map(|letter| {
            let subject = letter.subject.strip_prefix("germoe Parish Council: ").unwrap_or(&letter.subject);
            (letter.to.split('@').next().expect("a name"), subject)
        })
        .collect()
}

fn held_by(scene: &Scene, phone: &Phone, name: &str, email: &str) {
    let (council, device, asset) = (&scene.council, &phone.device, &phone.asset);
    let now = crate::operations::orders::tests::scene::sql_time(scene.bench.clock.now());
    scene
        .sql(&format!(
            "UPDATE people SET name = '{name}', email = {email} WHERE id = 'person-{device}'; \
             INSERT INTO custody (council_id, id, asset_id, person_id, since) VALUES \
             ('{council}', 'custody-{device}', '{asset}', 'person-{device}', '{now}')"
        ))
        .expect("a holder");
}

#[tokio::test]
async fn a_loss_and_its_order_are_told_to_those_who_act_and_not_to_the_holder() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        with_mail(&scene).await;
        let auditor = OperatorId::new();
        scene.add_operator(&auditor, "auditor", Some(&scene.council));
        scene.sql(&format!("UPDATE operators SET mail = 'auditor@x.example' WHERE id = '{auditor}'")).expect("set");
        let phone = scene.phone("GPC-001");
        held_by(&scene, &phone, "Mrs P", "NULL");
        let case = scene.report(&phone).await.case.id;
        let letters = told(&scene).await;
        assert_eq!(lines(&letters), [("chair", "A phone was reported lost"), ("clerk", "A phone was reported lost")]);
        assert!(letters[0].text.contains(&format!("https://germoe.example/console/losses/{case}\r\n")));
        for letter in &letters {
            assert!(!letter.text.contains("Mrs P") && !letter.text.contains("the train"), "no more than is needed");
            assert!(letter.text.replace("\r\n", "").bytes().all(|byte| byte >= b' '), "{:?}", letter.text);
            assert_eq!(letter.text.matches("https://").count(), 1, "one link");
        }
        scene.report(&phone).await;
        assert_eq!(told(&scene).await, [], "a second report is no news");

        let order = scene.ask(scene.clerk(), &phone, &case).await.expect("asked");
        let waits =
            [("chair", "An order to erase waits for a decision"), ("clerk", "An order to erase waits for a decision")];
        assert_eq!(lines(&told(&scene).await), waits);
        for _ in 0..2 {
            scene.bench.clock.advance(chrono::Duration::hours(24));
            scene.work().await;
            scene.work().await;
            assert_eq!(lines(&told(&scene).await), waits, "a reminder, once");
        }
        scene.bench.clock.advance(chrono::Duration::hours(24));
        scene.work().await;
        assert_eq!(
            lines(&told(&scene).await),
            [("chair", "An order to erase lapsed"), ("clerk", "An order to erase lapsed")]
        );

        // The chair's own phone, known by her name or by her address: she hears nothing of it.
        for (tag, name, email) in
            [("GPC-002", " THE  approver", "NULL"), ("GPC-003", "Somebody", "'CHAIR@germoe.example'")]
        {
            let own = scene.phone(tag);
            held_by(&scene, &own, name, email);
            let order = scene.requested(&own).await;
            let to: Vec<String> = told(&scene).await.into_iter().map(|letter| letter.to).collect();
            assert_eq!(to, ["clerk@germoe.example", "clerk@germoe.example"], "{tag}");
            scene.cancel(scene.clerk(), &order.id).await.expect("cancelled");
            assert_eq!(lines(&told(&scene).await), [("clerk", "An order to erase was cancelled")]);
        }

        // What a provider is told: orders of a council that named him, and nothing else of it.
        let (council, provider, chair) = (&scene.council, &scene.provider, &scene.chair);
        scene
            .sql(&format!(
                "INSERT INTO named_approvers (council_id, operator_id, named_by, named_at) VALUES \
                 ('{council}', '{provider}', '{chair}', '2020-01-01 00:00:00')"
            ))
            .expect("named");
        let order_two = scene.ask(scene.clerk(), &phone, &case).await.expect("asked");
        assert_ne!(order.id, order_two.id);
        let to: Vec<String> = told(&scene).await.into_iter().map(|letter| letter.to).collect();
        assert_eq!(to, ["chair@germoe.example", "clerk@germoe.example", "provider@germoe.example"]);
        let id = order_two.id.clone();
        scene.run(scene.chair(), move |tx, context| orders::refuse(tx, context, &id, "no")).await.expect("refused");
        let refused = "An order to erase was refused";
        assert_eq!(lines(&told(&scene).await), [("chair", refused), ("clerk", refused)]);
        scene.check().await;
    })
    .await;
}

#[tokio::test]
async fn what_is_done_to_an_account_is_told_to_all_and_to_its_owner() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        with_mail(&scene).await;
        let deputy = OperatorId::new();
        scene.add_operator(&deputy, "clerk", Some(&scene.council));
        let change = |mail: &str| Change { mail: Some(mail.to_owned()), ..Change::default() };
        let id = deputy.clone();
        let first = change("deputy@germoe.example");
        scene
            .run(scene.clerk(), move |tx, context| operators::change(tx, context, &id, &first))
            .await
            .expect("changed");
        let words = "An account's mail address was changed";
        assert_eq!(lines(&told(&scene).await), [("chair", words), ("clerk", words)]);
        let (id, second) = (deputy.clone(), change("thief@example.org"));
        let changed = scene
            .run(scene.clerk(), move |tx, context| operators::change(tx, context, &id, &second))
            .await
            .expect("changed");
        let since = scene.bench.clock.now() - changed.standing_since;
        assert!(since < chrono::Duration::minutes(1), "he waits 72 hours before he approves");
        assert_eq!(
            lines(&told(&scene).await),
            [("chair", words), ("clerk", words), ("deputy", words)],
            "the old address too"
        );
        let (id, back) = (deputy.clone(), change("deputy@germoe.example"));
        scene.run(scene.clerk(), move |tx, context| operators::change(tx, context, &id, &back)).await.expect("changed");
        told(&scene).await;
        let (id, role) = (deputy.clone(), Change { role: Some(Role::Auditor), ..Change::default() });
        scene.run(scene.clerk(), move |tx, context| operators::change(tx, context, &id, &role)).await.expect("changed");
        let words = "An account's role was changed";
        assert_eq!(lines(&told(&scene).await), [("chair", words), ("clerk", words), ("deputy", words)]);
        let id = deputy.clone();
        scene.run(scene.clerk(), move |tx, context| operators::end(tx, context, &id)).await.expect("ended");
        let words = "An account was ended";
        assert_eq!(lines(&told(&scene).await), [("chair", words), ("clerk", words), ("deputy", words)]);

        scene.run(scene.provider(), remove).await.expect("removed");
        scene.report(&scene.phone("GPC-001")).await;
        assert_eq!(told(&scene).await, [], "without a mail server nothing piles up");
    })
    .await;
}

#[tokio::test]
async fn only_a_provider_who_confirmed_sets_the_server_and_the_password_stays_with_it() {
    on_both(|bench| async move {
        let scene = Scene::new(bench).await;
        let mut stale = scene.signed_in(&scene.provider, Role::Provider);
        stale.reauthenticated_at = None;
        let token = Actor::Token {
            id: crate::model::TokenId::new(),
            council: scene.council.clone(),
            scopes: TokenScope::ALL.to_vec(),
        };
        for actor in [scene.clerk(), scene.chair(), Actor::Operator(stale), Actor::Local, token] {
            let refused = scene.run(actor.clone(), |tx, context| put(tx, context, &new_server())).await;
            assert!(matches!(refused, Err(Error::Forbidden(_))), "{actor:?}: {refused:?}");
            let refused = scene.run(actor, remove).await;
            assert!(matches!(refused, Err(Error::Forbidden(_))), "{refused:?}");
        }
        let refused = scene.run(scene.clerk(), show).await;
        assert!(matches!(refused, Err(Error::Forbidden(_))), "{refused:?}");

        let set = |change: fn(&mut NewServer)| {
            let mut new = new_server();
            change(&mut new);
            scene.run(scene.provider(), move |tx, context| put(tx, context, &new))
        };
        let wrong = |result: Result<ServerView>| match result {
            Err(Error::Invalid { field, .. }) => field,
            other => panic!("{other:?}"),
        };
        let plain = |new: &mut NewServer| new.security = MailSecurity::None;
        assert_eq!(wrong(set(plain).await), "security");
        assert_eq!(
            wrong(set(|new| (new.host, new.security) = ("127.0.0.1.example".to_owned(), MailSecurity::None)).await),
            "security"
        );
        assert_eq!(wrong(set(|new| new.host = "a b".to_owned()).await), "host");
        assert_eq!(wrong(set(|new| new.host = "x\r\nQUIT".to_owned()).await), "host");
        assert_eq!(wrong(set(|new| new.port = 0).await), "port");
        assert_eq!(wrong(set(|new| new.sender = "x".repeat(10_000)).await), "sender");
        assert_eq!(wrong(set(|new| new.username = "x".repeat(10_000)).await), "username");
        assert_eq!(wrong(set(|new| new.sealed_password = None).await), "password");
        let kept = set(|_| ()).await.expect("set");
        assert_eq!((kept.host.as_str(), kept.sender.as_str()), ("smtp.example.org", "beadle@example.org"));
        assert!(!serde_json::to_string(&kept).expect("JSON").contains("sealed"), "the password is never shown");
        assert!(set(|new| new.sealed_password = None).await.expect("the same server keeps it").has_password);
        let elsewhere = |new: &mut NewServer| (new.host, new.sealed_password) = ("thief.example".to_owned(), None);
        assert_eq!(wrong(set(elsewhere).await), "password", "it does not follow to another host");
        set(|new| (new.host, new.security) = ("127.0.0.1".to_owned(), MailSecurity::None)).await.expect("this machine");
    })
    .await;
}

#[test]
fn an_address_is_one_or_is_refused() {
    for right in ["a@b", "Mary-Ann.O'Brien+x@germoe.example", "c@xn--llanfair.example"] {
        assert_eq!(checked_address(&format!(" {right} ")).expect("an address"), right);
    }
    assert_eq!(checked_address("Clerk@Germoe.Example").expect("an address"), "Clerk@germoe.example");
    let long = format!("{}@example.org", "x".repeat(65));
    for wrong in [
        "",
        "@",
        "a@",
        "@b",
        "a b@c",
        "a@b c",
        "a@b\r\nRCPT TO:<c@d>",
        "<a@b>",
        "a@-b",
        "a@b..c",
        ".a@b",
        "é@b",
        long.as_str(),
    ] {
        assert!(checked_address(wrong).is_err(), "{wrong:?}");
    }
}
