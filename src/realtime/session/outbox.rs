//! What a client is sent: held back while it connects, and what becomes of it when the client is
//! too slow.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, MutexGuard};
use std::time::Duration;

use super::{Sent, Session};
use crate::realtime::hub::{Audience, Key, Outgoing};

/// Events that may wait while a socket is held back, before it counts as too slow.
const HELD_EVENTS: usize = 1024;

/// How long the send buffer of a socket may stay full before an answer that waits gives up.
const ANSWER_TRIES: u32 = 2500;
const BETWEEN_TRIES: Duration = Duration::from_millis(2);

/// How often a socket that was too slow is tried again with the latest of what it missed.
const BETWEEN_LATE: Duration = Duration::from_millis(50);
/// Things of which a slow socket can get the latest; of more it misses some.
const MOST_LATE: usize = 10_000;

#[derive(Default)]
pub(super) struct Outbox {
    held: Option<Vec<Held>>,
    late: Late,
}

/// What waits until the socket is let in.
enum Held {
    Event(Addressed),
    /// A wish for a sign of life, behind the events that it is to prove.
    Probe(u64),
}

/// An event that waits, and the audiences it is for; for the socket itself where there are none.
struct Addressed {
    event: Outgoing,
    to: Box<[Audience]>,
}

impl Addressed {
    fn new(event: &Outgoing, to: &[Audience]) -> Self {
        Self { event: event.clone(), to: to.into() }
    }

    /// Whether it is still for the socket: nothing reaches one that has left its audiences.
    fn is_for(&self, session: &Session) -> bool {
        self.to.is_empty() || session.is_in_any(&self.to)
    }
}

/// The latest of each thing for which there was no room, those first that have waited longest.
#[derive(Default)]
struct Late {
    order: VecDeque<Key>,
    latest: HashMap<Key, Addressed>,
}

