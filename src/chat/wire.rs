//! Chat on the wire: what the server answers and emits, of both kinds of conversation and of
//! one-to-one chat. What only rooms have is in `room_wire`, messages are in
//! `message_wire`.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use utoipa::ToSchema;

use super::message_wire::{AnyMessage, Message, Person};
use crate::clock::Timestamp;
use crate::ids::{ConversationId, MessageId, UserId};
use crate::realtime::events::ServerEvent;
use crate::rooms::wire::RoomView;

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
    #[schema(value_type = Option<serde_json::Value>)]
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
