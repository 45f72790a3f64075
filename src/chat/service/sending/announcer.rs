//! Announces messages in the order of their commits, so that a conversation's messages reach every
//! socket in the order of their `seq`: a client that resumes after the last one it saw misses none.
//! Beside the writer, which is at the next batch meanwhile.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;

use crate::chat::room_wire::{ROOM_MESSAGE, RoomMessage};
use crate::chat::wire::{AnyMessage, Message, NewMessageEvent, RECEIVE_MESSAGE};
use crate::ids::RoomId;
use crate::realtime::hub::{Except, Hub};
use crate::realtime::session::SessionNo;

/// Messages announced in one go: what is queued for a socket together shares a system call.
const AT_ONCE: usize = 256;

/// A message that nobody but its sender's socket has heard of.
pub(super) struct Announcement {
    pub(super) message: AnyMessage,
    /// The socket that gets `message_sent` instead of a one-to-one message.
    pub(super) except: SessionNo,
}

/// The way to the announcing task. Not bounded by itself: nothing waits here that was not admitted
/// to the writer's queue, and announcing is faster than writing.
pub(super) struct Announcer(UnboundedSender<Announcement>);

impl Announcer {
    /// Starts the task; it ends when the announcer is dropped and everything is announced.
    pub(super) fn start(hub: &Arc<Hub>) -> (Self, JoinHandle<()>) {
        let (announcer, waiting) = unbounded_channel();
        (Self(announcer), tokio::spawn(announce(hub.clone(), waiting)))
    }

    pub(super) fn announce(&self, announcement: Announcement) {
        if self.0.send(announcement).is_err() {
            tracing::error!("a message could not be announced: the announcer has ended");
        }
    }
}

async fn announce(hub: Arc<Hub>, mut waiting: UnboundedReceiver<Announcement>) {
    let mut some = Vec::with_capacity(AT_ONCE);
    while waiting.recv_many(&mut some, AT_ONCE).await > 0 {
        // Each conversation's messages stay in order; of several, none waits for another.
        let mut rooms: BTreeMap<RoomId, Vec<Arc<RoomMessage>>> = BTreeMap::new();
        for Announcement { message, except } in some.drain(..) {
            match message {
                AnyMessage::Direct(message) => contained(|| tell_two(&hub, message, except)),
                AnyMessage::Room(message) => {
                    rooms.entry(message.room_id).or_default().push(message);
                }
            }
        }
        for (room, messages) in rooms {
            contained(|| hub.emit_many(&[room.audience()], &ROOM_MESSAGE, messages));
            tokio::task::yield_now().await;
        }
    }
}

fn tell_two(hub: &Hub, message: Arc<Message>, except: SessionNo) {
    let to = [message.receiver.id.audience(), message.sender.id.audience()];
    let event = NewMessageEvent { message };
    hub.emit_except(&to, Except::Socket(except), &RECEIVE_MESSAGE, &event);
}

/// A panic costs the announcement, not the announcer.
fn contained(announce: impl FnOnce()) {
    if catch_unwind(AssertUnwindSafe(announce)).is_err() {
        tracing::error!("announcing a message panicked");
    }
}
