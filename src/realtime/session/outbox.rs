//! What a client is sent: held back while it connects, and what becomes of it when the client is
//! too slow.

use std::collections::HashMap;
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
const MOST_LATE: usize = 20_000;

#[derive(Default)]
pub(super) struct Outbox {
    held: Option<Vec<Outgoing>>,
    /// The latest of each thing for which there was no room.
    late: HashMap<Key, Outgoing>,
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
            self.put(&mut outbox, &event);
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
            None => self.put(outbox, event),
        }
    }

    /// Sends an event past the hold: what the hold is waiting for.
    pub(in crate::realtime) fn send_first(self: &Arc<Self>, event: &Outgoing) {
        self.put(&mut self.outbox(), event);
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

    fn put(self: &Arc<Self>, outbox: &mut Outbox, event: &Outgoing) {
        // What is late of the same thing is out of date now.
        if let Some(late) = event.key().and_then(|key| outbox.late.get_mut(&key)) {
            *late = event.clone();
            return;
        }
        if self.link.send(event) != Sent::Full {
            return;
        }
        if event.is_reliable() {
            metrics::counter!("waggle_slow_cuts_total").increment(1);
            tracing::info!(user = %self.caller.user, event = event.name(), "socket reads too slowly, cut");
            return self.cut();
        }
        metrics::counter!("waggle_thinned_events_total", "event" => event.name()).increment(1);
        if let Some(key) = event.key().filter(|_| outbox.late.len() < MOST_LATE) {
            if outbox.late.is_empty() {
                tokio::spawn(self.clone().catch_up());
            }
            outbox.late.insert(key, event.clone());
        }
    }

    /// Sends what is late as soon as there is room for it.
    async fn catch_up(self: Arc<Self>) {
        while !self.is_closed() {
            tokio::time::sleep(BETWEEN_LATE).await;
            let mut outbox = self.outbox();
            let mut room = true;
            outbox.late.retain(|_, event| {
                room = room && self.link.send(event) != Sent::Full;
                !room
            });
            if outbox.late.is_empty() {
                outbox.late.shrink_to_fit();
                return;
            }
        }
    }
}
