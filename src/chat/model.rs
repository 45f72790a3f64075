//! One-to-one messages and conversations as they are stored (CONTRACT §4).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::clock::Timestamp;
use crate::ids::{ConversationId, MessageId, UserId};
use crate::text::MessageText;

/// What a message holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum MessageType {
    /// Text.
    #[default]
    Text,
    /// The address of a picture.
    Image,
    /// The address of a file.
    File,
}

impl MessageType {
    /// The word on the wire and in the store.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Image => "image",
            Self::File => "file",
        }
    }
}

impl std::str::FromStr for MessageType {
    type Err = &'static str;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        [Self::Text, Self::Image, Self::File]
            .into_iter()
            .find(|kind| kind.word() == word)
            .ok_or("must be text, image or file")
    }
}

/// What makes a send idempotent: 1 to 64 characters, unique per sender.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub struct ClientMsgId(String);

impl ClientMsgId {
    /// An id that was checked before it was stored.
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// The id as the client wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for ClientMsgId {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if (1..=64).contains(&text.chars().count()) {
            Ok(Self(text.to_owned()))
        } else {
            Err("must have 1 to 64 characters")
        }
    }
}

/// A message to be stored; `seq` and time come with the commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMessage {
    /// Its id, chosen before the write so that a write can be repeated.
    pub id: MessageId,
    /// Where it belongs: [`ConversationId::of_pair`].
    pub conversation: ConversationId,
    /// Who wrote it.
    pub sender: UserId,
    /// For whom.
    pub receiver: UserId,
    /// What it says.
    pub content: MessageText,
    /// What that is.
    pub message_type: MessageType,
    /// What makes the send idempotent.
    pub client_msg_id: Option<ClientMsgId>,
}

/// A message as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredMessage {
    /// Its id.
    pub id: MessageId,
    /// Where it belongs.
    pub conversation: ConversationId,
    /// 1, 2, 3 … within the conversation, in the order of commits.
    pub seq: i64,
    /// Who wrote it.
    pub sender: UserId,
    /// For whom.
    pub receiver: UserId,
    /// What it says.
    pub content: MessageText,
    /// What that is.
    pub message_type: MessageType,
    /// What made the send idempotent.
    pub client_msg_id: Option<ClientMsgId>,
    /// When it was committed; never earlier than the message before it.
    pub created_at: Timestamp,
    /// When the receiver read it, if so.
    pub read_at: Option<Timestamp>,
}

/// What a reader has read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadMark {
    /// This message.
    One {
        /// Which.
        message: MessageId,
        /// Its receiver.
        reader: UserId,
    },
    /// Everything for the reader in this conversation.
    All {
        /// Which.
        conversation: ConversationId,
        /// The receiver.
        reader: UserId,
    },
}

/// A conversation in somebody's inbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConversationHead {
    /// Which.
    pub id: ConversationId,
    /// The two who talk.
    pub participants: [UserId; 2],
    /// When its last message came.
    pub updated_at: Timestamp,
}

impl ConversationHead {
    /// The one who is not `user`.
    pub fn peer_of(&self, user: UserId) -> UserId {
        let [one, other] = self.participants;
        if one == user { other } else { one }
    }
}
