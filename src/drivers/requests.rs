//! What clients say and ask of drivers, as they write it and as it is once checked.

mod locations;

use std::str::FromStr;

use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

pub use self::locations::{AHEAD, LocationBatch, LocationPayload};
use crate::credentials::Username;
use crate::error::{Fields, Result};
use crate::geo::{Point, latitude, longitude};
use crate::ids::UserId;

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
}
