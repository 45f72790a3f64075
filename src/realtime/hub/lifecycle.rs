//! A socket's life in the hub: how it comes, how long its token lets it stay, how it goes, and
//! how all of them go when the server stops.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde::Serialize;
use tokio_util::sync::WaitForCancellationFuture;
use utoipa::ToSchema;

use super::{Audience, Hub};
use crate::clock::Timestamp;
use crate::realtime::events::{EVERYWHERE, ServerEvent};
use crate::realtime::relay::Command;
use crate::realtime::session::{End, Life, Session};

/// How long before its end a token's socket is told (CONTRACT §2).
const WARNING: Duration = Duration::from_secs(60);
/// How often the ends of tokens are looked for.
const EXPIRY_CHECK: Duration = Duration::from_millis(250);

/// The token of this socket ends soon.
pub const TOKEN_EXPIRING: ServerEvent<Expiring> =
    ServerEvent::reliable("token_expiring", EVERYWHERE);
/// The token of this socket has ended; the socket ends too.
pub const TOKEN_EXPIRED: ServerEvent<Expiring> = ServerEvent::reliable("token_expired", EVERYWHERE);
/// The server stops; reconnect, to another node or in a while.
pub const SERVER_SHUTDOWN: ServerEvent<ShuttingDown> =
    ServerEvent::reliable("server_shutdown", EVERYWHERE);

/// `{expiresAt}`.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Expiring {
    /// When the token ends, or ended.
    pub expires_at: Timestamp,
}

/// `{reason}`.
#[derive(Debug, Serialize, ToSchema)]
pub struct ShuttingDown {
    /// Why.
    pub reason: &'static str,
}

/// Somebody who must know of sockets that come and go. Called on the engine's tasks, `opened` and
/// `closed` of one socket never at once: quick, no waiting, no panic, nothing that ends the socket.
pub trait Lifecycle: Send + Sync {
    /// Whether a socket that has just been connected may stay.
    fn admits(&self, _session: &Arc<Session>) -> bool {
        true
    }
    /// A socket was connected; it is in its audiences already.
    fn opened(&self, _session: &Arc<Session>) {}
    /// A socket is gone.
    fn closed(&self, _session: &Arc<Session>) {}
    /// A socket of which [`Session::await_sign`] was asked has shown that its client lives. Called
    /// for every frame while that is so: quick.
    fn heard(&self, _session: &Arc<Session>, _sign: Sign) {}
    /// A node gave a command.
    fn commanded(&self, _command: Command) {}
}

/// What shows that a client lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// It sent something; perhaps before it got what was sent to it last.
    Frame,
    /// It answered this probe, and has everything that was sent before it.
    Probe(u64),
}

impl Hub {
    /// Sets, once, who is told of sockets that come and go.
    pub fn watch(&self, watchers: Vec<Arc<dyn Lifecycle>>) {
        if self.watchers.set(watchers).is_err() {
            tracing::error!("the watchers of the hub were set twice");
        }
    }

    pub(super) fn watching(&self, tell: impl Fn(&dyn Lifecycle)) {
        self.watchers.get().into_iter().flatten().for_each(|watcher| tell(watcher.as_ref()));
    }

    /// Takes in a socket whose client is about to hear that it is connected.
    pub(in crate::realtime) fn open(&self, session: &Arc<Session>) {
        {
            let mut life = session.life();
            if *life != Life::New {
                return;
            }
            *life = Life::Open;
            self.take_in(session);
        }
        let may_stay =
            self.watchers.get().into_iter().flatten().all(|watcher| watcher.admits(session));
        if !may_stay {
            self.end(session, End::Unauthenticated);
        } else if session.expires_at() <= self.clock.now() + WARNING {
            self.check_expiry(session);
        }
    }

