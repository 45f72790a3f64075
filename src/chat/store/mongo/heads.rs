//! The ends of conversations: the last `seq` and time of each, known without asking where this
//! node wrote last, and the documents that put conversations into inboxes.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use futures_util::TryStreamExt;
use mongodb::bson::oid::ObjectId;
use mongodb::bson::{DateTime, Document, doc};
use mongodb::{Collection, Database};
use quick_cache::sync::Cache;
use serde::{Deserialize, Serialize};

use super::rows::{CONVERSATIONS, MESSAGES, MessageRow};
use crate::clock::Timestamp;
use crate::ids::ConversationId;
use crate::store::mongo::Mongo;
use crate::store::mongo::operation::{Wait, bounded, update_each};

/// Conversations remembered, some 100 bytes each.
const REMEMBERED: usize = 100_000;

/// Where a conversation ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) seq: i64,
    pub(super) created_at: Timestamp,
}

impl Head {
    /// Of a conversation without messages.
    const START: Self = Self { seq: 0, created_at: Timestamp::from_millis(i64::MIN) };

    /// Of the conversation with one more message, written at `now`.
    pub(super) fn next(self, now: Timestamp) -> Self {
        Self { seq: self.seq + 1, created_at: now.max(self.created_at) }
    }
}

/// What is known of the ends of conversations. It may be out of date, since other nodes write
/// too; the unique index on `seq` notices that.
#[derive(Debug, Clone)]
pub(super) struct Heads {
    db: Mongo,
    known: Arc<Cache<ConversationId, Head>>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct LastRow {
    #[serde(rename = "_id")]
    conversation: ObjectId,
    seq: i64,
    created_at: DateTime,
}

impl Heads {
    pub(super) fn new(db: &Mongo) -> Self {
        Self { db: db.clone(), known: Arc::new(Cache::new(REMEMBERED)) }
    }

    /// The heads of these conversations; asks the database once for all that are not known.
    pub(super) async fn load(
        &self,
        conversations: impl Iterator<Item = ConversationId>,
        limit: Duration,
    ) -> mongodb::error::Result<HashMap<ConversationId, Head>> {
        let mut heads = HashMap::new();
        let mut cold = Vec::new();
        for id in conversations {
            heads.entry(id).or_insert_with(|| {
                self.known.get(&id).unwrap_or_else(|| {
                    cold.push(id);
                    Head::START
                })
            });
        }
        if !cold.is_empty() {
            for row in self.ask(cold, limit).await? {
                let head = Head { seq: row.seq, created_at: row.created_at.into() };
                heads.insert(row.conversation.into(), head);
            }
        }
        Ok(heads)
    }

    async fn ask(
        &self,
        conversations: Vec<ConversationId>,
        limit: Duration,
    ) -> mongodb::error::Result<Vec<LastRow>> {
        let messages: Collection<MessageRow> = self.db.collection(MESSAGES);
        // A message that a failover could still take back must not be counted: the next one
        // would leave a gap.
        let committed = self.db.committed();
        bounded(limit, async move {
            let ends = messages.aggregate(ends(conversations)).read_concern(committed);
            ends.with_type::<LastRow>().await?.try_collect().await
        })
        .await
    }

    /// Whether this node remembers where the conversation ends.
    pub(super) fn knows(&self, conversation: ConversationId) -> bool {
        self.known.contains_key(&conversation)
    }

    /// Remembers where a conversation ends.
    pub(super) fn remember(&self, conversation: ConversationId, head: Head) {
        self.known.insert(conversation, head);
    }

    /// Forgets a conversation, of which the database must be asked again.
    pub(super) fn forget(&self, conversation: ConversationId) {
        self.known.remove(&conversation);
    }
}

/// Of each conversation the last message's `seq` and time. In this order of sorting the index
/// gives each group's first entry in one step, however long the conversation is.
fn ends(conversations: Vec<ConversationId>) -> Vec<Document> {
    vec![
        doc! { "$match": { "conversationId": { "$in": conversations } } },
        doc! { "$sort": { "conversationId": -1, "seq": -1 } },
        doc! { "$group": {
            "_id": "$conversationId",
            "seq": { "$first": "$seq" },
            "createdAt": { "$first": "$createdAt" },
        } },
    ]
}

/// Puts the one-to-one conversations of these messages, which are about to be inserted, into the
/// inboxes of both their people, at the time of the last of them.
pub(super) async fn upsert_conversations(
    database: Database,
    rows: &[MessageRow],
    limit: Duration,
) -> mongodb::error::Result<()> {
    let between_two = || rows.iter().filter_map(|row| Some((row, row.receiver_id?)));
    let last: BTreeMap<ObjectId, (&MessageRow, ObjectId)> =
        between_two().map(|(row, receiver)| (row.conversation_id, (row, receiver))).collect();
    if last.is_empty() {
        return Ok(());
    }
    let updates = last.into_values().map(|(row, receiver)| upsert(row, receiver)).collect();
    // The inserts that follow wait for the journals of a majority, and stand later in the same
    // log: what the primary applied before is durable before they are. Only when another server
    // becomes primary between the two can it be lost, and then a time in an inbox is a little
    // old; a new conversation, which would be missing from it, is waited for.
    let is_new = between_two().any(|(row, _)| row.seq == 1);
    let wait = if is_new { Wait::Durable } else { Wait::Applied };
    bounded(limit, update_each(database, CONVERSATIONS, updates, wait)).await
}

fn upsert(last: &MessageRow, receiver: ObjectId) -> Document {
    let (one, other) = (last.sender_id, receiver);
    doc! {
        "q": { "_id": last.conversation_id },
        "u": {
            "$max": { "updatedAt": last.created_at },
            "$setOnInsert": {
                "kind": "direct",
                "participants": [one.min(other), one.max(other)],
            },
        },
        "upsert": true,
    }
}
