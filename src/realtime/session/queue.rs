//! What a client sends, worked through in order: one bounded queue, one task while it is not empty.

use std::collections::VecDeque;
use std::sync::{Arc, MutexGuard};

use futures_util::future::BoxFuture;
use tracing::Instrument;

use super::Session;
use crate::net::connection::Pause;

/// So many events of a socket in a row, then everybody else has a turn: those that are refused cost
/// microseconds each and wait for nothing, and a flood of them would keep the thread.
const IN_A_ROW: usize = 16;

/// One event to be worked on, in its turn.
pub type Job = BoxFuture<'static, ()>;

#[derive(Default)]
pub(super) struct Inbox {
    jobs: VecDeque<Job>,
    open: bool,
    working: bool,
    /// While much waits.
    pause: Option<Pause>,
}

impl Session {
    fn inbox(&self) -> MutexGuard<'_, Inbox> {
        self.inbox.lock().expect("no panic under this lock")
    }

    /// Whether no more events may wait. Events come from one task, so that what this says holds
    /// until that task calls [`Session::enqueue`].
    pub(in crate::realtime) fn queue_is_full(&self) -> bool {
        self.queued() >= self.queue_limit
    }

    /// How many events of its client wait for their turn.
    pub fn queued(&self) -> usize {
        self.inbox().jobs.len()
    }

    /// Puts a job at the end of the queue.
    pub(in crate::realtime) fn enqueue(self: &Arc<Self>, job: Job) {
        let mut inbox = self.inbox();
        inbox.jobs.push_back(job);
        let is_full = inbox.jobs.len() >= self.queue_limit.div_ceil(2);
        if is_full && inbox.pause.is_none() && !self.is_closed() {
            inbox.pause = self.link.pause();
        }
        self.wake(inbox);
    }

    /// Begins to work; `first` comes before everything that is queued already.
    pub(in crate::realtime) fn start(self: &Arc<Self>, first: Option<Job>) {
        let mut inbox = self.inbox();
        inbox.open = true;
        if let Some(first) = first {
            inbox.jobs.push_front(first);
        }
        self.wake(inbox);
    }

    /// Whether it has begun to work: its client knows that it is connected.
    pub(in crate::realtime) fn is_started(&self) -> bool {
        self.inbox().open
    }

    /// Lets its client be read again, whatever waits: it is gone, or takes its leave.
    pub(super) fn listen(&self) {
        self.inbox().pause = None;
    }

    fn wake(self: &Arc<Self>, mut inbox: MutexGuard<'_, Inbox>) {
        if inbox.open && !inbox.working && !inbox.jobs.is_empty() {
            inbox.working = true;
            drop(inbox);
            // What is logged for the events says whose they are.
            let (socket, user) = (self.no, self.caller.user);
            let span = tracing::error_span!("events", %socket, %user);
            self.work.spawn(self.clone().work_off().instrument(span));
        }
    }

    async fn work_off(self: Arc<Self>) {
        for turn in 1.. {
            let job = {
                let mut inbox = self.inbox();
                if inbox.jobs.len() <= self.queue_limit / 4 {
                    inbox.pause = None;
                }
                match inbox.jobs.pop_front() {
                    Some(job) => job,
                    None => {
                        inbox.working = false;
                        return;
                    }
                }
            };
            job.await;
            if turn % IN_A_ROW == 0 {
                tokio::task::yield_now().await;
            }
        }
    }
}
