//! Messages on the wire, of both kinds, and who wrote them.

use std::sync::Arc;

use serde::Serialize;
use utoipa::ToSchema;

use super::model::{MessageType, StoredMessage};
use crate::clock::Timestamp;
use crate::ids::{ConversationId, MessageId, RoomId, UserId};
use crate::text::{IdempotencyKey, MessageText};

/// What clients show in the place of a text that was deleted. A client that knows `isDeleted` can
/// show something else.
pub const DELETED: &str = "[deleted]";

/// The text as clients get it: never empty.
fn shown(stored: &StoredMessage) -> MessageText {
    match stored.is_deleted() {
        true => MessageText::from_stored(DELETED.to_owned()),
        false => stored.content.clone(),
    }
}

/// Somebody who talks.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Person {
    /// Who.
    #[serde(rename = "_id")]
    pub mongo_id: UserId,
    /// The same id, for clients that look for it here.
    pub id: UserId,
    /// Unique name.
    #[schema(value_type = String, example = "johndoe")]
    pub username: Arc<str>,
    /// Whether online now.
    pub is_online: bool,
}

impl Person {
    /// Somebody, as they are now.
    pub const fn new(id: UserId, username: Arc<str>, is_online: bool) -> Self {
        Self { mongo_id: id, id, username, is_online }
    }
}

/// A one-to-one message as clients see it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    /// Id.
    #[serde(rename = "_id")]
    pub mongo_id: MessageId,
    /// The same id, for clients that look for it here.
    pub id: MessageId,
    /// The conversation of the two.
    pub conversation_id: ConversationId,
    /// 1, 2, 3 … within the conversation.
    pub seq: i64,
    /// Who wrote it.
    pub sender: Person,
    /// For whom.
    pub receiver: Person,
    /// What it says.
    #[schema(value_type = String, example = "Hello!")]
    pub content: MessageText,
    /// What that is.
    pub message_type: MessageType,
    /// There and true where its text was deleted; `content` says so then.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(value_type = Option<bool>)]
    pub is_deleted: bool,
    /// Whether the receiver has read it.
    pub is_read: bool,
    /// When.
    pub read_at: Option<Timestamp>,
    /// What made the send idempotent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub client_msg_id: Option<IdempotencyKey>,
    /// When it was stored.
    pub created_at: Timestamp,
    /// When it was stored or read.
    pub updated_at: Timestamp,
}

impl Message {
    /// A stored message, shown with the two who talk.
    pub fn new(stored: StoredMessage, sender: Person, receiver: Person) -> Self {
        Self {
            mongo_id: stored.id,
            id: stored.id,
            conversation_id: stored.conversation,
            seq: stored.seq,
            sender,
            receiver,
            is_deleted: stored.is_deleted(),
            content: shown(&stored),
            message_type: stored.message_type,
            is_read: stored.read_at.is_some(),
            read_at: stored.read_at,
            client_msg_id: stored.client_msg_id,
            created_at: stored.created_at,
            updated_at: stored.read_at.unwrap_or(stored.created_at),
        }
    }
}

/// A message of a room as clients see it: one shape everywhere.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RoomMessage {
    /// Id.
    pub id: MessageId,
    /// The same id, for clients that look for it here.
    #[serde(rename = "_id")]
    pub mongo_id: MessageId,
    /// The room.
    pub room_id: RoomId,
    /// The room, as seed 003 writes it.
    #[serde(rename = "room_id")]
    pub room: RoomId,
    /// The room's conversation, which has the room's id.
    pub conversation_id: ConversationId,
    /// 1, 2, 3 … within the room.
    pub seq: i64,
    /// Who wrote it.
    pub sender: Person,
    /// What it says.
    #[schema(value_type = String, example = "Hello!")]
    pub content: MessageText,
    /// What that is.
    pub message_type: MessageType,
    /// What made the send idempotent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub client_msg_id: Option<IdempotencyKey>,
    /// There and true where its text was deleted; `content` says so then.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(value_type = Option<bool>)]
    pub is_deleted: bool,
    /// When it was stored.
    pub timestamp: Timestamp,
    /// When it was stored.
    pub created_at: Timestamp,
}

impl RoomMessage {
    /// A stored message, shown with who wrote it.
    pub fn new(stored: StoredMessage, sender: Person) -> Self {
        let room = stored.conversation.into();
        Self {
            id: stored.id,
            mongo_id: stored.id,
            room_id: room,
            room,
            conversation_id: stored.conversation,
            seq: stored.seq,
            sender,
            is_deleted: stored.is_deleted(),
            content: shown(&stored),
            message_type: stored.message_type,
            client_msg_id: stored.client_msg_id,
            timestamp: stored.created_at,
            created_at: stored.created_at,
        }
    }
}

/// A message of either kind.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(untagged)]
pub enum AnyMessage {
    /// Between two.
    #[schema(value_type = Message)]
    Direct(Arc<Message>),
    /// In a room.
    #[schema(value_type = RoomMessage)]
    Room(Arc<RoomMessage>),
}

impl AnyMessage {
    /// Which message.
    pub fn id(&self) -> MessageId {
        match self {
            Self::Direct(message) => message.id,
            Self::Room(message) => message.id,
        }
    }

    /// Where it belongs.
    pub fn conversation(&self) -> ConversationId {
        match self {
            Self::Direct(message) => message.conversation_id,
            Self::Room(message) => message.conversation_id,
        }
    }

    /// Its number there.
    pub fn seq(&self) -> i64 {
        match self {
            Self::Direct(message) => message.seq,
            Self::Room(message) => message.seq,
        }
    }
}
