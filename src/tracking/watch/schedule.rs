//! When watchers of each driver are told again: one time per driver, however many watch.

use std::collections::{BTreeSet, HashMap};

use tokio::time::Instant;

use crate::ids::UserId;

/// What is due when.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    queue: BTreeSet<(Instant, UserId)>,
    of: HashMap<UserId, Due>,
}

#[derive(Debug, Clone, Copy)]
struct Due {
    at: Instant,
    live: bool,
}

impl Schedule {
    /// Whether watchers of this driver are told again at all.
    pub(super) fn has(&self, driver: UserId) -> bool {
        self.of.contains_key(&driver)
    }

    /// Whether they were last told where the driver is, and not that the driver is offline.
    pub(super) fn is_live(&self, driver: UserId) -> bool {
        self.of.get(&driver).is_some_and(|due| due.live)
    }

    pub(super) fn set(&mut self, driver: UserId, at: Instant, live: bool) {
        if let Some(before) = self.of.insert(driver, Due { at, live }) {
            self.queue.remove(&(before.at, driver));
        }
        self.queue.insert((at, driver));
    }

    pub(super) fn remove(&mut self, driver: UserId) {
        if let Some(due) = self.of.remove(&driver) {
            self.queue.remove(&(due.at, driver));
        }
    }

    pub(super) fn next(&self) -> Option<Instant> {
        self.queue.first().map(|(at, _)| *at)
    }

    /// The next driver who is due until `now`; stays until it is set anew or removed.
    pub(super) fn due(&self, now: Instant) -> Option<UserId> {
        self.queue.first().filter(|(at, _)| *at <= now).map(|(_, driver)| *driver)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock::Timestamp;

    #[test]
    fn a_driver_is_due_once_at_the_latest_time_set() {
        let (mut schedule, now) = (Schedule::default(), Instant::now());
        let at = |seconds| now + Duration::from_secs(seconds);
        let drivers = [1, 2].map(|millis| UserId::generate(Timestamp::from_millis(millis)));
        schedule.set(drivers[0], at(5), true);
        schedule.set(drivers[1], at(3), true);
        schedule.set(drivers[0], at(60), false);
        assert_eq!(schedule.next(), Some(at(3)));
        assert_eq!(schedule.due(at(2)), None);
        assert_eq!(schedule.due(at(3)), Some(drivers[1]));
        schedule.remove(drivers[1]);
        assert_eq!((schedule.due(at(59)), schedule.due(at(60))), (None, Some(drivers[0])));
        assert!(!schedule.is_live(drivers[0]) && !schedule.has(drivers[1]));
    }
}
