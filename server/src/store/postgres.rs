//! PostgreSQL: a pool, READ COMMITTED, and a repeat after deadlocks and lost connections.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};

use diesel::connection::{AnsiTransactionManager, TransactionManager};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as Diesel};

use super::connection::{AnyConnection, Transaction};
use crate::error::{Error, Result};

/// How many connections one process holds at the most.
const CONNECTIONS: usize = 16;
/// How long a caller waits for a free connection.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often a transaction is tried before the caller is told.
const TRIES: u32 = 5;

#[derive(Default)]
struct Pool {
    idle: Vec<AnyConnection>,
    open: usize,
}

/// A PostgreSQL database.
pub(super) struct Postgres {
    url: String,
    pool: Mutex<Pool>,
    freed: Condvar,
    repeats: AtomicU64,
}

/// A connection that returns to the pool when it is still good.
struct Lent<'a> {
    owner: &'a Postgres,
    connection: Option<AnyConnection>,
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let good = self.connection.take().filter(|_| !std::thread::panicking()).filter_map_idle();
        if let Ok(mut pool) = self.owner.pool.lock() {
            match good {
                Some(connection) => pool.idle.push(connection),
                None => pool.open = pool.open.saturating_sub(1),
            }
        }
        self.owner.freed.notify_one();
    }
}

trait FilterIdle {
    fn filter_map_idle(self) -> Option<AnyConnection>;
}

impl FilterIdle for Option<AnyConnection> {
    /// Keeps the connection only if no transaction is open on it and it is not broken.
    fn filter_map_idle(self) -> Option<AnyConnection> {
        let mut connection = self?;
        let AnyConnection::Postgres(inner) = &mut connection else { return None };
        let status =
            <AnsiTransactionManager as TransactionManager<PgConnection>>::transaction_manager_status_mut(inner);
        matches!(status.transaction_depth(), Ok(None)).then_some(connection)
    }
}

impl Postgres {
    pub(super) fn open(url: &str) -> Result<Self> {
        let postgres =
            Self { url: url.to_owned(), pool: Mutex::default(), freed: Condvar::new(), repeats: AtomicU64::new(0) };
        // A wrong address or password is told at start, not at the first request.
        drop(postgres.lend()?);
        Ok(postgres)
    }

    fn establish(&self) -> Result<AnyConnection> {
        PgConnection::establish(&self.url)
            .map(AnyConnection::Postgres)
            .map_err(|problem| Error::Unavailable(format!("cannot reach PostgreSQL: {problem}")))
    }

