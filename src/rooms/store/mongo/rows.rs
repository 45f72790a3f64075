//! Rooms, memberships and invites as documents.

use mongodb::Collection;
use mongodb::bson::DateTime;
use mongodb::bson::oid::ObjectId;
use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::ids::{RoomId, UserId};
use crate::rooms::model::{Invite, Member, Room};
use crate::store::mongo::operation::duplicate_key;
use crate::text::{Description, DisplayName};

pub(super) const ROOMS: &str = "rooms";
pub(super) const MEMBERS: &str = "roomMembers";
pub(super) const INVITES: &str = "roomInvites";

/// A room as a document.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RoomRow {
    #[serde(rename = "_id")]
    pub(super) id: ObjectId,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    is_private: bool,
    owner_id: ObjectId,
    created_at: DateTime,
}

impl From<&Room> for RoomRow {
    fn from(room: &Room) -> Self {
        Self {
            id: room.id.into(),
            name: room.name.as_str().to_owned(),
            description: room.description.as_ref().map(|text| text.as_str().to_owned()),
            is_private: room.is_private,
            owner_id: room.owner.into(),
            created_at: room.created_at.into(),
        }
    }
}

impl From<RoomRow> for Room {
    fn from(row: RoomRow) -> Self {
        Self {
            id: row.id.into(),
            name: DisplayName::from_stored(row.name),
            description: row.description.map(Description::from_stored),
            is_private: row.is_private,
            owner: row.owner_id.into(),
            created_at: row.created_at.into(),
            of_order: None,
        }
    }
}

/// A membership as a document. Its `_id` is the driver's, and nobody asks for it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MemberRow {
    pub(super) room_id: ObjectId,
    user_id: ObjectId,
    is_admin: bool,
    joined_at: DateTime,
    since: i64,
}

impl MemberRow {
    pub(super) fn new(room: RoomId, member: &Member) -> Self {
        Self {
            room_id: room.into(),
            user_id: member.user.into(),
            is_admin: member.is_admin,
            joined_at: member.joined_at.into(),
            since: member.since,
        }
    }
}

impl From<MemberRow> for Member {
    fn from(row: MemberRow) -> Self {
        Self {
            user: row.user_id.into(),
            is_admin: row.is_admin,
            joined_at: row.joined_at.into(),
            since: row.since,
        }
    }
}

/// An invite as a document.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct InviteRow {
    #[serde(rename = "_id")]
    id: ObjectId,
    pub(super) room_id: ObjectId,
    created_by: ObjectId,
    /// There only where the invite is bound, so that the index of bound ones holds nothing else.
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<ObjectId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_uses: Option<i64>,
    uses: i64,
    created_at: DateTime,
    expires_at: DateTime,
}

impl From<&Invite> for InviteRow {
    fn from(invite: &Invite) -> Self {
        Self {
            id: invite.id.into(),
            room_id: invite.room.into(),
            created_by: invite.created_by.into(),
            user_id: invite.user.map(ObjectId::from),
            max_uses: invite.max_uses.map(i64::from),
            uses: i64::from(invite.uses),
            created_at: invite.created_at.into(),
            expires_at: invite.expires_at.into(),
        }
    }
}

impl From<InviteRow> for Invite {
    fn from(row: InviteRow) -> Self {
        Self {
            id: row.id.into(),
            room: row.room_id.into(),
            created_by: row.created_by.into(),
            user: row.user_id.map(UserId::from),
            max_uses: row.max_uses.map(|max| max as u32),
            uses: row.uses as u32,
            created_at: Timestamp::from(row.created_at),
            expires_at: Timestamp::from(row.expires_at),
        }
    }
}

/// Inserts a document; `false` when a unique index has it already.
pub(super) async fn insert_new<T: Serialize + Send + Sync>(
    collection: &Collection<T>,
    row: &T,
) -> mongodb::error::Result<bool> {
    match collection.insert_one(row).await {
        Ok(_) => Ok(true),
        Err(error) if duplicate_key(&error).is_some() => Ok(false),
        Err(error) => Err(error),
    }
}
