//! What all drivers of a scenario share: what they are to do, and what happened to them.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::assignments::Assignments;
use super::track::Track;
use crate::latency::Latencies;
use crate::report::Report;
use crate::scenario::Window;
use crate::scenario::messages::Counter;

/// Shared by all drivers of a scenario, and by those who watch them.
pub struct Fleet {
    pub drivers: Vec<Known>,
    pub assignments: Assignments,
    pub plan: watch::Sender<Option<Plan>>,
    window: OnceLock<Window>,
    /// Those who are connected.
    pub connected: Counter,
    /// Those whose last `ping` was answered: what they had sent before it, the server has taken.
    pub settled: Counter,
    /// Positions that the server had taken when it answered a `ping`.
    pub accepted: Counter,
    /// Frames to drivers that matter to nobody here, by their types.
    noise: Mutex<BTreeMap<String, u64>>,
    /// Orders told to a driver whose they are not, and what is no frame.
    pub foreign: Counter,
    refused: Counter,
    refusal: OnceLock<String>,
    pub connect: Latencies,
    pub assigned: Latencies,
    pub answered: Latencies,
    pub pong: Latencies,
    pub leave: CancellationToken,
}

/// A driver, as the others know it.
#[derive(Default)]
pub struct Known {
    /// What the server calls it, once it is connected.
    pub number: OnceLock<u64>,
    /// Positions that it has sent.
    pub sent: Counter,
    /// Errors `unavailable` that it was told: of positions that the server did not take, or of pings.
    pub overloaded: Counter,
    pub pings: Counter,
    pub pongs: Counter,
}

impl Known {
    /// Positions that the server did not take, once the last ping is answered: the server answers in turn, so that a
    /// ping without a pong by then was not taken either.
    pub fn not_taken(&self) -> u64 {
        self.overloaded.get().saturating_sub(self.pings.get().saturating_sub(self.pongs.get()))
    }
}

/// When the drivers say where they are.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    pub begin: Instant,
    /// The same moment in ms since 1970.
    began: i64,
    pub end: Instant,
    /// Between two positions of one driver.
    pub every: Duration,
    pub drivers: usize,
}

impl Plan {
    /// From one moment to another, all drivers spread evenly over the time between two positions.
    pub fn new(begin: Instant, end: Instant, every: Duration, drivers: usize) -> Self {
        let ahead = begin.saturating_duration_since(Instant::now());
        let began = Timestamp::now().as_millisecond() + millis(ahead);
        Self { begin, began, end, every, drivers }
    }

    /// When a driver is to say its first position, after the beginning.
    pub fn offset(&self, driver: usize) -> Duration {
        self.every.mul_f64(driver as f64 / self.drivers as f64)
    }

    /// When a driver is to say a position.
    pub fn due(&self, driver: usize, number: u64) -> Instant {
        let before = u32::try_from(number.saturating_sub(1)).unwrap_or(u32::MAX);
        self.begin + self.offset(driver) + self.every * before
    }

    /// Which way a driver goes.
    pub fn track(&self, driver: usize) -> Track {
        let first = self.began + millis(self.offset(driver));
        Track { driver, first, step: millis(self.every) }
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

impl Fleet {
    /// Of so many drivers who are to come; `mark` is on their orders.
    pub fn new(mark: String, drivers: usize) -> Self {
        Self {
            drivers: (0..drivers).map(|_| Known::default()).collect(),
            assignments: Assignments::new(mark, drivers),
            plan: watch::Sender::new(None),
            window: OnceLock::new(),
            connected: Counter::default(),
            settled: Counter::default(),
            accepted: Counter::default(),
            noise: Mutex::default(),
            foreign: Counter::default(),
            refused: Counter::default(),
            refusal: OnceLock::new(),
            connect: Latencies::new(),
            assigned: Latencies::new(),
            answered: Latencies::new(),
            pong: Latencies::new(),
            leave: CancellationToken::new(),
        }
    }

    /// Sets what is measured, once.
    pub fn measure(&self, window: Window) {
        let _ = self.window.set(window);
    }

    /// What was meant to begin in the window counts, however late it ended: else the slowest would be left out.
    pub fn record(&self, latencies: &Latencies, begun: Instant, now: Instant) {
        if self.window.get().is_some_and(|window| window.contains(begun)) {
            latencies.record(now.saturating_duration_since(begun));
        }
    }

    /// Counts a refusal.
    pub fn refuse(&self, reason: String) {
        self.refused.add();
        let _ = self.refusal.set(reason);
    }

    /// Counts a frame that matters to nobody.
    pub fn overhear(&self, kind: &str) {
        let mut noise = self.noise.lock().unwrap_or_else(PoisonError::into_inner);
        match noise.get_mut(kind) {
            Some(count) => *count += 1,
            None => drop(noise.insert(kind.to_owned(), 1)),
        }
    }

    /// Positions that all drivers have sent.
    pub fn sent(&self) -> u64 {
        self.drivers.iter().map(|driver| driver.sent.get()).sum()
    }

    /// Positions of all drivers that the server did not take.
    pub fn not_taken(&self) -> u64 {
        self.drivers.iter().map(Known::not_taken).sum()
    }

    /// Tells what else the drivers heard.
    pub fn describe_noise(&self, report: &mut Report) {
        for (kind, count) in &*self.noise.lock().unwrap_or_else(PoisonError::into_inner) {
            report.figure(format!("{kind} to drivers"), *count as f64, "");
        }
    }

    /// Adds to the report what must not be.
    pub fn complain(&self, report: &mut Report) {
        let refused = self.refused.get();
        if refused > 0 {
            let reason = self.refusal.get().map_or("no reason given", String::as_str);
            report.mismatch(format!("{refused} things were refused; the first: {reason}"));
        }
        let total = self.drivers.len();
        let (settled, foreign) = (self.settled.get(), self.foreign.get());
        if settled != total as u64 {
            report.mismatch(format!("{total} drivers sent a last ping and {settled} got a pong"));
        }
        if foreign > 0 {
            report.mismatch(format!("{foreign} frames were not for the driver who got them"));
        }
        let numbers: HashSet<_> =
            self.drivers.iter().filter_map(|driver| driver.number.get()).collect();
        if numbers.len() != total {
            report.mismatch(format!("{total} drivers have {} numbers", numbers.len()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> Plan {
        let begin = Instant::now() + Duration::from_secs(1);
        Plan::new(begin, begin + Duration::from_secs(60), Duration::from_secs(10), 1_000)
    }

    #[test]
    fn drivers_are_spread_evenly_over_the_interval() {
        let plan = plan();
        assert_eq!(plan.offset(0), Duration::ZERO);
        assert_eq!(plan.offset(250), Duration::from_millis(2_500));
        assert!(plan.offset(999) < Duration::from_secs(10));
        assert_eq!(plan.due(250, 3), plan.begin + Duration::from_millis(22_500));
    }

    #[test]
    fn a_position_has_the_time_at_which_it_is_due() {
        let plan = plan();
        let (first, second) = (plan.track(0), plan.track(250));
        assert_eq!((second.first - first.first, second.step), (2_500, 10_000));
        let ahead = first.first - Timestamp::now().as_millisecond();
        assert!((900..=1_001).contains(&ahead), "{ahead} ms");
    }
}
