//! What the back office does with orders: places them, for a driver at once, and hands out several
//! together.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::try_join_all;

use super::announcing::{News, Tidings};
use super::{Orders, actor};
use crate::auth::model::Account;
use crate::caller::{Caller, must_be_admin};
use crate::clock::Timestamp;
use crate::drivers::requests::DriverRef;
use crate::error::{Error, Result};
use crate::ids::UserId;
use crate::orders::lifecycle::Action;
use crate::orders::model::{Earned, Order, OrderPage, Status, Whose};
use crate::orders::requests::{OrderRef, PlaceOrder};
use crate::orders::store::Inserted;
use crate::orders::v1::{Assignment, Failure, Pool};

/// When an order is offered to everybody that was placed for a driver and could not be given to
/// them.
pub(super) const GIVEN_UP: Duration = Duration::from_secs(10);

impl Orders {
    /// Places an order of the back office. One that names a driver is theirs at once, and offered
    /// to nobody else.
    ///
    /// # Errors
    /// `forbidden` for who is no admin, `not_found` when there is no such driver, `conflict` for one
    /// whose account is banned and for a `client_order_id` used for something else, `rate_limited`,
    /// `unavailable`.
    pub async fn create(
        &self,
        caller: Caller,
        wanted: PlaceOrder,
        driver: Option<DriverRef>,
    ) -> Result<Assignment> {
        must_be_admin(caller)?;
        let Some(driver) = driver else {
            let placed = self.place(caller, wanted).await?;
            return self.show_assignment(&self.find(OrderRef::Id(placed.id)).await?).await;
        };
        let driver = self.working_driver(&driver).await?.id;
        self.limits.orders.check(&caller.user)?;
        let mut order = self.new_order(caller.user, wanted);
        // If what follows does not come about, it is offered to everybody.
        order.dispatch_at = Some(self.clock.now() + GIVEN_UP);
        // Nobody else takes it in between.
        let _turn = self.turn(order.id).await?;
        let inserted = self.store.insert(&order).await;
        let news = |offered| Tidings::new(News::Placed { offered }, &order, actor(caller));
        let placed = match inserted {
            Ok(Inserted::Stored(placed)) => placed,
            Ok(Inserted::Repeated(earlier)) if earlier.contents == order.contents => {
                return self.show_assignment(&earlier).await;
            }
            Ok(Inserted::Repeated(_)) => {
                return Err(Error::conflict("The client_order_id was used for another order"));
            }
            Err(error) => {
                self.settle(news(true));
                return Err(error);
            }
        };
        tracing::info!(order = placed.number, by = %caller.user, "order placed for a driver");
        self.recent.insert(placed.id, placed.clone());
        self.announce(news(false), &placed).await;
        let assigned = self.act_in_turn(caller, placed.id, &Action::Assign(driver, None)).await;
        // It is placed, whatever became of the rest.
        self.show_assignment(assigned.as_ref().unwrap_or(&placed)).await
    }

    /// Gives several pending orders to one driver. All are looked at before any is given: if one
    /// cannot be given, none is. What is taken by somebody else just then is named in the answer.
    ///
    /// # Errors
    /// `forbidden` for who is no admin, `not_found` for an unknown driver or order, `conflict` for
    /// a driver whose account is banned and for an order that another driver has or that has ended;
    /// each order that is wrong is in `details`.
    pub async fn pool(
        &self,
        caller: Caller,
        named: Vec<OrderRef>,
        driver: &DriverRef,
    ) -> Result<Pool> {
        must_be_admin(caller)?;
        let driver = self.working_driver(driver).await?;
        let mut orders: Vec<Order> = Vec::with_capacity(named.len());
        for order in named {
            let order = self.find(order).await?;
            if orders.iter().all(|other| other.id != order.id) {
                orders.push(order);
            }
        }
        let is_free = |order: &&Order| {
            order.status == Status::Pending
                || (order.status.is_under_way() && order.driver == Some(driver.id))
        };
        if let Some(taken) = orders.iter().find(|order| !is_free(order)) {
            let number = taken.number;
            return Err(Error::conflict(format!("Order {number} has a driver, or has ended")));
        }
        let (mut given, mut failed) = (Vec::new(), Vec::new());
        for order in &orders {
            let assign = Action::Assign(driver.id, None);
            match self.act_v1(caller, OrderRef::Id(order.id), assign).await {
                Ok(assignment) => given.push(assignment),
                Err(error) => failed.push(Failure::new(order, &error)),
            }
        }
        Ok(Pool { driver_id: driver.driver_number, orders: given, failed })
    }

    /// As [`Orders::act`]; gives the order as the driver app sees it.
    ///
    /// # Errors
    /// As [`Orders::act`].
    pub async fn act_v1(
        &self,
        caller: Caller,
        named: OrderRef,
        action: Action,
    ) -> Result<Assignment> {
        self.show_to(caller, &self.act_on(caller, named, action).await?).await
    }

    /// All orders, the newest first, as the driver app sees them.
    ///
    /// # Errors
    /// `forbidden` for who is no admin.
    pub async fn assignments(
        &self,
        caller: Caller,
        status: Option<Status>,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<Assignment>> {
        must_be_admin(caller)?;
        let page = OrderPage { whose: Whose::Everybodys, status, before, limit };
        self.show_assignments(&self.store.orders(&page).await?).await
    }

    /// The orders that a driver is at, the newest first.
    pub async fn assigned(&self, caller: Caller, limit: u32) -> Result<Vec<Assignment>> {
        let mut orders = self.store.under_way(caller.user, limit).await?;
        orders.retain(|order| order.driver == Some(caller.user));
        self.show_assignments(&orders).await
    }

    async fn show_assignments(&self, orders: &[Order]) -> Result<Vec<Assignment>> {
        try_join_all(orders.iter().map(|order| self.show_assignment(order))).await
    }

    /// Which of these drivers are at an order.
    pub async fn busy(&self, drivers: &[UserId]) -> Result<Vec<UserId>> {
        self.store.busy(drivers).await
    }

    /// A driver to whom an order may be given.
    ///
    /// # Errors
    /// `not_found` when there is no such driver, `conflict` for one whose account is banned.
    pub(super) async fn working_driver(&self, named: &DriverRef) -> Result<Arc<Account>> {
        let driver = self.drivers.driver(named).await?;
        if driver.ban.is_some() {
            return Err(Error::conflict("The driver's account is banned"));
        }
        Ok(driver)
    }

    /// The id of a driver.
    ///
    /// # Errors
    /// `not_found` when there is no such driver.
    pub async fn driver_named(&self, driver: &DriverRef) -> Result<UserId> {
        Ok(self.drivers.driver(driver).await?.id)
    }

    /// What the caller earned between each two of these times.
    pub async fn earned(&self, caller: Caller, bounds: &[Timestamp]) -> Result<Vec<Earned>> {
        self.store.earned(caller.user, bounds).await
    }

    /// The currency of all amounts, ISO 4217.
    pub fn currency(&self) -> &str {
        self.config.currency.as_str()
    }

    /// What the clock says.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// An order for somebody who has a part in it, as the driver app sees it.
    ///
    /// # Errors
    /// As [`Orders::order`].
    pub async fn assignment(&self, caller: Caller, named: OrderRef) -> Result<Assignment> {
        self.show_to(caller, &self.order(caller, named).await?).await
    }
}
