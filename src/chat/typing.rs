//! Who types to whom. Typing ends by itself (CONTRACT §4): after a while without a new start, when
//! the message is sent, and when the socket is gone.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};

use super::model::Addressee;
use crate::ids::UserId;
use crate::realtime::session::SessionNo;

/// Typing under way: from whom, to whom, at which socket.
#[derive(Default)]
pub(super) struct Typing {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    started: HashMap<(UserId, Addressee), Start>,
    of_socket: HashMap<SessionNo, Vec<(UserId, Addressee)>>,
    starts: u64,
}

/// One start of typing; a later one of the same pair overtakes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Start {
    socket: SessionNo,
    number: u64,
}

impl State {
    fn remove(&mut self, pair: (UserId, Addressee)) -> bool {
        let Some(start) = self.started.remove(&pair) else { return false };
        if let Some(pairs) = self.of_socket.get_mut(&start.socket) {
            pairs.retain(|noted| *noted != pair);
            if pairs.is_empty() {
                self.of_socket.remove(&start.socket);
            }
        }
        true
    }
}

impl Typing {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic under this lock")
    }

    /// Notes a start, and names it.
    pub(super) fn start(&self, from: UserId, to: Addressee, socket: SessionNo) -> Start {
        let mut state = self.state();
        state.remove((from, to));
        state.starts += 1;
        let start = Start { socket, number: state.starts };
        state.started.insert((from, to), start);
        state.of_socket.entry(socket).or_default().push((from, to));
        start
    }

    /// Ends typing; `true` when it was under way.
    pub(super) fn stop(&self, from: UserId, to: Addressee) -> bool {
        self.state().remove((from, to))
    }

    /// Ends typing that this start began, unless another overtook it.
    pub(super) fn expire(&self, from: UserId, to: Addressee, start: Start) -> bool {
        let mut state = self.state();
        state.started.get(&(from, to)) == Some(&start) && state.remove((from, to))
    }

    /// Ends all typing at a socket that is gone, and says to whom it was.
    pub(super) fn stop_socket(&self, socket: SessionNo) -> Vec<Addressee> {
        let mut state = self.state();
        let pairs = state.of_socket.remove(&socket).unwrap_or_default();
        for pair in &pairs {
            state.started.remove(pair);
        }
        pairs.into_iter().map(|(_, to)| to).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::ids::RoomId;

    #[test]
    fn only_the_latest_start_expires() {
        let now = Timestamp::from_millis(0);
        let (alice, bob) = (UserId::generate(now), Addressee::User(UserId::generate(now)));
        let typing = Typing::default();
        let first = typing.start(alice, bob, 1.into());
        let second = typing.start(alice, bob, 1.into());
        assert!(!typing.expire(alice, bob, first));
        typing.stop(alice, bob);
        let third = typing.start(alice, bob, 1.into());
        assert!(!typing.expire(alice, bob, second));
        assert!(typing.expire(alice, bob, third));
        assert!(!typing.stop(alice, bob));
    }

    #[test]
    fn a_socket_that_is_gone_ends_only_its_own_typing() {
        let now = Timestamp::from_millis(0);
        let alice = UserId::generate(now);
        let bob = Addressee::User(UserId::generate(now));
        let carol = Addressee::Room(RoomId::generate(now));
        let typing = Typing::default();
        typing.start(alice, bob, 1.into());
        typing.start(alice, carol, 2.into());
        assert_eq!(typing.stop_socket(1.into()), [bob]);
        assert!(typing.stop(alice, carol));
    }
}
