//! What only rooms have on the wire: their messages, who read them, who types, who came in.

use std::sync::Arc;

use serde::Serialize;
use utoipa::ToSchema;

use super::message_wire::RoomMessage;
use crate::clock::Timestamp;
use crate::ids::{MessageId, RoomId, UserId};
use crate::realtime::events::ServerEvent;
use crate::rooms::wire::Attendee;

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
