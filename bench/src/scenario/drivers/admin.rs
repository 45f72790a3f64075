//! The admin who assigns orders to drivers at a rate, and what the store has of them afterwards.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, bail};
use futures_util::StreamExt;
use futures_util::stream::{self, FuturesUnordered};
use serde::Deserialize;
use tokio::time::{Instant, sleep_until};

use super::assignments::Entry;
use super::fleet::{Fleet, Plan};
use crate::accounts::{Account, IN_FLIGHT};
use crate::report::Report;
use crate::scenario::Bench;

/// Orders looked for in the store, at most.
const SAMPLE: usize = 500;

/// An order, as the admin and its driver are answered.
#[derive(Debug, Deserialize)]
struct Order {
    order_id: u64,
}

/// Assigns so many orders a second until the plan ends, whether or not those before were answered.
pub async fn assign(bench: &Bench, admin: &Account, fleet: &Fleet, plan: &Plan, rate: f64) {
    if rate <= 0.0 {
        return;
    }
    let (interval, mut due) = (Duration::from_secs_f64(1.0 / rate), plan.begin);
    let mut running = FuturesUnordered::new();
    loop {
        tokio::select! {
            () = sleep_until(due), if due < plan.end => {
                running.push(assign_one(bench, admin, fleet, due));
                due += interval;
            }
            Some(()) = running.next() => {}
            else => return,
        }
    }
}

async fn assign_one(bench: &Bench, admin: &Account, fleet: &Fleet, due: Instant) {
    let (number, driver) = fleet.assignments.open(due);
    let Some(&driver_id) = fleet.drivers[driver].number.get() else {
        return fleet.refuse("a driver without a number".to_owned());
    };
    let wish = fleet.assignments.wish(number, driver_id);
    match bench.accounts.post_bare(admin, "/api/v1/orders", &wish).await {
        Ok(Order { order_id }) => {
            fleet.record(&fleet.answered, due, Instant::now());
            fleet.assignments.answer(number, order_id);
        }
        Err(error) => fleet.refuse(format!("{error:#}")),
    }
}

/// Complains of orders that were not answered or not heard of as they had to be, and of those that the store does not
/// have with their drivers.
pub async fn verify(bench: &Bench, drivers: &[Arc<Account>], fleet: &Fleet, report: &mut Report) {
    let entries = fleet.assignments.entries();
    let faults: Vec<_> = entries.iter().filter_map(Entry::fault).collect();
    if let Some(first) = faults.first() {
        let (wrong, of) = (faults.len(), entries.len());
        report.mismatch(format!("{wrong} of {of} orders went wrong; the first {first}"));
    }
    let known = entries.iter().filter_map(|entry| Some((entry.driver, entry.answered?)));
    let step = entries.len().div_ceil(SAMPLE).max(1);
    let sample: Vec<_> = known.step_by(step).collect();
    let asked = stream::iter(&sample).map(|&(driver, order)| {
        let account = &drivers[driver];
        async move { must_have(bench, account, order).await.err() }
    });
    let missing: Vec<_> = asked.buffer_unordered(IN_FLIGHT).collect().await;
    let missing: Vec<_> = missing.into_iter().flatten().collect();
    if let Some(first) = missing.first() {
        let (wrong, of) = (missing.len(), sample.len());
        report.mismatch(format!("{wrong} of {of} orders are not their driver's: {first:#}"));
    }
    report.figure("orders assigned, whole run", entries.len() as f64, "");
    report.figure("orders found with their drivers", (sample.len() - missing.len()) as f64, "");
}

async fn must_have(bench: &Bench, driver: &Account, order: u64) -> Result<()> {
    let orders: Vec<Order> = bench.accounts.get_bare(driver, "/api/v1/orders/assigned").await?;
    if !orders.iter().any(|held| held.order_id == order) {
        bail!("{order} is none of its driver's {} orders", orders.len());
    }
    Ok(())
}
