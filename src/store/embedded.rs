//! The embedded store: one SQLite file, one writer that commits in groups, readers on
//! connections of their own (DESIGN §3). It knows no domain; the domains bring their migrations
//! and the closures that read and write.
//!
//! Blocking work runs on tokio's blocking threads, at most one of them writing. So nothing needs
//! a runtime before the first call, and tests with a paused clock see no time pass in a write.

mod backup;
mod commit;
mod files;
mod readers;
mod schema;
mod values;
mod writer;

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode};

pub use backup::{BackupError, back_up};
pub use files::OpenError;
pub(crate) use values::word;

use super::Migration;
use crate::error::{Error, Result};
use readers::Readers;
use writer::Writer;

/// How long a caller waits for a read or write before it is told `unavailable`.
const MAX_WAIT: Duration = Duration::from_secs(10);

/// The open database. Clones share it.
#[derive(Clone)]
pub struct Embedded {
    writer: Arc<Writer>,
    readers: Arc<Readers>,
}

impl Embedded {
    /// Opens the database file at `path`, creates it and its directory where missing, and brings
    /// every domain of `migrations` up to date. Blocks; meant for the start of the process.
    ///
    /// # Errors
    /// Everything that an operator can do something about: see [`OpenError`].
    pub fn open(path: &Path, migrations: &[Migration]) -> Result<Self, OpenError> {
        let lock = files::lock(path)?;
        let mut connection = files::writing_connection(path)?;
        schema::migrate(&mut connection, path, migrations)?;
        let readers = Readers::open(path)?;
        Ok(Self {
            writer: Arc::new(Writer::new(connection, Some(lock))),
            readers: Arc::new(readers),
        })
    }

    /// Opens the database file at `path`, which must be there and have exactly these schemas, beside
    /// a server that may have it open. Meant for tools: reads take nothing from the server, and a
    /// write waits for the server's to end, and the server's for this one.
    ///
    /// # Errors
    /// There is no such file, its schemas are not these, or SQLite cannot use it.
    pub fn beside(path: &Path, migrations: &[Migration]) -> Result<Self, OpenError> {
        if !path.is_file() {
            return Err(OpenError::Missing { path: path.to_owned() });
        }
        let connection = files::writing_connection(path)?;
        schema::must_be(&connection, path, migrations)?;
        let readers = Readers::open(path)?;
        Ok(Self { writer: Arc::new(Writer::new(connection, None)), readers: Arc::new(readers) })
    }

    /// Whether a server has the database file at `path` open. Changes and makes nothing; but a server
    /// that starts in the microseconds of a look takes it for another, so look seldom.
    ///
    /// # Errors
    /// The lock cannot be looked at.
    pub fn is_open(path: &Path) -> io::Result<bool> {
        files::is_locked(path)
    }

    /// Sees to it that nothing which was removed is left in the write-ahead log: what is in it goes
    /// into the database file, where removing overwrites.
    ///
    /// # Errors
    /// As [`Embedded::write`].
    pub async fn empty_log(&self) -> Result<()> {
        self.writer.empty_log_next();
        self.ping().await
    }

    /// Runs `f` in the next group of writes; durable when it returns `Ok`. Groups are one
    /// transaction, and one `f` that fails undoes nothing of the others. `f` must not begin or
    /// end transactions.
    ///
    /// # Errors
    /// `unavailable` when the queue or the disk is full, the disk fails, the store is closed, or
    /// 10 s have passed (the write may then still happen); `internal` for everything else.
    pub async fn write<T: Send + 'static>(
        &self,
        f: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T> {
        let outcome = self.writer.submit(f)?;
        match tokio::time::timeout(MAX_WAIT, outcome).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(Error::unavailable("The write was given up")),
            Err(_) => Err(too_slow("write")),
        }
    }

    /// Runs `f` on a read-only connection. It sees everything that was durable before.
    ///
    /// # Errors
    /// `unavailable` when the disk fails, the store is closed, or 10 s have passed; `internal`
    /// for everything else.
    pub async fn read<T: Send + 'static>(
        &self,
        f: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T> {
        tokio::time::timeout(MAX_WAIT, self.readers.run(f))
            .await
            .unwrap_or_else(|_| Err(too_slow("read")))
    }

    /// Whether writes get through now. Goes the way of a write but changes nothing, so that it
    /// costs no sync of the disk.
    ///
    /// # Errors
    /// As [`Embedded::write`].
    pub async fn ping(&self) -> Result<()> {
        self.write(|connection| connection.query_row("SELECT 1", [], |_| Ok(()))).await
    }

    /// Refuses new calls, finishes what was accepted, moves everything into the database file
    /// and gives it free for another process.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

fn closed() -> Error {
    Error::unavailable("The server is shutting down")
}

fn too_slow(what: &'static str) -> Error {
    tracing::warn!(what, seconds = MAX_WAIT.as_secs(), "the database did not answer in time");
    Error::unavailable("The database is too slow now, try again")
}

/// What callers see of a failure of SQLite. Logged here, once.
fn failure(problem: &rusqlite::Error) -> Error {
    match problem.sqlite_error_code() {
        Some(
            ErrorCode::DiskFull
            | ErrorCode::SystemIoFailure
            | ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked,
        ) => {
            tracing::error!(%problem, "the database cannot be used now");
            Error::unavailable("The database cannot be used now, try again")
        }
        _ => Error::internal(problem),
    }
}

#[cfg(test)]
pub(crate) mod scratch;
#[cfg(test)]
mod tests;
