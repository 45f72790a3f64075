//! What rooms need of a store.

pub mod embedded;
pub mod mongo;

use async_trait::async_trait;

use super::model::{Invite, Member, Membership, Room, RoomChange};
use crate::clock::Timestamp;
use crate::error::Result;
use crate::ids::{InviteId, RoomId, UserId};

/// Rooms, memberships and invites. Every write is durable when it returns, and conditional where
/// two could collide: of any number of callers at once, on any node, exactly one is told that it
/// did it. No rule is behind this trait: who may do what is the service's.
#[async_trait]
pub trait RoomStore: Send + Sync {
    /// Stores a new room with its first member, the owner. Does nothing the second time.
    async fn insert_room(&self, room: &Room, owner: &Member) -> Result<()>;
    /// The room with all its members, those who came first first (then by id). What was written
    /// before this was called is in it.
    async fn room(&self, id: RoomId) -> Result<Option<(Room, Vec<Member>)>>;
    /// The rooms of a user, the newest room first (then by id, descending).
    async fn rooms_of(&self, user: UserId) -> Result<Vec<Membership>>;
    /// Changes a room, and gives it as it is then; `None` when there is no such room.
    async fn change_room(&self, id: RoomId, change: &RoomChange) -> Result<Option<Room>>;
    /// Makes `to` the owner if `from` is; whether that happened.
    async fn change_owner(&self, id: RoomId, from: UserId, to: UserId) -> Result<bool>;
    /// Removes a room with its memberships and invites if `owner` is the owner; whether that
    /// happened. Its messages stay.
    async fn close_room(&self, id: RoomId, owner: UserId) -> Result<bool>;

    /// Adds a member; `false` when they are one already, and when there is no such room.
    async fn add_member(&self, room: RoomId, member: &Member) -> Result<bool>;
    /// Removes a member; `false` when they were none.
    async fn remove_member(&self, room: RoomId, user: UserId) -> Result<bool>;
    /// Says whether a member is an admin; `false` when they are no member.
    async fn set_admin(&self, room: RoomId, user: UserId, is_admin: bool) -> Result<bool>;

    /// Stores an invite, if there is such a room. Invites to the same room that cannot be used after `created_at` of this
    /// one, because they have expired, may be forgotten by it.
    async fn insert_invite(&self, invite: &Invite) -> Result<()>;
    /// The invite with this id, unless it was revoked or forgotten.
    async fn invite(&self, id: InviteId) -> Result<Option<Invite>>;
    /// The invites to a room that can be used at `now`, the newest first (then by id, descending).
    async fn invites(&self, room: RoomId, now: Timestamp) -> Result<Vec<Invite>>;
    /// Whether an invite to this room that can be used at `now` is bound to this user.
    async fn is_invited(&self, room: RoomId, user: UserId, now: Timestamp) -> Result<bool>;
    /// Counts one use, if the invite is there, has not expired at `now`, and has one left.
    async fn use_invite(&self, id: InviteId, now: Timestamp) -> Result<bool>;
    /// Removes an invite to this room; whether there was one.
    async fn revoke_invite(&self, room: RoomId, id: InviteId) -> Result<bool>;
}
