//! One connected socket: who it is, its ordered queue of events, what it is sent, and its end.
//!
//! The engine runs every event in a task of its own, in no order (FACTS §0.1). A session takes
//! events synchronously into one bounded queue, and one task works through it while it is not
//! empty; an idle socket costs no task.

mod link;

use std::collections::{HashSet, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio_util::task::TaskTracker;

pub use link::{Link, Sent};

use super::hub::{Audience, Hub, Outgoing};
use crate::caller::Caller;
use crate::clock::Timestamp;

/// Events that may wait while a socket is held back, before it counts as too slow.
const HELD_EVENTS: usize = 1024;

/// How long the send buffer of a socket may stay full before an answer that waits gives up.
const ANSWER_TRIES: u32 = 2500;
const BETWEEN_TRIES: Duration = Duration::from_millis(2);

/// What the hub calls a socket. Never leaves the server.
pub type SessionNo = u64;

/// One event to be worked on, in its turn.
pub type Job = BoxFuture<'static, ()>;

/// One connected socket.
pub struct Session {
    /// Its number in the hub.
    pub no: SessionNo,
    /// Who is at the other end.
    pub caller: Caller,
    /// Where it is connected.
    pub namespace: &'static str,
    link: Box<dyn Link>,
    expires_at: AtomicI64,
    warned: AtomicBool,
    closed: AtomicBool,
    ended: AtomicBool,
    cut: AtomicBool,
    life: Mutex<Life>,
    inbox: Mutex<Inbox>,
    outbox: Mutex<Outbox>,
    audiences: Mutex<HashSet<Audience>>,
    queue_limit: usize,
    work: TaskTracker,
    hub: Weak<Hub>,
}

/// How far a socket's life has come. What the hub does when it opens and closes a socket happens
/// under the lock of this, so that the two never overlap and always come in pairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Life {
    /// Admitted; its client does not know yet.
    New,
    /// In the hub.
    Open,
    /// Gone.
    Closed,
}

#[derive(Default)]
struct Inbox {
    jobs: VecDeque<Job>,
    open: bool,
    working: bool,
    paused: bool,
}

#[derive(Default)]
struct Outbox {
    held: Option<Vec<Outgoing>>,
}

impl Session {
    /// A session that takes events but does not work on them before [`Session::start`].
    pub(super) fn new(
        hub: &Hub,
        caller: Caller,
        namespace: &'static str,
        link: Box<dyn Link>,
        queue_limit: usize,
    ) -> Arc<Self> {
        Arc::new(Self {
            no: hub.next_session_no(),
            work: hub.work(),
            caller,
            namespace,
            link,
            expires_at: AtomicI64::new(caller.expires_at.millis()),
            warned: AtomicBool::new(false),
            closed: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            cut: AtomicBool::new(false),
            life: Mutex::new(Life::New),
            hub: hub.this(),
            inbox: Mutex::default(),
            outbox: Mutex::default(),
            audiences: Mutex::default(),
            queue_limit,
        })
    }

