//! What clients say and ask of drivers, as they write it and as it is once checked.

use std::str::FromStr;
use std::time::Duration;

use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::model::Fix;
use crate::clock::Timestamp;
use crate::credentials::Username;
use crate::error::{Fields, Result};
use crate::geo::{Point, latitude, longitude};
use crate::ids::UserId;

/// How far a phone's clock may be ahead (CONTRACT §8).
pub const AHEAD: Duration = Duration::from_secs(60);
/// Metres around a place, when nothing is said.
const USUAL_RADIUS: f64 = 5000.0;
/// The same, at most.
const MOST_RADIUS: f64 = 50_000.0;

/// How a driver is named: by id, number or username (CONTRACT §1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DriverRef {
    /// `_id`.
    Id(UserId),
    /// `driver_id` on `/api/v1`.
    Number(i64),
    /// The username's key: compared without regard to case.
    Username(String),
}

/// A text that names no driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be the id, the number or the username of a driver")]
pub struct InvalidDriverRef;

impl FromStr for DriverRef {
    type Err = InvalidDriverRef;

    fn from_str(text: &str) -> std::result::Result<Self, InvalidDriverRef> {
        if let Ok(id) = text.parse() {
            return Ok(Self::Id(id));
        }
        if text.bytes().all(|byte| byte.is_ascii_digit()) {
            return text.parse().map(Self::Number).map_err(|_| InvalidDriverRef);
        }
        text.parse::<Username>()
            .map(|name| Self::Username(name.key()))
            .map_err(|_| InvalidDriverRef)
    }
}

/// Payload of `location_update` and body of `POST /api/drivers/me/location`.
#[derive(Debug, Deserialize, ToSchema)]
pub struct LocationPayload {
    /// Degrees north, −90 to 90.
    #[schema(required, value_type = f64, example = 28.7041)]
    pub latitude: Option<f64>,
    /// Degrees east, −180 to 180.
    #[schema(required, value_type = f64, example = 77.1025)]
    pub longitude: Option<f64>,
    /// Metres.
    #[schema(example = 10.5)]
    pub accuracy: Option<f64>,
    /// Degrees clockwise from north, 0 to 360.
    #[schema(example = 180.0)]
    pub heading: Option<f64>,
    /// Metres per second.
    #[schema(example = 12.5)]
    pub speed: Option<f64>,
    /// Percent.
    #[schema(example = 75)]
    pub battery_level: Option<f64>,
    /// When; now when nothing is said. At most 60 s ahead.
    #[schema(value_type = Option<Timestamp>)]
    pub timestamp: Option<String>,
}

impl LocationPayload {
    /// The position, checked.
    ///
    /// # Errors
    /// Every field that is not allowed.
    pub fn parse(self, now: Timestamp) -> Result<Fix> {
        let mut fields = Fields::new();
        let lat = fields.require("latitude", self.latitude, latitude);
        let lng = fields.require("longitude", self.longitude, longitude);
        let least = |value: f64| {
            if value >= 0.0 && value.is_finite() { Ok(value) } else { Err("must be 0 or more") }
        };
        let accuracy = fields.optional("accuracy", self.accuracy, least);
        let heading = fields.optional("heading", self.heading, |value| {
            if (0.0..=360.0).contains(&value) { Ok(value) } else { Err("must be 0 to 360") }
        });
        let speed = fields.optional("speed", self.speed, least);
        let battery = fields.optional("battery_level", self.battery_level, |value| {
            if (0.0..=100.0).contains(&value) { Ok(value) } else { Err("must be 0 to 100") }
        });
        let at = fields.optional("timestamp", self.timestamp, |text| {
            let at: Timestamp =
                text.parse().map_err(|_| "must be a time as in 2025-05-20T16:30:00Z")?;
            if at <= now + AHEAD { Ok(at) } else { Err("must not be over 60 s ahead") }
        });
        let at = at.unwrap_or(now);
        let point = lat.zip(lng).and_then(|(lat, lng)| Point::new(lat, lng));
        fields.into_result(point.map(|point| Fix {
            point,
            accuracy,
            heading,
            speed,
            battery,
            at,
            received_at: now,
        }))
    }
}

