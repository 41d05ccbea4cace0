//! `kill -9` on the real program at random moments between loss, order, approval, fetch and answer.
//!
//! Afterwards a checker reads the database, the audit trail, the phones and the push service's log: no order lost, nothing
//! destructive without its release, nothing twice to a device that enrolled again, no push that the trail knows of and the
//! push service does not, and the chain verifies. On SQLite, and on PostgreSQL when `TEST_DATABASE_URL` names a server.
//! Beside each iPhone an Android phone is lost, while the stand-in for Google answers 429 and 5xx, hangs and resets connections at
//! random. `TEST_KILL_RUNS` says how many losses of each; a few by default. `TEST_KILL_SEED` repeats the faults of a run.
#![cfg(feature = "demo")]
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test says what broke by panicking")]

mod android;
mod program;

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};

use beadle_server::clock::Clock;
use beadle_server::demo::{Council, Invited, Town, settings, text, write_settings};
use beadle_server::store::{AnyConnection, Database};
use beadle_simulator::android::GoogleCloud;
use beadle_simulator::apple::keys::KeyPool;
use beadle_simulator::apple::phone::Phone;
use beadle_simulator::apple::push_service::{PushAnswer, PushService};
use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, PgConnection, RunQueryDsl as _};
use serde_json::{Value, json};
use tokio::sync::Mutex;

use program::{Program, insist, random, read};

struct Erased {
    invited: Invited,
    order: String,
    phone: Phone,
    /// The push token under which it heard of the order, in hexadecimal.
    token: String,
}

fn token_of(phone: &Phone) -> String {
    phone.push_token().into_iter().flatten().map(|byte| format!("{byte:02x}")).collect()
}

/// One loss, from the report to the erased phone, with one or two deaths of the server somewhere on the way.
async fn one_loss(
    town: &Town,
    council: &Council,
    program: &Arc<Mutex<Program>>,
    number: usize,
    keys: &KeyPool,
) -> Erased {
    let mut options = town.phone_options(&format!("Phone {number}"));
    options.keys = Some(keys.clone());
    options.failure_retry = Duration::from_millis(100);
    // The server may just be coming back from its last death.
    read(&council.clerk.api, "/account").await;
    let invited =
        town.invite(council, &format!("K-{number:04}"), &format!("Holder {number}"), &options).await.expect("invited");
    let phone = town.enrol(&invited, options).await.expect("enrolled");
    let token = phone.change(|phone| token_of(phone)).await.expect("a push token");

    let killer = tokio::spawn({
        let program = Arc::clone(program);
        async move {
            for _ in 0..=random(2) {
                tokio::time::sleep(Duration::from_millis(random(700))).await;
                let mut program = program.lock().await;
                tokio::task::block_in_place(|| program.kill_and_restart());
            }
        }
    });
    let clerk = &council.clerk.api;
    let case = insist(clerk, &format!("/councils/{}/losses", council.id), json!({ "asset": invited.asset })).await;
    let case = text(&case, "/case/id").expect("a case");
    let order = json!({ "asset_tag": invited.tag, "reason": "Lost." });
    let order = text(&insist(clerk, &format!("/losses/{case}/orders"), order).await, "/id").expect("an order");
    insist(&council.chair.api, &format!("/orders/{order}/approve"), json!({})).await;
    killer.await.expect("the killer is done");
    let wiped = phone.wait_until(Duration::from_secs(120), |state| state.wiped).await;
    assert!(wiped.is_some(), "run {number}: the order was lost: {}", read(clerk, &format!("/orders/{order}")).await);
    Erased { invited, order, phone: phone.stop().await.expect("stopped"), token }
}

#[derive(diesel::QueryableByName)]
struct Count {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    count: i64,
}

pub(crate) fn count(database: &Database, sql: &str) -> i64 {
    database
        .with_own_connection(|connection| match connection {
            AnyConnection::Sqlite(connection) => Ok(diesel::sql_query(sql).get_result::<Count>(connection)?.count),
            AnyConnection::Postgres(connection) => Ok(diesel::sql_query(sql).get_result::<Count>(connection)?.count),
        })
        .expect(sql)
}

