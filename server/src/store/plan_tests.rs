//! How each database carries out what a phone's visit asks of it: by which index, and never by walking through a table.

use std::sync::{Arc, Mutex};

use diesel::connection::{Connection as _, InstrumentationEvent, SimpleConnection as _};
use diesel::prelude::*;
use diesel::sql_types::Text;

use super::connection::{AnyConnection, Transaction};
use super::enrolments::{Caller, Enrolment};
use crate::error::Result;
use crate::model::{Actor, CommandId, CommandKind, CommandState, CouncilId, Mode, Moment, Role, TokenId};
use crate::operations::apple_test_bench::{command, queue};
use crate::operations::assets::{self, Wanted, Which};
use crate::operations::check_in::{self, Arrival, Sighting};
use crate::operations::commands::{self as operation, Answer, AnswerStatus, Visit};
use crate::operations::policies::Base;
use crate::operations::{Context, attention, audit, devices, holds, leavers, people, policies, tokens};
use crate::store;
use crate::testing::phone::enrolled;
use crate::testing::{Bench, on_both};

const PHONES: usize = 8;
const FINISHED: usize = 3_000;
const WAITING: usize = 40;

/// The statements that `work` runs, without their values.
fn statements(connection: &mut AnyConnection, work: impl FnOnce(&mut Transaction<'_>) -> Result<()>) -> Vec<String> {
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let heard = Arc::clone(&seen);
    connection.set_instrumentation(move |event: InstrumentationEvent<'_>| {
        if let InstrumentationEvent::StartQuery { query, .. } = event {
            let text = query.to_string();
            let statement = text.split(" -- binds:").next().unwrap_or_default().trim().to_owned();
            heard.lock().expect("nobody panicked").push(statement);
        }
    });
    connection
        .transaction(|connection| {
            work(&mut Transaction::new(connection))?;
            Err::<(), _>(crate::Error::conflict("undone: only the statements matter"))
        })
        .expect_err("undone");
    connection.set_instrumentation(|_: InstrumentationEvent<'_>| {});
    let words = ["SELECT", "INSERT", "UPDATE", "DELETE", "WITH"];
    let seen = seen.lock().expect("nobody panicked");
    seen.iter().filter(|statement| words.iter().any(|word| statement.starts_with(word))).cloned().collect()
}

#[derive(QueryableByName)]
struct Sqlite {
    #[diesel(sql_type = Text)]
    detail: String,
}

#[derive(QueryableByName)]
struct Postgres {
    #[diesel(sql_type = Text, column_name = "QUERY PLAN")]
    detail: String,
}

/// How the database would carry a statement out, whatever its values.
fn plan(connection: &mut AnyConnection, statement: &str) -> String {
    match connection {
        AnyConnection::Sqlite(connection) => {
            let lines: Vec<Sqlite> =
                diesel::sql_query(format!("EXPLAIN QUERY PLAN {statement}")).load(connection).expect(statement);
            lines.into_iter().map(|line| line.detail).collect::<Vec<_>>().join("\n")
        }
        AnyConnection::Postgres(connection) => {
            let values = (1..100).take_while(|number| statement.contains(&format!("${number}"))).count();
            let nothing = vec!["NULL"; values].join(", ");
            let values = if values == 0 { String::new() } else { format!("({nothing})") };
            connection.batch_execute(&format!("PREPARE explained AS {statement}")).expect(statement);
            let lines: Vec<Postgres> =
                diesel::sql_query(format!("EXPLAIN EXECUTE explained {values}")).load(connection).expect(statement);
            connection.batch_execute("DEALLOCATE explained").expect("forgets it");
            lines.into_iter().map(|line| line.detail).collect::<Vec<_>>().join("\n")
        }
    }
}

/// Phones with a history of finished commands behind each; some commands wait for each. Statistics, where there are any, are
/// of a quiet morning: nothing was open then.
async fn years_of_use(bench: &Bench, analysed: bool) -> (CouncilId, Enrolment, CommandId) {
    let council = bench.council("germoe").await;
    let mut phones = Vec::new();
    for _ in 0..PHONES {
        phones.push(enrolled(bench, &council, Mode::Supervised, |_| {}).await);
    }
    let phone = phones.swap_remove(PHONES / 2);
    let seed = |state: &str, count: usize, ended: &str| {
        format!(
            "WITH RECURSIVE numbers(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM numbers WHERE value < {count}) \
             INSERT INTO commands (council_id, id, enrolment_id, kind, payload, priority, state, created_by, created_at, \
             available_at, expires_at, offers, ended_at) \
             SELECT e.council_id, '{state}-' || n.value || '-' || e.id, e.id, 'device_information', '{{}}', 50, '{state}', \
             'test', '2026-01-01 00:00:00', '2026-01-01 00:00:00', '2099-01-01 00:00:00', 1, {ended} \
             FROM enrolments e, numbers n"
        )
    };
    bench
        .database
        .with_own_connection(|connection| {
            connection.batch_execute(&seed("acknowledged", FINISHED, "'2026-01-01 00:00:00'"))?;
            if analysed {
                connection.batch_execute("ANALYZE")?;
            }
            Ok(connection.batch_execute(&seed("queued", WAITING, "NULL"))?)
        })
        .expect("a history");
    let first = queue(bench, &phone, command(CommandKind::DisableLostMode, 10, None)).await;
    queue(bench, &phone, command(CommandKind::DisableLostMode, 50, None)).await;
    (council, phone, first)
}

/// As after a few uses of a prepared statement: one plan for all values.
fn prepare(connection: &mut AnyConnection) {
    if matches!(connection, AnyConnection::Postgres(_)) {
        connection.batch_execute("SET plan_cache_mode = force_generic_plan").expect("sets");
    }
}

type Question = fn(&mut Transaction<'_>, &Enrolment, Moment) -> Result<()>;

/// What is asked about open commands at each visit, push and change.
const OPEN: &[(&str, Question)] = &[
    ("next, as a visit begins", |tx, phone, now| store::commands::next(tx, phone, now, true, None).map(drop)),
    ("next, in a visit", |tx, phone, now| store::commands::next(tx, phone, now, false, None).map(drop)),
    ("next of one kind", |tx, phone, now| {
        store::commands::next(tx, phone, now, true, Some(CommandKind::RenewIdentity)).map(drop)
    }),
    ("last sent", |tx, phone, _| store::commands::last_sent(tx, phone).map(drop)),
    ("open commands", |tx, phone, _| store::reports::open_commands(tx, phone).map(drop)),
    ("open of an enrolment", |tx, phone, _| {
        store::commands::open_of_enrolment(tx, &phone.council_id, &phone.id).map(drop)
    }),
    ("finish open", |tx, phone, now| {
        let (state, why) = (CommandState::Superseded, "for the test");
        store::commands::finish_open(tx, phone, None, None, state, now, why).map(drop)
    }),
    ("finish open of one key", |tx, phone, now| {
        let (state, why) = (CommandState::Superseded, "for the test");
        store::commands::finish_open(tx, phone, None, Some("lock"), state, now, why).map(drop)
    }),
    ("waiting for a push", |tx, phone, now| store::wake::waiting(tx, phone, now).map(drop)),
];

async fn found_by_its_own_index(bench: Bench, analysed: bool) {
    let (_, phone, _) = years_of_use(&bench, analysed).await;
    let now = bench.clock.now();
    bench
        .database
        .with_own_connection(|connection| {
            prepare(connection);
            for (what, question) in OPEN {
                let asked = statements(connection, |tx| question(tx, &phone, now));
                let select = asked.iter().find(|statement| statement.starts_with("SELECT")).expect(what);
                let plan = plan(connection, select);
                // The one in flight under a key is found by an index of what is open as well.
                let served = plan.contains("commands_open") || plan.contains("commands_in_flight");
                assert!(served, "{what}, analysed: {analysed}\n{select}\n{plan}");
            }
            let asked = statements(connection, |tx| store::commands::expired(tx, now, 500).map(drop));
            let plan = plan(connection, &asked[0]);
            assert!(plan.contains("commands_expiring"), "{}\n{plan}", asked[0]);
            Ok(())
        })
        .expect("explains");
}

#[tokio::test]
async fn what_is_open_is_found_by_its_own_index() {
    on_both(|bench| found_by_its_own_index(bench, true)).await;
}

#[tokio::test]
async fn what_is_open_is_found_by_its_own_index_before_statistics_are_gathered() {
    on_both(|bench| async move {
        // SQLite has none unless somebody gathers them; PostgreSQL gathers them by itself.
        if !bench.database.is_postgres() {
            found_by_its_own_index(bench, false).await;
        }
    })
    .await;
}

/// Tables that hold a handful of rows for the whole life of an installation.
const SMALL: &[&str] = &["quarantines"];

fn caller(phone: &Enrolment) -> Caller {
    Caller { enrolment: phone.clone(), has_more: true }
}

/// Everything that the database is asked as a phone checks in, polls, fetches and answers.
fn path(
    connection: &mut AnyConnection,
    context: &Context,
    council: &CouncilId,
    phone: &Enrolment,
    command: &CommandId,
) -> Vec<String> {
    let udid = format!("udid of {}", phone.id);
    let mut asked = Vec::new();
    let mut note = |work: &mut dyn FnMut(&mut Transaction<'_>) -> Result<()>| {
        asked.extend(statements(connection, |tx| work(tx)));
    };
    note(&mut |tx| {
        check_in::identify(tx, council, &phone.fingerprint, Some(&udid))?;
        operation::glance(tx, context, &caller(phone))?;
        let sighting =
            Sighting { seen_at: Some(context.now), given: Some((command.clone(), context.now)), ..Sighting::of(phone) };
        check_in::note(tx, council, std::slice::from_ref(&sighting))?;
        check_in::note_contact(tx, context, &sighting)
    });
    for status in [
        AnswerStatus::Acknowledged,
        AnswerStatus::NotNow,
        AnswerStatus::Failed { codes: vec![1], text: "no".to_owned() },
        AnswerStatus::Unreadable,
    ] {
        note(&mut |tx| {
            operation::settle_and_claim(tx, context, caller(phone), &Visit::Begins)?;
            let id = (status != AnswerStatus::Unreadable).then(|| command.clone());
            let answer =
                Answer { command: id, status: status.clone(), report: serde_json::json!({}), bypass_code: None };
            operation::settle_and_claim(tx, context, caller(phone), &Visit::Answers(answer)).map(drop)
        });
    }
    note(&mut |tx| {
        let arrival = Arrival { udid: Some(udid.clone()), ..Arrival::default() };
        check_in::authenticate(tx, context, council, &phone.fingerprint, &arrival).map(drop)
    });
    asked.sort();
    asked.dedup();
    asked
}

/// The plans of `asked` that walk through a table.
fn walks(connection: &mut AnyConnection, asked: Vec<String>) -> Vec<String> {
    if matches!(connection, AnyConnection::Postgres(_)) {
        // So that a table is walked through only where no index serves, however few rows a test has.
        connection.batch_execute("SET enable_seqscan = off").expect("sets");
    }
    let mut walks = Vec::new();
    // A list that is empty finds nothing, and no database looks for it.
    for statement in asked.into_iter().filter(|statement| !statement.contains("(1=0)")) {
        let plan = plan(connection, &statement);
        for line in plan.lines().map(str::trim) {
            let walked = line.strip_prefix("SCAN ").or_else(|| line.split_once("Seq Scan on ").map(|it| it.1));
            let table = walked.and_then(|rest| rest.split(' ').next()).unwrap_or_default();
            // What a statement made itself is no table.
            let own = ["CONSTANT", "s"].contains(&table);
            if walked.is_some() && !SMALL.contains(&table) && !own {
                walks.push(format!("{line}\n    {statement}"));
            }
        }
    }
    walks
}

/// The index that holds just what the first page asks for, by what its statement names.
const FIRST_PAGE: &[(&str, &str)] = &[
    ("cases", "cases_unclosed"),
    ("orders", "orders_unended"),
    ("alerts", "alerts_unended"),
    ("enrolments e JOIN devices", "enrolments_silent"),
    ("setting_states", "setting_states_not_in_force"),
];

#[tokio::test]
async fn nothing_that_the_first_page_or_a_search_asks_walks_through_a_table() {
    on_both(|bench| async move {
        let (council, phone, _) = years_of_use(&bench, true).await;
        let context = bench.context(Actor::System);
        bench
            .database
            .with_own_connection(|connection| {
                prepare(connection);
                let mut asked = statements(connection, |tx| attention::of_council(tx, &context, &council).map(drop));
                if !matches!(connection, AnyConnection::Postgres(_)) {
                    for (names, index) in FIRST_PAGE {
                        let plain = |asked: &String| asked.replace(['"', '`'], "");
                        let statement = asked.iter().find(|asked| plain(asked).contains(&format!("FROM {names}")));
                        let statement = statement.unwrap_or_else(|| panic!("{names}: {asked:#?}"));
                        let plan = plan(connection, statement);
                        assert!(plan.contains(index), "{index}\n{statement}\n{plan}");
                    }
                }
                for search in ["hol", "GPC", "900123"] {
                    let wanted = Wanted { search: Some(search.to_owned()), ..Wanted::default() };
                    asked.extend(statements(connection, |tx| {
                        assets::list(tx, &context, council.as_str(), &wanted, None, 21).map(drop)
                    }));
                }
                // Two of them: where a list names every row there is, walking through the table is right.
                asked.extend(statements(connection, |tx| {
                    devices::glances(tx, &context, council.as_str(), None, None, 2).map(drop)
                }));
                asked.extend(statements(connection, |tx| devices::whole(tx, &context, &phone.device_id).map(drop)));
                asked.extend(statements(connection, |tx| {
                    let wanted = audit::Wanted { until: Some(context.now), ..audit::Wanted::default() };
                    audit::read(tx, &context, &council, &wanted, 50)?;
                    store::audit::page_before(tx, council.as_str(), 9, &["a".to_owned(), "b".to_owned()], 50).map(drop)
                }));
                asked.extend(statements(connection, |tx| {
                    policies::unmet(tx, &context, &council)?;
                    policies::history(tx, &context, &council, None, 20)?;
                    policies::draft(tx, &context, &council, &Base::Current, &[]).map(drop)
                }));
                asked.extend(statements(connection, |tx| {
                    people::find(tx, &context, council.as_str(), "hol", 21).map(drop)
                }));
                asked.extend(statements(connection, |tx| {
                    let hold = holds::add(tx, &context, &phone.device_id, "evidence")?;
                    holds::lying_now(tx, &context, &council, None, 26)?;
                    holds::lying_now(tx, &context, &council, Some(&hold.id), 26)?;
                    store::alerts::page_before(tx, &council, Some(hold.id.as_str()), 26)?;
                    tokens::newest(tx, &context, &council, Some(&TokenId::new()), 26).map(drop)
                }));
                asked.extend(statements(connection, |tx| {
                    let person = people::list(tx, &context, council.as_str(), true, None, 1)?.remove(0).id;
                    people::list(tx, &context, council.as_str(), true, Some(person.as_str()), 2)?;
                    leavers::checklist(tx, &context, &person).map(drop)
                }));
                asked.extend(statements(connection, |tx| {
                    let one = assets::export(tx, &context, council.as_str(), None, 1)?.remove(0).0.asset.id;
                    let wanted = Wanted { which: Which::Disposed, ..Wanted::default() };
                    assets::list(tx, &context, council.as_str(), &wanted, Some(one.as_str()), 2)?;
                    assets::show(tx, &context, &one).map(drop)
                }));
                asked.sort();
                asked.dedup();
                assert!(asked.len() > 12, "{asked:#?}");
                let walks = walks(connection, asked);
                assert!(walks.is_empty(), "{}", walks.join("\n"));
                Ok(())
            })
            .expect("explains");
    })
    .await;
}

#[tokio::test]
async fn nothing_on_a_phones_way_walks_through_a_table() {
    on_both(|bench| async move {
        let (council, phone, command) = years_of_use(&bench, true).await;
        crate::operations::apple_test_bench::keep_certificate(
            &bench,
            &council,
            None,
            Some(&phone.id),
            bench.clock.now() + chrono::Duration::days(300),
            &phone.fingerprint,
        )
        .await;
        let context = bench.context(Actor::System);
        bench
            .database
            .with_own_connection(|connection| {
                prepare(connection);
                let asked = path(connection, &context, &council, &phone, &command);
                assert!(asked.len() > 15, "{asked:#?}");
                let walks = walks(connection, asked);
                assert!(walks.is_empty(), "{}", walks.join("\n"));
                Ok(())
            })
            .expect("explains");
    })
    .await;
}

#[tokio::test]
async fn who_is_told_by_mail_is_found_without_walking_through_the_accounts() {
    on_both(|bench| async move {
        let (council, _, _) = years_of_use(&bench, true).await;
        bench
            .database
            .with_own_connection(|connection| {
                prepare(connection);
                let mut asked = Vec::new();
                for (council, roles) in
                    [(Some(&council), &[Role::Clerk, Role::Approver][..]), (None, &[Role::Provider])]
                {
                    asked
                        .extend(statements(connection, |tx| store::operators::with_mail(tx, council, roles).map(drop)));
                }
                assert_eq!(asked.len(), 2, "{asked:#?}");
                if !matches!(connection, AnyConnection::Postgres(_)) {
                    for statement in &asked {
                        let plan = plan(connection, statement);
                        assert!(plan.contains("operators_of_council"), "{statement}\n{plan}");
                    }
                }
                let walks = walks(connection, asked);
                assert!(walks.is_empty(), "{}", walks.join("\n"));
                Ok(())
            })
            .expect("explains");
    })
    .await;
}
