//! The job that sends a message, against a strict mail server, on both databases.

use std::sync::Arc;

use beadle_simulator::mail_server::{Fault, MailServer, Privacy, Stage};

use super::*;
use crate::config::Config;
use crate::model::MailSecurity;
use crate::operations::mail::NewServer;
use crate::operations::orders::tests::scene::Scene;
use crate::sealing::Purpose;
use crate::testing::on_both;

struct Post {
    scene: Scene,
    server: MailServer,
    bench: Arc<Bench>,
    _folder: tempfile::TempDir,
}

impl Post {
    async fn new(bench: crate::testing::Bench) -> Self {
        Self::with(bench, |_| {}).await
    }

    async fn with(bench: crate::testing::Bench, change: impl FnOnce(&mut Config)) -> Self {
        let scene = Scene::new(bench).await;
        let server = MailServer::start(Privacy::Starttls, Some(("beadle", "tin mine"))).await.expect("starts");
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().join("root.pem");
        std::fs::write(&root, server.root_certificate_pem()).expect("writes");
        let mut config = Config::default();
        config.mail.extra_roots = vec![root];
        change(&mut config);
        let app = App {
            database: scene.bench.database.clone(),
            keys: Arc::clone(&scene.bench.keys),
            clock: scene.bench.clock.clone(),
            config: Arc::new(config),
            google: crate::google::Kept::default(),
            sightings: Arc::default(),
        };
        let push = PushClient::new(&app.config.apns.url, &[]).expect("a client");
        let sealed =
            app.keys.sealer.seal(Purpose::MailPassword, "installation", "installation", b"tin mine").expect("seals");
        let new = NewServer {
            host: "127.0.0.1".to_owned(),
            port: i64::from(server.address().port()),
            security: MailSecurity::Starttls,
            username: "beadle".to_owned(),
            sealed_password: Some(sealed),
            sender: "beadle@germoe.example".to_owned(),
        };
        scene.run(scene.provider(), move |tx, context| mail::put(tx, context, &new)).await.expect("set");
        for (id, name) in [(&scene.clerk, "clerk"), (&scene.chair, "chair")] {
            scene.sql(&format!("UPDATE operators SET mail = '{name}@germoe.example' WHERE id = '{id}'")).expect("set");
        }
        Self { scene, server, bench: Arc::new(Bench::new(app, push)), _folder: folder }
    }

    /// Runs what is due, as the worker does; how many messages were tried.
    async fn work(&self) -> usize {
        let mut mails = 0;
        for job in claim(&self.bench.app, "test", 100).await.expect("claims") {
            if job.kind == mail::SEND_MAIL {
                mails += 1;
                run(Arc::clone(&self.bench), job).await;
            } else {
                settle(&self.bench.app, &job, Ok(Next::Done)).await.expect("settles");
            }
        }
        mails
    }

    fn later(&self, minutes: i64) {
        self.scene.bench.clock.advance(Duration::minutes(minutes));
    }

    fn arrived(&self) -> Vec<String> {
        let mut to: Vec<String> = self.server.received().into_iter().flat_map(|one| one.to).collect();
        to.sort();
        to
    }

    async fn kept(&self) -> mail::ServerView {
        self.scene.run(self.scene.provider(), mail::show).await.expect("shown").expect("a server")
    }
}

#[tokio::test]
async fn each_recipient_gets_one_message_once() {
    on_both(|bench| async move {
        let post = Post::new(bench).await;
        post.scene.report(&post.scene.phone("GPC-001")).await;
        assert_eq!(post.work().await, 2);
        post.later(60);
        assert_eq!(post.work().await, 0, "nothing is sent again");
        assert_eq!(post.arrived(), ["chair@germoe.example", "clerk@germoe.example"]);
        assert!(post.server.received().iter().all(|one| one.encrypted && one.body().contains("reported lost")));
        assert_eq!(post.server.breaches(), Vec::<String>::new());
        let kept = post.kept().await;
        assert!(kept.accepted_at.is_some() && kept.problem.is_none());
    })
    .await;
}

#[tokio::test]
async fn a_server_that_fails_is_tried_again_and_the_council_is_told_on_the_screen() {
    on_both(|bench| async move {
        let post = Post::new(bench).await;
        post.server.at(Stage::Recipient, Some(Fault::Answer(451, "come back later".to_owned())));
        post.scene.report(&post.scene.phone("GPC-001")).await;
        assert_eq!(post.work().await, 2);
        assert!(!post.scene.alerted("mail_not_sent", "mail").await, "once is no news");
        assert_eq!(post.work().await, 0, "not at once again");
        post.later(1);
        assert_eq!(post.work().await, 2);
        assert!(post.scene.alerted("mail_not_sent", "mail").await);
        assert!(post.kept().await.problem.expect("said").contains("come back later"));
        for _ in 0..8 {
            post.later(20);
            assert_eq!(post.work().await, 2, "never given up within the day");
        }
        let clerk = post.scene.clerk();
        let council = post.scene.council.clone();
        let open = post
            .scene
            .run(clerk, move |tx, context| alerts::list(tx, context, &council, true, None, 100))
            .await
            .expect("alerts");
        assert_eq!(open.iter().filter(|alert| alert.kind.starts_with("mail")).count(), 1, "one alert, not one a try");
        assert!(!open.iter().any(|alert| alert.kind == "job_failing"));
        post.server.at(Stage::Recipient, None);
        post.later(20);
        assert_eq!(post.work().await, 2);
        assert_eq!(post.arrived(), ["chair@germoe.example", "clerk@germoe.example"]);
        assert!(!post.scene.alerted("mail_not_sent", "mail").await, "it ends with the first that is accepted");
    })
    .await;
}

