//! The way to everybody: which socket belongs to which audience, and how an event gets there.
//!
//! The hub keeps its own membership rather than the engine's rooms, because a broadcast to a room
//! does not say which of its sockets was too slow, and such a socket has to be cut
//! (ARCHITECTURE, "Slow readers").

mod audience;
mod commands;
mod lifecycle;
mod outgoing;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};

use serde::Serialize;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use audience::Audience;
use audience::Audiences;
pub use lifecycle::{
    Expiring, Lifecycle, SERVER_SHUTDOWN, ShuttingDown, Sign, TOKEN_EXPIRED, TOKEN_EXPIRING,
};

pub use outgoing::{Key, Outgoing};

use super::events::ServerEvent;
use super::relay::{Envelope, Relay};
use super::session::{Session, SessionNo};
use crate::clock::Clock;
use crate::config::SocketParser;
use crate::ids::UserId;

/// Who of an audience is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Except {
    /// Nobody.
    Nobody,
    /// One socket; it is here, so that other nodes leave out nobody.
    Socket(SessionNo),
    /// All sockets of a user.
    User(UserId),
}

impl Except {
    fn leaves_out(self, session: &Session) -> bool {
        match self {
            Self::Nobody => false,
            Self::Socket(no) => session.no == no,
            Self::User(user) => session.caller.user == user,
        }
    }
}

/// The way to everybody.
pub struct Hub {
    audiences: Audiences,
    relay: Box<dyn Relay>,
    parser: SocketParser,
    clock: Clock,
    next_no: AtomicU64,
    work: TaskTracker,
    doors: TaskTracker,
    draining: CancellationToken,
    closing: AtomicBool,
    watchers: OnceLock<Vec<Arc<dyn Lifecycle>>>,
    this: Weak<Self>,
}

impl Hub {
    /// A hub without sockets.
    pub fn new(relay: Box<dyn Relay>, parser: SocketParser, clock: &Clock) -> Arc<Self> {
        Arc::new_cyclic(|this| Self {
            this: this.clone(),
            audiences: Audiences::default(),
            relay,
            parser,
            clock: clock.clone(),
            next_no: AtomicU64::new(SessionNo::first()),
            work: TaskTracker::new(),
            doors: TaskTracker::new(),
            draining: CancellationToken::new(),
            closing: AtomicBool::new(false),
            watchers: OnceLock::new(),
        })
    }

    /// Sends an event to every socket of some audiences, once each. Where nobody hears it, it is not
    /// even serialized.
    pub fn emit<T: Serialize>(&self, to: &[Audience], event: &ServerEvent<T>, payload: &T) {
        self.emit_except(to, Except::Nobody, event, payload);
    }

    /// As [`Hub::emit`], without some.
    pub fn emit_except<T: Serialize>(
        &self,
        to: &[Audience],
        except: Except,
        event: &ServerEvent<T>,
        payload: &T,
    ) {
        self.emit_all(to, except, event, || vec![self.outgoing(event, payload)]);
    }

    /// As [`Hub::emit`], several payloads at once: what is queued together shares a system call.
    pub fn emit_many<T: Serialize, P: std::ops::Deref<Target = T>>(
        &self,
        to: &[Audience],
        event: &ServerEvent<T>,
        payloads: impl IntoIterator<Item = P>,
    ) {
        self.emit_all(to, Except::Nobody, event, || {
            payloads.into_iter().map(|payload| self.outgoing(event, &payload)).collect()
        });
    }

    fn emit_all<T>(
        &self,
        to: &[Audience],
        except: Except,
        event: &ServerEvent<T>,
        serialize: impl FnOnce() -> Vec<Outgoing>,
    ) {
        let mut sessions = self.audiences.sessions(to);
        sessions.retain(|one| event.kind.reaches(one.namespace) && !except.leaves_out(one));
        if sessions.is_empty() && !self.relay.reaches_others() {
            return;
        }
        let events = serialize();
        sessions.iter().for_each(|session| session.send_to(to, &events));
        if self.relay.reaches_others() {
            for event in events {
                self.relay.publish(&Envelope::Event { to: to.to_vec(), except, event });
            }
        }
    }

