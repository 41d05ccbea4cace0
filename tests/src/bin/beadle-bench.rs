//! Measures the server: CPU of its own process per operation, with the load made by a second process over loopback.
//!
//! Build first, then run: `cargo build --release --workspace && target/release/beadle-bench`. `--database-url postgres://…`
//! adds the database's CPU to the server's. Figures are CPU per operation and ratios within one run; wall time is not one.
#![expect(clippy::expect_used, reason = "a benchmark says what broke by panicking")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use beadle_server::clock::Clock;
use beadle_server::demo::{Council, Town, settings, text, write_settings};
use beadle_server::store::{AnyConnection, Database};
use beadle_simulator::apple::push_service::PushService;
use diesel::connection::SimpleConnection as _;
use serde_json::json;

/// Clock ticks a second in /proc/PID/stat; fixed by Linux for user space.
const TICKS: f64 = 100.0;

struct Options {
    phones: usize,
    seconds: u64,
    connections: usize,
    database_url: Option<String>,
    devices: usize,
    finished: usize,
}

fn options() -> Options {
    let mut options =
        Options { phones: 60, seconds: 10, connections: 8, database_url: None, devices: 100_000, finished: 1_000_000 };
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value = arguments.next().unwrap_or_default();
        match name.as_str() {
            "--phones" => options.phones = value.parse().expect("--phones NUMBER"),
            "--seconds" => options.seconds = value.parse().expect("--seconds NUMBER"),
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
    assert!(path.exists(), "{} is missing: cargo build --release --workspace", path.display());
    path
}

/// User and system time of one process, in seconds.
fn cpu(pid: u32, with_children: bool) -> f64 {
    let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else { return 0.0 };
    let fields: Vec<f64> = stat
        .rsplit_once(") ")
        .map(|(_, rest)| rest.split(' ').map(|field| field.parse().unwrap_or(0.0)).collect())
        .unwrap_or_default();
    let last = if with_children { 15 } else { 13 };
    fields.get(11..last).map_or(0.0, |ticks| ticks.iter().sum::<f64>() / TICKS)
}

/// The CPU of every PostgreSQL process on this machine, ended ones included.
fn postgres_cpu() -> f64 {
    let Ok(processes) = std::fs::read_dir("/proc") else { return 0.0 };
    processes
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok())
        .filter(|pid| {
            std::fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name.trim().starts_with("postgres"))
        })
        .map(|pid| cpu(pid, true))
        .sum()
}

fn resident_megabytes(pid: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let kilobytes =
        status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.trim().parse().ok());
    kilobytes.unwrap_or(0.0) / 1024.0
}

struct Server {
    child: Child,
    postgres: bool,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    fn cpu(&self) -> f64 {
        cpu(self.child.id(), false) + if self.postgres { postgres_cpu() } else { 0.0 }
    }

    fn resident(&self) -> f64 {
        resident_megabytes(self.child.id())
    }
}

fn start(folder: &Path, push: &PushService, options: &Options) -> (Server, Vec<String>, String) {
    let mut config = settings(folder, push).expect("settings");
    config.database.url = options.database_url.clone();
    let (file, addresses) = write_settings(folder, &config).expect("a settings file");
    let mut child = Command::new(sibling("beadle"))
        .arg("--config")
        .arg(&file)
        .arg("serve")
        .stdout(Stdio::piped())
        .spawn()
        .expect("the server starts");
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let code = lines
        .find_map(|line| line.ok()?.strip_prefix("Set-up code, good once: ").map(|code| code.trim().to_owned()))
        .expect("a set-up code");
    std::thread::spawn(move || lines.for_each(drop));
    let server = Server { child, postgres: options.database_url.is_some() };
    (server, addresses, code)
}

fn sql(database: &Database, text: &str) {
    database
        .with_own_connection(|connection| match connection {
            AnyConnection::Sqlite(connection) => Ok(connection.batch_execute(text)?),
            AnyConnection::Postgres(connection) => Ok(connection.batch_execute(text)?),
        })
        .expect("seeded");
}

/// Runs `beadle-phones` and gives its output with the server's CPU meanwhile, in seconds.
fn phones(server: &Server, arguments: &[&str], input: Option<&str>) -> (String, f64) {
    let before = server.cpu();
    let mut child = Command::new(sibling("beadle-phones"))
        .args(arguments)
        .stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() })
        .stdout(Stdio::piped())
        .spawn()
        .expect("the phones start");
    if let (Some(input), Some(mut pipe)) = (input, child.stdin.take()) {
        pipe.write_all(input.as_bytes()).expect("links are read");
    }
    let output = child.wait_with_output().expect("the phones end");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "the phones met an error:\n{said}");
    (said, server.cpu() - before)
}

