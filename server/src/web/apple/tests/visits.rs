//! What a visit leaves to be noted: nothing waits for it, nothing rests on it, and it is written down all the same.

use super::*;
use crate::model::{CaseId, CommandId, CommandState};
use crate::operations::apple_test_bench::command_row;
use crate::sightings::{self, Noting};
use crate::store::Transaction;
use crate::store::commands::CommandRow;
use crate::store::enrolments::Enrolment;

/// A phone under management with the identity that it signs with.
struct Phone {
    identity: Identity,
    council: CouncilId,
    fingerprint: String,
}

impl Phone {
    async fn enrol(bench: &Bench) -> (Self, Enrolment) {
        let council = bench.council("germoe").await;
        let enrolment = enrolled(bench, &council, Mode::Supervised).await;
        let identity = Identity::new();
        let fingerprint = identity.fingerprint();
        let later = bench.clock.now() + Duration::days(400);
        keep_certificate(bench, &council, None, Some(&enrolment.id), later, &fingerprint).await;
        let phone = Self { identity, council, fingerprint };
        // The identity is taken over at the first word.
        let server = app(bench);
        assert_eq!(phone.says(&server, "Idle", None).await, "");
        sightings::write(&server).await.expect("writes");
        let enrolment = phone.row(bench).await;
        (phone, enrolment)
    }

    async fn row(&self, bench: &Bench) -> Enrolment {
        enrolment(bench, &self.fingerprint).await
    }

    /// What it is given in return, as text.
    async fn says(&self, server: &App, status: &str, command: Option<&CommandId>) -> String {
        let mut inside = format!("<key>Status</key><string>{status}</string>");
        if let Some(id) = command {
            inside.push_str(&format!("<key>CommandUUID</key><string>{id}</string>"));
        }
        self.sends(server, &plist(&inside)).await
    }

    async fn sends(&self, server: &App, body: &[u8]) -> String {
        let service = test::init_service(
            WebApp::new().app_data(web::Data::new(server.clone())).configure(super::super::configure),
        )
        .await;
        let request = put(&format!("/mdm/{}/command", self.council), &self.identity, body);
        let answer = test::call_service(&service, request.to_request()).await;
        assert_eq!(answer.status(), StatusCode::OK);
        String::from_utf8_lossy(&to_bytes(answer.into_body()).await.unwrap_or_default()).into_owned()
    }
}

fn standing(row: &CommandRow) -> (CommandState, i64, bool) {
    (row.state, row.offers, row.sent_at.is_some())
}

#[actix_web::test]
async fn a_question_is_given_at_once_and_noted_a_moment_later() {
    on_both(|bench| async move {
        let (phone, before) = Phone::enrol(&bench).await;
        let server = app(&bench);
        let question = queue(&bench, &before, command(CommandKind::SecurityInfo, 50, None)).await;
        bench.clock.advance(Duration::minutes(2));
        let later = bench.clock.now();
        for offers in 1..=2 {
            let given = phone.says(&server, "Idle", None).await;
            assert!(given.contains("SecurityInfo") && given.contains(question.as_str()), "{given}");
            assert_eq!(command_row(&bench, &question).await.offers, offers - 1, "not yet noted");
            sightings::write(&server).await.expect("writes");
            assert_eq!(standing(&command_row(&bench, &question).await), (CommandState::Sent, offers, true));
        }
        assert!(phone.row(&bench).await.last_seen_at >= later);
        sightings::write(&server).await.expect("writes");
        assert_eq!(command_row(&bench, &question).await.offers, 2, "each once");
        assert_eq!(phone.says(&server, "Acknowledged", Some(&question)).await, "");
        assert_eq!(command_row(&bench, &question).await.state, CommandState::Acknowledged);
    })
    .await;
}

