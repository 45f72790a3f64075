//! A connected customer or driver. Customers place orders as planned; drivers take those that are theirs, and bring them.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::ear::{Ear, Part, Request, Task, Waiting};
use super::ledger::Ledger;
use super::tally::Tally;
use crate::client::LeanClient;
use crate::scenario::messages::{AFTER_REFUSAL, Counter, Stamp};

/// What all customers and drivers of a scenario share.
pub struct Gathering {
    /// Marks this scenario's orders.
    pub mark: String,
    pub ledger: Ledger,
    pub tally: Tally,
    pub drivers: usize,
    /// Those who are connected.
    pub entered: Counter,
    /// Customers who have placed all and heard of every delivery, or have failed.
    pub served: Counter,
    pub plan: watch::Sender<Option<Plan>>,
    pub leave: CancellationToken,
}

/// When the customers place orders.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    pub begin: Instant,
    pub end: Instant,
    pub customers: usize,
    pub pace: Pace,
}

/// What an order waits for before it is placed.
#[derive(Debug, Clone, Copy)]
pub enum Pace {
    /// For one of so many under way, over all customers, to be delivered.
    Saturated(usize),
    /// For its time; so long lies between two, over all customers.
    Every(Duration),
}

/// A customer or a driver, connected.
pub struct Party {
    client: LeanClient,
    pub ear: Ear,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OfOrder<'a> {
    order_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
}

impl Gathering {
    /// Of nobody yet, with so many drivers to come.
    pub fn new(mark: String, drivers: usize) -> Self {
        Self {
            mark,
            ledger: Ledger::default(),
            tally: Tally::new(),
            drivers,
            entered: Counter::default(),
            served: Counter::default(),
            plan: watch::Sender::new(None),
            leave: CancellationToken::new(),
        }
    }

    /// Which driver takes an order: all in turn.
    pub const fn driver_of(&self, lifecycle: u64) -> usize {
        lifecycle as usize % self.drivers
    }
}

impl Plan {
    /// How many of all orders under way at once are this customer's.
    const fn share(&self, all: usize, customer: usize) -> usize {
        (all + self.customers - 1 - customer) / self.customers
    }
}

impl Party {
    /// One of this part, who is connected.
    pub fn new(client: LeanClient, part: Part, gathering: Arc<Gathering>) -> Self {
        gathering.entered.add();
        Self { client, ear: Ear::new(part, gathering) }
    }

    /// Does its part until told to leave.
    pub async fn live(&mut self) -> Result<()> {
        if let Part::Customer(customer) = self.ear.part {
            let ordered = self.order(customer).await;
            self.ear.gathering.served.add();
            ordered?;
        }
        let leave = self.ear.gathering.leave.clone();
        self.listen_until(leave.cancelled()).await
    }

    /// Closes the connection.
    pub async fn finish(self) -> Ear {
        self.client.close().await;
        self.ear
    }

    /// Places orders as planned.
    async fn order(&mut self, customer: usize) -> Result<()> {
        let mut plan = self.ear.gathering.plan.subscribe();
        let planned = async { plan.wait_for(Option::is_some).await.map(|plan| *plan) };
        let plan = self.listen_until(planned).await?.ok().flatten().context("no plan")?;
        match plan.pace {
            Pace::Saturated(all) => {
                self.listen_until(sleep_until(plan.begin)).await?;
                self.closed_loop(customer, plan.share(all, customer), plan.end).await
            }
            Pace::Every(interval) => {
                let first = plan.begin + interval * u32::try_from(customer)?;
                let own = interval * u32::try_from(plan.customers)?;
                self.open_loop(customer, first, own, plan.end).await
            }
        }
    }

    async fn closed_loop(&mut self, customer: usize, at_once: usize, end: Instant) -> Result<()> {
        while at_once > 0 && (Instant::now() < end || self.ear.open > 0) {
            if std::mem::take(&mut self.ear.refused) {
                sleep(AFTER_REFUSAL).await;
            }
            while self.ear.open < at_once && Instant::now() < end {
                self.place(customer, Instant::now()).await?;
            }
            if self.ear.open > 0 {
                self.listen().await?;
            }
        }
        Ok(())
    }

