//! Who is in which room now: which sockets joined, and of whom.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard};

use crate::ids::{RoomId, UserId};
use crate::realtime::session::SessionNo;

/// The users in each room, with how many of their sockets are.
#[derive(Default)]
pub(super) struct Attendance {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    rooms: HashMap<RoomId, HashMap<UserId, Here>>,
    sockets: HashMap<SessionNo, HashSet<RoomId>>,
    moves: u64,
}

/// A user with a socket in a room, or with one a moment ago.
#[derive(Debug, Default, Clone, Copy)]
struct Here {
    sockets: usize,
    /// The latest arrival or departure, so that a grace that was overtaken ends nothing.
    moved: u64,
}

/// A user whose last socket in a room was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lost {
    pub(super) room: RoomId,
    moved: u64,
}

impl State {
    fn forget(&mut self, room: RoomId, user: UserId) -> bool {
        let Some(users) = self.rooms.get_mut(&room) else { return false };
        let was_here = users.remove(&user).is_some();
        if users.is_empty() {
            self.rooms.remove(&room);
        }
        was_here
    }

    /// One socket less; the user's entry stays.
    fn lose(&mut self, room: RoomId, user: UserId) -> Option<Here> {
        self.moves += 1;
        let here = self.rooms.get_mut(&room)?.get_mut(&user)?;
        here.sockets = here.sockets.saturating_sub(1);
        here.moved = self.moves;
        Some(*here)
    }
}

impl Attendance {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic under this lock")
    }

    /// A socket of `user` joins a room; whether the user was not there before.
    pub(super) fn enter(&self, room: RoomId, user: UserId, socket: SessionNo) -> bool {
        let mut state = self.state();
        if !state.sockets.entry(socket).or_default().insert(room) {
            return false;
        }
        state.moves += 1;
        let moved = state.moves;
        let users = state.rooms.entry(room).or_default();
        let arrived = !users.contains_key(&user);
        let here = users.entry(user).or_default();
        *here = Here { sockets: here.sockets + 1, moved };
        arrived
    }

    /// A socket of `user` leaves a room; whether it was the last one of the user there.
    pub(super) fn exit(&self, room: RoomId, user: UserId, socket: SessionNo) -> bool {
        let mut state = self.state();
        let rooms = state.sockets.get_mut(&socket);
        if !rooms.is_some_and(|rooms| rooms.remove(&room)) {
            return false;
        }
        if state.sockets.get(&socket).is_some_and(HashSet::is_empty) {
            state.sockets.remove(&socket);
        }
        let last = state.lose(room, user).is_some_and(|here| here.sockets == 0);
        last && state.forget(room, user)
    }

    /// A socket is gone. Gives the rooms where it was the last one of its user: they are still
    /// there until [`Attendance::expire`].
    pub(super) fn lose(&self, user: UserId, socket: SessionNo) -> Vec<Lost> {
        let mut state = self.state();
        let rooms = state.sockets.remove(&socket).unwrap_or_default();
        let mut lost = Vec::new();
        for room in rooms {
            if let Some(Here { sockets: 0, moved }) = state.lose(room, user) {
                lost.push(Lost { room, moved });
            }
        }
        lost
    }

    /// Ends the attendance of a user who has not come back since; whether there was one to end.
    pub(super) fn expire(&self, user: UserId, lost: Lost) -> bool {
        let mut state = self.state();
        let here = state.rooms.get(&lost.room).and_then(|users| users.get(&user)).copied();
        here.is_some_and(|here| here.moved == lost.moved) && state.forget(lost.room, user)
    }

    /// Takes a user out of a room, these sockets of theirs with them; whether they were there.
    pub(super) fn evict(
        &self,
        room: RoomId,
        user: UserId,
        sockets: impl Iterator<Item = SessionNo>,
    ) -> bool {
        let mut state = self.state();
        for socket in sockets {
            if let Some(rooms) = state.sockets.get_mut(&socket) {
                rooms.remove(&room);
                if rooms.is_empty() {
                    state.sockets.remove(&socket);
                }
            }
        }
        state.forget(room, user)
    }

    /// The users in a room.
    pub(super) fn present(&self, room: RoomId) -> HashSet<UserId> {
        let state = self.state();
        state.rooms.get(&room).into_iter().flatten().map(|(user, _)| *user).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;

    fn ids() -> (RoomId, RoomId, UserId) {
        let now = Timestamp::from_millis(0);
        (RoomId::generate(now), RoomId::generate(now), UserId::generate(now))
    }

    #[test]
    fn a_user_arrives_with_the_first_socket_and_leaves_with_the_last() {
        let (room, other, user) = ids();
        let attendance = Attendance::default();
        assert!(attendance.enter(room, user, 1.into()));
        assert!(!attendance.enter(room, user, 1.into()), "the same socket again");
        assert!(!attendance.enter(room, user, 2.into()));
        assert!(attendance.enter(other, user, 2.into()));
        assert!(!attendance.exit(room, user, 1.into()));
        assert!(!attendance.exit(room, user, 1.into()), "it has left");
        assert!(attendance.exit(room, user, 2.into()));
        assert!(attendance.present(room).is_empty());
        assert_eq!(attendance.present(other), HashSet::from([user]));
    }

    #[test]
    fn who_comes_back_in_time_was_never_gone() {
        let (room, other, user) = ids();
        let attendance = Attendance::default();
        attendance.enter(room, user, 1.into());
        attendance.enter(other, user, 1.into());
        let lost = attendance.lose(user, 1.into());
        assert_eq!(lost.len(), 2);
        assert!(!attendance.enter(room, user, 2.into()), "still there");
        let expired: Vec<_> =
            lost.into_iter().filter(|lost| attendance.expire(user, *lost)).collect();
        assert_eq!(expired.iter().map(|lost| lost.room).collect::<Vec<_>>(), [other]);
        assert_eq!(attendance.present(room), HashSet::from([user]));
    }

    #[test]
    fn who_is_evicted_leaves_no_trace() {
        let (room, other, user) = ids();
        let attendance = Attendance::default();
        attendance.enter(room, user, 1.into());
        attendance.enter(other, user, 1.into());
        assert!(attendance.evict(room, user, [1.into()].into_iter()));
        assert!(!attendance.evict(room, user, [1.into()].into_iter()));
        assert!(!attendance.exit(room, user, 1.into()));
        assert_eq!(attendance.lose(user, 1.into()).len(), 1);
        assert!(attendance.enter(room, user, 3.into()), "they may come back");
    }
}
