//! The server is killed under load, at random moments: every acknowledged message is there exactly
//! once, and everybody has heard it.

use std::sync::atomic::Ordering;
use std::time::Duration;

use rand::random_range;

use crate::load::Load;
use crate::setting::mongod::Mongod;
use crate::setting::server::Setup;
use crate::setting::turn;

const KILLS: usize = 5;
/// Acks between two kills, at least and at most.
const BETWEEN: std::ops::RangeInclusive<usize> = 1..=1500;
const PATIENCE: Duration = Duration::from_secs(60);

async fn kill_and_count(store: &str, setup: Setup) {
    let mut server = setup.start().await;
    let mut load = Load::start(&server).await;
    for _ in 0..KILLS {
        load.ledger.await_more(random_range(BETWEEN), PATIENCE).await;
        load.assert_running();
        server.kill().await;
        server.start_again().await;
    }
    load.ledger.await_more(*BETWEEN.end(), PATIENCE).await;
    let ledger = load.ledger.clone();
    let tally = load.finish(&server).await;
    let lost = ledger.lost_connections.load(Ordering::SeqCst);
    let refused = ledger.unavailable.load(Ordering::SeqCst);
    println!(
        "kill_server on {store}: kills={KILLS} {tally}; {lost} connections lost with a send under \
         way, {refused} unavailable, slowest answer {:?}",
        ledger.slowest()
    );
    tally.assert_whole();
    assert!(lost > 0, "the kills hit nobody");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acked_is_lost_or_doubled_when_the_server_is_killed_on_the_embedded_store() {
    let _turn = turn();
    kill_and_count("embedded", Setup::embedded()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acked_is_lost_or_doubled_when_the_server_is_killed_on_mongodb() {
    let _turn = turn();
    let mongod = Mongod::start().await;
    kill_and_count("mongodb", Setup::mongo(&mongod)).await;
}
