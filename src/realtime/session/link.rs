//! What a session asks of the door that its client came in by.

use crate::net::connection::Pause;
use crate::realtime::hub::Outgoing;

/// How a session reaches its client; each door has its own.
pub trait Link: Send + Sync {
    /// Puts an event into the client's send buffer.
    fn send(&self, event: &Outgoing) -> Sent;
    /// Says goodbye: what was sent before still arrives, and the client does not come back by itself.
    fn end(&self, why: End);
    /// Asks the client for a sign of life that proves that it has got everything sent before, where
    /// the door has such a thing: [`Lifecycle::heard`](crate::realtime::hub::Lifecycle::heard) is
    /// told of it, with `probe`.
    fn probe(&self, _probe: u64) {}
    /// Says that the server stops, where that is not said by the end of the connection.
    fn shut_down(&self) {}
    /// Cuts the transport: the client reconnects and resumes.
    fn cut(&self);
    /// Takes no more from the client for a while, where it has a connection of its own.
    fn pause(&self) -> Option<Pause> {
        None
    }
}

/// Why a socket is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Its token or its login session has ended, or somebody may not be here.
    Unauthenticated,
    /// A newer socket took its place.
    Replaced,
    /// An admin ended it.
    Disconnected,
}

/// What became of an event for one socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// It is in the send buffer.
    Queued,
    /// The send buffer is full.
    Full,
    /// The socket is gone.
    Gone,
}
