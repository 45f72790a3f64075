//! What those who follow an order get.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::clock::Timestamp;
use crate::drivers::wire::Position;
use crate::error::{Fields, Result};
use crate::ids::{OrderId, UserId};
use crate::orders::wire::OrderView;
use crate::page;
use crate::realtime::events::ServerEvent;

/// Points of a trail that one answer has, usually and at most.
const POINTS: (u32, u32) = (1000, 5000);

/// The driver of an order is somewhere, to those who follow it.
pub const DRIVER_LOCATION: ServerEvent<DriverLocation> =
    ServerEvent::latest("driverLocation", &["/orders"], |at| at.order_id.bytes());

/// `{orderId, driverId, latitude, longitude, heading, speed, timestamp}`, and an estimate.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DriverLocation {
    /// Of which order.
    pub order_id: OrderId,
    /// Who.
    pub driver_id: UserId,
    /// Where.
    #[serde(flatten)]
    pub position: Position,
    /// How far there is still to go.
    #[serde(flatten)]
    pub estimate: Estimate,
}

/// How far an order has still to go: an estimate.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Estimate {
    /// Kilometres to the dropoff in straight lines, over the pickup where it is not fetched yet.
    pub distance_left_km: Option<f64>,
    /// Seconds until it may be there, at the driver's recent speed.
    pub eta_seconds: Option<u64>,
    /// `true`: nobody has looked at the roads.
    pub is_estimate: bool,
}

/// Ack of `trackOrder`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Tracked {
    /// The order.
    pub order: OrderView,
    /// Where its driver was last, while the order is under way.
    pub position: Option<DriverLocation>,
}

/// `{orderId, driverId, points, more, position}`.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TrailView {
    /// Of which order.
    pub order_id: OrderId,
    /// Who brings it.
    pub driver_id: Option<UserId>,
    /// Where that driver was since they had the order, the earliest first.
    pub points: Vec<Position>,
    /// Whether there are later ones: ask again with `after`, the `timestamp` of the last.
    pub more: bool,
    /// Where the driver was last, while the order is under way.
    pub position: Option<DriverLocation>,
}

/// Parameters of `GET /api/orders/:id/track`.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct TrailParams {
    /// Only points later than this time.
    #[param(value_type = Option<Timestamp>)]
    after: Option<String>,
    /// 1 to 5000; 1000 when nothing is said.
    #[param(value_type = Option<u32>)]
    limit: Option<String>,
}

impl TrailParams {
    /// After when, and how many points.
    ///
    /// # Errors
    /// Every parameter that is not allowed.
    pub fn parse(self) -> Result<(Option<Timestamp>, u32)> {
        let mut fields = Fields::new();
        let after = fields.optional("after", self.after, |text| text.parse::<Timestamp>());
        let limit = fields.check(page::limit(self.limit.as_deref(), POINTS.0, POINTS.1));
        Ok((after, fields.into_result(limit)?))
    }
}
