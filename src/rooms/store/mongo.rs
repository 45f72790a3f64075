//! Rooms, memberships and invites on MongoDB.
//!
//! No transaction spans the collections. The document of a room decides whether there is one: it
//! is written last and removed first, and a membership or an invite of a room that is not there
//! does not count. Whoever writes one looks for the room afterwards: either it is still there,
//! and whoever closes it removes what was written too, or the writer takes it back.

mod invites;
mod members;
mod rooms;
mod rows;

use async_trait::async_trait;
use mongodb::bson::doc;
use mongodb::{Collection, Database};

use self::rows::{INVITES, InviteRow, MEMBERS, MemberRow, ROOMS, RoomRow};
use super::RoomStore;
use crate::clock::Timestamp;
use crate::error::Result;
use crate::ids::{InviteId, RoomId, UserId};
use crate::rooms::model::{Invite, Member, Membership, Room, RoomChange};
use crate::store::mongo::index::{index, partial_index, unique_index};
use crate::store::mongo::{Mongo, MongoMigration};

/// The steps of the rooms' schema.
pub const MIGRATIONS: &[MongoMigration] = &[MongoMigration {
    domain: "rooms",
    version: 1,
    apply: |database| Box::pin(create_indexes(database)),
}];

async fn create_indexes(database: Database) -> mongodb::error::Result<()> {
    database
        .collection::<MemberRow>(MEMBERS)
        .create_indexes([
            unique_index("room_user_unique", doc! { "roomId": 1, "userId": 1 }),
            index("user", doc! { "userId": 1 }),
        ])
        .await?;
    database
        .collection::<InviteRow>(INVITES)
        .create_indexes([
            index("room_expiry", doc! { "roomId": 1, "expiresAt": 1 }),
            partial_index(
                "room_user_expiry",
                doc! { "roomId": 1, "userId": 1, "expiresAt": 1 },
                doc! { "userId": { "$exists": true } },
            ),
        ])
        .await?;
    Ok(())
}

/// [`RoomStore`] on MongoDB.
#[derive(Debug, Clone)]
pub struct MongoRoomStore {
    rooms: Collection<RoomRow>,
    members: Collection<MemberRow>,
    invites: Collection<InviteRow>,
}

impl MongoRoomStore {
    /// The store in this database, whose schema must be up to date ([`MIGRATIONS`]).
    pub fn new(db: &Mongo) -> Self {
        Self {
            rooms: db.collection(ROOMS),
            members: db.collection(MEMBERS),
            invites: db.collection(INVITES),
        }
    }
}

#[async_trait]
impl RoomStore for MongoRoomStore {
    async fn insert_room(&self, room: &Room, owner: &Member) -> Result<()> {
        rooms::insert(self, room, owner).await
    }

    async fn room(&self, id: RoomId) -> Result<Option<(Room, Vec<Member>)>> {
        rooms::with_members(self, id).await
    }

    async fn rooms_of(&self, user: UserId) -> Result<Vec<Membership>> {
        members::of_user(self, user).await
    }

    async fn change_room(&self, id: RoomId, change: &RoomChange) -> Result<Option<Room>> {
        rooms::change(self, id, change).await
    }

    async fn change_owner(&self, id: RoomId, from: UserId, to: UserId) -> Result<bool> {
        rooms::change_owner(self, id, from, to).await
    }

    async fn close_room(&self, id: RoomId, owner: UserId) -> Result<bool> {
        rooms::close(self, id, owner).await
    }

    async fn add_member(&self, room: RoomId, member: &Member) -> Result<bool> {
        members::add(self, room, member).await
    }

    async fn remove_member(&self, room: RoomId, user: UserId) -> Result<bool> {
        members::remove(self, room, user).await
    }

    async fn set_admin(&self, room: RoomId, user: UserId, is_admin: bool) -> Result<bool> {
        members::set_admin(self, room, user, is_admin).await
    }

    async fn insert_invite(&self, invite: &Invite) -> Result<()> {
        invites::insert(self, invite).await
    }

    async fn invite(&self, id: InviteId) -> Result<Option<Invite>> {
        invites::by_id(self, id).await
    }

    async fn invites(&self, room: RoomId, now: Timestamp) -> Result<Vec<Invite>> {
        invites::usable(self, room, now).await
    }

    async fn is_invited(&self, room: RoomId, user: UserId, now: Timestamp) -> Result<bool> {
        invites::is_bound_to(self, room, user, now).await
    }

    async fn use_invite(&self, id: InviteId, now: Timestamp) -> Result<bool> {
        invites::count_use(self, id, now).await
    }

    async fn revoke_invite(&self, room: RoomId, id: InviteId) -> Result<bool> {
        invites::revoke(self, room, id).await
    }
}
