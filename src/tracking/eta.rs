//! When an order may be there: an estimate, from the straight line and the driver's recent speed.

use crate::drivers::model::Fix;
use crate::geo::Point;
use crate::orders::model::{Order, Status};

/// Metres per second of a driver of whom nothing is known: 25 km/h.
const USUAL: f64 = 7.0;
/// The slowest that counts: who waits at a light will go on.
const SLOWEST: f64 = 2.0;
/// The fastest that counts: 180 km/h. A position may jump.
const FASTEST: f64 = 50.0;
/// How much the latest speed weighs against those before.
const WEIGHT: f64 = 0.3;

/// How fast a driver has been going, in metres per second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pace {
    speed: f64,
    last: Option<Fix>,
}

impl Default for Pace {
    fn default() -> Self {
        Self { speed: USUAL, last: None }
    }
}

impl Pace {
    /// The pace after one more position.
    pub(super) fn after(self, fix: &Fix) -> Self {
        let speed = fix.speed.or_else(|| self.covered(fix));
        let speed = speed.map_or(self.speed, |latest| {
            self.speed + WEIGHT * (latest.clamp(0.0, FASTEST) - self.speed)
        });
        Self { speed, last: Some(*fix) }
    }

    /// The speed that two positions show.
    fn covered(self, fix: &Fix) -> Option<f64> {
        let last = self.last?;
        let seconds = fix.at.since(last.at).as_secs_f64();
        (seconds >= 1.0).then(|| last.point.distance(fix.point) / seconds)
    }

    /// Seconds for so many metres.
    pub(super) fn seconds(self, metres: f64) -> u64 {
        (metres / self.speed.max(SLOWEST)).round() as u64
    }
}

/// Where an order still has to go.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Way {
    fetched: bool,
    pickup: Option<Point>,
    dropoff: Option<Point>,
}

impl From<&Order> for Way {
    fn from(order: &Order) -> Self {
        let contents = &order.contents;
        let point = |place: &Option<crate::orders::model::Place>| place.as_ref()?.point;
        Self {
            fetched: order.status == Status::OutForDelivery,
            pickup: point(&contents.pickup),
            dropoff: point(&contents.dropoff),
        }
    }
}

impl Way {
    /// Metres from a driver at `from` to the dropoff, over the pickup where it is not fetched yet.
    pub(super) fn metres(self, from: Point) -> Option<f64> {
        let dropoff = self.dropoff?;
        match self.pickup.filter(|_| !self.fetched) {
            Some(pickup) => Some(from.distance(pickup) + pickup.distance(dropoff)),
            None => Some(from.distance(dropoff)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;

    fn fix(millis: i64, latitude: f64, speed: Option<f64>) -> Fix {
        let at = Timestamp::from_millis(millis);
        let point = Point::from_stored(latitude, 0.0);
        Fix { point, accuracy: None, heading: None, speed, battery: None, at, received_at: at }
    }

    #[test]
    fn the_pace_follows_what_the_phone_says_else_what_was_covered() {
        let mut told = Pace::default();
        let mut covered = Pace::default();
        for n in 0..30 {
            told = told.after(&fix(n * 1000, 0.0, Some(10.0)));
            // A degree is 111,195 m: 10 m in each second.
            covered = covered.after(&fix(n * 1000, n as f64 * 10.0 / 111_195.0, None));
        }
        for pace in [told, covered] {
            assert!((pace.speed - 10.0).abs() < 0.1, "{pace:?}");
            assert_eq!(pace.seconds(1000.0), 100);
        }
    }

    #[test]
    fn who_stands_is_taken_to_go_on() {
        let pace = (0..50).fold(Pace::default(), |pace, n| pace.after(&fix(n, 0.0, Some(0.0))));
        assert_eq!(pace.seconds(100.0), 50);
    }

    #[test]
    fn the_way_goes_over_the_pickup_until_it_is_fetched() {
        let at = |longitude| Some(Point::from_stored(0.0, longitude));
        let way = Way { fetched: false, pickup: at(1.0), dropoff: at(0.0) };
        let from = Point::from_stored(0.0, 0.5);
        assert!((way.metres(from).unwrap() - 1.5 * 111_195.0).abs() < 10.0);
        let way = Way { fetched: true, ..way };
        assert!((way.metres(from).unwrap() - 0.5 * 111_195.0).abs() < 10.0);
        assert_eq!(Way { dropoff: None, ..way }.metres(from), None);
    }
}
