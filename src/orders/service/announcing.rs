//! Who is told what of an order: from what it was like before and what it is like now.

use super::Orders;
use crate::config::DispatchMode;
use crate::drivers::model::{AVAILABLE_DRIVERS, DRIVERS};
use crate::error::Result;
use crate::ids::UserId;
use crate::orders::event_wire::{
    ADMINS, NEW_ORDER, ORDER_ACCEPTED, ORDER_CANCELLED, ORDER_PLACED, ORDER_STATUS_UPDATED,
    OrderCancelled, REMOVE_ORDER, StatusUpdated, WhichOrder,
};
use crate::orders::lifecycle::Actor;
use crate::orders::model::{Change, Order, Status};
use crate::realtime::hub::{Audience, Except};

/// What a driver hears as the reason when an order is taken from them (CONTRACT §10).
const UNASSIGNED: &str = "Unassigned";

/// What there is to tell.
#[derive(Debug, Clone)]
pub(super) enum News {
    /// The order is there.
    Placed,
    /// It has changed so.
    Changed(Box<Change>),
}

/// Something to tell, and what is needed for it.
#[derive(Debug, Clone)]
pub(super) struct Tidings {
    news: News,
    /// The order before.
    pub(super) before: Order,
    by: Actor,
}

impl Tidings {
    pub(super) fn new(news: News, before: &Order, by: Actor) -> Self {
        Self { news, before: before.clone(), by }
    }

    /// Whether that is the last thing that happened to the order.
    pub(super) fn are_true_of(&self, order: &Order) -> bool {
        match &self.news {
            News::Placed => order.history.len() == 1,
            News::Changed(change) => {
                order.history.last() == change.entry.as_ref().or(self.before.history.last())
                    && order.rejections.last()
                        == change.rejection.as_ref().or(self.before.rejections.last())
            }
        }
    }
}

impl Orders {
    /// Tells those whom it concerns what happened to an order, which is on disk.
    pub(super) async fn tell(&self, tidings: &Tidings, order: &Order) -> Result<()> {
        let Tidings { news, before, by } = tidings;
        let change = match news {
            News::Placed => return self.tell_placed(order).await,
            News::Changed(change) => change,
        };
        if let Some(rejection) = &change.rejection {
            self.hub.emit(&[rejection.driver.audience()], &REMOVE_ORDER, &which(order));
        }
        if change.entry.is_some() {
            match order.status {
                Status::Preparing => self.tell_accepted(before, order).await?,
                Status::Cancelled => self.tell_cancelled(before, order, *by),
                Status::Pending => self.tell_unassigned(before, order, *by),
                Status::OutForDelivery | Status::Delivered => self.tell_status(before, order),
            }
            if let Some(watcher) = self.watcher.get() {
                watcher.changed(before, order);
            }
        }
        if change.dispatch_at.is_some() && change.offered_to.is_none() {
            self.dispatch_soon(order.id);
        }
        Ok(())
    }

    async fn tell_placed(&self, order: &Order) -> Result<()> {
        let view = self.show(order).await?;
        self.hub.emit(&principals(order), &ORDER_PLACED, &view);
        match self.config.dispatch {
            DispatchMode::Broadcast => self.hub.emit(&[AVAILABLE_DRIVERS], &NEW_ORDER, &view),
            DispatchMode::Nearest => self.dispatch_soon(order.id),
        }
        Ok(())
    }

    async fn tell_accepted(&self, before: &Order, order: &Order) -> Result<()> {
        let view = self.show(order).await?;
        let mut to = principals(order);
        to.extend(order.driver.map(UserId::audience));
        self.hub.emit(&to, &ORDER_ACCEPTED, &view);
        self.tell_followers(before, order);
        self.withdraw(before, order.driver);
        self.rooms.given_changed(order.id.room(), None, false);
        Ok(())
    }

    fn tell_status(&self, before: &Order, order: &Order) {
        let mut to = principals(order);
        to.extend([order.id.audience()]);
        to.extend(order.driver.map(UserId::audience));
        self.hub.emit(&to, &ORDER_STATUS_UPDATED, &status_updated(before, order));
        if order.status.is_final() {
            self.rooms.given_changed(order.id.room(), None, true);
        }
    }

    fn tell_cancelled(&self, before: &Order, order: &Order, by: Actor) {
        let reason = order.history.last().and_then(|entry| entry.reason.as_ref());
        let reason = reason.map(ToString::to_string);
        let mut to = principals(order);
        to.extend(order.driver.map(UserId::audience));
        self.hub.emit(&to, &ORDER_CANCELLED, &cancelled(order, reason, by));
        self.tell_followers(before, order);
        match order.driver {
            Some(_) => self.rooms.given_changed(order.id.room(), None, true),
            None => self.withdraw(before, None),
        }
    }

    fn tell_unassigned(&self, before: &Order, order: &Order, by: Actor) {
        if let Some(driver) = before.driver {
            let reason = Some(UNASSIGNED.to_owned());
            self.hub.emit(&[driver.audience()], &ORDER_CANCELLED, &cancelled(order, reason, by));
        }
        let mut to = principals(order);
        to.extend([order.id.audience()]);
        self.hub.emit(&to, &ORDER_STATUS_UPDATED, &status_updated(before, order));
        self.rooms.given_changed(order.id.room(), before.driver, false);
    }

    fn tell_followers(&self, before: &Order, order: &Order) {
        let updated = status_updated(before, order);
        self.hub.emit(&[order.id.audience()], &ORDER_STATUS_UPDATED, &updated);
    }

    /// Takes a pending order off the lists of the drivers who were told of it, but one.
    fn withdraw(&self, before: &Order, but: Option<UserId>) {
        let except = but.map_or(Except::Nobody, Except::User);
        let to = match before.offered_to {
            Some(driver) => driver.audience(),
            None if self.is_told_to_all(before) => DRIVERS,
            None => return,
        };
        self.hub.emit_except(&[to], except, &REMOVE_ORDER, &which(before));
    }

    /// Whether every available driver hears of an order that is offered to nobody in particular.
    /// One without a place on the map has no nearest driver.
    pub(super) fn is_told_to_all(&self, order: &Order) -> bool {
        let place = order.contents.pickup.as_ref().and_then(|place| place.point);
        self.config.dispatch == DispatchMode::Broadcast || place.is_none()
    }
}

/// Those who want the order brought, and those who watch over all.
pub(super) fn principals(order: &Order) -> Vec<Audience> {
    let mut to = vec![order.customer.audience(), ADMINS];
    to.extend(order.restaurant.map(UserId::audience));
    to
}

pub(super) const fn which(order: &Order) -> WhichOrder {
    WhichOrder { order_id: order.id, order_number: order.number }
}

fn status_updated(before: &Order, order: &Order) -> StatusUpdated {
    StatusUpdated {
        order_id: order.id,
        order_number: order.number,
        status: order.status,
        previous_status: before.status,
        timestamp: order.updated_at,
    }
}

fn cancelled(order: &Order, reason: Option<String>, by: Actor) -> OrderCancelled {
    OrderCancelled {
        order_id: order.id,
        order_number: order.number,
        reason,
        cancelled_by: by.user,
        cancelled_by_role: by.role,
        timestamp: order.updated_at,
    }
}
