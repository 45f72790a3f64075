//! Messages, conversations and reads on MongoDB.
//!
//! Any number of nodes write at once. What they must agree on (the next `seq`, one message per
//! `clientMsgId`) unique indexes decide; `append` tells how the loser of such a race goes on.

mod append;
mod batch;
mod deleting;
mod heads;
mod known;
mod pages;
mod reads;
mod room_reads;
mod rows;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use async_trait::async_trait;
use mongodb::bson::doc;
use mongodb::{Collection, Database};

use self::heads::Heads;
use self::known::Recent;
use self::room_reads::{ROOM_READS, RoomReadRow};
use self::rows::{CONVERSATIONS, ConversationRow, MESSAGES, MessageRow};
use super::{Appended, ChatStore, InboxPosition, Place};
use crate::chat::model::{
    ConversationHead, NewMessage, Progress, ReadMark, RoomRead, StoredMessage, Stretch,
};
use crate::clock::Timestamp;
use crate::error::Result;
use crate::ids::{ConversationId, MessageId, RoomId, UserId};
use crate::store::mongo::index::{index, partial_index, partial_unique_index, unique_index};
use crate::store::mongo::{Mongo, MongoMigration};

/// The steps of chat's schema.
pub const MIGRATIONS: &[MongoMigration] = &[
    MongoMigration {
        domain: "chat",
        version: 1,
        apply: |database| Box::pin(create_indexes(database)),
    },
    MongoMigration {
        domain: "chat",
        version: 2,
        apply: |database| Box::pin(create_room_indexes(database)),
    },
];

/// Keeps `seq` unique within a conversation.
const SEQ_UNIQUE: &str = "conversation_seq_unique";
/// Holds the unread messages only. Queries for them name it, because for a reader with many read
/// messages the planner may settle on the conversation's index and read them all.
const UNREAD: &str = "receiver_unread";

async fn create_indexes(database: Database) -> mongodb::error::Result<()> {
    database
        .collection::<MessageRow>(MESSAGES)
        .create_indexes([
            unique_index(SEQ_UNIQUE, doc! { "conversationId": 1, "seq": 1 }),
            partial_unique_index(
                "sender_clientMsgId_unique",
                doc! { "senderId": 1, "clientMsgId": 1 },
                doc! { "clientMsgId": { "$exists": true } },
            ),
            partial_index(
                UNREAD,
                doc! { "receiverId": 1, "conversationId": 1, "seq": 1 },
                doc! { "unread": true },
            ),
        ])
        .await?;
    database
        .collection::<ConversationRow>(CONVERSATIONS)
        .create_index(index("inbox", doc! { "participants": 1, "updatedAt": -1, "_id": -1 }))
        .await?;
    Ok(())
}

/// Finds the messages that a member wrote in a room.
const OWN: &str = "conversation_own";
/// Keeps the reads of a member numbered.
const READ_NO_UNIQUE: &str = "read_no_unique";

async fn create_room_indexes(database: Database) -> mongodb::error::Result<()> {
    database
        .collection::<MessageRow>(MESSAGES)
        .create_index(partial_index(
            OWN,
            // With all that the count asks for, so that no message is looked at.
            doc! { "conversationId": 1, "senderId": 1, "seq": 1, "room": 1 },
            doc! { "room": true },
        ))
        .await?;
    database
        .collection::<RoomReadRow>(ROOM_READS)
        .create_indexes([
            unique_index(READ_NO_UNIQUE, doc! { "roomId": 1, "userId": 1, "no": 1 }),
            index("read_place", doc! { "roomId": 1, "userId": 1, "last": 1 }),
        ])
        .await?;
    Ok(())
}

/// [`ChatStore`] on MongoDB. Clones share what they know of conversations.
#[derive(Debug, Clone)]
pub struct MongoChatStore {
    db: Mongo,
    messages: Collection<MessageRow>,
    conversations: Collection<ConversationRow>,
    room_reads: Collection<RoomReadRow>,
    heads: Heads,
    /// Whether the database was away when messages were written last.
    away: Arc<AtomicBool>,
    recent: Recent,
}

