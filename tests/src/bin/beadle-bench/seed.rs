//! What years of use leave behind, written straight into the database: questions, finished commands, a hundred thousand
//! devices through the store, as enrolment would have left them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use beadle_server::model::{AssetId, ChallengeId, CouncilId, DeviceId, EnrolmentId};
use beadle_server::store::assets::{self, Asset};
use beadle_server::store::certificates::{self, Certificate};
use beadle_server::store::devices::{self, Device};
use beadle_server::store::enrolments::{self, Enrolment};
use beadle_server::store::scep_challenges::{self, Challenge};
use beadle_server::store::{AnyConnection, Database};
use diesel::connection::SimpleConnection as _;
use diesel::sql_types::{BigInt, Text};
use diesel::{QueryableByName, RunQueryDsl as _};

/// How many devices go into one transaction.
const BATCH: usize = 1000;
/// How long the jobs of a whole fleet may take.
const PATIENCE: Duration = Duration::from_secs(3600);

pub(crate) fn run(database: &Database, sql: &str) {
    database
        .with_own_connection(|connection| match connection {
            AnyConnection::Sqlite(connection) => Ok(connection.batch_execute(sql)?),
            AnyConnection::Postgres(connection) => Ok(connection.batch_execute(sql)?),
        })
        .expect("seeded");
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

fn number(database: &Database, sql: &str) -> i64 {
    database
        .with_own_connection(|connection| match connection {
            AnyConnection::Sqlite(connection) => Ok(diesel::sql_query(sql).get_result::<Number>(connection)?.number),
            AnyConnection::Postgres(connection) => Ok(diesel::sql_query(sql).get_result::<Number>(connection)?.number),
        })
        .expect("counted")
}

/// Sets when every phone was last seen.
pub(crate) fn last_seen(database: &Database, at: &str) {
    run(database, &format!("UPDATE enrolments SET last_seen_at = '{at}' WHERE generation < 1000000"));
}

/// Queues so many commands of a kind for every phone that visits.
pub(crate) fn commands(database: &Database, kind: &str, each: usize) {
    static RUN: AtomicU64 = AtomicU64::new(0);
    let turn = RUN.fetch_add(1, Ordering::Relaxed);
    run(
        database,
        &format!(
            "WITH RECURSIVE numbers(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM numbers WHERE value < {each}) \
             INSERT INTO commands (council_id, id, enrolment_id, kind, payload, priority, state, created_by, created_at, \
             available_at, expires_at, offers) \
             SELECT e.council_id, 'ask-{turn}-' || n.value || '-' || e.id, e.id, '{kind}', '{{}}', 50, 'queued', \
             'bench', '2026-01-01 00:00:00', '2026-01-01 00:00:00', '2099-01-01 00:00:00', 0 \
             FROM enrolments e, numbers n WHERE e.state = 'enrolled' AND e.generation < 1000000"
        ),
    );
}

/// Finished commands, spread over all phones that visit.
pub(crate) fn finished(database: &Database, count: usize, phones: usize) {
    let each = count / phones.max(1);
    run(
        database,
        &format!(
            "WITH RECURSIVE numbers(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM numbers WHERE value < {each}) \
             INSERT INTO commands (council_id, id, enrolment_id, kind, payload, priority, state, created_by, created_at, \
             available_at, expires_at, offers, ended_at) \
             SELECT e.council_id, 'done-' || n.value || '-' || e.id, e.id, 'device_information', '{{}}', 50, 'acknowledged', \
             'bench', '2026-01-01 00:00:00', '2026-01-01 00:00:00', '2099-01-01 00:00:00', 1, '2099-01-01 00:00:00' \
             FROM enrolments e, numbers n WHERE e.state = 'enrolled' AND e.generation < 1000000; ANALYZE"
        ),
    );
}

#[derive(QueryableByName)]
struct Example {
    #[diesel(sql_type = Text)]
    enrolment: String,
    #[diesel(sql_type = Text)]
    fingerprint: String,
}

/// Devices that nobody plays: each with the rows and the sizes of one that enrolled, under ids of its own.
pub(crate) async fn devices(database: &Database, council: &str, count: usize) {
    let council = CouncilId::from(council);
    let example = "SELECT id AS enrolment, fingerprint FROM enrolments WHERE state = 'enrolled' ORDER BY id LIMIT 1";
    let example = database
        .with_own_connection(|connection| match connection {
            AnyConnection::Sqlite(connection) => Ok(diesel::sql_query(example).get_result::<Example>(connection)?),
            AnyConnection::Postgres(connection) => Ok(diesel::sql_query(example).get_result::<Example>(connection)?),
        })
        .expect("a phone has enrolled");
    for first in (0..count).step_by(BATCH) {
        let (council, last) = (council.clone(), (first + BATCH).min(count));
        let (enrolment, fingerprint) = (EnrolmentId::from(example.enrolment.clone()), example.fingerprint.clone());
        database
            .write("seed devices", move |tx| {
                let enrolment = enrolments::find(tx, &council, &enrolment)?.expect("is there");
                let device = devices::find(tx, &enrolment.device_id)?.expect("is there");
                let asset = assets::find(tx, &device.asset_id)?.expect("is there");
                let certificate = certificates::find_by_fingerprint(tx, &fingerprint)?.expect("is there");
                for number in first..last {
                    let copy =
                        Copy { asset: &asset, device: &device, enrolment: &enrolment, certificate: &certificate };
                    copy.insert(tx, number)?;
                }
                Ok(())
            })
            .await
            .expect("seeded");
    }
    run(database, "ANALYZE");
}

struct Copy<'a> {
    asset: &'a Asset,
    device: &'a Device,
    enrolment: &'a Enrolment,
    certificate: &'a Certificate,
}

