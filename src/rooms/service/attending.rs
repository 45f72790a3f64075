//! Who is in a room now: sockets that come and go, and what members hear of each other.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures_util::future::try_join_all;

use super::{Rooms, no_room};
use crate::caller::Caller;
use crate::error::{Error, Result};
use crate::ids::{RoomId, UserId};
use crate::presence::model::Status;
use crate::realtime::hub::{Except, Lifecycle};
use crate::realtime::relay::Command;
use crate::realtime::session::Session;
use crate::rooms::attendance::Lost;
use crate::rooms::event_wire::{
    LEFT_ROOM, LeaveReason, LeftRoom, USER_JOINED, USER_LEFT, UserJoined, UserLeft,
};
use crate::rooms::model::Member;
use crate::rooms::wire::{
    Attendee, MemberList, MemberName, MemberPresence, MemberView, PresenceSummary, RoomPresence,
};

/// Audiences that one socket may be in.
const MOST_AUDIENCES: usize = 1000;
/// How often a socket tries to come in while memberships are ending, anywhere.
const ENTRIES: usize = 16;
/// Members that somebody who joins is told of: everybody may come back at once.
const MOST_AT_A_GLANCE: usize = 1000;

impl Rooms {
    /// Lets a member's socket into the room: from here on it gets what is said there.
    ///
    /// # Errors
    /// As [`Rooms::member`]; `validation_failed` when the socket is in too many rooms.
    pub async fn enter(&self, session: &Arc<Session>, room: RoomId) -> Result<Member> {
        let user = session.caller.user;
        for _ in 0..ENTRIES {
            let ends = self.ends.load(Ordering::SeqCst);
            let (occupied, member) = self.member(room, user).await?;
            if occupied.room.of_order.is_some_and(|of| of.is_archived) {
                return Err(Error::forbidden("The order has ended: its messages can be read only"));
            }
            if !self.is_in(session, room) && session.audience_count() >= MOST_AUDIENCES {
                return Err(Error::invalid("roomId", "is one too many: leave some rooms first"));
            }
            if let Some(arrived) = self.let_in(session, room, ends) {
                if session.is_closed() {
                    self.closed(session);
                } else if arrived {
                    self.tell_joined(room, user);
                }
                return Ok(member);
            }
        }
        Err(Error::unavailable("The members of the room are changing"))
    }

    /// Lets a socket in, unless a membership has ended since: then it must be looked up again.
    /// Whether its user arrives with it.
    fn let_in(&self, session: &Arc<Session>, room: RoomId, ends: u64) -> Option<bool> {
        let _ending = self.ending();
        if self.ends.load(Ordering::SeqCst) != ends {
            return None;
        }
        self.hub.join(session, room.audience());
        Some(self.attendance.enter(room, session.caller.user, session.no))
    }

    /// Lets a socket out of the room; the membership stays. Does nothing for one that is not in.
    ///
    /// # Errors
    /// As [`Rooms::member`] for a socket that is not in.
    pub async fn exit(&self, session: &Arc<Session>, room: RoomId) -> Result<LeftRoom> {
        if self.is_in(session, room) {
            self.exit_quietly(session, room);
        } else {
            self.member(room, session.caller.user).await?;
        }
        let left =
            LeftRoom { room_id: room, reason: LeaveReason::Left, timestamp: self.clock.now() };
        self.hub.send(session, &LEFT_ROOM, &left);
        Ok(left)
    }

    /// Lets a socket out of the room without telling it.
    pub fn exit_quietly(&self, session: &Arc<Session>, room: RoomId) {
        let user = session.caller.user;
        self.hub.leave(session, room.audience());
        if self.attendance.exit(room, user, session.no) {
            self.tell_left(room, user);
        }
    }

    /// Whether a socket is in the room now, which only members' sockets are.
    pub fn is_in(&self, session: &Session, room: RoomId) -> bool {
        session.is_in(room.audience())
    }

    /// That a socket is in the room.
    ///
    /// # Errors
    /// `forbidden` before `join_room`, else as [`Rooms::member`].
    pub async fn must_be_in(&self, session: &Session, room: RoomId) -> Result<()> {
        if self.is_in(session, room) {
            return Ok(());
        }
        self.member(room, session.caller.user).await?;
        Err(Error::forbidden("Join the room with join_room first"))
    }

    fn tell_joined(&self, room_id: RoomId, user_id: UserId) {
        let (status, timestamp) = (Status::Online, self.clock.now());
        let joined = UserJoined { room_id, user_id, status, timestamp };
        let others = Except::User(user_id);
        self.hub.emit_except(&[room_id.audience()], others, &USER_JOINED, &joined);
    }

    fn tell_left(&self, room_id: RoomId, user_id: UserId) {
        let left = UserLeft { room_id, user_id, timestamp: self.clock.now() };
        self.hub.emit(&[room_id.audience()], &USER_LEFT, &left);
    }

    /// Takes a user's sockets out of a room, and tells them.
    fn evict(&self, room: RoomId, user: UserId, reason: LeaveReason) {
        let sessions = self.hub.leave_all(user.audience(), room.audience());
        let was_there =
            self.attendance.evict(room, user, sessions.iter().map(|session| session.no));
        self.dismiss(&sessions, room, reason);
        if was_there {
            self.tell_left(room, user);
        }
    }

