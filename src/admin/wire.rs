//! What admins see of accounts and sockets: no token, and no id of the engine's.

use std::net::IpAddr;

use serde::Serialize;
use utoipa::ToSchema;

use crate::caller::Role;
use crate::clock::Timestamp;
use crate::ids::{RoomId, UserId};
use crate::text::Description;

/// An account, in short.
#[derive(Debug, Serialize, ToSchema)]
pub struct AccountSummary {
    /// Id.
    #[serde(rename = "_id")]
    pub id: UserId,
    /// Unique name.
    #[schema(example = "johndoe")]
    pub username: String,
    /// What the person is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What the account may do.
    pub role: Role,
}

/// A connected socket.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConnectedSocket {
    /// The number that this server gave it, 16 hex digits; not the engine's.
    #[schema(example = "9f3a62c100000007")]
    pub id: String,
    /// `socket.io` or `websocket`.
    pub door: &'static str,
    /// Where it is connected; raw WebSockets are in `ws:driver`, `ws:admin` and `ws:location`.
    #[schema(example = "/chat")]
    pub namespace: &'static str,
    /// Whose it is.
    pub user: AccountSummary,
    /// Where its client is, in front of trusted proxies.
    #[schema(value_type = String, example = "192.0.2.7")]
    pub address: IpAddr,
    /// Since when.
    pub connected_at: Timestamp,
    /// When its token ends; not for those that say once who they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Events of its client that wait for their turn.
    pub queued: usize,
    /// Rooms that it is in.
    pub rooms: usize,
}

/// `{sockets, count, total, nextCursor?}`.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SocketPage {
    /// By their numbers.
    pub sockets: Vec<ConnectedSocket>,
    /// How many there are of what was asked for, on all pages.
    pub count: usize,
    /// Sockets connected to this server.
    pub total: usize,
    /// Where the next page starts, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// `{socket, roomIds}`.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OneSocket {
    /// The socket.
    pub socket: ConnectedSocket,
    /// The rooms that it is in.
    pub room_ids: Vec<RoomId>,
}

/// `{disconnected}`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Disconnected {
    /// How many sockets of this server were ended.
    pub disconnected: usize,
}

/// That an account is banned.
#[derive(Debug, Serialize, ToSchema)]
pub struct BannedAccount {
    /// Which.
    pub user: AccountSummary,
    /// The admin who banned it.
    pub by: AccountSummary,
    /// When.
    pub at: Timestamp,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub reason: Option<Description>,
}

/// `{ban}`.
#[derive(Debug, Serialize, ToSchema)]
pub struct OneBan {
    /// The ban.
    pub ban: BannedAccount,
}

/// `{bans, nextCursor?}`.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BanPage {
    /// By username.
    pub bans: Vec<BannedAccount>,
    /// Where the next page starts, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}
