//! SQLite: short read snapshots, and one writer thread in which one commit serves many requests.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::{Duration, Instant};

use diesel::connection::{AnsiTransactionManager, SimpleConnection as _, TransactionManager};
use diesel::prelude::*;
use tokio::sync::oneshot;

use super::connection::{AnyConnection, Transaction};
use crate::error::{Error, Result};

/// How many closures one commit serves at the most.
const BATCH_CLOSURES: usize = 64;
/// How long a batch takes in further closures.
const BATCH_TIME: Duration = Duration::from_millis(5);
/// How many closures may wait before callers are told to come back.
const WAITING: usize = 4096;

/// The log is folded into the file every 4000 pages (16 MB), so that a page that is written again and again is copied there once; it
/// may keep twice that.
const PRAGMAS: &str = "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
    PRAGMA foreign_keys = ON; PRAGMA journal_size_limit = 33554432; PRAGMA wal_autocheckpoint = 4000; PRAGMA temp_store = MEMORY;";

/// What the writer thread does for one caller.
trait Write: Send {
    /// Runs the operation in a transaction of its own inside the batch; says whether it went well.
    fn run(&mut self, connection: &mut AnyConnection) -> bool;
    /// Tells the caller, once the batch is committed (`Ok`) or lost (`Err`).
    fn finish(self: Box<Self>, batch: Result<()>);
}

struct Task<T, F> {
    operation: F,
    outcome: Option<Result<(T, bool)>>,
    reply: oneshot::Sender<Result<(T, bool)>>,
}

impl<T: Send, F: Fn(&mut Transaction<'_>) -> Result<T> + Send> Write for Task<T, F> {
    fn run(&mut self, connection: &mut AnyConnection) -> bool {
        let outcome = connection.transaction(|connection| {
            let mut transaction = Transaction::new(connection);
            let value = (self.operation)(&mut transaction)?;
            let nudge = transaction.wants_nudge();
            fail::fail_point!("sqlite-closure", |_| Err(Error::Unavailable("failpoint in the closure".to_owned())));
            Ok((value, nudge))
        });
        self.outcome.insert(outcome).is_ok()
    }

    fn finish(self: Box<Self>, batch: Result<()>) {
        let answer = match (batch, self.outcome) {
            (Ok(()), Some(outcome)) => outcome,
            (Ok(()), None) => Err(Error::Unavailable("the operation was not run".to_owned())),
            (Err(problem), _) => Err(problem),
        };
        // A caller that went away has no ear; what it asked for is done all the same.
        let _ = self.reply.send(answer);
    }
}

enum Message {
    Write(Box<dyn Write>),
    Close(oneshot::Sender<()>),
}

/// An SQLite database file, its readers and its one writer.
pub(super) struct Sqlite {
    path: String,
    readers: Mutex<Vec<AnyConnection>>,
    writer: SyncSender<Message>,
}

impl Sqlite {
    pub(super) fn open(path: &str) -> Result<Self> {
        let connection = open_connection(path, false)?;
        let (writer, waiting) = sync_channel(WAITING);
        let writer_path = path.to_owned();
        std::thread::Builder::new()
            .name("sqlite-writer".to_owned())
            .spawn(move || write_batches(&writer_path, Some(connection), &waiting))
            .map_err(Error::internal)?;
        Ok(Self { path: path.to_owned(), readers: Mutex::default(), writer })
    }

