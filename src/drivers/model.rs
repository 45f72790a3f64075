//! Drivers as they are stored: where they are, where they were, and whether they take orders.

use std::time::Duration;

use super::requests::AHEAD;
use crate::clock::Timestamp;
use crate::geo::Point;
use crate::ids::UserId;
use crate::realtime::hub::Audience;

/// The sockets of every driver, where orders are.
pub const DRIVERS: Audience = Audience::of("drivers", [0; 12]);
/// Those of the drivers who are offered new orders.
pub const AVAILABLE_DRIVERS: Audience = Audience::of("available drivers", [0; 12]);

/// The sockets of one driver, where orders are. They come to it as to [`AVAILABLE_DRIVERS`], while
/// nothing is offered.
pub const fn offers_to(driver: UserId) -> Audience {
    Audience::of("offers to driver", driver.bytes())
}

/// The raw sockets of one driver: at most one stays (CONTRACT §8).
pub const fn driver_socket(driver: UserId) -> Audience {
    Audience::of("driver socket", driver.bytes())
}

/// A report of where a driver is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fix {
    /// Where.
    pub point: Point,
    /// Radius in metres within which that is probably right.
    pub accuracy: Option<f64>,
    /// Degrees clockwise from north.
    pub heading: Option<f64>,
    /// Metres per second.
    pub speed: Option<f64>,
    /// Percent.
    pub battery: Option<f64>,
    /// When, by the phone's clock; else by the server's: [`Report::after`].
    pub at: Timestamp,
    /// When it arrived, by the server's.
    pub received_at: Timestamp,
}

impl Fix {
    /// Whether a driver who was there before is here now: it is later, or what was before is so
    /// far ahead that it came before the server's clock was put back.
    pub fn replaces(&self, before: &Self) -> bool {
        before.at < self.at || before.at > self.received_at + AHEAD
    }
}

/// What a driver says of where they are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Report {
    /// Where, as of when it arrived if the phone did not say when.
    pub fix: Fix,
    /// Whether the phone said when.
    pub is_dated: bool,
}

impl Report {
    /// The position, told apart from the one before. Without a time it is of when it arrived, but
    /// a millisecond after one that was no earlier by the clock: so two of the same millisecond are
    /// not taken for one, nor any for late after the clock was put back.
    pub fn after(self, before: Option<&Fix>) -> Fix {
        let Self { fix, is_dated } = self;
        match before {
            Some(before) if !is_dated && !fix.replaces(before) => {
                Fix { at: before.at + Duration::from_millis(1), ..fix }
            }
            _ => fix,
        }
    }
}

/// A driver somewhere near.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Near {
    /// Who.
    pub driver: UserId,
    /// Where last.
    pub fix: Fix,
    /// Whether they are offered new orders.
    pub is_available: bool,
    /// Metres from the place that was asked about.
    pub distance: f64,
}

/// Which drivers to look for.
#[derive(Debug, Clone, PartialEq)]
pub struct Nearby {
    /// Around where.
    pub to: Point,
    /// Within so many metres; anywhere when `None`.
    pub radius: Option<f64>,
    /// Whose last position is no older than this, by the phone's clock.
    pub since: Timestamp,
    /// Whether only those who are available.
    pub available: bool,
    /// Without these.
    pub except: Vec<UserId>,
    /// So many, the nearest.
    pub limit: u32,
}

/// A stretch of the way that a driver went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trail {
    /// Whose.
    pub driver: UserId,
    /// After this, by the phone's clock.
    pub after: Timestamp,
    /// Until then, included.
    pub until: Timestamp,
    /// So many points, the earliest.
    pub limit: u32,
}
