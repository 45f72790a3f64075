//! Reading: only a receiver marks, and a read is announced once.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;

use super::{BATCH, Chat, WAITING};
use crate::caller::Caller;
use crate::chat::model::{ReadMark, StoredMessage};
use crate::chat::store::ChatStore;
use crate::chat::wire::{MESSAGE_READ_RECEIPT, Message, ReadReceipt};
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::ids::{ConversationId, MessageId, UserId};
use crate::store::group::GroupCommit;

/// Receipts sent in one go. Marking thousands of messages at once must not overrun the send buffer
/// of a healthy sender.
const RECEIPTS_AT_ONCE: usize = 200;
/// How long the sender's sockets take to drain those.
const BETWEEN_RECEIPTS: Duration = Duration::from_millis(50);

/// Who wrote a message, and for whom.
#[derive(Debug, Clone, Copy)]
pub(super) struct Addressed {
    sender: UserId,
    receiver: UserId,
}

impl From<&Message> for Addressed {
    fn from(message: &Message) -> Self {
        Self { sender: message.sender.id, receiver: message.receiver.id }
    }
}

impl From<&StoredMessage> for Addressed {
    fn from(message: &StoredMessage) -> Self {
        Self { sender: message.sender, receiver: message.receiver }
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
    /// Marks one message as read by the caller and tells its sender.
    ///
    /// # Errors
    /// `not_found` for a message of others, `forbidden` for one's own, `validation_failed` when
    /// `sender` is not who wrote it.
    pub async fn read_message(
        &self,
        caller: Caller,
        message: MessageId,
        sender: Option<UserId>,
    ) -> Result<()> {
        let reader = caller.user;
        let addressed = self.addressed(message).await?;
        if addressed.receiver != reader {
            let own = addressed.sender == reader;
            return Err(if own {
                Error::forbidden("Only the receiver reads a message")
            } else {
                no_message()
            });
        }
        if sender.is_some_and(|named| named != addressed.sender) {
            return Err(Error::invalid("senderId", "is not who wrote the message"));
        }
        let read = self.reads.submit(ReadMark::One { message, reader }).await?;
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
        self.name_of(peer).await?;
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

fn no_message() -> Error {
    Error::not_found("There is no such message")
}
