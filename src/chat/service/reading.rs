//! Reading between two: only a receiver marks, and a read is announced once. Of rooms it finds
//! out here that a message is in one; the rest is in `room_reading`.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;

use super::{BATCH, Chat, WAITING};
use crate::caller::Caller;
use crate::chat::message_wire::AnyMessage;
use crate::chat::model::{ReadMark, StoredMessage};
use crate::chat::requests::{Kinds, ReadMessage};
use crate::chat::store::ChatStore;
use crate::chat::wire::{MESSAGE_READ_RECEIPT, ReadReceipt};
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::ids::{ConversationId, MessageId, UserId};
use crate::store::group::GroupCommit;

/// Receipts sent in one go. Marking thousands of messages at once must not overrun the send buffer
/// of a healthy sender.
const RECEIPTS_AT_ONCE: usize = 200;
/// How long the sender's sockets take to drain those.
const BETWEEN_RECEIPTS: Duration = Duration::from_millis(50);

/// Who wrote a message, for whom, and where it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Addressed {
    pub(super) sender: UserId,
    /// Nobody in particular in a room.
    pub(super) receiver: Option<UserId>,
    pub(super) conversation: ConversationId,
    pub(super) seq: i64,
}

impl From<&AnyMessage> for Addressed {
    fn from(message: &AnyMessage) -> Self {
        let (sender, receiver) = match message {
            AnyMessage::Direct(message) => (message.sender.id, Some(message.receiver.id)),
            AnyMessage::Room(message) => (message.sender.id, None),
        };
        Self { sender, receiver, conversation: message.conversation(), seq: message.seq() }
    }
}

impl From<&StoredMessage> for Addressed {
    fn from(message: &StoredMessage) -> Self {
        let &StoredMessage { sender, receiver, conversation, seq, .. } = message;
        Self { sender, receiver, conversation, seq }
    }
}

pub(super) fn writer(
    store: &Arc<dyn ChatStore>,
    clock: &Clock,
) -> GroupCommit<ReadMark, Vec<StoredMessage>> {
    let (store, clock) = (store.clone(), clock.clone());
    GroupCommit::spawn("reads", BATCH, WAITING, move |batch| {
        let (store, now) = (store.clone(), clock.now());
        async move { store.mark_read(batch, now).await }.boxed()
    })
}

impl Chat {
    /// Marks one message as read by the caller and tells those who must know: its sender, or the
    /// room. One's own message in a room, and one from before one joined, cannot be unread, so
    /// nothing happens.
    ///
    /// # Errors
    /// `not_found` for a message of others, and one of a kind that is not spoken of here;
    /// `forbidden` for one's own between two; `validation_failed` when the sender or the room
    /// named is another.
    pub async fn read_message(
        &self,
        caller: Caller,
        kinds: Kinds,
        asked: ReadMessage,
    ) -> Result<()> {
        let addressed = self.addressed(asked.message).await?;
        match addressed.receiver {
            Some(receiver) if kinds.direct => {
                self.read_direct(caller.user, receiver, asked, addressed).await
            }
            None if kinds.rooms => self.read_in_room(caller.user, asked, addressed).await,
            _ => Err(no_message()),
        }
    }

    async fn read_direct(
        &self,
        reader: UserId,
        receiver: UserId,
        asked: ReadMessage,
        addressed: Addressed,
    ) -> Result<()> {
        if receiver != reader {
            let own = addressed.sender == reader;
            return Err(if own {
                Error::forbidden("Only the receiver reads a message")
            } else {
                no_message()
            });
        }
        agrees(asked, addressed)?;
        let read = self.reads.submit(ReadMark::One { message: asked.message, reader }).await?;
        self.tell_read(reader, read).await;
        Ok(())
    }

    async fn addressed(&self, message: MessageId) -> Result<Addressed> {
        if let Some(addressed) = self.recent.get(&message) {
            return Ok(addressed);
        }
        let stored = self.store.message(message).await?.ok_or_else(no_message)?;
        let addressed = Addressed::from(&stored);
        self.recent.insert(message, addressed);
        Ok(addressed)
    }

    /// Marks everything from `peer` as read by the caller, tells the sender, and says how many
    /// messages were unread.
    ///
    /// # Errors
    /// `not_found` when there is no such user.
    pub async fn read_all(&self, caller: Caller, peer: UserId) -> Result<usize> {
        self.must_be_known(peer).await?;
        let conversation = ConversationId::of_pair(caller.user, peer);
        let read = self.reads.submit(ReadMark::All { conversation, reader: caller.user }).await?;
        let count = read.len();
        self.tell_read(caller.user, read).await;
        Ok(count)
    }

    async fn tell_read(&self, reader_id: UserId, read: Vec<StoredMessage>) {
        let Some(sender) = read.first().map(|message| message.sender) else { return };
        let receipts: Vec<_> = read
            .iter()
            .map(|message| ReadReceipt {
                message_id: message.id,
                reader_id,
                read_at: message.read_at.unwrap_or(message.created_at),
                conversation_id: message.conversation,
                seq: message.seq,
            })
            .collect();
        let mut chunks = receipts.chunks(RECEIPTS_AT_ONCE).peekable();
        while let Some(some) = chunks.next() {
            self.hub.emit_many(&[sender.audience()], &MESSAGE_READ_RECEIPT, some);
            if chunks.peek().is_some() {
                tokio::time::sleep(BETWEEN_RECEIPTS).await;
            }
        }
    }
}

/// That what was said beside a message's id is true of the message (CONTRACT §5).
pub(super) fn agrees(asked: ReadMessage, addressed: Addressed) -> Result<()> {
    if asked.sender.is_some_and(|named| named != addressed.sender) {
        return Err(Error::invalid("senderId", "is not who wrote the message"));
    }
    if asked.room.is_some_and(|named| named.conversation() != addressed.conversation) {
        return Err(Error::invalid("roomId", "is not where the message is"));
    }
    Ok(())
}

pub(super) fn no_message() -> Error {
    Error::not_found("There is no such message")
}
