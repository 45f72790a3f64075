//! The rules of following orders: who may, what they see, and until when.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::time::Duration;

use async_trait::async_trait;
use quick_cache::sync::Cache;
use tokio::time::timeout;

use super::eta::{Pace, Way};
use super::fleet::Badge;
use super::wire::{DRIVER_LOCATION, DriverLocation, Estimate, Tracked, TrailView};
use crate::auth::service::Auth;
use crate::caller::Caller;
use crate::clock::Timestamp;
use crate::drivers::model::{Fix, Trail};
use crate::drivers::requests::{AHEAD, DriverRef};
use crate::drivers::service::{DriverWatch, Drivers, Moment};
use crate::drivers::v1::OnlineState;
use crate::drivers::wire::Position;
use crate::error::{Error, Result};
use crate::ids::{OrderId, UserId};
use crate::orders::model::Order;
use crate::orders::requests::OrderRef;
use crate::orders::service::{OrderWatch, Orders, actor};
use crate::orders::wire::kilometres;
use crate::realtime::hub::Hub;
use crate::realtime::session::Session;

/// Drivers whose trips are remembered, so that a position costs no query.
const REMEMBERED: usize = 100_000;
/// Orders that one driver is at whose followers hear of the driver.
const MOST_TRIPS: u32 = 100;
/// Audiences that one socket may be in.
const MOST_AUDIENCES: usize = 1000;
/// Positions of one driver that wait to be told; of more the first are not.
const MOST_UNTOLD: usize = 32;
/// How long it may take to look up who is to hear of a driver.
const LONGEST_LOOKUP: Duration = Duration::from_secs(10);
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

    /// The orders that a driver is at.
    pub(super) async fn trips_of(&self, driver: UserId) -> Result<Arc<[Trip]>> {
        match self.trips.get(&driver) {
            Some(trips) => Ok(trips),
            None => self.load_trips(driver).await,
        }
    }

    async fn load_trips(&self, driver: UserId) -> Result<Arc<[Trip]>> {
        let of_driver = self.changes_of(driver);
        let changes = of_driver.load(Ordering::SeqCst);
        let orders = self.orders.under_way(driver, MOST_TRIPS).await?;
        let in_hand = orders.iter().filter(|order| order.driver == Some(driver));
        let trips: Arc<[Trip]> =
            in_hand.map(|order| Trip { order: order.id, way: Way::from(order) }).collect();
        if of_driver.load(Ordering::SeqCst) == changes {
            self.trips.insert(driver, trips.clone());
            if of_driver.load(Ordering::SeqCst) != changes {
                self.trips.remove(&driver);
            }
        }
        Ok(trips)
    }

    pub(super) fn untold(&self) -> MutexGuard<'_, HashMap<UserId, VecDeque<Fix>>> {
        self.untold.lock().expect("no panic under this lock")
    }

    /// Looks up who is to hear of a driver, and tells what waits for that in its order. Anew when an
    /// order changes meanwhile: what came behind the change is not told by what was before it.
    async fn tell_untold(&self, driver: UserId) -> Result<()> {
        let changes = || self.changes_of(driver).load(Ordering::SeqCst);
        loop {
            let before = changes();
            let (badge, trips) = (self.badge(driver).await?, self.trips_of(driver).await?);
            let tell = |_: Option<&Fix>| {
                let unchanged = changes() == before;
                if unchanged {
                    let fixes = self.untold().remove(&driver).unwrap_or_default();
                    fixes.iter().for_each(|fix| self.tell(driver, &badge, fix, &trips));
                }
                unchanged
            };
            if self.drivers.look(driver, tell).await? {
                return Ok(());
            }
        }
    }

    fn changes_of(&self, driver: UserId) -> &AtomicU64 {
        &self.changes[usize::from(driver.bytes()[11]) % DRIVERS_APART]
    }

    fn tell(&self, driver: UserId, badge: &Badge, fix: &Fix, trips: &[Trip]) {
        self.tell_fleet(driver, badge, !trips.is_empty(), fix);
        for trip in trips {
            let location = self.location(driver, trip, fix);
            self.hub.emit(&[trip.order.audience()], &DRIVER_LOCATION, &location);
        }
    }
}

#[async_trait]
impl DriverWatch for Tracking {
    fn erased(&self, driver: UserId) {
        self.badges.remove(&driver);
        self.paces.remove(&driver);
        if let Some(untold) = self.untold().get_mut(&driver) {
            untold.clear();
        }
    }

    async fn available(&self, driver: UserId, _asked: Option<Moment>) {
        self.status_changed(driver);
    }

    async fn unavailable(&self, driver: UserId) {
        self.status_changed(driver);
    }

    fn moved(&self, driver: UserId, fix: &Fix) {
        let pace = self.paces.get(&driver).unwrap_or_default();
        self.paces.insert(driver, pace.after(fix));
        let mut untold = self.untold();
        if let Some(before) = untold.get_mut(&driver) {
            if before.len() == MOST_UNTOLD {
                before.pop_front();
            }
            return before.push_back(*fix);
        }
        if let (Some(trips), Some(badge)) = (self.trips.get(&driver), self.badges.get(&driver)) {
            drop(untold);
            return self.tell(driver, &badge, fix, &trips);
        }
        untold.insert(driver, VecDeque::from([*fix]));
        drop(untold);
        let this = self.this.clone();
        tokio::spawn(async move {
            let Some(tracking) = this.upgrade() else { return };
            let told = timeout(LONGEST_LOOKUP, tracking.tell_untold(driver)).await;
            if let Err(error) = told.unwrap_or_else(|late| Err(Error::internal(late))) {
                tracking.untold().remove(&driver);
                tracing::warn!(%error, %driver, "positions were told to nobody");
            }
        });
    }
}

impl OrderWatch for Tracking {
    /// Who has no part in the order any more does not follow it; nobody follows one that has ended.
    fn changed(&self, before: &Order, order: &Order) {
        for driver in [before.driver, order.driver].into_iter().flatten() {
            self.changes_of(driver).fetch_add(1, Ordering::SeqCst);
            self.trips.remove(&driver);
            self.status_changed(driver);
        }
        let audience = order.id.audience();
        if order.status.is_final() {
            self.hub.leave_all(audience, audience);
            return;
        }
        let followers = self.hub.sessions_in(audience, audience);
        for session in followers {
            if !order.concerns(actor(session.caller)) {
                self.hub.leave(&session, audience);
            }
        }
    }
}