#[derive(diesel::QueryableByName)]
struct Row {
    #[diesel(sql_type = diesel::sql_types::Text)]
    told: String,
}

/// The column `told` of each row; what cannot be asked is told instead.
pub(crate) fn rows(database: &Database, sql: &str) -> Vec<String> {
    let rows = database.with_own_connection(|connection| match connection {
        AnyConnection::Sqlite(connection) => Ok(diesel::sql_query(sql).load::<Row>(connection)?),
        AnyConnection::Postgres(connection) => Ok(diesel::sql_query(sql).load::<Row>(connection)?),
    });
    match rows {
        Ok(rows) => rows.into_iter().map(|row| row.told).collect(),
        Err(problem) => vec![problem.to_string()],
    }
}

fn run_sql(database: &Database, sql: &str) {
    database
        .with_own_connection(|connection| match connection {
            AnyConnection::Sqlite(connection) => Ok(connection.batch_execute(sql)?),
            AnyConnection::Postgres(connection) => Ok(connection.batch_execute(sql)?),
        })
        .expect(sql);
}

/// The caps that a council and the installation can have at the most.
pub(crate) fn raise_caps(database: &Database, council: &str) {
    for (scope, per_hour, per_day) in [(council, 10, 30), ("installation", 50, 480)] {
        run_sql(
            database,
            &format!(
                "INSERT INTO order_caps (scope, per_hour, per_day, changed_at) \
                 VALUES ('{scope}', {per_hour}, {per_day}, '2026-01-01 00:00:00') ON CONFLICT (scope) DO NOTHING"
            ),
        );
    }
}

