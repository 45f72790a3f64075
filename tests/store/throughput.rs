//! How many messages a second a store appends; a measurement, run by name:
//! `tests/run.sh --release --test store throughput -- --ignored --nocapture --test-threads 1`.

use std::time::Instant;

use crate::fixture::{Stores, append, at, idempotent, somebody};

const BATCH: usize = 200;
const BATCHES: usize = 100;

/// Appends batches of messages of 200 characters, spread over so many conversations.
async fn measure(stores: Stores) {
    let content = "x".repeat(200);
    for conversations in [1, 50, 1000] {
        let pairs: Vec<_> = (0..conversations).map(|_| (somebody(), somebody())).collect();
        // The second time over, every conversation is known.
        for heads in ["cold", "warm"] {
            let batches: Vec<Vec<_>> = (0..BATCHES)
                .map(|batch| {
                    let places = (0..BATCH).map(|n| batch * BATCH + n);
                    let send = |place: usize| {
                        let (sender, receiver) = pairs[place % conversations];
                        idempotent(sender, receiver, &content, &format!("{heads} {place}"))
                    };
                    places.map(send).collect()
                })
                .collect();
            let start = Instant::now();
            for batch in batches {
                append(&stores, batch, at(0)).await;
            }
            let rate = (BATCH * BATCHES) as f64 / start.elapsed().as_secs_f64();
            println!("{conversations:>5} conversations, {heads}: {rate:>7.0} messages/s");
        }
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
