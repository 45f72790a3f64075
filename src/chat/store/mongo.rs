//! Messages and conversations on MongoDB.
//!
//! Any number of nodes write at once. What they must agree on (the next `seq`, one message per
//! `clientMsgId`) unique indexes decide; `append` tells how the loser of such a race goes on.

mod append;
mod batch;
mod heads;
mod known;
mod pages;
mod reads;
mod rows;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use async_trait::async_trait;
use mongodb::bson::doc;
use mongodb::{Collection, Database};

use self::heads::Heads;
use self::known::Recent;
use self::rows::{CONVERSATIONS, ConversationRow, MESSAGES, MessageRow};
use super::{Appended, ChatStore, InboxPosition};
use crate::chat::model::{ConversationHead, NewMessage, ReadMark, StoredMessage};
use crate::clock::Timestamp;
use crate::error::Result;
use crate::ids::{ConversationId, MessageId, UserId};
use crate::store::mongo::index::{index, partial_index, partial_unique_index, unique_index};
use crate::store::mongo::{Mongo, MongoMigration};

/// The steps of chat's schema.
pub const MIGRATIONS: &[MongoMigration] = &[MongoMigration {
    domain: "chat",
    version: 1,
    apply: |database| Box::pin(create_indexes(database)),
}];

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

/// [`ChatStore`] on MongoDB. Clones share what they know of conversations.
#[derive(Debug, Clone)]
pub struct MongoChatStore {
    db: Mongo,
    messages: Collection<MessageRow>,
    conversations: Collection<ConversationRow>,
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
}
