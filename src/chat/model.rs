//! Messages, conversations and what was read of them, as they are stored (CONTRACT §4, §5).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::clock::Timestamp;
use crate::ids::{ConversationId, MessageId, RoomId, UserId};
use crate::text::{IdempotencyKey, MessageText};

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

/// To whom a message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Addressee {
    /// One user.
    User(UserId),
    /// Everybody in a room.
    Room(RoomId),
}

/// A message to be stored; `seq` and time come with the commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMessage {
    /// Its id, chosen before the write so that a write can be repeated.
    pub id: MessageId,
    /// Where it belongs: [`ConversationId::of_pair`], or [`RoomId::conversation`].
    pub conversation: ConversationId,
    /// Who wrote it.
    pub sender: UserId,
    /// For whom; nobody in particular in a room.
    pub receiver: Option<UserId>,
    /// What it says.
    pub content: MessageText,
    /// What that is.
    pub message_type: MessageType,
    /// What makes the send idempotent.
    pub client_msg_id: Option<IdempotencyKey>,
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
    /// For whom; nobody in particular in a room.
    pub receiver: Option<UserId>,
    /// What it says.
    pub content: MessageText,
    /// What that is.
    pub message_type: MessageType,
    /// What made the send idempotent.
    pub client_msg_id: Option<IdempotencyKey>,
    /// When it was committed; never earlier than the message before it.
    pub created_at: Timestamp,
    /// When the receiver read it, if so. Who read a message of a room is told by [`RoomRead`]s.
    pub read_at: Option<Timestamp>,
}

impl StoredMessage {
    /// Whether its text is gone, and only its place is left: no message is sent without one.
    pub fn is_deleted(&self) -> bool {
        self.content.as_str().is_empty()
    }

    /// The room that it is in, if it is in one.
    pub fn room(&self) -> Option<RoomId> {
        self.receiver.is_none().then(|| self.conversation.into())
    }
}

/// What a reader has read of one-to-one messages.
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

/// Messages of a room in a row, `first..=last` by `seq`, that a member read at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// The first.
    pub first: i64,
    /// The last.
    pub last: i64,
    /// How many of them others wrote; one's own are not read.
    pub count: i64,
}

/// How far a member has read in a room. Together with the `seq` of the last message and the number
/// of one's own, it says how many are unread, without looking at them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// How many reads of the member are stored: the last one's number.
    pub no: i64,
    /// Everything up to here is read, or one's own, or from before one joined.
    pub done: i64,
    /// Nothing behind here is read.
    pub top: i64,
    /// How many messages of others between the two are read.
    pub ahead: i64,
}

/// A read in a room. The reads of one member never overlap, and are numbered 1, 2, 3 … so that
/// of two nodes that store one at the same time, one notices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoomRead {
    /// Where.
    pub room: RoomId,
    /// By whom.
    pub user: UserId,
    /// What.
    pub stretch: Stretch,
    /// When.
    pub read_at: Timestamp,
    /// How far the member is with this; `progress.no` is the number of this read.
    pub progress: Progress,
}

/// A one-to-one conversation in somebody's inbox.
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
