//! From whoever sends to a socket to the task that writes to it: a bounded queue of frames, and
//! the end of the socket behind them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::Notify;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use super::framing::Framing;
use super::socket::Close;
use crate::net::connection::{Connection, Pause};
use crate::realtime::hub::Outgoing;
use crate::realtime::session::{End, Link, Sent};

/// What waits to be written to one socket.
pub(super) struct Pipe {
    state: Mutex<State>,
    /// Wakes the task that writes.
    pub(super) wake: Notify,
    connection: Arc<Connection>,
    framing: Framing,
    /// Frames that may wait; of state-like events half as many, so that others find room.
    room: usize,
}

#[derive(Default)]
struct State {
    frames: VecDeque<Message>,
    close: Option<Close>,
    /// The socket is gone, or is about to be: nothing is taken any more.
    closed: bool,
}

impl Pipe {
    pub(super) fn new(connection: Arc<Connection>, framing: Framing, room: usize) -> Arc<Self> {
        let (state, wake) = (Mutex::default(), Notify::new());
        Arc::new(Self { state, wake, connection, framing, room })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic under this lock")
    }

    /// Puts a frame at the end of the queue.
    pub(super) fn put(&self, frame: Message, room: usize) -> Sent {
        let mut state = self.state();
        if state.closed {
            return Sent::Gone;
        }
        if state.frames.len() >= room {
            return Sent::Full;
        }
        state.frames.push_back(frame);
        let was_empty = state.frames.len() == 1;
        drop(state);
        if was_empty {
            self.wake.notify_one();
        }
        Sent::Queued
    }

    /// An acknowledgement, or an error that no session tells of.
    pub(super) fn answer(&self, frame: Utf8Bytes) -> Sent {
        self.put(Message::Text(frame), self.room)
    }

    /// Everything that waits, and whether the socket is to be closed behind it.
    pub(super) fn take(&self) -> (VecDeque<Message>, Option<Close>) {
        let mut state = self.state();
        (std::mem::take(&mut state.frames), state.close)
    }

    /// Takes nothing any more.
    pub(super) fn close(&self) {
        self.state().closed = true;
    }

    /// Whether the client is not listened to just now.
    pub(super) fn is_paused(&self) -> bool {
        self.connection.is_paused()
    }

    pub(super) const fn framing(&self) -> Framing {
        self.framing
    }

    fn end(&self, close: Close) {
        let mut state = self.state();
        if !state.closed {
            (state.close, state.closed) = (Some(close), true);
        }
        drop(state);
        self.wake.notify_one();
    }
}

/// A raw socket as its session knows it.
pub(super) struct RawLink(pub(super) Arc<Pipe>);

impl Link for RawLink {
    fn send(&self, event: &Outgoing) -> Sent {
        let Some(frame) = self.0.framing.encode(event) else { return Sent::Queued };
        let room = if event.is_reliable() { self.0.room } else { self.0.room.div_ceil(2) };
        self.0.put(Message::Text(frame), room)
    }

    fn end(&self, why: End) {
        self.0.end(match why {
            End::Unauthenticated => Close::UNAUTHENTICATED,
            End::Replaced => Close::REPLACED,
            End::Disconnected => Close::DISCONNECTED,
        });
    }

    fn probe(&self, probe: u64) {
        // One that finds no room is not needed: the socket is about to be cut.
        self.0.put(Message::Ping(probe.to_be_bytes().to_vec().into()), self.0.room);
    }

    fn shut_down(&self) {
        self.0.end(Close::GOING_AWAY);
    }

    fn cut(&self) {
        self.0.close();
        self.0.connection.cut();
    }

    fn pause(&self) -> Option<Pause> {
        Some(self.0.connection.pause_reading())
    }
}
