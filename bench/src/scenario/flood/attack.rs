//! The flood: attackers of one address in a thread of their own, which the rest of the generator goes before, so that
//! the clock of the others is not its victim.

use std::sync::Arc;
use std::thread::JoinHandle;

use anyhow::{Context, Result, anyhow, bail};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::attackers::{Shared, connections, connects, requests};
use super::count::{Clock, Count};
use super::spout::{events, positions};
use crate::accounts::Account;
use crate::cli::Flood;
use crate::client::Dialer;
use crate::report::Report;
use crate::scenario::Window;

/// How much less of the processor the flood gets than the rest of the generator.
const NICENESS: i32 = 10;
/// The attackers, and the part of the rate that each has.
const PARTS: [(&str, f64); 5] = [
    ("connections", 0.10),
    ("requests", 0.20),
    ("connects", 0.05),
    ("events", 0.40),
    ("positions", 0.25),
];

/// A flood that has not begun.
pub struct Attack {
    dialer: Arc<Dialer>,
    /// One who emits, and one to whom.
    users: [Arc<Account>; 2],
    driver: Arc<Account>,
    parts: Vec<(&'static str, f64)>,
    unknown: Option<String>,
}

/// A flood that runs.
pub struct Running {
    stop: CancellationToken,
    thread: JoinHandle<Result<()>>,
    counts: Vec<(&'static str, Arc<Count>)>,
}

/// What a flood came to.
pub struct Outcome(Vec<(&'static str, Arc<Count>)>);

impl Attack {
    /// The attackers asked for, with these accounts.
    pub fn prepare(
        flood: &Flood,
        dialer: Arc<Dialer>,
        users: &[Arc<Account>],
        driver: Arc<Account>,
    ) -> Self {
        let named =
            |name: &str| flood.attackers.is_empty() || flood.attackers.iter().any(|of| of == name);
        let parts = PARTS.iter().filter(|(name, _)| named(name));
        let is_unknown = |name: &&String| PARTS.iter().all(|(known, _)| known != name);
        Self {
            dialer,
            users: [Arc::clone(&users[0]), Arc::clone(&users[1])],
            driver,
            parts: parts.map(|&(name, part)| (name, part * flood.flood_rate)).collect(),
            unknown: flood.attackers.iter().find(is_unknown).cloned(),
        }
    }

    /// Begins; what falls into the window is counted.
    pub fn start(self, window: Window) -> Result<Running> {
        if let Some(name) = self.unknown {
            bail!("there is no attacker `{name}`");
        }
        let stop = CancellationToken::new();
        let counts: Vec<_> =
            self.parts.iter().map(|&(name, _)| (name, Arc::new(Count::default()))).collect();
        let (stopped, counting) = (stop.clone(), counts.clone());
        let thread = std::thread::Builder::new().name("flood".to_owned()).spawn(move || {
            // Of this thread alone.
            rustix::process::nice(NICENESS).context("stepping back")?;
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(self.run(Clock(window), &counting, stopped));
            Ok(())
        });
        Ok(Running { stop, thread: thread.context("starting the flood")?, counts })
    }

    async fn run(
        self,
        clock: Clock,
        counts: &[(&'static str, Arc<Count>)],
        stop: CancellationToken,
    ) {
        let mut attackers = JoinSet::new();
        for (&(name, rate), (_, count)) in self.parts.iter().zip(counts) {
            let (dialer, count) = (Arc::clone(&self.dialer), Arc::clone(count));
            let shared = Shared { dialer, count, clock, rate };
            let ([user, other], driver) = (self.users.clone(), Arc::clone(&self.driver));
            match name {
                "connections" => attackers.spawn(connections(shared)),
                "requests" => attackers.spawn(requests(shared, user)),
                "connects" => attackers.spawn(connects(shared)),
                "events" => attackers.spawn(events(shared, user, other)),
                _ => attackers.spawn(positions(shared, driver)),
            };
        }
        stop.cancelled().await;
        attackers.shutdown().await;
    }
}

impl Running {
    /// Ends it.
    pub async fn stop(self) -> Result<Outcome> {
        self.stop.cancel();
        let joined = tokio::task::spawn_blocking(move || self.thread.join()).await?;
        joined.map_err(|_| anyhow!("the flood broke down"))??;
        Ok(Outcome(self.counts))
    }
}

impl Outcome {
    /// Adds what each attacker reached.
    pub fn fill(&self, report: &mut Report, window: Window) {
        let seconds = (window.to - window.from).as_secs_f64();
        let mut all = 0;
        for (name, count) in &self.0 {
            all += count.tried.get();
            let counters = [
                ("tried", &count.tried),
                ("refused", &count.refused),
                ("let through", &count.taken),
                ("failed", &count.failed),
            ];
            for (what, counter) in counters {
                report.figure(format!("{name} {what}"), counter.get() as f64 / seconds, "/s");
            }
            report.figure(format!("{name}: cut by the server"), count.cut.get() as f64, "times");
            if count.tried.get() == 0 {
                report.mismatch(format!("the attacker `{name}` did nothing"));
            }
        }
        report.figure("the flood, all attackers", all as f64 / seconds, "/s");
    }
}
