//! A driver on its raw socket. What it does there, each scenario says; what it hears is checked here.

use std::pin::pin;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use tokio::time::{Instant, timeout};

use super::fleet::{Fleet, Known, Plan};
use super::heard::ToDriver;
use crate::accounts::Account;
use crate::client::{Dialer, RawClient};
use crate::scenario::messages::ACK_TIMEOUT;

/// A driver who is connected.
pub struct Driver {
    client: RawClient,
    /// Its place among all.
    pub index: usize,
    pub fleet: Arc<Fleet>,
    pongs: u64,
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
        let mut driver = Self { client, index, fleet, pongs: 0 };
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

    /// Says many positions at once, in frames that end with a `ping`, and waits for its answer.
    /// Tells how many of them the server has taken.
    pub async fn locate_many(&mut self, frames: &[u8], count: u64) -> Result<u64> {
        self.known().sent.add_many(count);
        let (begun, before) = (Instant::now(), self.known().overloaded.get());
        self.client.write_frames(frames).await?;
        self.await_pong().await?;
        self.fleet.record(&self.fleet.pong, begun, Instant::now());
        let taken = count.saturating_sub(self.known().overloaded.get() - before);
        self.fleet.accepted.add_many(taken);
        Ok(taken)
    }

    /// Makes sure that the server has taken all that was sent.
    pub async fn settle(&mut self) -> Result<()> {
        self.client.write(PING).await?;
        self.await_pong().await?;
        self.fleet.settled.add();
        Ok(())
    }

    async fn await_pong(&mut self) -> Result<()> {
        let before = self.pongs;
        let answered = async {
            while self.pongs == before {
                self.listen().await?;
            }
            Ok::<(), anyhow::Error>(())
        };
        timeout(ACK_TIMEOUT, answered).await.context("waiting for a pong")?
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
        let Self { client, index, fleet, pongs } = self;
        client.read(|text| hear(fleet, *index, pongs, text)).await
    }
}

/// What a driver sends to hear whether the server is there.
pub const PING: &str = r#"{"type":"ping"}"#;

/// Takes in a frame.
fn hear(fleet: &Fleet, index: usize, pongs: &mut u64, text: &str) -> Result<()> {
    match ToDriver::read(text) {
        ToDriver::Connected(number) => {
            let known = fleet.drivers[index].number.set(number);
            ensure!(known.is_ok(), "connected twice");
        }
        ToDriver::Pong => *pongs += 1,
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
        let mut pongs = 0;
        hear(&fleet, driver, &mut pongs, assigned).expect("its own");
        assert_eq!((fleet.foreign.get(), fleet.assignments.entries()[0].heard.len()), (0, 1));
        hear(&fleet, driver + 1, &mut pongs, assigned).expect("noted");
        hear(&fleet, driver, &mut pongs, "no frame").expect("noted");
        assert_eq!((fleet.foreign.get(), fleet.assignments.entries()[0].heard.len()), (2, 1));
    }

    #[test]
    fn a_driver_is_greeted_once_and_hears_pongs() {
        let (fleet, mut pongs) = (Fleet::new("b1.2".to_owned(), 1), 0);
        let connected = r#"{"type":"connected","data":{"driver_id":41,"server_time":"…"}}"#;
        hear(&fleet, 0, &mut pongs, connected).expect("the first word");
        hear(&fleet, 0, &mut pongs, r#"{"type":"pong","data":{}}"#).expect("an answer");
        let full = r#"{"type":"error","data":{"code":"unavailable","message":"Later."}}"#;
        hear(&fleet, 0, &mut pongs, full).expect("noted");
        assert_eq!((fleet.drivers[0].number.get(), pongs), (Some(&41), 1));
        assert_eq!(fleet.overloaded(), 1);
        assert!(hear(&fleet, 0, &mut pongs, connected).is_err());
    }
}