    fn take_in(&self, session: &Arc<Session>) {
        let caller = session.caller;
        for audience in [Audience::EVERYONE, caller.user.audience(), caller.login.audience()] {
            session.note_audience(audience);
            self.audiences.insert(audience, session);
        }
        metrics::gauge!("waggle_sockets", "namespace" => session.namespace).increment(1);
        let (socket, user, namespace) = (session.no, caller.user, session.namespace);
        tracing::debug!(%socket, %user, namespace, "socket connected");
        self.watching(|watcher| watcher.opened(session));
    }

    /// Lets go of a socket that is gone. Later calls do nothing.
    pub(in crate::realtime) fn close(&self, session: &Arc<Session>) {
        let mut life = session.life();
        if std::mem::replace(&mut *life, Life::Closed) != Life::Open {
            return;
        }
        session.note_closed();
        for audience in session.take_audiences() {
            self.audiences.remove(audience, session.no);
        }
        metrics::gauge!("waggle_sockets", "namespace" => session.namespace).decrement(1);
        let (socket, user, namespace) = (session.no, session.caller.user, session.namespace);
        tracing::debug!(%socket, %user, namespace, "socket gone");
        self.watching(|watcher| watcher.closed(session));
    }

    /// Tells those who wait for it that a client lives.
    pub(in crate::realtime) fn heard(&self, session: &Arc<Session>, sign: Sign) {
        if session.is_awaited() {
            self.watching(|watcher| watcher.heard(session, sign));
        }
    }

    /// Ends a socket for good: its client does not come back by itself.
    pub fn end(&self, session: &Arc<Session>, why: End) {
        session.end(why);
        self.close(session);
    }

    /// Warns and ends sockets whose token runs out, for as long as the hub lives.
    pub fn watch_expiry(self: &Arc<Self>) {
        let hub = Arc::downgrade(self);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(EXPIRY_CHECK).await;
                let Some(hub) = hub.upgrade().filter(|hub| !hub.is_draining()) else { return };
                let soon = hub.clock.now() + WARNING;
                let sessions = hub.audiences.sessions(&[Audience::EVERYONE]);
                sessions
                    .iter()
                    .filter(|s| s.expires_at() <= soon)
                    .for_each(|s| hub.check_expiry(s));
            }
        });
    }

    fn check_expiry(&self, session: &Arc<Session>) {
        let expires_at = session.expires_at();
        if expires_at <= self.clock.now() {
            self.send_first(session, &TOKEN_EXPIRED, &Expiring { expires_at });
            self.end(session, End::Unauthenticated);
        } else if session.must_be_warned() {
            self.send(session, &TOKEN_EXPIRING, &Expiring { expires_at });
        }
    }

    /// Whether the server is about to stop.
    pub fn is_draining(&self) -> bool {
        self.draining.is_cancelled()
    }

    /// Ready when the server is about to stop.
    pub(in crate::realtime) fn drains(&self) -> WaitForCancellationFuture<'_> {
        self.draining.cancelled()
    }

    /// Takes no new sockets and no new events from here on.
    pub fn start_draining(&self) {
        self.draining.cancel();
    }

    /// Whether no event is begun any more: what still waits for its turn would hold up the end of the
    /// sockets.
    pub(in crate::realtime) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::SeqCst)
    }

    /// Tells every socket that the server stops, and waits until the events taken before are done.
    pub async fn drain(&self, patience: Duration) {
        self.emit(&[Audience::EVERYONE], &SERVER_SHUTDOWN, &ShuttingDown { reason: "shutdown" });
        self.work.close();
        if tokio::time::timeout(patience, self.work.wait()).await.is_err() {
            tracing::warn!(left = self.work.len(), "events were still being worked on");
        }
        self.closing.store(true, Ordering::SeqCst);
    }

    /// Closes the sockets that are closed with a code, and waits until their clients have it.
    pub async fn shut_down(&self, patience: Duration) {
        self.audiences.sessions(&[Audience::EVERYONE]).iter().for_each(|one| one.shut_down());
        self.doors.close();
        if tokio::time::timeout(patience, self.doors.wait()).await.is_err() {
            tracing::debug!(left = self.doors.len(), "clients did not close their sockets");
        }
    }
}
