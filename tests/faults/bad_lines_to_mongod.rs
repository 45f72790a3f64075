//! Bad lines between the server and its database: slow, cut, and dead without a word.

use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::load::Load;
use crate::proxy::{Cut, Line, Proxy};
use crate::setting::mongod::Mongod;
use crate::setting::server::{Server, Setup};
use crate::setting::turn;
use crate::setting::wait::until;

const SLOW: Duration = Duration::from_millis(500);
const CUTS: usize = 4;
const BETWEEN: usize = 200;
/// For refusals, which come when a batch was tried for 8 s.
const NOTICED: Duration = Duration::from_secs(15);
/// For everything to work again, once the line is good.
const PATIENCE: Duration = Duration::from_secs(60);

async fn start() -> (Mongod, Proxy, Server, Load) {
    let (mongod, proxy) = Mongod::start_behind_proxy().await;
    let server = Setup::mongo(&mongod).start().await;
    let load = Load::start(&server).await;
    load.ledger.await_more(BETWEEN, PATIENCE).await;
    (mongod, proxy, server, load)
}

async fn report(what: &str, faults: usize, server: &mut Server, load: Load) {
    let ledger = load.ledger.clone();
    let tally = load.finish(server).await;
    println!(
        "{what}: faults={faults} {tally}; {} unavailable, slowest answer {:?}",
        ledger.unavailable.load(Ordering::SeqCst),
        ledger.slowest()
    );
    server.assert_alive();
    tally.assert_whole();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_refused_on_a_slow_line_to_mongod_and_nothing_lost_when_it_is_cut() {
    let _turn = turn();
    let (_mongod, proxy, mut server, mut load) = start().await;
    proxy.set(Line { delay: SLOW, ..Line::default() });
    let took = load.ledger.await_more(BETWEEN / 2, PATIENCE).await;
    println!("{SLOW:?} later each way to mongod: {} acks within {took:?}", BETWEEN / 2);
    // An order is several writes, one after the other, and may come to nothing.
    assert!(load.ledger.unavailable.load(Ordering::SeqCst) <= 3, "slow is not away");
    assert_eq!(server.rest.ready().await, 200);
    proxy.set(Line::default());
    let mut recovered = Duration::ZERO;
    for cut in 0..CUTS {
        proxy.cut(if cut % 2 == 0 { Cut::Reset } else { Cut::Close });
        recovered = recovered.max(load.ledger.await_more(BETWEEN, PATIENCE).await);
        load.assert_running();
    }
    println!("lines to mongod cut: {BETWEEN} acks within {recovered:?}, cuts={}", proxy.cuts());
    report("line to mongod slow, then cut", CUTS, &mut server, load).await;
}

/// Bytes vanish for longer than any wait; what was connected meanwhile is dead for ever.
async fn lose_bytes(name: &str, line: Line) {
    let (_mongod, proxy, mut server, mut load) = start().await;
    proxy.set(line);
    let before = load.ledger.unavailable.load(Ordering::SeqCst);
    let refused = async || (load.ledger.unavailable.load(Ordering::SeqCst) > before).then_some(());
    let (_, noticed) = until("sends are refused", NOTICED, refused).await;
    server.await_unready().await;
    proxy.set(Line::default());
    let ready = server.await_ready().await;
    let acked = ready + load.ledger.await_more(BETWEEN, PATIENCE).await;
    load.assert_running();
    println!(
        "{name} line to mongod: refused after {noticed:?}, ready {ready:?} and {BETWEEN} acks {acked:?} after its end"
    );
    report(&format!("{name} line to mongod"), 1, &mut server, load).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sends_are_refused_and_none_is_lost_or_doubled_while_the_line_to_mongod_is_dead() {
    let _turn = turn();
    // Both at once: what they do most is wait.
    tokio::join!(
        lose_bytes("deaf", Line { deaf: true, ..Line::default() }),
        lose_bytes("mute", Line { mute: true, ..Line::default() }),
    );
}
