//! Which TCP connection carries which Engine.IO session, so that a session can be cut at the
//! transport, whichever transport it has moved to. The engine has no call for that (FACTS §1.3).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::time::Duration;

use socketioxide::socket::Sid;

use super::session::SessionNo;
use crate::clock::Clock;
use crate::net::connection::Connection;

/// How long a cut polling session is answered as unknown: longer than the engine remembers it.
const CUT_FOR: Duration = Duration::from_secs(120);

/// The transports of Engine.IO sessions, by session id.
pub(super) struct Transports {
    known: Mutex<Known>,
    clock: Clock,
}

#[derive(Default)]
struct Known {
    /// Sessions that moved from polling to a WebSocket.
    upgraded: HashMap<Sid, Weak<Connection>>,
    /// Polls that wait for something to send.
    polls: HashMap<Sid, Weak<Connection>>,
    /// Polling sessions that were cut, and until when they count as unknown.
    cut: HashMap<Sid, Duration>,
    /// The sockets that each session carries.
    sockets: HashMap<Sid, Vec<SessionNo>>,
}

impl Transports {
    pub(super) fn new(clock: &Clock) -> Self {
        Self { known: Mutex::default(), clock: clock.clone() }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().expect("no panic under this lock")
    }

    /// Notes that a session carries this socket.
    pub(super) fn joined(&self, sid: Sid, no: SessionNo) {
        self.known().sockets.entry(sid).or_default().push(no);
    }

    /// Notes that a session does not carry this socket any more; `true` when it was the last.
    /// Later calls do nothing.
    pub(super) fn left(&self, sid: Sid, no: SessionNo) -> bool {
        let mut known = self.known();
        let Some(carried) = known.sockets.get_mut(&sid) else { return false };
        carried.retain(|other| *other != no);
        carried.is_empty() && known.sockets.remove(&sid).is_some()
    }

    /// Whether a session carries no socket.
    pub(super) fn is_bare(&self, sid: Sid) -> bool {
        !self.known().sockets.contains_key(&sid)
    }

    /// Notes that a session now runs over the WebSocket on `connection`. The engine answers a second
    /// upgrade too and then drops it, so the first one counts while it lives.
    pub(super) fn upgraded(&self, sid: Sid, connection: &Arc<Connection>) {
        let upgraded = &mut self.known().upgraded;
        if upgraded.len() >= 1024 && upgraded.len() == upgraded.capacity() {
            upgraded.retain(|_, connection| connection.strong_count() > 0);
        }
        let noted = upgraded.entry(sid).or_default();
        if noted.strong_count() == 0 {
            *noted = Arc::downgrade(connection);
        }
    }

    /// Notes the connection on which a session's poll is waiting.
    pub(super) fn polls(&self, sid: Sid, connection: &Arc<Connection>) {
        self.known().polls.insert(sid, Arc::downgrade(connection));
    }

    /// Notes that a session's poll waits no more.
    pub(super) fn polled(&self, sid: Sid) {
        self.known().polls.remove(&sid);
    }

    /// Cuts a session: its WebSocket, or else the poll that waits and every later one. `handshake`
    /// is the WebSocket that the session began on, if it did; the connection of a poller's handshake
    /// may be shared behind a proxy and is left alone.
    pub(super) fn cut(&self, sid: Sid, handshake: Option<&Arc<Connection>>) {
        if let Some(connection) = self.websocket(sid, handshake) {
            return connection.cut();
        }
        let now = self.clock.monotonic();
        let mut known = self.known();
        known.cut.retain(|_, until| *until > now);
        known.cut.insert(sid, now + CUT_FOR);
        let poll = known.polls.remove(&sid).and_then(|connection| connection.upgrade());
        drop(known);
        if let Some(connection) = poll {
            connection.cut();
        }
    }

    /// The WebSocket that a session runs over, if it does: the one it moved to, or `handshake`.
    pub(super) fn websocket(
        &self,
        sid: Sid,
        handshake: Option<&Arc<Connection>>,
    ) -> Option<Arc<Connection>> {
        let moved_to = self.known().upgraded.get(&sid).and_then(Weak::upgrade);
        moved_to.or_else(|| handshake.cloned())
    }

    /// Whether polls of this session must be refused.
    pub(super) fn is_cut(&self, sid: Sid) -> bool {
        self.known().cut.contains_key(&sid)
    }

    /// Forgets a session that ended.
    pub(super) fn forget(&self, sid: Sid) {
        let mut known = self.known();
        known.upgraded.remove(&sid);
        known.polls.remove(&sid);
    }
}
