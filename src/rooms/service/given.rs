//! Rooms that nobody makes: they belong to something else and are what that says.

use std::sync::Arc;

use async_trait::async_trait;

use super::Rooms;
use crate::error::Result;
use crate::ids::{RoomId, UserId};
use crate::realtime::relay::Command;
use crate::rooms::model::{Member, Membership, Room};

/// Who knows of the rooms that nobody makes: those of orders. They are not stored as rooms.
#[async_trait]
pub trait GivenRooms: Send + Sync {
    /// The room with this id, and its members.
    async fn room(&self, id: RoomId) -> Result<Option<(Room, Vec<Member>)>>;
    /// The rooms of a user, without those that are archived.
    async fn rooms_of(&self, user: UserId) -> Result<Vec<Membership>>;
}

impl Rooms {
    /// Says, once, who knows of the rooms that nobody makes.
    pub fn ask_for_given(&self, given: Arc<dyn GivenRooms>) {
        if self.given.set(given).is_err() {
            tracing::error!("the given rooms were set twice");
        }
    }

    /// A room that somebody made, else one that is given.
    pub(super) async fn find(&self, room: RoomId) -> Result<Option<(Room, Vec<Member>)>> {
        match (self.store.room(room).await?, self.given.get()) {
            (None, Some(given)) => given.room(room).await,
            (found, _) => Ok(found),
        }
    }

    /// Notes that a given room has other members, or is archived now, and takes those out of it
    /// who are no longer in it.
    pub fn given_changed(&self, room: RoomId, gone: Option<UserId>, is_archived: bool) {
        self.forget(room);
        if is_archived {
            self.hub.command(Command::CloseRoom(room));
        } else if let Some(user) = gone {
            self.hub.command(Command::LeaveRoom { room, user, removed: true });
        }
    }
}
