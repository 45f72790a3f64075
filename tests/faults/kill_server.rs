//! The server is killed under load, five times: every acknowledged message is there exactly once.

use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::load::Load;
use crate::setting::mongod::Mongod;
use crate::setting::server::{Server, Setup};
use crate::setting::turn;

const KILLS: usize = 5;
/// Acks between two kills.
const BETWEEN: usize = 1000;
const PATIENCE: Duration = Duration::from_secs(60);

async fn kill_and_count(store: &str, setup: Setup) {
    let mut server = setup.start().await;
    let mut load = Load::start(&server.rest, server.port()).await;
    for _ in 0..KILLS {
        load.ledger.await_more(BETWEEN, PATIENCE).await;
        load.assert_running();
        server.kill().await;
        server.start_again().await;
    }
    load.ledger.await_more(BETWEEN, PATIENCE).await;
    load.finish().await;
    report(store, &load, &server).await;
}

async fn report(store: &str, load: &Load, server: &Server) {
    let tally = load.ledger.check(&server.rest, &load.conversations).await;
    let lost = load.ledger.lost_connections.load(Ordering::SeqCst);
    let refused = load.ledger.unavailable.load(Ordering::SeqCst);
    println!(
        "kill_server on {store}: {KILLS} kills, {tally}; {lost} connections lost with a send under \
         way, {refused} sends unavailable, slowest answer {:?}",
        load.ledger.slowest()
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
