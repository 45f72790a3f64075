//! Messages and conversations as documents.

use mongodb::bson::DateTime;
use mongodb::bson::oid::ObjectId;
use serde::{Deserialize, Serialize};

use crate::chat::model::{ConversationHead, MessageType, NewMessage, StoredMessage};
use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::text::{IdempotencyKey, MessageText};

pub(super) const MESSAGES: &str = "messages";
pub(super) const CONVERSATIONS: &str = "conversations";

/// A message as a document.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MessageRow {
    #[serde(rename = "_id")]
    pub(super) id: ObjectId,
    pub(super) conversation_id: ObjectId,
    pub(super) seq: i64,
    pub(super) sender_id: ObjectId,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) receiver_id: Option<ObjectId>,
    /// There only where it is true, so that the index of one's own messages in rooms holds nothing
    /// else.
    #[serde(skip_serializing_if = "Option::is_none")]
    room: Option<bool>,
    content: String,
    message_type: MessageType,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) client_msg_id: Option<String>,
    pub(super) created_at: DateTime,
    /// There only while it is true, so that the index of unread messages holds nothing else.
    #[serde(skip_serializing_if = "Option::is_none")]
    unread: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    read_at: Option<DateTime>,
}

impl MessageRow {
    pub(super) fn new(message: &NewMessage, seq: i64, created_at: Timestamp) -> Self {
        let client_msg_id = message.client_msg_id.as_ref();
        Self {
            id: message.id.into(),
            conversation_id: message.conversation.into(),
            seq,
            sender_id: message.sender.into(),
            receiver_id: message.receiver.map(ObjectId::from),
            room: message.receiver.is_none().then_some(true),
            content: message.content.as_str().to_owned(),
            message_type: message.message_type,
            client_msg_id: client_msg_id.map(|id| id.as_str().to_owned()),
            created_at: created_at.into(),
            unread: message.receiver.is_some().then_some(true),
            read_at: None,
        }
    }

    /// The message as it is once it has been read.
    pub(super) fn read(self, at: Timestamp) -> Self {
        Self { unread: None, read_at: Some(at.into()), ..self }
    }
}

impl From<MessageRow> for StoredMessage {
    fn from(row: MessageRow) -> Self {
        Self {
            id: row.id.into(),
            conversation: row.conversation_id.into(),
            seq: row.seq,
            sender: row.sender_id.into(),
            receiver: row.receiver_id.map(Into::into),
            content: MessageText::from_stored(row.content),
            message_type: row.message_type,
            client_msg_id: row.client_msg_id.map(IdempotencyKey::from_stored),
            created_at: row.created_at.into(),
            read_at: row.read_at.map(Timestamp::from),
        }
    }
}

/// A conversation as a document.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ConversationRow {
    #[serde(rename = "_id")]
    id: ObjectId,
    participants: Vec<ObjectId>,
    updated_at: DateTime,
}

impl TryFrom<ConversationRow> for ConversationHead {
    type Error = Error;

    fn try_from(row: ConversationRow) -> Result<Self> {
        let &[one, other] = row.participants.as_slice() else {
            return Err(Error::internal("a stored conversation is not of two"));
        };
        Ok(Self {
            id: row.id.into(),
            participants: [one.into(), other.into()],
            updated_at: row.updated_at.into(),
        })
    }
}
