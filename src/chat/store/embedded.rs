//! Messages, conversations and reads on SQLite.

mod append;
mod deleting;
mod inbox;
mod messages;
mod room_reads;

use async_trait::async_trait;

use super::{Appended, ChatStore, InboxPosition, Place};
use crate::chat::model::{
    ConversationHead, NewMessage, Progress, ReadMark, RoomRead, StoredMessage, Stretch,
};
use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::ids::{ConversationId, MessageId, RoomId, UserId};
use crate::store::Migration;
use crate::store::embedded::Embedded;

/// The tables of messages and conversations. A conversation has a row in `inboxes` for each of
/// its participants, so that an inbox is one range of one tree. Its `updated_at` is always the
/// `created_at` of the last message: both are written in one transaction, and so the old row is
/// found without an index by conversation.
pub const MIGRATIONS: &[Migration] = &[
    Migration {
        domain: "chat",
        version: 1,
        sql: "
        CREATE TABLE messages (
            id            BLOB NOT NULL UNIQUE,
            conversation  BLOB NOT NULL,
            seq           INTEGER NOT NULL,
            sender        BLOB NOT NULL,
            receiver      BLOB NOT NULL,
            content       TEXT NOT NULL,
            message_type  TEXT NOT NULL,
            client_msg_id TEXT,
            created_at    INTEGER NOT NULL,
            read_at       INTEGER
        ) STRICT;
        CREATE UNIQUE INDEX messages_seq ON messages (conversation, seq);
        CREATE UNIQUE INDEX messages_client_msg_id ON messages (sender, client_msg_id)
            WHERE client_msg_id IS NOT NULL;
        CREATE INDEX messages_unread ON messages (receiver, conversation, seq)
            WHERE read_at IS NULL;

        CREATE TABLE inboxes (
            user         BLOB NOT NULL,
            conversation BLOB NOT NULL,
            peer         BLOB NOT NULL,
            updated_at   INTEGER NOT NULL,
            PRIMARY KEY (user, updated_at DESC, conversation DESC)
        ) STRICT, WITHOUT ROWID;",
    },
    Migration { domain: "chat", version: 2, sql: ROOMS },
];

