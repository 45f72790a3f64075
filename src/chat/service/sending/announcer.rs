//! Announces messages in the order of their commits, so that a conversation's messages reach every
//! socket in the order of their `seq`: a client that resumes after the last one it saw misses none.
//! Beside the writer, which is at the next batch meanwhile.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;

use crate::chat::wire::{Message, NewMessageEvent, RECEIVE_MESSAGE};
use crate::realtime::hub::Hub;
use crate::realtime::session::SessionNo;

/// A message that nobody but its sender's socket has heard of.
pub(super) struct Announcement {
    pub(super) message: Arc<Message>,
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
    while let Some(Announcement { message, except }) = waiting.recv().await {
        let to = [message.receiver.id.audience(), message.sender.id.audience()];
        let event = NewMessageEvent { message };
        let emit = || hub.emit_except(&to, Some(except), &RECEIVE_MESSAGE, &event);
        if catch_unwind(AssertUnwindSafe(emit)).is_err() {
            tracing::error!("announcing a message panicked");
        }
    }
}
