//! Becoming a member, and ceasing to be one.

use std::sync::Arc;

use super::{MOST_MEMBERS, MOST_ROOMS, Occupied, Rooms, TURNS, no_room};
use crate::caller::Caller;
use crate::error::{Error, Result};
use crate::ids::{RoomId, UserId};
use crate::realtime::relay::Command;
use crate::rooms::model::{Member, RoomRole};
use crate::rooms::wire::RoomView;

/// How often the departure of one owner after the other is followed up.
const MOST_SUCCESSORS: usize = 8;

impl Rooms {
    /// Makes the caller a member; a private room takes an invite. Who is one already stays one.
    ///
    /// # Errors
    /// `not_found` for no such room, or a private one and no good invite; `forbidden` for an
    /// invite that is expired, used up or revoked; `conflict` when the room is full or the caller
    /// is in too many; `rate_limited`.
    pub async fn join(
        &self,
        caller: Caller,
        room: RoomId,
        invite: Option<&str>,
    ) -> Result<RoomView> {
        let user = caller.user;
        self.limits.joins.check(&user)?;
        let _turn = self.turns[usize::from(user.bytes()[11]) % TURNS].lock().await;
        let occupied = self.occupied(room).await?.ok_or_else(no_room)?;
        if self.ending().contains(&(room, user)) {
            return Err(Error::unavailable("Your membership is just ending"));
        }
        if occupied.member(user).is_some() {
            return Ok(occupied.view(user));
        }
        let invite = match occupied.room.is_private {
            true => Some(self.read_invite(invite, room, user)?),
            false => None,
        };
        if occupied.members.len() >= MOST_MEMBERS {
            return Err(Error::conflict("The room is full"));
        }
        if self.store.rooms_of(user).await?.len() >= MOST_ROOMS {
            return Err(Error::conflict("You are in too many rooms"));
        }
        let positions = self.positions.get().ok_or_else(|| Error::internal("no positions"))?;
        let since = positions.last_seq(room).await?;
        if let Some(invite) = invite {
            self.use_invite(&invite).await?;
        }
        let joined_at = self.clock.now();
        self.add(room, Member { user, is_admin: false, joined_at, since }).await
    }

    async fn add(&self, room: RoomId, member: Member) -> Result<RoomView> {
        let user = member.user;
        let added = self.store.add_member(room, &member).await;
        // Also where it failed: it may be stored.
        self.forget(room);
        added?;
        match self.occupied(room).await? {
            Some(occupied) => Ok(occupied.view(user)),
            None => {
                // It was closed meanwhile.
                self.store.remove_member(room, user).await?;
                Err(no_room())
            }
        }
    }

    /// Ends the caller's membership. An owner passes the room on; the last one closes it.
    ///
    /// # Errors
    /// As [`Rooms::member`].
    pub async fn leave(&self, caller: Caller, room: RoomId) -> Result<()> {
        let (occupied, _) = self.member(room, caller.user).await?;
        occupied.must_be_made()?;
        self.end_membership(room, caller.user, false).await?;
        Ok(())
    }

    /// Ends somebody else's membership. Admins remove members, the owner removes anybody. The
    /// invites that `user` made, and those for `user` alone, end with it.
    ///
    /// # Errors
    /// As [`Rooms::member`]; `forbidden` without the right to; `not_found` when `user` is no
    /// member; `validation_failed` for oneself.
    pub async fn remove(&self, caller: Caller, room: RoomId, user: UserId) -> Result<()> {
        let (occupied, member) = self.with_role(room, caller.user, RoomRole::Admin).await?;
        if user == caller.user {
            return Err(Error::invalid("userId", "is yourself: leave the room instead"));
        }
        let role = occupied.role(user).ok_or_else(no_member)?;
        if role >= occupied.room.role_of(&member) {
            return Err(Error::forbidden("Only the owner of the room can do this"));
        }
        if !self.end_membership(room, user, true).await? {
            return Err(no_member());
        }
        self.revoke_invites_of(room, user).await
    }

    /// Ends a membership: first the user's sockets are taken out of the room, then it is stored,
    /// so that nothing stored later reaches them.
    pub(super) async fn end_membership(
        &self,
        room: RoomId,
        user: UserId,
        removed: bool,
    ) -> Result<bool> {
        let leave = Command::LeaveRoom { room, user, removed };
        self.ending().insert((room, user));
        self.hub.command(leave);
        let ended = self.store.remove_member(room, user).await;
        self.forget(room);
        // On other nodes a socket may have come in again before they forgot the membership.
        self.hub.command(leave);
        self.ending().remove(&(room, user));
        let ended = ended?;
        if ended {
            self.settle_owner(room).await?;
        }
        Ok(ended)
    }

    /// Sees to it that the owner of a room is a member: passes it to the longest-standing admin,
    /// else member, and closes it when nobody is left (CONTRACT §10). Gives the room as it is then.
    pub(super) async fn settle_owner(&self, id: RoomId) -> Result<Option<Occupied>> {
        for _ in 0..MOST_SUCCESSORS {
            let Some(found) = self.store.room(id).await? else { return Ok(None) };
            let occupied = Occupied::new(found);
            let owner = occupied.room.owner;
            if occupied.member(owner).is_some() {
                return Ok(Some(occupied));
            }
            let admin = occupied.members.iter().find(|member| member.is_admin);
            let Some(successor) = admin.or(occupied.members.first()) else {
                // Not if somebody has joined meanwhile, and is the owner.
                if self.store.close_room(id, owner).await? {
                    self.hub.command(Command::CloseRoom(id));
                }
                continue;
            };
            if self.store.change_owner(id, owner, successor.user).await? {
                self.forget(id);
                tracing::info!(room = %id, owner = %successor.user, "room passed on");
                let room = crate::rooms::model::Room { owner: successor.user, ..occupied.room };
                self.tell_updated(&Arc::new(Occupied::new((room, occupied.members))));
            }
        }
        Err(Error::unavailable("The members of the room are changing"))
    }
}

pub(super) fn no_member() -> Error {
    Error::not_found("There is no such member")
}
