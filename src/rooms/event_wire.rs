//! The events of rooms that are not about messages: who comes and goes, what a room is like now.

use serde::Serialize;
use utoipa::ToSchema;

use super::wire::RoomView;
use crate::clock::Timestamp;
use crate::ids::{RoomId, UserId};
use crate::presence::model::Status;
use crate::realtime::events::ServerEvent;

/// Somebody came into a room, to the others in it.
pub const USER_JOINED: ServerEvent<UserJoined> = ServerEvent::state("user_joined", &["/rooms"]);
/// Somebody left a room, to the others in it.
pub const USER_LEFT: ServerEvent<UserLeft> = ServerEvent::state("user_left", &["/rooms"]);
/// This socket is no longer in a room.
pub const LEFT_ROOM: ServerEvent<LeftRoom> = ServerEvent::reliable("left_room", &["/rooms"]);
/// A room has another name, owner or other properties, to those in it.
pub const ROOM_UPDATED: ServerEvent<RoomUpdated> =
    ServerEvent::reliable("room_updated", &["/rooms"]);

/// `{roomId, userId, status, timestamp}`.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UserJoined {
    /// Which room.
    pub room_id: RoomId,
    /// Who.
    pub user_id: UserId,
    /// `online`.
    pub status: Status,
    /// When.
    pub timestamp: Timestamp,
}

/// `{roomId, userId, timestamp}`.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UserLeft {
    /// Which room.
    pub room_id: RoomId,
    /// Who.
    pub user_id: UserId,
    /// When.
    pub timestamp: Timestamp,
}

/// Why a socket is no longer in a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum LeaveReason {
    /// Its user wanted to: it asked with `leave_room`, or the membership was ended by REST.
    Left,
    /// Its user was removed by somebody.
    Removed,
    /// The room is gone, or archived with its order.
    Closed,
}

/// `{roomId, timestamp}`.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LeftRoom {
    /// Which room.
    pub room_id: RoomId,
    /// Why.
    pub reason: LeaveReason,
    /// When.
    pub timestamp: Timestamp,
}

/// `{roomId, room, timestamp}`.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RoomUpdated {
    /// Which room.
    pub room_id: RoomId,
    /// What it is like now.
    pub room: RoomView,
    /// When.
    pub timestamp: Timestamp,
}
