//! The rules of orders: who may do what to them, who is told, to whom they are offered.

mod acting;
mod announcing;
mod dispatching;
mod erasing;
mod notices;
mod offering;
mod placing;
mod pooling;
mod rooms;

use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use futures_util::future::try_join_all;
use quick_cache::sync::Cache;
use tokio::sync::{Mutex, MutexGuard};

use super::event_wire::ADMINS;
use super::lifecycle::{Actor, no_order};
use super::model::{Change, Order, OrderPage, Status, When, Whose};
use super::requests::OrderRef;
use super::store::{Changed, OrderStore};
use super::wire::{OrderList, OrderView};
use crate::auth::service::Auth;
use crate::caller::{Caller, Role};
use crate::clock::Clock;
use crate::config::OrderConfig;
use crate::drivers::service::{Drivers, Moment, carries_orders};
use crate::error::{Error, Result};
use crate::ids::{OrderId, UserId};
use crate::limits::Limits;
use crate::page;
use crate::realtime::hub::{Hub, Lifecycle, Sign};
use crate::realtime::session::Session;
use crate::rooms::service::Rooms;

use notices::Notices;
pub use placing::may_place;

/// Turns of orders, by id: what happens to one is written and told before the next thing is.
const TURNS: usize = 256;
/// Orders that are remembered as they were after their last change here.
const REMEMBERED: usize = 10_000;
/// How often an action is tried while others change the order.
const TRIES: usize = 8;
/// How long something may wait for its turn.
const PATIENCE: Duration = Duration::from_secs(10);

/// Somebody who must know how orders change; told by [`Orders`].
pub trait OrderWatch: Send + Sync {
    /// An order has another status or another driver than before. Quick, no waiting.
    fn changed(&self, before: &Order, order: &Order);
}

/// What the service stands on.
pub struct Parts {
    /// Orders.
    pub store: Arc<dyn OrderStore>,
    /// Accounts, for names.
    pub auth: Arc<Auth>,
    /// Who can bring them.
    pub drivers: Arc<Drivers>,
    /// Where customer and driver talk.
    pub rooms: Arc<Rooms>,
    /// The way to everybody.
    pub hub: Arc<Hub>,
    /// Limits.
    pub limits: Arc<Limits>,
    /// How they are given out, and what drivers get.
    pub config: OrderConfig,
    /// How long drivers have to come back after a restart before offers move on.
    pub grace: Duration,
}

/// Orders.
pub struct Orders {
    store: Arc<dyn OrderStore>,
    auth: Arc<Auth>,
    drivers: Arc<Drivers>,
    rooms: Arc<Rooms>,
    hub: Arc<Hub>,
    limits: Arc<Limits>,
    clock: Clock,
    config: OrderConfig,
    grace: Duration,
    turns: [Mutex<()>; TURNS],
    recent: Cache<OrderId, Order>,
    /// When drivers were told of an offer last: who was there then has heard of it.
    told: Cache<OrderId, Moment>,
    /// Pending orders of which was told that nobody is left to be asked.
    unassigned: Cache<OrderId, ()>,
    notices: Notices,
    watchers: OnceLock<Vec<Arc<dyn OrderWatch>>>,
    this: Weak<Self>,
}

impl Orders {
    /// Orders of the accounts of `parts.auth`.
    pub fn new(parts: Parts) -> Arc<Self> {
        Arc::new_cyclic(|this| Self {
            clock: parts.hub.clock().clone(),
            notices: Notices::new(&parts.store),
            store: parts.store,
            auth: parts.auth,
            drivers: parts.drivers,
            rooms: parts.rooms,
            hub: parts.hub,
            limits: parts.limits,
            config: parts.config,
            grace: parts.grace,
            turns: std::array::from_fn(|_| Mutex::default()),
            recent: Cache::new(REMEMBERED),
            told: Cache::new(REMEMBERED),
            unassigned: Cache::new(REMEMBERED),
            watchers: OnceLock::new(),
            this: this.clone(),
        })
    }

    /// Says, once, who is told how orders change.
    pub fn watch(&self, watchers: Vec<Arc<dyn OrderWatch>>) {
        if self.watchers.set(watchers).is_err() {
            tracing::error!("the watchers of orders were set twice");
        }
    }

    /// Writes what was noted, and takes no more.
    pub async fn close(&self) {
        self.notices.close().await;
    }

