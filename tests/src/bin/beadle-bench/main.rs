//! Measures the server: CPU of its own process per operation, with the load made by a second process over loopback.
//!
//! Build the program as people run it, then the phones and this, and run: `cargo build --release && cargo build --release -p
//! beadle-simulator -p beadle-tests && target/release/beadle-bench`. With
//! `--database-url postgres://…` (a server on this machine) the CPU of that cluster's processes is added to the server's.
//! `beadle-bench android` measures a fleet of Android phones instead (`--devices`, 10,000 unless given).
//! `beadle-bench console` measures the pages of the console instead, for a council with 10,000 devices unless `--devices` says else.
//! Figures are CPU per operation and ratios within one run; wall time is not one. A missed target ends it with status 1.
#![expect(clippy::expect_used, reason = "a benchmark says what broke by panicking")]

mod account;
mod android;
mod console;
mod phones;
mod seed;
mod table;

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use beadle_server::clock::Clock;
use beadle_server::demo::{Council, Town, settings, text, write_settings};
use beadle_server::store::Database;
use beadle_simulator::android::GoogleCloud;
use beadle_simulator::apple::push_service::PushService;
use serde_json::json;

use account::Account;
use phones::{Scep, Visitors};
use table::{Table, Target};

/// How often each phone visits for one figure.
const PASSES: usize = 20;
/// How long the server needs at most until it has noted what visits left.
const NOTED: Duration = Duration::from_millis(1300);
/// How many commands wait for each phone where an answer brings the next one.
const DEEP: usize = 10;

struct Options {
    phones: usize,
    scep: usize,
    connections: usize,
    database_url: Option<String>,
    devices: usize,
    finished: usize,
    /// Android phones instead of iPhones.
    android: bool,
    /// The console's pages instead of phones.
    console: bool,
}

fn options() -> Options {
    let mut arguments = std::env::args().skip(1).peekable();
    let android = arguments.next_if_eq("android").is_some();
    let console = !android && arguments.next_if_eq("console").is_some();
    let mut options = Options {
        phones: 400,
        scep: 300,
        connections: 32,
        database_url: None,
        devices: if android || console { 10_000 } else { 100_000 },
        finished: 1_000_000,
        android,
        console,
    };
    while let Some(name) = arguments.next() {
        let value = arguments.next().unwrap_or_default();
        match name.as_str() {
            "--phones" => options.phones = value.parse().expect("--phones NUMBER"),
            "--scep" => options.scep = value.parse().expect("--scep NUMBER"),
            "--connections" => options.connections = value.parse().expect("--connections NUMBER"),
            "--database-url" => options.database_url = Some(value),
            "--devices" => options.devices = value.parse().expect("--devices NUMBER"),
            "--finished" => options.finished = value.parse().expect("--finished NUMBER"),
            other => panic!("{other} is not an option"),
        }
    }
    options
}

fn sibling(name: &str) -> PathBuf {
    let path = std::env::current_exe().expect("this program").with_file_name(name);
    assert!(
        path.exists(),
        "{} is missing: cargo build --release, and the same for beadle-simulator and beadle-tests",
        path.display()
    );
    path
}

struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(folder: &Path, push: &PushService, google: &GoogleCloud, options: &Options) -> (Server, Vec<String>, String) {
    let mut config = settings(folder, push, google).expect("settings");
    config.database.url = options.database_url.clone();
    let (file, addresses) = write_settings(folder, &config).expect("a settings file");
    let mut child = Command::new(sibling("beadle"))
        .arg("--config")
        .arg(&file)
        .arg("serve")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the server starts");
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let code = lines
        .find_map(|line| line.ok()?.strip_prefix("Set-up code, good once: ").map(|code| code.trim().to_owned()))
        .expect("a set-up code");
    std::thread::spawn(move || lines.for_each(drop));
    (Server(child), addresses, code)
}

/// Registers and invites; gives the links, one a line.
async fn invite(council: &Council, what: &str, count: usize) -> String {
    let mut links = String::new();
    for number in 0..count {
        let clerk = &council.clerk.api;
        let person = clerk
            .post(&format!("/councils/{}/people", council.id), json!({ "name": format!("Holder {number}") }))
            .await
            .expect("a person");
        let person = text(&person, "/id").expect("an id");
        let asset = clerk
            .post(
                &format!("/councils/{}/assets", council.id),
                json!({
                    "tag": format!("{what}-{number}"), "kind": "phone", "make": "Apple", "model": "iPhone",
                    "platform": "apple", "ownership": "council", "holders": [person],
                }),
            )
            .await
            .expect("an asset");
        let invitation = clerk
            .post(
                &format!("/councils/{}/invitations", council.id),
                json!({ "asset": text(&asset, "/id").expect("an id"), "person": person, "mode": "device" }),
            )
            .await
            .expect("an invitation");
        links.push_str(&text(&invitation, "/link").expect("a link"));
        links.push('\n');
    }
    links
}