impl Copy<'_> {
    fn insert(self, tx: &mut beadle_server::store::Transaction<'_>, number: usize) -> beadle_server::Result<()> {
        let asset = Asset { id: AssetId::new(), tag: format!("SEED-{number}"), serial: None, ..self.asset.clone() };
        assets::insert(tx, &asset)?;
        let udid = format!("00008120-{number:016X}");
        let device = Device { id: DeviceId::new(), asset_id: asset.id, udid, ..self.device.clone() };
        devices::insert(tx, &device)?;
        let fingerprint = format!("{number:064x}");
        let enrolment = Enrolment {
            id: EnrolmentId::new(),
            device_id: device.id,
            generation: 1_000_000,
            fingerprint: fingerprint.clone(),
            // Nobody would answer a push to it.
            push_token: None,
            ..self.enrolment.clone()
        };
        enrolments::insert(tx, &enrolment)?;
        let challenge = Challenge {
            council_id: enrolment.council_id.clone(),
            id: ChallengeId::new(),
            challenge_hash: fingerprint.clone(),
            invitation_id: Some(enrolment.invitation_id.clone()),
            enrolment_id: None,
            created_at: enrolment.authenticated_at,
            expires_at: enrolment.authenticated_at,
            used_at: Some(enrolment.authenticated_at),
            public_key_fingerprint: Some(fingerprint.clone()),
        };
        scep_challenges::insert(tx, &challenge)?;
        let certificate = Certificate {
            serial: format!("5eed{number:016x}"),
            fingerprint: fingerprint.clone(),
            public_key_fingerprint: fingerprint,
            challenge_id: challenge.id,
            enrolment_id: Some(enrolment.id),
            ..self.certificate.clone()
        };
        certificates::insert(tx, &certificate)
    }
}

/// How many commands of one kind are open.
pub(crate) fn open_commands(database: &Database, kind: &str) -> i64 {
    number(
        database,
        &format!(
            "SELECT COUNT(*) AS number FROM commands WHERE kind = '{kind}' AND state IN ('queued', 'sent', 'deferred')"
        ),
    )
}

/// Waits until no job of this kind is left that is due or runs.
pub(crate) async fn jobs_done(database: &Database, kind: &str) {
    let started = Instant::now();
    loop {
        let now = chrono::DateTime::<chrono::Utc>::from(SystemTime::now()).format("%Y-%m-%d %H:%M:%S%.6f");
        let waiting = format!("kind = '{kind}' AND (lease_owner IS NOT NULL OR run_at <= '{now}')");
        if number(database, &format!("SELECT COUNT(*) AS number FROM jobs WHERE {waiting}")) == 0 {
            return;
        }
        assert!(started.elapsed() < PATIENCE, "the jobs of kind {kind} do not end");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// Lets a job that runs by the clock run now, and waits until it has.
pub(crate) async fn run_now(database: &Database, kind: &str) {
    run(database, &format!("UPDATE jobs SET run_at = '2026-01-01 00:00:00' WHERE kind = '{kind}'"));
    jobs_done(database, kind).await;
}
