//! Many idle connections: how fast they connect, what each costs in memory, and whether they stay.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail, ensure};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::Bench;
use crate::accounts::Account;
use crate::cli::Hold;
use crate::client::{Client, Dialer};
use crate::latency::Latencies;
use crate::progress::Progress;
use crate::report::Report;
use crate::server::{Sample, Span};

/// Failed connects after which no more are tried.
const FAILURES: usize = 100;
/// How long all connections together may take to close.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(60);

/// The connections of this scenario, and what became of them.
pub(super) struct Crowd {
    dialer: Arc<Dialer>,
    accounts: Vec<Arc<Account>>,
    wanted: usize,
    begun: AtomicUsize,
    connected: AtomicUsize,
    failed: AtomicUsize,
    dropped: AtomicUsize,
    latencies: Latencies,
    leave: CancellationToken,
}

impl Crowd {
    /// So many connections of these accounts, none of them open yet.
    pub(super) fn new(
        dialer: Arc<Dialer>,
        accounts: Vec<Arc<Account>>,
        wanted: usize,
    ) -> Arc<Self> {
        Arc::new(Self {
            dialer,
            accounts,
            wanted,
            begun: AtomicUsize::new(0),
            connected: AtomicUsize::new(0),
            failed: AtomicUsize::new(0),
            dropped: AtomicUsize::new(0),
            latencies: Latencies::new(),
            leave: CancellationToken::new(),
        })
    }

    /// Has all of them leave.
    pub(super) async fn dismiss(&self, mut holders: JoinSet<()>) -> Result<()> {
        self.leave.cancel();
        let closed =
            timeout(CLOSE_TIMEOUT, async { while holders.join_next().await.is_some() {} }).await;
        closed.map_err(|_| anyhow!("the connections did not close within {CLOSE_TIMEOUT:?}"))
    }
}

/// The moments at which the server was read.
struct Moments {
    before: Sample,
    connected: Sample,
    settled: Sample,
    idle: Sample,
    closed: Sample,
}

/// Connects, holds, closes.
pub async fn run(bench: &Bench, hold: &Hold) -> Result<Report> {
    let &Hold { connections, users, in_flight, .. } = hold;
    ensure!(
        connections > 0 && users > 0 && in_flight > 0,
        "connections, users and in-flight must be at least 1"
    );
    let accounts = bench.accounts.take(users).await?;
    let crowd = Crowd::new(Arc::clone(&bench.dialer), accounts, connections);
    let moments = measure(bench, hold, &crowd).await?;
    Ok(report(bench, hold, &crowd, &moments))
}

async fn measure(bench: &Bench, hold: &Hold, crowd: &Arc<Crowd>) -> Result<Moments> {
    let before = bench.server.sample().await?;
    let holders = connect_all(crowd, hold.in_flight).await?;
    let connected = bench.server.sample().await?;
    let shown = Arc::clone(crowd);
    let _progress = Progress::start("holding", move || {
        format!("{} lost", shown.dropped.load(Ordering::Relaxed))
    });
    sleep(Duration::from_secs(hold.settle)).await;
    let settled = bench.server.sample().await?;
    sleep(Duration::from_secs(hold.idle)).await;
    let idle = bench.server.sample().await?;
    crowd.dismiss(holders).await?;
    Ok(Moments { before, connected, settled, idle, closed: bench.server.sample().await? })
}

/// Connects them all with a few under way at a time, and answers the tasks that hold them.
pub(super) async fn connect_all(crowd: &Arc<Crowd>, in_flight: usize) -> Result<JoinSet<()>> {
    let shown = Arc::clone(crowd);
    let _progress = Progress::start("connecting", move || {
        format!("{} of {}", shown.connected.load(Ordering::Relaxed), shown.wanted)
    });
    let (sender, mut clients) = mpsc::unbounded_channel();
    let mut workers = JoinSet::new();
    for _ in 0..in_flight {
        workers.spawn(connect_some(Arc::clone(crowd), sender.clone()));
    }
    drop(sender);
    let mut holders = JoinSet::new();
    while let Some(client) = clients.recv().await {
        holders.spawn(hold_one(Arc::clone(crowd), client));
    }
    while let Some(worker) = workers.join_next().await {
        worker.context("a connecting task")??;
    }
    Ok(holders)
}

