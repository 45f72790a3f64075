//! The state machine of orders as a pure function (CONTRACT §7, §10): what an action of somebody
//! does to an order, or why it does nothing.
//!
//! `pending → preparing → outForDelivery → delivered`, one step at a time, and `cancelled` from any
//! state before `delivered`. The one step back is `unassign`. Nothing is read or written here.

use super::model::{Change, Entry, Notice, NoticeKind, Notify, Order, Passed, Rejection, Status};
use crate::caller::Role;
use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::ids::UserId;
use crate::money::Money;
use crate::text::Description;

/// Rejections of one order that are remembered.
const MOST_REJECTIONS: usize = 1000;
/// Steps of one order: only `assign` and `unassign` can make many.
const MOST_STEPS: usize = 200;

/// Who acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Actor {
    /// Who.
    pub user: UserId,
    /// What the account may do.
    pub role: Role,
}

/// What somebody wants of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// A driver takes it.
    Accept,
    /// A driver does not want it.
    Reject(Option<Description>),
    /// Its driver has come a step further.
    Advance(Status),
    /// It is not wanted any more.
    Cancel(Option<Description>),
    /// An admin gives it to a driver, for these earnings instead of the computed ones.
    Assign(UserId, Option<Money>),
    /// An admin takes it from its driver.
    Unassign,
}

impl Action {
    /// That somebody of this role may do such a thing to any order at all.
    ///
    /// # Errors
    /// `forbidden`.
    pub fn permit(&self, role: Role) -> Result<()> {
        let (allowed, who) = match self {
            Self::Accept | Self::Reject(_) => (role == Role::Driver, "Only drivers can do this"),
            Self::Advance(_) => {
                (matches!(role, Role::Driver | Role::Admin), "Only drivers and admins can do this")
            }
            Self::Cancel(_) => (role != Role::Driver, "Drivers cannot cancel orders"),
            Self::Assign(..) | Self::Unassign => (role == Role::Admin, "Only admins can do this"),
        };
        if allowed { Ok(()) } else { Err(Error::forbidden(who)) }
    }
}

impl Order {
    /// Whether somebody has a part in the order: placed it, prepares it, brings it, or is an admin.
    pub fn concerns(&self, actor: Actor) -> bool {
        actor.role == Role::Admin
            || actor.user == self.customer
            || self.restaurant == Some(actor.user)
            || self.driver == Some(actor.user)
    }

    /// Whether a driver may take it: nobody has it, and it is not offered to another one.
    pub fn is_open_to(&self, driver: UserId) -> bool {
        self.status == Status::Pending
            && self.offered_to.is_none_or(|one| one == driver)
            && !self.is_rejected_by(driver)
    }

    /// Whether a driver does not want it.
    pub fn is_rejected_by(&self, driver: UserId) -> bool {
        self.rejections.iter().any(|rejection| rejection.driver == driver)
    }

    /// Since when its driver has it.
    pub fn taken_at(&self) -> Option<Timestamp> {
        let driver = self.driver?;
        let of_driver = |entry: &&Entry| entry.driver == Some(driver);
        self.history.iter().rev().take_while(of_driver).last().map(|entry| entry.at)
    }
}

/// What `action` does to `order`; `None` when it is so already.
///
/// # Errors
/// `forbidden` without the right to, `not_found` for an order that is none of the actor's
/// business, `conflict` for a step that does not lead from where the order is.
pub fn step(
    order: &Order,
    action: &Action,
    actor: Actor,
    now: Timestamp,
) -> Result<Option<Change>> {
    action.permit(actor.role)?;
    if order.history.len() >= MOST_STEPS && matches!(action, Action::Assign(..)) {
        return Err(Error::conflict("The order has changed too often"));
    }
    match action {
        Action::Accept => accept(order, actor.user, now),
        Action::Reject(reason) => reject(order, actor.user, reason.as_ref(), now),
        Action::Advance(to) => advance(order, *to, actor, now).map(Some),
        Action::Cancel(reason) => cancel(order, actor, reason.as_ref(), now).map(Some),
        Action::Assign(driver, earnings) => assign(order, actor.user, *driver, *earnings, now),
        Action::Unassign => unassign(order, actor.user, now).map(Some),
    }
}

/// A step to `status` with `driver`; whatever was offered is so no longer.
fn to(order: &Order, status: Status, driver: Option<UserId>, by: UserId, at: Timestamp) -> Change {
    let entry = Entry { status, at, by, driver, reason: None };
    Change {
        status,
        driver,
        offered_to: None,
        dispatch_at: None,
        entry: Some(entry),
        ..Change::of(order, at)
    }
}

/// That a driver must be told of the next step of `order`.
fn notice(order: &Order, driver: UserId, kind: NoticeKind) -> Notify {
    Notify::Set(Notice { driver, no: order.history.len() as u32 + 1, kind })
}

/// A step that makes `driver` the order's.
fn take(order: &Order, driver: UserId, by: UserId, at: Timestamp) -> Change {
    let notify = notice(order, driver, NoticeKind::Assigned);
    Change { notify, ..to(order, Status::Preparing, Some(driver), by, at) }
}

