//! All drivers, for the back office: where each is, live and on demand (CONTRACT §8).

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde::Serialize;
use utoipa::ToSchema;

use super::service::Tracking;
use crate::auth::model::Account;
use crate::caller::{Caller, must_be_admin};
use crate::clock::Timestamp;
use crate::drivers::model::{Fix, Trail};
use crate::drivers::requests::{AHEAD, DriverRef};
use crate::drivers::wire::ADMIN_SOCKET;
use crate::error::Result;
use crate::ids::UserId;
use crate::orders::event_wire::ADMINS;
use crate::realtime::events::ServerEvent;

/// A driver is somewhere, to the back office.
pub const FLEET_LOCATION: ServerEvent<FleetLocation> =
    ServerEvent::latest("driver_location", &[ADMIN_SOCKET], |at| at.user.bytes());

/// What a driver is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DriverStatus {
    /// Offered new orders, and at none.
    Online,
    /// At an order.
    InTransit,
    /// Neither.
    Offline,
}

/// `{driver_id, username, lat, lng, status, heading, speed, accuracy, updated_at}`.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FleetLocation {
    /// The small number.
    pub driver_id: Option<i64>,
    /// Unique name.
    #[schema(value_type = String)]
    pub username: Arc<str>,
    /// What the driver is at.
    pub status: DriverStatus,
    /// Where.
    #[serde(flatten)]
    pub place: FleetPlace,
    #[serde(skip)]
    user: UserId,
}

/// A position as the back office reads it.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct FleetPlace {
    /// Degrees north.
    pub lat: f64,
    /// Degrees east.
    pub lng: f64,
    /// Degrees clockwise from north.
    pub heading: Option<f64>,
    /// Metres per second.
    pub speed: Option<f64>,
    /// Metres.
    pub accuracy: Option<f64>,
    /// When, by the phone's clock.
    pub updated_at: Timestamp,
}

impl From<&Fix> for FleetPlace {
    fn from(fix: &Fix) -> Self {
        Self {
            lat: fix.point.latitude(),
            lng: fix.point.longitude(),
            heading: fix.heading,
            speed: fix.speed,
            accuracy: fix.accuracy,
            updated_at: fix.at,
        }
    }
}

/// A driver, for the back office.
#[derive(Debug, Serialize, ToSchema)]
pub struct FleetDriver {
    /// Id.
    pub id: UserId,
    /// The small number.
    pub driver_id: Option<i64>,
    /// Unique name.
    pub username: String,
    /// What the person is called.
    pub name: Option<String>,
    /// Where a picture is.
    pub image: Option<String>,
    /// What the driver is at.
    pub status: DriverStatus,
    /// Whether new orders are offered.
    pub available: bool,
    /// Where last; `null` where nothing is known.
    pub location: Option<FleetPlace>,
}

/// A point of a driver's way.
#[derive(Debug, Serialize, ToSchema)]
pub struct TrailPoint {
    /// Degrees north.
    pub lat: f64,
    /// Degrees east.
    pub lng: f64,
    /// Degrees clockwise from north.
    pub heading: Option<f64>,
    /// Metres per second.
    pub speed: Option<f64>,
    /// Metres.
    pub accuracy: Option<f64>,
    /// When, by the phone's clock.
    pub timestamp: Timestamp,
}

impl From<&Fix> for TrailPoint {
    fn from(fix: &Fix) -> Self {
        let FleetPlace { lat, lng, heading, speed, accuracy, updated_at } = fix.into();
        Self { lat, lng, heading, speed, accuracy, timestamp: updated_at }
    }
}

/// What is known of a driver for the live map, so that a position costs no query.
#[derive(Debug, Clone)]
pub(super) struct Badge {
    number: Option<i64>,
    username: Arc<str>,
}

impl From<&Account> for Badge {
    fn from(account: &Account) -> Self {
        Self { number: account.driver_number, username: account.username.as_str().into() }
    }
}

