//! The worker loop and its jobs against a stand-in push service, on both databases.

use std::sync::Arc;
use std::time::Duration as Wait;

use beadle_simulator::apple::push_service::{Fault, PushCertificate, PushService, Times};
use openssl::pkey::PKey;

use super::*;
use crate::config::Config;
use crate::model::{CommandKind, CouncilId, Mode, PushCertificateId, PushCertificateState};
use crate::operations::alerts::{IDENTITY_ALERTS, NO_CERTIFICATE, PUSH_CERTIFICATE_ENDS};
use crate::operations::commands::{self, NewCommand};
use crate::sealing::Purpose;
use crate::store::enrolments::Enrolment;
use crate::store::push_certificates::PushCertificate as Row;
use crate::testing::phone::{MAGIC, enrolled, reloaded};
use crate::testing::{self, on_both};

struct Stage {
    bench: testing::Bench,
    app: App,
    service: PushService,
    council: CouncilId,
    _roots: tempfile::TempDir,
}

async fn stage(bench: testing::Bench) -> Stage {
    let service = PushService::start().await.expect("starts");
    let roots = tempfile::tempdir().expect("a folder");
    let root = roots.path().join("root.pem");
    std::fs::write(&root, service.root_certificate_pem().expect("a root")).expect("writes");
    let mut config = Config::default();
    config.apns.url = service.url().parse().expect("an address");
    config.apns.extra_roots = vec![root];
    let app = App {
        database: bench.database.clone(),
        keys: Arc::clone(&bench.keys),
        clock: bench.clock.clone(),
        config: Arc::new(config),
        google: crate::google::Kept::default(),
        sightings: Arc::default(),
    };
    let council = bench.council("germoe").await;
    Stage { bench, app, service, council, _roots: roots }
}

impl Stage {
    fn now(&self) -> Moment {
        self.app.clock.now()
    }

    fn work(&self) -> Bench {
        let apns = &self.app.config.apns;
        Bench::new(self.app.clone(), PushClient::new(&apns.url, &apns.extra_roots).expect("a client"))
    }

    /// A push certificate in the database, its key sealed.
    async fn certificate(&self, state: PushCertificateState) -> (PushCertificate, Row) {
        let minted = self.service.mint_push_certificate().expect("a certificate");
        let key = PKey::private_key_from_pem(minted.private_key_pem.as_bytes()).expect("a key");
        let id = PushCertificateId::new();
        let der = key.private_key_to_pkcs8().expect("DER");
        let sealer = &self.app.keys.sealer;
        let row = Row {
            council_id: self.council.clone(),
            state,
            apple_account: Some("clerk@germoe.example".to_owned()),
            topic: Some(minted.topic.clone()),
            certificate_pem: Some(minted.certificate_pem.clone()),
            sealed_key: sealer.seal(Purpose::PushKey, self.council.as_str(), id.as_str(), &der).expect("seals"),
            id,
            not_before: Some(self.now()),
            not_after: Some(self.now() + Duration::days(365)),
            created_at: self.now(),
            activated_at: Some(self.now()),
            warned_days: None,
        };
        let kept = row.clone();
        self.app
            .database
            .write("certificate", move |tx| store::push_certificates::insert(tx, &kept))
            .await
            .expect("kept");
        (minted, row)
    }

    /// A phone known to the push service.
    async fn phone(&self, topic: &str) -> (Enrolment, Vec<u8>) {
        let registration = self.service.register_device(topic, MAGIC).expect("registers");
        let token = hex::encode(&registration.token);
        let phone = enrolled(&self.bench, &self.council, Mode::Device, |enrolment| {
            enrolment.topic = Some(topic.to_owned());
            enrolment.push_token = Some(token);
        })
        .await;
        (phone, registration.token)
    }

    async fn queue(&self, phone: &Enrolment, priority: i64) {
        self.queue_one(phone, CommandKind::SecurityInfo, priority).await;
    }

    async fn queue_one(&self, phone: &Enrolment, kind: CommandKind, priority: i64) {
        let (context, phone) = (self.app.context(Actor::System), phone.clone());
        let command = NewCommand {
            kind,
            payload: serde_json::json!({}),
            priority,
            case: None,
            expires_in: Duration::days(90),
            supersede_key: None,
        };
        self.app
            .database
            .write("queue", move |tx| commands::queue(tx, &context, &phone, &command).map(drop))
            .await
            .expect("queued");
    }

