//! Who types to whom. Typing ends by itself (CONTRACT §4): after a while without a new start, when
//! the message is sent, and when the socket is gone.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};

use crate::ids::UserId;
use crate::realtime::session::SessionNo;

/// Typing under way: from whom, to whom, at which socket.
#[derive(Default)]
pub(super) struct Typing {
    started: Mutex<HashMap<(UserId, UserId), Start>>,
}

/// One start of typing; a later one of the same pair overtakes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Start {
    socket: SessionNo,
    number: u64,
}

impl Typing {
    fn started(&self) -> MutexGuard<'_, HashMap<(UserId, UserId), Start>> {
        self.started.lock().expect("no panic under this lock")
    }

    /// Notes a start, and names it.
    pub(super) fn start(&self, from: UserId, to: UserId, socket: SessionNo) -> Start {
        let mut started = self.started();
        let number = started.get(&(from, to)).map_or(1, |start| start.number + 1);
        let start = Start { socket, number };
        started.insert((from, to), start);
        start
    }

    /// Ends typing; `true` when it was under way.
    pub(super) fn stop(&self, from: UserId, to: UserId) -> bool {
        self.started().remove(&(from, to)).is_some()
    }

    /// Ends typing that this start began, unless another overtook it.
    pub(super) fn expire(&self, from: UserId, to: UserId, start: Start) -> bool {
        let mut started = self.started();
        let current = started.get(&(from, to)) == Some(&start);
        if current {
            started.remove(&(from, to));
        }
        current
    }

    /// Ends all typing at a socket that is gone, and says to whom it was.
    pub(super) fn stop_socket(&self, from: UserId, socket: SessionNo) -> Vec<UserId> {
        let mut started = self.started();
        let of_socket = |(pair, start): (&(UserId, UserId), &Start)| {
            (pair.0 == from && start.socket == socket).then_some(pair.1)
        };
        let told: Vec<_> = started.iter().filter_map(of_socket).collect();
        started.retain(|pair, start| pair.0 != from || start.socket != socket);
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;

    #[test]
    fn only_the_latest_start_expires() {
        let now = Timestamp::from_millis(0);
        let (alice, bob) = (UserId::generate(now), UserId::generate(now));
        let typing = Typing::default();
        let first = typing.start(alice, bob, 1);
        let second = typing.start(alice, bob, 1);
        assert!(!typing.expire(alice, bob, first));
        assert!(typing.expire(alice, bob, second));
        assert!(!typing.stop(alice, bob));
    }

    #[test]
    fn a_socket_that_is_gone_ends_only_its_own_typing() {
        let now = Timestamp::from_millis(0);
        let (alice, bob, carol) =
            (UserId::generate(now), UserId::generate(now), UserId::generate(now));
        let typing = Typing::default();
        typing.start(alice, bob, 1);
        typing.start(alice, carol, 2);
        assert_eq!(typing.stop_socket(alice, 1), [bob]);
        assert!(typing.stop(alice, carol));
    }
}
