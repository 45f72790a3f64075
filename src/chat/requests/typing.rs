//! `typing_start`, `typing_stop` and `typing`.

use serde::Deserialize;
use utoipa::ToSchema;

use crate::error::{Fields, Result};
use crate::ids::{RoomId, UserId};

/// Payload of `typing_start` and `typing_stop`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TypingPayload {
    /// Who is told.
    #[schema(required, value_type = String)]
    pub receiver_id: Option<String>,
}

impl TypingPayload {
    /// Who is told.
    ///
    /// # Errors
    /// `validation_failed` when that is no id.
    pub fn parse(self) -> Result<UserId> {
        let mut fields = Fields::new();
        let receiver = fields.require("receiverId", self.receiver_id, |text| text.parse());
        fields.into_result(receiver)
    }
}

/// Payload of `typing`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RoomTypingPayload {
    /// Which room.
    #[schema(required, value_type = String)]
    pub room_id: Option<String>,
    /// Whether one types now.
    #[schema(required, value_type = bool)]
    pub is_typing: Option<bool>,
}

impl RoomTypingPayload {
    /// The room, and whether one types.
    ///
    /// # Errors
    /// `validation_failed` when one is missing.
    pub fn parse(self) -> Result<(RoomId, bool)> {
        let mut fields = Fields::new();
        let room = fields.require("roomId", self.room_id, |text| text.parse());
        let typing = fields.require("isTyping", self.is_typing, Ok::<_, std::convert::Infallible>);
        fields.into_result(room.zip(typing))
    }
}
