//! Group commit: many callers, one write at a time, one durable batch for all who waited
//! (DESIGN §3). It stands above a store and knows neither the store nor what is written.

mod writer;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::Instant;

pub use self::writer::LONGEST_PAUSE;
use self::writer::Writer;
use crate::error::{Error, Result};

/// What a write gives back: its items, and one result for each, in their order.
pub type Written<T, R> = (Vec<T>, Vec<Result<R>>);

/// Collects what arrives while the previous batch is being written and writes it as the next
/// one, in order of arrival. An idle writer adds no delay to what somebody waits for. Clones
/// share one writer.
pub struct GroupCommit<T, R>(Arc<Shared<T, R>>);

struct Shared<T, R> {
    /// `None` once closed.
    entrance: Mutex<Option<mpsc::Sender<Entry<T, R>>>>,
    writer: tokio::sync::Mutex<Option<JoinHandle<()>>>,
}

/// An item, and what becomes of its result.
type Entry<T, R> = (T, Fate<R>);

enum Fate<R> {
    /// Somebody waits for it.
    Awaited(oneshot::Sender<Result<R>>),
    /// Nobody does; when it was accepted.
    Offered(Instant),
}

impl<T, R> Clone for GroupCommit<T, R> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: Send + 'static, R: Send + 'static> GroupCommit<T, R> {
    /// Starts a writer on the current runtime. `name` labels its metrics; `max_batch` items go
    /// into one call of `write`, which gives one result per item, in their order; `queue` items
    /// may wait.
    pub fn spawn(
        name: &'static str,
        max_batch: usize,
        queue: usize,
        write: impl Fn(Vec<T>) -> BoxFuture<'static, Vec<Result<R>>> + Send + 'static,
    ) -> Self {
        Self::spawn_gathering(name, max_batch, queue, Duration::ZERO, move |items| {
            write(items).map(|results| (Vec::new(), results)).boxed()
        })
    }

    /// The same for items of which some are offered ([`GroupCommit::offer`]): those alone are
    /// written when the first of them has waited for `gather`, or a batch is full. `write` also
    /// gives the items back, so that what could not be written now can be written later.
    pub fn spawn_gathering(
        name: &'static str,
        max_batch: usize,
        queue: usize,
        gather: Duration,
        write: impl Fn(Vec<T>) -> BoxFuture<'static, Written<T, R>> + Send + 'static,
    ) -> Self {
        let (entrance, waiting) = mpsc::channel(queue.max(1));
        let writer = Writer::new(name, max_batch.max(1), gather, waiting);
        Self(Arc::new(Shared {
            entrance: Mutex::new(Some(entrance)),
            writer: tokio::sync::Mutex::new(Some(tokio::spawn(writer.run(write)))),
        }))
    }

    /// Has `item` written and gives its own result. Once accepted it is written, even when the
    /// caller stops waiting.
    ///
    /// # Errors
    /// `unavailable` when the queue is full or the writer closed, `internal` when the write broke
    /// down; otherwise what the write says of this item.
    pub async fn submit(&self, item: T) -> Result<R> {
        self.take(item)?.await
    }

    /// As [`GroupCommit::submit`], in two steps: takes `item` at once, or not at all; what this
    /// gives waits for its result.
    ///
    /// # Errors
    /// Of the first step those of [`GroupCommit::offer`], of the second the others.
    pub fn take(&self, item: T) -> Result<impl Future<Output = Result<R>> + use<T, R>> {
        let (answer, outcome) = oneshot::channel();
        self.accept((item, Fate::Awaited(answer)))?;
        let ended = |_| Err(Error::internal("a group writer ended early"));
        Ok(async move { outcome.await.unwrap_or_else(ended) })
    }

    /// Has `item` written soon, and waits for nothing. An item that is `unavailable` to the write
    /// is written again after a pause, with later ones or after them: it must not matter how often
    /// an item is written, nor in which order. As many as the queue holds wait for that; of more,
    /// the oldest are dropped. What fails otherwise is dropped too, and all of it where `write`
    /// gives no items back ([`GroupCommit::spawn`]).
    ///
    /// # Errors
    /// `unavailable` when the queue is full or the writer closed.
    pub fn offer(&self, item: T) -> Result<()> {
        self.accept((item, Fate::Offered(Instant::now())))
    }

    /// Refuses new items and returns when everything accepted has been written and answered.
    pub async fn close(&self) {
        self.0.entrance.lock().unwrap_or_else(PoisonError::into_inner).take();
        let mut writer = self.0.writer.lock().await;
        if let Some(task) = writer.as_mut() {
            if let Err(problem) = task.await {
                tracing::error!(%problem, "a group writer did not end well");
            }
            *writer = None;
        }
    }

    fn accept(&self, entry: Entry<T, R>) -> Result<()> {
        let entrance = self.0.entrance.lock().unwrap_or_else(PoisonError::into_inner);
        let entrance =
            entrance.as_ref().ok_or_else(|| Error::unavailable("The server is shutting down"))?;
        entrance
            .try_send(entry)
            .map_err(|_| Error::unavailable("Too much is waiting to be stored, try again"))
    }
}

#[cfg(test)]
mod tests;
