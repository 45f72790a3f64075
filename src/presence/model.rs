//! Presence on the wire.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::clock::Timestamp;
use crate::error::{Fields, Result};
use crate::ids::UserId;
use crate::realtime::events::ServerEvent;
use crate::realtime::hub::Audience;

/// Users that one request may name.
const MAX_USERS: usize = 500;

/// Somebody came or went.
pub const USER_STATUS: ServerEvent<UserStatus> =
    ServerEvent::latest("user_status", &["/presence", "/rooms"], |status| status.user_id.bytes());

/// The two states of presence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = PresenceStatus)]
pub enum Status {
    /// At least one socket, or one a moment ago.
    Online,
    /// None.
    Offline,
}

/// The presence of one user: one shape for the clients of all seeds.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UserStatus {
    /// Who.
    pub user_id: UserId,
    /// Whether online.
    pub is_online: bool,
    /// The same as a word.
    pub status: Status,
    /// When the user was last online; `null` for one who never was.
    pub last_seen: Option<Timestamp>,
    /// When this was found out.
    pub timestamp: Timestamp,
}

/// Payload of `presence_subscribe` and `presence_unsubscribe`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UserIds {
    /// 1 to 500 users.
    #[schema(required, value_type = Vec<String>)]
    pub user_ids: Option<Vec<String>>,
}

impl UserIds {
    /// The ids, checked.
    ///
    /// # Errors
    /// `validation_failed` for none, too many, or what is no id.
    pub fn parse(self) -> Result<Vec<UserId>> {
        let mut fields = Fields::new();
        let users = fields.require("userIds", self.user_ids, |ids| {
            if ids.is_empty() || ids.len() > MAX_USERS {
                return Err(format!("must name 1 to {MAX_USERS} users"));
            }
            ids.iter()
                .map(|id| id.parse().map_err(|problem: crate::ids::InvalidId| problem.to_string()))
                .collect()
        });
        fields.into_result(users)
    }
}

/// Ack of `presence_subscribe`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Subscribed {
    /// The users' state now, in the order asked.
    pub presence: Vec<UserStatus>,
}

/// The sockets that asked to be told about `user`.
pub(super) const fn subscribers(user: UserId) -> Audience {
    Audience::of("presence", user.bytes())
}