/// Messages of rooms have no receiver. What members have read of them stands in rows of its own,
/// found by number (how far somebody is) and by place (who read this).
const ROOMS: &str = "
    CREATE TABLE messages_of_rooms_too (
        id            BLOB NOT NULL UNIQUE,
        conversation  BLOB NOT NULL,
        seq           INTEGER NOT NULL,
        sender        BLOB NOT NULL,
        receiver      BLOB,
        content       TEXT NOT NULL,
        message_type  TEXT NOT NULL,
        client_msg_id TEXT,
        created_at    INTEGER NOT NULL,
        read_at       INTEGER
    ) STRICT;
    INSERT INTO messages_of_rooms_too SELECT * FROM messages;
    DROP TABLE messages;
    ALTER TABLE messages_of_rooms_too RENAME TO messages;
    CREATE UNIQUE INDEX messages_seq ON messages (conversation, seq);
    CREATE UNIQUE INDEX messages_client_msg_id ON messages (sender, client_msg_id)
        WHERE client_msg_id IS NOT NULL;
    CREATE INDEX messages_unread ON messages (receiver, conversation, seq)
        WHERE read_at IS NULL AND receiver IS NOT NULL;
    CREATE INDEX messages_own ON messages (conversation, sender, seq, receiver)
        WHERE receiver IS NULL;

    CREATE TABLE room_reads (
        room    BLOB NOT NULL,
        user    BLOB NOT NULL,
        no      INTEGER NOT NULL,
        first   INTEGER NOT NULL,
        last    INTEGER NOT NULL,
        count   INTEGER NOT NULL,
        read_at INTEGER NOT NULL,
        done    INTEGER NOT NULL,
        top     INTEGER NOT NULL,
        ahead   INTEGER NOT NULL,
        PRIMARY KEY (room, user, no)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX room_reads_place ON room_reads (room, user, last, first, read_at);";

/// Messages and conversations in the embedded database.
#[derive(Clone)]
pub struct EmbeddedChatStore(Embedded);

impl EmbeddedChatStore {
    /// On a database that was opened with [`MIGRATIONS`].
    pub fn new(db: Embedded) -> Self {
        Self(db)
    }
}

#[async_trait]
impl ChatStore for EmbeddedChatStore {
    async fn append(&self, batch: Vec<NewMessage>, now: Timestamp) -> Vec<Result<Appended>> {
        let count = batch.len();
        if count == 0 {
            return Vec::new();
        }
        let appended = self.0.write(move |db| append::append(db, batch, now)).await;
        appended.unwrap_or_else(|error| for_each(count, &error))
    }

    async fn mark_read(
        &self,
        batch: Vec<ReadMark>,
        now: Timestamp,
    ) -> Vec<Result<Vec<StoredMessage>>> {
        let count = batch.len();
        if count == 0 {
            return Vec::new();
        }
        let marked = self.0.write(move |db| messages::mark_read(db, &batch, now)).await;
        match marked {
            Ok(marked) => marked.into_iter().map(Ok).collect(),
            Err(error) => for_each(count, &error),
        }
    }

    async fn message(&self, id: MessageId) -> Result<Option<StoredMessage>> {
        self.0.read(move |db| messages::by_id(db, id)).await
    }

    async fn messages(&self, ids: &[MessageId]) -> Result<Vec<StoredMessage>> {
        let ids = ids.to_vec();
        self.0.read(move |db| messages::by_ids(db, &ids)).await
    }

    async fn last_seq(&self, conversation: ConversationId) -> Result<i64> {
        self.0.read(move |db| messages::last_seq(db, conversation)).await
    }

    async fn range(
        &self,
        conversation: ConversationId,
        first: i64,
        last: i64,
    ) -> Result<Vec<StoredMessage>> {
        self.0.read(move |db| messages::range(db, conversation, first, last)).await
    }

    async fn written_in_rooms(
        &self,
        user: UserId,
        after: Option<Place>,
        limit: u32,
    ) -> Result<Vec<StoredMessage>> {
        self.0.read(move |db| deleting::written_in_rooms(db, user, after, limit)).await
    }

    async fn between(
        &self,
        after: MessageId,
        before: MessageId,
        limit: u32,
    ) -> Result<Vec<StoredMessage>> {
        self.0.read(move |db| deleting::between(db, after, before, limit)).await
    }

    async fn delete_texts(&self, messages: &[MessageId], keep_keys: bool) -> Result<()> {
        let messages = messages.to_vec();
        self.0.write(move |db| deleting::delete_texts(db, &messages, keep_keys)).await
    }

    async fn reads_of(
        &self,
        user: UserId,
        after: Option<(RoomId, i64)>,
        limit: u32,
    ) -> Result<Vec<RoomRead>> {
        self.0.read(move |db| room_reads::of_user(db, user, after, limit)).await
    }

    async fn unread(
        &self,
        reader: UserId,
        except: &[ConversationId],
        limit: u32,
    ) -> Result<Vec<StoredMessage>> {
        let except = except.to_vec();
        self.0.read(move |db| messages::unread(db, reader, &except, limit)).await
    }

    async fn unread_counts(&self, reader: UserId) -> Result<Vec<(ConversationId, u64)>> {
        self.0.read(move |db| messages::unread_counts(db, reader)).await
    }

    async fn conversations(
        &self,
        user: UserId,
        before: Option<InboxPosition>,
        limit: u32,
    ) -> Result<Vec<ConversationHead>> {
        self.0.read(move |db| inbox::page(db, user, before, limit)).await
    }

    async fn last_messages(&self, conversations: &[ConversationId]) -> Result<Vec<StoredMessage>> {
        let conversations = conversations.to_vec();
        self.0.read(move |db| messages::last_of_each(db, &conversations)).await
    }

    async fn append_reads(&self, reads: Vec<RoomRead>) -> Result<Vec<bool>> {
        self.0.write(move |db| room_reads::append(db, &reads)).await
    }

    async fn progress(&self, room: RoomId, users: &[UserId]) -> Result<Vec<(UserId, Progress)>> {
        let users = users.to_vec();
        self.0.read(move |db| room_reads::progress(db, room, &users)).await
    }

    async fn stretches(
        &self,
        room: RoomId,
        user: UserId,
        first: i64,
        last: i64,
    ) -> Result<Vec<Stretch>> {
        let found = self.0.read(move |db| room_reads::between(db, room, user, first, last)).await?;
        Ok(found.into_iter().map(|read| read.stretch).collect())
    }

    async fn readers(
        &self,
        room: RoomId,
        users: &[UserId],
        first: i64,
        last: i64,
    ) -> Result<Vec<RoomRead>> {
        let users = users.to_vec();
        self.0.read(move |db| room_reads::of_each(db, room, &users, first, last)).await
    }

    async fn count_own(&self, room: RoomId, user: UserId, first: i64, last: i64) -> Result<i64> {
        self.0.read(move |db| messages::count_own(db, room, user, first, last)).await
    }
}

fn for_each<T>(count: usize, error: &Error) -> Vec<Result<T>> {
    (0..count).map(|_| Err(error.clone())).collect()
}

#[cfg(test)]
mod tests;
