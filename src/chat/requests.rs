//! What clients ask of chat, as they write it and as it is once checked.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::model::{Addressee, ClientMsgId, MessageType};
use crate::clock::Timestamp;
use crate::error::{Error, Fields, Result};
use crate::ids::{ConversationId, MessageId, RoomId, UserId};
use crate::text::MessageText;

/// Conversations that one `sync` may name.
const MAX_SYNCED: usize = 1000;
/// Longest `tempId` that is echoed, in bytes of JSON.
const MAX_TEMP_ID: usize = 256;

/// Messages that one `mark_messages_read` may name.
const MAX_MARKED: usize = 500;

/// Which kinds of conversation are spoken of in a namespace: `/` carries both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kinds {
    /// Between two.
    pub direct: bool,
    /// In rooms.
    pub rooms: bool,
}

impl Kinds {
    /// Those of a namespace.
    pub fn of(namespace: &str) -> Self {
        Self { direct: namespace != "/rooms", rooms: namespace != "/chat" }
    }

    /// The events that tell of a failure, given whether the payload speaks of a room and whether
    /// it speaks of a user: where that is not clear, both surfaces' (CONTRACT §5).
    pub const fn failures(self, room: bool, user: bool) -> &'static [&'static str] {
        match (self.direct, self.rooms) {
            (true, false) => &["error"],
            (false, _) => &["message_error"],
            (true, true) if user && !room => &["error"],
            (true, true) if room && !user => &["message_error"],
            (true, true) => &["error", "message_error"],
        }
    }
}

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
    #[schema(required, example = "Hello, how are you?")]
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
    pub client_msg_id: Option<ClientMsgId>,
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

/// Payload of `typing_start` and `typing_stop`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TypingPayload {
    /// Who is told.
    #[schema(required)]
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

/// Payload of `message_read`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MessageReadPayload {
    /// Which message.
    #[schema(required)]
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
    #[schema(required)]
    pub room_id: Option<String>,
    /// 1 to 500 messages of it.
    #[schema(required)]
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

/// Payload of `typing`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RoomTypingPayload {
    /// Which room.
    #[schema(required)]
    pub room_id: Option<String>,
    /// Whether one types now.
    #[schema(required)]
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

/// Payload of `sync`, and `auth.sync` of a handshake.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct SyncPayload {
    /// The last `seq` that the client has of each conversation.
    #[serde(default)]
    #[schema(value_type = Option<HashMap<String, i64>>)]
    pub conversations: Option<HashMap<String, i64>>,
    /// Of the other conversations, what is newer than this; what is unread without it.
    #[serde(default)]
    pub since: Option<String>,
}

/// A checked request for what was missed.
#[derive(Debug, Clone, Default)]
pub struct Sync {
    /// The last `seq` the client has, by conversation, in order.
    pub conversations: Vec<(ConversationId, i64)>,
    /// Of the others, what is newer.
    pub since: Option<Timestamp>,
}

impl Sync {
    /// Whether a conversation is among those named.
    pub fn names(&self, conversation: ConversationId) -> bool {
        self.conversations.binary_search_by_key(&conversation, |(id, _)| *id).is_ok()
    }
}

impl SyncPayload {
    /// The request, checked.
    ///
    /// # Errors
    /// `validation_failed` for too many conversations, and what is no id or no time.
    pub fn parse(self) -> Result<Sync> {
        let mut fields = Fields::new();
        let named = fields.optional("conversations", self.conversations, known);
        let since = fields.optional("since", self.since, |text| text.parse());
        fields.finish()?;
        Ok(Sync { conversations: named.unwrap_or_default(), since })
    }

    /// What the auth payload of a handshake asks for: `sync: true`, or as in the event.
    ///
    /// # Errors
    /// As [`SyncPayload::parse`].
    pub fn of_handshake(auth: &Value) -> Option<Result<Sync>> {
        match auth.get("sync")? {
            Value::Null | Value::Bool(false) => None,
            Value::Bool(true) => Some(Ok(Sync::default())),
            asked => Some(crate::error::from_value::<Self>(asked.clone()).and_then(Self::parse)),
        }
    }
}

