//! What unit tests of operations share: a fresh database of each kind, with keys, a clock and a council.

pub(crate) mod phone;

use std::sync::Arc;

use crate::clock::Clock;
use crate::keys::{self, Keys};
use crate::model::{Actor, CouncilId};
use crate::operations::{self, Context};
use crate::store::{AnyConnection, Database};

/// A fresh database with its keys, a clock and nothing else in it but the installation's chain.
pub(crate) struct Bench {
    pub(crate) database: Database,
    pub(crate) keys: Arc<Keys>,
    pub(crate) clock: Clock,
    /// Where the database is.
    pub(crate) url: String,
    cleanup: Cleanup,
}

enum Cleanup {
    Folder(tempfile::TempDir),
    Schema { url: String, schema: String },
}

impl Drop for Bench {
    fn drop(&mut self) {
        match &self.cleanup {
            Cleanup::Folder(folder) => tracing::trace!(folder = %folder.path().display(), "removed"),
            Cleanup::Schema { url, schema } => run_sql(url, &format!("DROP SCHEMA \"{schema}\" CASCADE")),
        }
    }
}

fn run_sql(url: &str, sql: &str) {
    use diesel::connection::SimpleConnection as _;
    let database = Database::open(url).expect("PostgreSQL for tests");
    database
        .with_own_connection(|connection| match connection {
            AnyConnection::Postgres(connection) => Ok(connection.batch_execute(sql)?),
            AnyConnection::Sqlite(connection) => Ok(connection.batch_execute(sql)?),
        })
        .expect("SQL of the test bench");
}

impl Bench {
    async fn open(url: &str, cleanup: Cleanup) -> Self {
        let database = Database::open(url).expect("opens");
        database.migrate().expect("migrates");
        let bench =
            Self { database, keys: Arc::new(keys::for_tests()), clock: Clock::default(), url: url.to_owned(), cleanup };
        let context = bench.context(Actor::System);
        let insert = Arc::clone(&bench.keys);
        bench
            .database
            .write("start the installation's chain", move |tx| {
                for key in [&insert.audit, insert.approval.current()?, &insert.token] {
                    crate::store::installation::insert_test_key(tx, &key.id, context.now)?;
                }
                operations::audit::start(tx, &context, operations::audit::INSTALLATION)
            })
            .await
            .expect("starts");
        bench
    }

    async fn sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let url = format!("sqlite:{}", folder.path().join("beadle.db").display());
        Self::open(&url, Cleanup::Folder(folder)).await
    }

    async fn postgres(url: String) -> Self {
        let schema = format!("test_{}", uuid::Uuid::now_v7().simple());
        run_sql(&url, &format!("CREATE SCHEMA \"{schema}\""));
        let separator = if url.contains('?') { '&' } else { '?' };
        let own = format!("{url}{separator}options=-csearch_path%3D{schema}");
        Self::open(&own, Cleanup::Schema { url, schema }).await
    }

    /// What an operation is given when `actor` asks now.
    pub(crate) fn context(&self, actor: Actor) -> Context {
        Context { actor, now: self.clock.now(), keys: Arc::clone(&self.keys) }
    }

    /// A council with an audit chain and nothing else.
    pub(crate) async fn council(&self, slug: &str) -> CouncilId {
        let (context, id, slug) = (self.context(Actor::System), CouncilId::new(), slug.to_owned());
        let made = id.clone();
        self.database
            .write("make a council", move |tx| {
                crate::store::councils::insert(
                    tx,
                    &crate::store::councils::Council {
                        id: made.clone(),
                        slug: slug.clone(),
                        name: format!("{slug} Parish Council"),
                        public_url: format!("https://{slug}.example"),
                        time_zone: "Europe/London".to_owned(),
                        scep_legacy: false,
                        created_at: context.now,
                        ended_at: None,
                    },
                )?;
                operations::audit::start(tx, &context, made.as_str())
            })
            .await
            .expect("makes a council");
        id
    }
}

/// Runs `test` on SQLite, and on PostgreSQL in a schema of its own when `TEST_DATABASE_URL` names a server. Where SQLite has had
/// its turn already, as in CI, `TEST_POSTGRES_ONLY` says so.
pub(crate) async fn on_both<F, Fut>(test: F)
where
    F: Fn(Bench) -> Fut,
    Fut: Future<Output = ()>,
{
    let only = std::env::var_os("TEST_POSTGRES_ONLY").is_some();
    if !only {
        test(Bench::sqlite().await).await;
    }
    match std::env::var("TEST_DATABASE_URL") {
        Ok(url) => test(Bench::postgres(url).await).await,
        Err(_) => {
            assert!(
                !only && std::env::var_os("TEST_SKIP_NOTHING").is_none(),
                "TEST_DATABASE_URL is not set, and nothing may be left out here"
            );
            eprintln!("left out: PostgreSQL, since TEST_DATABASE_URL is not set");
        }
    }
}