    pub(super) fn read<T>(&self, operation: impl FnOnce(&mut Transaction<'_>) -> Result<T>) -> Result<T> {
        let connection = match self.idle_reader() {
            Some(connection) => connection,
            None => open_connection(&self.path, true)?,
        };
        self.read_on(connection, operation)
    }

    /// A connection that is open and not in use, if there is one; it is given back by [`Sqlite::read_on`].
    pub(super) fn idle_reader(&self) -> Option<AnyConnection> {
        self.readers.lock().ok()?.pop()
    }

    pub(super) fn read_on<T>(
        &self,
        mut connection: AnyConnection,
        operation: impl FnOnce(&mut Transaction<'_>) -> Result<T>,
    ) -> Result<T> {
        let answer = connection.transaction(|connection| operation(&mut Transaction::new(connection)));
        // A connection whose transaction did not end is dropped, not given to the next caller.
        if depth(&mut connection) == Some(0)
            && let Ok(mut readers) = self.readers.lock()
            && readers.len() < 8
        {
            readers.push(connection);
        }
        answer
    }

    pub(super) async fn write<T, F>(&self, operation: F) -> Result<(T, bool)>
    where
        T: Send + 'static,
        F: Fn(&mut Transaction<'_>) -> Result<T> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let task = Task { operation, outcome: None, reply };
        self.writer.try_send(Message::Write(Box::new(task))).map_err(|problem| match problem {
            TrySendError::Full(_) => Error::Unavailable("too many writes are waiting".to_owned()),
            TrySendError::Disconnected(_) => Error::Unavailable("the database is closed".to_owned()),
        })?;
        answer.await.unwrap_or_else(|_| Err(Error::Unavailable("the database closed before the write".to_owned())))
    }

    pub(super) fn with_own_connection<T>(&self, work: impl FnOnce(&mut AnyConnection) -> Result<T>) -> Result<T> {
        work(&mut open_connection(&self.path, false)?)
    }

    pub(super) async fn close(&self) {
        let (done, ended) = oneshot::channel();
        let sender = self.writer.clone();
        let sent = tokio::task::spawn_blocking(move || sender.send(Message::Close(done))).await;
        if matches!(sent, Ok(Ok(()))) {
            let _ = ended.await;
        }
        if let Ok(mut readers) = self.readers.lock() {
            readers.clear();
        }
        if let Ok(mut connection) = open_connection(&self.path, false)
            && let Err(problem) = connection.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)")
        {
            tracing::warn!(%problem, "the write-ahead log stays as it is until the next start");
        }
    }
}

fn open_connection(path: &str, read_only: bool) -> Result<AnyConnection> {
    let unavailable = |problem: String| Error::Unavailable(format!("cannot open the database {path}: {problem}"));
    let mut connection = SqliteConnection::establish(path).map_err(|problem| unavailable(problem.to_string()))?;
    connection.batch_execute(PRAGMAS).map_err(|problem| unavailable(problem.to_string()))?;
    if read_only {
        connection.batch_execute("PRAGMA query_only = ON").map_err(|problem| unavailable(problem.to_string()))?;
    }
    Ok(AnyConnection::Sqlite(connection))
}

/// How many transactions are open, one in the other; `None` when the connection is broken.
fn depth(connection: &mut AnyConnection) -> Option<u32> {
    let AnyConnection::Sqlite(connection) = connection else { return None };
    match <AnsiTransactionManager as TransactionManager<SqliteConnection>>::transaction_manager_status_mut(connection)
        .transaction_depth()
    {
        Ok(None) => Some(0),
        Ok(Some(depth)) => Some(depth.get()),
        Err(_) => None,
    }
}

fn begin(connection: &mut AnyConnection) -> Result<()> {
    let AnyConnection::Sqlite(connection) = connection else {
        return Err(Error::internal("not an SQLite connection"));
    };
    Ok(AnsiTransactionManager::begin_transaction_sql(connection, "BEGIN IMMEDIATE")?)
}

fn commit(connection: &mut AnyConnection) -> Result<()> {
    fail::fail_point!("sqlite-commit", |_| Err(Error::Unavailable("failpoint at COMMIT".to_owned())));
    let AnyConnection::Sqlite(connection) = connection else {
        return Err(Error::internal("not an SQLite connection"));
    };
    Ok(<AnsiTransactionManager as TransactionManager<SqliteConnection>>::commit_transaction(connection)?)
}

fn write_batches(path: &str, mut connection: Option<AnyConnection>, waiting: &Receiver<Message>) {
    while let Ok(first) = waiting.recv() {
        let mut next = Some(first);
        let mut batch: Vec<Box<dyn Write>> = Vec::new();
        let mut close = None;
        let started = Instant::now();
        let mut state = match connection.take() {
            Some(connection) => Ok(connection),
            None => open_connection(path, false),
        }
        .and_then(|mut connection| begin(&mut connection).map(|()| connection));
        while let Some(message) = next.take() {
            match message {
                Message::Write(mut task) => {
                    if let Ok(open) = &mut state
                        && let Err(problem) = run_one(open, task.as_mut())
                    {
                        state = Err(problem);
                    }
                    batch.push(task);
                }
                Message::Close(done) => {
                    close = Some(done);
                    break;
                }
            }
            // After a fault nobody else is drawn into this batch.
            if state.is_ok() && batch.len() < BATCH_CLOSURES && started.elapsed() < BATCH_TIME {
                next = waiting.try_recv().ok();
            }
        }
        let outcome = state.and_then(|mut open| commit(&mut open).map(|()| open));
        match outcome {
            Ok(open) => {
                connection = Some(open);
                batch.into_iter().for_each(|task| task.finish(Ok(())));
            }
            Err(problem) => {
                // The connection is dropped, which undoes whatever was begun on it.
                tracing::error!(%problem, writes = batch.len(), "a batch of writes was undone");
                let problem = Error::Unavailable(format!("the database refused the write: {problem}"));
                batch.into_iter().for_each(|task| task.finish(Err(problem.clone())));
            }
        }
        if let Some(done) = close {
            drop(connection.take());
            let _ = done.send(());
            return;
        }
    }
}

/// Runs one closure; an error means that the batch is lost, not that the closure said no.
fn run_one(connection: &mut AnyConnection, task: &mut dyn Write) -> Result<()> {
    let went_well = catch_unwind(AssertUnwindSafe(|| task.run(connection)))
        .map_err(|_| Error::Unavailable("an operation panicked".to_owned()))?;
    // SQLITE_FULL and the like end the outer transaction behind diesel's back: ask both. Where the closure went well, the release of
    // its savepoint has shown that the transaction is there.
    if depth(connection) != Some(1) || !(went_well || inside_transaction(connection)) {
        return Err(Error::Unavailable("the batch's transaction was lost".to_owned()));
    }
    Ok(())
}

/// Whether SQLite itself still has a transaction open: a second BEGIN must then be refused.
fn inside_transaction(connection: &mut AnyConnection) -> bool {
    connection.batch_execute("BEGIN").is_err()
}
