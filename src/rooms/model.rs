//! Rooms, memberships and invites as they are stored (CONTRACT §5).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::clock::Timestamp;
use crate::ids::{InviteId, OrderId, RoomId, UserId};
use crate::text::{Description, DisplayName};

/// A room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Room {
    /// Its id, which is also the id of its conversation.
    pub id: RoomId,
    /// What it is called.
    pub name: DisplayName,
    /// What it is for.
    pub description: Option<Description>,
    /// Whether only those who are invited can join, and others do not learn that it exists.
    pub is_private: bool,
    /// Whose it is; a member.
    pub owner: UserId,
    /// Since when.
    pub created_at: Timestamp,
    /// Which order it belongs to, where nobody made it: then it is not stored, and is what the
    /// order says it is.
    pub of_order: Option<OrderRoom>,
}

/// Of a room that belongs to an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderRoom {
    /// Which order.
    pub order: OrderId,
    /// Whether the order has ended: the room can be read, and nobody enters it.
    pub is_archived: bool,
}

/// Somebody in a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// Who.
    pub user: UserId,
    /// Whether they help the owner. Of the owner this says what they are once they are not.
    pub is_admin: bool,
    /// Since when.
    pub joined_at: Timestamp,
    /// The last `seq` of the room when they joined: they are recipients of what came after it.
    pub since: i64,
}

/// A room as one of its members has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// The room.
    pub room: Room,
    /// The member.
    pub member: Member,
    /// How many members there are.
    pub count: u64,
}

/// What somebody may do in a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum RoomRole {
    /// Talks, and invites others.
    Member,
    /// Also removes members, and sees and revokes invites.
    Admin,
    /// Everything. There is exactly one.
    Owner,
}

impl Room {
    /// What a member may do here.
    pub fn role_of(&self, member: &Member) -> RoomRole {
        match member.is_admin {
            _ if member.user == self.owner => RoomRole::Owner,
            true => RoomRole::Admin,
            false => RoomRole::Member,
        }
    }
}

/// A change of a room; `None` leaves a field as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoomChange {
    /// New name.
    pub name: Option<DisplayName>,
    /// New description, or none any more.
    pub description: Option<Option<Description>>,
    /// Whether it is private from now on.
    pub is_private: Option<bool>,
}

/// An invite to a room. The token that people pass around names it and is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invite {
    /// Its id.
    pub id: InviteId,
    /// To where.
    pub room: RoomId,
    /// By whom.
    pub created_by: UserId,
    /// Who alone can use it; anybody where this is `None`.
    pub user: Option<UserId>,
    /// How many can use it; any number where this is `None`.
    pub max_uses: Option<u32>,
    /// How many have.
    pub uses: u32,
    /// Since when.
    pub created_at: Timestamp,
    /// Until when it can be used: while the time is earlier than this.
    pub expires_at: Timestamp,
}
