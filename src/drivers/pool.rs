//! The drivers who are connected, and which of them are offered new orders.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::ids::UserId;
use crate::realtime::session::SessionNo;

/// Connected drivers. What follows from a change is done while it is locked, so that sockets are
/// in the audience of available drivers exactly while their driver is available.
#[derive(Debug, Default)]
pub(super) struct Pool(Mutex<Roster>);

/// The drivers who are connected, and their sockets.
#[derive(Debug, Default)]
pub struct Roster {
    drivers: HashMap<UserId, Entry>,
    /// Of their sockets that came while their driver was available: since when they hear of offers.
    sockets: HashMap<SessionNo, Moment>,
    moments: u64,
}

/// When something came about, in the order of what does while the pool is locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(u64);

#[derive(Debug, Clone, Copy)]
struct Entry {
    is_available: bool,
    /// Counts sockets that come and go, so that a grace that was overtaken ends nothing.
    moves: u64,
}

impl Pool {
    /// While this is held no socket of a driver comes to hear of offers.
    pub(super) fn lock(&self) -> MutexGuard<'_, Roster> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a driver is connected and available.
    pub(super) fn is_available(&self, driver: UserId) -> bool {
        self.lock().drivers.get(&driver).is_some_and(|entry| entry.is_available)
    }
}

impl Roster {
    /// A socket of a driver is there: whether the driver is available, and whether they were away
    /// before. Who was away comes back available (CONTRACT §7).
    pub(super) fn arrive(&mut self, driver: UserId) -> (bool, bool) {
        let was_away = !self.drivers.contains_key(&driver);
        let entry = self.drivers.entry(driver).or_insert(Entry { is_available: true, moves: 0 });
        entry.moves += 1;
        (entry.is_available, was_away)
    }

    /// Now, behind all that came about before.
    pub fn moment(&mut self) -> Moment {
        self.moments += 1;
        Moment(self.moments)
    }

    /// A socket hears of offers from now on.
    pub(super) fn hears(&mut self, socket: SessionNo) {
        let now = self.moment();
        self.sockets.insert(socket, now);
    }

    /// Since when a socket hears of offers, if its driver was available when it came.
    pub(super) fn hears_since(&self, socket: SessionNo) -> Option<Moment> {
        self.sockets.get(&socket).copied()
    }

    /// A socket is gone.
    pub(super) fn forget(&mut self, socket: SessionNo) {
        self.sockets.remove(&socket);
    }

    /// The drivers who are available.
    pub fn available(&self) -> Vec<UserId> {
        let available = self.drivers.iter().filter(|(_, entry)| entry.is_available);
        available.map(|(driver, _)| *driver).collect()
    }

    /// A driver's last socket is gone; what [`Roster::depart`] must be told when the grace is
    /// over.
    pub(super) fn lose(&mut self, driver: UserId) -> Option<u64> {
        let entry = self.drivers.get_mut(&driver)?;
        entry.moves += 1;
        Some(entry.moves)
    }

    /// Removes a driver who has not come back since; whether they were available.
    pub(super) fn depart(&mut self, driver: UserId, moves: u64) -> bool {
        let is_gone = self.drivers.get(&driver).is_some_and(|entry| entry.moves == moves);
        is_gone && self.drivers.remove(&driver).is_some_and(|entry| entry.is_available)
    }

    /// Notes what a driver wants; whether that is a change. Nothing for who is not connected.
    pub(super) fn set(&mut self, driver: UserId, available: bool) -> bool {
        let known = self.drivers.get_mut(&driver);
        known
            .is_some_and(|known| std::mem::replace(&mut known.is_available, available) != available)
    }
}
