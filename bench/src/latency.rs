//! A histogram of latencies that many tasks record into.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hdrhistogram::Histogram;

/// The longest latency told apart, in µs; longer ones count as this.
const LONGEST: u64 = 120_000_000;

/// Latencies in µs, to three digits.
pub struct Latencies(Mutex<Histogram<u64>>);

/// The figures of a histogram, in milliseconds.
#[derive(Debug, Clone, Copy)]
pub struct Summary {
    pub p50: f64,
    pub p95: f64,
    pub p99: f64,
    pub max: f64,
}

impl Latencies {
    /// An empty histogram.
    pub fn new() -> Self {
        Self(Mutex::new(
            Histogram::new_with_bounds(1, LONGEST, 3).expect("the bounds are constant and legal"),
        ))
    }

    /// Counts one latency.
    pub fn record(&self, latency: Duration) {
        let micros = u64::try_from(latency.as_micros()).unwrap_or(LONGEST);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).saturating_record(micros);
    }

    /// All of several.
    pub fn together<'a>(parts: impl Iterator<Item = &'a Self>) -> Self {
        let all = Self::new();
        for part in parts {
            let part = part.0.lock().unwrap_or_else(PoisonError::into_inner);
            let mut sum = all.0.lock().unwrap_or_else(PoisonError::into_inner);
            sum.add(&*part).expect("all have the same bounds");
        }
        all
    }

    /// The figures, or none if nothing was recorded.
    pub fn summary(&self) -> Option<Summary> {
        let histogram = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = |quantile| histogram.value_at_quantile(quantile) as f64 / 1_000.0;
        let max = histogram.max() as f64 / 1_000.0;
        (!histogram.is_empty()).then(|| Summary {
            p50: at(0.50),
            p95: at(0.95),
            p99: at(0.99),
            max,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_recorded_has_no_figures() {
        assert!(Latencies::new().summary().is_none());
    }

    #[test]
    fn all_of_several_are_counted() {
        let (fast, slow) = (Latencies::new(), Latencies::new());
        (0..99).for_each(|_| fast.record(Duration::from_millis(1)));
        slow.record(Duration::from_millis(50));
        let all = Latencies::together([&fast, &slow].into_iter()).summary().expect("a hundred");
        assert!((all.p99 - 1.0).abs() < 0.1 && (all.max - 50.0).abs() < 0.1, "{all:?}");
    }

    #[test]
    fn quantiles_are_in_milliseconds() {
        let latencies = Latencies::new();
        (1..=100).for_each(|ms| latencies.record(Duration::from_millis(ms)));
        let summary = latencies.summary().expect("a hundred were recorded");
        assert!(
            (summary.p50 - 50.0).abs() < 0.1 && (summary.p99 - 99.0).abs() < 0.1,
            "{summary:?}"
        );
    }
}
