//! Placing: an order is acknowledged and told when it is on disk, not before.

use super::announcing::{News, Tidings};
use super::{Orders, actor};
use crate::caller::{Caller, Role};
use crate::config::DispatchMode;
use crate::error::{Error, Result};
use crate::ids::{OrderId, UserId};
use crate::money::Money;
use crate::orders::model::{Contents, Entry, Order, Status};
use crate::orders::requests::PlaceOrder;
use crate::orders::store::Inserted;
use crate::orders::wire::OrderView;

impl Orders {
    /// Places an order and offers it. A repeated `clientOrderId` gives the order placed before and
    /// tells nobody.
    ///
    /// # Errors
    /// `forbidden` for drivers and restaurants, `not_found` for an unknown restaurant, `conflict`
    /// for a `clientOrderId` used for something else, `rate_limited`, and `unavailable` when the
    /// order could not be written in time: then it is not known whether it is stored, and a repeat
    /// with the same `clientOrderId` is safe.
    pub async fn place(&self, caller: Caller, wanted: PlaceOrder) -> Result<OrderView> {
        may_place(caller)?;
        self.limits.orders.check(&caller.user)?;
        if let Some(restaurant) = wanted.restaurant {
            self.must_be_restaurant(restaurant).await?;
        }
        let order = self.new_order(caller.user, wanted);
        // Whoever finds it before it is told waits for its turn.
        let _turn = self.turn(order.id).await?;
        match self.store.insert(&order).await {
            Ok(Inserted::Stored(stored)) => {
                tracing::info!(order = stored.number, customer = %stored.customer, "order placed");
                self.recent.insert(stored.id, stored.clone());
                let tidings = Tidings::new(News::Placed { offered: true }, &stored, actor(caller));
                self.announce(tidings, &stored).await;
                self.show(&stored).await
            }
            Ok(Inserted::Repeated(stored)) => {
                let same =
                    stored.contents == order.contents && stored.restaurant == order.restaurant;
                if !same {
                    return Err(Error::conflict("The clientOrderId was used for another order"));
                }
                self.show(&stored).await
            }
            Err(error) => {
                self.settle(Tidings::new(News::Placed { offered: true }, &order, actor(caller)));
                Err(error)
            }
        }
    }

    pub(super) fn new_order(&self, customer: UserId, wanted: PlaceOrder) -> Order {
        let now = self.clock.now();
        let placed =
            Entry { status: Status::Pending, at: now, by: customer, driver: None, reason: None };
        Order {
            id: OrderId::generate(now),
            number: 0,
            customer,
            restaurant: wanted.restaurant,
            earnings: self.earnings(&wanted.contents),
            contents: wanted.contents,
            client_order_id: wanted.client_order_id,
            status: Status::Pending,
            driver: None,
            offered_to: None,
            dispatch_at: (self.config.dispatch == DispatchMode::Nearest).then_some(now),
            passed: Vec::new(),
            rejections: Vec::new(),
            history: vec![placed],
            created_at: now,
            updated_at: now,
        }
    }

    /// What a driver gets, unless whoever assigns the order says otherwise.
    pub(super) fn earnings(&self, contents: &Contents) -> Money {
        contents.earnings.unwrap_or_else(|| {
            let kilometres = contents.distance().unwrap_or(0.0) / 1000.0;
            self.config.earnings_base + self.config.earnings_per_km.scaled(kilometres)
        })
    }

    async fn must_be_restaurant(&self, restaurant: UserId) -> Result<()> {
        let account = self.auth.account(restaurant).await?;
        account
            .filter(|account| account.role == Role::Restaurant && !account.is_erased())
            .map(drop)
            .ok_or_else(|| Error::not_found("There is no such restaurant"))
    }
}

/// That the caller may place orders.
///
/// # Errors
/// `forbidden` for drivers and restaurants.
pub fn may_place(caller: Caller) -> Result<()> {
    match caller.role {
        Role::User | Role::Admin => Ok(()),
        Role::Driver | Role::Restaurant => Err(Error::forbidden("Only customers place orders")),
    }
}
