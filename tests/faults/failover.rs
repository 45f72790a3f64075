//! A replica set of three under load: its primary is deposed, and killed. The server finds the new
//! one by itself; nothing that was acknowledged is lost.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::load::Load;
use crate::setting::mongod::Mongod;
use crate::setting::replica_set::ReplicaSet;
use crate::setting::server::Setup;
use crate::setting::turn;

const BETWEEN: usize = 200;
/// How long the primary is alone before it is killed: less than after which it gives up.
const ALONE: Duration = Duration::from_secs(1);
/// An election takes 10 to 12 s after the primary was last heard of.
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acked_is_lost_when_the_primary_of_three_steps_down_or_is_killed() {
    let _turn = turn();
    let set = ReplicaSet::start().await;
    let mut server = Setup::replica_set(&set).start().await;
    let mut load = Load::start(&server).await;
    load.ledger.await_more(BETWEEN, PATIENCE).await;
    for step in 0..2 {
        let started = Instant::now();
        set.step_down().await;
        load.ledger.await_more(BETWEEN, PATIENCE).await;
        load.assert_running();
        println!("step down {step}: {BETWEEN} acks within {:?}", started.elapsed());
    }

    // What it takes while the others stand still is lost with it, and must not be acknowledged.
    let primary = set.primary().await;
    set.without(primary).for_each(Mongod::freeze);
    tokio::time::sleep(ALONE).await;
    let killed = Instant::now();
    primary.kill().await;
    set.without(primary).for_each(Mongod::thaw);
    let elect = async {
        set.primary().await;
        killed.elapsed()
    };
    let recover = async {
        server.await_unready().await;
        let noticed = killed.elapsed();
        server.await_ready().await;
        (noticed, killed.elapsed())
    };
    let (elected, (noticed, ready)) = tokio::join!(elect, recover);
    load.ledger.await_more(BETWEEN, PATIENCE).await;
    load.assert_running();
    println!(
        "primary killed: not ready after {noticed:?}, another one elected after {elected:?}, \
         ready after {ready:?}, {BETWEEN} acks after {:?}",
        killed.elapsed()
    );
    // It comes back, and gives up what only it had.
    primary.start_member().await;
    load.ledger.await_more(BETWEEN, PATIENCE).await;
    set.step_down().await;
    load.ledger.await_more(BETWEEN, PATIENCE).await;

    let ledger = load.ledger.clone();
    let tally = load.finish(&server).await;
    println!(
        "failover: step_downs=3 kills=1 {tally}; {} unavailable, slowest answer {:?}",
        ledger.unavailable.load(Ordering::SeqCst),
        ledger.slowest()
    );
    server.assert_alive();
    tally.assert_whole();
}
