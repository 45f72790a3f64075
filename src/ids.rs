//! Identifiers: 24 hex digits on the wire, 12 bytes inside, one type per thing named (CONTRACT §1).
//!
//! The layout is MongoDB's ObjectId: seconds, a number of this process, a counter. Not here: the
//! small sequential numbers of drivers and orders.

use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest, Sha256};

use crate::clock::Timestamp;

/// A text that is not 24 hex digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be an id of 24 hex digits")]
pub struct InvalidId;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name([u8; 12]);

        impl $name {
            /// A new id, unique in this and every other process.
            pub fn generate(now: Timestamp) -> Self {
                Self(next_bytes(now))
            }

            /// The id as it is stored.
            pub const fn bytes(self) -> [u8; 12] {
                self.0
            }

            /// The id that was stored as `bytes`.
            pub const fn from_bytes(bytes: [u8; 12]) -> Self {
                Self(bytes)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                parse_hex(text).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(hex(&mut [0; 24], self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(hex(&mut [0; 24], self.0))
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                text.parse().map_err(de::Error::custom)
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .pattern(Some("^[0-9a-f]{24}$"))
                    .examples(["507f1f77bcf86cd799439011"])
                    .into()
            }
        }

        impl utoipa::ToSchema for $name {}
    )*};
}

ids! {
    /// An account.
    UserId;
    /// A login session: what `sid` in a token names. It ends at logout (CONTRACT §2).
    LoginId;
    /// A stored message.
    MessageId;
    /// A conversation: of a pair, or a room.
    ConversationId;
    /// A room.
    RoomId;
    /// An invite to a room.
    InviteId;
    /// An order.
    OrderId;
}

impl MessageId {
    /// Before every id that was made at `at` or later, and behind all that were made before that
    /// second.
    pub fn earliest(at: Timestamp) -> Self {
        let seconds =
            u32::try_from(at.seconds()).unwrap_or(if at.millis() < 0 { 0 } else { u32::MAX });
        let mut bytes = [0; 12];
        bytes[..4].copy_from_slice(&seconds.to_be_bytes());
        Self(bytes)
    }
}

impl RoomId {
    /// The conversation of the room: its id is the room's (CONTRACT §10).
    pub const fn conversation(self) -> ConversationId {
        ConversationId(self.0)
    }
}

impl OrderId {
    /// The room in which the order's customer and driver talk: it has the order's id, which no
    /// other room can have.
    pub const fn room(self) -> RoomId {
        RoomId(self.0)
    }
}

impl From<RoomId> for OrderId {
    /// The order whose room this is, if it is an order's.
    fn from(room: RoomId) -> Self {
        Self(room.0)
    }
}

impl From<ConversationId> for RoomId {
    /// The room whose conversation this is, if it is a room's.
    fn from(conversation: ConversationId) -> Self {
        Self(conversation.0)
    }
}

impl ConversationId {
    /// The conversation of two users, the same whichever of them asks. Derived, so that finding
    /// it needs no look-up and two nodes cannot create it twice.
    pub fn of_pair(one: UserId, other: UserId) -> Self {
        let digest =
            Sha256::new().chain_update(one.min(other).0).chain_update(one.max(other).0).finalize();
        Self(std::array::from_fn(|i| digest[i]))
    }
}

fn next_bytes(now: Timestamp) -> [u8; 12] {
    static PROCESS: OnceLock<[u8; 5]> = OnceLock::new();
    static COUNTER: OnceLock<AtomicU32> = OnceLock::new();
    let process = PROCESS.get_or_init(rand::random);
    let count = COUNTER
        .get_or_init(|| AtomicU32::new(rand::random()))
        .fetch_add(1, Ordering::Relaxed)
        .to_be_bytes();
    let seconds = (now.millis() / 1000).to_be_bytes();
    let mut bytes = [0; 12];
    bytes[..4].copy_from_slice(&seconds[4..]);
    bytes[4..9].copy_from_slice(process);
    bytes[9..].copy_from_slice(&count[1..]);
    bytes
}

fn parse_hex(text: &str) -> Result<[u8; 12], InvalidId> {
    let digits = text.as_bytes();
    if digits.len() != 24 {
        return Err(InvalidId);
    }
    let mut bytes = [0; 12];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let high = char::from(pair[0]).to_digit(16).ok_or(InvalidId)?;
        let low = char::from(pair[1]).to_digit(16).ok_or(InvalidId)?;
        *byte = (high * 16 + low) as u8;
    }
    Ok(bytes)
}

fn hex(buffer: &mut [u8; 24], bytes: [u8; 12]) -> &str {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for (pair, byte) in buffer.chunks_exact_mut(2).zip(bytes) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
    std::str::from_utf8(buffer).expect("hex digits are ASCII")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_id_survives_its_text_and_no_other_text_is_one(bytes: [u8; 12], text in prop_oneof![any::<String>(), "[0-9a-fA-Fg\u{e9}]{22,26}"]) {
            let id = UserId::from_bytes(bytes);
            prop_assert_eq!(id.to_string().parse(), Ok(id));
            let read = text.parse::<UserId>().map(|id| id.to_string());
            let is_hex = text.len() == 24 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
            prop_assert_eq!(read.ok(), is_hex.then(|| text.to_ascii_lowercase()));
        }
    }

    #[test]
    fn an_id_survives_its_text() {
        let id = UserId::generate(Timestamp::from_millis(1_705_314_600_000));
        assert_eq!(id.to_string().parse(), Ok(id));
        assert!(id.to_string().starts_with("65a50928"));
    }

    #[test]
    fn anything_but_24_hex_digits_is_refused() {
        for text in ["", "65a5", "65a50a28f1f1f1f1f100000g", "65a50a28f1f1f1f1f1000000ff"] {
            assert_eq!(text.parse::<UserId>(), Err(InvalidId), "{text}");
        }
    }

    #[test]
    fn a_pair_has_one_conversation_whoever_asks() {
        let now = Timestamp::from_millis(0);
        let (one, other) = (UserId::generate(now), UserId::generate(now));
        assert_eq!(ConversationId::of_pair(one, other), ConversationId::of_pair(other, one));
    }
}
