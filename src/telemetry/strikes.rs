//! What limits have refused: each refusal is counted for metrics, and the log says once a minute of
//! each limit how often it struck.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

/// How often each limit of the process has struck since that was last told.
static UNTOLD: Mutex<BTreeMap<&'static str, u64>> = Mutex::new(BTreeMap::new());

fn untold() -> MutexGuard<'static, BTreeMap<&'static str, u64>> {
    UNTOLD.lock().expect("no panic while counting")
}

/// Counts a refusal by a limit.
pub fn struck(limit: &'static str) {
    metrics::counter!("waggle_limits_struck_total", "limit" => limit).increment(1);
    *untold().entry(limit).or_default() += 1;
}

/// Says which limits have struck since this was last called, and how often.
pub fn tell_strikes() {
    let strikes = std::mem::take(&mut *untold());
    for (limit, times) in strikes {
        tracing::warn!(limit, times, "a limit was reached");
    }
}
