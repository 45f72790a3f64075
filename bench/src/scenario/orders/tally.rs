//! What happened to all orders of a scenario: counts for the whole of it, latencies for the measured window.

use std::sync::OnceLock;
use std::time::Duration;

use tokio::time::Instant;

use crate::latency::Latencies;
use crate::report::Report;
use crate::scenario::Window;
use crate::scenario::messages::Counter;

/// Shared by all customers and drivers.
pub struct Tally {
    origin: Instant,
    window: OnceLock<Window>,
    /// Answers with `ok`.
    pub acked: Counter,
    pub refused: Counter,
    /// Orders of which their customer has heard that they are delivered.
    pub done: Counter,
    /// Events that were due.
    pub received: Counter,
    pub repeated: Counter,
    pub reordered: Counter,
    /// Events of orders that were not for who heard them, or say what cannot be.
    pub foreign: Counter,
    /// Times that an order had two names, or a name two orders.
    pub disagreed: Counter,
    /// Events that are not of orders, or of older ones.
    pub noise: Counter,
    refusal: OnceLock<String>,
    pub place: Latencies,
    pub accept: Latencies,
    pub advance: Latencies,
    pub new_order: Latencies,
    pub lifecycle: Latencies,
}

impl Tally {
    /// Nothing counted yet, nothing measured yet.
    pub fn new() -> Self {
        Self {
            origin: Instant::now(),
            window: OnceLock::new(),
            acked: Counter::default(),
            refused: Counter::default(),
            done: Counter::default(),
            received: Counter::default(),
            repeated: Counter::default(),
            reordered: Counter::default(),
            foreign: Counter::default(),
            disagreed: Counter::default(),
            noise: Counter::default(),
            refusal: OnceLock::new(),
            place: Latencies::new(),
            accept: Latencies::new(),
            advance: Latencies::new(),
            new_order: Latencies::new(),
            lifecycle: Latencies::new(),
        }
    }

    /// Sets what is measured, once.
    pub fn measure(&self, window: Window) {
        let _ = self.window.set(window);
    }

    /// A moment on the clock of this scenario.
    pub fn since_origin(&self, moment: Instant) -> Duration {
        moment.saturating_duration_since(self.origin)
    }

    /// Counts a refusal.
    pub fn refuse(&self, reason: String) {
        self.refused.add();
        let _ = self.refusal.set(reason);
    }

    /// What was meant to begin in the window counts, however late it ended: else the slowest would be left out.
    pub fn record(&self, latencies: &Latencies, begun: Instant, now: Instant) {
        if self.window.get().is_some_and(|window| window.contains(begun)) {
            latencies.record(now.saturating_duration_since(begun));
        }
    }

    /// Adds what must not be to the report; `placed` orders have so many answers and events in all.
    pub fn complain(&self, report: &mut Report, placed: u64, answers: u64, events: u64) {
        let [acked, refused, done] = [&self.acked, &self.refused, &self.done].map(Counter::get);
        if refused > 0 {
            let reason = self.refusal.get().map_or("no reason given", String::as_str);
            report.mismatch(format!("{refused} things were refused; the first: {reason}"));
        }
        if done != placed {
            report.mismatch(format!("{placed} orders were placed and {done} delivered"));
        }
        if acked != answers {
            report.mismatch(format!("{answers} answers were due and {acked} came with `ok`"));
        }
        let received = self.received.get();
        if received != events {
            report.mismatch(format!("{events} events were due and {received} came"));
        }
        let faults = [
            ("came repeatedly", &self.repeated),
            ("came before one that they follow", &self.reordered),
            ("were not for who heard them", &self.foreign),
            ("named an order otherwise than another", &self.disagreed),
        ];
        for (fault, count) in faults.map(|(fault, counter)| (fault, counter.get())) {
            if count > 0 {
                report.mismatch(format!("{count} events {fault}"));
            }
        }
    }
}
