//! Finding messages whose texts are to go, and deleting them.

use rusqlite::{Connection, params};

use super::messages::{columns, many, select};
use crate::chat::model::{MessageType, StoredMessage};
use crate::chat::store::Place;
use crate::ids::{ConversationId, MessageId, UserId};

/// The room behind another one, by id. One look into the index of one's own messages.
pub(super) const NEXT_ROOM: &str =
    "SELECT min(conversation) FROM messages WHERE receiver IS NULL AND conversation > ?1";

/// What a user wrote in rooms, behind `after`: a look into each room, as no index begins with the
/// sender, and none is worth its price to all who send.
pub(super) fn written_in_rooms(
    db: &Connection,
    user: UserId,
    after: Option<Place>,
    limit: u32,
) -> rusqlite::Result<Vec<StoredMessage>> {
    let own = select!(
        "WHERE conversation = ?1 AND sender = ?2 AND seq > ?3 AND receiver IS NULL
         ORDER BY seq LIMIT ?4"
    );
    let (mut room, mut seq) = after.unwrap_or((ConversationId::from_bytes([0; 12]), 0));
    let limit = limit as usize;
    let mut found = Vec::new();
    loop {
        found.extend(many(db, own, params![room, user, seq, (limit - found.len()) as i64])?);
        if found.len() >= limit {
            return Ok(found);
        }
        let next = db.prepare_cached(NEXT_ROOM)?.query_row([room], |row| row.get(0))?;
        let Some(next) = next else { return Ok(found) };
        (room, seq) = (next, 0);
    }
}

pub(super) fn between(
    db: &Connection,
    after: MessageId,
    before: MessageId,
    limit: u32,
) -> rusqlite::Result<Vec<StoredMessage>> {
    let sql = select!("WHERE id > ?1 AND id < ?2 ORDER BY id LIMIT ?3");
    many(db, sql, params![after, before, limit])
}

pub(super) fn delete_texts(
    db: &Connection,
    messages: &[MessageId],
    keep_keys: bool,
) -> rusqlite::Result<()> {
    let mut delete = db.prepare_cached(
        "UPDATE messages SET content = '', message_type = ?2,
             client_msg_id = iif(?3, client_msg_id, NULL)
         WHERE id = ?1",
    )?;
    for message in messages {
        delete.execute(params![message, MessageType::Text.word(), keep_keys])?;
    }
    Ok(())
}
