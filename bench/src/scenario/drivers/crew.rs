//! The drivers of a scenario as tasks: connected before it, and dismissed after it. Those who watch them likewise.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout_at};

use super::driver::Driver;
use super::fleet::Fleet;
use crate::accounts::Account;
use crate::progress::Progress;
use crate::report::Report;
use crate::scenario::Bench;
use crate::scenario::messages::{DRAIN_TIMEOUT, next_mark};
use crate::server::{Sample, Span};

/// Connects under way at the same time.
pub const IN_FLIGHT: usize = 128;
/// How long all may take to connect, and to close.
const ENTER_TIMEOUT: Duration = Duration::from_secs(300);
const CLOSE_TIMEOUT: Duration = Duration::from_secs(60);
/// Between two looks at what is awaited.
const GLANCE: Duration = Duration::from_millis(20);

/// Connected drivers.
pub struct Crew {
    pub fleet: Arc<Fleet>,
    tasks: JoinSet<Result<()>>,
    /// Before the first connected, and when the last had.
    pub connecting: Span,
}

impl Crew {
    /// Connects these drivers; each then lives so.
    pub async fn connect<L, F>(bench: &Bench, accounts: &[Arc<Account>], life: L) -> Result<Self>
    where
        L: Fn(Driver) -> F + Clone + Send + 'static,
        F: Future<Output = Result<()>> + Send,
    {
        let fleet = Arc::new(Fleet::new(next_mark(bench), accounts.len()));
        let (gate, mut tasks) = (Arc::new(Semaphore::new(IN_FLIGHT)), JoinSet::new());
        let from = bench.server.sample().await?;
        for (index, account) in accounts.iter().enumerate() {
            let (dialer, account) = (Arc::clone(&bench.dialer), Arc::clone(account));
            let (fleet, gate, life) = (Arc::clone(&fleet), Arc::clone(&gate), life.clone());
            tasks.spawn(async move {
                let permit = gate.acquire_owned().await.context("waiting to connect")?;
                let driver = Driver::connect(&dialer, &account, index, fleet).await;
                drop(permit);
                life(driver.with_context(|| format!("driver {index}"))?).await
            });
        }
        let shown = Arc::clone(&fleet);
        await_entry(&mut tasks, move || shown.connected.get()).await.context("drivers")?;
        let connecting = Span { from, to: bench.server.sample().await? };
        Ok(Self { fleet, tasks, connecting })
    }

    /// Waits until everybody's last `ping` was answered, or gives up.
    pub async fn await_settled(&self, from: Instant) {
        let total = self.fleet.drivers.len() as u64;
        await_until(from + DRAIN_TIMEOUT, || self.fleet.settled.get() >= total).await;
    }

    /// Tells how they connected.
    pub fn describe(&self, report: &mut Report) {
        let connected = self.fleet.drivers.len() as f64;
        let seconds = self.connecting.seconds();
        report.figure("connects", connected / seconds, "/s");
        let cpu = self.connecting.server_cpu();
        report.figure("connects per CPU-second", cpu.map(|cpu| connected / cpu), "/server-CPU-s");
        report.latencies("connect", &self.fleet.connect);
    }

    /// Has all of them leave, and complains of those that ended before and of what they saw.
    pub async fn dismiss(mut self, report: &mut Report) -> Result<()> {
        self.fleet.leave.cancel();
        dismiss(&mut self.tasks, "drivers", report, |()| {}).await?;
        self.fleet.complain(report);
        self.fleet.describe_noise(report);
        Ok(())
    }
}

/// The resident memory of the server in KiB.
pub fn rss(sample: &Sample) -> Option<f64> {
    sample.server.map(|usage| usage.rss_kib as f64)
}

/// Waits until as many are in as there are tasks.
pub async fn await_entry<T: Send + 'static>(
    tasks: &mut JoinSet<Result<T>>,
    entered: impl Fn() -> u64 + Clone + Send + 'static,
) -> Result<()> {
    let total = tasks.len() as u64;
    let shown = entered.clone();
    let _progress = Progress::start("connecting", move || format!("{} of {total}", shown()));
    let deadline = Instant::now() + ENTER_TIMEOUT;
    while entered() < total {
        if let Some(ended) = tasks.try_join_next() {
            let ended = ended.context("a client")?;
            return Err(ended.err().unwrap_or_else(|| anyhow!("a client left")));
        }
        if Instant::now() > deadline {
            bail!("{} of {total} connected within {ENTER_TIMEOUT:?}", entered());
        }
        sleep(GLANCE).await;
    }
    Ok(())
}

/// Waits until something is so, or the deadline has passed, and tells which.
pub async fn await_until(deadline: Instant, is_so: impl Fn() -> bool) -> bool {
    while !is_so() {
        if Instant::now() > deadline {
            return false;
        }
        sleep(GLANCE).await;
    }
    true
}

/// Takes in what became of those who were told to leave; complains of those who ended otherwise.
pub async fn dismiss<T: Send + 'static>(
    tasks: &mut JoinSet<Result<T>>,
    who: &str,
    report: &mut Report,
    mut look: impl FnMut(T),
) -> Result<()> {
    let (mut failures, deadline) = (Vec::new(), Instant::now() + CLOSE_TIMEOUT);
    while let Some(ended) = timeout_at(deadline, tasks.join_next()).await.context("closing")? {
        match ended.context("a client")? {
            Ok(outcome) => look(outcome),
            Err(failure) => failures.push(failure),
        }
    }
    if let Some(first) = failures.first() {
        let count = failures.len();
        report.mismatch(format!("{count} {who} ended early; the first: {first:#}"));
    }
    Ok(())
}
