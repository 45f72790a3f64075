//! Reading messages and inboxes.

use futures_util::TryStreamExt;
use mongodb::bson::oid::ObjectId;
use mongodb::bson::{Document, doc};
use mongodb::options::Hint;
use serde::{Deserialize, Serialize};

use super::rows::MessageRow;
use super::{MongoChatStore, OWN, UNREAD};
use crate::chat::model::{ConversationHead, StoredMessage};
use crate::chat::store::InboxPosition;
use crate::error::Result;
use crate::ids::{ConversationId, MessageId, RoomId, UserId};
use crate::store::mongo::operation::run;

pub(super) async fn message(
    store: &MongoChatStore,
    id: MessageId,
) -> Result<Option<StoredMessage>> {
    let messages = store.messages.clone();
    let found = run(async move { messages.find_one(doc! { "_id": id }).await }).await?;
    Ok(found.map(StoredMessage::from))
}

pub(super) async fn messages(
    store: &MongoChatStore,
    ids: &[MessageId],
) -> Result<Vec<StoredMessage>> {
    let (messages, ids) = (store.messages.clone(), ids.to_vec());
    let rows: Vec<MessageRow> =
        run(
            async move { messages.find(doc! { "_id": { "$in": ids } }).await?.try_collect().await },
        )
        .await?;
    Ok(rows.into_iter().map(StoredMessage::from).collect())
}

pub(super) async fn last_seq(store: &MongoChatStore, conversation: ConversationId) -> Result<i64> {
    let messages = store.messages.clone();
    let last = run(async move {
        let of = doc! { "conversationId": conversation };
        messages.find_one(of).sort(doc! { "seq": -1 }).await
    })
    .await?;
    Ok(last.map_or(0, |row| row.seq))
}

pub(super) async fn range(
    store: &MongoChatStore,
    conversation: ConversationId,
    first: i64,
    last: i64,
) -> Result<Vec<StoredMessage>> {
    let messages = store.messages.clone();
    let rows: Vec<MessageRow> = run(async move {
        let of = doc! { "conversationId": conversation, "seq": { "$gte": first, "$lte": last } };
        messages.find(of).sort(doc! { "seq": 1 }).await?.try_collect().await
    })
    .await?;
    Ok(rows.into_iter().map(StoredMessage::from).collect())
}

pub(super) async fn unread(
    store: &MongoChatStore,
    reader: UserId,
    except: &[ConversationId],
    limit: u32,
) -> Result<Vec<StoredMessage>> {
    if limit == 0 {
        return Ok(Vec::new());
    }
    let mut of = doc! { "receiverId": reader, "unread": true };
    if !except.is_empty() {
        of.insert("conversationId", doc! { "$nin": except.to_vec() });
    }
    let messages = store.messages.clone();
    let rows: Vec<MessageRow> = run(async move {
        let order = doc! { "conversationId": 1, "seq": 1 };
        messages
            .find(of)
            .hint(Hint::Name(UNREAD.to_owned()))
            .sort(order)
            .limit(i64::from(limit))
            .await?
            .try_collect()
            .await
    })
    .await?;
    Ok(rows.into_iter().map(StoredMessage::from).collect())
}

pub(super) async fn count_own(
    store: &MongoChatStore,
    room: RoomId,
    user: UserId,
    first: i64,
    last: i64,
) -> Result<i64> {
    let messages = store.messages.clone();
    let count = run(async move {
        let own = doc! {
            "conversationId": room, "senderId": user, "room": true,
            "seq": { "$gte": first, "$lte": last },
        };
        messages.count_documents(own).hint(Hint::Name(OWN.to_owned())).await
    })
    .await?;
    Ok(i64::try_from(count).unwrap_or(i64::MAX))
}

#[derive(Debug, Serialize, Deserialize)]
struct UnreadCount {
    #[serde(rename = "_id")]
    conversation: ObjectId,
    count: i64,
}

pub(super) async fn unread_counts(
    store: &MongoChatStore,
    reader: UserId,
) -> Result<Vec<(ConversationId, u64)>> {
    let count = [
        doc! { "$match": { "receiverId": reader, "unread": true } },
        doc! { "$group": { "_id": "$conversationId", "count": { "$sum": 1_i64 } } },
    ];
    let messages = store.messages.clone();
    let counts: Vec<UnreadCount> = run(async move {
        messages
            .aggregate(count)
            .hint(Hint::Name(UNREAD.to_owned()))
            .with_type::<UnreadCount>()
            .await?
            .try_collect()
            .await
    })
    .await?;
    Ok(counts.into_iter().map(|row| (row.conversation.into(), row.count as u64)).collect())
}

pub(super) async fn conversations(
    store: &MongoChatStore,
    user: UserId,
    before: Option<InboxPosition>,
    limit: u32,
) -> Result<Vec<ConversationHead>> {
    if limit == 0 {
        return Ok(Vec::new());
    }
    let mut of = doc! { "participants": user };
    of.extend(before.map(behind).unwrap_or_default());
    let conversations = store.conversations.clone();
    let rows: Vec<_> = run(async move {
        let order = doc! { "updatedAt": -1, "_id": -1 };
        conversations.find(of).sort(order).limit(i64::from(limit)).await?.try_collect().await
    })
    .await?;
    rows.into_iter().map(ConversationHead::try_from).collect()
}

fn behind((updated_at, id): InboxPosition) -> Document {
    doc! {
        // Said twice: this bounds the scan of the index, the rest decides.
        "updatedAt": { "$lte": updated_at },
        "$or": [{ "updatedAt": { "$lt": updated_at } }, { "_id": { "$lt": id } }],
    }
}

pub(super) async fn last_messages(
    store: &MongoChatStore,
    conversations: &[ConversationId],
) -> Result<Vec<StoredMessage>> {
    if conversations.is_empty() {
        return Ok(Vec::new());
    }
    // In this order of sorting the index gives each conversation's last entry in one step.
    let last = [
        doc! { "$match": { "conversationId": { "$in": conversations.to_vec() } } },
        doc! { "$sort": { "conversationId": -1, "seq": -1 } },
        doc! { "$group": { "_id": "$conversationId", "last": { "$first": "$$ROOT" } } },
        doc! { "$replaceRoot": { "newRoot": "$last" } },
    ];
    let messages = store.messages.clone();
    let rows: Vec<MessageRow> = run(async move {
        messages.aggregate(last).with_type::<MessageRow>().await?.try_collect().await
    })
    .await?;
    Ok(rows.into_iter().map(StoredMessage::from).collect())
}
