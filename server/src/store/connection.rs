//! The two doors to the database: `read` and `write`, the same for SQLite and PostgreSQL.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use diesel::deserialize::{self, FromSql};
use diesel::pg::PgConnection;
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types::Timestamp;
use diesel::sqlite::SqliteConnection;
use tokio::sync::Notify;

use super::postgres::Postgres;
use super::sqlite::Sqlite;
use crate::error::{Error, Result};
use crate::model::Moment;

/// A connection to either database; one query text serves both.
#[derive(diesel::MultiConnection)]
#[allow(missing_docs, reason = "the derive adds items")]
pub enum AnyConnection {
    /// Embedded, the default.
    Sqlite(SqliteConnection),
    /// The way to grow.
    Postgres(PgConnection),
}

impl FromSql<Timestamp, MultiBackend> for Moment {
    fn from_sql(value: MultiRawValue<'_>) -> deserialize::Result<Self> {
        value.from_sql::<Self, Timestamp>()
    }
}

impl ToSql<Timestamp, MultiBackend> for Moment {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, MultiBackend>) -> serialize::Result {
        out.set_value((Timestamp, self));
        Ok(serialize::IsNull::No)
    }
}

/// Runs a query on a transaction's connection as its own database does. Through [`AnyConnection`] diesel writes the SQL of
/// every query out, twice, before it finds it prepared; for a visit of a device that is half of what its queries cost.
macro_rules! directly {
    ($transaction:expr, |$connection:ident| $query:expr) => {
        match &mut *$transaction.connection {
            $crate::store::connection::AnyConnection::Sqlite($connection) => $query,
            $crate::store::connection::AnyConnection::Postgres($connection) => $query,
        }
    };
}

pub(in crate::store) use directly;

/// A transaction, given to an operation by one of the two doors.
pub struct Transaction<'a> {
    /// Only `store` runs queries on it.
    pub(in crate::store) connection: &'a mut AnyConnection,
    nudge: bool,
}

impl<'a> Transaction<'a> {
    pub(in crate::store) fn new(connection: &'a mut AnyConnection) -> Self {
        Self { connection, nudge: false }
    }

    /// Wakes the job workers once this transaction is committed.
    pub fn nudge_jobs(&mut self) {
        self.nudge = true;
    }

    pub(in crate::store) fn wants_nudge(&self) -> bool {
        self.nudge
    }

    /// Which database it is; for the few statements that differ.
    pub(in crate::store) fn is_postgres(&self) -> bool {
        matches!(self.connection, AnyConnection::Postgres(_))
    }
}

enum Backends {
    Sqlite(Sqlite),
    Postgres(Postgres),
}

/// The database. Cheap to clone.
#[derive(Clone)]
pub struct Database {
    backend: Arc<Backends>,
    nudge: Arc<Notify>,
    broken: Arc<AtomicBool>,
}

impl std::fmt::Debug for Database {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match *self.backend {
            Backends::Sqlite(_) => "Database(sqlite)",
            Backends::Postgres(_) => "Database(postgres)",
        })
    }
}

impl Database {
    /// Opens the database that `url` names: `sqlite:<path>` or `postgres://…`. Does not change the schema.
    pub fn open(url: &str) -> Result<Self> {
        let backend = if let Some(path) = url.strip_prefix("sqlite:") {
            Backends::Sqlite(Sqlite::open(path)?)
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            Backends::Postgres(Postgres::open(url)?)
        } else {
            return Err(Error::invalid(
                "database.url",
                "must begin with \"sqlite:\" (a file) or \"postgres://\" (a server)",
            ));
        };
        Ok(Self { backend: Arc::new(backend), nudge: Arc::default(), broken: Arc::default() })
    }

    /// Whether this is PostgreSQL.
    #[must_use]
    pub fn is_postgres(&self) -> bool {
        matches!(*self.backend, Backends::Postgres(_))
    }

    /// How many transactions had to be repeated so far, after deadlocks and lost connections. With the locks taken in order
    /// there are no deadlocks.
    #[must_use]
    pub fn repeats(&self) -> u64 {
        match &*self.backend {
            Backends::Sqlite(_) => 0,
            Backends::Postgres(postgres) => postgres.repeats(),
        }
    }

    /// Is told of every committed transaction that queued a job.
    #[must_use]
    pub fn job_nudge(&self) -> Arc<Notify> {
        Arc::clone(&self.nudge)
    }

    /// Makes every later `read` and `write` fail as if the database were down, or ends that; for tests and drills.
    pub fn set_broken(&self, broken: bool) {
        self.broken.store(broken, Ordering::SeqCst);
    }

