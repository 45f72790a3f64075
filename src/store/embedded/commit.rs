//! A group of writes as one transaction. Each has a savepoint of its own, so that one that fails
//! takes nothing along; nobody hears of success before the whole is on disk.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::failure;
use crate::error::{Error, Result};

/// A write of some type, waiting for its turn.
pub(super) trait Job: Send {
    /// Nobody waits for it any more.
    fn is_abandoned(&self) -> bool;
    /// Does the work and keeps its value.
    fn run(&mut self, connection: &Connection) -> rusqlite::Result<()>;
    /// Gives its value to the one who waits, or why there is none.
    fn answer(self: Box<Self>, committed: Result<()>);
}

/// A closure, its value once it ran, and who waits for that.
pub(super) struct Write<F, T> {
    work: Option<F>,
    value: Option<T>,
    answer: oneshot::Sender<Result<T>>,
}

impl<F, T> Write<F, T> {
    pub(super) fn new(work: F, answer: oneshot::Sender<Result<T>>) -> Self {
        Self { work: Some(work), value: None, answer }
    }
}

impl<F, T> Job for Write<F, T>
where
    F: FnOnce(&Connection) -> rusqlite::Result<T> + Send,
    T: Send,
{
    fn is_abandoned(&self) -> bool {
        self.answer.is_closed()
    }

    fn run(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        if let Some(work) = self.work.take() {
            self.value = Some(work(connection)?);
        }
        Ok(())
    }

    fn answer(self: Box<Self>, committed: Result<()>) {
        let value = self.value.ok_or(());
        let result = committed
            .and_then(|()| value.map_err(|()| Error::internal("a write was answered unrun")));
        // A caller that stopped waiting is no failure.
        let _ = self.answer.send(result);
    }
}

/// Why a group ended without a commit.
struct Lost(Error);

/// Runs and commits a group and answers everybody in it.
pub(super) fn commit(connection: &Connection, group: Vec<Box<dyn Job>>) {
    let savepoints = group.len() > 1;
    let mut jobs = group.into_iter();
    let mut done = Vec::with_capacity(jobs.len());
    let outcome = match run_all(connection, savepoints, &mut jobs, &mut done) {
        Ok(()) => Ok(()),
        Err(Lost(error)) => {
            roll_back(connection);
            Err(error)
        }
    };
    for job in done.into_iter().chain(jobs) {
        job.answer(outcome.clone());
    }
}

/// Runs the jobs and commits. Those that are to hear the outcome of the group are in `done`;
/// those that failed on their own have been answered. A job alone needs no savepoint, which
/// would copy every page that it changes: its transaction is one.
fn run_all(
    connection: &Connection,
    savepoints: bool,
    jobs: &mut impl Iterator<Item = Box<dyn Job>>,
    done: &mut Vec<Box<dyn Job>>,
) -> Result<(), Lost> {
    execute(connection, "BEGIN IMMEDIATE")?;
    for mut job in jobs.by_ref().filter(|job| !job.is_abandoned()) {
        if savepoints {
            execute(connection, "SAVEPOINT job")?;
        }
        let failed = run(connection, job.as_mut());
        // SQLite itself gives up the transaction after some failures, a full disk among them.
        // Then the jobs done so far are undone too.
        let lost = !savepoints || connection.is_autocommit();
        match failed {
            None => done.push(job),
            Some(error) => {
                job.answer(Err(error.clone()));
                if lost {
                    return Err(Lost(error));
                }
                execute(connection, "ROLLBACK TO job")?;
            }
        }
        if savepoints {
            execute(connection, "RELEASE job")?;
        }
    }
    execute(connection, "COMMIT")
}

/// Runs a job, and says why it failed if it did.
fn run(connection: &Connection, job: &mut dyn Job) -> Option<Error> {
    match catch_unwind(AssertUnwindSafe(|| job.run(connection))) {
        Ok(Ok(())) => None,
        Ok(Err(problem)) => Some(failure(&problem)),
        Err(_) => Some(Error::internal("a write panicked")),
    }
}

fn execute(connection: &Connection, sql: &str) -> Result<(), Lost> {
    let executed = connection.prepare_cached(sql).and_then(|mut statement| statement.execute([]));
    executed.map(drop).map_err(|problem| Lost(failure(&problem)))
}

fn roll_back(connection: &Connection) {
    if connection.is_autocommit() {
        return;
    }
    if let Err(problem) = connection.execute_batch("ROLLBACK") {
        tracing::error!(%problem, "a transaction could not be rolled back");
    }
}
