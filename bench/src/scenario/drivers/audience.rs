//! Those who watch drivers, on the raw socket `/`: each watches one, and is told every position and the last one again
//! now and then.

use std::sync::{Arc, OnceLock};

use anyhow::{Context, Result};
use serde_json::json;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use super::crew::{IN_FLIGHT, await_entry, await_until, dismiss};
use super::fleet::{Fleet, Plan};
use super::heard::ToWatcher;
use crate::accounts::Account;
use crate::client::{Dialer, RawClient};
use crate::latency::Latencies;
use crate::report::Report;
use crate::scenario::Bench;
use crate::scenario::messages::{ACK_TIMEOUT, Counter, DRAIN_TIMEOUT};
use crate::scenario::sequence::{Place, Sequence};

/// All who watch.
pub struct Audience {
    pub sight: Arc<Sight>,
    tasks: JoinSet<Result<Seen>>,
}

/// What they share.
pub struct Sight {
    fleet: Arc<Fleet>,
    entered: Counter,
    /// Positions heard for the first time.
    pub positions: Counter,
    /// The last position, heard again.
    pub repeats: Counter,
    /// Positions older than one heard before.
    backwards: Counter,
    /// What is neither a position of the driver watched nor due.
    foreign: Counter,
    refused: Counter,
    refusal: OnceLock<String>,
    pub latencies: Latencies,
}

/// What one of them has seen.
pub struct Seen {
    driver: usize,
    username: String,
    sequence: Sequence,
}

impl Audience {
    /// Connects these watchers, spread over the drivers.
    pub async fn connect(
        bench: &Bench,
        watchers: &[Arc<Account>],
        drivers: &[Arc<Account>],
        fleet: &Arc<Fleet>,
    ) -> Result<Self> {
        let sight = Arc::new(Sight::new(Arc::clone(fleet)));
        let (gate, mut tasks) = (Arc::new(Semaphore::new(IN_FLIGHT)), JoinSet::new());
        for (number, account) in watchers.iter().enumerate() {
            let driver = number * drivers.len() / watchers.len();
            let seen = Seen::of(driver, drivers[driver].username.clone());
            let (dialer, account) = (Arc::clone(&bench.dialer), Arc::clone(account));
            let (sight, gate) = (Arc::clone(&sight), Arc::clone(&gate));
            tasks.spawn(async move {
                let permit = gate.acquire_owned().await.context("waiting to connect")?;
                let watched = watch(&dialer, &account, seen, &sight).await;
                drop(permit);
                let (client, seen) = watched.with_context(|| format!("watcher {number}"))?;
                attend(client, seen, &sight).await
            });
        }
        let entered = Arc::clone(&sight);
        await_entry(&mut tasks, move || entered.entered.get()).await.context("watchers")?;
        Ok(Self { sight, tasks })
    }

    /// Waits until every position that was sent has come to those who watch that driver, or gives up.
    pub async fn await_positions(&self) {
        let fleet = &self.sight.fleet;
        let (watchers, drivers) = (self.tasks.len(), fleet.drivers.len());
        let watched = (0..watchers).map(|number| number * drivers / watchers);
        let due: u64 = watched.map(|driver| fleet.drivers[driver].sent.get()).sum();
        await_until(Instant::now() + DRAIN_TIMEOUT, || self.sight.positions.get() >= due).await;
    }

    /// Has all of them leave, and complains of those who did not see all. The fleet's token has to be cancelled.
    pub async fn dismiss(mut self, report: &mut Report) -> Result<()> {
        let (sight, mut short) = (Arc::clone(&self.sight), Vec::new());
        let look = |seen: Seen| {
            let sent = sight.fleet.drivers[seen.driver].sent.get();
            let count = seen.sequence.count();
            if count != sent || seen.sequence.last() != sent {
                short.push(format!("{count} of {sent} positions of driver {}", seen.driver));
            }
        };
        dismiss(&mut self.tasks, "watchers", report, look).await?;
        if let Some(first) = short.first() {
            let count = short.len();
            report.mismatch(format!("{count} watchers did not see all; the first: {first}"));
        }
        sight.complain(report);
        Ok(())
    }
}

/// Connects a watcher, up to the first word on the driver.
async fn watch(
    dialer: &Dialer,
    account: &Account,
    mut seen: Seen,
    sight: &Sight,
) -> Result<(RawClient, Seen)> {
    let mut client = dialer.connect_raw("/").await?;
    let auth = json!({ "type": "auth", "role": "client", "token": account.token });
    client.write(&auth.to_string()).await?;
    let watch = json!({ "type": "watch", "driverId": seen.username });
    client.write(&watch.to_string()).await?;
    let first = client.read(|text| {
        sight.see(&mut seen, text);
        Ok(())
    });
    timeout(ACK_TIMEOUT, first).await.context("waiting for a word on the driver")??;
    sight.entered.add();
    Ok((client, seen))
}

