//! Making rooms, seeing them, and what owners do with them.

use std::sync::Arc;

use super::joining::no_member;
use super::{MOST_ROOMS, Occupied, Rooms, no_room};
use crate::caller::Caller;
use crate::error::{Error, Result};
use crate::ids::{RoomId, UserId};
use crate::realtime::relay::Command;
use crate::rooms::event_wire::{ROOM_UPDATED, RoomUpdated};
use crate::rooms::model::{Member, Room, RoomChange, RoomRole};
use crate::rooms::requests::CreateRoom;
use crate::rooms::wire::RoomView;

impl Rooms {
    /// Makes a room, whose owner and first member is the caller.
    ///
    /// # Errors
    /// `conflict` when the caller is in too many rooms.
    pub async fn create(&self, caller: Caller, wanted: CreateRoom) -> Result<RoomView> {
        if self.store.rooms_of(caller.user).await?.len() >= MOST_ROOMS {
            return Err(Error::conflict("You are in too many rooms"));
        }
        let now = self.clock.now();
        let room = Room {
            id: RoomId::generate(now),
            name: wanted.name,
            description: wanted.description,
            is_private: wanted.is_private,
            owner: caller.user,
            created_at: now,
            of_order: None,
        };
        let owner = Member { user: caller.user, is_admin: false, joined_at: now, since: 0 };
        self.store.insert_room(&room, &owner).await?;
        tracing::info!(room = %room.id, owner = %caller.user, "room created");
        Ok(RoomView::new(&room, 1, Some(RoomRole::Owner)))
    }

    /// The caller's rooms, the newest first.
    pub async fn list(&self, caller: Caller) -> Result<Vec<RoomView>> {
        let memberships = self.memberships(caller.user).await?;
        Ok(memberships.iter().map(RoomView::from).collect())
    }

    /// A room: a public one, one's own, or one to which one is invited.
    ///
    /// # Errors
    /// `not_found` for any other; `forbidden` with an invite that is expired, used up or revoked.
    pub async fn view(
        &self,
        caller: Caller,
        room: RoomId,
        invite: Option<&str>,
    ) -> Result<RoomView> {
        let occupied = self.occupied(room).await?.ok_or_else(no_room)?;
        if occupied.room.is_private && occupied.member(caller.user).is_none() {
            self.must_be_invited(invite, room, caller.user).await?;
        }
        Ok(occupied.view(caller.user))
    }

    /// Changes a room. Its owner does.
    ///
    /// # Errors
    /// As [`Rooms::member`]; `forbidden` for others.
    pub async fn change(
        &self,
        caller: Caller,
        room: RoomId,
        change: &RoomChange,
    ) -> Result<RoomView> {
        self.with_role(room, caller.user, RoomRole::Owner).await?;
        let changed = self.store.change_room(room, change).await;
        self.forget(room);
        changed?.ok_or_else(no_room)?;
        self.changed(caller, room).await
    }

    /// Removes a room. Its owner does; nobody is in it any more, and its messages are out of reach.
    ///
    /// # Errors
    /// As [`Rooms::member`]; `forbidden` for others.
    pub async fn delete(&self, caller: Caller, room: RoomId) -> Result<()> {
        self.with_role(room, caller.user, RoomRole::Owner).await?;
        let closed = self.store.close_room(room, caller.user).await;
        self.forget(room);
        if self.occupied(room).await?.is_some() {
            closed?;
            return Err(Error::forbidden("Only the owner of the room can do this"));
        }
        self.hub.command(Command::CloseRoom(room));
        tracing::info!(room = %room, owner = %caller.user, "room deleted");
        Ok(())
    }

    /// Makes a member an admin or a plain member, or the owner: then the caller becomes an admin.
    /// The owner does.
    ///
    /// # Errors
    /// As [`Rooms::member`]; `forbidden` for others; `not_found` when `user` is no member;
    /// `conflict` for the owner, who stays it until somebody else is.
    pub async fn change_role(
        &self,
        caller: Caller,
        room: RoomId,
        user: UserId,
        role: RoomRole,
    ) -> Result<RoomView> {
        let (occupied, _) = self.with_role(room, caller.user, RoomRole::Owner).await?;
        occupied.member(user).ok_or_else(no_member)?;
        if user == caller.user {
            return Err(Error::conflict("The owner hands the room over by making another one it"));
        }
        if role == RoomRole::Owner {
            self.store.set_admin(room, caller.user, true).await?;
            let handed_over = self.store.change_owner(room, caller.user, user).await;
            self.forget(room);
            if !handed_over? {
                return Err(Error::forbidden("Only the owner of the room can do this"));
            }
            // The new one may have left meanwhile.
            self.settle_owner(room).await?;
        } else if !self.store.set_admin(room, user, role == RoomRole::Admin).await? {
            return Err(no_member());
        }
        self.changed(caller, room).await
    }

    async fn changed(&self, caller: Caller, room: RoomId) -> Result<RoomView> {
        self.forget(room);
        let occupied = self.occupied(room).await?.ok_or_else(no_room)?;
        self.tell_updated(&occupied);
        Ok(occupied.view(caller.user))
    }

    pub(super) fn tell_updated(&self, occupied: &Arc<Occupied>) {
        let room_id = occupied.room.id;
        let room = RoomView::new(&occupied.room, occupied.members.len() as u64, None);
        let updated = RoomUpdated { room_id, room, timestamp: self.clock.now() };
        self.hub.emit(&[room_id.audience()], &ROOM_UPDATED, &updated);
    }
}
