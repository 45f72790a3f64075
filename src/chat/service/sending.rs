//! Sending: a message is announced and acknowledged when it is on disk, not before.

use std::sync::Arc;

use futures_util::FutureExt;
use quick_cache::sync::Cache;

use super::{BATCH, Chat, WAITING};
use crate::chat::model::{NewMessage, StoredMessage};
use crate::chat::requests::SendMessage;
use crate::chat::store::{Appended, ChatStore};
use crate::chat::wire::{Message, NewMessageEvent, Person, RECEIVE_MESSAGE};
use crate::error::{Error, Result};
use crate::ids::{ConversationId, MessageId};
use crate::presence::service::Presence;
use crate::realtime::hub::Hub;
use crate::realtime::session::{Session, SessionNo};
use crate::store::group::GroupCommit;

/// Messages without a known outcome that are remembered; the least used are forgotten first.
const UNSETTLED: usize = 10_000;

/// A message on its way to the disk, with what its announcement needs.
pub(super) struct Outbound {
    message: NewMessage,
    names: Names,
    /// The socket that gets `message_sent` instead.
    socket: SessionNo,
}

#[derive(Clone)]
struct Names {
    sender: Arc<str>,
    receiver: Arc<str>,
}

/// The one writer of messages. It announces what it has written, batch by batch, so that a
/// conversation's messages reach every socket in the order of their `seq`: a client that resumes
/// after the last one it saw misses none.
pub(super) fn writer(
    store: &Arc<dyn ChatStore>,
    hub: &Arc<Hub>,
    presence: &Arc<Presence>,
) -> GroupCommit<Outbound, Appended> {
    let announcer = Announcer {
        hub: hub.clone(),
        presence: presence.clone(),
        unsettled: Arc::new(Cache::new(UNSETTLED)),
    };
    let store = store.clone();
    GroupCommit::spawn("messages", BATCH, WAITING, move |batch: Vec<Outbound>| {
        let (store, announcer) = (store.clone(), announcer.clone());
        async move {
            let now = announcer.hub.clock().now();
            let messages = batch.iter().map(|outbound| outbound.message.clone()).collect();
            let results = store.append(messages, now).await;
            for (outbound, result) in batch.iter().zip(&results) {
                announcer.announce_once(outbound, result);
            }
            results
        }
        .boxed()
    })
}

#[derive(Clone)]
struct Announcer {
    hub: Arc<Hub>,
    presence: Arc<Presence>,
    /// Messages of which it is not known whether they are stored: the database went away. A repeat
    /// may find that they are; then nobody has heard of them yet.
    unsettled: Arc<Cache<MessageId, ()>>,
}

impl Announcer {
    fn announce_once(&self, outbound: &Outbound, result: &Result<Appended>) {
        match result {
            Ok(Appended::Stored(stored)) => self.announce(stored, outbound),
            Ok(Appended::Repeated(stored)) => {
                if self.unsettled.remove(&stored.id).is_some() {
                    self.announce(stored, outbound);
                }
            }
            Err(_) => self.unsettled.insert(outbound.message.id, ()),
        }
    }

    fn announce(&self, stored: &StoredMessage, outbound: &Outbound) {
        let message = Arc::new(show(&self.presence, stored.clone(), &outbound.names));
        let to = [stored.receiver.audience(), stored.sender.audience()];
        self.hub.emit_except(
            &to,
            Some(outbound.socket),
            &RECEIVE_MESSAGE,
            &NewMessageEvent { message },
        );
    }
}

fn show(presence: &Presence, stored: StoredMessage, names: &Names) -> Message {
    let (sender, receiver) = (stored.sender, stored.receiver);
    let person = |id, name: &str| Person {
        id,
        username: name.to_owned(),
        is_online: presence.is_online(id),
    };
    Message::new(stored, person(sender, &names.sender), person(receiver, &names.receiver))
}

impl Chat {
    /// Stores a message and announces it. A repeated `clientMsgId` gives the message stored before
    /// and announces nothing.
    ///
    /// # Errors
    /// `not_found` for an unknown receiver, `conflict` for a `clientMsgId` used for something else,
    /// `rate_limited`, and `unavailable` when the message could not be written in time: then it is
    /// not known whether it is stored, and a repeat with the same `clientMsgId` is safe.
    pub async fn send_message(
        &self,
        session: &Session,
        wanted: SendMessage,
    ) -> Result<Arc<Message>> {
        let sender = session.caller.user;
        self.limits.sends.check(&sender)?;
        if wanted.receiver == sender {
            return Err(Error::invalid("receiverId", "must be somebody else"));
        }
        let names = Names {
            sender: self.name_of(sender).await?,
            receiver: self.name_of(wanted.receiver).await?,
        };
        if self.typing.stop(sender, wanted.receiver) {
            self.tell_typing(sender, wanted.receiver, false);
        }
        let message = NewMessage {
            id: MessageId::generate(self.clock.now()),
            conversation: ConversationId::of_pair(sender, wanted.receiver),
            sender,
            receiver: wanted.receiver,
            content: wanted.content.clone(),
            message_type: wanted.message_type,
            client_msg_id: wanted.client_msg_id.clone(),
        };
        let outbound = Outbound { message, names: names.clone(), socket: session.no };
        let stored = match self.messages.submit(outbound).await? {
            Appended::Stored(stored) => stored,
            Appended::Repeated(stored) if is_same(&stored, &wanted) => stored,
            Appended::Repeated(_) => {
                return Err(Error::conflict("The clientMsgId was used for another message"));
            }
        };
        self.recent.insert(stored.id, (&stored).into());
        Ok(Arc::new(show(&self.presence, stored, &names)))
    }
}

fn is_same(stored: &StoredMessage, wanted: &SendMessage) -> bool {
    stored.receiver == wanted.receiver
        && stored.content == wanted.content
        && stored.message_type == wanted.message_type
}
