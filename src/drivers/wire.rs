//! Drivers on the wire.

use serde::Serialize;
use utoipa::ToSchema;

use super::model::{Fix, Near};
use crate::auth::model::Account;
use crate::clock::Timestamp;
use crate::ids::UserId;
use crate::realtime::events::ServerEvent;

/// What the driver app's raw WebSocket carries (seed 002).
pub const DRIVER_SOCKET: &str = "ws:driver";
/// Where that is opened, and what its frames are like.
pub const DRIVER_SOCKET_AT: (&str, &str) = (
    "/api/v1/ws/driver/{driver_id}",
    "The driver app's raw WebSocket: `?token=`, frames `{type, data}`.",
);
/// Likewise.
pub const ADMIN_SOCKET_AT: (&str, &str) =
    ("/api/v1/ws/admin", "The back office's raw WebSocket: `?token=`, frames `{type, data}`.");
/// What the raw WebSocket of the back office carries.
pub const ADMIN_SOCKET: &str = "ws:admin";

/// The answer to `ping`.
pub const PONG: ServerEvent<Pong> =
    ServerEvent::state("pong", &["/orders", DRIVER_SOCKET, ADMIN_SOCKET]);
/// The first frame of a raw WebSocket.
pub const CONNECTED: ServerEvent<Connected> =
    ServerEvent::reliable("connected", &[DRIVER_SOCKET, ADMIN_SOCKET]);

/// `{driver_id, server_time}`.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct Connected {
    /// The driver's number; not for admins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub driver_id: Option<i64>,
    /// What the server's clock says.
    pub server_time: Timestamp,
}

/// `{timestamp}`.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct Pong {
    /// What the server's clock says.
    pub timestamp: Timestamp,
}

/// A driver as others see one.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DriverView {
    /// Id.
    pub id: UserId,
    /// The same id, for clients that look for it here.
    #[serde(rename = "_id")]
    pub mongo_id: UserId,
    /// The small number.
    pub driver_id: Option<i64>,
    /// Unique name.
    #[schema(example = "driver1")]
    pub username: String,
    /// What the person is called.
    pub name: Option<String>,
    /// Where a picture is.
    pub image: Option<String>,
}

impl From<&Account> for DriverView {
    fn from(account: &Account) -> Self {
        Self {
            id: account.id,
            mongo_id: account.id,
            driver_id: account.driver_number,
            username: account.username.clone(),
            name: account.name.clone(),
            image: account.image.clone(),
        }
    }
}

/// A position.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct Position {
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
    /// Degrees clockwise from north.
    pub heading: Option<f64>,
    /// Metres per second.
    pub speed: Option<f64>,
    /// Metres.
    pub accuracy: Option<f64>,
    /// When, by the phone's clock.
    pub timestamp: Timestamp,
}

impl From<&Fix> for Position {
    fn from(fix: &Fix) -> Self {
        Self {
            latitude: fix.point.latitude(),
            longitude: fix.point.longitude(),
            heading: fix.heading,
            speed: fix.speed,
            accuracy: fix.accuracy,
            timestamp: fix.at,
        }
    }
}

/// `{driver, available, position}`: what a driver is told of themself.
#[derive(Debug, Serialize, ToSchema)]
pub struct OwnState {
    /// Who.
    pub driver: DriverView,
    /// Whether new orders are offered; `false` for who is not connected.
    pub available: bool,
    /// Where last.
    pub position: Option<Position>,
}

/// A driver near some place. Who it is, only admins learn.
#[derive(Debug, Serialize, ToSchema)]
pub struct NearbyDriver {
    /// Where.
    #[serde(flatten)]
    pub position: Position,
    /// Metres from the place asked about.
    pub distance: f64,
    /// For admins: who.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub driver: Option<DriverView>,
    /// For admins: whether new orders are offered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub available: Option<bool>,
}

impl NearbyDriver {
    /// A driver as anybody sees them.
    pub fn anonymous(near: &Near) -> Self {
        let position = Position::from(&near.fix);
        Self { position, distance: near.distance.round(), driver: None, available: None }
    }
}

/// `{drivers, count}`.
#[derive(Debug, Serialize, ToSchema)]
pub struct NearbyDrivers {
    /// The nearest first.
    pub drivers: Vec<NearbyDriver>,
    /// How many.
    pub count: usize,
}

/// `{available}`.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct Availability {
    /// Whether new orders are offered.
    pub available: bool,
}