fn known(named: HashMap<String, i64>) -> Result<Vec<(ConversationId, i64)>, String> {
    if named.len() > MAX_SYNCED {
        return Err(format!("must name at most {MAX_SYNCED} conversations"));
    }
    let parse = |(id, seq): (String, i64)| match id.parse() {
        Ok(id) => Ok((id, seq.max(0))),
        Err(problem) => Err(format!("{id}: {problem}")),
    };
    let mut known = named.into_iter().map(parse).collect::<Result<Vec<_>, String>>()?;
    known.sort_unstable();
    Ok(known)
}

/// Which messages a page of a history holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HistoryPage {
    /// Without the newest so many.
    Skip(i64),
    /// Those before this `seq`.
    Before(i64),
    /// Those after this `seq`.
    After(i64),
}

impl HistoryPage {
    /// The page that the parameters name; the newest without any.
    ///
    /// # Errors
    /// `validation_failed` for more than one of them.
    pub fn parse(skip: Option<i64>, before: Option<i64>, after: Option<i64>) -> Result<Self> {
        match (skip, before, after) {
            (skip, None, None) => Ok(Self::Skip(skip.unwrap_or(0))),
            (None | Some(0), Some(seq), None) => Ok(Self::Before(seq)),
            (None | Some(0), None, Some(seq)) => Ok(Self::After(seq)),
            _ => Err(Error::invalid("before", "must not be given together with after or skip")),
        }
    }

    /// The `seq`s of the page, `first..=last`, given the last one there is.
    pub fn bounds(self, last_seq: i64, limit: i64) -> (i64, i64) {
        match self {
            Self::Skip(skip) => ((last_seq - skip - limit + 1).max(1), last_seq - skip),
            Self::Before(seq) => ((seq - limit).max(1), seq - 1),
            Self::After(seq) => (seq + 1, (seq + limit).min(last_seq)),
        }
    }
}

/// Which messages of a room a page holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoomPage {
    /// Its number, from 1.
    pub number: i64,
    /// How many messages, at most.
    pub size: i64,
    /// Where.
    pub place: HistoryPage,
}

impl RoomPage {
    /// The page that the parameters name; the newest without any.
    ///
    /// # Errors
    /// `validation_failed` for page 0, and for more than one place.
    pub fn parse(
        page: Option<i64>,
        size: u32,
        before: Option<i64>,
        after: Option<i64>,
    ) -> Result<Self> {
        let (number, size) = (page.unwrap_or(1), i64::from(size));
        if number < 1 {
            return Err(Error::invalid("page", "must be a number, 1 or more"));
        }
        let skip = (number - 1) * size;
        let place = HistoryPage::parse(Some(skip).filter(|skip| *skip > 0), before, after)?;
        Ok(Self { number, size, place })
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

    #[test]
    fn pages_of_a_history_follow_each_other() {
        assert_eq!(HistoryPage::Skip(0).bounds(120, 50), (71, 120));
        assert_eq!(HistoryPage::Skip(100).bounds(120, 50), (1, 20));
        assert_eq!(HistoryPage::Before(71).bounds(120, 50), (21, 70));
        assert_eq!(HistoryPage::After(100).bounds(120, 50), (101, 120));
        let (first, last) = HistoryPage::Skip(500).bounds(120, 50);
        assert!(first > last);
    }

    #[test]
    fn a_handshake_asks_for_sync_or_does_not() {
        let of = |auth| SyncPayload::of_handshake(&auth);
        assert!(of(serde_json::json!({"token": "t"})).is_none());
        assert!(of(serde_json::json!({"sync": true})).unwrap().is_ok());
        assert!(of(serde_json::json!({"sync": {"since": "yesterday"}})).unwrap().is_err());
    }
}
