//! Coming into a room and going out of it, at one socket.

use std::sync::Arc;

use super::Chat;
use super::room_reading::ReadInRoom;
use crate::chat::model::Addressee;
use crate::chat::room_wire::{JoinedRoom, SeqRange};
use crate::error::Result;
use crate::ids::RoomId;
use crate::realtime::session::Session;
use crate::rooms::event_wire::LeftRoom;
use crate::rooms::model::Member;

/// Messages behind what a member has read, all of them their own, that are not marked.
const MOST_BEHIND: i64 = 256;

impl Chat {
    /// Lets a member's socket into a room, and marks everything there as read.
    ///
    /// # Errors
    /// As [`crate::rooms::service::Rooms::enter`]; `rate_limited`.
    pub async fn join_room(&self, session: &Arc<Session>, room: RoomId) -> Result<JoinedRoom> {
        self.limits.joins.check(&session.caller.user)?;
        let was_in = self.rooms.is_in(session, room);
        let member = self.rooms.enter(session, room).await?;
        let joined = self.catch_up(room, member).await;
        if joined.is_err() && !was_in {
            // Its client hears that it is not in the room, so it must not be.
            self.rooms.exit_quietly(session, room);
        }
        joined
    }

    /// Marks everything in the room as read: what is stored until now. What comes later reaches
    /// the socket, which is in the room already.
    async fn catch_up(&self, room: RoomId, member: Member) -> Result<JoinedRoom> {
        let Member { user, since, .. } = member;
        let last_seq = self.store.last_seq(room.conversation()).await?;
        let progress = self.progress(room, user, since).await?;
        let unread_count = self.unread_behind(room, user, progress, last_seq).await?;
        let presence = self.rooms.attendees_at_a_glance(room).await?;
        // Own messages alone are worth a mark too when they are many: from there on is counted.
        if unread_count > 0 || last_seq - progress.done > MOST_BEHIND {
            let ranges = vec![SeqRange { first: since + 1, last: last_seq }];
            self.mark_room(ReadInRoom { room, user, since, ranges, by_others: false }).await?;
        }
        Ok(JoinedRoom {
            room_id: room,
            presence,
            unread_count,
            last_seq,
            timestamp: self.clock.now(),
        })
    }

    /// Lets a socket out of a room; the membership stays.
    ///
    /// # Errors
    /// As [`crate::rooms::service::Rooms::exit`].
    pub async fn leave_room(&self, session: &Arc<Session>, room: RoomId) -> Result<LeftRoom> {
        let user = session.caller.user;
        if self.rooms.is_in(session, room) && self.typing.stop(user, Addressee::Room(room)) {
            self.tell_typing(user, Addressee::Room(room), false);
        }
        self.rooms.exit(session, room).await
    }
}