impl MongoChatStore {
    /// The store in this database, whose schema must be up to date ([`MIGRATIONS`]).
    pub fn new(db: &Mongo) -> Self {
        Self {
            db: db.clone(),
            messages: db.collection(MESSAGES),
            conversations: db.collection(CONVERSATIONS),
            room_reads: db.collection(ROOM_READS),
            heads: Heads::new(db),
            away: Arc::default(),
            recent: Recent::new(),
        }
    }
}

#[async_trait]
impl ChatStore for MongoChatStore {
    async fn append(&self, batch: Vec<NewMessage>, now: Timestamp) -> Vec<Result<Appended>> {
        append::append(self, batch, now).await
    }

    async fn mark_read(
        &self,
        batch: Vec<ReadMark>,
        now: Timestamp,
    ) -> Vec<Result<Vec<StoredMessage>>> {
        reads::mark_read(self, batch, now).await
    }

    async fn message(&self, id: MessageId) -> Result<Option<StoredMessage>> {
        pages::message(self, id).await
    }

    async fn messages(&self, ids: &[MessageId]) -> Result<Vec<StoredMessage>> {
        pages::messages(self, ids).await
    }

    async fn last_seq(&self, conversation: ConversationId) -> Result<i64> {
        pages::last_seq(self, conversation).await
    }

    async fn range(
        &self,
        conversation: ConversationId,
        first: i64,
        last: i64,
    ) -> Result<Vec<StoredMessage>> {
        pages::range(self, conversation, first, last).await
    }

    async fn written_in_rooms(
        &self,
        user: UserId,
        after: Option<Place>,
        limit: u32,
    ) -> Result<Vec<StoredMessage>> {
        deleting::written_in_rooms(self, user, after, limit).await
    }

    async fn between(
        &self,
        after: MessageId,
        before: MessageId,
        limit: u32,
    ) -> Result<Vec<StoredMessage>> {
        deleting::between(self, after, before, limit).await
    }

    async fn delete_texts(&self, messages: &[MessageId], keep_keys: bool) -> Result<()> {
        deleting::delete_texts(self, messages, keep_keys).await
    }

    async fn reads_of(
        &self,
        user: UserId,
        after: Option<(RoomId, i64)>,
        limit: u32,
    ) -> Result<Vec<RoomRead>> {
        room_reads::of_user(self, user, after, limit).await
    }

    async fn unread(
        &self,
        reader: UserId,
        except: &[ConversationId],
        limit: u32,
    ) -> Result<Vec<StoredMessage>> {
        pages::unread(self, reader, except, limit).await
    }

    async fn unread_counts(&self, reader: UserId) -> Result<Vec<(ConversationId, u64)>> {
        pages::unread_counts(self, reader).await
    }

    async fn conversations(
        &self,
        user: UserId,
        before: Option<InboxPosition>,
        limit: u32,
    ) -> Result<Vec<ConversationHead>> {
        pages::conversations(self, user, before, limit).await
    }

    async fn last_messages(&self, conversations: &[ConversationId]) -> Result<Vec<StoredMessage>> {
        pages::last_messages(self, conversations).await
    }

    async fn append_reads(&self, reads: Vec<RoomRead>) -> Result<Vec<bool>> {
        room_reads::append(self, reads).await
    }

    async fn progress(&self, room: RoomId, users: &[UserId]) -> Result<Vec<(UserId, Progress)>> {
        room_reads::progress(self, room, users).await
    }

    async fn stretches(
        &self,
        room: RoomId,
        user: UserId,
        first: i64,
        last: i64,
    ) -> Result<Vec<Stretch>> {
        room_reads::stretches(self, room, user, first, last).await
    }

    async fn readers(
        &self,
        room: RoomId,
        users: &[UserId],
        first: i64,
        last: i64,
    ) -> Result<Vec<RoomRead>> {
        room_reads::readers(self, room, users, first, last).await
    }

    async fn count_own(&self, room: RoomId, user: UserId, first: i64, last: i64) -> Result<i64> {
        pages::count_own(self, room, user, first, last).await
    }
}
