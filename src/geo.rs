//! Places on the globe and the straight line between two.

use serde::Serialize;
use utoipa::ToSchema;

/// Mean radius of the earth in metres (IUGG).
pub(crate) const EARTH_RADIUS: f64 = 6_371_008.8;

/// A place: degrees of WGS 84, within their ranges.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct Point {
    latitude: f64,
    longitude: f64,
}

/// Why something is no latitude.
pub const LATITUDE_RANGE: &str = "must be a number from -90 to 90";
/// Why something is no longitude.
pub const LONGITUDE_RANGE: &str = "must be a number from -180 to 180";

/// A latitude in degrees.
///
/// # Errors
/// Not within −90…90.
pub fn latitude(degrees: f64) -> Result<f64, &'static str> {
    if (-90.0..=90.0).contains(&degrees) { Ok(degrees) } else { Err(LATITUDE_RANGE) }
}

/// A longitude in degrees.
///
/// # Errors
/// Not within −180…180.
pub fn longitude(degrees: f64) -> Result<f64, &'static str> {
    if (-180.0..=180.0).contains(&degrees) { Ok(degrees) } else { Err(LONGITUDE_RANGE) }
}

impl Point {
    /// The place at these degrees; `None` out of range.
    pub fn new(lat: f64, lng: f64) -> Option<Self> {
        Some(Self { latitude: latitude(lat).ok()?, longitude: longitude(lng).ok()? })
    }

    /// A place that was checked before it was stored.
    pub const fn from_stored(latitude: f64, longitude: f64) -> Self {
        Self { latitude, longitude }
    }

    /// Degrees north.
    pub const fn latitude(self) -> f64 {
        self.latitude
    }

    /// Degrees east.
    pub const fn longitude(self) -> f64 {
        self.longitude
    }

    /// Metres along the great circle (haversine).
    pub fn distance(self, other: Self) -> f64 {
        let (from, to) = (self.latitude.to_radians(), other.latitude.to_radians());
        let half_lat = (to - from) / 2.0;
        let half_lng = (other.longitude - self.longitude).to_radians() / 2.0;
        let chord = half_lat.sin().powi(2) + from.cos() * to.cos() * half_lng.sin().powi(2);
        2.0 * EARTH_RADIUS * chord.min(1.0).sqrt().asin()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn place() -> impl Strategy<Value = Point> {
        (-90.0..=90.0, -180.0..=180.0).prop_map(|(lat, lng)| Point::new(lat, lng).unwrap())
    }

    proptest! {
        #[test]
        fn a_distance_is_the_same_both_ways_and_at_most_half_way_round(one in place(), other in place()) {
            let metres = one.distance(other);
            prop_assert!((0.0..=std::f64::consts::PI * EARTH_RADIUS).contains(&metres), "{metres}");
            prop_assert!((metres - other.distance(one)).abs() < 1e-3);
        }

        #[test]
        fn no_numbers_make_a_place_off_the_globe(lat: f64, lng: f64) {
            let is_on_it = lat.abs() <= 90.0 && lng.abs() <= 180.0;
            prop_assert_eq!(Point::new(lat, lng).is_some(), is_on_it);
        }
    }

    #[test]
    fn a_place_is_on_the_globe() {
        assert!(Point::new(0.0, 0.0).is_some());
        assert!(Point::new(90.0, -180.0).is_some());
        for (lat, lng) in [(90.1, 0.0), (0.0, 180.1), (f64::NAN, 0.0), (0.0, f64::INFINITY)] {
            assert!(Point::new(lat, lng).is_none(), "{lat} {lng}");
        }
    }

    #[test]
    fn a_degree_of_the_equator_is_111_kilometres_also_over_the_date_line() {
        let at = |lat, lng| Point::from_stored(lat, lng);
        for (one, other) in [(at(0.0, 0.0), at(0.0, 1.0)), (at(0.0, 179.5), at(0.0, -179.5))] {
            assert!((one.distance(other) - 111_195.0).abs() < 1.0, "{}", one.distance(other));
        }
        assert!(at(12.0, 34.0).distance(at(12.0, 34.0)) < 1e-6);
    }
}
