//! Which TCP connection carries which Engine.IO session, so that a session can be cut at the
//! transport, whichever transport it has moved to. The engine has no call for that (FACTS §1.3).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use socketioxide::socket::Sid;

use crate::clock::Clock;
use crate::net::server::Connection;

/// How long a cut polling session is answered as unknown: longer than the engine remembers it.
const CUT_FOR: Duration = Duration::from_secs(120);

/// The transports of Engine.IO sessions, by session id.
pub(super) struct Transports {
    /// Sessions that moved from polling to a WebSocket.
    upgraded: Mutex<HashMap<Sid, Weak<Connection>>>,
    /// Polling sessions that were cut, and until when they count as unknown.
    cut: Mutex<HashMap<Sid, Duration>>,
    /// Polls that wait for something to send.
    polls: Mutex<HashMap<Sid, Weak<Connection>>>,
    /// How many sockets each session carries.
    sockets: Mutex<HashMap<Sid, usize>>,
    clock: Clock,
}

impl Transports {
    pub(super) fn new(clock: &Clock) -> Self {
        let (upgraded, cut, polls, sockets) = Default::default();
        Self { upgraded, cut, polls, sockets, clock: clock.clone() }
    }

    /// Notes that a session carries one more socket.
    pub(super) fn joined(&self, sid: Sid) {
        let mut sockets = self.sockets.lock().expect("no panic under this lock");
        *sockets.entry(sid).or_default() += 1;
    }

    /// Notes that a session carries one socket less; `true` when that was the last.
    pub(super) fn left(&self, sid: Sid) -> bool {
        let mut sockets = self.sockets.lock().expect("no panic under this lock");
        match sockets.get_mut(&sid) {
            Some(count) if *count > 1 => {
                *count -= 1;
                false
            }
            _ => sockets.remove(&sid).is_some(),
        }
    }

    /// Whether a session carries no socket.
    pub(super) fn is_bare(&self, sid: Sid) -> bool {
        !self.sockets.lock().expect("no panic under this lock").contains_key(&sid)
    }

    /// Notes that a session now runs over the WebSocket on `connection`.
    pub(super) fn upgraded(&self, sid: Sid, connection: &Arc<Connection>) {
        let mut upgraded = self.upgraded.lock().expect("no panic under this lock");
        if upgraded.len() >= 1024 && upgraded.len() == upgraded.capacity() {
            upgraded.retain(|_, connection| connection.strong_count() > 0);
        }
        upgraded.insert(sid, Arc::downgrade(connection));
    }

    /// Notes the connection on which a session's poll is waiting.
    pub(super) fn polls(&self, sid: Sid, connection: &Arc<Connection>) {
        let mut polls = self.polls.lock().expect("no panic under this lock");
        polls.insert(sid, Arc::downgrade(connection));
    }

    /// Notes that a session's poll was answered.
    pub(super) fn polled(&self, sid: Sid) {
        self.polls.lock().expect("no panic under this lock").remove(&sid);
    }

    /// Cuts a session: its WebSocket, or else the poll that waits and every later one. The
    /// handshake's connection is the WebSocket's own, or a poller's, which may be shared behind a
    /// proxy and is left alone.
    pub(super) fn cut(&self, sid: Sid, handshake: &Connection, is_websocket: bool) {
        let upgraded = self.upgraded.lock().expect("no panic under this lock").remove(&sid);
        if let Some(connection) = upgraded.and_then(|connection| connection.upgrade()) {
            return connection.cut();
        }
        if is_websocket {
            return handshake.cut();
        }
        let now = self.clock.monotonic();
        let mut cut = self.cut.lock().expect("no panic under this lock");
        cut.retain(|_, until| *until > now);
        cut.insert(sid, now + CUT_FOR);
        drop(cut);
        let poll = self.polls.lock().expect("no panic under this lock").remove(&sid);
        if let Some(connection) = poll.and_then(|connection| connection.upgrade()) {
            connection.cut();
        }
    }

    /// Whether polls of this session must be refused.
    pub(super) fn is_cut(&self, sid: Sid) -> bool {
        self.cut.lock().expect("no panic under this lock").contains_key(&sid)
    }

    /// Forgets a session that ended.
    pub(super) fn forget(&self, sid: Sid) {
        self.upgraded.lock().expect("no panic under this lock").remove(&sid);
        self.polled(sid);
    }
}