/// Everything that the measurements need.
struct Bench {
    account: Account,
    database: Database,
    visitors: Visitors,
    phones: usize,
}

impl Bench {
    /// Passes over all phones: CPU of one visit, in microseconds, after `prepare` before each pass.
    fn visit(&mut self, seen: Seen, prepare: impl Fn(&Database), answers_each: usize) -> f64 {
        let mut spent = 0.0;
        let at_rest = if seen == Seen::LongAgo { self.at_rest() } else { 0.0 };
        // The first warms what a pause let grow cold: connections, caches.
        self.visitors.pass();
        for _ in 0..PASSES {
            seed::last_seen(&self.database, seen.at());
            prepare(&self.database);
            if seen == Seen::LongAgo {
                // What the preparation leaves the database to do does not count.
                std::thread::sleep(NOTED);
            }
            let before = self.account.spent();
            let pass = self.visitors.pass();
            if seen == Seen::LongAgo {
                // What the visits left is written down by then, and counts; what the server does at rest does not.
                std::thread::sleep(NOTED);
            }
            spent += self.account.spent() - before - at_rest;
            assert_eq!(pass.idle, self.phones, "each phone visits once");
            assert_eq!(pass.answers, self.phones * answers_each, "what was asked is answered");
        }
        spent * 1e6 / (PASSES * self.phones) as f64
    }

    /// What the server spends, in seconds, while nobody calls for as long as it is waited for what visits left.
    fn at_rest(&self) -> f64 {
        let mut least = f64::INFINITY;
        for _ in 0..5 {
            let before = self.account.spent();
            std::thread::sleep(NOTED);
            least = least.min(self.account.spent() - before);
        }
        least
    }

    /// Waits until the server has nothing left to do of its own.
    async fn quiet(&self) {
        let mut calm = 0;
        while calm < 3 {
            let before = self.account.spent();
            tokio::time::sleep(Duration::from_millis(500)).await;
            calm = if self.account.spent() - before < 0.025 { calm + 1 } else { 0 };
        }
    }
}

/// When the server last noted that each phone was seen.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Seen {
    WithinTheMinute,
    LongAgo,
}

impl Seen {
    fn at(self) -> &'static str {
        match self {
            Self::WithinTheMinute => "2099-01-01 00:00:00",
            Self::LongAgo => "2026-01-01 00:00:00",
        }
    }
}

fn nothing(_: &Database) {}

fn one_question(database: &Database) {
    seed::commands(database, "device_information", 1);
}

fn one_lock(database: &Database) {
    seed::commands(database, "device_lock", 1);
}

