//! The drivers who are connected, and which of them are offered new orders.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};

use crate::ids::UserId;

/// Connected drivers. What follows from a change is done while it is locked, so that sockets are
/// in the audience of available drivers exactly while their driver is available.
#[derive(Debug, Default)]
pub(super) struct Pool(Mutex<Connected>);

/// Connected drivers.
#[derive(Debug, Default)]
pub(super) struct Connected(HashMap<UserId, Entry>);

#[derive(Debug, Clone, Copy)]
struct Entry {
    is_available: bool,
    /// Counts sockets that come and go, so that a grace that was overtaken ends nothing.
    moves: u64,
}

impl Pool {
    pub(super) fn lock(&self) -> MutexGuard<'_, Connected> {
        self.0.lock().expect("no panic under this lock")
    }

    /// Whether a driver is connected and available.
    pub(super) fn is_available(&self, driver: UserId) -> bool {
        self.lock().0.get(&driver).is_some_and(|entry| entry.is_available)
    }
}

impl Connected {
    /// A socket of a driver is there: whether the driver is available, and whether they were away
    /// before. Who was away comes back available (CONTRACT §7).
    pub(super) fn arrive(&mut self, driver: UserId) -> (bool, bool) {
        let was_away = !self.0.contains_key(&driver);
        let entry = self.0.entry(driver).or_insert(Entry { is_available: true, moves: 0 });
        entry.moves += 1;
        (entry.is_available, was_away)
    }

    /// The drivers who are available.
    pub(super) fn available(&self) -> Vec<UserId> {
        let available = self.0.iter().filter(|(_, entry)| entry.is_available);
        available.map(|(driver, _)| *driver).collect()
    }

    /// A driver's last socket is gone; what [`Connected::depart`] must be told when the grace is
    /// over.
    pub(super) fn lose(&mut self, driver: UserId) -> Option<u64> {
        let entry = self.0.get_mut(&driver)?;
        entry.moves += 1;
        Some(entry.moves)
    }

    /// Removes a driver who has not come back since; whether they were available.
    pub(super) fn depart(&mut self, driver: UserId, moves: u64) -> bool {
        let is_gone = self.0.get(&driver).is_some_and(|entry| entry.moves == moves);
        is_gone && self.0.remove(&driver).is_some_and(|entry| entry.is_available)
    }

    /// Notes what a driver wants; whether that is a change. Nothing for who is not connected.
    pub(super) fn set(&mut self, driver: UserId, available: bool) -> bool {
        let known = self.0.get_mut(&driver);
        known
            .is_some_and(|known| std::mem::replace(&mut known.is_available, available) != available)
    }
}
