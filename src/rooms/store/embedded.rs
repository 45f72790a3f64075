//! Rooms, memberships and invites on SQLite.

mod invites;
mod members;
mod rooms;

use async_trait::async_trait;

use super::RoomStore;
use crate::clock::Timestamp;
use crate::error::Result;
use crate::ids::{InviteId, RoomId, UserId};
use crate::rooms::model::{Invite, Member, Membership, Room, RoomChange};
use crate::store::Migration;
use crate::store::embedded::Embedded;

/// The tables of rooms, memberships and invites. The last two have rows only for rooms that are
/// there: they are written only while the room is, and go in the transaction that removes it.
pub const MIGRATIONS: &[Migration] = &[Migration {
    domain: "rooms",
    version: 1,
    sql: "
        CREATE TABLE rooms (
            id          BLOB NOT NULL UNIQUE,
            name        TEXT NOT NULL,
            description TEXT,
            is_private  INTEGER NOT NULL,
            owner       BLOB NOT NULL,
            created_at  INTEGER NOT NULL
        ) STRICT;

        CREATE TABLE room_members (
            room      BLOB NOT NULL,
            user      BLOB NOT NULL,
            is_admin  INTEGER NOT NULL,
            joined_at INTEGER NOT NULL,
            since     INTEGER NOT NULL,
            PRIMARY KEY (room, user)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX room_members_user ON room_members (user);

        CREATE TABLE invites (
            id         BLOB PRIMARY KEY,
            room       BLOB NOT NULL,
            created_by BLOB NOT NULL,
            user       BLOB,
            max_uses   INTEGER,
            uses       INTEGER NOT NULL,
            created_at INTEGER NOT NULL,
            expires_at INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX invites_room ON invites (room, expires_at);
        CREATE INDEX invites_bound ON invites (room, user, expires_at) WHERE user IS NOT NULL;",
}];

/// Rooms, memberships and invites in the embedded database.
#[derive(Clone)]
pub struct EmbeddedRoomStore(Embedded);

impl EmbeddedRoomStore {
    /// On a database that was opened with [`MIGRATIONS`].
    pub fn new(db: Embedded) -> Self {
        Self(db)
    }
}

#[async_trait]
impl RoomStore for EmbeddedRoomStore {
    async fn insert_room(&self, room: &Room, owner: &Member) -> Result<()> {
        let (room, owner) = (room.clone(), *owner);
        self.0.write(move |db| rooms::insert(db, &room, &owner)).await
    }

    async fn room(&self, id: RoomId) -> Result<Option<(Room, Vec<Member>)>> {
        self.0.read(move |db| rooms::with_members(db, id)).await
    }

    async fn rooms_of(&self, user: UserId) -> Result<Vec<Membership>> {
        self.0.read(move |db| rooms::of_user(db, user)).await
    }

    async fn change_room(&self, id: RoomId, change: &RoomChange) -> Result<Option<Room>> {
        let change = change.clone();
        self.0.write(move |db| rooms::change(db, id, &change)).await
    }

    async fn change_owner(&self, id: RoomId, from: UserId, to: UserId) -> Result<bool> {
        self.0.write(move |db| rooms::change_owner(db, id, from, to)).await
    }

    async fn close_room(&self, id: RoomId, owner: UserId) -> Result<bool> {
        self.0.write(move |db| rooms::close(db, id, owner)).await
    }

    async fn add_member(&self, room: RoomId, member: &Member) -> Result<bool> {
        let member = *member;
        self.0.write(move |db| members::add(db, room, &member)).await
    }

    async fn remove_member(&self, room: RoomId, user: UserId) -> Result<bool> {
        self.0.write(move |db| members::remove(db, room, user)).await
    }

    async fn set_admin(&self, room: RoomId, user: UserId, is_admin: bool) -> Result<bool> {
        self.0.write(move |db| members::set_admin(db, room, user, is_admin)).await
    }

    async fn insert_invite(&self, invite: &Invite) -> Result<()> {
        let invite = invite.clone();
        self.0.write(move |db| invites::insert(db, &invite)).await
    }

    async fn invite(&self, id: InviteId) -> Result<Option<Invite>> {
        self.0.read(move |db| invites::by_id(db, id)).await
    }

    async fn invites(&self, room: RoomId, now: Timestamp) -> Result<Vec<Invite>> {
        self.0.read(move |db| invites::usable(db, room, now)).await
    }

    async fn is_invited(&self, room: RoomId, user: UserId, now: Timestamp) -> Result<bool> {
        self.0.read(move |db| invites::is_bound_to(db, room, user, now)).await
    }

    async fn use_invite(&self, id: InviteId, now: Timestamp) -> Result<bool> {
        self.0.write(move |db| invites::count_use(db, id, now)).await
    }

    async fn revoke_invite(&self, room: RoomId, id: InviteId) -> Result<bool> {
        self.0.write(move |db| invites::revoke(db, room, id)).await
    }
}

#[cfg(test)]
mod tests;