/// Watches until told to leave.
async fn attend(mut client: RawClient, mut seen: Seen, sight: &Sight) -> Result<Seen> {
    loop {
        let read = client.read(|text| {
            sight.see(&mut seen, text);
            Ok(())
        });
        tokio::select! {
            read = read => read?,
            () = sight.fleet.leave.cancelled() => break,
        }
    }
    client.close().await;
    Ok(seen)
}

impl Seen {
    fn of(driver: usize, username: String) -> Self {
        Self { driver, username, sequence: Sequence::new() }
    }
}

impl Sight {
    fn new(fleet: Arc<Fleet>) -> Self {
        Self {
            fleet,
            entered: Counter::default(),
            positions: Counter::default(),
            repeats: Counter::default(),
            backwards: Counter::default(),
            foreign: Counter::default(),
            refused: Counter::default(),
            refusal: OnceLock::new(),
            latencies: Latencies::new(),
        }
    }

    /// Takes in a frame.
    fn see(&self, seen: &mut Seen, text: &str) {
        let plan = *self.fleet.plan.borrow();
        match (ToWatcher::read(text), plan) {
            (ToWatcher::Position(username, lat, lng), Some(plan)) => {
                let track = plan.track(seen.driver);
                match track.number(lat, lng).filter(|_| username == seen.username) {
                    Some(number) => self.place(seen, number, &plan),
                    None => self.foreign.add(),
                }
            }
            // Until the first position there is none.
            (ToWatcher::Offline, _) if seen.sequence.last() == 0 => {}
            (ToWatcher::Error(reason), _) => {
                self.refused.add();
                let _ = self.refusal.set(reason);
            }
            _ => self.foreign.add(),
        }
    }

    fn place(&self, seen: &mut Seen, number: u64, plan: &Plan) {
        let last = seen.sequence.last();
        match seen.sequence.place(number) {
            Place::InOrder => {
                self.positions.add();
                self.fleet.record(&self.latencies, plan.due(seen.driver, number), Instant::now());
            }
            Place::Repeated if number == last => self.repeats.add(),
            Place::Late | Place::Repeated => self.backwards.add(),
        }
    }

    fn complain(&self, report: &mut Report) {
        let refused = self.refused.get();
        if refused > 0 {
            let reason = self.refusal.get().map_or("no reason given", String::as_str);
            report.mismatch(format!("{refused} watchers were refused; the first: {reason}"));
        }
        let faults = [
            ("took a driver back", &self.backwards),
            ("were not of the driver watched, or not due", &self.foreign),
        ];
        for (fault, count) in faults.map(|(fault, counter)| (fault, counter.get())) {
            if count > 0 {
                report.mismatch(format!("{count} frames to watchers {fault}"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn sight() -> (Sight, Plan) {
        let now = Instant::now();
        let plan = Plan::new(now, now + Duration::from_secs(60), Duration::from_secs(10), 2);
        (Sight::new(Arc::new(Fleet::new("b1.2".to_owned(), 2))), plan)
    }

    /// A frame that says where a driver is, by this name.
    fn position(plan: &Plan, driver: usize, number: u64, username: &str) -> String {
        let update: serde_json::Value =
            serde_json::from_str(&plan.track(driver).update(number)).expect("JSON");
        let (lat, long) = (&update["data"]["latitude"], &update["data"]["longitude"]);
        json!({ "username": username, "name": "Josh", "lat": lat, "long": long }).to_string()
    }

    #[test]
    fn a_watcher_sees_each_position_once_and_the_last_again() {
        let (sight, plan) = sight();
        let mut seen = Seen::of(1, "josh".to_owned());
        sight.see(&mut seen, r#"{"errorCode":"OFFLINE_DRIVER","lastUpdate":null}"#);
        sight.fleet.plan.send_replace(Some(plan));
        for number in [1, 1, 2, 4, 3, 4, 1] {
            sight.see(&mut seen, &position(&plan, 1, number, "josh"));
        }
        let counts = [&sight.positions, &sight.repeats, &sight.backwards, &sight.foreign];
        assert_eq!(counts.map(Counter::get), [3, 2, 2, 0]);
        assert_eq!(seen.sequence.last(), 4);
    }

    #[test]
    fn what_is_not_of_the_driver_watched_is_foreign() {
        let (sight, plan) = sight();
        let mut seen = Seen::of(1, "josh".to_owned());
        sight.see(&mut seen, &position(&plan, 1, 1, "josh"));
        assert_eq!(sight.foreign.get(), 1, "nobody has said anything yet");
        sight.fleet.plan.send_replace(Some(plan));
        sight.see(&mut seen, &position(&plan, 0, 1, "josh"));
        sight.see(&mut seen, &position(&plan, 1, 1, "ana"));
        sight.see(&mut seen, &position(&plan, 1, 1, "josh"));
        sight.see(&mut seen, r#"{"errorCode":"OFFLINE_DRIVER","lastUpdate":null}"#);
        assert_eq!((sight.foreign.get(), sight.positions.get()), (4, 1), "it is live by then");
        sight.see(&mut seen, r#"{"error":"No.","code":"forbidden"}"#);
        assert_eq!(sight.refused.get(), 1);
    }
}
