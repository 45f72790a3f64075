//! How the kernel's types stand in documents: ids as ObjectIds, times as Dates.

use mongodb::bson::oid::ObjectId;
use mongodb::bson::{Binary, Bson, DateTime, spec::BinarySubtype};

use crate::clock::Timestamp;
use crate::ids::{ConversationId, InviteId, LoginId, MessageId, OrderId, RoomId, UserId};

macro_rules! stored_as_object_id {
    ($($id:ty),*) => {$(
        impl From<$id> for ObjectId {
            fn from(id: $id) -> Self {
                Self::from_bytes(id.bytes())
            }
        }

        impl From<$id> for Bson {
            fn from(id: $id) -> Self {
                Self::ObjectId(id.into())
            }
        }

        impl From<ObjectId> for $id {
            fn from(stored: ObjectId) -> Self {
                Self::from_bytes(stored.bytes())
            }
        }
    )*};
}

stored_as_object_id!(ConversationId, InviteId, LoginId, MessageId, OrderId, RoomId, UserId);

impl From<Timestamp> for DateTime {
    fn from(time: Timestamp) -> Self {
        Self::from_millis(time.millis())
    }
}

impl From<Timestamp> for Bson {
    fn from(time: Timestamp) -> Self {
        Self::DateTime(time.into())
    }
}

impl From<DateTime> for Timestamp {
    fn from(stored: DateTime) -> Self {
        Self::from_millis(stored.timestamp_millis())
    }
}

/// Bytes as they are stored.
pub(crate) fn binary(bytes: &[u8]) -> Binary {
    Binary { subtype: BinarySubtype::Generic, bytes: bytes.to_vec() }
}