    fn evict_all(&self, room: RoomId) {
        let sessions = self.hub.leave_all(room.audience(), room.audience());
        for session in &sessions {
            self.attendance.evict(room, session.caller.user, [session.no].into_iter());
        }
        self.dismiss(&sessions, room, LeaveReason::Closed);
    }

    fn dismiss(&self, sessions: &[Arc<Session>], room_id: RoomId, reason: LeaveReason) {
        let left = LeftRoom { room_id, reason, timestamp: self.clock.now() };
        sessions.iter().for_each(|session| self.hub.send(session, &LEFT_ROOM, &left));
    }

    fn leave_after_grace(&self, user: UserId, lost: Vec<Lost>) {
        // It begins now, not when the task does.
        let (this, grace) = (self.this.clone(), tokio::time::sleep(self.grace));
        tokio::spawn(async move {
            grace.await;
            let Some(rooms) = this.upgrade() else { return };
            for lost in lost {
                if rooms.attendance.expire(user, lost) {
                    rooms.tell_left(lost.room, user);
                }
            }
        });
    }

    /// Who is in the room, and whether they are online; of very many, those who are first.
    ///
    /// # Errors
    /// `not_found` when there is no such room.
    pub async fn attendees_at_a_glance(&self, room: RoomId) -> Result<Vec<Attendee>> {
        let mut attendees = self.attendees(room).await?;
        if attendees.len() > MOST_AT_A_GLANCE {
            attendees.sort_by_key(|one| one.presence.status != Status::Online);
            attendees.truncate(MOST_AT_A_GLANCE);
        }
        Ok(attendees)
    }

    async fn attendees(&self, room: RoomId) -> Result<Vec<Attendee>> {
        let occupied = self.occupied(room).await?.ok_or_else(no_room)?;
        let users: Vec<_> = {
            let ending = self.ending();
            let members = occupied.members.iter().map(|member| member.user);
            members.filter(|user| !ending.contains(&(room, *user))).collect()
        };
        let present = self.attendance.present(room);
        let statuses = self.presence.statuses(&users).await?;
        let attendee = |status: crate::presence::model::UserStatus| Attendee {
            user_id: status.user_id,
            presence: MemberPresence {
                status: status.status,
                last_seen: status.last_seen,
                in_room: present.contains(&status.user_id),
            },
        };
        Ok(statuses.into_iter().map(attendee).collect())
    }

    /// The members, with their presence, counted.
    ///
    /// # Errors
    /// As [`Rooms::member`].
    pub async fn presence(&self, caller: Caller, room: RoomId) -> Result<RoomPresence> {
        self.member(room, caller.user).await?;
        let presence = self.attendees(room).await?;
        let is_online = |one: &&Attendee| one.presence.status == Status::Online;
        let online_users = presence.iter().filter(is_online).count();
        let summary = PresenceSummary {
            total_users: presence.len(),
            online_users,
            offline_users: presence.len() - online_users,
            users_in_room: presence.iter().filter(|one| one.presence.in_room).count(),
        };
        Ok(RoomPresence { presence, summary })
    }

    /// The members.
    ///
    /// # Errors
    /// As [`Rooms::member`].
    pub async fn members(&self, caller: Caller, room: RoomId) -> Result<MemberList> {
        let (occupied, _) = self.member(room, caller.user).await?;
        let attendees = self.attendees(room).await?;
        let named = attendees.into_iter().map(async |attendee| {
            let Some(member) = occupied.member(attendee.user_id) else { return Ok(None) };
            let account = self.auth.account(member.user).await?;
            let username = account.as_ref().map_or("", |account| account.username.as_str()).into();
            Ok::<_, Error>(Some(MemberView {
                user: MemberName { id: member.user, username },
                role: occupied.room.role_of(member),
                joined_at: member.joined_at,
                presence: attendee.presence,
            }))
        });
        let members: Vec<_> = try_join_all(named).await?.into_iter().flatten().collect();
        let count = members.len();
        Ok(MemberList { members, count })
    }
}

impl Lifecycle for Rooms {
    fn closed(&self, session: &Arc<Session>) {
        let user = session.caller.user;
        let lost = self.attendance.lose(user, session.no);
        if !lost.is_empty() {
            self.leave_after_grace(user, lost);
        }
    }

    fn commanded(&self, command: Command) {
        match command {
            Command::ForgetRoom(room) => drop(self.known.remove(&room)),
            Command::LeaveRoom { room, user, removed } => {
                {
                    let _ending = self.ending();
                    self.ends.fetch_add(1, Ordering::SeqCst);
                }
                let reason = if removed { LeaveReason::Removed } else { LeaveReason::Left };
                self.evict(room, user, reason);
            }
            Command::CloseRoom(room) => {
                {
                    let _ending = self.ending();
                    self.known.remove(&room);
                    self.ends.fetch_add(1, Ordering::SeqCst);
                }
                self.evict_all(room);
            }
            Command::EndLogin(_)
            | Command::ExtendLogin(..)
            | Command::EndSockets { .. }
            | Command::ForgetAccount(_)
            | Command::ReplaceSockets { .. } => {}
        }
    }
}
