//! What seed 000's clients send and get.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::clock::Timestamp;
use crate::drivers::model::{Fix, Report};
use crate::drivers::requests::DriverRef;
use crate::error::{Fields, Result};
use crate::geo::{Point, latitude, longitude};
use crate::ids::UserId;
use crate::realtime::events::ServerEvent;

/// What the raw WebSocket at `/` carries.
pub const LOCATION_SOCKET: &str = "ws:location";

/// Where a watched driver is. On the wire it has no name: the frame is the payload.
pub const LOCATION: ServerEvent<WatchedLocation> =
    ServerEvent::latest("location", &[LOCATION_SOCKET], |at| at.driver.bytes());
/// A watched driver has said nothing for long. A frame of its own, too.
pub const OFFLINE: ServerEvent<OfflineDriver> =
    ServerEvent::latest("offline", &[LOCATION_SOCKET], |gone: &OfflineDriver| gone.driver.bytes())
        .instead_of("location");

/// `{username, name, lat, long}`, and more.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct WatchedLocation {
    /// Unique name.
    #[schema(value_type = String, example = "driver1")]
    pub username: Arc<str>,
    /// What the person is called; the username where nobody said.
    #[schema(value_type = String, example = "Josh")]
    pub name: Arc<str>,
    /// Degrees north.
    pub lat: f64,
    /// Degrees east.
    pub long: f64,
    /// Degrees clockwise from north.
    pub heading: Option<f64>,
    /// Metres per second.
    pub speed: Option<f64>,
    /// When, by the driver's clock.
    #[serde(rename = "lastUpdate")]
    pub last_update: Timestamp,
    #[serde(skip)]
    pub(super) driver: UserId,
}

/// Whom a watcher sees.
#[derive(Debug, Clone)]
pub(super) struct Watched {
    pub(super) driver: UserId,
    pub(super) username: Arc<str>,
    pub(super) name: Arc<str>,
}

impl Watched {
    pub(super) fn at(&self, fix: &Fix) -> WatchedLocation {
        WatchedLocation {
            username: self.username.clone(),
            name: self.name.clone(),
            lat: fix.point.latitude(),
            long: fix.point.longitude(),
            heading: fix.heading,
            speed: fix.speed,
            last_update: fix.at,
            driver: self.driver,
        }
    }

    pub(super) fn offline(&self, since: Option<&Fix>) -> OfflineDriver {
        OfflineDriver {
            error_code: "OFFLINE_DRIVER",
            error_message: "Driver has been offline for a while now",
            last_update: since.map(|fix| fix.at),
            username: self.username.clone(),
            driver: self.driver,
        }
    }
}

/// `{errorCode, errorMessage, lastUpdate}`.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OfflineDriver {
    /// `OFFLINE_DRIVER`.
    #[schema(value_type = String, example = "OFFLINE_DRIVER")]
    pub error_code: &'static str,
    /// A sentence for people.
    #[schema(value_type = String)]
    pub error_message: &'static str,
    /// When the driver last said something; `null` for never.
    pub last_update: Option<Timestamp>,
    /// Who.
    #[schema(value_type = String)]
    pub username: Arc<str>,
    #[serde(skip)]
    driver: UserId,
}

/// `{lat, long}`: `locationUpdate`, and body of `POST /driver/update`.
#[derive(Debug, Deserialize, ToSchema)]
pub struct LatLong {
    /// Degrees north.
    #[schema(required, value_type = f64, example = 40.7128)]
    pub lat: Option<f64>,
    /// Degrees east.
    #[schema(required, value_type = f64, example = 74.006)]
    pub long: Option<f64>,
}

impl LatLong {
    /// The position, now.
    ///
    /// # Errors
    /// Every field that is not allowed.
    pub fn parse(self, now: Timestamp) -> Result<Report> {
        let mut fields = Fields::new();
        let lat = fields.require("lat", self.lat, latitude);
        let long = fields.require("long", self.long, longitude);
        let point = lat.zip(long).and_then(|(lat, long)| Point::new(lat, long));
        let of_now = |point| Fix {
            point,
            accuracy: None,
            heading: None,
            speed: None,
            battery: None,
            at: now,
            received_at: now,
        };
        fields.into_result(point.map(|point| Report { fix: of_now(point), is_dated: false }))
    }
}

/// `{driverId}`: `watch` and `unwatch`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WatchPayload {
    /// The driver's username, number or id.
    #[schema(required, value_type = String, example = "driver1")]
    #[serde(default, deserialize_with = "crate::orders::requests::text_or_number")]
    pub driver_id: Option<String>,
}

impl WatchPayload {
    /// The driver.
    ///
    /// # Errors
    /// `validation_failed` for what names none.
    pub fn parse(self) -> Result<DriverRef> {
        let mut fields = Fields::new();
        let driver = fields.require("driverId", self.driver_id, |text| text.parse());
        fields.into_result(driver)
    }
}

/// `{role, token}`: `auth`. What a client calls its role counts for nothing; its account does.
#[derive(Debug, Deserialize, ToSchema)]
pub struct AuthPayload {
    /// `driver` or `client`.
    pub role: Option<String>,
    /// Access token.
    #[schema(required, value_type = String)]
    pub token: Option<String>,
}

/// Answer of `POST /login`.
#[derive(Debug, Serialize, ToSchema)]
pub struct DriverToken {
    /// Access token.
    pub token: String,
    /// Whose it is.
    pub driver: LocationDriver,
}

/// A driver as seed 000's clients know them.
#[derive(Debug, Serialize, ToSchema)]
pub struct LocationDriver {
    /// The username.
    #[schema(example = "driver1")]
    pub id: String,
    /// The same.
    pub username: String,
    /// What the person is called; the username where nobody said.
    #[schema(example = "Josh")]
    pub name: String,
    /// Where a picture is.
    #[schema(example = "driver1.png")]
    pub image: Option<String>,
}

/// `{success: true}`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Updated {
    /// `true`.
    #[schema(example = true)]
    pub success: bool,
}
