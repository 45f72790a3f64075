//! The rules of following orders: who may, what they see, and until when.

mod telling;

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use quick_cache::sync::Cache;

use super::eta::{Pace, Way};
use super::fleet::Badge;
use super::wire::{DriverLocation, Estimate, Tracked, TrailView};
use crate::auth::service::Auth;
use crate::caller::Caller;
use crate::clock::Timestamp;
use crate::drivers::model::{Fix, Trail};
use crate::drivers::requests::{AHEAD, DriverRef};
use crate::drivers::service::Drivers;
use crate::drivers::v1::OnlineState;
use crate::drivers::wire::Position;
use crate::error::{Error, Result};
use crate::ids::{OrderId, UserId};
use crate::orders::model::Order;
use crate::orders::requests::OrderRef;
use crate::orders::service::{Orders, actor};
use crate::orders::wire::kilometres;
use crate::realtime::hub::Hub;
use crate::realtime::session::Session;

/// Drivers whose trips are remembered, so that a position costs no query.
const REMEMBERED: usize = 100_000;
/// Audiences that one socket may be in.
const MOST_AUDIENCES: usize = 1000;
/// Counters that drivers share by their ids.
const DRIVERS_APART: usize = 256;

/// An order that a driver is at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Trip {
    order: OrderId,
    way: Way,
}

/// Following orders.
pub struct Tracking {
    pub(super) auth: Arc<Auth>,
    pub(super) orders: Arc<Orders>,
    pub(super) drivers: Arc<Drivers>,
    pub(super) hub: Arc<Hub>,
    trips: Cache<UserId, Arc<[Trip]>>,
    /// Counts changes of the orders of some drivers: trips that were looked up before one may not
    /// be so after it.
    changes: [AtomicU64; DRIVERS_APART],
    paces: Cache<UserId, Pace>,
    /// Positions of drivers of whom it is being looked up who is to hear of them.
    untold: Mutex<HashMap<UserId, VecDeque<Fix>>>,
    pub(super) badges: Cache<UserId, Badge>,
    pub(super) this: Weak<Self>,
}

impl Tracking {
    /// Nobody follows anything yet.
    pub fn new(
        auth: &Arc<Auth>,
        orders: &Arc<Orders>,
        drivers: &Arc<Drivers>,
        hub: &Arc<Hub>,
    ) -> Arc<Self> {
        Arc::new_cyclic(|this| Self {
            auth: auth.clone(),
            orders: orders.clone(),
            drivers: drivers.clone(),
            hub: hub.clone(),
            trips: Cache::new(REMEMBERED),
            changes: std::array::from_fn(|_| AtomicU64::new(0)),
            paces: Cache::new(REMEMBERED),
            untold: Mutex::default(),
            badges: Cache::new(REMEMBERED),
            this: this.clone(),
        })
    }

    /// Counts an event against the caller's limit, as REST requests are.
    ///
    /// # Errors
    /// `rate_limited`.
    pub fn count(&self, caller: Caller) -> Result<()> {
        self.orders.count(caller)
    }

    /// Lets a socket follow an order: from here on it hears how far it comes and where its driver
    /// is, until the order ends.
    ///
    /// # Errors
    /// `not_found` for an order that is none of the caller's business, `forbidden` for a driver who
    /// has not taken it, `validation_failed` when the socket follows too much.
    pub async fn track(&self, session: &Arc<Session>, named: OrderRef) -> Result<Tracked> {
        let order = self.followed(session.caller, named).await?;
        let audience = order.id.audience();
        if !session.is_in(audience) && session.audience_count() >= MOST_AUDIENCES {
            return Err(Error::invalid("orderId", "is one too many: untrack some orders first"));
        }
        self.hub.join(session, audience);
        // Again, so that nothing is missed in between.
        let order = self.followed(session.caller, OrderRef::Id(order.id)).await;
        if order.as_ref().is_ok_and(|order| !order.status.is_final()) {
            let order = order?;
            let position = self.position(&order).await?;
            return Ok(Tracked { order: self.orders.show(&order).await?, position });
        }
        self.hub.leave(session, audience);
        Ok(Tracked { order: self.orders.show(&order?).await?, position: None })
    }

    /// Ends what [`Tracking::track`] began.
    ///
    /// # Errors
    /// As [`Tracking::track`].
    pub async fn untrack(&self, session: &Session, named: OrderRef) -> Result<()> {
        let id = match named {
            OrderRef::Id(id) => id,
            OrderRef::Number(_) => self.orders.order(session.caller, named).await?.id,
        };
        if !session.is_in(id.audience()) {
            self.orders.order(session.caller, named).await?;
        }
        self.hub.leave(session, id.audience());
        Ok(())
    }

    async fn followed(&self, caller: Caller, named: OrderRef) -> Result<Order> {
        let order = self.orders.order(caller, named).await?;
        if order.concerns(actor(caller)) {
            Ok(order)
        } else {
            Err(Error::forbidden("Only those who have a part in the order can follow it"))
        }
    }

    async fn position(&self, order: &Order) -> Result<Option<DriverLocation>> {
        let Some(driver) = order.driver.filter(|_| order.status.is_under_way()) else {
            return Ok(None);
        };
        // Where a driver was long before the trip is nobody's business.
        let of_trip = |fix: &Fix| {
            self.drivers.counts(fix) || order.taken_at().is_some_and(|since| fix.at >= since)
        };
        let fix = self.drivers.last_fix(driver).await?.filter(of_trip);
        let trip = Trip { order: order.id, way: Way::from(order) };
        Ok(fix.map(|fix| self.location(driver, &trip, &fix)))
    }

    fn location(&self, driver: UserId, trip: &Trip, fix: &Fix) -> DriverLocation {
        let pace = self.paces.get(&driver).unwrap_or_default();
        let metres = trip.way.metres(fix.point);
        DriverLocation {
            order_id: trip.order,
            driver_id: driver,
            position: Position::from(fix),
            estimate: Estimate {
                distance_left_km: metres.map(kilometres),
                eta_seconds: metres.map(|metres| pace.seconds(metres)),
                is_estimate: true,
            },
        }
    }

    /// Where the driver of an order was since they had it.
    ///
    /// # Errors
    /// As [`Tracking::track`].
    pub async fn trail(
        &self,
        caller: Caller,
        named: OrderRef,
        after: Option<Timestamp>,
        limit: u32,
    ) -> Result<TrailView> {
        let order = self.followed(caller, named).await?;
        let mut points = match (order.driver, order.taken_at()) {
            (Some(driver), Some(taken_at)) => {
                let ended = order.status.is_final().then_some(order.updated_at);
                let first = taken_at - Duration::from_millis(1);
                let after = after.map_or(first, |after| after.max(first));
                let until = ended.unwrap_or_else(|| self.hub.clock().now() + AHEAD);
                let trail = Trail { driver, after, until, limit: limit + 1 };
                self.drivers.trail(&trail).await?
            }
            _ => Vec::new(),
        };
        let more = points.len() > limit as usize;
        points.truncate(limit as usize);
        Ok(TrailView {
            order_id: order.id,
            driver_id: order.driver,
            points: points.iter().map(Position::from).collect(),
            more,
            position: self.position(&order).await?,
        })
    }

    /// Says for a driver whether new orders are to be offered to them.
    ///
    /// # Errors
    /// `not_found` when there is no such driver.
    pub async fn set_driver_online(&self, driver: &DriverRef, online: bool) -> Result<OnlineState> {
        let driver = self.drivers.driver(driver).await?.id;
        self.drivers.set_online(driver, online).await
    }
}
