//! Chat on the wire: what the server answers and emits, of both kinds of conversation and of
//! one-to-one chat. What only rooms have is in `room_wire`.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use utoipa::ToSchema;

use super::model::{ClientMsgId, MessageType, StoredMessage};
use super::room_wire::RoomMessage;
use crate::clock::Timestamp;
use crate::ids::{ConversationId, MessageId, UserId};
use crate::realtime::events::ServerEvent;
use crate::rooms::wire::RoomView;
use crate::text::MessageText;

/// The sender's confirmation: the message is on disk.
pub const MESSAGE_SENT: ServerEvent<MessageSent> =
    ServerEvent::reliable("message_sent", &["/chat", "/rooms"]);
/// A new message, to the receiver's sockets and the sender's other ones.
pub const RECEIVE_MESSAGE: ServerEvent<NewMessageEvent> =
    ServerEvent::reliable("receive_message", &["/chat"]);
/// Somebody types, or has stopped.
pub const USER_TYPING: ServerEvent<UserTyping> = ServerEvent::state("user_typing", &["/chat"]);
/// A message was read, to its sender.
pub const MESSAGE_READ_RECEIPT: ServerEvent<ReadReceipt> =
    ServerEvent::reliable("message_read_receipt", &["/chat"]);
/// What was missed, to a socket that asked for it when it connected.
pub const SYNC: ServerEvent<Synced> = ServerEvent::reliable("sync", &["/chat", "/rooms"]);

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
    /// Whether the receiver has read it.
    pub is_read: bool,
    /// When.
    pub read_at: Option<Timestamp>,
    /// What made the send idempotent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub client_msg_id: Option<ClientMsgId>,
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
            content: stored.content,
            message_type: stored.message_type,
            is_read: stored.read_at.is_some(),
            read_at: stored.read_at,
            client_msg_id: stored.client_msg_id,
            created_at: stored.created_at,
            updated_at: stored.read_at.unwrap_or(stored.created_at),
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

/// `{message}`.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct NewMessageEvent {
    /// The message.
    #[schema(value_type = Message)]
    pub message: Arc<Message>,
}

/// `{message, tempId}`: `message_sent`, and the ack of `send_message`.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MessageSent {
    /// The message as stored.
    pub message: AnyMessage,
    /// What the client called it.
    #[schema(value_type = Option<String>)]
    pub temp_id: Option<serde_json::Value>,
}

/// `{userId, isTyping}`.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UserTyping {
    /// Who.
    pub user_id: UserId,
    /// Whether they type now.
    pub is_typing: bool,
}

/// `{messageId, readerId, readAt}`.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReadReceipt {
    /// Which message.
    pub message_id: MessageId,
    /// Who read it.
    pub reader_id: UserId,
    /// When.
    pub read_at: Timestamp,
    /// Its conversation.
    pub conversation_id: ConversationId,
    /// Its number there.
    pub seq: i64,
}

/// `{messages, more}`: the ack of `sync`, and the event of the same name.
#[derive(Debug, Serialize, ToSchema)]
pub struct Synced {
    /// What was missed, by conversation and `seq`.
    pub messages: Vec<AnyMessage>,
    /// Whether there is more: ask again, naming each conversation's last `seq`.
    pub more: bool,
}

/// `{messages, count}`.
#[derive(Debug, Serialize, ToSchema)]
pub struct History {
    /// Oldest first.
    #[schema(value_type = Vec<Message>)]
    pub messages: Vec<AnyMessage>,
    /// How many.
    pub count: usize,
}

/// `{modifiedCount}`.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MarkedRead {
    /// How many were unread.
    pub modified_count: usize,
}

/// `{unreadCount, byConversation}`.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UnreadCount {
    /// In all.
    pub unread_count: u64,
    /// By conversation; those without are left out.
    #[schema(value_type = BTreeMap<String, u64>)]
    pub by_conversation: BTreeMap<String, u64>,
}

/// What a conversation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ConversationKind {
    /// Between two.
    Direct,
    /// A room's.
    Room,
}

/// A conversation in the inbox.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Conversation {
    /// Id.
    pub id: ConversationId,
    /// What it is.
    #[serde(rename = "type")]
    pub kind: ConversationKind,
    /// The other one, in a conversation between two.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peer: Option<Person>,
    /// The room, in a room's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub room: Option<RoomView>,
    /// The newest message.
    pub last_message: Option<AnyMessage>,
    /// Its number.
    pub last_seq: i64,
    /// How many the caller has not read.
    pub unread_count: u64,
    /// When the newest message came, or the room was made.
    pub updated_at: Timestamp,
}

/// `{conversations, nextCursor?}`.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Inbox {
    /// The last changed first.
    pub conversations: Vec<Conversation>,
    /// Where the next page starts, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}
