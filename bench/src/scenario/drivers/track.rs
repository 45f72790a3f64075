//! Where a driver says it is: one step to the north with each update, at times that follow from the first. So everybody
//! who is told a position, and the store, can be held to it.

use jiff::Timestamp;
use serde::Deserialize;

/// Degrees from one position to the next, about 1.1 m; and from one driver to the next.
const STRIDE: f64 = 1e-5;
const APART: f64 = 1e-3;
/// Where the first driver begins.
const SOUTH: f64 = 40.0;
const WEST: f64 = 10.0;
/// What may be lost of a number on its way, in degrees.
const TOLERANCE: f64 = 1e-7;

/// The way of a driver. Its positions are counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Track {
    /// The driver's place among all.
    pub driver: usize,
    /// The time of its first position, in ms since 1970.
    pub first: i64,
    /// From one position to the next, in ms.
    pub step: i64,
}

/// A position in the store's history of a driver.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Stored {
    pub lat: f64,
    pub lng: f64,
    pub timestamp: String,
}

impl Track {
    /// The frame that tells a position.
    pub fn update(&self, number: u64) -> String {
        let (lat, lng) = (self.lat(number), self.lng());
        let at = self.timestamp(number);
        format!(
            "{{\"type\":\"location_update\",\"data\":{{\"latitude\":{lat:.5},\"longitude\":{lng:.5},\"accuracy\":8.5,\
             \"heading\":0.0,\"speed\":11.1,\"battery_level\":75,\"timestamp\":\"{at:.3}\"}}}}"
        )
    }

    /// Which position of this track is there; none if it is none.
    pub fn number(&self, lat: f64, lng: f64) -> Option<u64> {
        let number = ((lat - SOUTH) / STRIDE).round();
        let is_one = (1.0..1e9).contains(&number);
        let number = is_one.then_some(number as u64)?;
        let is_near = |found: f64, meant: f64| (found - meant).abs() < TOLERANCE;
        (is_near(lat, self.lat(number)) && is_near(lng, self.lng())).then_some(number)
    }

    /// What is wrong with a history that must have the first so many positions but for so many that the server did not
    /// take, each once, the earliest first, and no others.
    pub fn compare(&self, stored: &[Stored], sent: u64, missing: u64) -> Option<String> {
        let mut last = 0;
        for found in stored {
            match self.stored_number(found).filter(|number| (last + 1..=sent).contains(number)) {
                Some(number) => last = number,
                None => return Some(format!("after position {last} stands {found:?}")),
            }
        }
        let (count, due) = (stored.len() as u64, sent - missing.min(sent));
        (count != due).then(|| format!("{count} of {due} positions are stored"))
    }

    fn stored_number(&self, stored: &Stored) -> Option<u64> {
        let number = self.number(stored.lat, stored.lng)?;
        let at = stored.timestamp.parse::<Timestamp>().ok()?;
        (at == self.timestamp(number)).then_some(number)
    }

    fn lat(&self, number: u64) -> f64 {
        SOUTH + STRIDE * number as f64
    }

    fn lng(&self) -> f64 {
        WEST + APART * self.driver as f64
    }

    fn timestamp(&self, number: u64) -> Timestamp {
        let millis = self.first + self.step * i64::try_from(number.saturating_sub(1)).unwrap_or(0);
        Timestamp::from_millisecond(millis).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACK: Track = Track { driver: 7, first: 1_790_000_000_000, step: 10_000 };

    fn stored(number: u64) -> Stored {
        let timestamp = TRACK.timestamp(number).to_string();
        Stored { lat: TRACK.lat(number), lng: TRACK.lng(), timestamp }
    }

    #[test]
    fn an_update_says_where_and_when() {
        let update: serde_json::Value = serde_json::from_str(&TRACK.update(3)).expect("JSON");
        assert_eq!(update["type"], "location_update");
        let (lat, lng) = (&update["data"]["latitude"], &update["data"]["longitude"]);
        let number = TRACK.number(lat.as_f64().expect("lat"), lng.as_f64().expect("lng"));
        assert_eq!(number, Some(3));
        assert_eq!(update["data"]["timestamp"], "2026-09-21T14:13:40.000Z");
    }

    #[test]
    fn positions_of_others_and_between_are_none() {
        let other = Track { driver: 8, ..TRACK };
        assert_eq!(TRACK.number(other.lat(3), other.lng()), None, "another driver's");
        assert_eq!(TRACK.number(TRACK.lat(3) + STRIDE / 2.0, TRACK.lng()), None, "between two");
        assert_eq!(TRACK.number(TRACK.lat(0), TRACK.lng()), None, "before the first");
        assert_eq!(TRACK.number(f64::NAN, TRACK.lng()), None);
        assert_eq!(TRACK.number(TRACK.lat(400_000), TRACK.lng()), Some(400_000));
    }

    #[test]
    fn a_history_must_be_whole_in_order_and_to_the_millisecond() {
        let whole: Vec<_> = (1..=4).map(stored).collect();
        assert_eq!(TRACK.compare(&whole, 4, 0), None);
        assert!(TRACK.compare(&whole, 5, 0).is_some(), "one is lost");
        assert!(TRACK.compare(&whole, 3, 0).is_some(), "one too many");
        assert!(TRACK.compare(&[stored(1), stored(3), stored(2), stored(4)], 4, 0).is_some());
        assert!(TRACK.compare(&[stored(1), stored(1)], 2, 0).is_some(), "one twice");
        let late = Stored { timestamp: TRACK.timestamp(2).to_string(), ..stored(1) };
        assert!(TRACK.compare(&[late], 1, 0).is_some(), "another time");
    }

    #[test]
    fn what_was_not_taken_is_not_in_a_history() {
        let partial = [stored(1), stored(4)];
        assert_eq!(TRACK.compare(&partial, 4, 2), None);
        assert!(TRACK.compare(&partial, 4, 1).is_some(), "one is lost");
        assert!(TRACK.compare(&partial, 4, 3).is_some(), "one was stored all the same");
    }
}