#[tokio::main]
async fn main() -> ExitCode {
    let options = options();
    let folder = tempfile::tempdir().expect("a folder");
    let push = PushService::start().await.expect("push service");
    let google = GoogleCloud::start().await.expect("google");
    let (server, addresses, code) = start(folder.path(), &push, &google, &options);
    let town = Town::settle(folder.path(), addresses, &code, (push, google), Clock::default()).await.expect("set up");
    let on_postgres = options.database_url.is_some();
    let url = options
        .database_url
        .clone()
        .unwrap_or_else(|| format!("sqlite:{}", folder.path().join("data/beadle.db").display()));
    let database = Database::open(&url).expect("opens");
    let account = Account::new(server.0.id(), &database);
    if options.android {
        let on = if on_postgres { "PostgreSQL (server and database together)" } else { "SQLite" };
        let mut table = Table::new(&format!("{} Android phones of two councils, {on}", options.devices));
        android::measure(&town, &database, &account, options.devices, &mut table).await;
        println!("\n{table}");
        return if table.met() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    let council = town.council("bench", "Bench Parish Council", "germoe").await.expect("a council");
    if options.console {
        let on = if on_postgres { "PostgreSQL (server and database together)" } else { "SQLite" };
        let mut table = Table::new(&format!("The console with {} devices, {on}", options.devices));
        let links = folder.path().join("links");
        std::fs::write(&links, invite(&council, "B", 1).await).expect("writes");
        phones::enrol(folder.path(), &links, 1);
        // What enrolment asked is answered, so that the one phone that others are copied from has reported.
        let mut visitors = Visitors::start(folder.path(), 1);
        while visitors.pass().answers > 0 {}
        console::measure(&town, &council, &database, &account, options.devices, &mut table).await;
        println!("\n{table}");
        return if table.met() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    let mut table = Table::new(&format!(
        "{} phones on {} connections, {}",
        options.phones,
        options.connections,
        if on_postgres { "PostgreSQL (server and database together)" } else { "SQLite" }
    ));
    let target = |sqlite: f64, postgres: f64| Target::AtMost(if on_postgres { postgres } else { sqlite });

    // Enrolment, whole: page, notice, profile, SCEP, check-ins, and a TLS connection of its own.
    let links = folder.path().join("links");
    std::fs::write(&links, invite(&council, "B", options.phones).await).expect("writes");
    let before = account.spent();
    phones::enrol(folder.path(), &links, options.phones);
    let whole = (account.spent() - before) * 1e3 / options.phones as f64;
    table.row("enrolment, whole: page, profile, SCEP, check-ins, TLS", whole, "ms", Target::None);

    // The certificate alone: the requests are made beforehand, and lie ready on open connections.
    std::fs::write(&links, invite(&council, "S", options.scep).await).expect("writes");
    let scep = Scep::prepare(folder.path(), &links, options.scep, options.connections);
    let visitors = Visitors::start(folder.path(), options.connections);
    let mut bench = Bench { account, database, visitors, phones: options.phones };
    bench.quiet().await;
    let before = bench.account.spent();
    scep.send();
    let each = (bench.account.spent() - before) * 1e3 / options.scep as f64;
    table.row("SCEP enrolment: PKIOperation to certificate", each, "ms", Target::AtMost(5.0));

    // What enrolment asked is answered before anything else is measured.
    while bench.visitors.pass().answers > 0 {}
    bench.quiet().await;
    let poll = bench.visit(Seen::WithinTheMinute, nothing, 0);
    table.row("idle poll, seen within the minute", poll, "µs", target(150.0, 1000.0));
    let noted = bench.visit(Seen::LongAgo, nothing, 0);
    table.row("idle poll that notes when it was seen", noted, "µs", target(150.0, 1000.0));
    let pair = bench.visit(Seen::WithinTheMinute, one_question, 1);
    table.row("fetch and answer (Idle, answer), seen within the minute", pair, "µs", target(400.0, 3000.0));
    let noted = bench.visit(Seen::LongAgo, one_question, 1);
    table.row("fetch and answer that notes when it was seen", noted, "µs", target(400.0, 3000.0));
    let deep =
        bench.visit(Seen::WithinTheMinute, |database| seed::commands(database, "device_information", DEEP), DEEP);
    let lock = bench.visit(Seen::WithinTheMinute, one_lock, 1);
    table.row("fetch and answer of a lock, which is given out in a transaction", lock, "µs", Target::None);
    table.row("fetch and answer where each answer brings the next", (deep - poll) / DEEP as f64, "µs", Target::None);

    seed::finished(&bench.database, options.finished, options.phones);
    bench.quiet().await;
    let later = bench.visit(Seen::WithinTheMinute, one_question, 1);
    table.row(&format!("fetch and answer with {} finished commands", options.finished), later, "µs", Target::None);
    table.row("  times as much", later / pair, "", Target::AtMost(1.2));

    seed::devices(&bench.database, &council.id, options.devices).await;
    bench.quiet().await;
    let crowd = bench.visit(Seen::WithinTheMinute, nothing, 0);
    table.row(&format!("idle poll with {} devices", options.devices), crowd, "µs", target(150.0, 1000.0));
    let mut clerk = council.clerk.clone();
    clerk.sign_in(&town.api).await.expect("the clerk signs in");
    table.row(
        "peak memory, hashing of passwords (64 MiB each) included",
        bench.account.peak_megabytes(),
        "MB",
        Target::None,
    );

    // A new policy for all of them, and the daily round of questions: what the server does for a whole fleet at once.
    bench.account.forget_peak();
    let (started, before) = (Instant::now(), bench.account.spent());
    let change = json!({ "set": { "passcode.minimum_length": 9 } });
    clerk.api.patch(&format!("/councils/{}/policy", council.id), change).await.expect("a new policy");
    let all = options.devices + options.phones;
    seed::jobs_done(&bench.database, "policy_fan_out").await;
    assert_eq!(seed::open_commands(&bench.database, "install_profile"), all as i64, "each device is sent the policy");
    seed::run_now(&bench.database, "ask_for_reports").await;
    seed::jobs_done(&bench.database, "wake_device").await;
    let fleet = (bench.account.spent() - before) * 1e6 / all as f64;
    println!("the fleet's jobs took {:.0} s", started.elapsed().as_secs_f32());
    table.row("new policy and daily questions, each device", fleet, "µs", Target::None);
    let peak = bench.account.peak_megabytes();
    table.row(&format!("peak memory meanwhile, with {} devices", options.devices), peak, "MB", Target::AtMost(120.0));

    println!("\n{table}");
    if table.met() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
