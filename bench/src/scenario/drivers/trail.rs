//! What the store has of where the drivers were, compared with what they said.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::time::{Instant, sleep};

use super::fleet::{Fleet, Plan};
use super::track::Stored;
use crate::accounts::{Account, IN_FLIGHT};
use crate::progress::Progress;
use crate::report::Report;
use crate::scenario::Bench;
use crate::scenario::messages::{Counter, DRAIN_TIMEOUT};
use crate::server::{Sample, Span};

/// Positions asked for at once.
const PAGE: usize = 1_000;
/// Between two looks at what the writer has done.
const GLANCE: Duration = Duration::from_millis(10);

/// Waits until the writer counts as many positions as were sent since a moment, or gives up. The time that took, if the
/// server tells.
pub async fn await_stored(bench: &Bench, since: Sample, sent: u64) -> Result<Option<Duration>> {
    let begun = Instant::now();
    loop {
        let span = Span { from: since, to: bench.server.sample().await? };
        let Some((_, stored)) = span.located() else { return Ok(None) };
        if stored >= sent as f64 {
            return Ok(Some(begun.elapsed()));
        }
        if begun.elapsed() > DRAIN_TIMEOUT {
            return Ok(None);
        }
        sleep(GLANCE).await;
    }
}

/// Compares the histories of all drivers with what they sent, and tells how many positions are stored.
pub async fn verify(
    bench: &Bench,
    admin: &Account,
    fleet: &Fleet,
    plan: &Plan,
    report: &mut Report,
) -> Result<()> {
    let (found, total) = (Arc::new(Counter::default()), fleet.sent());
    let shown = Arc::clone(&found);
    let _progress = Progress::start("comparing with the store", move || {
        format!("{} of {total} positions", shown.get())
    });
    let histories = stream::iter(0..fleet.drivers.len()).map(|driver| {
        let found = &found;
        async move {
            let known = &fleet.drivers[driver];
            let number = *known.number.get().context("a driver without a number")?;
            let stored = history(bench, admin, number).await?;
            found.add_many(stored.len() as u64);
            let fault = plan.track(driver).compare(&stored, known.sent.get(), known.not_taken());
            Ok::<_, anyhow::Error>(fault.map(|fault| format!("driver {driver}: {fault}")))
        }
    });
    let faults: Vec<_> = histories.buffer_unordered(IN_FLIGHT).try_collect().await?;
    let faults: Vec<_> = faults.into_iter().flatten().collect();
    if let Some(first) = faults.first() {
        let wrong = faults.len();
        report.mismatch(format!("{wrong} drivers' histories are wrong; the first: {first}"));
    }
    report.figure("positions sent, whole run", total as f64, "");
    report.figure("positions found in the store", found.get() as f64, "");
    Ok(())
}

/// All that is stored of a driver, the earliest first.
async fn history(bench: &Bench, admin: &Account, driver: u64) -> Result<Vec<Stored>> {
    let (mut all, mut after) = (Vec::new(), String::new());
    loop {
        let path = format!("/api/v1/drivers/{driver}/trail?limit={PAGE}{after}");
        let page: Vec<Stored> = bench.accounts.get_bare(admin, &path).await?;
        let is_last = page.len() < PAGE;
        all.extend(page);
        match all.last() {
            Some(last) if !is_last => after = format!("&after={}", last.timestamp),
            _ => return Ok(all),
        }
    }
}
