//! What only rooms have on the wire: their messages, who read them, who types, who came in.

use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

use super::model::{ClientMsgId, MessageType, StoredMessage};
use super::wire::Person;
use crate::clock::Timestamp;
use crate::ids::{ConversationId, MessageId, RoomId, UserId};
use crate::realtime::events::ServerEvent;
use crate::rooms::wire::Attendee;
use crate::text::MessageText;

/// This socket is in the room.
pub const JOINED_ROOM: ServerEvent<JoinedRoom> = ServerEvent::reliable("joined_room", &["/rooms"]);
/// A new message, to the sockets in the room.
pub const ROOM_MESSAGE: ServerEvent<RoomMessage> =
    ServerEvent::reliable("receive_message", &["/rooms"]);
/// Somebody in the room types, or has stopped.
pub const ROOM_TYPING: ServerEvent<RoomTyping> = ServerEvent::state("typing", &["/rooms"]);
/// A message was read, to those in the room and the reader's sockets.
pub const MESSAGE_RECEIPT: ServerEvent<MessageReceipt> =
    ServerEvent::reliable("message_receipt", &["/rooms"]);
/// Several messages were read, to those in the room and the reader's sockets.
pub const MESSAGES_READ: ServerEvent<MessagesRead> =
    ServerEvent::reliable("messages_read", &["/rooms"]);

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
    pub client_msg_id: Option<ClientMsgId>,
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
            content: stored.content,
            message_type: stored.message_type,
            client_msg_id: stored.client_msg_id,
            timestamp: stored.created_at,
            created_at: stored.created_at,
        }
    }
}

/// `{roomId, presence, unreadCount, timestamp}`.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct JoinedRoom {
    /// Which room.
    pub room_id: RoomId,
    /// The members; of more than 1,000, those who are online first.
    pub presence: Vec<Attendee>,
    /// How many messages were unread before this marked them as read.
    pub unread_count: i64,
    /// The number of the room's last message.
    pub last_seq: i64,
    /// When.
    pub timestamp: Timestamp,
}

/// `{roomId, userId, isTyping, timestamp}`.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RoomTyping {
    /// Which room.
    pub room_id: RoomId,
    /// Who.
    pub user_id: UserId,
    /// Whether they type now.
    pub is_typing: bool,
    /// When.
    pub timestamp: Timestamp,
}

/// What a receipt says happened.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ReceiptStatus {
    /// Read.
    Read,
}

/// `{roomId, messageId, recipientId, status, timestamp}`.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MessageReceipt {
    /// Which room.
    pub room_id: RoomId,
    /// Which message.
    pub message_id: MessageId,
    /// Its number in the room.
    pub seq: i64,
    /// Who read it.
    pub recipient_id: UserId,
    /// `read`.
    pub status: ReceiptStatus,
    /// When.
    pub timestamp: Timestamp,
}

/// Messages in a row, by `seq`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct SeqRange {
    /// The first.
    pub first: i64,
    /// The last.
    pub last: i64,
}

/// `{roomId, recipientId, messageCount, timestamp}`.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MessagesRead {
    /// Which room.
    pub room_id: RoomId,
    /// Who read them.
    pub recipient_id: UserId,
    /// How many were unread until now.
    pub message_count: i64,
    /// Which; the reader's own messages among them do not count. Left out when these are many.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ranges: Vec<SeqRange>,
    /// When.
    pub timestamp: Timestamp,
}

/// `{messageCount}`: the ack of `mark_messages_read`.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Marked {
    /// How many were unread until now.
    pub message_count: i64,
}

/// `{totalRecipients, readCount}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReceiptSummary {
    /// Members who were members when it was written, without its sender.
    pub total_recipients: usize,
    /// Those of them who have read it.
    pub read_count: usize,
}

/// A message in a list, with how many have read it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ListedMessage {
    /// The message.
    #[serde(flatten)]
    pub message: RoomMessage,
    /// How many have read it.
    pub receipts: ReceiptSummary,
}

/// `{messages, page, pageSize, total, totalPages}`.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RoomHistory {
    /// The newest first.
    pub messages: Vec<ListedMessage>,
    /// Which page, from 1.
    pub page: i64,
    /// How many messages fit on one.
    pub page_size: i64,
    /// How many messages there are.
    pub total: i64,
    /// How many pages.
    pub total_pages: i64,
}

/// What one recipient did with a message.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Receipt {
    /// Who.
    pub user_id: UserId,
    /// Unique name.
    #[schema(value_type = String, example = "johndoe")]
    pub username: Arc<str>,
    /// When it was there for them: when it was stored.
    pub delivered_at: Timestamp,
    /// When they read it.
    pub read_at: Option<Timestamp>,
    /// Whether they have.
    pub read: bool,
}

/// `{message, receipts, summary}`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Receipts {
    /// The message.
    pub message: RoomMessage,
    /// One for each recipient.
    pub receipts: Vec<Receipt>,
    /// Counted.
    pub summary: ReceiptSummary,
}
