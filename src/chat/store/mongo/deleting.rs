//! Finding messages whose texts are to go, and deleting them.

use futures_util::TryStreamExt;
use mongodb::bson::{Document, doc};
use mongodb::options::Hint;

use super::rows::MessageRow;
use super::{MongoChatStore, OWN};
use crate::chat::model::{MessageType, StoredMessage};
use crate::chat::store::Place;
use crate::error::Result;
use crate::ids::{MessageId, UserId};
use crate::store::mongo::operation::run;

/// What comes behind a place in an index that is ordered by a room and a number.
pub(super) fn behind(
    room: &str,
    number: &str,
    after: (impl Into<mongodb::bson::Bson>, i64),
) -> Document {
    let (id, no) = (after.0.into(), after.1);
    doc! {
        // Said twice: this bounds the scan of the index, the rest decides.
        room: { "$gte": &id },
        "$or": [{ room: { "$gt": &id } }, { number: { "$gt": no } }],
    }
}

/// What a user wrote in rooms, behind `after`. No index begins with the sender; in that of one's
/// own messages the database goes from room to room.
pub(super) async fn written_in_rooms(
    store: &MongoChatStore,
    user: UserId,
    after: Option<Place>,
    limit: u32,
) -> Result<Vec<StoredMessage>> {
    let mut own = doc! { "senderId": user, "room": true };
    own.extend(after.map(|after| behind("conversationId", "seq", after)).unwrap_or_default());
    let messages = store.messages.clone();
    let rows: Vec<MessageRow> = run(async move {
        let order = doc! { "conversationId": 1, "senderId": 1, "seq": 1 };
        let found = messages.find(own).hint(Hint::Name(OWN.to_owned())).sort(order);
        found.limit(limit.into()).await?.try_collect().await
    })
    .await?;
    Ok(rows.into_iter().map(StoredMessage::from).collect())
}

pub(super) async fn between(
    store: &MongoChatStore,
    after: MessageId,
    before: MessageId,
    limit: u32,
) -> Result<Vec<StoredMessage>> {
    let messages = store.messages.clone();
    let rows: Vec<MessageRow> = run(async move {
        let these = doc! { "_id": { "$gt": after, "$lt": before } };
        messages.find(these).sort(doc! { "_id": 1 }).limit(limit.into()).await?.try_collect().await
    })
    .await?;
    Ok(rows.into_iter().map(StoredMessage::from).collect())
}

pub(super) async fn delete_texts(
    store: &MongoChatStore,
    messages: &[MessageId],
    keep_keys: bool,
) -> Result<()> {
    let these = doc! { "_id": { "$in": messages.to_vec() } };
    let mut change = doc! { "$set": { "content": "", "messageType": MessageType::Text.word() } };
    if !keep_keys {
        change.insert("$unset", doc! { "clientMsgId": "" });
    }
    let messages = store.messages.clone();
    run(async move { messages.update_many(these, change).await }).await.map(drop)
}
