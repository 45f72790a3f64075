//! The inboxes: which conversations a user has, the last changed first.

use rusqlite::{Connection, params};

use crate::chat::model::ConversationHead;
use crate::chat::store::InboxPosition;
use crate::clock::Timestamp;
use crate::ids::{ConversationId, UserId};

/// Sets when the conversation changed, in the inboxes of both.
pub(super) fn update(
    db: &Connection,
    conversation: ConversationId,
    participants: [UserId; 2],
    updated_at: Timestamp,
) -> rusqlite::Result<()> {
    let mut statement = db.prepare_cached(
        "INSERT INTO inboxes (user, conversation, peer, updated_at) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (user, conversation) DO UPDATE SET updated_at = excluded.updated_at",
    )?;
    let [one, other] = participants;
    statement.execute(params![one, conversation, other, updated_at])?;
    statement.execute(params![other, conversation, one, updated_at])?;
    Ok(())
}

/// The conversations of `user` behind `before`.
pub(super) fn page(
    db: &Connection,
    user: UserId,
    before: Option<InboxPosition>,
    limit: u32,
) -> rusqlite::Result<Vec<ConversationHead>> {
    let end_of_time = (Timestamp::from_millis(i64::MAX), ConversationId::from_bytes([0xFF; 12]));
    let (updated_at, id) = before.unwrap_or(end_of_time);
    db.prepare_cached(
        "SELECT conversation, peer, updated_at FROM inboxes
         WHERE user = ?1 AND (updated_at, conversation) < (?2, ?3)
         ORDER BY updated_at DESC, conversation DESC LIMIT ?4",
    )?
    .query_map(params![user, updated_at, id, limit], |row| {
        let peer: UserId = row.get(1)?;
        Ok(ConversationHead {
            id: row.get(0)?,
            participants: [user.min(peer), user.max(peer)],
            updated_at: row.get(2)?,
        })
    })?
    .collect()
}