impl Tracking {
    /// Drivers with a number after this one, the lowest numbers first.
    ///
    /// # Errors
    /// `forbidden` for who is no admin.
    pub async fn fleet(&self, caller: Caller, after: i64, limit: u32) -> Result<Vec<FleetDriver>> {
        must_be_admin(caller)?;
        let accounts = self.auth.drivers(after, limit).await?;
        let ids: Vec<_> = accounts.iter().map(|account| account.id).collect();
        let fixes: HashMap<_, _> = self.drivers.last_fixes(&ids).await?.into_iter().collect();
        let busy: HashSet<_> = self.orders.busy(&ids).await?.into_iter().collect();
        let show = |account: Account| {
            let available = self.drivers.is_available(account.id);
            FleetDriver {
                id: account.id,
                driver_id: account.driver_number,
                status: status(busy.contains(&account.id), available),
                available,
                location: fixes.get(&account.id).map(FleetPlace::from),
                username: account.username,
                name: account.name,
                image: account.image,
            }
        };
        Ok(accounts.into_iter().map(show).collect())
    }

    /// Where a driver was after some time, the earliest first.
    ///
    /// # Errors
    /// `forbidden` for who is no admin, `not_found` when there is no such driver.
    pub async fn driver_trail(
        &self,
        caller: Caller,
        driver: &DriverRef,
        after: Timestamp,
        limit: u32,
    ) -> Result<Vec<TrailPoint>> {
        must_be_admin(caller)?;
        let driver = self.drivers.driver(driver).await?.id;
        let until = self.hub.clock().now() + AHEAD;
        let fixes = self.drivers.trail(&Trail { driver, after, until, limit }).await?;
        Ok(fixes.iter().map(TrailPoint::from).collect())
    }

    /// Tells the back office where a driver is, if anybody listens there.
    pub(super) fn tell_fleet(&self, driver: UserId, badge: &Badge, busy: bool, fix: &Fix) {
        let location = FleetLocation {
            driver_id: badge.number,
            username: badge.username.clone(),
            status: status(busy, self.drivers.is_available(driver)),
            place: fix.into(),
            user: driver,
        };
        self.hub.emit(&[ADMINS], &FLEET_LOCATION, &location);
    }

    pub(super) async fn badge(&self, driver: UserId) -> Result<Badge> {
        if let Some(badge) = self.badges.get(&driver) {
            return Ok(badge);
        }
        let account = self.drivers.driver(&DriverRef::Id(driver)).await?;
        let badge = Badge::from(account.as_ref());
        self.badges.insert(driver, badge.clone());
        Ok(badge)
    }

    /// Tells the back office that a driver is at something else now.
    pub(super) fn status_changed(&self, driver: UserId) {
        if self.hub.count(ADMINS) == 0 && !self.hub.reaches_others() {
            return;
        }
        let this = self.this.clone();
        tokio::spawn(async move {
            let Some(tracking) = this.upgrade() else { return };
            if let Err(error) = tracking.tell_status(driver).await {
                tracing::warn!(%error, %driver, "the back office was not told of a driver's status");
            }
        });
    }

    async fn tell_status(&self, driver: UserId) -> Result<()> {
        let (badge, trips) = (self.badge(driver).await?, self.trips_of(driver).await?);
        let tell = |fix: Option<&Fix>| {
            // What is untold is told in its order, and with the status there is then.
            if let Some(fix) = fix.filter(|_| !self.untold().contains_key(&driver)) {
                self.tell_fleet(driver, &badge, !trips.is_empty(), fix);
            }
        };
        self.drivers.look(driver, tell).await
    }
}

fn status(busy: bool, available: bool) -> DriverStatus {
    match (busy, available) {
        (true, _) => DriverStatus::InTransit,
        (false, true) => DriverStatus::Online,
        (false, false) => DriverStatus::Offline,
    }
}