impl Session {
    pub(super) fn outbox(&self) -> MutexGuard<'_, Outbox> {
        self.outbox.lock().expect("no panic under this lock")
    }

    fn is_in_any(&self, these: &[Audience]) -> bool {
        let audiences = self.audiences();
        these.iter().any(|audience| audiences.contains(audience))
    }

    /// Holds back what is sent until [`Session::release`].
    pub(in crate::realtime) fn hold(&self) {
        self.outbox().held.get_or_insert_default();
    }

    /// Sends what was held back, in order, and holds no more.
    pub(in crate::realtime) fn release(self: &Arc<Self>) {
        let mut outbox = self.outbox();
        // Before anything goes out: what answers it may be quick.
        self.note_released();
        for held in outbox.held.take().unwrap_or_default() {
            match held {
                Held::Event(event) if event.is_for(self) => {
                    self.put(&mut outbox, &event.event, &event.to);
                }
                Held::Event(_) => {}
                Held::Probe(probe) => self.link.probe(probe),
            }
        }
    }

    /// Asks the client for a sign of life, behind everything that was sent to it.
    pub(super) fn probe(&self, probe: u64) {
        match &mut self.outbox().held {
            Some(held) => held.push(Held::Probe(probe)),
            None => self.link.probe(probe),
        }
    }

    /// Sends an event, or holds it back. A socket that is too slow for a reliable event is cut;
    /// one that is too slow for a state-like event misses it.
    pub(in crate::realtime) fn send(self: &Arc<Self>, event: &Outgoing) {
        self.put_or_hold(&mut self.outbox(), event, &[]);
    }

    /// Sends events that are for these audiences, as [`Session::send`] does, unless the socket is
    /// in none of them any more: once it has left one, nothing for that one reaches it.
    pub(in crate::realtime) fn send_to(self: &Arc<Self>, these: &[Audience], events: &[Outgoing]) {
        let mut outbox = self.outbox();
        if self.is_in_any(these) {
            events.iter().for_each(|event| self.put_or_hold(&mut outbox, event, these));
        }
    }

    fn put_or_hold(self: &Arc<Self>, outbox: &mut Outbox, event: &Outgoing, to: &[Audience]) {
        match &mut outbox.held {
            Some(held) if held.len() < HELD_EVENTS => {
                held.push(Held::Event(Addressed::new(event, to)));
            }
            Some(_) if event.is_reliable() => self.cut(),
            Some(_) => {}
            None => self.put(outbox, event, to),
        }
    }

    /// Sends an event past the hold: what the hold is waiting for.
    pub(in crate::realtime) fn send_first(self: &Arc<Self>, event: &Outgoing) {
        self.put(&mut self.outbox(), event, &[]);
    }

    /// Sends an answer as soon as the send buffer has room: a client may ask faster than it is
    /// answered. One that takes nothing for too long is cut.
    pub(in crate::realtime) async fn answer(self: &Arc<Self>, send: impl Fn() -> Sent + Send) {
        for _ in 0..ANSWER_TRIES {
            if send() != Sent::Full {
                return;
            }
            tokio::time::sleep(BETWEEN_TRIES).await;
        }
        self.cut();
    }

    /// Sends an event past the hold, and says what became of it.
    pub(in crate::realtime) fn try_send(&self, event: &Outgoing) -> Sent {
        self.link.send(event)
    }

    fn put(self: &Arc<Self>, outbox: &mut Outbox, event: &Outgoing, to: &[Audience]) {
        // What is late of the same thing is out of date now.
        if let Some(late) = event.key().and_then(|key| outbox.late.latest.get_mut(&key)) {
            *late = Addressed::new(event, to);
            return;
        }
        if self.link.send(event) != Sent::Full {
            return;
        }
        if event.is_reliable() {
            metrics::counter!("waggle_slow_cuts_total").increment(1);
            let (socket, user) = (self.no, self.caller.user);
            tracing::info!(%socket, %user, event = event.name(), "socket reads too slowly, cut");
            return self.cut();
        }
        metrics::counter!("waggle_thinned_events_total", "event" => event.name()).increment(1);
        let late = &mut outbox.late;
        if let Some(key) = event.key().filter(|_| late.order.len() < MOST_LATE) {
            if late.order.is_empty() {
                tokio::spawn(self.clone().catch_up());
            }
            late.order.push_back(key);
            late.latest.insert(key, Addressed::new(event, to));
        }
    }

    /// Sends what is late as soon as there is room for it.
    async fn catch_up(self: Arc<Self>) {
        while !self.is_closed() {
            tokio::time::sleep(BETWEEN_LATE).await;
            let late = &mut self.outbox().late;
            while let Some(key) = late.order.front() {
                let is_out = late.latest.get(key).is_none_or(|event| {
                    !event.is_for(&self) || self.link.send(&event.event) != Sent::Full
                });
                if !is_out {
                    break;
                }
                late.latest.remove(key);
                late.order.pop_front();
            }
            if late.order.is_empty() {
                *late = Late::default();
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::caller::{Caller, Role};
    use crate::clock::{Clock, Timestamp};
    use crate::config::SocketParser;
    use crate::ids::{LoginId, UserId};
    use crate::realtime::hub::Hub;
    use crate::realtime::relay::local::Local;
    use crate::realtime::session::testing::let_in;

    #[tokio::test]
    async fn a_socket_that_is_held_back_hears_that_the_server_stops_before_it_is_closed() {
        let now = Timestamp::from_millis(0);
        let hub = Hub::new(Box::new(Local), SocketParser::Common, &Clock::manual(now));
        let caller = Caller {
            user: UserId::generate(now),
            role: Role::Driver,
            login: LoginId::generate(now),
            expires_at: Timestamp::from_millis(i64::MAX),
        };
        let (session, told) = let_in(&hub, caller);
        hub.drain(Duration::ZERO).await;
        assert!(told.lock().unwrap().is_empty());
        hub.shut_down(Duration::ZERO).await;
        session.release();
        assert_eq!(*told.lock().unwrap(), ["server_shutdown", "close"]);
    }
}