    fn check(&self) -> Result<()> {
        if self.broken.load(Ordering::SeqCst) {
            return Err(Error::Unavailable("the database is switched off".to_owned()));
        }
        Ok(())
    }

    /// Runs `operation` on a snapshot that cannot change anything. `name` says what for, in logs.
    pub async fn read<T, F>(&self, name: &'static str, operation: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Transaction<'_>) -> Result<T> + Send + 'static,
    {
        self.check()?;
        let backend = Arc::clone(&self.backend);
        let answer = tokio::task::spawn_blocking(move || match &*backend {
            Backends::Sqlite(sqlite) => sqlite.read(operation),
            Backends::Postgres(postgres) => postgres.read(operation),
        })
        .await;
        log_fault(name, answer.unwrap_or_else(|problem| Err(Error::internal(problem))))
    }

    /// The same for the few lookups by key that a visit of a device begins with: on SQLite they take less than it would to hand
    /// them to another thread, so they run on this one, provided that a connection is open.
    pub async fn read_briefly<T, F>(&self, name: &'static str, operation: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Transaction<'_>) -> Result<T> + Send + 'static,
    {
        self.check()?;
        let Backends::Sqlite(sqlite) = &*self.backend else { return self.read(name, operation).await };
        let Some(connection) = sqlite.idle_reader() else { return self.read(name, operation).await };
        let answer = catch_unwind(AssertUnwindSafe(|| sqlite.read_on(connection, operation)));
        log_fault(name, answer.unwrap_or_else(|_| Err(Error::internal("an operation panicked"))))
    }

    /// Runs `operation` in a transaction that is durable when this returns `Ok`, and undone when it returns `Err`.
    ///
    /// It may run more than once (PostgreSQL repeats after a deadlock), so ids, time and secrets are made outside.
    /// It does no network and no slow cryptography. A caller that goes away does not cancel it.
    pub async fn write<T, F>(&self, name: &'static str, operation: F) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&mut Transaction<'_>) -> Result<T> + Send + 'static,
    {
        self.check()?;
        let answer = match &*self.backend {
            Backends::Sqlite(sqlite) => sqlite.write(operation).await,
            Backends::Postgres(_) => {
                let backend = Arc::clone(&self.backend);
                tokio::task::spawn_blocking(move || match &*backend {
                    Backends::Postgres(postgres) => postgres.write(operation),
                    Backends::Sqlite(_) => Err(Error::internal("the backend changed")),
                })
                .await
                .unwrap_or_else(|problem| Err(Error::internal(problem)))
            }
        };
        let (value, nudge) = log_fault(name, answer)?;
        if nudge {
            self.nudge.notify_waiters();
            self.nudge.notify_one();
        }
        Ok(value)
    }

    /// Brings the schema up to date; refuses a database that a newer Beadle made.
    pub fn migrate(&self) -> Result<()> {
        match &*self.backend {
            Backends::Sqlite(sqlite) => sqlite.with_own_connection(super::migrate::run),
            Backends::Postgres(postgres) => postgres.with_own_connection(super::migrate::run),
        }
    }

    /// Whether the schema is exactly the one this program knows.
    pub fn schema_is_current(&self) -> Result<bool> {
        match &*self.backend {
            Backends::Sqlite(sqlite) => sqlite.with_own_connection(super::migrate::is_current),
            Backends::Postgres(postgres) => postgres.with_own_connection(super::migrate::is_current),
        }
    }

    /// The migrations that it had so far, the oldest first; none when it is new.
    pub fn applied_migrations(&self) -> Result<Vec<String>> {
        self.with_own_connection(super::migrate::applied)
    }

    /// Runs `work` on a connection of its own, outside the doors; for backup, restore and hand-written SQL in tests.
    pub fn with_own_connection<T>(&self, work: impl FnOnce(&mut AnyConnection) -> Result<T>) -> Result<T> {
        match &*self.backend {
            Backends::Sqlite(sqlite) => sqlite.with_own_connection(work),
            Backends::Postgres(postgres) => postgres.with_own_connection(work),
        }
    }

    /// Ends the writer after everything queued is committed, and folds SQLite's log into the file.
    pub async fn close(&self) {
        if let Backends::Sqlite(sqlite) = &*self.backend {
            sqlite.close().await;
        }
    }
}

fn log_fault<T>(name: &'static str, answer: Result<T>) -> Result<T> {
    if let Err(Error::Internal(problem) | Error::Unavailable(problem)) = &answer {
        tracing::error!(operation = name, %problem, "database operation failed");
    }
    answer
}