#[actix_web::test]
async fn a_question_that_is_never_answered_lets_others_go_first_for_a_while() {
    on_both(|bench| async move {
        let (phone, row) = Phone::enrol(&bench).await;
        let server = app(&bench);
        let question = queue(&bench, &row, command(CommandKind::SecurityInfo, 50, None)).await;
        for _ in 0..5 {
            assert!(phone.says(&server, "Idle", None).await.contains(question.as_str()));
            sightings::write(&server).await.expect("writes");
        }
        assert_eq!(phone.says(&server, "Idle", None).await, "");
        bench.clock.advance(Duration::minutes(1));
        assert!(phone.says(&server, "Idle", None).await.contains(question.as_str()));
    })
    .await;
}

#[actix_web::test]
async fn an_answer_says_more_than_what_is_noted_after_it_wherever_it_came() {
    on_both(|bench| async move {
        let (phone, row) = Phone::enrol(&bench).await;
        let (here, elsewhere) = (app(&bench), app(&bench));
        for answered_at in [&here, &elsewhere] {
            for (status, state) in [("Acknowledged", CommandState::Acknowledged), ("NotNow", CommandState::Deferred)] {
                bench.clock.advance(Duration::minutes(2));
                let later = bench.clock.now();
                let question = queue(&bench, &row, command(CommandKind::SecurityInfo, 50, None)).await;
                assert!(phone.says(&here, "Idle", None).await.contains(question.as_str()));
                assert_eq!(phone.says(answered_at, status, Some(&question)).await, "");
                let told = command_row(&bench, &question).await;
                assert!(told.state == state && told.sent_at.is_some_and(|at| at >= later), "{told:?}");
                for server in [&here, &elsewhere] {
                    sightings::write(server).await.expect("writes");
                }
                assert_eq!(standing(&command_row(&bench, &question).await), standing(&told), "{status}");
                assert!(phone.row(&bench).await.last_seen_at >= later);
                // What was put off comes with the next visit, and is then done.
                if state == CommandState::Deferred {
                    assert!(phone.says(&here, "Idle", None).await.contains(question.as_str()));
                    assert_eq!(phone.says(&here, "Acknowledged", Some(&question)).await, "");
                }
            }
        }
    })
    .await;
}

#[actix_web::test]
async fn only_a_question_is_answered_before_it_is_known_to_be_given() {
    on_both(|bench| async move {
        let (phone, row) = Phone::enrol(&bench).await;
        let server = app(&bench);
        let waiting = queue(&bench, &row, command(CommandKind::DeviceConfigured, 50, None)).await;
        let other = queue(&bench, &row, command(CommandKind::DeviceConfigured, 60, None)).await;
        assert!(phone.says(&server, "Acknowledged", Some(&other)).await.contains(waiting.as_str()));
        assert_eq!(command_row(&bench, &other).await.state, CommandState::Queued);
    })
    .await;
}

#[actix_web::test]
async fn an_answer_that_cannot_be_read_belongs_to_the_question_that_was_just_given() {
    on_both(|bench| async move {
        let (phone, row) = Phone::enrol(&bench).await;
        let server = app(&bench);
        let question = queue(&bench, &row, command(CommandKind::SecurityInfo, 50, None)).await;
        assert!(phone.says(&server, "Idle", None).await.contains(question.as_str()));
        assert_eq!(phone.sends(&server, b"<plist><dict><key>Status</key><string>Acknowl").await, "");
        let told = command_row(&bench, &question).await;
        assert_eq!(standing(&told), (CommandState::Deferred, 1, true));
        assert!(told.problem.expect("why").contains("could not be read"));
    })
    .await;
}

#[actix_web::test]
async fn what_cannot_be_written_waits_and_the_end_of_the_server_writes_the_last() {
    on_both(|bench| async move {
        let (phone, row) = Phone::enrol(&bench).await;
        let server = app(&bench);
        let question = queue(&bench, &row, command(CommandKind::SecurityInfo, 50, None)).await;
        bench.clock.advance(Duration::minutes(2));
        let later = bench.clock.now();
        assert!(phone.says(&server, "Idle", None).await.contains(question.as_str()));
        bench.database.set_broken(true);
        sightings::write(&server).await.expect_err("the database is off");
        bench.database.set_broken(false);
        assert_eq!(command_row(&bench, &question).await.state, CommandState::Queued);
        let noting = Noting::start(server.clone());
        noting.stop().await;
        assert_eq!(standing(&command_row(&bench, &question).await), (CommandState::Sent, 1, true));
        assert!(phone.row(&bench).await.last_seen_at >= later);
    })
    .await;
}

