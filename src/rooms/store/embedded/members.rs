//! Memberships by row.

use rusqlite::{Connection, Row, params};

use crate::ids::{RoomId, UserId};
use crate::rooms::model::Member;

/// The columns that [`from_row`] reads, in its order, of a table of this name.
macro_rules! columns {
    ($table:literal) => {
        concat!($table, ".user, ", $table, ".is_admin, ", $table, ".joined_at, ", $table, ".since")
    };
}
pub(super) use columns;

/// How many those are.
pub(super) const COLUMNS: usize = 4;

/// The member in a row whose [`columns`] start at `first`.
pub(super) fn from_row(row: &Row<'_>, first: usize) -> rusqlite::Result<Member> {
    Ok(Member {
        user: row.get(first)?,
        is_admin: row.get(first + 1)?,
        joined_at: row.get(first + 2)?,
        since: row.get(first + 3)?,
    })
}

/// The members of a room, those who came first first.
pub(super) fn of_room(db: &Connection, room: RoomId) -> rusqlite::Result<Vec<Member>> {
    db.prepare_cached(concat!(
        "SELECT ",
        columns!("room_members"),
        " FROM room_members WHERE room = ?1 ORDER BY joined_at, user"
    ))?
    .query_map([room], |row| from_row(row, 0))?
    .collect()
}

/// `false` when they are one already, or there is no such room.
pub(super) fn add(db: &Connection, room: RoomId, member: &Member) -> rusqlite::Result<bool> {
    let added = db
        .prepare_cached(
            "INSERT INTO room_members (room, user, is_admin, joined_at, since)
             SELECT id, ?2, ?3, ?4, ?5 FROM rooms WHERE id = ?1
             ON CONFLICT (room, user) DO NOTHING",
        )?
        .execute(params![room, member.user, member.is_admin, member.joined_at, member.since])?;
    Ok(added == 1)
}

pub(super) fn remove(db: &Connection, room: RoomId, user: UserId) -> rusqlite::Result<bool> {
    let removed = db
        .prepare_cached("DELETE FROM room_members WHERE room = ?1 AND user = ?2")?
        .execute(params![room, user])?;
    Ok(removed == 1)
}

pub(super) fn set_admin(
    db: &Connection,
    room: RoomId,
    user: UserId,
    is_admin: bool,
) -> rusqlite::Result<bool> {
    let changed = db
        .prepare_cached("UPDATE room_members SET is_admin = ?3 WHERE room = ?1 AND user = ?2")?
        .execute(params![room, user, is_admin])?;
    Ok(changed == 1)
}
