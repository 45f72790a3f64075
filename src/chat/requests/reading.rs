//! `message_read` and `mark_messages_read`.

use serde::Deserialize;
use utoipa::ToSchema;

use crate::error::{Fields, Result};
use crate::ids::{MessageId, RoomId, UserId};

/// Messages that one `mark_messages_read` may name.
const MAX_MARKED: usize = 500;

/// Payload of `message_read`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MessageReadPayload {
    /// Which message.
    #[schema(required, value_type = String)]
    pub message_id: Option<String>,
    /// Who wrote it; must agree with the message.
    pub sender_id: Option<String>,
    /// The room it is in; must agree with the message.
    pub room_id: Option<String>,
}

/// A checked read of one message.
#[derive(Debug, Clone, Copy)]
pub struct ReadMessage {
    /// Which message.
    pub message: MessageId,
    /// Who wrote it, if that was said.
    pub sender: Option<UserId>,
    /// Where it is, if that was said.
    pub room: Option<RoomId>,
}

impl MessageReadPayload {
    /// The read, checked.
    ///
    /// # Errors
    /// `validation_failed` for what is no id.
    pub fn parse(self) -> Result<ReadMessage> {
        let mut fields = Fields::new();
        let message = fields.require("messageId", self.message_id, |text| text.parse());
        let sender = fields.optional("senderId", self.sender_id, |text| text.parse());
        let room = fields.optional("roomId", self.room_id, |text| text.parse());
        fields.into_result(message.map(|message| ReadMessage { message, sender, room }))
    }
}

/// Payload of `mark_messages_read`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MarkMessagesReadPayload {
    /// Which room.
    #[schema(required, value_type = String)]
    pub room_id: Option<String>,
    /// 1 to 500 messages of it.
    #[schema(required, value_type = Vec<String>)]
    pub message_ids: Option<Vec<String>>,
}

impl MarkMessagesReadPayload {
    /// The room and the messages, checked.
    ///
    /// # Errors
    /// `validation_failed` for none, too many, and what is no id.
    pub fn parse(self) -> Result<(RoomId, Vec<MessageId>)> {
        let mut fields = Fields::new();
        let room = fields.require("roomId", self.room_id, |text| text.parse());
        let messages = fields.require("messageIds", self.message_ids, |ids| {
            if ids.is_empty() || ids.len() > MAX_MARKED {
                return Err(format!("must name 1 to {MAX_MARKED} messages"));
            }
            ids.iter().map(|id| id.parse().map_err(|_| format!("{id:.24}: is no id"))).collect()
        });
        fields.into_result(room.zip(messages))
    }
}
