//! Bad lines between clients and the server: slow, thin, dead without a word, and cut anywhere.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::load::Load;
use crate::proxy::{Cut, Line, Proxy};
use crate::setting::mongod::Mongod;
use crate::setting::server::Setup;
use crate::setting::turn;

/// How long each kind of line lasts.
const PHASE: Duration = Duration::from_secs(2);
const PING_INTERVAL: &str = "1s";
const PING_TIMEOUT: &str = "1s";
/// Longer than it takes both ends to see that nobody is there.
const DEAD: Duration = Duration::from_secs(3);
/// A connect and some sends are as long.
const AMONG: usize = 20_000;
/// Acks on a good line.
const BETWEEN: usize = 200;
const PATIENCE: Duration = Duration::from_secs(30);

const GOOD: Line =
    Line { delay: Duration::ZERO, rate: None, deaf: false, mute: false, cut_among: None };
const LINES: [(&str, Line, Duration); 6] = [
    ("200 ms later", Line { delay: Duration::from_millis(200), ..GOOD }, PHASE),
    ("10 KB/s", Line { rate: Some(10_000), ..GOOD }, PHASE),
    ("deaf and mute", Line { deaf: true, mute: true, ..GOOD }, DEAD),
    ("deaf", Line { deaf: true, ..GOOD }, DEAD),
    ("mute", Line { mute: true, ..GOOD }, DEAD),
    ("cut anywhere", Line { cut_among: Some(AMONG), ..GOOD }, PHASE),
];

async fn use_bad_lines(store: &str, setup: Setup, lines: &[(&str, Line, Duration)]) {
    let setup = setup.with("PING_INTERVAL", PING_INTERVAL).with("PING_TIMEOUT", PING_TIMEOUT);
    let mut server = setup.start().await;
    let proxy = Proxy::to(server.port()).await;
    let mut load = Load::start_through(&server, proxy.port).await;
    for (name, line, lasting) in lines.iter().copied() {
        load.ledger.await_more(BETWEEN, PATIENCE).await;
        let count = |number: &std::sync::atomic::AtomicUsize| number.load(Ordering::SeqCst);
        let (acks, lost) = (count(&load.ledger.acks), count(&load.ledger.lost_connections));
        let started = Instant::now();
        proxy.set(line);
        tokio::time::sleep(lasting).await;
        let (acks, lost) =
            (count(&load.ledger.acks) - acks, count(&load.ledger.lost_connections) - lost);
        proxy.set(GOOD);
        let recovered = load.ledger.await_more(BETWEEN, PATIENCE).await;
        load.assert_running();
        println!(
            "{name} for {:?} on {store}: {acks} acks, {lost} connections lost with a send under \
             way; {BETWEEN} acks within {recovered:?} on a good line",
            started.elapsed() - recovered
        );
        let is_dead = line.deaf || line.mute;
        assert!(is_dead || acks > 0, "{name}: nothing arrives");
        assert!(!is_dead || lost > 0, "{name}: nobody noticed");
    }
    proxy.cut(Cut::Reset);
    load.ledger.await_more(BETWEEN, PATIENCE).await;
    proxy.cut(Cut::Close);
    let tally = load.finish(&server).await;
    println!("bad_lines on {store}: cuts={} {tally}", proxy.cuts());
    server.assert_alive();
    tally.assert_whole();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_or_doubled_on_bad_lines_on_the_embedded_store() {
    let _turn = turn();
    use_bad_lines("embedded", Setup::embedded(), &LINES).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_or_doubled_on_bad_lines_on_mongodb() {
    let _turn = turn();
    let mongod = Mongod::start().await;
    // The store makes no difference to the others.
    use_bad_lines("mongodb", Setup::mongo(&mongod), &LINES[4..]).await;
}
