//! What happened to all messages of a scenario: counts for the whole of it, latencies for the measured window.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use crate::latency::Latencies;
use crate::report::Report;
use crate::scenario::Window;

/// Shared by all senders and receivers of a scenario.
pub struct Tally {
    /// Marks this scenario's messages.
    pub mark: String,
    origin: Instant,
    phases: OnceLock<Vec<Phase>>,
    pub sent: Counter,
    pub acked: Counter,
    pub refused: Counter,
    /// Acknowledged messages, as often as a connected receiver is to get them.
    pub due: Counter,
    pub received: Counter,
    pub repeated: Counter,
    pub reordered: Counter,
    pub foreign: Counter,
    refusal: OnceLock<String>,
}

/// A stretch that is measured, with the latencies of what was meant to be sent in it.
pub struct Phase {
    window: Window,
    pub ack: Latencies,
    pub delivery: Latencies,
}

/// A count that many tasks add to.
#[derive(Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// One more.
    pub fn add(&self) {
        self.add_many(1);
    }

    /// So many more.
    pub fn add_many(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    /// The count so far.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Tally {
    /// Nothing counted yet, nothing measured yet.
    pub fn new(mark: String) -> Self {
        Self {
            mark,
            origin: Instant::now(),
            phases: OnceLock::new(),
            sent: Counter::default(),
            acked: Counter::default(),
            refused: Counter::default(),
            due: Counter::default(),
            received: Counter::default(),
            repeated: Counter::default(),
            reordered: Counter::default(),
            foreign: Counter::default(),
            refusal: OnceLock::new(),
        }
    }

    /// Sets what is measured, once.
    pub fn measure(&self, windows: &[Window]) {
        let phase = |&window| Phase { window, ack: Latencies::new(), delivery: Latencies::new() };
        let _ = self.phases.set(windows.iter().map(phase).collect());
    }

    /// What is measured.
    pub fn phases(&self) -> &[Phase] {
        self.phases.get().map_or(&[], Vec::as_slice)
    }

    /// A moment on the clock of this scenario, to travel in a message.
    pub fn since_origin(&self, moment: Instant) -> Duration {
        moment.saturating_duration_since(self.origin)
    }

    /// Counts an acknowledgement that came at this moment, of a message to so many connected receivers.
    pub fn acknowledge(&self, intended: Instant, receivers: u64, now: Instant) {
        self.acked.add();
        self.due.add_many(receivers);
        self.record(|phase| &phase.ack, intended, now);
    }

    /// Counts a refusal.
    pub fn refuse(&self, reason: String) {
        self.refused.add();
        let _ = self.refusal.set(reason);
    }

    /// Counts a delivery that came at this moment.
    pub fn deliver(&self, intended: Duration, now: Instant) {
        self.received.add();
        self.record(|phase| &phase.delivery, self.origin + intended, now);
    }

    /// Adds what must not be to the report.
    pub fn complain(&self, report: &mut Report) {
        let [sent, acked, refused] = [&self.sent, &self.acked, &self.refused].map(Counter::get);
        if refused > 0 {
            let reason = self.refusal.get().map_or("no reason given", String::as_str);
            report.mismatch(format!(
                "{refused} of {sent} messages were refused; the first: {reason}"
            ));
        }
        if acked + refused != sent {
            report.mismatch(format!("{sent} messages were sent and {} answered", acked + refused));
        }
        if self.received.get() != self.due.get() {
            let (received, due) = (self.received.get(), self.due.get());
            report.mismatch(format!(
                "{due} deliveries were due to connected receivers and {received} arrived"
            ));
        }
        let faults = [
            ("repeated", &self.repeated),
            ("out of order", &self.reordered),
            ("foreign", &self.foreign),
        ];
        for (fault, count) in
            faults.map(|(fault, counter)| (fault, counter.get())).iter().filter(|of| of.1 > 0)
        {
            report.mismatch(format!("{count} messages arrived {fault}"));
        }
    }

    /// What was meant to be sent in the window counts, however late its answer: else the slowest would be left out.
    fn record(&self, latencies: fn(&Phase) -> &Latencies, intended: Instant, now: Instant) {
        if let Some(phase) = self.phases().iter().find(|phase| phase.window.contains(intended)) {
            latencies(phase).record(now.saturating_duration_since(intended));
        }
    }
}

impl Phase {
    /// Adds both latencies to the report.
    pub fn describe(&self, report: &mut Report) {
        report.latencies("acknowledgement", &self.ack);
        report.latencies("delivery", &self.delivery);
    }
}
