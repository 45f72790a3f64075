//! Marking as read: each message is reported by exactly one call, on whatever node.

use std::collections::{HashMap, HashSet};

use futures_util::TryStreamExt;
use mongodb::Collection;
use mongodb::bson::oid::ObjectId;
use mongodb::bson::{Bson, doc};
use mongodb::options::Hint;

use super::rows::MessageRow;
use super::{MongoChatStore, UNREAD};
use crate::chat::model::{ReadMark, StoredMessage};
use crate::clock::Timestamp;
use crate::error::Result;
use crate::ids::{ConversationId, MessageId, UserId};
use crate::store::mongo::operation::{is_outage, run};

pub(super) async fn mark_read(
    store: &MongoChatStore,
    batch: Vec<ReadMark>,
    now: Timestamp,
) -> Vec<Result<Vec<StoredMessage>>> {
    if batch.is_empty() {
        return Vec::new();
    }
    let work = mark_all(store.messages.clone(), batch.clone(), now);
    match run(work).await {
        Ok(rows) => share_out(&batch, rows, now),
        Err(error) => batch.iter().map(|_| Err(error.clone())).collect(),
    }
}

/// Marks what `batch` names, and gives what this call marked.
async fn mark_all(
    messages: Collection<MessageRow>,
    batch: Vec<ReadMark>,
    now: Timestamp,
) -> mongodb::error::Result<Vec<MessageRow>> {
    let found = unread_of(&messages, &batch).await?;
    if found.is_empty() {
        return Ok(found);
    }
    let ids: Vec<ObjectId> = found.iter().map(|row| row.id).collect();
    // Other calls may be marking the same messages: each signs what it marks.
    let signature = ObjectId::new();
    let still_unread = doc! { "_id": { "$in": &ids }, "unread": true };
    let read = doc! {
        "$set": { "readAt": now, "readMark": signature }, "$unset": { "unread": "" },
    };
    let mark = || messages.update_many(still_unread.clone(), read.clone());
    let marked = match mark().await {
        // What it did is unknown; the signature makes it repeatable, and tells afterwards.
        Err(error) if is_outage(&error) => mark().await.map(|_| None)?,
        outcome => Some(outcome?.modified_count),
    };
    if marked == Some(found.len() as u64) {
        return Ok(found);
    }
    let ours = doc! { "_id": { "$in": ids }, "readMark": signature };
    let ours: HashSet<Bson> = messages.distinct("_id", ours).await?.into_iter().collect();
    Ok(found.into_iter().filter(|row| ours.contains(&Bson::ObjectId(row.id))).collect())
}

/// The unread messages that any of the marks is about, each once.
async fn unread_of(
    messages: &Collection<MessageRow>,
    batch: &[ReadMark],
) -> mongodb::error::Result<Vec<MessageRow>> {
    let mut named: HashSet<(MessageId, UserId)> = HashSet::new();
    let mut inboxes = Vec::new();
    for mark in batch {
        match *mark {
            ReadMark::One { message, reader } => drop(named.insert((message, reader))),
            ReadMark::All { conversation, reader } => inboxes.push(
                doc! { "receiverId": reader, "conversationId": conversation, "unread": true },
            ),
        }
    }
    let mut found = HashMap::new();
    if !named.is_empty() {
        let ids: Vec<ObjectId> = named.iter().map(|(message, _)| (*message).into()).collect();
        let rows = messages.find(doc! { "_id": { "$in": ids }, "unread": true });
        let rows: Vec<MessageRow> = rows.await?.try_collect().await?;
        let for_reader = |row: &MessageRow| {
            row.receiver_id.is_some_and(|id| named.contains(&(row.id.into(), id.into())))
        };
        found.extend(rows.into_iter().filter(for_reader).map(|row| (row.id, row)));
    }
    if !inboxes.is_empty() {
        let rows = messages.find(doc! { "$or": inboxes }).hint(Hint::Name(UNREAD.to_owned()));
        let rows: Vec<MessageRow> = rows.await?.try_collect().await?;
        found.extend(rows.into_iter().map(|row| (row.id, row)));
    }
    Ok(found.into_values().collect())
}

/// Gives each mark the messages it is about; a message to the first mark that names it.
fn share_out(
    batch: &[ReadMark],
    rows: Vec<MessageRow>,
    now: Timestamp,
) -> Vec<Result<Vec<StoredMessage>>> {
    let mut one: HashMap<(MessageId, UserId), usize> = HashMap::new();
    let mut all: HashMap<(ConversationId, UserId), usize> = HashMap::new();
    for (place, mark) in batch.iter().enumerate() {
        match *mark {
            ReadMark::One { message, reader } => one.entry((message, reader)).or_insert(place),
            ReadMark::All { conversation, reader } => {
                all.entry((conversation, reader)).or_insert(place)
            }
        };
    }
    let mut shares = vec![Vec::new(); batch.len()];
    for row in rows {
        let message = StoredMessage::from(row.read(now));
        let Some(reader) = message.receiver else { continue };
        let named = one.get(&(message.id, reader));
        let swept = all.get(&(message.conversation, reader));
        if let Some(&place) = named.into_iter().chain(swept).min() {
            shares[place].push(message);
        }
    }
    for share in &mut shares {
        share.sort_by_key(|message| message.seq);
    }
    shares.into_iter().map(Ok).collect()
}
