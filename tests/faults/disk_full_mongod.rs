//! MongoDB on a full disk: it ends itself. Sends are refused until there is room and it runs again,
//! and nothing acknowledged is lost.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::load::Load;
use crate::setting::disk::Disk;
use crate::setting::mongod::Mongod;
use crate::setting::server::Setup;
use crate::setting::turn;
use crate::setting::wait::until;

/// Room for what mongod sets aside when it starts, and little more.
const SIZE: &str = "600m";
const BETWEEN: usize = 500;
/// The next checkpoint comes within 10 s.
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acked_is_lost_when_the_disk_of_mongod_is_full() {
    let _turn = turn();
    let mongod = Mongod::new();
    let Some(disk) = Disk::mount(mongod.data(), SIZE) else {
        println!("disk of mongod full: not tried, mounting is not permitted here");
        return;
    };
    mongod.start_again().await;
    let mut server = Setup::mongo(&mongod).start().await;
    let mut load = Load::start(&server).await;
    load.ledger.await_more(BETWEEN, PATIENCE).await;
    let filled = Instant::now();
    disk.fill();
    until("mongod ends", PATIENCE, async || mongod.has_ended().then_some(())).await;
    let ended = filled.elapsed();
    let before = load.ledger.unavailable.load(Ordering::SeqCst);
    let refused = async || (load.ledger.unavailable.load(Ordering::SeqCst) > before).then_some(());
    let (_, noticed) = until("sends are refused", PATIENCE, refused).await;
    server.await_unready().await;
    disk.make_room();
    let started = Instant::now();
    mongod.start_again().await;
    server.await_ready().await;
    let ready = started.elapsed();
    load.ledger.await_more(BETWEEN, PATIENCE).await;
    load.assert_running();
    let tally = load.finish(&server).await;
    println!(
        "disk of mongod full: it ended after {ended:?}, refused {noticed:?} later, ready again \
         {ready:?} after its start; {tally}"
    );
    server.assert_alive();
    tally.assert_whole();
}
