//! One connected socket: who it is, its ordered queue of events, what it is sent, and its end.
//!
//! The engine runs every event in a task of its own, in no order (FACTS §0.1). A session takes
//! events synchronously into one bounded queue, and one task works through it while it is not
//! empty; an idle socket costs no task.

mod link;
mod outbox;
mod queue;
#[cfg(test)]
pub(crate) mod testing;

use std::collections::HashSet;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, Weak};

use tokio::time::Instant;
use tokio_util::task::TaskTracker;

pub use link::{End, Link, Sent};
use outbox::Outbox;
use queue::Inbox;
pub use queue::Job;

use super::hub::{Audience, Hub};
use crate::caller::Caller;
use crate::clock::Timestamp;
use crate::ids::RoomId;
use crate::net::address::ClientAddress;

/// What the hub calls a socket: unique among nodes, and higher than those that its node had before.
/// Of clients only admins see it, as 16 hex digits; it gives no access to anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionNo(u64);

impl SessionNo {
    /// Where a node starts to count: the upper half is the node's own.
    pub(super) fn first() -> u64 {
        u64::from(rand::random::<u32>()) << 32
    }

    /// Whether it is of the same node as another one, and newer.
    pub const fn is_after(self, other: Self) -> bool {
        self.0 >> 32 == other.0 >> 32 && self.0 > other.0
    }
}

impl From<u64> for SessionNo {
    fn from(no: u64) -> Self {
        Self(no)
    }
}

impl fmt::Display for SessionNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl FromStr for SessionNo {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let no = digits.then(|| u64::from_str_radix(text, 16).ok()).flatten();
        no.map(Self).ok_or("must be the id of a socket, 16 hex digits")
    }
}

/// One connected socket.
pub struct Session {
    /// Its number in the hub.
    pub no: SessionNo,
    /// Who is at the other end.
    pub caller: Caller,
    /// Where it is connected.
    pub namespace: &'static str,
    /// Where its client is, in front of trusted proxies.
    pub address: IpAddr,
    /// Since when.
    pub connected_at: Timestamp,
    link: Box<dyn Link>,
    expires_at: AtomicI64,
    warned: AtomicBool,
    closed: AtomicBool,
    ended: AtomicBool,
    cut: AtomicBool,
    abandoned: AtomicBool,
    /// Whether somebody waits for a sign of life.
    awaited: AtomicBool,
    /// Since when what is sent is no longer held back.
    released: OnceLock<Instant>,
    life: Mutex<Life>,
    inbox: Mutex<Inbox>,
    outbox: Mutex<Outbox>,
    audiences: Mutex<HashSet<Audience>>,
    queue_limit: usize,
    work: TaskTracker,
    hub: Weak<Hub>,
}

/// How a client came in.
pub(super) struct Entrance {
    /// Where it is connected.
    pub(super) namespace: &'static str,
    /// Where it is.
    pub(super) address: ClientAddress,
    /// How it is reached.
    pub(super) link: Box<dyn Link>,
    /// Events of it that may wait.
    pub(super) queue_limit: usize,
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

impl Session {
    /// A session that takes events but does not work on them before [`Session::start`].
    pub(super) fn new(hub: &Hub, caller: Caller, entrance: Entrance) -> Arc<Self> {
        let Entrance { namespace, address: ClientAddress(address), link, queue_limit } = entrance;
        Arc::new(Self {
            no: hub.next_session_no(),
            work: hub.work(),
            caller,
            namespace,
            address,
            connected_at: hub.clock().now(),
            link,
            expires_at: AtomicI64::new(caller.expires_at.millis()),
            warned: AtomicBool::new(false),
            closed: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            cut: AtomicBool::new(false),
            abandoned: AtomicBool::new(false),
            awaited: AtomicBool::new(false),
            released: OnceLock::new(),
            life: Mutex::new(Life::New),
            hub: hub.this(),
            inbox: Mutex::default(),
            outbox: Mutex::default(),
            audiences: Mutex::default(),
            queue_limit,
        })
    }

    fn audiences(&self) -> MutexGuard<'_, HashSet<Audience>> {
        self.audiences.lock().expect("no panic under this lock")
    }

    /// How many audiences the socket belongs to.
    pub fn audience_count(&self) -> usize {
        self.audiences().len()
    }

    /// The rooms that the socket is in.
    pub fn rooms(&self) -> Vec<RoomId> {
        self.audiences().iter().filter_map(|audience| audience.room()).collect()
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
    /// Gives whether the socket was in it.
    pub(super) fn drop_audience(&self, audience: Audience) -> bool {
        let _sending = self.outbox();
        self.audiences().remove(&audience)
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
        self.listen();
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
    pub(super) fn end(&self, why: End) {
        self.ended.store(true, Ordering::SeqCst);
        self.link.end(why);
    }

    /// Says that the server stops, behind what was held back.
    pub(super) fn shut_down(self: &Arc<Self>) {
        self.release();
        self.link.shut_down();
    }

    /// Wants to know, by [`super::hub::Lifecycle::heard`], when the client shows that it lives, and
    /// asks it to where the door can.
    pub fn await_sign(&self, probe: u64) {
        self.awaited.store(true, Ordering::SeqCst);
        self.probe(probe);
    }

    /// Since when what is sent goes out and is not held back; `None` while it is.
    pub fn released_at(&self) -> Option<Instant> {
        self.released.get().copied()
    }

    fn note_released(&self) {
        self.released.get_or_init(Instant::now);
    }

    /// Ends what [`Session::await_sign`] began.
    pub fn await_no_sign(&self) {
        self.awaited.store(false, Ordering::SeqCst);
    }

    pub(super) fn is_awaited(&self) -> bool {
        self.awaited.load(Ordering::SeqCst)
    }

    /// Cuts the socket, and lets nothing more of it be worked on: it floods the server with what is
    /// refused.
    pub(super) fn abandon(self: &Arc<Self>) {
        self.abandoned.store(true, Ordering::SeqCst);
        self.cut();
    }

    /// Whether nothing more of it is worked on.
    pub(super) fn is_abandoned(&self) -> bool {
        self.abandoned.load(Ordering::SeqCst)
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
