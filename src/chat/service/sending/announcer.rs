//! Announces messages in the order of their commits, so that a conversation's messages reach every
//! socket in the order of their `seq`: a client that resumes after the last one it saw misses none.
//! Beside the writer, which is at the next batch meanwhile.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;

use crate::chat::message_wire::{AnyMessage, Message, RoomMessage};
use crate::chat::model::Addressee;
use crate::chat::room_wire::ROOM_MESSAGE;
use crate::chat::wire::{NewMessageEvent, RECEIVE_MESSAGE};
use crate::error::{Error, Result};
use crate::ids::RoomId;
use crate::realtime::hub::{Except, Hub};
use crate::realtime::session::SessionNo;

/// Messages announced in one go: what is queued for a socket together shares a system call.
const AT_ONCE: usize = 256;
/// Deliveries that may wait at one task: some tenths of a second of work.
const MOST_WAITING: u32 = 20_000;
/// Tasks for rooms, where there are as many cores.
const MOST_TASKS: usize = 8;
/// How long a sender waits until what was sent before is announced.
const PATIENCE: Duration = Duration::from_secs(8);

/// A message that nobody but its sender's socket has heard of.
pub(super) struct Announcement {
    pub(super) message: AnyMessage,
    /// The socket that gets `message_sent` instead of a one-to-one message.
    pub(super) except: SessionNo,
    pub(super) place: Place,
}

/// A place in the queue of an announcer, taken before a message is written.
pub(super) struct Place {
    way: UnboundedSender<Option<Announcement>>,
    _permit: OwnedSemaphorePermit,
}

impl Announcement {
    /// Puts the announcement into the queue in which it has its place.
    pub(super) fn announce(self) {
        let way = self.place.way.clone();
        if way.send(Some(self)).is_err() {
            tracing::error!("a message could not be announced: the announcer has ended");
        }
    }
}

/// The announcing tasks. Each conversation has one of them for ever, so that its messages stay in
/// order. One-to-one messages have one of their own; several share the work of large rooms.
pub(in crate::chat::service) struct Announcers {
    hub: Arc<Hub>,
    direct: Announcer,
    rooms: Vec<Announcer>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

struct Announcer {
    way: UnboundedSender<Option<Announcement>>,
    /// Deliveries that may still wait. Without this a room would be written to faster than it can
    /// be told, for as long as there is memory.
    free: Arc<Semaphore>,
}

impl Announcer {
    fn start(hub: &Arc<Hub>) -> (Self, JoinHandle<()>) {
        let (way, waiting) = unbounded_channel();
        let free = Arc::new(Semaphore::new(MOST_WAITING as usize));
        (Self { way, free }, tokio::spawn(announce(hub.clone(), waiting)))
    }
}

impl Announcers {
    /// Starts the tasks.
    pub(in crate::chat::service) fn start(hub: &Arc<Hub>) -> Self {
        let count = std::thread::available_parallelism().map_or(1, usize::from).min(MOST_TASKS);
        let (direct, handle) = Announcer::start(hub);
        let (rooms, mut tasks): (Vec<_>, Vec<_>) =
            (0..count).map(|_| Announcer::start(hub)).unzip();
        tasks.push(handle);
        Self { hub: hub.clone(), direct, rooms, tasks: Mutex::new(tasks) }
    }

    /// Announces what was put into the queues before, and ends the tasks.
    pub(in crate::chat::service) async fn close(&self) {
        for announcer in self.rooms.iter().chain([&self.direct]) {
            // One that has ended already was closed before.
            let _ = announcer.way.send(None);
        }
        let tasks = std::mem::take(&mut *self.tasks.lock().expect("no panic under this lock"));
        for task in tasks {
            if let Err(problem) = task.await {
                tracing::error!(%problem, "an announcer did not end well");
            }
        }
    }

    /// A place for a message to `to`. Waits while too much is to be announced there already, so
    /// that a busy room slows down its own senders and nobody else.
    ///
    /// # Errors
    /// `unavailable` when that takes too long.
    pub(super) async fn place(&self, to: Addressee) -> Result<Place> {
        let (announcer, deliveries) = match to {
            Addressee::User(_) => (&self.direct, 1),
            Addressee::Room(room) => {
                let task = usize::from(room.bytes()[11]) % self.rooms.len();
                (&self.rooms[task], self.hub.count(room.audience()))
            }
        };
        let deliveries = u32::try_from(deliveries).unwrap_or(MOST_WAITING).clamp(1, MOST_WAITING);
        let free = announcer.free.clone().acquire_many_owned(deliveries);
        match tokio::time::timeout(PATIENCE, free).await {
            Ok(Ok(permit)) => Ok(Place { way: announcer.way.clone(), _permit: permit }),
            _ => Err(Error::unavailable("Too many messages are waiting")),
        }
    }
}

async fn announce(hub: Arc<Hub>, mut waiting: UnboundedReceiver<Option<Announcement>>) {
    let mut some = Vec::with_capacity(AT_ONCE);
    while waiting.recv_many(&mut some, AT_ONCE).await > 0 {
        // Each conversation's messages stay in order; of several, none waits for another.
        let mut rooms: BTreeMap<RoomId, Vec<Arc<RoomMessage>>> = BTreeMap::new();
        let mut places = Vec::with_capacity(some.len());
        let mut ended = false;
        for announcement in some.drain(..) {
            let Some(Announcement { message, except, place }) = announcement else {
                ended = true;
                continue;
            };
            places.push(place);
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
        if ended {
            return;
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
