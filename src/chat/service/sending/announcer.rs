//! Announces messages in the order of their commits, so that a conversation's messages reach every
//! socket in the order of their `seq`: a client that resumes after the last one it saw misses none.
//! Beside the writer, which is at the next batch meanwhile.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;

use crate::chat::message_wire::{AnyMessage, Message, RoomMessage};
use crate::chat::room_wire::ROOM_MESSAGE;
use crate::chat::wire::{NewMessageEvent, RECEIVE_MESSAGE};
use crate::ids::RoomId;
use crate::realtime::hub::{Except, Hub};
use crate::realtime::session::SessionNo;

/// Messages announced in one go: what is queued for a socket together shares a system call.
const AT_ONCE: usize = 256;
/// Deliveries that may wait at one task: some tenths of a second of work.
const MOST_WAITING: u32 = 20_000;
/// Tasks, where there are as many cores.
const MOST_TASKS: usize = 8;

/// A message that nobody but its sender's socket has heard of.
pub(super) struct Announcement {
    pub(super) message: AnyMessage,
    /// The socket that gets `message_sent` instead of a one-to-one message.
    pub(super) except: SessionNo,
}

/// The way to the announcing tasks. Each conversation has one of them for ever, so that its
/// messages stay in order; several share the work of large rooms between cores.
pub(super) struct Announcers {
    hub: Arc<Hub>,
    tasks: Vec<Announcer>,
}

struct Announcer {
    way: UnboundedSender<(Announcement, OwnedSemaphorePermit)>,
    /// Deliveries that may wait. Without this a room would be written to faster than it can be
    /// told, for as long as there is memory.
    room: Arc<Semaphore>,
}

impl Announcers {
    /// Starts the tasks; they end when the announcers are dropped and everything is announced.
    pub(super) fn start(hub: &Arc<Hub>) -> (Self, Vec<JoinHandle<()>>) {
        let count = std::thread::available_parallelism().map_or(1, usize::from).min(MOST_TASKS);
        let start = |_| {
            let (way, waiting) = unbounded_channel();
            let room = Arc::new(Semaphore::new(MOST_WAITING as usize));
            (Announcer { way, room }, tokio::spawn(announce(hub.clone(), waiting)))
        };
        let (tasks, handles) = (0..count).map(start).unzip();
        (Self { hub: hub.clone(), tasks }, handles)
    }

    /// Announces a message; waits while too much is to be announced already.
    pub(super) async fn announce(&self, announcement: Announcement) {
        let conversation = announcement.message.conversation();
        let task = &self.tasks[usize::from(conversation.bytes()[11]) % self.tasks.len()];
        let deliveries = match &announcement.message {
            AnyMessage::Direct(_) => 2,
            AnyMessage::Room(message) => self.hub.count(message.room_id.audience()),
        };
        let deliveries = u32::try_from(deliveries).unwrap_or(MOST_WAITING).clamp(1, MOST_WAITING);
        let Ok(permit) = task.room.clone().acquire_many_owned(deliveries).await else { return };
        if task.way.send((announcement, permit)).is_err() {
            tracing::error!("a message could not be announced: the announcer has ended");
        }
    }
}

async fn announce(
    hub: Arc<Hub>,
    mut waiting: UnboundedReceiver<(Announcement, OwnedSemaphorePermit)>,
) {
    let mut some = Vec::with_capacity(AT_ONCE);
    while waiting.recv_many(&mut some, AT_ONCE).await > 0 {
        // Each conversation's messages stay in order; of several, none waits for another.
        let mut rooms: BTreeMap<RoomId, Vec<Arc<RoomMessage>>> = BTreeMap::new();
        let mut permits = Vec::with_capacity(some.len());
        for (Announcement { message, except }, permit) in some.drain(..) {
            permits.push(permit);
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
