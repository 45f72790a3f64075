//! What people do to orders: one way for every action. It is read, judged, and written only if it
//! is still so; told when it is on disk.

use std::time::Duration;

use super::announcing::{News, Tidings};
use super::{Orders, TRIES, actor};
use crate::caller::Caller;
use crate::drivers::requests::DriverRef;
use crate::error::{Error, Result};
use crate::ids::OrderId;
use crate::money::Money;
use crate::orders::lifecycle::{Action, step};
use crate::orders::model::{Change, Order, Status};
use crate::orders::requests::OrderRef;
use crate::orders::store::Changed;
use crate::orders::wire::OrderView;

/// How often it is asked whether a write happened of which nobody knows.
const SETTLING: [u64; 6] = [1, 2, 4, 8, 15, 30];

impl Orders {
    /// Does something to an order. Gives it as it is then; accepting, rejecting and assigning again
    /// change nothing and tell nobody.
    ///
    /// # Errors
    /// As [`step`]; `unavailable` when it could not be written in time: then it may have happened,
    /// and those whom it concerns are told when that is known.
    pub async fn act(&self, caller: Caller, named: OrderRef, action: Action) -> Result<OrderView> {
        self.show(&self.act_on(caller, named, action).await?).await
    }

    /// As [`Orders::act`]; gives the order as it is kept.
    ///
    /// # Errors
    /// As [`Orders::act`].
    pub(super) async fn act_on(
        &self,
        caller: Caller,
        named: OrderRef,
        action: Action,
    ) -> Result<Order> {
        action.permit(caller.role)?;
        let id = match named {
            OrderRef::Id(id) => id,
            OrderRef::Number(_) => self.find(named).await?.id,
        };
        let _turn = self.turn(id).await?;
        self.act_in_turn(caller, id, &action).await
    }

    /// Does it to an order whose turn the caller has.
    pub(super) async fn act_in_turn(
        &self,
        caller: Caller,
        id: OrderId,
        action: &Action,
    ) -> Result<Order> {
        // What was remembered may be out of date where other nodes change orders too: it can lead
        // to a write, which fails then, but not to a refusal.
        if let Some(order) = self.recent.get(&id)
            && let Ok(Some(change)) = self.judge(&order, action, caller)
            && let Some(after) = self.write(&order, &change, caller).await?
        {
            return Ok(*after);
        }
        for _ in 0..TRIES {
            let order = self.find(OrderRef::Id(id)).await?;
            let Some(change) = self.judge(&order, action, caller)? else {
                return Ok(order);
            };
            if let Some(after) = self.write(&order, &change, caller).await? {
                return Ok(*after);
            }
        }
        Err(Error::unavailable("Too much happens to the order"))
    }

    /// What the action changes, if anything.
    fn judge(&self, order: &Order, action: &Action, caller: Caller) -> Result<Option<Change>> {
        self.must_be_on_offer(order, action)?;
        let change = step(order, action, actor(caller), self.clock.now())?;
        Ok(change.map(|change| self.with_earnings(order, change)))
    }

    /// Writes a change and tells of it; `None` when the order is not as it was looked at.
    async fn write(
        &self,
        order: &Order,
        change: &Change,
        caller: Caller,
    ) -> Result<Option<Box<Order>>> {
        let news = News::Changed(change.clone().into());
        let tidings = Tidings::new(news, order, actor(caller));
        match self.change(order, change).await {
            Ok(Changed::Done(after)) => {
                tracing::info!(order = after.number, status = after.status.word(), by = %caller.user, "order changed");
                self.announce(tidings, &after).await;
                Ok(Some(after))
            }
            Ok(Changed::Otherwise | Changed::Busy) => Ok(None),
            Err(error) => {
                self.settle(tidings);
                Err(error)
            }
        }
    }

    /// Where drivers are asked one after the other, only who is asked can answer.
    fn must_be_on_offer(&self, order: &Order, action: &Action) -> Result<()> {
        let is_answer = matches!(action, Action::Accept | Action::Reject(_));
        let is_waiting = order.status == Status::Pending && order.offered_to.is_none();
        if is_answer && is_waiting && !self.is_told_to_all(order) {
            return Err(Error::conflict("The order is not offered to you"));
        }
        Ok(())
    }

    /// What was said of the earnings of one driver does not hold for the next.
    fn with_earnings(&self, order: &Order, mut change: Change) -> Change {
        if order.driver.is_some() && change.driver.is_none() {
            change.earnings = self.earnings(&order.contents);
        }
        change
    }

    /// Gives an order to a driver, who must exist.
    ///
    /// # Errors
    /// As [`Orders::act`]; `not_found` when there is no such driver, `conflict` for one whose account
    /// is banned.
    pub async fn assign(
        &self,
        caller: Caller,
        named: OrderRef,
        driver: &DriverRef,
        earnings: Option<Money>,
    ) -> Result<OrderView> {
        // Before anything is looked up.
        Action::Unassign.permit(caller.role)?;
        let driver = self.working_driver(driver).await?;
        self.act(caller, named, Action::Assign(driver.id, earnings)).await
    }

    /// Tells of what was written just now, in the turn of the order; later where that fails.
    pub(super) async fn announce(&self, tidings: Tidings, order: &Order) {
        if let Err(error) = self.tell(&tidings, order).await {
            tracing::warn!(%error, order = order.number, "an order is told of later");
            self.settle(tidings);
        }
    }

    /// Finds out in the background whether a write happened whose outcome nobody knows or of which
    /// nobody was told, and tells those whom it concerns if it did.
    pub(super) fn settle(&self, tidings: Tidings) {
        let this = self.this.clone();
        tokio::spawn(async move {
            for pause in SETTLING {
                tokio::time::sleep(Duration::from_secs(pause)).await;
                let Some(orders) = this.upgrade() else { return };
                let id = tidings.before.id;
                let Ok(_turn) = orders.turn(id).await else { continue };
                let Ok(found) = orders.store.order(id).await else { continue };
                let Some(order) = found.filter(|order| tidings.are_true_of(order)) else {
                    continue;
                };
                if orders.tell(&tidings, &order).await.is_ok() {
                    tracing::info!(order = order.number, "an order was told of late");
                    return;
                }
            }
            tracing::info!(order = %tidings.before.id, "a write did not happen, or is no news any more");
        });
    }
}
