//! The customers and drivers of a scenario: connected before it, and checked against the server after it.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use serde::Deserialize;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use super::ear::Part;
use super::party::{Gathering, Party, Plan};
use crate::accounts::Account;
use crate::cli::Orders as Options;
use crate::client::Dialer;
use crate::report::Report;
use crate::scenario::messages::{DRAIN_TIMEOUT, next_mark};
use crate::scenario::{Bench, PREPARING};

/// For so long nobody may hear of older orders or of who comes before orders are placed, and how long that may take.
const QUIET: Duration = Duration::from_secs(1);
const QUIET_TIMEOUT: Duration = Duration::from_secs(60);
/// How long all may take to connect, and to close.
const ENTER_TIMEOUT: Duration = Duration::from_secs(60);
const CLOSE_TIMEOUT: Duration = Duration::from_secs(60);
/// How long orders under way may take to be delivered at the end, after something was refused.
const AFTER_REFUSALS: Duration = Duration::from_secs(5);
/// What every order goes through.
const HISTORY: [&str; 4] = ["pending", "preparing", "outForDelivery", "delivered"];

/// Customers and drivers, ready.
pub struct Field {
    pub gathering: Arc<Gathering>,
    customers: Vec<Arc<Account>>,
    drivers: Vec<Arc<Account>>,
    parties: JoinSet<Outcome>,
}

/// What became of one: how many orders did not come to their end, and what ended it early.
struct Outcome {
    part: Part,
    short: u64,
    failure: Option<anyhow::Error>,
}

#[derive(Deserialize)]
struct Held {
    order: Order,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Order {
    order_number: u64,
    user_id: String,
    driver_id: Option<String>,
    status: String,
    history: Vec<Step>,
}

#[derive(Deserialize)]
struct Step {
    status: String,
}

impl Field {
    /// Connects everybody and waits until nobody hears anything any more.
    pub async fn prepare(bench: &Bench, options: &Options) -> Result<Self> {
        let customers = bench.accounts.take(options.customers).await?;
        let drivers = bench.accounts.take_drivers(options.drivers).await?;
        let gathering = Arc::new(Gathering::new(next_mark(bench), options.drivers));
        let mut field = Self { gathering, customers, drivers, parties: JoinSet::new() };
        field.invite(bench);
        field.await_parties().await?;
        field.await_quiet().await?;
        Ok(field)
    }

    fn invite(&mut self, bench: &Bench) {
        let gate = Arc::new(Semaphore::new(PREPARING));
        let customers = self.customers.iter().enumerate();
        let customers = customers.map(|(number, account)| (Part::Customer(number), account));
        let drivers = self.drivers.iter().enumerate();
        let drivers = drivers.map(|(number, account)| (Part::Driver(number), account));
        for (part, account) in customers.chain(drivers) {
            let (dialer, account) = (Arc::clone(&bench.dialer), Arc::clone(account));
            let (gathering, gate) = (Arc::clone(&self.gathering), Arc::clone(&gate));
            self.parties.spawn(attend(dialer, account, part, gathering, gate));
        }
    }

