//! The inboxes: which conversations a user has, the last changed first.

use rusqlite::{Connection, params};

use crate::chat::model::ConversationHead;
use crate::chat::store::InboxPosition;
use crate::clock::Timestamp;
use crate::ids::{ConversationId, UserId};

/// Moves the conversation up in the inboxes of both, from where they have it, if they do, to
/// `updated_at`.
pub(super) fn update(
    db: &Connection,
    conversation: ConversationId,
    participants: [UserId; 2],
    stored: Option<Timestamp>,
    updated_at: Timestamp,
) -> rusqlite::Result<()> {
    if stored == Some(updated_at) {
        return Ok(());
    }
    let [one, other] = participants;
    for (user, peer) in [(one, other), (other, one)] {
        let moved = match stored {
            Some(stored) => db
                .prepare_cached(
                    "UPDATE inboxes SET updated_at = ?4
                     WHERE user = ?1 AND updated_at = ?3 AND conversation = ?2",
                )?
                .execute(params![user, conversation, stored, updated_at])?,
            None => 0,
        };
        if moved == 0 {
            db.prepare_cached(
                "INSERT INTO inboxes (user, conversation, peer, updated_at)
                 VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
            )?
            .execute(params![user, conversation, peer, updated_at])?;
        }
    }
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
