//! Where drivers say that they are: one position, or those of a phone that was offline.

use std::time::Duration;

use serde::Deserialize;
use utoipa::ToSchema;

use crate::clock::Timestamp;
use crate::drivers::model::{Fix, Report};
use crate::error::{Error, Fields, Object, Result};
use crate::geo::{Point, latitude, longitude};

/// How far a phone's clock may be ahead (CONTRACT §8).
pub const AHEAD: Duration = Duration::from_secs(60);
/// Positions in one upload.
const MOST_POINTS: usize = 500;
/// Of what is wrong with an upload, so much is told.
const MOST_PROBLEMS: usize = 50;

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
    /// When; now when nothing is said. At most 60 s ahead. Each of several positions must say it.
    #[schema(value_type = Option<Timestamp>)]
    pub timestamp: Option<String>,
}

impl LocationPayload {
    /// The position, checked.
    ///
    /// # Errors
    /// Every field that is not allowed.
    pub fn parse(self, now: Timestamp) -> Result<Report> {
        let mut fields = Fields::new();
        let is_dated = self.timestamp.is_some();
        let fix = self.read(&mut fields, now);
        fields.into_result(fix.map(|fix| Report { fix, is_dated }))
    }

    /// The position as one of several, which could not be told apart without their times.
    fn read_dated(self, fields: &mut Fields, now: Timestamp) -> Option<Fix> {
        if self.timestamp.is_none() {
            fields.reject("timestamp", "is required");
        }
        self.read(fields, now)
    }

    fn read(self, fields: &mut Fields, now: Timestamp) -> Option<Fix> {
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
        let point = lat.zip(lng).and_then(|(lat, lng)| Point::new(lat, lng))?;
        Some(Fix { point, accuracy, heading, speed, battery, at, received_at: now })
    }
}

/// Body of `POST /api/v1/driver/locations`: where a phone was while it was offline.
#[derive(Debug, Deserialize, ToSchema)]
pub struct LocationBatch {
    /// In any order.
    #[schema(required, value_type = Vec<LocationPayload>, min_items = 1, max_items = 500)]
    pub locations: Option<Vec<Object<LocationPayload>>>,
}

impl LocationBatch {
    /// The positions, checked, in their order.
    ///
    /// # Errors
    /// The first 50 fields that are not allowed, as `locations[3].latitude`; `locations` itself
    /// when it is not 1 to 500 positions.
    pub fn parse(self, now: Timestamp) -> Result<Vec<Fix>> {
        let locations = self.locations.unwrap_or_default();
        if !(1..=MOST_POINTS).contains(&locations.len()) {
            let wanted = format!("must be 1 to {MOST_POINTS} positions");
            return Err(Error::invalid("locations", wanted));
        }
        let mut fields = Fields::new();
        let fixes: Vec<_> = locations
            .into_iter()
            .enumerate()
            .map(|(n, Object(location))| {
                let mut of_one = Fields::new();
                let fix = location.read_dated(&mut of_one, now);
                fields.adopt(&format!("locations[{n}]"), of_one);
                fix
            })
            .collect();
        fields.truncate(MOST_PROBLEMS);
        fields.into_result(fixes.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_747_758_600_000);

    fn fields(error: Error) -> Vec<String> {
        error.details.into_iter().map(|detail| detail.field.into_owned()).collect()
    }

    #[test]
    fn everything_wrong_with_a_position_is_told_at_once() {
        let parse = |value| serde_json::from_value::<LocationPayload>(value).unwrap().parse(NOW);
        let Report { fix, is_dated } = parse(json!({"latitude": 0, "longitude": 0})).unwrap();
        assert_eq!((fix.at, fix.point), (NOW, Point::from_stored(0.0, 0.0)));
        assert!(!is_dated);
        let dated = json!({"latitude": 1, "longitude": 1, "timestamp": "2025-05-20T16:30:59Z"});
        assert!(parse(dated).unwrap().is_dated);
        let error = parse(json!({
            "latitude": 91, "accuracy": -1, "heading": 361, "speed": -0.1, "battery_level": 101,
            "timestamp": "2025-05-20T16:31:01Z"
        }));
        let expected =
            ["latitude", "longitude", "accuracy", "heading", "speed", "battery_level", "timestamp"];
        assert_eq!(fields(error.unwrap_err()), expected);
    }

    fn upload(locations: &Value) -> Result<Vec<Fix>> {
        let body = json!({ "locations": locations });
        serde_json::from_value::<LocationBatch>(body).unwrap().parse(NOW)
    }

    fn good() -> Value {
        json!({"latitude": 0, "longitude": 0, "heading": 360, "timestamp": "2025-05-20T16:29:00Z"})
    }

    #[test]
    fn an_upload_is_of_one_to_five_hundred_positions() {
        let fixes = upload(&json!([good(), good()])).unwrap();
        let fix = Fix {
            point: Point::from_stored(0.0, 0.0),
            accuracy: None,
            heading: Some(360.0),
            speed: None,
            battery: None,
            at: NOW - Duration::from_secs(60),
            received_at: NOW,
        };
        assert_eq!(fixes, [fix, fix]);
        assert_eq!(upload(&vec![good(); 500].into()).unwrap().len(), 500);
        for bad in [Value::Null, json!([]), vec![good(); 501].into()] {
            assert_eq!(fields(upload(&bad).unwrap_err()), ["locations"]);
        }
    }

    #[test]
    fn everything_wrong_with_an_upload_is_told_up_to_fifty() {
        let undated = json!({"latitude": 91, "longitude": 1, "heading": -0.1});
        let late = json!({"longitude": 180, "latitude": -90, "timestamp": "2025-05-20T16:31:01Z"});
        let wrong = upload(&json!([undated, good(), late])).unwrap_err();
        let expected = [
            "locations[0].timestamp",
            "locations[0].latitude",
            "locations[0].heading",
            "locations[2].timestamp",
        ];
        assert_eq!(fields(wrong), expected);
        let wrong = fields(upload(&vec![json!({"latitude": 1}); 500].into()).unwrap_err());
        assert_eq!((wrong.len(), wrong[49].as_str()), (50, "locations[24].longitude"));
    }
}
