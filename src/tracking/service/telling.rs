//! Telling what happens to those who follow: where drivers are, in its order, and that there is
//! nothing to follow any more.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::timeout;

use super::{DRIVERS_APART, Tracking, Trip};
use crate::drivers::model::Fix;
use crate::drivers::service::{DriverWatch, Moment};
use crate::error::{Error, Result};
use crate::ids::UserId;
use crate::orders::model::Order;
use crate::orders::service::{OrderWatch, actor};
use crate::tracking::eta::Way;
use crate::tracking::fleet::Badge;
use crate::tracking::wire::DRIVER_LOCATION;

/// Orders that one driver is at whose followers hear of the driver.
const MOST_TRIPS: u32 = 100;
/// Positions of one driver that wait to be told; of more the first are not.
const MOST_UNTOLD: usize = 32;
/// How long it may take to look up who is to hear of a driver.
const LONGEST_LOOKUP: Duration = Duration::from_secs(10);

/// That it is being looked up who is to hear of a driver. When that fails, in whatever way, the next
/// position begins anew.
struct Lookup<'a> {
    tracking: &'a Tracking,
    driver: UserId,
    has_told: bool,
}

impl Drop for Lookup<'_> {
    fn drop(&mut self) {
        if !self.has_told {
            self.tracking.untold().remove(&self.driver);
        }
    }
}

impl Tracking {
    /// The orders that a driver is at.
    pub(in crate::tracking) async fn trips_of(&self, driver: UserId) -> Result<Arc<[Trip]>> {
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

    pub(in crate::tracking) fn untold(&self) -> MutexGuard<'_, HashMap<UserId, VecDeque<Fix>>> {
        self.untold.lock().expect("no panic under this lock")
    }

    /// Looks up who is to hear of a driver, and tells what waits for that in its order. Anew when an
    /// order changes meanwhile: what came behind the change is not told by what was before it.
    async fn tell_untold(&self, driver: UserId) -> Result<()> {
        let mut lookup = Lookup { tracking: self, driver, has_told: false };
        let changes = || self.changes_of(driver).load(Ordering::SeqCst);
        while !lookup.has_told {
            let before = changes();
            let (badge, trips) = (self.badge(driver).await?, self.trips_of(driver).await?);
            let tell = |_: Option<&Fix>| {
                if changes() == before {
                    lookup.has_told = true;
                    let fixes = self.untold().remove(&driver).unwrap_or_default();
                    fixes.iter().for_each(|fix| self.tell(driver, &badge, fix, &trips));
                }
            };
            self.drivers.look(driver, tell).await?;
        }
        Ok(())
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
