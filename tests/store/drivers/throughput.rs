//! How many positions a second a store saves; a measurement, run by name:
//! `tests/run.sh --release --test store drivers::throughput -- --ignored --nocapture --test-threads 1`.

use std::time::Instant;

use waggle::drivers::model::Fix;

use super::{full, place};
use crate::fixture::{Stores, somebody};

const DRIVERS: usize = 10_000;
const BATCH: usize = 1000;
/// How often each driver says where they are.
const ROUNDS: usize = 10;

/// Saves batches of positions of ten thousand drivers who all drive through one city.
async fn measure(stores: Stores) {
    let drivers: Vec<_> = (0..DRIVERS).map(|_| somebody()).collect();
    for round in 0..ROUNDS {
        let fixes: Vec<_> = drivers
            .iter()
            .enumerate()
            .map(|(n, driver)| {
                let (row, column) = ((n * 7919 % DRIVERS) / 100, n % 100);
                let step = round as f64 * 0.0005;
                let point =
                    place(48.0 + row as f64 * 0.003 + step, 11.0 + column as f64 * 0.004 + step);
                (*driver, Fix { point, ..full(0, round as i64 * 4000 + (n % 4000) as i64) })
            })
            .collect();
        let start = Instant::now();
        for batch in fixes.chunks(BATCH) {
            stores.drivers.save_fixes(batch).await.unwrap();
        }
        let rate = DRIVERS as f64 / start.elapsed().as_secs_f64();
        println!("round {round}: {rate:>7.0} positions/s");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn embedded() {
    crate::embedded::run(measure).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn mongo() {
    crate::mongo::run(measure).await;
}