fn number_after(said: &str, words: &str) -> f64 {
    said.lines()
        .find_map(|line| line.trim().strip_prefix(words)?.split_whitespace().next()?.parse().ok())
        .unwrap_or_else(|| panic!("no \"{words}\" in:\n{said}"))
}

struct Bench {
    server: Server,
    database: Database,
    folder: PathBuf,
    options: Options,
}

impl Bench {
    fn load(&self, mode: &str) -> (f64, f64, f64) {
        let (folder, seconds, connections) =
            (self.folder.display().to_string(), self.options.seconds.to_string(), self.options.connections.to_string());
        let (said, cpu) = phones(
            &self.server,
            &[
                "load",
                "--identities",
                &format!("{folder}/identities.jsonl"),
                "--mode",
                mode,
                "--seconds",
                &seconds,
                "--connections",
                &connections,
                "--root-ca",
                &format!("{folder}/data/tls/certificate.pem"),
            ],
            None,
        );
        let idle = number_after(&said, "idle polls");
        let answers = if mode == "pairs" { number_after(&said, "answered commands") } else { 0.0 };
        (idle, answers, cpu)
    }

    /// Queues `each` inventory questions for every enrolled phone.
    fn queue(&self, each: usize) {
        let row = "SELECT e.council_id, 'bench-' || e.id || '-' || n.value || '-{RUN}', e.id, 'device_information', '{}', 50, \
                   'queued', 'bench', '2026-01-01 00:00:00', '2026-01-01 00:00:00', '2036-01-01 00:00:00', 0 \
                   FROM enrolments e, numbers n WHERE e.state = 'enrolled' AND e.generation < 1000000";
        let run = format!("{:?}", Instant::now()).len();
        let nonce = format!("{}-{run}", std::time::SystemTime::UNIX_EPOCH.elapsed().map_or(0, |time| time.as_nanos()));
        sql(
            &self.database,
            &format!(
                "DELETE FROM commands WHERE state IN ('queued', 'sent', 'deferred'); \
                 WITH RECURSIVE numbers(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM numbers WHERE value < {each}) \
                 INSERT INTO commands (council_id, id, enrolment_id, kind, payload, priority, state, created_by, created_at, \
                 available_at, expires_at, offers) {}",
                row.replace("{RUN}", &nonce)
            ),
        );
    }

    /// Finished commands, spread over all phones, as years of use leave them.
    fn seed_finished(&self, count: usize) {
        let each = count / self.options.phones.max(1);
        sql(
            &self.database,
            &format!(
                "WITH RECURSIVE numbers(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM numbers WHERE value < {each}) \
                 INSERT INTO commands (council_id, id, enrolment_id, kind, payload, priority, state, created_by, created_at, \
                 available_at, expires_at, offers, ended_at) \
                 SELECT e.council_id, 'done-' || e.id || '-' || n.value, e.id, 'device_information', '{{}}', 50, \
                 'acknowledged', 'bench', '2026-01-01 00:00:00', '2026-01-01 00:00:00', '2036-01-01 00:00:00', 1, \
                 '2026-01-01 00:00:00' FROM enrolments e, numbers n WHERE e.state = 'enrolled'; ANALYZE"
            ),
        );
    }

    /// Devices that are only rows: each a copy of an enrolled one under ids of its own.
    fn seed_devices(&self, count: usize) {
        sql(
            &self.database,
            &format!(
                "CREATE TEMPORARY TABLE numbers AS WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < {count}) SELECT value FROM n; \
                 INSERT INTO assets (council_id, id, tag, kind, make, model, platform, ownership, note, created_at) \
                 SELECT c.id, 'seed-asset-' || n.value, 'SEED-' || n.value, 'phone', 'Apple', 'iPhone', 'apple', 'council', '', c.created_at \
                 FROM numbers n, (SELECT id, created_at FROM councils ORDER BY id LIMIT 1) c; \
                 INSERT INTO devices (council_id, id, asset_id, platform, udid, created_at) \
                 SELECT c.id, 'seed-device-' || n.value, 'seed-asset-' || n.value, 'apple', 'SEED-' || n.value, c.created_at \
                 FROM numbers n, (SELECT id, created_at FROM councils ORDER BY id LIMIT 1) c; \
                 INSERT INTO enrolments (council_id, id, device_id, generation, platform, mode, ownership, invitation_id, state, \
                 confirmation, mode_disagrees, fingerprint, push_attempts, authenticated_at, last_seen_at) \
                 SELECT c.council_id, 'seed-enrolment-' || n.value, 'seed-device-' || n.value, 1000000, 'apple', 'device', 'council', \
                 c.id, 'enrolled', 'not_needed', FALSE, 'seed-' || n.value, 0, c.created_at, '2036-01-01 00:00:00' \
                 FROM numbers n, (SELECT council_id, id, created_at FROM invitations ORDER BY id LIMIT 1) c; \
                 DROP TABLE numbers; ANALYZE"
            ),
        );
    }
}