    fn inbox(&self) -> MutexGuard<'_, Inbox> {
        self.inbox.lock().expect("no panic under this lock")
    }

    fn outbox(&self) -> MutexGuard<'_, Outbox> {
        self.outbox.lock().expect("no panic under this lock")
    }

    /// Whether no more events may wait. Events come from one task, so that what this says holds
    /// until that task calls [`Session::enqueue`].
    pub(super) fn queue_is_full(&self) -> bool {
        self.inbox().jobs.len() >= self.queue_limit
    }

    /// Puts a job at the end of the queue.
    pub(super) fn enqueue(self: &Arc<Self>, job: Job) {
        let mut inbox = self.inbox();
        inbox.jobs.push_back(job);
        if !inbox.paused && inbox.jobs.len() >= self.queue_limit.div_ceil(2) {
            inbox.paused = true;
            self.link.pause();
        }
        self.wake(inbox);
    }

    /// Begins to work; `first` comes before everything that is queued already.
    pub(super) fn start(self: &Arc<Self>, first: Option<Job>) {
        let mut inbox = self.inbox();
        inbox.open = true;
        if let Some(first) = first {
            inbox.jobs.push_front(first);
        }
        self.wake(inbox);
    }

    /// Whether it has begun to work: its client knows that it is connected.
    pub(super) fn is_started(&self) -> bool {
        self.inbox().open
    }

    fn wake(self: &Arc<Self>, mut inbox: MutexGuard<'_, Inbox>) {
        if inbox.open && !inbox.working && !inbox.jobs.is_empty() {
            inbox.working = true;
            drop(inbox);
            self.work.spawn(self.clone().work_off());
        }
    }

    async fn work_off(self: Arc<Self>) {
        loop {
            let job = {
                let mut inbox = self.inbox();
                if inbox.paused && inbox.jobs.len() <= self.queue_limit / 4 {
                    inbox.paused = false;
                    self.link.resume();
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
        }
    }

    /// Holds back what is sent until [`Session::release`].
    pub(super) fn hold(&self) {
        self.outbox().held.get_or_insert_default();
    }

    /// Sends what was held back, in order, and holds no more.
    pub(super) fn release(self: &Arc<Self>) {
        let mut outbox = self.outbox();
        for event in outbox.held.take().unwrap_or_default() {
            self.put(&event);
        }
    }

    /// Sends an event, or holds it back. A socket that is too slow for a reliable event is cut;
    /// one that is too slow for a state-like event misses it.
    pub(super) fn send(self: &Arc<Self>, event: &Outgoing) {
        self.put_or_hold(&mut self.outbox(), event);
    }

    /// Sends events that are for these audiences, as [`Session::send`] does, unless the socket is
    /// in none of them any more: once it has left one, nothing for that one reaches it.
    pub(super) fn send_to(self: &Arc<Self>, these: &[Audience], events: &[Outgoing]) {
        let mut outbox = self.outbox();
        let is_in = {
            let audiences = self.audiences();
            these.iter().any(|audience| audiences.contains(audience))
        };
        if is_in {
            events.iter().for_each(|event| self.put_or_hold(&mut outbox, event));
        }
    }

    fn put_or_hold(self: &Arc<Self>, outbox: &mut Outbox, event: &Outgoing) {
        match &mut outbox.held {
            Some(held) if held.len() < HELD_EVENTS => held.push(event.clone()),
            Some(_) if event.is_reliable() => self.cut(),
            Some(_) => {}
            None => self.put(event),
        }
    }

    /// Sends an event past the hold: what the hold is waiting for.
    pub(super) fn send_first(self: &Arc<Self>, event: &Outgoing) {
        self.put(event);
    }

    /// Sends an answer as soon as the send buffer has room: a client may ask faster than it is
    /// answered. One that takes nothing for too long is cut.
    pub(super) async fn answer(self: &Arc<Self>, send: impl Fn() -> Sent + Send) {
        for _ in 0..ANSWER_TRIES {
            if send() != Sent::Full {
                return;
            }
            tokio::time::sleep(BETWEEN_TRIES).await;
        }
        self.cut();
    }

    /// Sends an event past the hold, and says what became of it.
    pub(super) fn try_send(&self, event: &Outgoing) -> Sent {
        self.link.send(event)
    }

    fn put(self: &Arc<Self>, event: &Outgoing) {
        if self.link.send(event) == Sent::Full {
            if event.is_reliable() {
                metrics::counter!("waggle_slow_cuts_total").increment(1);
                tracing::info!(user = %self.caller.user, event = event.name(), "socket reads too slowly, cut");
                self.cut();
            } else {
                metrics::counter!("waggle_thinned_events_total", "event" => event.name())
                    .increment(1);
            }
        }
    }

    fn audiences(&self) -> MutexGuard<'_, HashSet<Audience>> {
        self.audiences.lock().expect("no panic under this lock")
    }

    /// How many audiences the socket belongs to.
    pub fn audience_count(&self) -> usize {
        self.audiences().len()
    }

    /// Whether the socket belongs to an audience.
    pub fn is_in(&self, audience: Audience) -> bool {
        self.audiences().contains(&audience)
    }

    /// Notes an audience that the socket belongs to; `false` when it did already.
    pub(super) fn note_audience(&self, audience: Audience) -> bool {
        self.audiences().insert(audience)
    }

    /// Forgets an audience; what is being sent to it reaches the socket before this or not at all.
    pub(super) fn drop_audience(&self, audience: Audience) {
        let _sending = self.outbox();
        self.audiences().remove(&audience);
    }

    pub(super) fn take_audiences(&self) -> HashSet<Audience> {
        std::mem::take(&mut *self.audiences())
    }

    /// How far its life has come; held while that changes.
    pub(super) fn life(&self) -> MutexGuard<'_, Life> {
        self.life.lock().expect("no panic under this lock")
    }

    /// Notes that the hub has let go of it.
    pub(super) fn note_closed(&self) {
        self.closed.store(true, Ordering::SeqCst);
    }

    /// Whether the socket is gone.
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }

    /// Whether the server has ended the socket: what its client sent before is refused too.
    pub(super) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::SeqCst)
    }

    /// Until when its token holds.
    pub fn expires_at(&self) -> Timestamp {
        Timestamp::from_millis(self.expires_at.load(Ordering::SeqCst))
    }

    /// Lets the socket live longer; never shorter.
    pub fn extend(&self, until: Timestamp) {
        if self.expires_at.fetch_max(until.millis(), Ordering::SeqCst) < until.millis() {
            self.warned.store(false, Ordering::SeqCst);
        }
    }

    /// Whether the client must now be told that its token ends; once for each expiry.
    pub(super) fn must_be_warned(&self) -> bool {
        !self.warned.swap(true, Ordering::SeqCst)
    }

    /// Ends the socket for good.
    pub(super) fn end(&self) {
        self.ended.store(true, Ordering::SeqCst);
        self.link.end();
    }

    /// Cuts the socket's transport. The hub lets go of it at once: a polling client is only missed
    /// by the engine when its heartbeat fails.
    pub fn cut(self: &Arc<Self>) {
        if self.cut.swap(true, Ordering::SeqCst) {
            return;
        }
        self.link.cut();
        let (hub, session) = (self.hub.clone(), self.clone());
        tokio::spawn(async move {
            if let Some(hub) = hub.upgrade() {
                hub.close(&session);
            }
        });
    }
}
