//! What is kept of orders: the trait, and its two implementations.

mod contents;
pub mod embedded;
pub mod mongo;

use async_trait::async_trait;

use super::model::{Change, Earned, Notice, Order, OrderPage, When};
use crate::clock::Timestamp;
use crate::error::Result;
use crate::ids::{OrderId, UserId};

/// What became of a new order.
#[derive(Debug, Clone, PartialEq)]
pub enum Inserted {
    /// It is stored, with its number.
    Stored(Order),
    /// The customer has used its `client_order_id` before, for this one.
    Repeated(Order),
}

/// What became of a change.
#[derive(Debug, Clone, PartialEq)]
pub enum Changed {
    /// It happened; the order afterwards.
    Done(Box<Order>),
    /// The order is not there or not as it must be; nothing happened.
    Otherwise,
    /// The driver to whom it was to be offered is offered another one; nothing happened.
    Busy,
}

/// Orders. No rules: `lifecycle` and the service have them.
#[async_trait]
pub trait OrderStore: Send + Sync {
    /// Stores an order and gives it the next number: no number twice, whoever else inserts; a
    /// number may be left out only where an insert failed, or repeated one without a key.
    /// `order.number` is not looked at. An
    /// order whose id is there already (the write was tried before) is given as it is, as stored
    /// now.
    async fn insert(&self, order: &Order) -> Result<Inserted>;

    /// The order with this id.
    async fn order(&self, id: OrderId) -> Result<Option<Order>>;

    /// The order with this number.
    async fn order_by_number(&self, number: i64) -> Result<Option<Order>>;

    /// A page of orders, the highest numbers first.
    async fn orders(&self, page: &OrderPage) -> Result<Vec<Order>>;

    /// The orders `first..=last` by number in which a user has any part: as customer, restaurant
    /// or driver, or with a step or a rejection; ascending.
    async fn with_part(&self, user: UserId, first: i64, last: i64) -> Result<Vec<Order>>;

    /// Writes what was ordered, its key, rejections and history of an order as they are here,
    /// without the order counting as changed; only if it is otherwise as it is here. Whether that
    /// happened.
    async fn redact(&self, order: &Order) -> Result<bool>;

    /// Changes an order that is as `when` says, in one write. A change with a rejection happens
    /// only if its driver has not rejected the order before; one that sets a notice, only if the
    /// history is as long as it was when `no` was counted. The notice is set or cleared in the
    /// same write.
    async fn change(&self, id: OrderId, when: &When, change: &Change) -> Result<Changed>;

    /// Orders that a driver is at (`preparing`, `outForDelivery`) and whose customer or driver
    /// this user is, the highest numbers first.
    async fn under_way(&self, user: UserId, limit: u32) -> Result<Vec<Order>>;

    /// Pending orders that are offered to nobody in particular and that `driver` has not
    /// rejected, the highest numbers first.
    async fn open(&self, driver: UserId, limit: u32) -> Result<Vec<Order>>;

    /// Which of these drivers are at an order (`preparing`, `outForDelivery`).
    async fn busy(&self, drivers: &[UserId]) -> Result<Vec<UserId>>;

    /// The pending order that is offered to this driver.
    async fn offered_to(&self, driver: UserId) -> Result<Option<Order>>;

    /// Pending orders whose `dispatch_at` is not after `now`, the longest overdue first, and those
    /// where it is after `latest`: as far ahead as none is put, so the clock was put back since.
    async fn due(&self, now: Timestamp, latest: Timestamp, limit: u32) -> Result<Vec<Order>>;

    /// What a driver must still be told, with the orders as they are now, the lowest numbers
    /// first.
    async fn untold(&self, driver: UserId, limit: u32) -> Result<Vec<(Order, Notice)>>;

    /// Forgets notices: of each driver and order the one with exactly this `no`, not a newer one.
    /// The orders do not count as changed.
    async fn told(&self, told: &[(UserId, OrderId, u32)]) -> Result<()>;

    /// What a driver earned from each of these moments to the next, that one not included; the
    /// moments ascend, and one may be there twice. One result less than there are moments. An
    /// order is delivered when it last changed.
    async fn earned(&self, driver: UserId, bounds: &[Timestamp]) -> Result<Vec<Earned>>;
}