    /// The turn of an order: nothing else happens to it here while this is held.
    async fn turn(&self, order: OrderId) -> Result<MutexGuard<'_, ()>> {
        let bytes = order.bytes();
        let turn = &self.turns[usize::from(bytes[11] ^ bytes[6]) % TURNS];
        let waited = tokio::time::timeout(PATIENCE, turn.lock()).await;
        waited.map_err(|_| Error::unavailable("Too much happens to the order"))
    }

    /// Changes an order that is still as it was looked at, and remembers what it is like then.
    async fn change(&self, order: &Order, change: &Change) -> Result<Changed> {
        self.recent.remove(&order.id);
        let changed = self.store.change(order.id, &When::from(order), change).await?;
        if let Changed::Done(after) = &changed {
            self.recent.insert(order.id, after.as_ref().clone());
        }
        Ok(changed)
    }

    /// Counts an event that changes something against the caller's limit, as REST requests are.
    ///
    /// # Errors
    /// `rate_limited`.
    pub fn count(&self, caller: Caller) -> Result<()> {
        self.limits.rest_writes.check(&caller.user).map(drop)
    }

    /// An order by name, whoever asks.
    ///
    /// # Errors
    /// `not_found` when there is none.
    async fn find(&self, named: OrderRef) -> Result<Order> {
        let found = match named {
            OrderRef::Id(id) => self.store.order(id).await?,
            OrderRef::Number(number) => self.store.order_by_number(number).await?,
        };
        found.ok_or_else(no_order)
    }

    /// An order for somebody who has a part in it, or is a driver who could take it.
    ///
    /// # Errors
    /// `not_found` for anybody else.
    pub async fn order(&self, caller: Caller, named: OrderRef) -> Result<Order> {
        let order = self.find(named).await?;
        let is_on_offer = order.offered_to.is_some() || self.is_told_to_all(&order);
        let could_take =
            caller.role == Role::Driver && is_on_offer && order.is_open_to(caller.user);
        if order.concerns(actor(caller)) || could_take { Ok(order) } else { Err(no_order()) }
    }

    /// The order as [`Orders::order`] finds it, as clients see it.
    ///
    /// # Errors
    /// As [`Orders::order`].
    pub async fn view(&self, caller: Caller, named: OrderRef) -> Result<OrderView> {
        let order = self.order(caller, named).await?;
        match order.offered_to {
            Some(driver) if driver == caller.user => self.show_offer(&order).await,
            _ => self.show(&order).await,
        }
    }

    /// The caller's orders, to admins all, the newest first.
    pub async fn list(
        &self,
        caller: Caller,
        status: Option<Status>,
        before: Option<i64>,
        limit: u32,
    ) -> Result<OrderList> {
        let whose = match caller.role {
            Role::Admin => Whose::Everybodys,
            Role::User | Role::Driver | Role::Restaurant => Whose::Of(caller.user),
        };
        let wanted = OrderPage { whose, status, before, limit: limit + 1 };
        let mut orders = self.store.orders(&wanted).await?;
        let is_cut = orders.len() > limit as usize;
        orders.truncate(limit as usize);
        let last = orders.last().filter(|_| is_cut).map(|order| order.number);
        let orders = try_join_all(orders.iter().map(|order| self.show(order))).await?;
        Ok(OrderList { orders, next_cursor: last.map(page::cursor) })
    }

    /// Orders that a driver is at and whose customer or driver `user` is.
    pub async fn under_way(&self, user: UserId, limit: u32) -> Result<Vec<Order>> {
        self.store.under_way(user, limit).await
    }

    /// An order as the driver sees it to whom it is offered.
    async fn show_offer(&self, order: &Order) -> Result<OrderView> {
        let offer_expires_at = order.offered_to.and(order.dispatch_at);
        Ok(OrderView { offer_expires_at, ..self.show(order).await? })
    }

    /// An order as clients see it.
    pub async fn show(&self, order: &Order) -> Result<OrderView> {
        let driver = match order.driver {
            Some(driver) => self.auth.account(driver).await?,
            None => None,
        };
        Ok(OrderView::new(order, driver.as_deref()))
    }
}

/// The caller as somebody who acts.
pub fn actor(caller: Caller) -> Actor {
    Actor { user: caller.user, role: caller.role }
}

impl Lifecycle for Orders {
    fn opened(&self, session: &Arc<Session>) {
        if session.caller.role == Role::Admin && carries_orders(session) {
            self.hub.join(session, ADMINS);
        }
    }

    fn closed(&self, session: &Arc<Session>) {
        if session.caller.role == Role::Driver && carries_orders(session) {
            self.notices.gone(session);
        }
    }

    fn heard(&self, session: &Arc<Session>, sign: Sign) {
        self.heard_sign(session, sign);
    }
}