fn accept(order: &Order, driver: UserId, now: Timestamp) -> Result<Option<Change>> {
    if order.driver == Some(driver) && order.status.is_under_way() {
        return Ok(None);
    }
    if order.status == Status::Pending && order.is_rejected_by(driver) {
        return Err(Error::conflict("You have rejected the order"));
    }
    if !order.is_open_to(driver) {
        return Err(Error::conflict("The order is not to be had any more"));
    }
    Ok(Some(take(order, driver, driver, now)))
}

fn reject(
    order: &Order,
    driver: UserId,
    reason: Option<&Description>,
    now: Timestamp,
) -> Result<Option<Change>> {
    if order.status == Status::Pending && order.is_rejected_by(driver) {
        return Ok(None);
    }
    if !order.is_open_to(driver) {
        return Err(Error::conflict("The order is not to be had any more"));
    }
    if order.rejections.len() >= MOST_REJECTIONS {
        return Err(Error::conflict("Too many drivers have rejected the order"));
    }
    let mut change = Change::of(order, now);
    change.rejection = Some(Rejection { driver, reason: reason.cloned(), at: now });
    if order.offered_to == Some(driver) {
        change.offered_to = None;
        change.dispatch_at = Some(now);
    }
    Ok(Some(change))
}

fn advance(order: &Order, status: Status, actor: Actor, now: Timestamp) -> Result<Change> {
    if !order.concerns(actor) {
        let known = order.is_open_to(actor.user);
        return Err(if known { not_yours() } else { no_order() });
    }
    let follows = match order.status {
        Status::Preparing => status == Status::OutForDelivery,
        Status::OutForDelivery => status == Status::Delivered,
        Status::Pending | Status::Delivered | Status::Cancelled => false,
    };
    if status == Status::Cancelled {
        return Err(Error::conflict("An order is cancelled by an event or route of its own"));
    }
    if !follows {
        let (from, to) = (order.status.word(), status.word());
        return Err(Error::conflict(format!("An order does not go from {from} to {to}")));
    }
    let mut change = to(order, status, order.driver, actor.user, now);
    // Who acts on it knows of it, and of one that is over nobody needs to hear that it was given.
    if let Some(driver) = order.driver.filter(|one| *one == actor.user || status.is_final()) {
        change.notify = Notify::Clear(driver);
    }
    Ok(change)
}

fn cancel(
    order: &Order,
    actor: Actor,
    reason: Option<&Description>,
    now: Timestamp,
) -> Result<Change> {
    if !order.concerns(actor) {
        return Err(no_order());
    }
    if order.status.is_final() {
        let word = order.status.word();
        return Err(Error::conflict(format!("The order is {word} already")));
    }
    let mut change = to(order, Status::Cancelled, order.driver, actor.user, now);
    change.entry = change.entry.map(|entry| Entry { reason: reason.cloned(), ..entry });
    if let Some(driver) = order.driver {
        change.notify = notice(order, driver, NoticeKind::Cancelled);
    }
    Ok(change)
}

fn assign(
    order: &Order,
    by: UserId,
    driver: UserId,
    earnings: Option<Money>,
    now: Timestamp,
) -> Result<Option<Change>> {
    if order.driver == Some(driver) && order.status.is_under_way() {
        return Ok(None);
    }
    if order.status != Status::Pending {
        return Err(Error::conflict("The order has a driver, or has ended"));
    }
    let mut change = take(order, driver, by, now);
    change.earnings = earnings.unwrap_or(order.earnings);
    Ok(Some(change))
}

fn unassign(order: &Order, by: UserId, now: Timestamp) -> Result<Change> {
    let Some(driver) = order.driver.filter(|_| order.status.is_under_way()) else {
        return Err(Error::conflict("No driver is at the order"));
    };
    let mut change = to(order, Status::Pending, None, by, now);
    change.dispatch_at = Some(now);
    change.passed = Passed::Add(driver);
    change.notify = notice(order, driver, NoticeKind::Cancelled);
    Ok(change)
}

/// An offer of a pending order to one driver.
pub fn offer(order: &Order, driver: UserId, until: Timestamp, now: Timestamp) -> Change {
    Change { offered_to: Some(driver), dispatch_at: Some(until), ..Change::of(order, now) }
}

/// The end of the offer that there is: its driver let it pass.
pub fn pass(order: &Order, now: Timestamp) -> Change {
    let passed = order.offered_to.map_or(Passed::Keep, Passed::Add);
    Change { offered_to: None, dispatch_at: Some(now), passed, ..Change::of(order, now) }
}

/// When the dispatcher looks at an order again that is offered to nobody; never by itself where
/// that is `None`.
pub fn wait(order: &Order, dispatch_at: Option<Timestamp>, now: Timestamp) -> Change {
    Change { dispatch_at, ..Change::of(order, now) }
}

/// What somebody hears of an order that is none of their business.
pub fn no_order() -> Error {
    Error::not_found("There is no such order")
}

fn not_yours() -> Error {
    Error::forbidden("Only the driver of the order can do this")
}

#[cfg(test)]
mod tests;
