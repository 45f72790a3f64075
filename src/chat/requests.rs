//! What clients ask of chat, as they write it and as it is once checked.

mod pages;
mod reading;
mod sending;
mod syncing;
mod typing;

pub use pages::{HistoryPage, RoomPage};
pub use reading::{MarkMessagesReadPayload, MessageReadPayload, ReadMessage};
pub use sending::{SendMessage, SendMessagePayload};
pub use syncing::{Sync, SyncPayload};
pub use typing::{RoomTypingPayload, TypingPayload};

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