#[tokio::test]
async fn a_recipient_who_is_refused_for_good_stops_nobody_else() {
    on_both(|bench| async move {
        let post = Post::new(bench).await;
        post.server.refuse("chair@germoe.example", 550, "5.1.1 no such mailbox");
        post.scene.report(&post.scene.phone("GPC-001")).await;
        assert_eq!(post.work().await, 2);
        post.later(60 * 24);
        assert_eq!(post.work().await, 0, "trying again would not help");
        assert_eq!(post.arrived(), ["clerk@germoe.example"]);
        let chair = post.scene.chair.to_string();
        assert!(post.scene.alerted("mail_refused", &chair).await);
        assert!(!post.scene.alerted("mail_not_sent", "mail").await);
    })
    .await;
}

#[tokio::test]
async fn an_answer_that_is_lost_leads_to_a_second_copy_that_is_known_as_one() {
    on_both(|bench| async move {
        let post = Post::new(bench).await;
        post.scene.sql(&format!("UPDATE operators SET mail = NULL WHERE id = '{}'", post.scene.chair)).expect("set");
        post.server.at(Stage::End, Some(Fault::KeepAndDrop));
        post.scene.report(&post.scene.phone("GPC-001")).await;
        assert_eq!(post.work().await, 1);
        post.server.at(Stage::End, None);
        post.later(1);
        assert_eq!(post.work().await, 1);
        let ids: Vec<_> = post.server.received().iter().map(|one| one.header("Message-ID")).collect();
        assert_eq!(ids.len(), 2);
        assert!(ids[0].is_some() && ids[0] == ids[1], "{ids:?}");
    })
    .await;
}

#[tokio::test]
async fn what_is_three_days_old_or_has_no_server_any_more_is_not_sent() {
    on_both(|bench| async move {
        let post = Post::new(bench).await;
        post.server.at(Stage::Greeting, Some(Fault::Drop));
        post.scene.report(&post.scene.phone("GPC-001")).await;
        assert_eq!(post.work().await, 2);
        post.server.at(Stage::Greeting, None);
        post.later(60 * 24 * 3 + 1);
        assert_eq!(post.work().await, 2);
        post.later(60 * 24);
        assert_eq!(post.work().await, 0);
        let clerk = post.scene.clerk.to_string();
        assert!(post.scene.alerted("mail_refused", &clerk).await, "somebody learns that nobody was told");
        post.scene.report(&post.scene.phone("GPC-002")).await;
        post.scene.run(post.scene.provider(), mail::remove).await.expect("removed");
        assert_eq!(post.work().await, 2);
        assert_eq!(post.arrived(), Vec::<String>::new());
    })
    .await;
}

/// A certificate that ends then, as its file has it.
fn certificate_until(end: crate::model::Moment) -> Vec<u8> {
    use openssl::asn1::Asn1Time;
    let group = openssl::ec::EcGroup::from_curve_name(openssl::nid::Nid::X9_62_PRIME256V1).expect("a curve");
    let key = openssl::pkey::PKey::from_ec_key(openssl::ec::EcKey::generate(&group).expect("a key")).expect("a key");
    let mut made = openssl::x509::X509Builder::new().expect("a certificate");
    made.set_pubkey(&key).expect("set");
    made.set_not_before(&Asn1Time::from_unix(0).expect("a time")).expect("set");
    made.set_not_after(&Asn1Time::from_unix(end.unix()).expect("a time")).expect("set");
    made.sign(&key, openssl::hash::MessageDigest::sha256()).expect("signed");
    made.build().to_pem().expect("PEM")
}

#[tokio::test]
async fn providers_are_told_once_for_each_step_of_a_tls_certificate_towards_its_end() {
    on_both(|bench| async move {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("tls.pem");
        let (end, kept) = (bench.clock.now() + Duration::days(16) + Duration::hours(1), file.clone());
        std::fs::write(&file, certificate_until(end)).expect("written");
        let post = Post::with(bench, |config| config.tls.certificate = Some(kept)).await;
        let provider = &post.scene.provider;
        post.scene.sql(&format!("UPDATE operators SET mail = 'pat@x.example' WHERE id = '{provider}'")).expect("set");
        for (days, mails) in [(1, 0), (2, 1), (1, 0), (6, 1), (6, 1), (3, 1), (1, 0)] {
            post.later(days * 24 * 60);
            watch::run(&post.bench).await.expect("runs");
            watch::run(&post.bench).await.expect("runs again");
            assert_eq!(post.work().await, mails, "after {days} more days");
        }
        std::fs::write(&file, certificate_until(post.scene.bench.clock.now() + Duration::days(10))).expect("renewed");
        watch::run(&post.bench).await.expect("runs");
        assert_eq!(post.work().await, 1, "another certificate");
        assert!(post.arrived().iter().all(|to| to == "pat@x.example"), "{:?}", post.arrived());
    })
    .await;
}