    /// Sends an event to one socket, if its namespace carries it.
    pub fn send<T: Serialize>(&self, session: &Arc<Session>, event: &ServerEvent<T>, payload: &T) {
        if event.kind.reaches(session.namespace) {
            session.send(&self.outgoing(event, payload));
        }
    }

    /// Sends an event to one socket that is held back, before everything else.
    pub fn send_first<T: Serialize>(
        &self,
        session: &Arc<Session>,
        event: &ServerEvent<T>,
        payload: &T,
    ) {
        session.send_first(&self.outgoing(event, payload));
    }

    pub(super) fn outgoing<T: Serialize>(&self, event: &ServerEvent<T>, payload: &T) -> Outgoing {
        Outgoing::new(event, payload, self.parser)
    }

    /// Puts a socket into one more audience. Does nothing for a socket that is gone.
    pub fn join(&self, session: &Arc<Session>, audience: Audience) {
        if session.note_audience(audience) {
            self.audiences.insert(audience, session);
            if session.is_closed() {
                self.audiences.remove(audience, session.no);
            }
        }
    }

    /// Takes a socket out of an audience; gives whether it was in it.
    pub fn leave(&self, session: &Session, audience: Audience) -> bool {
        let was_in = session.drop_audience(audience);
        self.audiences.remove(audience, session.no);
        was_in
    }

    /// Takes every socket of one audience out of another, and gives those that were in it.
    pub fn leave_all(&self, these: Audience, audience: Audience) -> Vec<Arc<Session>> {
        let sessions = self.sessions_in(these, audience);
        for session in &sessions {
            self.leave(session, audience);
        }
        sessions
    }

    /// The sockets that are in both of two audiences, connected here.
    pub fn sessions_in(&self, these: Audience, those: Audience) -> Vec<Arc<Session>> {
        let mut sessions = self.audiences.sessions(&[these]);
        sessions.retain(|session| session.is_in(those));
        sessions
    }

    /// Puts every socket that is in both of two audiences into a third, and gives them.
    pub fn join_all(
        &self,
        these: Audience,
        those: Audience,
        audience: Audience,
    ) -> Vec<Arc<Session>> {
        let sessions = self.sessions_in(these, those);
        sessions.iter().for_each(|session| self.join(session, audience));
        sessions
    }

    /// The socket with this number, if it is connected here.
    pub fn socket(&self, no: SessionNo) -> Option<Arc<Session>> {
        self.audiences.member(Audience::EVERYONE, no)
    }

    /// Sockets of any of some audiences that are connected here, once each, by their numbers.
    pub fn sockets_of_any(&self, these: &[Audience]) -> Vec<Arc<Session>> {
        let mut sessions = self.audiences.sessions(these);
        sessions.sort_unstable_by_key(|session| session.no);
        sessions
    }

    /// How many sockets of an audience are connected here.
    pub fn count(&self, audience: Audience) -> usize {
        self.audiences.count(audience)
    }

    /// How many sockets are connected here.
    pub fn sockets(&self) -> usize {
        self.audiences.count(Audience::EVERYONE)
    }

    /// How many sockets of a user are connected here.
    pub fn sockets_of(&self, user: UserId) -> usize {
        self.audiences.count(user.audience())
    }

    /// The time.
    pub const fn clock(&self) -> &Clock {
        &self.clock
    }

    /// How packets are written.
    pub const fn parser(&self) -> SocketParser {
        self.parser
    }

    /// Whether there can be sockets on other nodes.
    pub fn reaches_others(&self) -> bool {
        self.relay.reaches_others()
    }

    /// What start-up calls the relay.
    pub fn relay_name(&self) -> &'static str {
        self.relay.name()
    }

    pub(super) fn next_session_no(&self) -> SessionNo {
        SessionNo::from(self.next_no.fetch_add(1, Ordering::Relaxed))
    }

    pub(super) fn this(&self) -> Weak<Self> {
        self.this.clone()
    }

    /// Tasks of raw sockets: they end when their clients have been told so.
    pub(super) const fn doors(&self) -> &TaskTracker {
        &self.doors
    }

    /// Tasks that a graceful stop waits for.
    pub fn work(&self) -> TaskTracker {
        self.work.clone()
    }
}
