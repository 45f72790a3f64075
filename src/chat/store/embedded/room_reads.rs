//! What members have read in rooms.

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::chat::model::{Progress, RoomRead, Stretch};
use crate::ids::{RoomId, UserId};

/// Stores reads, and says of each whether it is stored. No other node writes here, so that a
/// number which is taken is a read of this node that it has forgotten.
pub(super) fn append(db: &Connection, reads: &[RoomRead]) -> rusqlite::Result<Vec<bool>> {
    let mut refused: Vec<(RoomId, UserId)> = Vec::new();
    let mut stored = Vec::with_capacity(reads.len());
    for read in reads {
        let member = (read.room, read.user);
        let is_stored = !refused.contains(&member) && insert(db, read)?;
        if !is_stored {
            refused.push(member);
        }
        stored.push(is_stored);
    }
    Ok(stored)
}

fn insert(db: &Connection, read: &RoomRead) -> rusqlite::Result<bool> {
    let Progress { no, done, top, ahead } = read.progress;
    let Stretch { first, last, count } = read.stretch;
    db.prepare_cached(
        "INSERT INTO room_reads (room, user, no, first, last, count, read_at, done, top, ahead)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT DO NOTHING",
    )?
    .execute(params![read.room, read.user, no, first, last, count, read.read_at, done, top, ahead])
    .map(|inserted| inserted > 0)
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<RoomRead> {
    Ok(RoomRead {
        room: row.get(0)?,
        user: row.get(1)?,
        stretch: Stretch { first: row.get(3)?, last: row.get(4)?, count: row.get(5)? },
        read_at: row.get(6)?,
        progress: Progress {
            no: row.get(2)?,
            done: row.get(7)?,
            top: row.get(8)?,
            ahead: row.get(9)?,
        },
    })
}

/// The columns that [`from_row`] reads, in its order.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT room, user, no, first, last, count, read_at, done, top, ahead FROM room_reads ",
            $rest
        )
    };
}

pub(super) fn progress(
    db: &Connection,
    room: RoomId,
    users: &[UserId],
) -> rusqlite::Result<Vec<(UserId, Progress)>> {
    let sql = select!("WHERE room = ?1 AND user = ?2 ORDER BY no DESC LIMIT 1");
    let mut found = Vec::with_capacity(users.len());
    for user in users {
        let last = db.prepare_cached(sql)?.query_row(params![room, user], from_row).optional()?;
        found.extend(last.map(|read| (*user, read.progress)));
    }
    Ok(found)
}

/// The reads of one member that touch `first..=last`. They never overlap, so their order by `last`
/// is their order by `first`, and the first one behind the end ends the search.
pub(super) fn between(
    db: &Connection,
    room: RoomId,
    user: UserId,
    first: i64,
    last: i64,
) -> rusqlite::Result<Vec<RoomRead>> {
    let sql = select!("WHERE room = ?1 AND user = ?2 AND last >= ?3 ORDER BY last");
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query(params![room, user, first])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let read = from_row(row)?;
        if read.stretch.first > last {
            break;
        }
        found.push(read);
    }
    Ok(found)
}

pub(super) fn of_each(
    db: &Connection,
    room: RoomId,
    users: &[UserId],
    first: i64,
    last: i64,
) -> rusqlite::Result<Vec<RoomRead>> {
    let mut found = Vec::new();
    for user in users {
        found.extend(between(db, room, *user, first, last)?);
    }
    Ok(found)
}

/// The room behind another one, by id. One look into the table, which is in this order.
const NEXT_ROOM: &str = "SELECT min(room) FROM room_reads WHERE room > ?1";

/// The reads of a member in all rooms, behind `after`: a look into each room.
pub(super) fn of_user(
    db: &Connection,
    user: UserId,
    after: Option<(RoomId, i64)>,
    limit: u32,
) -> rusqlite::Result<Vec<RoomRead>> {
    let sql = select!("WHERE room = ?1 AND user = ?2 AND no > ?3 ORDER BY no LIMIT ?4");
    let (mut room, mut no) = after.unwrap_or((RoomId::from_bytes([0; 12]), 0));
    let limit = limit as usize;
    let mut found = Vec::new();
    loop {
        let rest = (limit - found.len()) as i64;
        let mut statement = db.prepare_cached(sql)?;
        for read in statement.query_map(params![room, user, no, rest], from_row)? {
            found.push(read?);
        }
        if found.len() >= limit {
            return Ok(found);
        }
        let next = db.prepare_cached(NEXT_ROOM)?.query_row([room], |row| row.get(0))?;
        let Some(next) = next else { return Ok(found) };
        (room, no) = (next, 0);
    }
}
