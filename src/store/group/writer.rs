//! The one loop of a group commit: collects items, writes a batch of them, settles each.

use std::collections::VecDeque;
use std::future::Future;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout_at};

use super::{Entry, Fate, Written};
use crate::error::{Code, Error, Result};

/// Before what could not be written is tried again; each time doubled.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// The longest that what could not be written waits before it is tried again.
pub const LONGEST_PAUSE: Duration = Duration::from_secs(5);

pub(super) struct Writer<T, R> {
    name: &'static str,
    max_batch: usize,
    gather: Duration,
    waiting: mpsc::Receiver<Entry<T, R>>,
    /// How many offered items may be kept while they cannot be written.
    most_kept: usize,
    awaited: Vec<(T, oneshot::Sender<Result<R>>)>,
    /// The oldest first, and when each was accepted.
    offered: VecDeque<(T, Instant)>,
    /// Since offered items could not be written: how long to pause, and until when.
    pause: Option<(Duration, Instant)>,
    /// Offered items dropped since that was last told.
    dropped: u64,
    /// Nothing comes any more.
    closed: bool,
}

impl<T, R> Writer<T, R> {
    pub(super) fn new(
        name: &'static str,
        max_batch: usize,
        gather: Duration,
        waiting: mpsc::Receiver<Entry<T, R>>,
    ) -> Self {
        Self {
            name,
            max_batch,
            gather,
            most_kept: waiting.max_capacity(),
            waiting,
            awaited: Vec::new(),
            offered: VecDeque::new(),
            pause: None,
            dropped: 0,
            closed: false,
        }
    }

    pub(super) async fn run(mut self, write: impl Fn(Vec<T>) -> BoxFuture<'static, Written<T, R>>) {
        let mut arrived = Vec::new();
        while self.collect(&mut arrived).await {
            let (items, fates) = self.next_batch();
            let started = Instant::now();
            // The call is guarded by itself, so that nothing borrows `write` while it is awaited.
            let called = catch_unwind(AssertUnwindSafe(|| write(items)));
            let (items, results) = outcome(self.name, fates.len(), called.ok()).await;
            record(self.name, fates.len(), started);
            self.settle(items, fates, results);
            let waiting = self.waiting.len() + self.offered.len();
            metrics::gauge!("waggle_group_waiting", "writer" => self.name).set(waiting as f64);
        }
    }

    /// Waits until something is to be written; `false` when nothing ever will be.
    async fn collect(&mut self, arrived: &mut Vec<Entry<T, R>>) -> bool {
        loop {
            let due = self.due();
            let more = self.waiting.recv_many(arrived, self.max_batch);
            let count = match due {
                Some(due) => timeout_at(due, more).await.ok(),
                None => Some(more.await),
            };
            self.closed |= count == Some(0);
            self.sort(arrived);
            if self.closed {
                return !(self.awaited.is_empty() && self.offered.is_empty());
            }
            let is_full = self.pause.is_none() && self.offered.len() >= self.max_batch;
            if count.is_none() || !self.awaited.is_empty() || is_full {
                return true;
            }
        }
    }

    /// When to write what there is if nothing else comes.
    fn due(&self) -> Option<Instant> {
        let (_, accepted) = self.offered.front()?;
        Some(match self.pause {
            Some((_, until)) => until,
            None if self.offered.len() >= self.max_batch => *accepted,
            None => *accepted + self.gather,
        })
    }

    fn sort(&mut self, arrived: &mut Vec<Entry<T, R>>) {
        for (item, fate) in arrived.drain(..) {
            match fate {
                Fate::Awaited(answer) => self.awaited.push((item, answer)),
                Fate::Offered(accepted) => self.offered.push_back((item, accepted)),
            }
        }
        if self.pause.is_some() {
            self.drop_oldest();
        }
    }

    /// What somebody waits for, which is never more than a batch, and as much else as fits.
    fn next_batch(&mut self) -> (Vec<T>, Vec<Fate<R>>) {
        let awaited = mem::take(&mut self.awaited);
        let others = self.offered.len().min(self.max_batch - awaited.len());
        let awaited = awaited.into_iter().map(|(item, answer)| (item, Fate::Awaited(answer)));
        let offered = self.offered.drain(..others);
        awaited.chain(offered.map(|(item, at)| (item, Fate::Offered(at)))).unzip()
    }

    /// Answers who waits, and keeps what was offered and can only be written later.
    fn settle(&mut self, items: Vec<T>, fates: Vec<Fate<R>>, results: Vec<Result<R>>) {
        let mut items = items.into_iter();
        let mut failed = Vec::new();
        for (fate, result) in fates.into_iter().zip(results) {
            let item = items.next();
            match (fate, result) {
                (Fate::Awaited(answer), result) => {
                    // A caller that stopped waiting is no failure.
                    let _ = answer.send(result);
                }
                (Fate::Offered(_), Ok(_)) => {}
                (Fate::Offered(accepted), Err(error)) => match item {
                    Some(item) if error.code == Code::Unavailable && !self.closed => {
                        failed.push((item, accepted));
                    }
                    _ => self.dropped += 1,
                },
            }
        }
        self.keep(failed);
        self.tell_dropped();
    }

    /// Puts back in front what could not be written, and pauses if that is anything.
    fn keep(&mut self, failed: Vec<(T, Instant)>) {
        if failed.is_empty() {
            self.pause = None;
            return;
        }
        let longer = |(pause, _): (Duration, Instant)| (pause * 2).min(LONGEST_PAUSE);
        let pause = self.pause.map_or(FIRST_PAUSE, longer);
        self.pause = Some((pause, Instant::now() + pause));
        for kept in failed.into_iter().rev() {
            self.offered.push_front(kept);
        }
        self.drop_oldest();
    }

    fn drop_oldest(&mut self) {
        let over = self.offered.len().saturating_sub(self.most_kept);
        self.offered.drain(..over);
        self.dropped += over as u64;
    }

    fn tell_dropped(&mut self) {
        let dropped = mem::take(&mut self.dropped);
        if dropped > 0 {
            metrics::counter!("waggle_group_dropped_total", "writer" => self.name)
                .increment(dropped);
            tracing::error!(writer = self.name, dropped, "what could not be written is dropped");
        }
    }
}

/// The items and results of a batch of `count`; an error for each when the write broke down.
async fn outcome<T, R>(
    name: &'static str,
    count: usize,
    write: Option<impl Future<Output = Written<T, R>>>,
) -> Written<T, R> {
    let written = match write {
        Some(write) => AssertUnwindSafe(write).catch_unwind().await.ok(),
        None => None,
    };
    let cause = match written {
        Some(written) if written.1.len() == count => return written,
        Some((_, results)) => format!("{} results for {count} items of {name}", results.len()),
        None => format!("the write of {count} items of {name} panicked"),
    };
    let error = Error::internal(cause);
    (Vec::new(), (0..count).map(|_| Err(error.clone())).collect())
}

fn record(name: &'static str, count: usize, started: Instant) {
    metrics::counter!("waggle_group_commits_total", "writer" => name).increment(1);
    metrics::counter!("waggle_group_items_total", "writer" => name).increment(count as u64);
    metrics::histogram!("waggle_group_batch_size", "writer" => name).record(count as f64);
    metrics::histogram!("waggle_group_commit_seconds", "writer" => name)
        .record(started.elapsed().as_secs_f64());
}