/// Payload of `setAvailability` and body of `PUT /api/drivers/me/availability`.
#[derive(Debug, Deserialize, ToSchema)]
pub struct AvailabilityPayload {
    /// Whether new orders are to be offered.
    #[schema(required, value_type = bool)]
    pub available: Option<bool>,
}

impl AvailabilityPayload {
    /// Whether new orders are to be offered.
    ///
    /// # Errors
    /// `validation_failed` when nothing is said.
    pub fn parse(self) -> Result<bool> {
        let mut fields = Fields::new();
        let available =
            fields.require("available", self.available, Ok::<_, std::convert::Infallible>);
        fields.into_result(available)
    }
}

/// Parameters of `GET /api/drivers/nearby`.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct NearbyParams {
    /// Degrees north.
    #[param(required, value_type = f64)]
    lat: Option<String>,
    /// Degrees east.
    #[param(required, value_type = f64)]
    lng: Option<String>,
    /// Metres, up to 50000; 5000 when nothing is said.
    #[param(value_type = Option<f64>)]
    radius: Option<String>,
}

impl NearbyParams {
    /// The place, and metres around it.
    ///
    /// # Errors
    /// Every parameter that is not allowed.
    pub fn parse(self) -> Result<(Point, f64)> {
        let mut fields = Fields::new();
        let number = |text: String| text.parse::<f64>().unwrap_or(f64::NAN);
        let lat = fields.require("lat", self.lat, |text| latitude(number(text)));
        let lng = fields.require("lng", self.lng, |text| longitude(number(text)));
        let radius = fields.optional("radius", self.radius, |text| {
            let metres = number(text);
            if metres > 0.0 { Ok(metres.min(MOST_RADIUS)) } else { Err("must be over 0 metres") }
        });
        let point = lat.zip(lng).and_then(|(lat, lng)| Point::new(lat, lng));
        fields.into_result(point.map(|point| (point, radius.unwrap_or(USUAL_RADIUS))))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_driver_is_named_by_id_number_or_username() {
        let id = "507f1f77bcf86cd799439011";
        assert_eq!(id.parse(), Ok(DriverRef::Id(id.parse().unwrap())));
        assert_eq!("123".parse(), Ok(DriverRef::Number(123)));
        assert_eq!("Driver1".parse(), Ok(DriverRef::Username("driver1".into())));
        for bad in ["", "-1", "1x", "99999999999999999999"] {
            assert_eq!(bad.parse::<DriverRef>(), Err(InvalidDriverRef), "{bad}");
        }
    }

    #[test]
    fn everything_wrong_with_a_position_is_told_at_once() {
        let now = Timestamp::from_millis(1_747_758_600_000);
        let parse = |value| serde_json::from_value::<LocationPayload>(value).unwrap().parse(now);
        let fix = parse(json!({"latitude": 0, "longitude": 0})).unwrap();
        assert_eq!((fix.at, fix.point), (now, Point::from_stored(0.0, 0.0)));
        assert!(
            parse(json!({"latitude": 1, "longitude": 1, "timestamp": "2025-05-20T16:30:59Z"}))
                .is_ok()
        );
        let error = parse(json!({
            "latitude": 91, "accuracy": -1, "heading": 361, "speed": -0.1, "battery_level": 101,
            "timestamp": "2025-05-20T16:31:01Z"
        }));
        let fields: Vec<_> = error.unwrap_err().details.into_iter().map(|d| d.field).collect();
        let expected =
            ["latitude", "longitude", "accuracy", "heading", "speed", "battery_level", "timestamp"];
        assert_eq!(fields, expected);
    }
}
