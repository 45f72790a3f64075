//! Places as GeoJSON, which the database has indexes for.

use mongodb::bson::{Bson, doc};
use serde::{Deserialize, Serialize};

use crate::geo::Point;

/// What the database takes for the radius of the earth, in metres: it measures by another one
/// than [`Point::distance`] does.
pub(crate) const EARTH_RADIUS: f64 = 6_378_100.0;

/// A GeoJSON point.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct GeoPoint {
    #[serde(rename = "type")]
    kind: Kind,
    /// Longitude, latitude.
    coordinates: [f64; 2],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Kind {
    Point,
}

impl From<Point> for GeoPoint {
    fn from(point: Point) -> Self {
        Self { kind: Kind::Point, coordinates: [point.longitude(), point.latitude()] }
    }
}

impl From<GeoPoint> for Bson {
    fn from(GeoPoint { coordinates, .. }: GeoPoint) -> Self {
        doc! { "type": "Point", "coordinates": coordinates.to_vec() }.into()
    }
}

impl From<GeoPoint> for Point {
    fn from(GeoPoint { coordinates: [longitude, latitude], .. }: GeoPoint) -> Self {
        Self::from_stored(latitude, longitude)
    }
}
