//! What chat needs of a store. Batches in, because a store commits in groups (DESIGN §3).

pub mod embedded;
pub mod mongo;

use async_trait::async_trait;

use super::model::{
    ConversationHead, NewMessage, Progress, ReadMark, RoomRead, StoredMessage, Stretch,
};
use crate::clock::Timestamp;
use crate::error::Result;
use crate::ids::{ConversationId, MessageId, RoomId, UserId};

/// What became of one message of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Appended {
    /// It is stored, with the `seq` and time it got.
    Stored(StoredMessage),
    /// The sender used this `clientMsgId` before; this is the message stored then.
    Repeated(StoredMessage),
}

/// Behind which message a look through conversations goes on: by conversation, then by `seq`.
pub type Place = (ConversationId, i64);

/// Where a page of the inbox starts: behind this conversation, which changed at this time.
pub type InboxPosition = (Timestamp, ConversationId);

/// Messages and conversations. Every write is durable when it returns
/// (MongoDB: `w: majority, j: true`; embedded: fsynced).
#[async_trait]
pub trait ChatStore: Send + Sync {
    /// Appends messages in order, with one result each. A message gets the `seq` after its
    /// conversation's last one, without gaps whatever fails, and a `created_at` of `now`, or of
    /// the message before it where that is later. `(sender, client_msg_id)` is unique for ever.
    /// A one-to-one conversation's head exists and is up to date before the message is durable;
    /// rooms have none.
    async fn append(&self, batch: Vec<NewMessage>, now: Timestamp) -> Vec<Result<Appended>>;
    /// Marks messages as read at `now`, with one result per mark: the messages that were unread
    /// and are read by this call, in order of `seq`. Only a message's receiver marks it.
    async fn mark_read(
        &self,
        batch: Vec<ReadMark>,
        now: Timestamp,
    ) -> Vec<Result<Vec<StoredMessage>>>;

    /// The message with this id.
    async fn message(&self, id: MessageId) -> Result<Option<StoredMessage>>;
    /// The messages with these ids, in any order; ids without a message are left out.
    async fn messages(&self, ids: &[MessageId]) -> Result<Vec<StoredMessage>>;
    /// The highest `seq`, 0 when there is no message.
    async fn last_seq(&self, conversation: ConversationId) -> Result<i64>;
    /// The messages `first..=last` by `seq`, ascending.
    async fn range(
        &self,
        conversation: ConversationId,
        first: i64,
        last: i64,
    ) -> Result<Vec<StoredMessage>>;

    /// What a user wrote in rooms, behind `after`, by conversation and `seq`, at most `limit`.
    async fn written_in_rooms(
        &self,
        user: UserId,
        after: Option<Place>,
        limit: u32,
    ) -> Result<Vec<StoredMessage>>;
    /// The messages with an id between these two, by id, at most `limit`.
    async fn between(
        &self,
        after: MessageId,
        before: MessageId,
        limit: u32,
    ) -> Result<Vec<StoredMessage>>;
    /// Deletes the texts of these messages, which are [deleted](StoredMessage::is_deleted) then:
    /// of type text, with their places and times as they were. Without `keep_keys` what made them
    /// idempotent goes too, and can be used again.
    async fn delete_texts(&self, messages: &[MessageId], keep_keys: bool) -> Result<()>;
    /// The reads of a member in all rooms, behind `after` (a room and a number), by room and
    /// number, at most `limit`.
    async fn reads_of(
        &self,
        user: UserId,
        after: Option<(RoomId, i64)>,
        limit: u32,
    ) -> Result<Vec<RoomRead>>;

    /// One-to-one messages that `reader` has not read, by conversation and `seq`, at most `limit`,
    /// none of the conversations in `except`.
    async fn unread(
        &self,
        reader: UserId,
        except: &[ConversationId],
        limit: u32,
    ) -> Result<Vec<StoredMessage>>;
    /// How many one-to-one messages `reader` has not read, for each conversation that has any.
    async fn unread_counts(&self, reader: UserId) -> Result<Vec<(ConversationId, u64)>>;

    /// The one-to-one conversations of a user, the last changed first (then by id, descending), behind
    /// `before`, at most `limit`.
    async fn conversations(
        &self,
        user: UserId,
        before: Option<InboxPosition>,
        limit: u32,
    ) -> Result<Vec<ConversationHead>>;
    /// The last message of each of these conversations that has one, in any order.
    async fn last_messages(&self, conversations: &[ConversationId]) -> Result<Vec<StoredMessage>>;

    /// Stores reads in order; for each whether it is stored. One whose number its member has used
    /// already is not, nor are the later ones of that member in this batch.
    async fn append_reads(&self, reads: Vec<RoomRead>) -> Result<Vec<bool>>;
    /// How far these members are, as the read of each that has the highest number says; those
    /// without a read are left out.
    async fn progress(&self, room: RoomId, users: &[UserId]) -> Result<Vec<(UserId, Progress)>>;
    /// What a member has read that has any of `first..=last` in it, ascending.
    async fn stretches(
        &self,
        room: RoomId,
        user: UserId,
        first: i64,
        last: i64,
    ) -> Result<Vec<Stretch>>;
    /// The reads of these members that have any of `first..=last` in them, in any order.
    async fn readers(
        &self,
        room: RoomId,
        users: &[UserId],
        first: i64,
        last: i64,
    ) -> Result<Vec<RoomRead>>;
    /// How many of the messages `first..=last` of a room this member wrote.
    async fn count_own(&self, room: RoomId, user: UserId, first: i64, last: i64) -> Result<i64>;
}