/// This test approves more in ten minutes than a council may in a week, so what is over was long ago, as far as caps go.
/// Nothing that may still be carried out is touched.
fn let_the_caps_forget(database: &Database) {
    run_sql(database, "UPDATE orders SET approved_at = '2026-01-01 00:00:00' WHERE state = 'confirmed'");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_order_is_lost_or_doubled_when_the_server_is_killed() {
    kill_loop(None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nor_on_postgresql() {
    let Ok(url) = std::env::var("TEST_DATABASE_URL") else {
        let insisted = std::env::var_os("TEST_SKIP_NOTHING").is_some();
        assert!(!insisted, "TEST_DATABASE_URL is not set, and nothing may be left out here");
        eprintln!("left out: PostgreSQL, since TEST_DATABASE_URL is not set");
        return;
    };
    let schema = Schema::create(url);
    kill_loop(Some(schema.own_url())).await;
}

/// A place of its own on the PostgreSQL server.
struct Schema {
    url: String,
    name: String,
}

impl Schema {
    fn create(url: String) -> Self {
        let schema = Self { url, name: format!("kill_loop_{}_{}", std::process::id(), random(1_000_000)) };
        schema.run(&format!("CREATE SCHEMA \"{}\"", schema.name)).expect("a schema");
        schema
    }

    fn own_url(&self) -> String {
        let separator = if self.url.contains('?') { '&' } else { '?' };
        format!("{}{separator}options=-csearch_path%3D{}", self.url, self.name)
    }

    fn run(&self, sql: &str) -> Result<(), String> {
        let mut connection = PgConnection::establish(&self.url).map_err(|problem| problem.to_string())?;
        connection.batch_execute(sql).map_err(|problem| problem.to_string())
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        if let Err(problem) = self.run(&format!("DROP SCHEMA \"{}\" CASCADE", self.name)) {
            eprintln!("the schema {} stays behind: {problem}", self.name);
        }
    }
}

async fn kill_loop(database_url: Option<String>) {
    let runs = std::env::var("TEST_KILL_RUNS").unwrap_or_else(|_| "5".to_owned());
    let runs: NonZeroUsize = runs.parse().expect("TEST_KILL_RUNS is how often to kill, at least once");
    let runs = runs.get();
    let folder = tempfile::tempdir().expect("a folder");
    let push = PushService::start().await.expect("push service");
    let google = GoogleCloud::start().await.expect("google");
    let mut config = settings(folder.path(), &push, &google).expect("settings");
    config.database.url = database_url.clone();
    let (file, addresses) = write_settings(folder.path(), &config).expect("a settings file");
    let (program, code) = Program::start(&file);
    let program = Arc::new(Mutex::new(program));
    let code = code.expect("a set-up code at the first start");
    let mut town =
        Town::settle(folder.path(), addresses, &code, (push, google), Clock::default()).await.expect("set up");
    let mut council = town.council("kill", "Kill Loop Parish Council", "germoe").await.expect("a council");
    let url = database_url.unwrap_or_else(|| format!("sqlite:{}", folder.path().join("data/beadle.db").display()));
    let database = Database::open(&url).expect("opens");
    raise_caps(&database, &council.id);
    let keys = KeyPool::generate(4).expect("keys");
    let mut fleet = android::Fleet::settle(&town, &database, runs).await;

    let mut erased = Vec::new();
    let mut tokens = BTreeSet::new();
    let mut signed_in = Instant::now();
    for number in 0..runs {
        if signed_in.elapsed() > Duration::from_secs(120) {
            // The server may just be coming back from its last death.
            read(&council.clerk.api, "/account").await;
            council.clerk.sign_in(&town.api).await.expect("the clerk signs in");
            council.chair.sign_in(&town.api).await.expect("the chair signs in");
            fleet.sign_in(&town).await;
            signed_in = Instant::now();
        }
        let_the_caps_forget(&database);
        fleet.misbehave(&town, number);
        let ((), mut done) = tokio::join!(fleet.lose(number), one_loss(&town, &council, &program, number, &keys));
        if number % 3 == 0 {
            enrol_again(&mut town, &council, &mut done).await;
            tokens.insert(token_of(&done.phone));
        }
        tokens.insert(done.token.clone());
        erased.push(done);
    }
    fleet.end(&town, &database).await;
    check(&town, &council, &database, &erased, &tokens).await;
    let deaths = program.lock().await.deaths;
    println!("{url}: {runs} losses, {deaths} deaths of the server, every order accounted for");
    assert!(deaths >= runs);
}

/// The same hardware under management again: it must hear nothing of the old order.
async fn enrol_again(town: &mut Town, council: &Council, done: &mut Erased) {
    let before = done.phone.snapshot().commands_of("EraseDevice").len();
    let case = read(&council.clerk.api, &format!("/orders/{}", done.order)).await;
    let invitation = json!({ "asset": done.invited.asset });
    let link = insist(&council.clerk.api, &format!("/councils/{}/invitations", council.id), invitation).await;
    done.phone.re_enrol(&text(&link, "/link").expect("a link")).await.expect("enrols again");
    for _ in 0..3 {
        done.phone.poll().await.expect("polls");
    }
    let after = done.phone.snapshot().commands_of("EraseDevice").len();
    assert_eq!(before, after, "an old order reached a device that enrolled again: {case}");
    let _ = &town.api;
}

/// A row of the audit trail about an order.
pub(crate) struct Noted {
    pub(crate) kind: String,
    pub(crate) order: String,
    pub(crate) command: Option<String>,
}

pub(crate) async fn trail(council: &Council) -> Vec<Noted> {
    let mut noted = Vec::new();
    let mut after = "0".to_owned();
    loop {
        let path = format!("/councils/{}/audit?limit=200&after={after}", council.id);
        let page = read(&council.clerk.api, &path).await;
        for row in page["items"].as_array().expect("rows") {
            let kind = text(row, "/kind").expect("a kind");
            if kind.starts_with("order.") {
                let command = row.pointer("/details/details/command").and_then(Value::as_str).map(str::to_owned);
                noted.push(Noted { kind, order: text(row, "/subject").expect("a subject"), command });
            }
        }
        match page["next"].as_str() {
            Some(next) => next.clone_into(&mut after),
            None => return noted,
        }
    }
}

async fn check(town: &Town, council: &Council, database: &Database, erased: &[Erased], tokens: &BTreeSet<String>) {
    let trail = trail(council).await;
    let noted = |kind: &str, order: &str| {
        let rows = trail.iter().filter(|row| row.kind == kind && row.order == order);
        rows.map(|row| row.command.clone()).collect::<Vec<_>>()
    };
    let pushes = town.push.log();
    let mut states: BTreeMap<String, usize> = BTreeMap::new();
    for Erased { invited, order, phone, token } in erased {
        let row = read(&council.clerk.api, &format!("/orders/{order}")).await;
        let state = text(&row, "/state").expect("a state");
        // The phone is gone; what the server may know of it depends on whether its last word arrived.
        let truthful = ["confirmed", "fetched", "presumed_erased", "held"];
        assert!(truthful.contains(&state.as_str()), "{}: {row}", invited.tag);
        let command = text(&row, "/command").expect("a command");
        let seen = phone.snapshot();
        let erases = seen.commands_of("EraseDevice");
        for erase in &erases {
            assert_eq!(erase.uuid, command, "{}: an erase that no order stands behind", invited.tag);
        }
        // Nothing leaves before it is written down to stay: the first offer in the trail, each repeat in the order's row. What
        // is written may be more, where the server died before it could answer.
        let fetched = noted("order.fetched", order);
        assert!(!fetched.is_empty() && fetched.iter().all(|it| it.as_deref() == Some(command.as_str())), "{fetched:?}");
        let offers = usize::try_from(row["offers"].as_i64().expect("a number")).expect("a number");
        assert!(!erases.is_empty() && offers >= erases.len(), "{}: {} erases, {row}", invited.tag, erases.len());
        assert_eq!(noted("order.approved", order).len(), 1, "{}: approvals", invited.tag);
        assert!(noted("order.confirmed", order).len() <= 1, "{}: confirmed more than once", invited.tag);
        assert_eq!(noted("order.confirmed", order).len() == 1, state == "confirmed", "{}: {row}", invited.tag);
        // What the trail calls pushed was taken by the push service, and the phone came because it was woken.
        let taken = pushes.iter().filter(|push| push.token == *token && push.delivered).count();
        assert!(taken > 0, "{} was never woken", invited.tag);
        assert!(noted("order.pushed", order).len() <= taken, "{}: pushed more often than taken", invited.tag);
        assert!(seen.violations.is_empty(), "{:?}", seen.violations);
        assert!(!seen.http.iter().any(|exchange| exchange.status == Some(401)), "a 401 reached a phone");
        *states.entry(state).or_default() += 1;
    }
    let ours: BTreeSet<&str> = erased.iter().map(|erased| erased.order.as_str()).collect();
    let strays: Vec<&str> = trail.iter().map(|row| row.order.as_str()).filter(|order| !ours.contains(order)).collect();
    assert_eq!(strays, Vec::<&str>::new(), "orders in the trail that nobody asked for");
    let orders = count(database, &format!("SELECT COUNT(*) AS count FROM orders WHERE council_id = '{}'", council.id));
    assert_eq!(orders, i64::try_from(erased.len()).unwrap(), "orders in the database");
    let unauthorised = count(
        database,
        "SELECT COUNT(*) AS count FROM orders WHERE first_fetched_at IS NOT NULL AND (seal IS NULL OR approved_by IS NULL)",
    );
    assert_eq!(unauthorised, 0);
    let verified = insist(&council.clerk.api, &format!("/councils/{}/audit/verify", council.id), json!({})).await;
    assert_eq!(verified.get("whole"), Some(&json!(true)), "{verified}");
    for push in &pushes {
        assert!(push.notes.is_empty(), "a push that Apple would not like: {push:?}");
        assert!(tokens.contains(&push.token), "a push to a stranger: {push:?}");
        // 410 is what an erased phone's token answers.
        let answers = [PushAnswer::Status(200, None), PushAnswer::Status(410, Some("Unregistered".to_owned()))];
        assert!(answers.contains(&push.answer), "{push:?}");
    }
    println!("{states:?}; {} pushes", pushes.len());
}
