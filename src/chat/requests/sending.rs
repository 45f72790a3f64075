//! `send_message`, to a user or into a room.

use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::Kinds;
use crate::chat::model::{Addressee, MessageType};
use crate::error::{Fields, Result};
use crate::text::{IdempotencyKey, MessageText};

/// Longest `tempId` that is echoed, in bytes of JSON.
const MAX_TEMP_ID: usize = 256;

/// Payload of `send_message`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SendMessagePayload {
    /// For whom, in one-to-one chat.
    #[schema(example = "507f1f77bcf86cd799439012")]
    pub receiver_id: Option<String>,
    /// Into which room: either this or `receiverId`.
    #[schema(example = "507f1f77bcf86cd799439013")]
    pub room_id: Option<String>,
    /// 1 to 5000 characters.
    #[schema(required, value_type = String, example = "Hello, how are you?")]
    pub content: Option<String>,
    /// `text` (the default), `image` or `file`.
    #[schema(example = "text")]
    pub message_type: Option<String>,
    /// Echoed, nothing more.
    #[schema(value_type = Option<String>, example = "temp-123")]
    pub temp_id: Option<Value>,
    /// 1 to 64 characters; makes the send idempotent.
    pub client_msg_id: Option<String>,
}

/// A checked send.
#[derive(Debug, Clone)]
pub struct SendMessage {
    /// For whom.
    pub to: Addressee,
    /// What it says.
    pub content: MessageText,
    /// What that is.
    pub message_type: MessageType,
    /// What makes the send idempotent.
    pub client_msg_id: Option<IdempotencyKey>,
}

fn addressee(
    fields: &mut Fields,
    kinds: Kinds,
    receiver: Option<String>,
    room: Option<String>,
) -> Option<Addressee> {
    if kinds.direct && kinds.rooms && receiver.is_some() == room.is_some() {
        let problem = if room.is_some() {
            "must not be given together with roomId"
        } else {
            "is required, or roomId"
        };
        fields.reject("receiverId", problem);
        return None;
    }
    if kinds.rooms && (room.is_some() || !kinds.direct) {
        fields.require("roomId", room, |text| text.parse().map(Addressee::Room))
    } else {
        fields.require("receiverId", receiver, |text| text.parse().map(Addressee::User))
    }
}

impl SendMessagePayload {
    /// The send, checked, and the `tempId` to echo.
    ///
    /// # Errors
    /// Every field that is not allowed.
    pub fn parse(self, kinds: Kinds) -> Result<(SendMessage, Option<Value>)> {
        let mut fields = Fields::new();
        let to = addressee(&mut fields, kinds, self.receiver_id, self.room_id);
        let content = fields.require("content", self.content, MessageText::parse);
        let message_type = fields.optional("messageType", self.message_type, |text| text.parse());
        let client_msg_id = fields.optional("clientMsgId", self.client_msg_id, |text| text.parse());
        let temp_id = fields.optional("tempId", self.temp_id, short);
        let whole = (|| {
            let message_type = message_type.unwrap_or_default();
            let message = SendMessage { to: to?, content: content?, message_type, client_msg_id };
            Some((message, temp_id))
        })();
        fields.into_result(whole)
    }
}

fn short(value: Value) -> Result<Value, String> {
    let fits = matches!(&value, Value::String(_) | Value::Number(_))
        && value.to_string().len() <= MAX_TEMP_ID;
    if fits {
        Ok(value)
    } else {
        Err(format!("must be a string or a number of at most {MAX_TEMP_ID} bytes"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_wrong_with_a_send_is_told_at_once() {
        let payload: SendMessagePayload = serde_json::from_value(serde_json::json!({
            "receiverId": "bob", "content": "  ", "messageType": "video", "clientMsgId": ""
        }))
        .unwrap();
        let fields: Vec<_> = payload
            .parse(Kinds::of("/"))
            .unwrap_err()
            .details
            .into_iter()
            .map(|d| d.field)
            .collect();
        assert_eq!(fields, ["receiverId", "content", "messageType", "clientMsgId"]);
    }

    #[test]
    fn a_message_goes_to_one_user_or_to_one_room() {
        let id = "507f1f77bcf86cd799439011";
        let parse = |namespace, payload| {
            let payload: SendMessagePayload = serde_json::from_value(payload).unwrap();
            payload.parse(Kinds::of(namespace)).map(|(message, _)| message.to)
        };
        let (user, room) =
            (Addressee::User(id.parse().unwrap()), Addressee::Room(id.parse().unwrap()));
        let to_user = serde_json::json!({"receiverId": id, "content": "x"});
        let to_room = serde_json::json!({"roomId": id, "content": "x"});
        let to_both = serde_json::json!({"roomId": id, "receiverId": id, "content": "x"});
        let to_none = serde_json::json!({"content": "x"});
        assert_eq!(parse("/", to_user.clone()).unwrap(), user);
        assert_eq!(parse("/chat", to_user.clone()).unwrap(), user);
        assert_eq!(parse("/", to_room.clone()).unwrap(), room);
        assert_eq!(parse("/rooms", to_room.clone()).unwrap(), room);
        for (namespace, bad) in
            [("/", to_both), ("/", to_none), ("/chat", to_room), ("/rooms", to_user)]
        {
            assert!(parse(namespace, bad).is_err(), "{namespace}");
        }
    }
}
