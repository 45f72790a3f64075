//! Who is told what of an order: from what it was like before and what it is like now.

use super::Orders;
use crate::config::DispatchMode;
use crate::drivers::model::{AVAILABLE_DRIVERS, DRIVERS};
use crate::drivers::service::Roster;
use crate::error::Result;
use crate::ids::UserId;
use crate::orders::event_wire::{
    ADMINS, NEW_ORDER, ORDER_ACCEPTED, ORDER_CANCELLED, ORDER_PLACED, ORDER_STATUS_UPDATED,
    OrderCancelled, REMOVE_ORDER, StatusUpdated, WhichOrder,
};
use crate::orders::lifecycle::Actor;
use crate::orders::model::{Change, Notify, Order, Status};
use crate::orders::v1::{
    NEW_OFFER, OFFER_REMOVED, ORDER_UPDATE, OfferRemoved, OrderUpdate, StatusWord,
};
use crate::realtime::hub::{Audience, Except};

/// What a driver hears as the reason when an order is taken from them (CONTRACT §10).
pub(super) const UNASSIGNED: &str = "Unassigned";

/// What there is to tell.
#[derive(Debug, Clone)]
pub(super) enum News {
    /// The order is there.
    Placed {
        /// Whether drivers are offered it; it has one at once where not.
        offered: bool,
    },
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
            News::Placed { .. } => order.history.len() == 1,
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
            News::Placed { offered } => return self.tell_placed(order, *offered).await,
            News::Changed(change) => change,
        };
        if let Some(rejection) = &change.rejection {
            self.withdraw_offer(&[rejection.driver.audience()], Except::Nobody, order);
        }
        if let Notify::Set(notice) = change.notify {
            self.tell_notice(order, notice).await?;
        }
        if change.entry.is_some() {
            self.tell_back_office(Some(before.status), order).await?;
            match order.status {
                Status::Preparing => self.tell_accepted(before, order).await?,
                Status::Cancelled => self.tell_cancelled(before, order, *by),
                Status::Pending => self.tell_unassigned(before, order, *by),
                Status::OutForDelivery | Status::Delivered => self.tell_status(before, order),
            }
            for watcher in self.watchers.get().into_iter().flatten() {
                watcher.changed(before, order);
            }
        }
        if change.dispatch_at.is_some() && change.offered_to.is_none() {
            self.dispatch_soon(order.id);
        }
        Ok(())
    }

    async fn tell_placed(&self, order: &Order, offered: bool) -> Result<()> {
        let view = self.show(order).await?;
        self.hub.emit(&principals(order), &ORDER_PLACED, &view);
        self.tell_back_office(None, order).await?;
        match self.config.dispatch {
            _ if !offered => {}
            DispatchMode::Broadcast => {
                self.tell_offer(order, |_| vec![AVAILABLE_DRIVERS]).await?;
            }
            DispatchMode::Nearest => self.dispatch_soon(order.id),
        }
        Ok(())
    }

    async fn tell_back_office(&self, before: Option<Status>, order: &Order) -> Result<()> {
        let update = OrderUpdate {
            order_id: order.number,
            id: order.id,
            status: order.status.into(),
            previous_status: before.map(StatusWord::from),
            driver_id: self.driver_number(order).await?,
            timestamp: order.updated_at,
        };
        self.hub.emit(&[ADMINS], &ORDER_UPDATE, &update);
        Ok(())
    }

    /// Tells drivers of an order that they can have, those who are there just then; gives them.
    pub(super) async fn tell_offer(
        &self,
        order: &Order,
        to: impl FnOnce(&Roster) -> Vec<Audience> + Send,
    ) -> Result<Vec<Audience>> {
        let (view, assignment) = (self.show_offer(order).await?, self.show_offered(order).await?);
        // A socket that comes is told of it here or when it is greeted, and not twice.
        Ok(self.drivers.hold_still(|roster| {
            self.told.insert(order.id, roster.moment());
            let to = to(roster);
            self.hub.emit(&to, &NEW_ORDER, &view);
            self.hub.emit(&to, &NEW_OFFER, &assignment);
            to
        }))
    }

    /// Tells drivers that they cannot have an order any more.
    pub(super) fn withdraw_offer(&self, to: &[Audience], except: Except, order: &Order) {
        self.hub.emit_except(to, except, &REMOVE_ORDER, &which(order));
        self.hub.emit_except(to, except, &OFFER_REMOVED, &which_v1(order));
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
            // Where it waits to be told, nobody was told of it.
            None if self.is_told_to_all(before) && before.dispatch_at.is_none() => DRIVERS,
            None => return,
        };
        self.withdraw_offer(&[to], except, before);
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

pub(super) const fn which_v1(order: &Order) -> OfferRemoved {
    OfferRemoved { order_id: order.number, id: order.id }
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
