//! The flood: attackers of one address in a thread of their own, which the rest of the generator goes before, so that
//! the clock of the others is not its victim.

use std::sync::Arc;
use std::thread::JoinHandle;

use anyhow::{Context, Result, anyhow, bail};
use tokio::task::JoinSet;
use tokio_util::sync::{CancellationToken, DropGuard};

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

/// A flood that can be let loose, again and again, and what it came to so far.
#[derive(Clone)]
pub struct Attack {
    dialer: Arc<Dialer>,
    /// One who emits, and one to whom.
    users: [Arc<Account>; 2],
    driver: Arc<Account>,
    parts: Vec<Part>,
}

/// One of the attackers.
#[derive(Clone)]
struct Part {
    name: &'static str,
    /// Blows per second.
    rate: f64,
    count: Arc<Count>,
}

/// A flood that runs.
pub struct Running {
    /// However this ends, the flood does.
    stop: DropGuard,
    thread: JoinHandle<Result<()>>,
}

impl Attack {
    /// The attackers asked for, with these accounts.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn prepare(
        flood: &Flood,
        dialer: Arc<Dialer>,
        users: &[Arc<Account>],
        driver: Arc<Account>,
    ) -> Result<Self> {
        let is_unknown = |name: &&String| PARTS.iter().all(|(known, _)| known != name);
        if let Some(name) = flood.attackers.iter().find(is_unknown) {
            bail!("there is no attacker `{name}`");
        }
        let named =
            |name: &str| flood.attackers.is_empty() || flood.attackers.iter().any(|of| of == name);
        let parts = PARTS.iter().filter(|(name, _)| named(name));
        let part = |&(name, part): &(&'static str, f64)| Part {
            name,
            rate: part * flood.flood_rate,
            count: Arc::default(),
        };
        Ok(Self {
            dialer,
            users: [Arc::clone(&users[0]), Arc::clone(&users[1])],
            driver,
            parts: parts.map(part).collect(),
        })
    }

    /// Begins; what falls into the window is counted.
    pub fn start(&self, window: Window) -> Result<Running> {
        let stop = CancellationToken::new();
        let (attack, stopped) = (self.clone(), stop.clone());
        let thread = std::thread::Builder::new().name("flood".to_owned()).spawn(move || {
            // Of this thread alone.
            rustix::process::nice(NICENESS).context("stepping back")?;
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(attack.run(Clock(window), stopped));
            Ok(())
        });
        Ok(Running { stop: stop.drop_guard(), thread: thread.context("starting the flood")? })
    }

    async fn run(self, clock: Clock, stop: CancellationToken) {
        let mut attackers = JoinSet::new();
        for Part { name, rate, count } in self.parts {
            let shared = Shared { dialer: Arc::clone(&self.dialer), count, clock, rate };
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

    /// How often the server has answered each attacker so far.
    pub fn answered(&self) -> Vec<(&'static str, u64)> {
        let answered = |part: &Part| (part.name, part.count.refused.get() + part.count.taken.get());
        self.parts.iter().map(answered).collect()
    }

    /// Adds what each attacker reached in so many seconds.
    pub fn fill(&self, report: &mut Report, seconds: f64) {
        let mut all = 0;
        for Part { name, count, .. } in &self.parts {
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
        }
        report.figure("the flood, all attackers", all as f64 / seconds, "/s");
    }
}

impl Running {
    /// Ends it.
    pub async fn stop(self) -> Result<()> {
        drop(self.stop);
        let joined = tokio::task::spawn_blocking(move || self.thread.join()).await?;
        joined.map_err(|_| anyhow!("the flood broke down"))?
    }
}
