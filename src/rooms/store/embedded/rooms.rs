//! Rooms by row.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::members;
use crate::ids::{RoomId, UserId};
use crate::rooms::model::{Member, Membership, Room, RoomChange};
use crate::text::{Description, DisplayName};

/// The columns that [`from_row`] reads, in its order.
macro_rules! columns {
    () => {
        "rooms.id, rooms.name, rooms.description, rooms.is_private, rooms.owner, rooms.created_at"
    };
}

/// How many those are: what follows them in a row starts here.
const COLUMNS: usize = 6;

fn from_row(row: &Row<'_>) -> rusqlite::Result<Room> {
    Ok(Room {
        id: row.get(0)?,
        name: DisplayName::from_stored(row.get(1)?),
        description: row.get::<_, Option<String>>(2)?.map(Description::from_stored),
        is_private: row.get(3)?,
        owner: row.get(4)?,
        created_at: row.get(5)?,
        of_order: None,
    })
}

/// Inserts a room and its owner, unless the room is there.
pub(super) fn insert(db: &Connection, room: &Room, owner: &Member) -> rusqlite::Result<()> {
    let inserted = db
        .prepare_cached(
            "INSERT INTO rooms (id, name, description, is_private, owner, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (id) DO NOTHING",
        )?
        .execute(params![
            room.id,
            room.name.as_str(),
            room.description.as_ref().map(Description::as_str),
            room.is_private,
            room.owner,
            room.created_at,
        ])?;
    if inserted == 1 {
        members::add(db, room.id, owner)?;
    }
    Ok(())
}

pub(super) fn with_members(
    db: &Connection,
    id: RoomId,
) -> rusqlite::Result<Option<(Room, Vec<Member>)>> {
    // Both are of one moment: nobody closes the room in between.
    let moment = db.unchecked_transaction()?;
    let room = moment
        .prepare_cached(concat!("SELECT ", columns!(), " FROM rooms WHERE id = ?1"))?
        .query_row([id], from_row)
        .optional()?;
    room.map(|room| Ok((room, members::of_room(&moment, id)?))).transpose()
}

/// The rooms of a user, the newest first.
pub(super) fn of_user(db: &Connection, user: UserId) -> rusqlite::Result<Vec<Membership>> {
    db.prepare_cached(concat!(
        "SELECT ",
        columns!(),
        ", ",
        members::columns!("mine"),
        ", (SELECT count(*) FROM room_members AS everybody WHERE everybody.room = mine.room)
         FROM room_members AS mine JOIN rooms ON rooms.id = mine.room
         WHERE mine.user = ?1 ORDER BY rooms.created_at DESC, rooms.id DESC"
    ))?
    .query_map([user], |row| {
        Ok(Membership {
            room: from_row(row)?,
            member: members::from_row(row, COLUMNS)?,
            count: row.get::<_, i64>(COLUMNS + members::COLUMNS)?.unsigned_abs(),
        })
    })?
    .collect()
}

pub(super) fn change(
    db: &Connection,
    id: RoomId,
    change: &RoomChange,
) -> rusqlite::Result<Option<Room>> {
    let description = change.description.as_ref();
    db.prepare_cached(concat!(
        "UPDATE rooms SET name = coalesce(?2, name),
             description = CASE WHEN ?3 THEN ?4 ELSE description END,
             is_private = coalesce(?5, is_private)
         WHERE id = ?1 RETURNING ",
        columns!()
    ))?
    .query_row(
        params![
            id,
            change.name.as_ref().map(DisplayName::as_str),
            description.is_some(),
            description.and_then(Option::as_ref).map(Description::as_str),
            change.is_private,
        ],
        from_row,
    )
    .optional()
}

pub(super) fn change_owner(
    db: &Connection,
    id: RoomId,
    from: UserId,
    to: UserId,
) -> rusqlite::Result<bool> {
    let changed = db
        .prepare_cached("UPDATE rooms SET owner = ?3 WHERE id = ?1 AND owner = ?2")?
        .execute(params![id, from, to])?;
    Ok(changed == 1)
}

/// Removes a room and everything that has its id here.
pub(super) fn close(db: &Connection, id: RoomId, owner: UserId) -> rusqlite::Result<bool> {
    let removed = db
        .prepare_cached("DELETE FROM rooms WHERE id = ?1 AND owner = ?2")?
        .execute(params![id, owner])?;
    if removed == 0 {
        return Ok(false);
    }
    db.prepare_cached("DELETE FROM room_members WHERE room = ?1")?.execute([id])?;
    db.prepare_cached("DELETE FROM invites WHERE room = ?1")?.execute([id])?;
    Ok(true)
}