    async fn open_loop(
        &mut self,
        customer: usize,
        first: Instant,
        interval: Duration,
        end: Instant,
    ) -> Result<()> {
        let mut due = first;
        while due < end {
            self.listen_until(sleep_until(due)).await?;
            self.place(customer, due).await?;
            due += interval;
        }
        while self.ear.open > 0 {
            self.listen().await?;
        }
        Ok(())
    }

    async fn place(&mut self, customer: usize, intended: Instant) -> Result<()> {
        let gathering = Arc::clone(&self.ear.gathering);
        let lifecycle = gathering.ledger.open(customer, intended);
        let since = gathering.tally.since_origin(intended);
        let stamp = Stamp { mark: &gathering.mark, number: lifecycle, intended: since };
        let payload = wish(&stamp);
        self.ear.open += 1;
        let ack = self.client.emit_with_ack("placeOrder", &payload).await?;
        let task = Task { request: Request::Place, lifecycle, order: String::new() };
        self.ear.waiting.push_back(Waiting { ack, task, begun: intended });
        Ok(())
    }

    async fn listen_until<T>(&mut self, done: impl Future<Output = T>) -> Result<T> {
        let mut done = pin!(done);
        loop {
            self.ask().await?;
            tokio::select! {
                biased;
                done = &mut done => return Ok(done),
                heard = self.listen() => heard?,
            }
        }
    }

    /// Asks what is to be asked next.
    async fn ask(&mut self) -> Result<()> {
        while let Some(task) = self.ear.tasks.pop_front() {
            let (event, status) = match task.request {
                Request::Place => continue,
                Request::Accept => ("orderAccept", None),
                Request::Leave => ("updateOrderStatus", Some("outForDelivery")),
                Request::Deliver => ("updateOrderStatus", Some("delivered")),
            };
            let begun = Instant::now();
            let payload = OfOrder { order_id: &task.order, status };
            let ack = self.client.emit_with_ack(event, &payload).await?;
            self.ear.waiting.push_back(Waiting { ack, task, begun });
        }
        Ok(())
    }

    /// Takes in what has come. May be cancelled without loss.
    async fn listen(&mut self) -> Result<()> {
        let Self { client, ear } = self;
        // One look at the clock for all that came together.
        let mut now = None;
        client
            .read(|packet, body| ear.hear(packet, body, *now.get_or_insert_with(Instant::now)))
            .await?;
        ear.fault.take().map_or(Ok(()), |fault| Err(anyhow!(fault)))
    }
}

/// An order as people place them.
fn wish(stamp: &Stamp<'_>) -> Value {
    json!({
        "items": [
            { "name": "Margherita", "quantity": 2, "price": 8.5 },
            { "name": "Mineral water", "quantity": 1, "price": 2.75 },
        ],
        "pickup": { "name": "Da Lina", "address": "Linienstrasse 1, 10178 Berlin", "lat": 52.5281, "lng": 13.4089 },
        "dropoff": { "address": "Oranienstrasse 25, 10999 Berlin", "lat": 52.5003, "lng": 13.4227 },
        "note": stamp.brief(),
        "clientOrderId": format!("{}-{}", stamp.mark, stamp.number),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_orders_at_once_are_shared_out() {
        let now = Instant::now();
        let pace = Pace::Saturated(32);
        let plan = Plan { begin: now, end: now, customers: 20, pace };
        let shares: Vec<_> = (0..20).map(|customer| plan.share(32, customer)).collect();
        assert_eq!((shares.iter().sum::<usize>(), shares[0], shares[19]), (32, 2, 1));
        assert_eq!(plan.share(1, 1), 0);
    }

    #[test]
    fn a_wish_carries_its_stamp_and_a_key_of_its_own() {
        let stamp = Stamp { mark: "b1.2", number: 7, intended: Duration::from_nanos(5) };
        let wish = wish(&stamp);
        assert_eq!(wish["note"], "b1.2 7 5");
        assert_eq!(wish["clientOrderId"], "b1.2-7");
    }

    #[test]
    fn drivers_take_orders_in_turn() {
        let gathering = Gathering::new("m".to_owned(), 3);
        let drivers = [1, 2, 3, 4].map(|lifecycle| gathering.driver_of(lifecycle));
        assert_eq!(drivers, [1, 2, 0, 1]);
    }
}
