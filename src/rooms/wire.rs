//! Rooms on the wire: what the REST routes answer, and what chat shows of rooms. What is emitted is in
//! `event_wire`.

use std::sync::Arc;

use serde::Serialize;
use utoipa::ToSchema;

use super::model::{Invite, Membership, Room, RoomRole};
use crate::clock::Timestamp;
use crate::ids::{InviteId, OrderId, RoomId, UserId};
use crate::presence::model::Status;
use crate::text::{Description, DisplayName};

/// A room as its members see it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RoomView {
    /// Id.
    pub id: RoomId,
    /// The same id, for clients that look for it here.
    #[serde(rename = "_id")]
    pub mongo_id: RoomId,
    /// What it is called.
    #[schema(value_type = String, example = "Kitchen")]
    pub name: DisplayName,
    /// What it is for.
    #[schema(value_type = Option<String>)]
    pub description: Option<Description>,
    /// Whether only invited users can join.
    pub is_private: bool,
    /// Whose it is.
    pub owner_id: UserId,
    /// How many members there are.
    pub member_count: u64,
    /// Since when.
    pub created_at: Timestamp,
    /// Which order the room belongs to, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order_id: Option<OrderId>,
    /// Whether that order has ended: the room can be read, and nobody enters it.
    pub is_archived: bool,
    /// What the caller may do in it; nothing for who is no member.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<RoomRole>,
}

impl RoomView {
    /// A room as somebody with this role in it sees it.
    pub fn new(room: &Room, member_count: u64, role: Option<RoomRole>) -> Self {
        Self {
            id: room.id,
            mongo_id: room.id,
            name: room.name.clone(),
            description: room.description.clone(),
            is_private: room.is_private,
            owner_id: room.owner,
            member_count,
            created_at: room.created_at,
            order_id: room.of_order.map(|of| of.order),
            is_archived: room.of_order.is_some_and(|of| of.is_archived),
            role,
        }
    }
}

impl From<&Membership> for RoomView {
    fn from(membership: &Membership) -> Self {
        let Membership { room, member, count } = membership;
        Self::new(room, *count, Some(room.role_of(member)))
    }
}

/// `{room}`.
#[derive(Debug, Serialize, ToSchema)]
pub struct OneRoom {
    /// The room.
    pub room: RoomView,
}

/// `{rooms}`.
#[derive(Debug, Serialize, ToSchema)]
pub struct RoomList {
    /// The newest first.
    pub rooms: Vec<RoomView>,
}

/// `{roomId, room}`.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Joined {
    /// Which room.
    pub room_id: RoomId,
    /// The room.
    pub room: RoomView,
}

/// `{roomId}`.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WhichRoom {
    /// Which room.
    pub room_id: RoomId,
}

/// An answer that holds nothing.
#[derive(Debug, Serialize, ToSchema)]
pub struct Nothing {}

/// `{invite, expiresAt}`.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NewInvite {
    /// The token to pass on.
    pub invite: String,
    /// Its id, to revoke it.
    pub invite_id: InviteId,
    /// Until when it can be used.
    pub expires_at: Timestamp,
}

/// An invite as owner and admins see it. Its token is shown once, to who made it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct InviteView {
    /// Id.
    pub id: InviteId,
    /// Who made it.
    pub created_by: UserId,
    /// Who alone can use it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    /// How many can use it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_uses: Option<u32>,
    /// How many have.
    pub uses: u32,
    /// Since when.
    pub created_at: Timestamp,
    /// Until when.
    pub expires_at: Timestamp,
}

impl From<Invite> for InviteView {
    fn from(invite: Invite) -> Self {
        Self {
            id: invite.id,
            created_by: invite.created_by,
            user_id: invite.user,
            max_uses: invite.max_uses,
            uses: invite.uses,
            created_at: invite.created_at,
            expires_at: invite.expires_at,
        }
    }
}

/// `{invites}`.
#[derive(Debug, Serialize, ToSchema)]
pub struct InviteList {
    /// The newest first.
    pub invites: Vec<InviteView>,
}

/// Who a member is.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct MemberName {
    /// Id.
    pub id: UserId,
    /// Unique name.
    #[schema(value_type = String, example = "johndoe")]
    pub username: Arc<str>,
}

/// `{status, lastSeen}`.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MemberPresence {
    /// Whether online.
    pub status: Status,
    /// When the member was last online; `null` for one who never was.
    pub last_seen: Option<Timestamp>,
    /// Whether a socket of theirs is in the room now.
    pub in_room: bool,
}

/// A member.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MemberView {
    /// Who.
    pub user: MemberName,
    /// What they may do.
    pub role: RoomRole,
    /// Since when.
    pub joined_at: Timestamp,
    /// Whether they are there.
    pub presence: MemberPresence,
}

/// `{members, count}`.
#[derive(Debug, Serialize, ToSchema)]
pub struct MemberList {
    /// Those who came first first.
    pub members: Vec<MemberView>,
    /// How many.
    pub count: usize,
}

/// `{userId, status, lastSeen}`.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Attendee {
    /// Who.
    pub user_id: UserId,
    /// Whether they are there.
    #[serde(flatten)]
    pub presence: MemberPresence,
}

/// `{totalUsers, onlineUsers, offlineUsers}`.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PresenceSummary {
    /// Members.
    pub total_users: usize,
    /// Those who are online.
    pub online_users: usize,
    /// Those who are not.
    pub offline_users: usize,
    /// Those with a socket in the room now.
    pub users_in_room: usize,
}

/// `{presence, summary}`.
#[derive(Debug, Serialize, ToSchema)]
pub struct RoomPresence {
    /// Every member.
    pub presence: Vec<Attendee>,
    /// Counted.
    pub summary: PresenceSummary,
}
