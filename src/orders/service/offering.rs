//! What drivers who come and go mean for orders: who comes hears of what can be had, who goes loses
//! the open offer, and keeps the orders in hand.

use std::collections::HashSet;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::join_all;

use super::Orders;
use super::announcing::{which, which_v1};
use super::dispatching::log_failure;
use crate::caller::Role;
use crate::drivers::service::{DriverWatch, Moment, carries_orders};
use crate::error::Result;
use crate::ids::{OrderId, UserId};
use crate::orders::event_wire::{NEW_ORDER, REMOVE_ORDER};
use crate::orders::lifecycle::wait;
use crate::orders::model::{Order, Passed};
use crate::orders::v1::{NEW_OFFER, OFFER_REMOVED};
use crate::realtime::session::Session;

/// Open orders that a driver is told of who becomes available: the newest, the older ones first.
const MOST_OPEN: u32 = 200;
/// Open orders looked through for those that a driver was told of.
const MOST_LOOKED_AT: u32 = 1000;

impl Orders {
    /// Tells a driver's socket that has just connected what the driver was not told yet, and of what
    /// can be had.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn greet(&self, session: &Arc<Session>) -> Result<()> {
        let driver = session.caller.user;
        let is_driver = session.caller.role == Role::Driver && carries_orders(session);
        if is_driver {
            self.tell_untold(session).await?;
        }
        if is_driver
            && self.drivers.is_available(driver)
            && let Some(since) = self.drivers.hears_since(session)
        {
            self.tell_open(driver, std::slice::from_ref(session), since).await?;
        }
        Ok(())
    }

    /// What a driver can have now.
    async fn open_to(&self, driver: UserId, limit: u32) -> Result<Vec<Order>> {
        let mut open: Vec<_> = self.store.offered_to(driver).await?.into_iter().collect();
        let others = self.store.open(driver, limit).await?;
        open.extend(
            others
                .into_iter()
                .rev()
                .filter(|order| self.is_told_to_all(order) && !order.passed.contains(&driver)),
        );
        Ok(open)
    }

    /// Tells sockets of a driver, which hear of offers since then, of what can be had besides.
    async fn tell_open(
        &self,
        driver: UserId,
        sessions: &[Arc<Session>],
        since: Moment,
    ) -> Result<()> {
        let open = self.open_to(driver, MOST_OPEN).await?;
        let open = self.untold(driver, open, since).await?;
        if open.is_empty() {
            return Ok(());
        }
        for order in &open {
            let view = self.show_offer(order).await?;
            let assignment = self.show_offered(order).await?;
            sessions.iter().for_each(|session| {
                self.hub.send(session, &NEW_ORDER, &view);
                self.hub.send(session, &NEW_OFFER, &assignment);
            });
        }
        // What was taken meanwhile was withdrawn before it was told here.
        let still: HashSet<_> =
            self.open_to(driver, MOST_LOOKED_AT).await?.into_iter().map(|order| order.id).collect();
        for gone in open.iter().filter(|order| !still.contains(&order.id)) {
            sessions.iter().for_each(|session| {
                self.hub.send(session, &REMOVE_ORDER, &which(gone));
                self.hub.send(session, &OFFER_REMOVED, &which_v1(gone));
            });
        }
        Ok(())
    }

    /// Those of the orders of which drivers were not told since then, nor are about to be.
    async fn untold(
        &self,
        driver: UserId,
        mut open: Vec<Order>,
        since: Moment,
    ) -> Result<Vec<Order>> {
        let is_told = |order: &Order| self.told.get(&order.id).is_some_and(|moment| moment > since);
        open.retain(|order| !is_told(order));
        // Whoever changes one just now tells of it in its turn.
        let turns = open.iter().map(async |order| self.turn(order.id).await.is_ok());
        // Where a turn takes too long, orders are told twice rather than never.
        if join_all(turns).await.contains(&false) {
            return Ok(open);
        }
        let known: HashSet<_> = open.iter().map(|order| order.id).collect();
        let mut open = self.open_to(driver, MOST_LOOKED_AT).await?;
        // Of those that are to be dispatched everybody hears who is there then.
        open.retain(|order| {
            let is_to_come = self.is_told_to_all(order) && order.dispatch_at.is_some();
            known.contains(&order.id) && !is_told(order) && !is_to_come
        });
        Ok(open)
    }

    /// Offers what waits for a driver, now that this one is there: they are asked again, whatever
    /// they let pass before.
    async fn offer_waiting(&self, driver: UserId) -> Result<()> {
        let is_busy = self.store.offered_to(driver).await?.is_some();
        if is_busy || !self.drivers.is_fresh(driver).await? {
            return Ok(());
        }
        for order in self.store.open(driver, MOST_OPEN).await?.iter().rev() {
            if self.is_told_to_all(order) {
                continue;
            }
            if order.passed.contains(&driver) {
                self.ask_again(order.id, driver).await?;
            }
            if self.dispatch(order.id).await? == Some(driver) {
                break;
            }
        }
        Ok(())
    }

    async fn ask_again(&self, id: OrderId, driver: UserId) -> Result<()> {
        let _turn = self.turn(id).await?;
        if let Some(order) = self.store.order(id).await? {
            let mut change = wait(&order, order.dispatch_at, self.clock.now());
            change.passed = Passed::Remove(driver);
            self.change(&order, &change).await?;
        }
        Ok(())
    }
}

#[async_trait]
impl DriverWatch for Orders {
    async fn available(&self, driver: UserId, asked: Option<Moment>) {
        if let Some(since) = asked {
            let mut sessions = self.drivers.sessions(driver);
            // Those that came since are greeted.
            let is_new = |session: &Arc<Session>| self.drivers.hears_since(session) > Some(since);
            sessions.retain(|session| !is_new(session));
            log_untold(driver, self.tell_open(driver, &sessions, since).await);
        }
        let this = self.this.clone();
        tokio::spawn(async move {
            if let Some(orders) = this.upgrade() {
                log_untold(driver, orders.offer_waiting(driver).await);
            }
        });
    }

    async fn unavailable(&self, driver: UserId) {
        match self.store.offered_to(driver).await {
            Ok(Some(order)) => log_failure(order.id, self.move_on(order.id, driver).await),
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, %driver, "an offer could not be moved on"),
        }
    }
}

fn log_untold(driver: UserId, outcome: Result<()>) {
    if let Err(error) = outcome {
        tracing::warn!(%error, %driver, "a driver could not be told of open orders");
    }
}
