//! Drivers and positions as documents.

use mongodb::bson::oid::ObjectId;
use mongodb::bson::{DateTime, Document, doc};
use serde::{Deserialize, Serialize};

use crate::drivers::model::{Fix, Near};
use crate::geo::Point;
use crate::ids::UserId;
use crate::store::mongo::geo::GeoPoint;

/// A driver as a document.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct DriverRow {
    #[serde(rename = "_id")]
    id: ObjectId,
    available: bool,
    pub(super) position: Option<FixRow>,
}

impl DriverRow {
    /// Who, and where last; nothing without a position.
    pub(super) fn last(self) -> Option<(UserId, Fix)> {
        Some((self.id.into(), Fix::from(self.position?)))
    }

    /// The driver as seen from `place`; nothing without a position.
    pub(super) fn seen_from(self, place: Point) -> Option<Near> {
        let fix = Fix::from(self.position?);
        Some(Near {
            driver: self.id.into(),
            fix,
            is_available: self.available,
            distance: place.distance(fix.point),
        })
    }
}

/// A position as a document, the last one or one of the history.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct FixRow {
    point: GeoPoint,
    accuracy: Option<f64>,
    heading: Option<f64>,
    speed: Option<f64>,
    battery_level: Option<f64>,
    timestamp: DateTime,
    received_at: DateTime,
}

impl From<FixRow> for Fix {
    fn from(row: FixRow) -> Self {
        Self {
            point: row.point.into(),
            accuracy: row.accuracy,
            heading: row.heading,
            speed: row.speed,
            battery: row.battery_level,
            at: row.timestamp.into(),
            received_at: row.received_at.into(),
        }
    }
}

/// What [`FixRow`] reads.
pub(super) fn position(fix: &Fix) -> Document {
    let mut row = doc! { "point": GeoPoint::from(fix.point) };
    let optional = [
        ("accuracy", fix.accuracy),
        ("heading", fix.heading),
        ("speed", fix.speed),
        ("battery_level", fix.battery),
    ];
    row.extend(
        optional.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.into()))),
    );
    row.insert("timestamp", fix.at);
    row.insert("received_at", fix.received_at);
    row
}

/// A position in the history of a driver.
pub(super) fn location(driver: UserId, fix: &Fix) -> Document {
    let mut row = doc! { "driver": driver };
    row.extend(position(fix));
    row
}
