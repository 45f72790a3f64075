//! The queue of writes, and who works it off: one blocking thread at a time, for as long as
//! anything waits. How a group of writes is committed is [`super::commit`]'s.

use std::collections::VecDeque;
use std::fs::File;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;
use tokio::sync::{Notify, oneshot};

use super::closed;
use super::commit::{Job, Write, commit};
use crate::error::{Error, Result};

/// Writes that may wait.
const QUEUE: usize = 4096;
/// Writes in one transaction.
const GROUP: usize = 256;

pub(super) struct Writer {
    queue: Mutex<Queue>,
    /// Told when the connection comes back.
    rested: Notify,
    /// Whether the connection has been taken to be closed.
    ended: tokio::sync::Mutex<bool>,
}

struct Queue {
    jobs: VecDeque<Box<dyn Job>>,
    /// Here while nobody writes.
    connection: Option<Exclusive>,
    closed: bool,
    /// Whether the log is to be emptied after the next group.
    empty_log: bool,
}

/// The connection that writes, and the lock of its file, given free after it. Without a lock it is
/// a guest, and another process writes too.
struct Exclusive {
    connection: Connection,
    lock: Option<File>,
}

impl Writer {
    pub(super) fn new(connection: Connection, lock: Option<File>) -> Self {
        let connection = Some(Exclusive { connection, lock });
        let queue = Queue { jobs: VecDeque::new(), connection, closed: false, empty_log: false };
        Self {
            queue: Mutex::new(queue),
            rested: Notify::new(),
            ended: tokio::sync::Mutex::new(false),
        }
    }

    /// Queues `f`; its result comes when its group is committed. It is not run any more when the
    /// receiver is dropped before its turn.
    pub(super) fn submit<T: Send + 'static>(
        self: &Arc<Self>,
        f: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<oneshot::Receiver<Result<T>>> {
        let (answer, outcome) = oneshot::channel();
        if let Some(connection) = self.accept(Box::new(Write::new(f, answer)))? {
            let turn = Turn { writer: Arc::clone(self), connection: Some(connection) };
            tokio::task::spawn_blocking(move || turn.work_off());
        }
        Ok(outcome)
    }

    /// Queues a job, and gives the connection to whoever finds it resting.
    fn accept(&self, job: Box<dyn Job>) -> Result<Option<Exclusive>> {
        let mut queue = self.queue();
        if queue.closed {
            return Err(closed());
        }
        if queue.jobs.len() >= QUEUE {
            return Err(Error::unavailable("Too much is waiting to be stored, try again"));
        }
        queue.jobs.push_back(job);
        Ok(queue.connection.take())
    }

    /// Refuses new writes, waits for the accepted ones and closes the connection.
    pub(super) async fn close(&self) {
        // A second call waits for the first, and takes over where the first was given up.
        let mut ended = self.ended.lock().await;
        if *ended {
            return;
        }
        self.queue().closed = true;
        let exclusive = loop {
            let rested = self.rested.notified();
            if let Some(exclusive) = self.queue().connection.take() {
                break exclusive;
            }
            rested.await;
        };
        *ended = true;
        if let Err(problem) = tokio::task::spawn_blocking(move || exclusive.end()).await {
            tracing::error!(%problem, "the database was not closed in order");
        }
    }

    /// Has the log emptied after the next group of writes.
    pub(super) fn empty_log_next(&self) {
        self.queue().empty_log = true;
    }

    /// How many writes wait for the next group.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.queue().jobs.len()
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Exclusive {
    fn end(self) {
        if self.lock.is_some() {
            self.empty_log();
        }
    }

    fn empty_log(&self) {
        // Nothing is lost where it fails: the log stays and is read at the next start.
        let checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)";
        match self.connection.query_row(checkpoint, [], |row| row.get::<_, bool>(0)) {
            Ok(false) => {}
            Ok(true) => tracing::warn!("somebody reads the database: its log was not emptied"),
            Err(problem) => {
                tracing::warn!(%problem, "the write-ahead log was not moved into the database");
            }
        }
    }
}

/// Somebody's turn with the connection.
struct Turn {
    writer: Arc<Writer>,
    connection: Option<Exclusive>,
}

impl Turn {
    fn work_off(mut self) {
        while let Some(group) = self.next_group() {
            if let Some(exclusive) = &self.connection {
                commit(&exclusive.connection, group);
                if std::mem::take(&mut self.writer.queue().empty_log) {
                    exclusive.empty_log();
                }
            }
        }
    }

    /// What waits; when that is nothing, the connection rests again. Both under one lock, or a
    /// job queued in between would be seen by nobody.
    fn next_group(&mut self) -> Option<Vec<Box<dyn Job>>> {
        let mut queue = self.writer.queue();
        if queue.jobs.is_empty() {
            queue.connection = self.connection.take();
            self.writer.rested.notify_one();
            return None;
        }
        let count = queue.jobs.len().min(GROUP);
        Some(queue.jobs.drain(..count).collect())
    }
}

impl Drop for Turn {
    /// Only a runtime that ends before the turn began leaves something to do here: the jobs
    /// waiting then are given up, and the connection can be used from another runtime.
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else { return };
        let given_up = {
            let mut queue = self.writer.queue();
            queue.connection = Some(connection);
            std::mem::take(&mut queue.jobs)
        };
        self.writer.rested.notify_one();
        drop(given_up);
    }
}
