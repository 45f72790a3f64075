//! A driver on its raw socket. What it does there, each scenario says; what it hears is checked here.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::time::{Instant, timeout};

use super::fleet::{Fleet, Known, Plan};
use super::heard::ToDriver;
use crate::accounts::Account;
use crate::client::{Dialer, Purpose, RawClient, encode};
use crate::scenario::messages::ACK_TIMEOUT;

/// Silence after which a ping is sent again: the server may not have taken it.
const PATIENCE: Duration = Duration::from_secs(10);

/// A driver who is connected.
pub struct Driver {
    client: RawClient,
    /// Its place among all.
    pub index: usize,
    pub fleet: Arc<Fleet>,
}

impl Driver {
    /// Connects, up to the server's first word.
    pub async fn connect(
        dialer: &Dialer,
        account: &Account,
        index: usize,
        fleet: Arc<Fleet>,
    ) -> Result<Self> {
        let begun = Instant::now();
        let path = format!("/api/v1/ws/driver/{}?token={}", account.id, account.token);
        let client = dialer.connect_raw(&path).await?;
        let mut driver = Self { client, index, fleet };
        let greeted = async {
            while driver.known().number.get().is_none() {
                driver.listen().await?;
            }
            Ok::<(), anyhow::Error>(())
        };
        timeout(ACK_TIMEOUT, greeted).await.context("waiting for `connected`")??;
        driver.fleet.connect.record(begun.elapsed());
        driver.fleet.connected.add();
        Ok(driver)
    }

    fn known(&self) -> &Known {
        &self.fleet.drivers[self.index]
    }

    /// Waits to be told what to do.
    pub async fn await_plan(&mut self) -> Result<Plan> {
        let mut plan = self.fleet.plan.subscribe();
        let planned = async { plan.wait_for(Option::is_some).await.map(|plan| *plan) };
        self.listen_until(planned).await?.ok().flatten().context("no plan")
    }

    /// Says a position.
    pub async fn locate(&mut self, update: &str) -> Result<()> {
        self.known().sent.add();
        self.client.write(update).await
    }

    /// Says many positions at once, in frames that end with a `ping`, and waits for its answer. Tells how many of them
    /// the server has taken.
    pub async fn locate_many(&mut self, frames: &[u8], count: u64) -> Result<u64> {
        self.known().sent.add_many(count);
        let (begun, before) = (Instant::now(), self.known().not_taken());
        self.await_pong(frames).await?;
        self.fleet.record(&self.fleet.pong, begun, Instant::now());
        let refused = self.known().not_taken().saturating_sub(before);
        let taken = count.saturating_sub(refused);
        self.fleet.accepted.add_many(taken);
        Ok(taken)
    }

    /// Makes sure that the server has taken all that was sent.
    pub async fn settle(&mut self) -> Result<()> {
        self.await_pong(&ping()).await?;
        self.fleet.settled.add();
        Ok(())
    }

    /// Sends frames that end with a `ping`, and waits for its answer. Where that does not come, sends another.
    async fn await_pong(&mut self, frames: &[u8]) -> Result<()> {
        let (before, deadline) = (self.known().pongs.get(), Instant::now() + ACK_TIMEOUT);
        self.known().pings.add();
        self.client.write_frames(frames).await?;
        while self.known().pongs.get() == before {
            ensure!(Instant::now() < deadline, "no pong within {ACK_TIMEOUT:?}");
            match timeout(PATIENCE, self.listen()).await {
                Ok(heard) => heard?,
                Err(_) => {
                    self.known().pings.add();
                    self.client.write_frames(&ping()).await?;
                }
            }
        }
        Ok(())
    }

    /// Stays until told to leave, and leaves.
    pub async fn stay(mut self) -> Result<()> {
        let leave = self.fleet.leave.clone();
        let stayed = self.listen_until(leave.cancelled()).await;
        self.client.close().await;
        stayed
    }

    /// Listens until something is done.
    pub async fn listen_until<T>(&mut self, done: impl Future<Output = T>) -> Result<T> {
        let mut done = pin!(done);
        loop {
            tokio::select! {
                biased;
                done = &mut done => return Ok(done),
                heard = self.listen() => heard?,
            }
        }
    }

    /// Takes in what has come. May be cancelled without loss.
    async fn listen(&mut self) -> Result<()> {
        let Self { client, index, fleet } = self;
        client.read(|text| hear(fleet, *index, text)).await
    }
}

/// The frame with which a driver asks whether the server is there.
pub fn ping() -> Vec<u8> {
    encode(Purpose::Text, br#"{"type":"ping"}"#)
}

/// Takes in a frame.
fn hear(fleet: &Fleet, index: usize, text: &str) -> Result<()> {
    match ToDriver::read(text) {
        ToDriver::Connected(number) => {
            let known = fleet.drivers[index].number.set(number);
            ensure!(known.is_ok(), "connected twice");
        }
        ToDriver::Pong => fleet.drivers[index].pongs.add(),
        ToDriver::Assigned(order, restaurant) => {
            match fleet.assignments.hear(index, &restaurant, order) {
                Some(intended) => fleet.record(&fleet.assigned, intended, Instant::now()),
                None => fleet.foreign.add(),
            }
        }
        ToDriver::Error(reason) => fleet.refuse(reason),
        ToDriver::Overloaded => fleet.drivers[index].overloaded.add(),
        ToDriver::Other(kind) => fleet.overhear(&kind),
        ToDriver::Broken => fleet.foreign.add(),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_driver_takes_in_its_own_orders_alone() {
        let fleet = Fleet::new("b1.2".to_owned(), 2);
        let (_, driver) = fleet.assignments.open(Instant::now());
        let assigned =
            r#"{"type":"order_assigned","data":{"order_id":9,"restaurant_name":"b1.2 1"}}"#;
        hear(&fleet, driver, assigned).expect("its own");
        assert_eq!((fleet.foreign.get(), fleet.assignments.entries()[0].heard.len()), (0, 1));
        hear(&fleet, driver + 1, assigned).expect("noted");
        hear(&fleet, driver, "no frame").expect("noted");
        assert_eq!((fleet.foreign.get(), fleet.assignments.entries()[0].heard.len()), (2, 1));
    }

    #[test]
    fn a_driver_is_greeted_once_and_hears_pongs() {
        let fleet = Fleet::new("b1.2".to_owned(), 1);
        let known = &fleet.drivers[0];
        let connected = r#"{"type":"connected","data":{"driver_id":41,"server_time":"…"}}"#;
        hear(&fleet, 0, connected).expect("the first word");
        hear(&fleet, 0, r#"{"type":"pong","data":{}}"#).expect("an answer");
        let full = r#"{"type":"error","data":{"code":"unavailable","message":"Later."}}"#;
        hear(&fleet, 0, full).expect("noted");
        assert_eq!((known.number.get(), known.pongs.get()), (Some(&41), 1));
        known.pings.add();
        assert_eq!(known.not_taken(), 1, "a position");
        known.pings.add();
        assert_eq!(known.not_taken(), 0, "a ping without a pong");
        assert!(hear(&fleet, 0, connected).is_err());
    }
}