async fn invite(town: &Town, council: &Council, count: usize) -> String {
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
                    "tag": format!("B-{number}"), "kind": "phone", "make": "Apple", "model": "iPhone",
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
    let _ = &town.api;
    links
}

fn says(what: &str, each: f64, unit: &str, target: &str) {
    println!("{what:<58} {each:>9.1} {unit:<4} {target}");
}

#[tokio::main]
async fn main() {
    let options = options();
    let folder = tempfile::tempdir().expect("a folder");
    let push = PushService::start().await.expect("push service");
    let (server, addresses, code) = start(folder.path(), &push, &options);
    let town = Town::settle(folder.path(), addresses, &code, push, Clock::default()).await.expect("set up");
    let council = town.council("bench", "Bench Parish Council", "germoe").await.expect("a council");
    let links = invite(&town, &council, options.phones).await;
    let url = options
        .database_url
        .clone()
        .unwrap_or_else(|| format!("sqlite:{}", folder.path().join("data/beadle.db").display()));
    let database = Database::open(&url).expect("opens");
    let count = options.phones as f64;
    let (sqlite, postgres) = (options.database_url.is_none(), options.database_url.is_some());
    let target = |on_sqlite: &'static str, on_postgres: &'static str| if sqlite { on_sqlite } else { on_postgres };
    println!(
        "{} phones, {} connections, {}",
        options.phones,
        options.connections,
        if postgres { "PostgreSQL (its CPU included)" } else { "SQLite" }
    );

    let root = folder.path().join("data/tls/certificate.pem").display().to_string();
    let identities = folder.path().join("identities.jsonl").display().to_string();
    let (said, cpu) = phones(
        &server,
        &["enrol", "--links", "-", "--identities", &identities, "--root-ca", &root, "--keys", "32", "--no-schema"],
        Some(&links),
    );
    assert!(said.contains(&format!("enrolled {} of", options.phones)), "{said}");
    says(
        "enrolment: page, notice, profile, SCEP, check-ins, TLS",
        cpu * 1e3 / count,
        "ms",
        target("(SCEP target 5)", ""),
    );
    println!("  {}", said.lines().next().unwrap_or_default());
    // What enrolment queued is answered before anything is measured.
    let bench = Bench { server, database, folder: folder.path().to_owned(), options };
    bench.load("pairs");
    tokio::time::sleep(Duration::from_secs(2)).await;

    let (idle, _, cpu) = bench.load("idle");
    let poll = cpu * 1e6 / idle;
    says(&format!("idle poll ({idle:.0} of them)"), poll, "µs", target("(target 150)", "(target 1000)"));

    bench.queue(800);
    let (idle, answers, cpu) = bench.load("pairs");
    let pair = (cpu - idle * poll / 1e6) * 1e6 / answers;
    says(&format!("fetch and answer ({answers:.0} of them)"), pair, "µs", target("(target 400)", "(target 3000)"));

    bench.seed_finished(bench.options.finished);
    bench.queue(800);
    let (idle, answers, cpu) = bench.load("pairs");
    let later = (cpu - idle * poll / 1e6) * 1e6 / answers;
    says(&format!("the same with {} finished commands", bench.options.finished), later, "µs", "");
    says("  times as much", later / pair, "", "(target 1.2)");

    bench.seed_devices(bench.options.devices);
    let (idle, _, cpu) = bench.load("idle");
    says(&format!("idle poll with {} devices", bench.options.devices), cpu * 1e6 / idle, "µs", "");
    says(&format!("resident with {} devices", bench.options.devices), bench.server.resident(), "MB", "(target 120)");
}
