//! Sending: a message is acknowledged and announced when it is on disk, not before.

mod announcer;

use std::sync::Arc;

use futures_util::FutureExt;
use quick_cache::sync::Cache;

use super::{BATCH, Chat, WAITING};
use crate::chat::message_wire::{AnyMessage, Message, Person, RoomMessage};
use crate::chat::model::{Addressee, NewMessage, StoredMessage};
use crate::chat::requests::SendMessage;

use crate::chat::store::{Appended, ChatStore};

use crate::error::{Error, Result};
use crate::ids::{ConversationId, MessageId};
use crate::presence::service::Presence;
use crate::realtime::hub::Hub;
use crate::realtime::session::{Session, SessionNo};
use crate::store::group::GroupCommit;

pub(super) use announcer::Announcers;
use announcer::{Announcement, Place};

/// Messages without a known outcome that are remembered; the least used are forgotten first.
const UNSETTLED: usize = 10_000;

/// A message on its way to the disk, with what its announcement needs.
pub(super) struct Outbound {
    message: NewMessage,
    sender: Arc<str>,
    /// Nobody's in a room.
    receiver: Option<Arc<str>>,
    /// The socket that gets `message_sent` instead.
    socket: SessionNo,
    /// Where it will be announced.
    place: Place,
}

/// A message that is on disk.
pub(super) struct Written {
    message: AnyMessage,
    repeated: bool,
}

/// The one writer of messages.
pub(super) fn writer(
    store: &Arc<dyn ChatStore>,
    hub: &Arc<Hub>,
    presence: &Arc<Presence>,
) -> GroupCommit<Outbound, Written> {
    let writer = Arc::new(Writer {
        store: store.clone(),
        hub: hub.clone(),
        presence: presence.clone(),
        unsettled: Cache::new(UNSETTLED),
    });
    GroupCommit::spawn("messages", BATCH, WAITING, move |batch| {
        let writer = writer.clone();
        async move { writer.write(batch).await }.boxed()
    })
}

struct Writer {
    store: Arc<dyn ChatStore>,
    hub: Arc<Hub>,
    presence: Arc<Presence>,
    /// Messages of which it is not known whether they are stored: the database went away. A repeat
    /// may find that they are; then nobody has heard of them yet.
    unsettled: Cache<MessageId, ()>,
}

impl Writer {
    async fn write(&self, batch: Vec<Outbound>) -> Vec<Result<Written>> {
        let messages = batch.iter().map(|outbound| outbound.message.clone()).collect();
        let results = self.store.append(messages, self.hub.clock().now()).await;
        let settle = |(outbound, result)| self.settle(outbound, result);
        batch.into_iter().zip(results).map(settle).collect()
    }

    fn settle(&self, outbound: Outbound, result: Result<Appended>) -> Result<Written> {
        let (stored, repeated, unheard) = match result {
            Ok(Appended::Stored(stored)) => (stored, false, true),
            Ok(Appended::Repeated(stored)) => {
                let same = stored.conversation == outbound.message.conversation;
                let unheard = same && self.unsettled.remove(&stored.id).is_some();
                (stored, true, unheard)
            }
            Err(error) => {
                self.unsettled.insert(outbound.message.id, ());
                return Err(error);
            }
        };
        let message = self.show(stored, &outbound);
        if unheard {
            let Outbound { socket: except, place, .. } = outbound;
            Announcement { message: message.clone(), except, place }.announce();
        }
        Ok(Written { message, repeated })
    }

    /// A repeat may be addressed to somebody else than the stored message; then the names are of
    /// no use, and [`Chat::send_message`] refuses it.
    fn show(&self, stored: StoredMessage, outbound: &Outbound) -> AnyMessage {
        let person = |id, username: Option<&Arc<str>>| {
            let username = username.cloned().unwrap_or_default();
            Person::new(id, username, self.presence.is_online(id))
        };
        let sender = person(stored.sender, Some(&outbound.sender));
        match stored.receiver {
            Some(receiver) => {
                let receiver = person(receiver, outbound.receiver.as_ref());
                AnyMessage::Direct(Arc::new(Message::new(stored, sender, receiver)))
            }
            None => AnyMessage::Room(Arc::new(RoomMessage::new(stored, sender))),
        }
    }
}

impl Chat {
    /// Stores a message and announces it. A repeated `clientMsgId` gives the message stored before
    /// and announces nothing.
    ///
    /// # Errors
    /// `not_found` for an unknown receiver, `forbidden` in a room before `join_room`, `conflict` for a `clientMsgId` used for something else,
    /// `rate_limited`, and `unavailable` when the message could not be written in time: then it is
    /// not known whether it is stored, and a repeat with the same `clientMsgId` is safe.
    pub async fn send_message(&self, session: &Session, wanted: SendMessage) -> Result<AnyMessage> {
        let sender = session.caller.user;
        self.limits.sends.check(&sender)?;
        let (conversation, receiver) = match wanted.to {
            Addressee::User(user) if user == sender => {
                return Err(Error::invalid("receiverId", "must be somebody else"));
            }
            Addressee::User(user) => (ConversationId::of_pair(sender, user), Some(user)),
            Addressee::Room(room) => (room.conversation(), None),
        };
        let name = match receiver {
            Some(user) => Some(self.name_of(user).await?),
            None => {
                self.may_address(session, wanted.to).await?;
                None
            }
        };
        let names = (self.name_of(sender).await?, name);
        if self.typing.stop(sender, wanted.to) {
            self.tell_typing(sender, wanted.to, false);
        }
        let message = NewMessage {
            id: MessageId::generate(self.clock.now()),
            conversation,
            sender,
            receiver,
            content: wanted.content.clone(),
            message_type: wanted.message_type,
            client_msg_id: wanted.client_msg_id.clone(),
        };
        let (socket, place) = (session.no, self.announcers.place(wanted.to).await?);
        let outbound = Outbound { message, sender: names.0, receiver: names.1, socket, place };
        let Written { message, repeated } = self.messages.submit(outbound).await?;
        if repeated && !(message.conversation() == conversation && is_same(&message, &wanted)) {
            return Err(Error::conflict("The clientMsgId was used for another message"));
        }
        self.recent.insert(message.id(), (&message).into());
        Ok(message)
    }
}

fn is_same(stored: &AnyMessage, wanted: &SendMessage) -> bool {
    let (content, message_type, is_deleted) = match stored {
        AnyMessage::Direct(message) => (&message.content, message.message_type, message.is_deleted),
        AnyMessage::Room(message) => (&message.content, message.message_type, message.is_deleted),
    };
    // What the text was is not known any more, once it is older than `MESSAGE_RETENTION`.
    is_deleted || (*content == wanted.content && message_type == wanted.message_type)
}
