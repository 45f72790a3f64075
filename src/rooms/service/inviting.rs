//! Invites: made by members, listed and revoked by those who run the room, used once or often.

use super::{Rooms, no_room};
use crate::caller::Caller;
use crate::error::{Error, Result};
use crate::ids::{InviteId, RoomId, UserId};
use crate::rooms::invites::Claims;
use crate::rooms::model::{Invite, RoomRole};
use crate::rooms::requests::CreateInvite;
use crate::rooms::wire::{InviteList, NewInvite};

/// Invites to one room that can be used at one time.
const MOST_INVITES: usize = 1000;
/// The same for those of one member, so that nobody uses up what is there for all.
const MOST_OF_ONE: usize = 100;

impl Rooms {
    /// Makes an invite, whose token is told here and nowhere else.
    ///
    /// # Errors
    /// As [`Rooms::member`]; `not_found` when the invite is for nobody there is; `conflict` when
    /// there are too many.
    pub async fn create_invite(
        &self,
        caller: Caller,
        room: RoomId,
        wanted: CreateInvite,
    ) -> Result<NewInvite> {
        self.member(room, caller.user).await?.0.must_be_made()?;
        if let Some(user) = wanted.user {
            let account = self.auth.account(user).await?;
            account.ok_or_else(|| Error::not_found("There is no such user"))?;
        }
        let now = self.clock.now();
        let invites = self.store.invites(room, now).await?;
        let own = invites.iter().filter(|invite| invite.created_by == caller.user).count();
        if own >= MOST_OF_ONE {
            return Err(Error::conflict("You have made too many invites to this room"));
        }
        if invites.len() >= MOST_INVITES {
            return Err(Error::conflict("There are too many invites to this room"));
        }
        // The token says whole seconds.
        let expires_at = now + wanted.lifetime;
        let expires_at = crate::clock::Timestamp::from_millis(expires_at.seconds() * 1000);
        let invite = Invite {
            id: InviteId::generate(now),
            room,
            created_by: caller.user,
            user: wanted.user,
            max_uses: wanted.max_uses,
            uses: 0,
            created_at: now,
            expires_at,
        };
        self.store.insert_invite(&invite).await?;
        Ok(NewInvite { invite: self.invites.sign(&invite)?, invite_id: invite.id, expires_at })
    }

    /// The invites that can be used, without their tokens.
    ///
    /// # Errors
    /// As [`Rooms::member`]; `forbidden` for members who are neither owner nor admin.
    pub async fn list_invites(&self, caller: Caller, room: RoomId) -> Result<InviteList> {
        self.with_role(room, caller.user, RoomRole::Admin).await?;
        let invites = self.store.invites(room, self.clock.now()).await?;
        Ok(InviteList { invites: invites.into_iter().map(Into::into).collect() })
    }

    /// Makes an invite useless.
    ///
    /// # Errors
    /// As [`Rooms::list_invites`]; `not_found` when there is no such invite to this room.
    pub async fn revoke_invite(
        &self,
        caller: Caller,
        room: RoomId,
        invite: InviteId,
    ) -> Result<()> {
        self.with_role(room, caller.user, RoomRole::Admin).await?;
        match self.store.revoke_invite(room, invite).await? {
            true => Ok(()),
            false => Err(Error::not_found("There is no such invite")),
        }
    }

    /// Makes the invites useless by which somebody who was removed could come back on their own.
    pub(super) async fn revoke_invites_of(&self, room: RoomId, user: UserId) -> Result<()> {
        for invite in self.store.invites(room, self.clock.now()).await? {
            if invite.created_by == user || invite.user == Some(user) {
                self.store.revoke_invite(room, invite.id).await?;
            }
        }
        Ok(())
    }

    /// What a token says, if it is for this room and this user, expired or not.
    ///
    /// # Errors
    /// `not_found` for anything else, as if the room did not exist (CONTRACT §10).
    pub(super) fn read_invite(
        &self,
        token: Option<&str>,
        room: RoomId,
        user: UserId,
    ) -> Result<Claims> {
        let claims = token.and_then(|token| self.invites.read(token)).ok_or_else(no_room)?;
        let fits = claims.room == room && claims.user.is_none_or(|bound| bound == user);
        if fits { Ok(claims) } else { Err(no_room()) }
    }

    /// That an invite lets `user` see a private room that they are not in: one whose token they
    /// show, or one that is bound to them.
    ///
    /// # Errors
    /// As [`Rooms::join`].
    pub(super) async fn must_be_invited(
        &self,
        token: Option<&str>,
        room: RoomId,
        user: UserId,
    ) -> Result<()> {
        let now = self.clock.now();
        if self.store.is_invited(room, user, now).await? {
            return Ok(());
        }
        let claims = self.read_invite(token, room, user)?;
        let invite = self.store.invite(claims.invite).await?;
        let usable = invite.is_some_and(|invite| {
            invite.expires_at > now && invite.max_uses.is_none_or(|most| invite.uses < most)
        });
        if usable {
            Ok(())
        } else {
            Err(Error::forbidden("The invite has expired, or been used up"))
        }
    }

    /// Uses an invite up by one.
    ///
    /// # Errors
    /// `forbidden` for one that has expired, is used up or revoked.
    pub(super) async fn use_invite(&self, claims: &Claims) -> Result<()> {
        if self.invites.has_expired(claims) {
            return Err(Error::forbidden("The invite has expired"));
        }
        match self.store.use_invite(claims.invite, self.clock.now()).await? {
            true => Ok(()),
            false => Err(Error::forbidden("The invite has been used up or revoked")),
        }
    }
}
