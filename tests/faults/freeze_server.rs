//! The server stands still for longer than its heartbeats allow, and goes on: clients have given
//! it up, come back, and resume.

use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::load::Load;
use crate::setting::mongod::Mongod;
use crate::setting::server::Setup;
use crate::setting::turn;

const FREEZES: usize = 2;
/// A client takes the server for gone after the first two.
const PING_INTERVAL: &str = "1s";
const PING_TIMEOUT: &str = "1s";
const FROZEN: Duration = Duration::from_secs(4);
const BETWEEN: usize = 200;
const PATIENCE: Duration = Duration::from_secs(30);

async fn freeze_and_count(store: &str, setup: Setup) {
    let setup = setup.with("PING_INTERVAL", PING_INTERVAL).with("PING_TIMEOUT", PING_TIMEOUT);
    let mut server = setup.start().await;
    let mut load = Load::start(&server).await;
    let mut recovered = Duration::ZERO;
    for _ in 0..FREEZES {
        load.ledger.await_more(BETWEEN, PATIENCE).await;
        server.freeze();
        tokio::time::sleep(FROZEN).await;
        server.thaw();
        recovered = recovered.max(load.ledger.await_more(BETWEEN, PATIENCE).await);
        load.assert_running();
    }
    let ledger = load.ledger.clone();
    let tally = load.finish(&server).await;
    let lost = ledger.lost_connections.load(Ordering::SeqCst);
    println!(
        "freeze_server on {store}: freezes={FREEZES} {tally}; {lost} connections given up with a \
         send under way, {BETWEEN} acks within {recovered:?}"
    );
    server.assert_alive();
    tally.assert_whole();
    assert!(lost > 0, "nobody noticed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_when_the_server_stands_still_for_a_while() {
    let _turn = turn();
    let mongod = Mongod::start().await;
    // Both at once: what they do most is wait.
    tokio::join!(
        freeze_and_count("embedded", Setup::embedded()),
        freeze_and_count("mongodb", Setup::mongo(&mongod)),
    );
}
