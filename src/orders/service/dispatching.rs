//! To whom orders are offered (CONTRACT §7, Dispatch): to every available driver, or to the nearest
//! one, then the next. What is decided is stored before it is told, with the time at which it is
//! to be looked at again: so offers move on by themselves, also over a restart.

use std::time::Duration;

use super::Orders;
use super::announcing::{principals, which};
use super::pooling::GIVEN_UP;
use crate::drivers::model::offers_to;
use crate::drivers::service::Roster;
use crate::error::Result;
use crate::geo::Point;
use crate::ids::{OrderId, UserId};
use crate::orders::event_wire::ORDER_UNASSIGNED;
use crate::orders::lifecycle::{offer, pass, wait};
use crate::orders::model::{Change, Order, Status};
use crate::orders::store::Changed;
use crate::realtime::hub::Except;

/// How often overdue orders are looked for.
const TICK: Duration = Duration::from_secs(1);
/// Overdue orders looked at in one go.
const AT_ONCE: u32 = 100;
/// Drivers asked for in one go.
const CANDIDATES: u32 = 8;
/// When an order is looked at again whose nearest drivers all think about other ones.
const ALL_BUSY: Duration = Duration::from_secs(2);
/// When an order is looked at again for which there is nobody: who becomes available is asked at
/// once, and this is for what may be overlooked.
const NOBODY: Duration = Duration::from_secs(10);

/// How far the clocks of two servers may be apart, and one be put back, before an offer counts as
/// one of a time that will not come.
const APART: Duration = Duration::from_secs(60);

/// What came of looking for a driver.
enum Search {
    /// Somebody is offered the order, or it is not to be offered any more.
    Over,
    /// Some think about another order.
    Busy,
    /// There is nobody.
    Nobody,
}

impl Orders {
    /// Looks at overdue orders until the server stops. Begins when drivers had time to
    /// come back after a restart.
    pub fn keep_dispatching(&self) {
        let (this, grace) = (self.this.clone(), self.grace);
        tokio::spawn(async move {
            tokio::time::sleep(grace).await;
            loop {
                let Some(orders) = this.upgrade().filter(|orders| !orders.hub.is_draining()) else {
                    return;
                };
                orders.dispatch_overdue().await;
                drop(orders);
                tokio::time::sleep(TICK).await;
            }
        });
    }

    async fn dispatch_overdue(&self) {
        let now = self.clock.now();
        let longest = self.config.offer_timeout.max(NOBODY).max(GIVEN_UP);
        match self.store.due(now, now + longest + APART, AT_ONCE).await {
            Ok(due) => {
                for order in due {
                    let done = match order.offered_to {
                        Some(driver) => self.move_on(order.id, driver).await,
                        None => self.dispatch(order.id).await.map(drop),
                    };
                    log_failure(order.id, done);
                }
            }
            Err(error) => tracing::warn!(%error, "overdue orders could not be looked for"),
        }
    }

    /// Looks for a driver without making the caller wait.
    pub(super) fn dispatch_soon(&self, id: OrderId) {
        let this = self.this.clone();
        tokio::spawn(async move {
            if let Some(orders) = this.upgrade() {
                log_failure(id, orders.dispatch(id).await.map(drop));
            }
        });
    }

    /// Offers a pending order that is offered to nobody; gives to whom, if to one.
    pub(super) async fn dispatch(&self, id: OrderId) -> Result<Option<UserId>> {
        let _turn = self.turn(id).await?;
        let Some(order) = self.store.order(id).await? else { return Ok(None) };
        if order.status != Status::Pending || order.offered_to.is_some() {
            return Ok(order.offered_to);
        }
        let point = order.contents.pickup.as_ref().and_then(|place| place.point);
        match point.filter(|_| !self.is_told_to_all(&order)) {
            Some(point) => self.offer_to_nearest(&order, point).await,
            // Noted when it was told.
            None if order.dispatch_at.is_none() => Ok(None),
            None => self.offer_to_all(&order).await.map(|()| None),
        }
    }

    /// Told first and noted then: where noting fails it is told again rather than never.
    async fn offer_to_all(&self, order: &Order) -> Result<()> {
        let to = |roster: &Roster| {
            let mut to = roster.available();
            // Who had it and was taken off it is not told again, here and in `open_to`.
            to.retain(|one| !order.is_rejected_by(*one) && !order.passed.contains(one));
            to.into_iter().map(offers_to).collect()
        };
        let to = self.tell_offer(order, to).await?;
        let change = wait(order, None, self.clock.now());
        let changed = self.change(order, &change).await?;
        if changed == Changed::Otherwise {
            self.withdraw_offer(&to, Except::Nobody, order);
        }
        Ok(())
    }

    async fn offer_to_nearest(&self, order: &Order, point: Point) -> Result<Option<UserId>> {
        let mut asked: Vec<_> = order.rejections.iter().map(|rejection| rejection.driver).collect();
        asked.extend(&order.passed);
        let mut search = Search::Nobody;
        loop {
            let near = self.drivers.nearest(point, asked.clone(), CANDIDATES).await?;
            for driver in near.iter().copied().filter(|one| self.drivers.is_available(*one)) {
                let now = self.clock.now();
                let change = offer(order, driver, now + self.config.offer_timeout, now);
                match self.change(order, &change).await? {
                    Changed::Done(offered) => {
                        self.unassigned.remove(&order.id);
                        self.tell_offer(&offered, |_| vec![offers_to(driver)]).await?;
                        tracing::debug!(order = order.number, %driver, "order offered");
                        return Ok(Some(driver));
                    }
                    Changed::Busy => search = Search::Busy,
                    Changed::Otherwise => search = Search::Over,
                }
            }
            if near.len() < CANDIDATES as usize || matches!(search, Search::Over) {
                break;
            }
            asked.extend(near);
        }
        self.nobody_now(order, &search).await.map(|()| None)
    }

    async fn nobody_now(&self, order: &Order, search: &Search) -> Result<()> {
        let now = self.clock.now();
        let next = match search {
            Search::Over => return Ok(()),
            Search::Busy => now + ALL_BUSY,
            Search::Nobody => now + NOBODY,
        };
        let change = wait(order, Some(next), now);
        let changed = self.change(order, &change).await?;
        let is_news = matches!(search, Search::Nobody) && self.unassigned.get(&order.id).is_none();
        if matches!(changed, Changed::Done(_)) && is_news {
            self.unassigned.insert(order.id, ());
            self.hub.emit(&principals(order), &ORDER_UNASSIGNED, &which(order));
            tracing::info!(order = order.number, "no driver for an order");
        }
        Ok(())
    }

    /// Ends the offer of an order to a driver, who did not answer or went away, and offers it to
    /// the next one.
    pub(super) async fn move_on(&self, id: OrderId, driver: UserId) -> Result<()> {
        {
            let _turn = self.turn(id).await?;
            let Some(order) = self.store.order(id).await? else { return Ok(()) };
            if order.status != Status::Pending || order.offered_to != Some(driver) {
                return Ok(());
            }
            let change: Change = pass(&order, self.clock.now());
            let changed = self.change(&order, &change).await?;
            if !matches!(changed, Changed::Done(_)) {
                return Ok(());
            }
            self.withdraw_offer(&[driver.audience()], Except::Nobody, &order);
            tracing::debug!(order = order.number, %driver, "an offer has passed");
        }
        self.dispatch(id).await.map(drop)
    }
}

pub(super) fn log_failure(order: OrderId, outcome: Result<()>) {
    if let Err(error) = outcome {
        tracing::warn!(%error, %order, "an order could not be dispatched; it is tried again");
    }
}
