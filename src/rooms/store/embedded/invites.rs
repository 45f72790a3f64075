//! Invites by row.

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::clock::Timestamp;
use crate::ids::{InviteId, RoomId, UserId};
use crate::rooms::model::Invite;

/// The columns that [`from_row`] reads, in its order.
macro_rules! columns {
    () => {
        "id, room, created_by, user, max_uses, uses, created_at, expires_at"
    };
}

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT ", columns!(), " FROM invites ", $rest)
    };
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Invite> {
    Ok(Invite {
        id: row.get(0)?,
        room: row.get(1)?,
        created_by: row.get(2)?,
        user: row.get(3)?,
        max_uses: row.get(4)?,
        uses: row.get(5)?,
        created_at: row.get(6)?,
        expires_at: row.get(7)?,
    })
}

/// Inserts an invite if its room is there, and forgets those to it that have expired by then.
pub(super) fn insert(db: &Connection, invite: &Invite) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM invites WHERE room = ?1 AND expires_at <= ?2")?
        .execute(params![invite.room, invite.created_at])?;
    db.prepare_cached(
        "INSERT INTO invites
             (id, room, created_by, user, max_uses, uses, created_at, expires_at)
         SELECT ?1, id, ?3, ?4, ?5, ?6, ?7, ?8 FROM rooms WHERE id = ?2
         ON CONFLICT (id) DO NOTHING",
    )?
    .execute(params![
        invite.id,
        invite.room,
        invite.created_by,
        invite.user,
        invite.max_uses,
        invite.uses,
        invite.created_at,
        invite.expires_at,
    ])
    .map(drop)
}

pub(super) fn by_id(db: &Connection, id: InviteId) -> rusqlite::Result<Option<Invite>> {
    db.prepare_cached(select!("WHERE id = ?1"))?.query_row([id], from_row).optional()
}

/// The invites to a room that can be used at `now`, the newest first.
pub(super) fn usable(
    db: &Connection,
    room: RoomId,
    now: Timestamp,
) -> rusqlite::Result<Vec<Invite>> {
    db.prepare_cached(select!(
        "WHERE room = ?1 AND expires_at > ?2 AND (max_uses IS NULL OR uses < max_uses)
         ORDER BY created_at DESC, id DESC"
    ))?
    .query_map(params![room, now], from_row)?
    .collect()
}

pub(super) fn is_bound_to(
    db: &Connection,
    room: RoomId,
    user: UserId,
    now: Timestamp,
) -> rusqlite::Result<bool> {
    db.prepare_cached(
        "SELECT 1 FROM invites WHERE room = ?1 AND user = ?2 AND expires_at > ?3
         AND (max_uses IS NULL OR uses < max_uses)",
    )?
    .exists(params![room, user, now])
}

pub(super) fn count_use(db: &Connection, id: InviteId, now: Timestamp) -> rusqlite::Result<bool> {
    let counted = db
        .prepare_cached(
            "UPDATE invites SET uses = uses + 1 WHERE id = ?1 AND expires_at > ?2
             AND (max_uses IS NULL OR uses < max_uses)",
        )?
        .execute(params![id, now])?;
    Ok(counted == 1)
}

pub(super) fn revoke(db: &Connection, room: RoomId, id: InviteId) -> rusqlite::Result<bool> {
    let removed = db
        .prepare_cached("DELETE FROM invites WHERE id = ?1 AND room = ?2")?
        .execute(params![id, room])?;
    Ok(removed == 1)
}
