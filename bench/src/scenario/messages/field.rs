//! The pairs of a scenario: connected before it, and checked against the server after it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::receiver::receive;
use super::sender::Sender;
use super::tally::Tally;
use crate::accounts::Account;
use crate::report::Report;
use crate::scenario::Bench;
use crate::server::{Sample, Span};

/// How long the last deliveries and counts may take to appear.
pub const DRAIN_TIMEOUT: Duration = Duration::from_secs(15);
/// How long the receivers may take to close.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(30);

/// Numbers the scenarios of this process, so that their messages are told apart.
static SCENARIOS: AtomicUsize = AtomicUsize::new(1);

/// What marks the messages of the scenario that begins now.
pub fn next_mark(bench: &Bench) -> String {
    format!("{}.{}", bench.accounts.run(), SCENARIOS.fetch_add(1, Ordering::Relaxed))
}

/// Senders and receivers, ready.
pub struct Field {
    pub tally: Arc<Tally>,
    pub senders: Vec<Sender>,
    receivers: JoinSet<Result<()>>,
    receiving_accounts: Vec<Arc<Account>>,
    leave: CancellationToken,
    before: Sample,
    stored_before: Option<u64>,
    failures: Vec<String>,
    /// Whether others write to the server meanwhile.
    shared: bool,
}

impl Field {
    /// Connects `pairs` senders, and the receiver of every `connected_every`th of them.
    pub async fn prepare(bench: &Bench, pairs: usize, connected_every: usize) -> Result<Self> {
        let accounts = bench.accounts.take(2 * pairs).await?;
        let (senders, receivers) = accounts.split_at(pairs);
        let mut field = Self {
            tally: Arc::new(Tally::new(next_mark(bench))),
            senders: Vec::with_capacity(pairs),
            receivers: JoinSet::new(),
            receiving_accounts: receivers.to_vec(),
            leave: CancellationToken::new(),
            before: bench.server.sample().await?,
            stored_before: bench.accounts.unread(receivers).await?,
            failures: Vec::new(),
            shared: false,
        };
        field.connect(bench, senders, connected_every).await?;
        Ok(field)
    }

    async fn connect(
        &mut self,
        bench: &Bench,
        senders: &[Arc<Account>],
        connected_every: usize,
    ) -> Result<()> {
        let reading: Vec<_> =
            self.receiving_accounts.iter().step_by(connected_every).cloned().collect();
        for client in bench.connect(&reading).await.context("connecting the receivers")? {
            self.receivers.spawn(receive(client, Arc::clone(&self.tally), self.leave.clone()));
        }
        let clients = bench.connect(senders).await.context("connecting the senders")?;
        for (number, client) in clients.into_iter().enumerate() {
            self.senders.push(Sender {
                client,
                receiver_id: self.receiving_accounts[number].id.clone(),
                connected: number.is_multiple_of(connected_every),
                number,
                tally: Arc::clone(&self.tally),
                sent: 0,
            });
        }
        Ok(())
    }

    /// Notes that others write to the server as well, so that its count may be the higher.
    pub const fn share(&mut self) {
        self.shared = true;
    }

    /// Notes what ended a sender early.
    pub fn fail(&mut self, failure: String) {
        self.failures.push(failure);
    }

    /// Waits for the last deliveries, then checks the counts of both sides and adds what is wrong to the report.
    pub async fn verify(mut self, bench: &Bench, report: &mut Report) -> Result<()> {
        self.await_deliveries().await;
        self.dismiss_receivers().await;
        self.compare_store(bench, report).await?;
        let span = Span { from: self.before, to: bench.server.sample().await? };
        let acked = self.tally.acked.get();
        let agrees = |items: f64| match self.shared {
            true => items >= acked as f64,
            false => items == acked as f64,
        };
        if let Some((_, items)) = span.written().filter(|&(_, items)| !agrees(items)) {
            report.mismatch(format!(
                "{acked} messages were acknowledged and the server counts {items} written"
            ));
        }
        self.tally.complain(report);
        if let Some(first) = self.failures.first() {
            report.mismatch(format!(
                "{} clients ended early; the first: {first}",
                self.failures.len()
            ));
        }
        Ok(())
    }

    async fn await_deliveries(&self) {
        let deadline = Instant::now() + DRAIN_TIMEOUT;
        while self.tally.received.get() < self.tally.due.get() && Instant::now() < deadline {
            sleep(Duration::from_millis(20)).await;
        }
    }

    async fn dismiss_receivers(&mut self) {
        self.leave.cancel();
        let deadline = Instant::now() + CLOSE_TIMEOUT;
        while let Ok(Some(ended)) =
            timeout(deadline - Instant::now(), self.receivers.join_next()).await
        {
            if let Err(error) = ended.map_err(Into::into).flatten() {
                self.failures.push(format!("a receiver: {error:#}"));
            }
        }
    }

    /// Each message acknowledged must be one that the store counts, and none other may be.
    async fn compare_store(&self, bench: &Bench, report: &mut Report) -> Result<()> {
        let (acked, deadline) = (self.tally.acked.get(), Instant::now() + DRAIN_TIMEOUT);
        loop {
            let now = bench.accounts.unread(&self.receiving_accounts).await?;
            let Some(stored) =
                now.zip(self.stored_before).map(|(now, before)| now.saturating_sub(before))
            else {
                report.note(
                    "the server cannot count unread messages: what it stored was not checked",
                );
                return Ok(());
            };
            if stored == acked || Instant::now() > deadline {
                report.figure("acknowledged, whole run", acked as f64, "messages");
                report.figure("stored, whole run", stored as f64, "messages");
                if stored != acked {
                    report.mismatch(format!(
                        "{acked} messages were acknowledged and {stored} are stored"
                    ));
                }
                return Ok(());
            }
            sleep(Duration::from_millis(500)).await;
        }
    }
}