#[actix_web::test]
async fn an_answer_that_cannot_be_read_is_not_laid_to_a_lock_that_rests() {
    on_both(|bench| async move {
        let (phone, row) = Phone::enrol(&bench).await;
        let (here, elsewhere) = (app(&bench), app(&bench));
        let lock = queue(&bench, &row, command(CommandKind::EnableLostMode, 0, None)).await;
        for _ in 0..5 {
            assert!(phone.says(&here, "Idle", None).await.contains(lock.as_str()));
        }
        // It rests now, and lets the question go first; who gave that has not noted it when the answer comes elsewhere.
        let question = queue(&bench, &row, command(CommandKind::SecurityInfo, 50, None)).await;
        assert!(phone.says(&here, "Idle", None).await.contains(question.as_str()));
        phone.sends(&elsewhere, b"<plist><dict><key>Status</key><string>Acknowl").await;
        assert_eq!(command_row(&bench, &lock).await.state, CommandState::Sent);
        assert_eq!(command_row(&bench, &question).await.state, CommandState::Deferred);
    })
    .await;
}

/// The case of a loss of this phone, found now.
async fn found(bench: &Bench, row: &Enrolment) {
    let (now, device) = (bench.clock.now().utc().naive_utc(), &row.device_id);
    sql(
        bench,
        &format!(
            "INSERT INTO cases (council_id, id, kind, asset_id, device_id, state, reported_by, reporter, reported_at, place, \
             circumstances, aware_at, contact_message, contact_number, police_reference, found_at) \
             SELECT council_id, 'case', 'loss', asset_id, id, 'found', 't', 't', '{now}', '', '', '{now}', '', '', '', '{now}' \
             FROM devices WHERE id = '{device}'"
        ),
    );
}

async fn is_back_in_use(bench: &Bench) -> bool {
    let id = CaseId::from("case".to_owned());
    let case = bench.database.read("case", move |tx| crate::store::cases::find(tx, &id)).await.expect("reads");
    case.expect("a case").back_in_use_at.is_some()
}

#[actix_web::test]
async fn a_phone_that_was_found_is_back_in_use_once_it_is_seen_after_that() {
    on_both(|bench| async move {
        let (phone, row) = Phone::enrol(&bench).await;
        let server = app(&bench);
        bench.clock.advance(Duration::minutes(2));
        assert_eq!(phone.says(&server, "Idle", None).await, "");
        found(&bench, &row).await;
        sightings::write(&server).await.expect("writes");
        assert!(!is_back_in_use(&bench).await, "it called before it was found");
        bench.clock.advance(Duration::minutes(2));
        assert_eq!(phone.says(&server, "Idle", None).await, "");
        assert!(!is_back_in_use(&bench).await, "not yet noted");
        sightings::write(&server).await.expect("writes");
        assert!(is_back_in_use(&bench).await);
    })
    .await;
}

#[actix_web::test]
async fn what_an_ended_enrolment_left_puts_nothing_back_in_use() {
    on_both(|bench| async move {
        let (phone, row) = Phone::enrol(&bench).await;
        let server = app(&bench);
        found(&bench, &row).await;
        bench.clock.advance(Duration::minutes(2));
        assert_eq!(phone.says(&server, "Idle", None).await, "");
        let now = bench.clock.now();
        let end =
            move |tx: &mut Transaction<'_>| crate::store::enrolments::end(tx, &row.council_id, &row.id, now, "erased");
        assert!(bench.database.write("end", end).await.expect("ends"));
        sightings::write(&server).await.expect("writes");
        assert!(!is_back_in_use(&bench).await);
    })
    .await;
}