    async fn end_all(&self, phone: &Enrolment) {
        let (context, phone) = (self.app.context(Actor::System), phone.clone());
        self.app
            .database
            .write("end", move |tx| commands::cancel_all(tx, &context, &phone, "for the test").map(drop))
            .await
            .expect("ends");
    }

    async fn job(&self, key: String) -> Option<Job> {
        self.app.database.read("job", move |tx| store::jobs::find_by_key(tx, &key)).await.expect("reads")
    }

    async fn wake_job(&self, phone: &Enrolment) -> Option<Job> {
        self.job(format!("wake:{}", phone.id)).await
    }

    async fn alerts(&self) -> Vec<(String, String)> {
        let (context, council) = (self.app.context(Actor::System), self.council.clone());
        self.app
            .database
            .read("alerts", move |tx| {
                let open = alerts::list(tx, &context, &council, true, None, 50)?;
                Ok(open.into_iter().map(|alert| (alert.kind, alert.message)).collect())
            })
            .await
            .expect("reads")
    }

    /// Runs every job that is due, and what they make due, in this task.
    async fn run_due(&self) {
        let bench = Arc::new(self.work());
        for _ in 0..50 {
            let claimed = claim(&self.app, "test", AT_ONCE).await.expect("claims");
            if claimed.is_empty() {
                return;
            }
            for job in claimed {
                run(Arc::clone(&bench), job).await;
            }
        }
        panic!("jobs without end");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_phone_is_pushed_until_it_came_and_not_once_more() {
    on_both(|bench| async move {
        let stage = stage(bench).await;
        let (certificate, _) = stage.certificate(PushCertificateState::Current).await;
        let (phone, _) = stage.phone(&certificate.topic).await;
        stage.queue(&phone, 0).await;
        stage.queue(&phone, 0).await;
        stage.run_due().await;
        assert_eq!(stage.service.log().len(), 1, "two wishes, one push");
        for (wait, pushes) in [(29, 1), (2, 2), (119, 2), (2, 3), (481, 4), (1801, 5), (86_390, 5), (20, 6)] {
            stage.app.clock.advance(Duration::seconds(wait));
            stage.run_due().await;
            assert_eq!(stage.service.log().len(), pushes, "after {wait} s more");
        }
        stage.end_all(&phone).await;
        stage.app.clock.advance(Duration::days(2));
        stage.run_due().await;
        assert_eq!(stage.service.log().len(), 6);
        assert!(stage.wake_job(&phone).await.is_none(), "nothing waits, so the job is over");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_410_retires_a_token_and_only_one_that_is_not_newer() {
    on_both(|bench| async move {
        let stage = stage(bench).await;
        let (certificate, _) = stage.certificate(PushCertificateState::Current).await;
        let (phone, token) = stage.phone(&certificate.topic).await;
        stage.queue(&phone, 0).await;
        for status in [400, 403] {
            stage.service.set_fault(None, Fault::status(status), Times::Next(1));
            stage.run_due().await;
            assert_eq!(stage.alerts().await[0].0, "push_refused", "{status}");
            stage.app.clock.advance(Duration::hours(7));
        }
        for status in [429, 500] {
            stage.service.set_fault(None, Fault::status(status), Times::Next(1));
            stage.run_due().await;
            let job = stage.wake_job(&phone).await.expect("kept");
            assert!(job.attempts > 0 && job.run_at > stage.now(), "{status}: {job:?}");
            assert!(job.last_problem.is_some_and(|problem| problem.contains(&status.to_string())));
            stage.app.clock.advance(Duration::hours(2));
            stage.service.clear_faults();
        }
        assert!(reloaded(&stage.bench, &phone).await.push_retired_at.is_none());
        stage.run_due().await;
        assert!(stage.alerts().await.is_empty(), "a push that went through ends the alert");

        // The phone sent its token again after the push service last knew it to be dead.
        stage.service.unregister_device(&token);
        let later = {
            let (phone, at) = (phone.clone(), stage.now() + Duration::hours(1));
            let token = phone.push_token.clone().unwrap_or_default();
            let magic = phone.sealed_push_magic.clone().unwrap_or_default();
            stage
                .app
                .database
                .write("token", move |tx| {
                    let tokens = store::enrolments::Tokens {
                        topic: None,
                        push_token: &token,
                        sealed_push_magic: &magic,
                        sealed_unlock_token: None,
                    };
                    store::enrolments::set_tokens(tx, &phone, &tokens, at)
                })
                .await
        };
        later.expect("set");
        stage.app.clock.advance(Duration::hours(1));
        stage.run_due().await;
        assert!(reloaded(&stage.bench, &phone).await.push_retired_at.is_none(), "the 410 is older than the token");
        assert!(stage.wake_job(&phone).await.is_some());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_retired_token_is_told_and_not_pushed_again() {
    on_both(|bench| async move {
        let stage = stage(bench).await;
        let (certificate, _) = stage.certificate(PushCertificateState::Current).await;
        let (phone, token) = stage.phone(&certificate.topic).await;
        stage.service.unregister_device(&token);
        stage.queue(&phone, 0).await;
        stage.run_due().await;
        assert!(reloaded(&stage.bench, &phone).await.push_retired_at.is_some());
        assert_eq!(stage.alerts().await[0].0, "push_retired");
        stage.queue(&phone, 0).await;
        stage.run_due().await;
        assert_eq!(stage.service.log().len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_topic_belongs_to_the_enrolment() {
    on_both(|bench| async move {
        let stage = stage(bench).await;
        let (old, _) = stage.certificate(PushCertificateState::Retiring).await;
        let (new, _) = stage.certificate(PushCertificateState::Current).await;
        let (first, _) = stage.phone(&old.topic).await;
        let (second, _) = stage.phone(&new.topic).await;
        let (third, _) = stage.phone("com.apple.mgmt.External.gone").await;
        for phone in [&first, &second, &third] {
            stage.queue(phone, 0).await;
        }
        stage.run_due().await;
        let mut topics: Vec<_> = stage.service.log().into_iter().map(|push| (push.topic, push.delivered)).collect();
        topics.sort();
        let mut expected = vec![(Some(old.topic), true), (Some(new.topic), true)];
        expected.sort();
        assert_eq!(topics, expected);
        assert_eq!(stage.alerts().await[0].0, NO_CERTIFICATE);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_instances_share_the_work_and_stop_when_told() {
    on_both(|bench| async move {
        let stage = stage(bench).await;
        let (certificate, _) = stage.certificate(PushCertificateState::Current).await;
        // What runs by the clock would ask the phones for reports, and so push them once more.
        let tomorrow = stage.now() + Duration::days(1);
        let put_off = move |tx: &mut store::Transaction<'_>| schedule::ensure_at(tx, tomorrow, tomorrow);
        stage.app.database.write("tomorrow", put_off).await.expect("put off");
        for _ in 0..40 {
            let (phone, _) = stage.phone(&certificate.topic).await;
            stage.queue(&phone, 0).await;
        }
        let workers = [start(stage.app.clone()).expect("starts"), start(stage.app.clone()).expect("starts")];
        for _ in 0..100 {
            if stage.service.log().len() >= 40 {
                break;
            }
            tokio::time::sleep(Wait::from_millis(100)).await;
        }
        for workers in workers {
            workers.stop().await;
        }
        let log = stage.service.log();
        let tokens: std::collections::BTreeSet<_> = log.iter().map(|push| push.token.clone()).collect();
        assert_eq!((log.len(), tokens.len()), (40, 40), "each phone once");
        stage.queue(&stage.phone(&certificate.topic).await.0, 0).await;
        tokio::time::sleep(Wait::from_millis(300)).await;
        assert_eq!(stage.service.log().len(), 40, "nobody works any more");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn identities_are_renewed_in_time_asked_for_weekly_and_told_of_in_the_end() {
    on_both(|bench| async move {
        let stage = stage(bench).await;
        let end = stage.now() + Duration::days(50);
        let phone = enrolled(&stage.bench, &stage.council, Mode::Device, |it| it.identity_not_after = Some(end)).await;
        enrolled(&stage.bench, &stage.council, Mode::Device, |_| {}).await;
        let bench = stage.work();
        let renewals = async |phone: &Enrolment| {
            let phone = phone.clone();
            let open = stage.app.database.read("open", move |tx| store::reports::open_commands(tx, &phone)).await;
            open.expect("reads").iter().filter(|(kind, _)| *kind == CommandKind::RenewIdentity).count()
        };
        for (days, expected) in [(0, 1), (1, 0), (3, 0), (4, 1)] {
            stage.app.clock.advance(Duration::days(days));
            renew_identities::run(&bench).await.expect("runs");
            assert_eq!(renewals(&phone).await, expected, "{days} days later");
            stage.end_all(&phone).await;
        }
        assert!(stage.alerts().await.is_empty());
        for (days, kind) in [(15, IDENTITY_ALERTS[2]), (15, IDENTITY_ALERTS[1]), (8, IDENTITY_ALERTS[0])] {
            stage.app.clock.advance(Duration::days(days));
            renew_identities::run(&bench).await.expect("runs");
            let kinds: Vec<String> = stage.alerts().await.into_iter().map(|(kind, _)| kind).collect();
            assert_eq!(kinds, [kind]);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_push_certificate_that_ends_is_told_of_with_the_apple_account() {
    on_both(|bench| async move {
        let stage = stage(bench).await;
        let (_, row) = stage.certificate(PushCertificateState::Current).await;
        let bench = stage.work();
        let mut told = Vec::new();
        for day in 300..=366 {
            stage.app.clock.advance(Duration::days(if day == 300 { 300 } else { 1 }));
            watch::run(&bench).await.expect("runs");
            for (kind, message) in stage.alerts().await {
                assert_eq!(kind, PUSH_CERTIFICATE_ENDS);
                if told.last() != Some(&message) {
                    told.push(message);
                }
            }
        }
        assert_eq!(told.len(), 6, "{told:#?}");
        assert!(told.iter().all(|message| message.contains("clerk@germoe.example")));
        let id = row.id;
        let council = stage.council.clone();
        let now = stage.app.database.read("row", move |tx| store::push_certificates::live(tx, &council)).await;
        assert!(now.expect("reads").iter().any(|row| row.id == id && row.warned_days == Some(0)));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_phone_silent_for_a_day_is_asked_and_a_changed_policy_reaches_all() {
    on_both(|bench| async move {
        let stage = stage(bench).await;
        let phone = enrolled(&stage.bench, &stage.council, Mode::Device, |_| {}).await;
        let other = enrolled(&stage.bench, &stage.council, Mode::Supervised, |_| {}).await;
        let kinds = async |phone: &Enrolment| {
            let phone = phone.clone();
            stage
                .app
                .database
                .read("open", move |tx| store::reports::open_commands(tx, &phone))
                .await
                .expect("reads")
                .len()
        };
        schedule::ask_for_reports(&stage.work()).await.expect("runs");
        assert_eq!((kinds(&phone).await, kinds(&other).await), (4, 4));
        let (context, answered) = (stage.app.context(Actor::System), phone.clone());
        stage
            .app
            .database
            .write("answer", move |tx| {
                let answer = serde_json::json!({ "QueryResponses": { "OSVersion": "18.1" } });
                commands::cancel_all(tx, &context, &answered, "for the test")?;
                crate::operations::reports::take_in(tx, &context, &answered, CommandKind::DeviceInformation, &answer)
            })
            .await
            .expect("answered");
        schedule::ask_for_reports(&stage.work()).await.expect("runs");
        assert_eq!(kinds(&phone).await, 0, "reported just now");
        stage.app.clock.advance(Duration::hours(24));
        schedule::ask_for_reports(&stage.work()).await.expect("runs");
        assert_eq!(kinds(&phone).await, 4);

        let (context, council) = (stage.app.context(Actor::Local), stage.council.clone());
        stage
            .app
            .database
            .write("policy", move |tx| {
                policies::start(tx, &context, &council, beadle_profiles::Preset::Germoe).map(drop)
            })
            .await
            .expect("started");
        stage.run_due().await;
        assert_eq!((kinds(&phone).await, kinds(&other).await), (5, 5), "the profile besides");
        assert!(stage.job(format!("policy:{}", stage.council)).await.is_none(), "done");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_keeps_failing_backs_off_and_is_told() {
    on_both(|bench| async move {
        let stage = stage(bench).await;
        let (context, council) = (stage.app.context(Actor::System), stage.council.clone());
        stage
            .app
            .database
            .write("nonsense", move |tx| {
                let payload = serde_json::json!({ "council": council });
                queue::queue(tx, &context, queue::WAKE_DEVICE, payload, context.now, Some("k"))
            })
            .await
            .expect("queued");
        for attempt in 1..=TELL_AFTER {
            stage.run_due().await;
            let job = stage.job("k".to_owned()).await.expect("kept");
            assert_eq!(job.attempts, attempt);
            let wait = (job.run_at - stage.now()).num_seconds();
            assert!((7 << (attempt - 1)..=13 << (attempt - 1)).contains(&wait), "{attempt}: {wait}");
            stage.app.clock.advance(Duration::hours(2));
        }
        assert_eq!(stage.alerts().await[0].0, "job_failing");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_retention_setting_acts() {
    on_both(|bench| async move {
        let stage = stage(bench).await;
        let (context, council) = (stage.app.context(Actor::System), stage.council.clone());
        let kept = stage.app.config.retention.clone();
        let phone = enrolled(&stage.bench, &stage.council, Mode::Device, |_| {}).await;
        // Not one of inventory: those go sooner.
        stage.queue_one(&phone, CommandKind::InstallProfile, 0).await;
        stage.end_all(&phone).await;
        stage
            .app
            .database
            .write("a day's traces", move |tx| {
                use crate::operations::{audit, operators};
                audit::record(tx, &context, &council, "noted", "x", serde_json::json!({ "name": "Mrs P" }))?;
                audit::record_installation(tx, &context, "noted", "x", serde_json::json!({}))?;
                store::sign_in_limits::lock(tx, "address:192.0.2.1", context.now)?;
                let new = operators::NewOperator {
                    council: Some(council.clone()),
                    login: "clerk".to_owned(),
                    name: "Cleo".to_owned(),
                    role: crate::model::Role::Clerk,
                    password_hash: String::new(),
                };
                let clerk = operators::add(tx, &context, &new)?;
                let session = store::sessions::Session {
                    id: crate::model::SessionId::from("old"),
                    operator_id: clerk.id,
                    token_hash: "hash".to_owned(),
                    created_at: context.now,
                    last_seen_at: context.now,
                    expires_at: context.now + Duration::hours(12),
                    mfa_at: None,
                    reauthenticated_at: None,
                    address: String::new(),
                    agent: String::new(),
                    revoked_at: None,
                };
                store::sessions::insert(tx, &session)
            })
            .await
            .expect("written");
        let traces = async || {
            upkeep::every_hour(&stage.work()).await.expect("runs");
            let (council, phone) = (stage.council.clone(), phone.clone());
            let count = stage.app.database.read("traces", move |tx| {
                let of_commands = store::commands::page_of_enrolment(tx, &council, &phone.id, None, 9)?.len();
                let session = store::sessions::find(tx, &crate::model::SessionId::from("old"))?.is_some();
                let mut details = 0;
                for chain in [council.as_str(), "installation"] {
                    let rows = store::audit::page(tx, chain, 0, 100)?;
                    details += rows.iter().filter(|(_, details)| details.is_some()).count();
                }
                Ok((of_commands, session, details))
            });
            count.await.expect("reads")
        };
        let (of_commands, session, details) = traces().await;
        assert_eq!((of_commands, session), (1, true));
        assert!(details >= 3);
        stage.app.clock.advance(Duration::days(kept.sessions) + Duration::hours(13));
        assert_eq!(traces().await, (1, false, details), "sign-ins went");
        stage.app.clock.advance(Duration::days(kept.commands - kept.sessions));
        assert_eq!(traces().await, (0, false, details), "commands went");
        stage.app.clock.advance(Duration::days(kept.audit_details - kept.commands));
        assert_eq!(traces().await, (0, false, 0), "details went");
        let now = stage.now();
        let failures = stage.app.database.write("failed", move |tx| store::sign_in_limits::purge(tx, now, 9)).await;
        assert_eq!(failures.expect("purges"), 0, "nobody's failed sign-ins are left");
    })
    .await;
}

/// A kind of job that panics.
pub(super) const PANICS: &str = "panics";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_panics_backs_off_and_is_told_to_all_whom_it_concerns() {
    on_both(|bench| async move {
        let stage = stage(bench).await;
        let other = stage.bench.council("coreley").await;
        let context = stage.app.context(Actor::System);
        stage
            .app
            .database
            .write("panics", move |tx| {
                queue::queue(tx, &context, PANICS, serde_json::Value::Null, context.now, Some("k"))
            })
            .await
            .expect("queued");
        for attempt in 1..=TELL_AFTER {
            assert!(stage.alerts().await.is_empty(), "not yet");
            stage.run_due().await;
            let job = stage.job("k".to_owned()).await.expect("kept");
            assert_eq!((job.attempts, job.lease_owner), (attempt, None));
            assert!(job.last_problem.is_some_and(|problem| problem.contains("as the test wants")));
            assert!((job.run_at - stage.now()).num_seconds() >= 7 << (attempt - 1), "it backs off");
            stage.app.clock.advance(Duration::hours(2));
        }
        assert_eq!(stage.alerts().await[0].0, "job_failing");
        let context = stage.app.context(Actor::System);
        let theirs =
            stage.app.database.read("alerts", move |tx| alerts::list(tx, &context, &other, true, None, 9)).await;
        assert_eq!(theirs.expect("reads").len(), 1, "a job without a council works for all");
    })
    .await;
}

#[test]
fn the_wait_doubles_up_to_an_hour_give_or_take_a_quarter() {
    let seconds = |attempts, jitter| back_off(attempts, jitter).num_seconds();
    assert_eq!([seconds(1, 0.5), seconds(2, 0.5), seconds(6, 0.5), seconds(60, 0.5)], [10, 20, 320, 3600]);
    assert_eq!((seconds(60, 0.0), seconds(60, 1.0)), (2700, 4500));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_imported_certificate_wakes_what_waited_for_it_and_nobody_else() {
    on_both(|bench| async move {
        let stage = stage(bench).await;
        let (certificate, row) = stage.certificate(PushCertificateState::Current).await;
        let (phone, _) = stage.phone(&certificate.topic).await;
        let (other, _) = stage.phone("com.apple.mgmt.External.gone").await;
        let id = row.id.clone();
        let end = |at: Moment| {
            let (council, id) = (stage.council.clone(), id.clone());
            format!(
                "UPDATE push_certificates SET not_after = '{}' WHERE council_id = '{council}' AND id = '{id}'",
                at.utc().format("%Y-%m-%d %H:%M:%S")
            )
        };
        crate::operations::apple_test_bench::sql(&stage.bench, &end(stage.now() - Duration::days(1)));
        stage.queue(&phone, 0).await;
        stage.queue(&other, 0).await;
        stage.run_due().await;
        assert_eq!(stage.service.log().len(), 0);
        let waits =
            async |phone: &Enrolment| (stage.wake_job(phone).await.expect("kept").run_at - stage.now()).num_minutes();
        assert!(waits(&phone).await >= 59 && waits(&other).await >= 59);
        crate::operations::apple_test_bench::sql(&stage.bench, &end(stage.now() + Duration::days(365)));
        let (context, council, topic) =
            (stage.app.context(Actor::System), stage.council.clone(), certificate.topic.clone());
        stage
            .app
            .database
            .write("imported", move |tx| queue::wake_topic(tx, &context, &council, &topic))
            .await
            .expect("queued");
        stage.run_due().await;
        assert_eq!(stage.service.log().len(), 1, "the lock does not wait for an hour");
        assert!(waits(&other).await >= 59);
        let topic = certificate.topic;
        assert!(stage.job(format!("topic:{topic}")).await.is_none(), "done");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_hourly_upkeep_lets_old_inventory_go() {
    on_both(|bench| async move {
        let stage = stage(bench).await;
        let phone = enrolled(&stage.bench, &stage.council, Mode::Device, |_| {}).await;
        let left = async || {
            let (council, id) = (phone.council_id.clone(), phone.id.clone());
            let page =
                move |tx: &mut store::Transaction<'_>| store::commands::page_of_enrolment(tx, &council, &id, None, 10);
            stage.app.database.read("commands", page).await.expect("reads").len()
        };
        stage.queue(&phone, 50).await;
        stage.end_all(&phone).await;
        for (days, expected) in [(6, 1), (2, 0)] {
            stage.app.clock.advance(Duration::days(days));
            upkeep::every_hour(&stage.work()).await.expect("runs");
            assert_eq!(left().await, expected, "after {days} days more");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_hour_failed_sign_ins_sessions_and_answers_kept_for_repeats_are_forgotten() {
    use crate::operations::operators_tests::{add, signed_in};
    use crate::operations::sign_in_limits::{self, Subjects};
    on_both(|bench| async move {
        let stage = stage(bench).await;
        let (context, council) = (stage.app.context(Actor::System), stage.council.clone());
        let session = stage
            .app
            .database
            .write("leave traces", move |tx| {
                sign_in_limits::count(tx, &Subjects::new("clerk", "192.0.2.1"), context.now)?;
                store::idempotency_keys::take(tx, council.as_str(), "someone", "k", "hash", context.now)?;
                let clerk = add(tx, &context, Some(&council), "clerk", crate::model::Role::Clerk)?;
                let own = signed_in(tx, &context, &clerk)?;
                Ok(own.actor.signed_in().expect("signed in").session.clone())
            })
            .await
            .expect("traces");
        let left = async || {
            let (council, session) = (stage.council.clone(), session.clone());
            stage
                .app
                .database
                .read("look", move |tx| {
                    Ok([
                        store::sign_in_limits::exists(tx, "address:192.0.2.1")?,
                        store::idempotency_keys::find(tx, council.as_str(), "someone", "k")?.is_some(),
                        store::sessions::find(tx, &session)?.is_some(),
                    ])
                })
                .await
                .expect("reads")
        };
        let run = async || {
            assert!(matches!(upkeep::every_hour(&stage.work()).await, Ok(Next::Again { .. })));
        };
        run().await;
        assert_eq!(left().await, [true, true, true], "all new");
        stage.bench.clock.advance(Duration::hours(23));
        run().await;
        assert_eq!(left().await, [true, true, true]);
        stage.bench.clock.advance(Duration::hours(2));
        run().await;
        assert_eq!(left().await, [false, false, true]);
        stage.bench.clock.advance(Duration::days(stage.app.config.retention.sessions));
        run().await;
        assert_eq!(left().await, [false, false, false]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_hour_sign_ups_at_google_and_android_codes_that_ran_out_are_forgotten() {
    use crate::model::{AndroidTokenId, AndroidTokenState, SignUpId};
    use crate::store::{android_tokens, google_sign_ups};
    on_both(|bench| async move {
        let stage = stage(bench).await;
        let (_, invitation) =
            crate::operations::apple_test_bench::invite(&stage.bench, &stage.council, None, Mode::Device);
        let (now, council, of) = (stage.now(), stage.council.clone(), invitation.clone());
        stage
            .app
            .database
            .write("leave traces", move |tx| {
                let sign_up = google_sign_ups::SignUp {
                    council_id: council.clone(),
                    id: SignUpId::new(),
                    state_hash: "state".to_owned(),
                    name: None,
                    requested_by: "clerk".to_owned(),
                    requested_at: now,
                    expires_at: now + Duration::hours(1),
                    completed_at: None,
                };
                google_sign_ups::insert(tx, &sign_up)?;
                for state in [AndroidTokenState::Made, AndroidTokenState::Used] {
                    let token = android_tokens::AndroidToken {
                        council_id: council.clone(),
                        id: AndroidTokenId::new(),
                        invitation_id: of.clone(),
                        mode: Mode::FullyManaged,
                        binding_hash: state.to_string(),
                        google_name: None,
                        state,
                        created_at: now,
                        expires_at: now + Duration::hours(1),
                        used_at: None,
                    };
                    android_tokens::insert(tx, &token)?;
                }
                Ok(())
            })
            .await
            .expect("traces");
        let left = async || {
            upkeep::every_hour(&stage.work()).await.expect("runs");
            let (council, of) = (stage.council.clone(), invitation.clone());
            let look = move |tx: &mut store::Transaction<'_>| {
                let sign_up = google_sign_ups::find_by_state(tx, "state")?.is_some();
                Ok((sign_up, android_tokens::of_invitation(tx, &council, &of)?.len()))
            };
            stage.app.database.read("look", look).await.expect("reads")
        };
        assert_eq!(left().await, (true, 2), "all new");
        stage.app.clock.advance(Duration::hours(26));
        assert_eq!(left().await, (false, 2), "Google may still tell of a phone");
        stage.app.clock.advance(Duration::days(30));
        assert_eq!(left().await, (false, 0));
    })
    .await;
}
