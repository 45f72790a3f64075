//! Messages by row: finding them, and marking them as read.

use rusqlite::{Connection, OptionalExtension, Params, Row, params};

use crate::chat::model::{ReadMark, StoredMessage};
use crate::clock::Timestamp;
use crate::ids::{ConversationId, MessageId, RoomId, UserId};
use crate::store::embedded::word;
use crate::text::{IdempotencyKey, MessageText};

/// The columns that [`from_row`] reads, in its order.
macro_rules! columns {
    () => {
        "id, conversation, seq, sender, receiver, content, message_type, client_msg_id, \
         created_at, read_at"
    };
}

pub(super) use columns;

/// The messages that the rest selects.
macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT ", columns!(), " FROM messages ", $rest)
    };
}
pub(super) use select;

fn from_row(row: &Row<'_>) -> rusqlite::Result<StoredMessage> {
    Ok(StoredMessage {
        id: row.get(0)?,
        conversation: row.get(1)?,
        seq: row.get(2)?,
        sender: row.get(3)?,
        receiver: row.get(4)?,
        content: MessageText::from_stored(row.get(5)?),
        message_type: word(row, 6)?,
        client_msg_id: row.get::<_, Option<String>>(7)?.map(IdempotencyKey::from_stored),
        created_at: row.get(8)?,
        read_at: row.get(9)?,
    })
}

fn one(db: &Connection, sql: &str, params: impl Params) -> rusqlite::Result<Option<StoredMessage>> {
    db.prepare_cached(sql)?.query_row(params, from_row).optional()
}

pub(super) fn many(
    db: &Connection,
    sql: &str,
    params: impl Params,
) -> rusqlite::Result<Vec<StoredMessage>> {
    db.prepare_cached(sql)?.query_map(params, from_row)?.collect()
}

pub(super) fn by_id(db: &Connection, id: MessageId) -> rusqlite::Result<Option<StoredMessage>> {
    one(db, select!("WHERE id = ?1"), [id])
}

pub(super) fn by_ids(db: &Connection, ids: &[MessageId]) -> rusqlite::Result<Vec<StoredMessage>> {
    let mut found = Vec::with_capacity(ids.len());
    for id in ids {
        found.extend(by_id(db, *id)?);
    }
    Ok(found)
}

pub(super) fn by_client_msg_id(
    db: &Connection,
    sender: UserId,
    client_msg_id: &IdempotencyKey,
) -> rusqlite::Result<Option<StoredMessage>> {
    let params = params![sender, client_msg_id.as_str()];
    one(db, select!("WHERE sender = ?1 AND client_msg_id = ?2"), params)
}

pub(super) fn last_seq(db: &Connection, conversation: ConversationId) -> rusqlite::Result<i64> {
    db.prepare_cached("SELECT coalesce(max(seq), 0) FROM messages WHERE conversation = ?1")?
        .query_row([conversation], |row| row.get(0))
}

pub(super) fn range(
    db: &Connection,
    conversation: ConversationId,
    first: i64,
    last: i64,
) -> rusqlite::Result<Vec<StoredMessage>> {
    let sql = select!("WHERE conversation = ?1 AND seq BETWEEN ?2 AND ?3 ORDER BY seq");
    many(db, sql, params![conversation, first, last])
}

pub(super) fn last_of_each(
    db: &Connection,
    conversations: &[ConversationId],
) -> rusqlite::Result<Vec<StoredMessage>> {
    let sql = select!("WHERE conversation = ?1 ORDER BY seq DESC LIMIT 1");
    let mut found = Vec::with_capacity(conversations.len());
    for conversation in conversations {
        found.extend(one(db, sql, [conversation])?);
    }
    Ok(found)
}

/// How many of `first..=last` in a room `user` wrote.
pub(super) fn count_own(
    db: &Connection,
    room: RoomId,
    user: UserId,
    first: i64,
    last: i64,
) -> rusqlite::Result<i64> {
    db.prepare_cached(
        "SELECT count(*) FROM messages
         WHERE conversation = ?1 AND sender = ?2 AND seq BETWEEN ?3 AND ?4 AND receiver IS NULL",
    )?
    .query_row(params![room, user, first, last], |row| row.get(0))
}

/// Messages to `reader` that are unread, outside the conversations `except`.
pub(super) fn unread(
    db: &Connection,
    reader: UserId,
    except: &[ConversationId],
    limit: u32,
) -> rusqlite::Result<Vec<StoredMessage>> {
    let sql = select!(
        "WHERE receiver = ?1 AND read_at IS NULL
           AND conversation NOT IN (SELECT unhex(value) FROM json_each(?2))
         ORDER BY conversation, seq LIMIT ?3"
    );
    let except = serde_json::to_string(except)
        .map_err(|problem| rusqlite::Error::ToSqlConversionFailure(problem.into()))?;
    many(db, sql, params![reader, except, limit])
}

pub(super) fn unread_counts(
    db: &Connection,
    reader: UserId,
) -> rusqlite::Result<Vec<(ConversationId, u64)>> {
    db.prepare_cached(
        "SELECT conversation, count(*) FROM messages WHERE receiver = ?1 AND read_at IS NULL
         GROUP BY conversation",
    )?
    .query_map([reader], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.unsigned_abs())))?
    .collect()
}

/// What each mark changed, in order of `seq`.
pub(super) fn mark_read(
    db: &Connection,
    marks: &[ReadMark],
    now: Timestamp,
) -> rusqlite::Result<Vec<Vec<StoredMessage>>> {
    const ONE: &str = concat!(
        "UPDATE messages SET read_at = ?3 WHERE id = ?1 AND receiver = ?2 AND read_at IS NULL
         RETURNING ",
        columns!()
    );
    const ALL: &str = concat!(
        "UPDATE messages SET read_at = ?3
         WHERE conversation = ?1 AND receiver = ?2 AND read_at IS NULL RETURNING ",
        columns!()
    );
    let mark = |mark: &ReadMark| {
        let mut changed = match mark {
            ReadMark::One { message, reader } => many(db, ONE, params![message, reader, now]),
            ReadMark::All { conversation, reader } => {
                many(db, ALL, params![conversation, reader, now])
            }
        }?;
        // RETURNING promises no order.
        changed.sort_unstable_by_key(|message| message.seq);
        Ok(changed)
    };
    marks.iter().map(mark).collect()
}