    async fn await_parties(&mut self) -> Result<()> {
        let total = self.parties.len() as u64;
        let deadline = Instant::now() + ENTER_TIMEOUT;
        while self.gathering.entered.get() < total {
            if let Some(ended) = self.parties.try_join_next() {
                let failure = ended.context("a client")?.failure;
                return Err(failure.unwrap_or_else(|| anyhow!("a client left")));
            }
            if Instant::now() > deadline {
                bail!("the clients did not connect within {ENTER_TIMEOUT:?}");
            }
            sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    async fn await_quiet(&self) -> Result<()> {
        let deadline = Instant::now() + QUIET_TIMEOUT;
        loop {
            let before = self.gathering.tally.noise.get();
            sleep(QUIET).await;
            if self.gathering.tally.noise.get() == before {
                return Ok(());
            }
            if Instant::now() > deadline {
                bail!("somebody still heard something after {QUIET_TIMEOUT:?}");
            }
        }
    }

    /// Has the customers place orders.
    pub fn begin(&self, plan: Plan) {
        self.gathering.plan.send_replace(Some(plan));
    }

    /// Waits until every order is delivered, and every event and answer has come, or gives up.
    pub async fn await_end(&self, deadline: Instant) {
        let Gathering { tally, served, .. } = &*self.gathering;
        let soon = Instant::now() + AFTER_REFUSALS;
        while served.get() < self.customers.len() as u64 {
            let now = Instant::now();
            if now > deadline || (tally.refused.get() > 0 && now > soon) {
                break;
            }
            sleep(Duration::from_millis(20)).await;
        }
        let (_, answers, events) = self.due();
        let deadline = Instant::now() + DRAIN_TIMEOUT;
        while (tally.received.get() < events || tally.acked.get() < answers)
            && tally.refused.get() == 0
            && Instant::now() < deadline
        {
            sleep(Duration::from_millis(20)).await;
        }
        // An event too many would come after the last.
        sleep(Duration::from_millis(100)).await;
    }

    /// How many orders were placed, and how many answers and events that makes.
    fn due(&self) -> (u64, u64, u64) {
        let placed = self.gathering.ledger.count();
        (placed, placed * HISTORY.len() as u64, placed * events(self.gathering.drivers))
    }

    /// Checks what everybody heard, and what the store says of so many orders.
    pub async fn verify(mut self, bench: &Bench, sample: usize, report: &mut Report) -> Result<()> {
        let (placed, answers, events) = self.due();
        self.dismiss(placed, report).await?;
        self.gathering.tally.complain(report, placed, answers, events);
        let mut wrong = Vec::new();
        let step = (placed / sample.max(1) as u64).max(1);
        let sample: Vec<_> = (1..=placed).step_by(usize::try_from(step)?).take(sample).collect();
        for &lifecycle in &sample {
            if let Err(error) = self.compare(bench, lifecycle).await {
                wrong.push(format!("{lifecycle}: {error:#}"));
            }
        }
        if let Some(first) = wrong.first() {
            let (count, of) = (wrong.len(), sample.len());
            report.mismatch(format!("{count} of {of} orders are stored otherwise; {first}"));
        }
        report.figure("delivered, whole run", placed as f64, "orders");
        report.figure("events, whole run", self.gathering.tally.received.get() as f64, "");
        report.figure("compared with the store", sample.len() as f64, "orders");
        let others = self.gathering.tally.noise.get() as f64;
        report.figure("other events, whole run", others, "");
        Ok(())
    }

    /// Compares what the store says of an order.
    async fn compare(&self, bench: &Bench, lifecycle: u64) -> Result<()> {
        let entry = self.gathering.ledger.entry(lifecycle).context("never placed")?;
        let (id, number) = entry.named.context("nobody knows its name")?;
        let customer = &self.customers[entry.customer];
        let driver = &self.drivers[self.gathering.driver_of(lifecycle)];
        let path = format!("/api/orders/{id}");
        let Held { order } = bench.accounts.get(customer, &path).await?;
        let steps: Vec<_> = order.history.iter().map(|step| step.status.as_str()).collect();
        if steps != HISTORY || order.status != HISTORY[3] {
            bail!("its history is {steps:?}, its status {}", order.status);
        }
        let whose = (order.order_number, order.user_id, order.driver_id);
        if whose != (number, customer.id.clone(), Some(driver.id.clone())) {
            bail!("number, customer or driver are others: {whose:?}");
        }
        Ok(())
    }

    /// Ends everybody, and complains of those that ended before or did not hear all.
    async fn dismiss(&mut self, placed: u64, report: &mut Report) -> Result<()> {
        let total = self.parties.len();
        self.gathering.leave.cancel();
        let (mut failures, mut short) = (Vec::new(), Vec::new());
        let deadline = Instant::now() + CLOSE_TIMEOUT;
        while let Some(ended) = timeout(deadline - Instant::now(), self.parties.join_next())
            .await
            .context("closing the clients")?
        {
            let outcome = ended.context("a client")?;
            if outcome.short > 0 {
                short.push(format!("{:?}, of {} of {placed}", outcome.part, outcome.short));
            }
            failures.extend(outcome.failure);
        }
        if let Some(first) = failures.first() {
            let count = failures.len();
            report.mismatch(format!("{count} clients ended early; the first: {first:#}"));
        }
        if let Some(first) = short.first() {
            let count = short.len();
            report.mismatch(format!(
                "{count} of {total} did not hear all of each order; the first: {first}"
            ));
        }
        Ok(())
    }
}

/// The events of one order: to every driver `newOrder` and, but for one, `removeOrder`; to the customer `orderPlaced`;
/// to customer and driver `orderAccepted` and twice `orderStatusUpdated`.
pub const fn events(drivers: usize) -> u64 {
    2 * drivers as u64 + 6
}

/// The life of a customer or a driver.
async fn attend(
    dialer: Arc<Dialer>,
    account: Arc<Account>,
    part: Part,
    gathering: Arc<Gathering>,
    gate: Arc<Semaphore>,
) -> Outcome {
    let permit = gate.acquire_owned().await.ok();
    let client = match dialer.connect_lean(&account.token).await {
        Ok(client) => client,
        Err(failure) => return Outcome { part, short: 0, failure: Some(failure) },
    };
    drop(permit);
    let ledger = Arc::clone(&gathering);
    let mut party = Party::new(client, part, gathering);
    let failure = party.live().await.err();
    let ear = party.finish().await;
    Outcome { part, short: ear.short(ledger.ledger.count()), failure }
}
