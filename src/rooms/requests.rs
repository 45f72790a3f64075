//! What clients ask of rooms, as they write it and as it is once checked.

use std::time::Duration;

use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;

use super::model::{RoomChange, RoomRole};
use crate::error::{Fields, Result};
use crate::ids::{RoomId, UserId};
use crate::text::{Description, DisplayName};

/// The longest life of an invite.
const LONGEST_INVITE: u64 = 365 * 24 * 3600;
/// How long an invite lives when nothing is said.
const USUAL_INVITE: u64 = 7 * 24 * 3600;
/// Uses that an invite may be limited to.
const MOST_USES: i64 = 1_000_000;

/// Body of `POST /rooms`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreateRoomBody {
    /// 1 to 100 characters.
    #[schema(required, value_type = String, example = "Kitchen")]
    pub name: Option<String>,
    /// At most 500 characters.
    #[schema(example = "Who cooks what")]
    pub description: Option<String>,
    /// Whether only invited users can join; `false` when nothing is said.
    pub is_private: Option<bool>,
}

/// A checked wish for a room.
#[derive(Debug, Clone)]
pub struct CreateRoom {
    /// What it is called.
    pub name: DisplayName,
    /// What it is for.
    pub description: Option<Description>,
    /// Whether only invited users can join.
    pub is_private: bool,
}

impl CreateRoomBody {
    /// The wish, checked.
    ///
    /// # Errors
    /// Every field that is not allowed.
    pub fn parse(self) -> Result<CreateRoom> {
        let mut fields = Fields::new();
        let name = fields.require("name", self.name, DisplayName::parse);
        let description =
            fields.optional("description", self.description, Description::parse_or_none);
        let is_private = self.is_private.unwrap_or(false);
        let whole =
            name.map(|name| CreateRoom { name, description: description.flatten(), is_private });
        fields.into_result(whole)
    }
}

/// Body of `PATCH /rooms/:roomId`. What is left out stays; `description: null` removes it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChangeRoomBody {
    /// 1 to 100 characters.
    pub name: Option<String>,
    /// At most 500 characters.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    pub description: Option<Option<String>>,
    /// Whether only invited users can join.
    pub is_private: Option<bool>,
}

/// Tells `null` from absent.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

impl ChangeRoomBody {
    /// The change, checked.
    ///
    /// # Errors
    /// Every field that is not allowed.
    pub fn parse(self) -> Result<RoomChange> {
        let mut fields = Fields::new();
        let name = fields.optional("name", self.name, DisplayName::parse);
        let description = self
            .description
            .map(|text| fields.optional("description", text, Description::parse_or_none).flatten());
        fields.finish()?;
        Ok(RoomChange { name, description, is_private: self.is_private })
    }
}

/// Body of `POST /rooms/:roomId/invite`; may be missing.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct InviteBody {
    /// Who alone can use it.
    pub user_id: Option<String>,
    /// Seconds until it cannot be used any more, up to a year; a week when nothing is said.
    #[schema(example = 86400)]
    pub expires_in: Option<i64>,
    /// How many can use it; any number when nothing is said.
    #[schema(example = 10)]
    pub max_uses: Option<i64>,
}

/// A checked wish for an invite.
#[derive(Debug, Clone, Copy)]
pub struct CreateInvite {
    /// Who alone can use it.
    pub user: Option<UserId>,
    /// How long it can be used.
    pub lifetime: Duration,
    /// How many can use it.
    pub max_uses: Option<u32>,
}

impl InviteBody {
    /// The wish, checked.
    ///
    /// # Errors
    /// Every field that is not allowed.
    pub fn parse(self) -> Result<CreateInvite> {
        let mut fields = Fields::new();
        let user = fields.optional("userId", self.user_id, |text| text.parse());
        let seconds = fields.optional("expiresIn", self.expires_in, |seconds| {
            let seconds = u64::try_from(seconds).unwrap_or(0);
            if (1..=LONGEST_INVITE).contains(&seconds) {
                Ok(seconds)
            } else {
                Err(format!("must be 1 to {LONGEST_INVITE} seconds"))
            }
        });
        let max_uses = fields.optional("maxUses", self.max_uses, |uses| {
            let allowed = (1..=MOST_USES).contains(&uses);
            u32::try_from(uses).ok().filter(|_| allowed).ok_or("must be 1 to 1000000")
        });
        fields.finish()?;
        let lifetime = Duration::from_secs(seconds.unwrap_or(USUAL_INVITE));
        Ok(CreateInvite { user, lifetime, max_uses })
    }
}

/// Body of `PATCH /rooms/:roomId/members/:userId`.
#[derive(Debug, Deserialize, ToSchema)]
pub struct ChangeRoleBody {
    /// `admin` or `member`; `owner` hands the room over.
    #[schema(required, value_type = RoomRole)]
    pub role: Option<RoomRole>,
}

impl ChangeRoleBody {
    /// The role.
    ///
    /// # Errors
    /// `validation_failed` when there is none.
    pub fn parse(self) -> Result<RoomRole> {
        let mut fields = Fields::new();
        let role = fields.require("role", self.role, Ok::<_, std::convert::Infallible>);
        fields.into_result(role)
    }
}

/// Payload of events that name a room and nothing else.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RoomPayload {
    /// Which room.
    #[schema(required, value_type = String, example = "507f1f77bcf86cd799439013")]
    pub room_id: Option<String>,
}

impl RoomPayload {
    /// The room.
    ///
    /// # Errors
    /// `validation_failed` when that is no id.
    pub fn parse(self) -> Result<RoomId> {
        let mut fields = Fields::new();
        let room = fields.require("roomId", self.room_id, |text| text.parse());
        fields.into_result(room)
    }
}