async fn connect_some(crowd: Arc<Crowd>, clients: mpsc::UnboundedSender<Client>) -> Result<()> {
    loop {
        let number = crowd.begun.fetch_add(1, Ordering::Relaxed);
        if number >= crowd.wanted {
            return Ok(());
        }
        let account = &crowd.accounts[number % crowd.accounts.len()];
        let begun = Instant::now();
        match crowd.dialer.connect(&account.token).await {
            Ok(client) => {
                crowd.latencies.record(begun.elapsed());
                crowd.connected.fetch_add(1, Ordering::Relaxed);
                clients.send(client).map_err(|_| anyhow!("nobody holds the connections"))?;
            }
            Err(error) => match crowd.failed.fetch_add(1, Ordering::Relaxed) {
                0 => eprintln!("warning: connection {number} failed: {error:#}"),
                FAILURES => bail!("{FAILURES} connections failed; the last: {error:#}"),
                _ => {}
            },
        }
    }
}

/// Answers pings until told to leave.
async fn hold_one(crowd: Arc<Crowd>, mut client: Client) {
    let lost = async { while client.next().await.is_ok() {} };
    tokio::select! {
        () = lost => { crowd.dropped.fetch_add(1, Ordering::Relaxed); }
        () = crowd.leave.cancelled() => client.close().await,
    }
}

fn report(bench: &Bench, hold: &Hold, crowd: &Crowd, moments: &Moments) -> Report {
    let Hold { connections, users, in_flight, .. } = hold;
    let settings = format!("{connections} connections of {users} users, {in_flight} in flight");
    let mut report = Report::new("hold", settings);
    let connecting = Span { from: moments.before, to: moments.connected };
    let connected = crowd.connected.load(Ordering::Relaxed) as f64;
    report.figure("connected", connected, "connections");
    report.figure("connects", connected / connecting.seconds(), "/s");
    report.figure(
        "connects per CPU-second",
        connecting.server_cpu().map(|cpu| connected / cpu),
        "/server-CPU-s",
    );
    report.latencies("connect", &crowd.latencies);
    report.processor(&connecting, bench.threads);
    memory(&mut report, moments, connected);
    let idle = Span { from: moments.settled, to: moments.idle };
    report.figure(
        "idle CPU",
        idle.server_cpu().unwrap_or(0.0) / idle.seconds() * 100.0,
        "% of a core",
    );
    complain(&mut report, crowd);
    report
}

fn memory(report: &mut Report, moments: &Moments, connected: f64) {
    let rss = |sample: &Sample| sample.server.map(|usage| usage.rss_kib as f64);
    let (before, settled) = (rss(&moments.before), rss(&moments.settled));
    let grown = before.zip(settled).map(|(before, settled)| (settled - before) / connected);
    report.figure("RSS before", before, "KiB");
    report.figure("RSS held", settled, "KiB");
    report.figure("RSS after idling", rss(&moments.idle), "KiB");
    report.figure("RSS after closing", rss(&moments.closed), "KiB");
    report.figure("RSS per connection", grown, "KiB");
}

pub(super) fn complain(report: &mut Report, crowd: &Crowd) {
    let failed = crowd.failed.load(Ordering::Relaxed);
    if failed > 0 {
        report.mismatch(format!("{failed} of {} connects failed", crowd.wanted));
    }
    let dropped = crowd.dropped.load(Ordering::Relaxed);
    if dropped > 0 {
        report.mismatch(format!("{dropped} connections were lost while they were held"));
    }
}
