//! What a client is sent: held back while it connects, and what becomes of it when the client is
//! too slow.

use std::sync::{Arc, MutexGuard};
use std::time::Duration;

use super::{Sent, Session};
use crate::realtime::hub::{Audience, Outgoing};

/// Events that may wait while a socket is held back, before it counts as too slow.
const HELD_EVENTS: usize = 1024;

/// How long the send buffer of a socket may stay full before an answer that waits gives up.
const ANSWER_TRIES: u32 = 2500;
const BETWEEN_TRIES: Duration = Duration::from_millis(2);

#[derive(Default)]
pub(super) struct Outbox {
    held: Option<Vec<Outgoing>>,
}

impl Session {
    pub(super) fn outbox(&self) -> MutexGuard<'_, Outbox> {
        self.outbox.lock().expect("no panic under this lock")
    }

    /// Holds back what is sent until [`Session::release`].
    pub(in crate::realtime) fn hold(&self) {
        self.outbox().held.get_or_insert_default();
    }

    /// Sends what was held back, in order, and holds no more.
    pub(in crate::realtime) fn release(self: &Arc<Self>) {
        let mut outbox = self.outbox();
        for event in outbox.held.take().unwrap_or_default() {
            self.put(&event);
        }
    }

    /// Sends an event, or holds it back. A socket that is too slow for a reliable event is cut;
    /// one that is too slow for a state-like event misses it.
    pub(in crate::realtime) fn send(self: &Arc<Self>, event: &Outgoing) {
        self.put_or_hold(&mut self.outbox(), event);
    }

    /// Sends events that are for these audiences, as [`Session::send`] does, unless the socket is
    /// in none of them any more: once it has left one, nothing for that one reaches it.
    pub(in crate::realtime) fn send_to(self: &Arc<Self>, these: &[Audience], events: &[Outgoing]) {
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
    pub(in crate::realtime) fn send_first(self: &Arc<Self>, event: &Outgoing) {
        self.put(event);
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
}
