//! Appending a batch of messages, all in the transaction of one write.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use rusqlite::{Connection, OptionalExtension, params};

use super::{inbox, messages};
use crate::chat::model::{NewMessage, StoredMessage};
use crate::chat::store::Appended;
use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::ids::{ConversationId, UserId};

/// Where a conversation stands within the batch. Looked up once per batch and not kept longer:
/// a transaction may be rolled back.
struct Head {
    last_seq: i64,
    /// When its last message was committed.
    updated_at: Timestamp,
    /// What the inboxes have: the time of the last message before this batch.
    in_inboxes: Option<Timestamp>,
    /// The two of the last message appended by this batch, if it appended one between two.
    participants: Option<[UserId; 2]>,
}

/// Appends in order, with one result each. An error is the whole batch's.
pub(super) fn append(
    db: &Connection,
    batch: Vec<NewMessage>,
    now: Timestamp,
) -> rusqlite::Result<Vec<Result<Appended>>> {
    let mut heads = HashMap::new();
    let mut results = Vec::with_capacity(batch.len());
    for message in batch {
        let head = match heads.entry(message.conversation) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(head(db, message.conversation)?),
        };
        results.push(append_one(db, head, message, now)?);
    }
    for (conversation, head) in heads {
        if let Some(participants) = head.participants {
            inbox::update(db, conversation, participants, head.in_inboxes, head.updated_at)?;
        }
    }
    Ok(results)
}

fn head(db: &Connection, conversation: ConversationId) -> rusqlite::Result<Head> {
    let last = db
        .prepare_cached(
            "SELECT seq, created_at FROM messages WHERE conversation = ?1
             ORDER BY seq DESC LIMIT 1",
        )?
        .query_row([conversation], |row| {
            Ok(Head {
                last_seq: row.get(0)?,
                updated_at: row.get(1)?,
                in_inboxes: row.get(1)?,
                participants: None,
            })
        })
        .optional()?;
    let empty = Head {
        last_seq: 0,
        updated_at: Timestamp::from_millis(0),
        in_inboxes: None,
        participants: None,
    };
    Ok(last.unwrap_or(empty))
}

fn append_one(
    db: &Connection,
    head: &mut Head,
    new: NewMessage,
    now: Timestamp,
) -> rusqlite::Result<Result<Appended>> {
    let message = StoredMessage {
        id: new.id,
        conversation: new.conversation,
        seq: head.last_seq + 1,
        sender: new.sender,
        receiver: new.receiver,
        content: new.content,
        message_type: new.message_type,
        client_msg_id: new.client_msg_id,
        created_at: now.max(head.updated_at),
        read_at: None,
    };
    if !insert(db, &message)? {
        return stored_before(db, &message);
    }
    head.last_seq = message.seq;
    head.updated_at = message.created_at;
    head.participants = message.receiver.map(|receiver| [message.sender, receiver]);
    Ok(Ok(Appended::Stored(message)))
}

/// `false` when a unique index has it already, so that the usual case needs no look-up.
fn insert(db: &Connection, message: &StoredMessage) -> rusqlite::Result<bool> {
    db.prepare_cached(
        "INSERT INTO messages (id, conversation, seq, sender, receiver, content, message_type,
                               client_msg_id, created_at, read_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, NULL)
         ON CONFLICT DO NOTHING",
    )?
    .execute(params![
        message.id,
        message.conversation,
        message.seq,
        message.sender,
        message.receiver,
        message.content.as_str(),
        message.message_type.word(),
        message.client_msg_id.as_ref().map(|id| id.as_str()),
        message.created_at,
    ])
    .map(|inserted| inserted > 0)
}

/// What stands in the way of `message`: the one sent with its `clientMsgId`, or, of a write that
/// is repeated because its answer was lost, itself.
fn stored_before(db: &Connection, message: &StoredMessage) -> rusqlite::Result<Result<Appended>> {
    if let Some(client_msg_id) = &message.client_msg_id
        && let Some(stored) = messages::by_client_msg_id(db, message.sender, client_msg_id)?
    {
        return Ok(Ok(Appended::Repeated(stored)));
    }
    let itself = messages::by_id(db, message.id)?.filter(|stored| {
        (stored.conversation, stored.sender) == (message.conversation, message.sender)
    });
    Ok(itself
        .map(Appended::Stored)
        .ok_or_else(|| Error::internal(format!("the message id {} is in use", message.id))))
}