    fn lend(&self) -> Result<Lent<'_>> {
        let busy = || Error::Unavailable("all database connections are busy".to_owned());
        let started = Instant::now();
        let mut pool = self.pool.lock().map_err(|_| busy())?;
        loop {
            if let Some(connection) = pool.idle.pop() {
                return Ok(Lent { owner: self, connection: Some(connection) });
            }
            if pool.open < CONNECTIONS {
                pool.open += 1;
                drop(pool);
                let mut lent = Lent { owner: self, connection: None };
                lent.connection = Some(self.establish()?);
                return Ok(lent);
            }
            let left = PATIENCE.checked_sub(started.elapsed()).ok_or_else(busy)?;
            pool = self.freed.wait_timeout(pool, left).map_err(|_| busy())?.0;
        }
    }

    pub(super) fn read<T>(&self, operation: impl FnOnce(&mut Transaction<'_>) -> Result<T>) -> Result<T> {
        let mut lent = self.lend()?;
        let connection = lent.connection.as_mut().ok_or_else(|| Error::internal("no connection"))?;
        begin(connection, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")?;
        let answer = operation(&mut Transaction::new(connection));
        roll_back(connection);
        answer
    }

    pub(super) fn write<T, F>(&self, operation: F) -> Result<(T, bool)>
    where
        F: Fn(&mut Transaction<'_>) -> Result<T>,
    {
        let mut tried = 0;
        loop {
            tried += 1;
            match self.write_once(&operation) {
                Once::Done(answer) => return answer,
                Once::Again(problem) if tried >= TRIES => return Err(problem),
                Once::Again(problem) => {
                    self.repeats.fetch_add(1, Ordering::Relaxed);
                    tracing::debug!(%problem, tried, "transaction repeated");
                    std::thread::sleep(Duration::from_millis(u64::from(3 * tried * tried)));
                }
            }
        }
    }

    fn write_once<T, F>(&self, operation: &F) -> Once<T>
    where
        F: Fn(&mut Transaction<'_>) -> Result<T>,
    {
        let mut lent = match self.lend() {
            Ok(lent) => lent,
            Err(problem) => return Once::Done(Err(problem)),
        };
        let Some(connection) = lent.connection.as_mut() else {
            return Once::Done(Err(Error::internal("no connection")));
        };
        if let Err(problem) = begin(connection, "BEGIN ISOLATION LEVEL READ COMMITTED") {
            // An idle connection may have been closed by the server: a new one is tried.
            lent.connection = None;
            return Once::Again(problem);
        }
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            let mut transaction = Transaction::new(connection);
            operation(&mut transaction).map(|value| (value, transaction.wants_nudge()))
        }))
        .unwrap_or_else(|_| Err(Error::Unavailable("an operation panicked".to_owned())));
        match outcome {
            Ok(value) => {
                let AnyConnection::Postgres(inner) = connection else {
                    return Once::Done(Err(Error::internal("not a PostgreSQL connection")));
                };
                match <AnsiTransactionManager as TransactionManager<PgConnection>>::commit_transaction(inner) {
                    Ok(()) => Once::Done(Ok(value)),
                    Err(problem) if is_repeatable(&problem) => {
                        roll_back(connection);
                        Once::Again(Error::Unavailable(problem.to_string()))
                    }
                    Err(problem) => {
                        // Whether it was committed is not known: never repeated, never called done.
                        lent.connection = None;
                        Once::Done(Err(Error::Unavailable(format!("the outcome of COMMIT is not known: {problem}"))))
                    }
                }
            }
            Err(problem) => {
                roll_back(connection);
                match problem {
                    Error::Internal(text) if text_is_repeatable(&text) => Once::Again(Error::Unavailable(text)),
                    Error::Unavailable(text) if text.contains("closed the connection") => {
                        lent.connection = None;
                        Once::Again(Error::Unavailable(text))
                    }
                    problem => Once::Done(Err(problem)),
                }
            }
        }
    }

    /// How many transactions had to be repeated so far.
    pub(super) fn repeats(&self) -> u64 {
        self.repeats.load(Ordering::Relaxed)
    }

    pub(super) fn with_own_connection<T>(&self, work: impl FnOnce(&mut AnyConnection) -> Result<T>) -> Result<T> {
        work(&mut self.establish()?)
    }
}

enum Once<T> {
    Done(Result<(T, bool)>),
    Again(Error),
}

fn begin(connection: &mut AnyConnection, sql: &str) -> Result<()> {
    let AnyConnection::Postgres(connection) = connection else {
        return Err(Error::internal("not a PostgreSQL connection"));
    };
    AnsiTransactionManager::begin_transaction_sql(connection, sql)
        .map_err(|problem| Error::Unavailable(problem.to_string()))
}

fn roll_back(connection: &mut AnyConnection) {
    if let AnyConnection::Postgres(connection) = connection
        && let Err(problem) =
            <AnsiTransactionManager as TransactionManager<PgConnection>>::rollback_transaction(connection)
    {
        tracing::warn!(%problem, "a transaction could not be undone; its connection is dropped");
    }
}

fn is_repeatable(problem: &Diesel) -> bool {
    matches!(problem, Diesel::DatabaseError(DatabaseErrorKind::SerializationFailure, _))
        || text_is_repeatable(&problem.to_string())
}

/// Serialization failure (40001) and deadlock (40P01), whose codes diesel does not hand out.
fn text_is_repeatable(text: &str) -> bool {
    text.contains("could not serialize access") || text.contains("deadlock detected")
}
