//! Days of a time zone, as moments: what earnings of a day are counted by (CONTRACT §8). Zones
//! come with the program, so that they are the same on every machine.

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use jiff::civil::{Date, Time};
use jiff::tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase};

use crate::clock::Timestamp;

static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// A time zone by its IANA name, in whatever case it was written. UTC by default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeZoneName(TimeZone);

impl Default for TimeZoneName {
    fn default() -> Self {
        Self(TimeZone::UTC)
    }
}

impl FromStr for TimeZoneName {
    type Err = &'static str;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let zone = ZONES.get(name).ok().filter(|zone| !zone.is_unknown());
        zone.map(Self).ok_or("must be an IANA time zone as in Europe/Vienna")
    }
}

impl fmt::Display for TimeZoneName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.iana_name().unwrap_or("UTC"))
    }
}

/// When each day from `first` to `last` starts, and when `last` ends: one more than there are
/// days, ascending. A day that a zone left out starts when it ends. Nothing where `last` is
/// before `first`. Days are as many as are asked for: whoever asks must bound them.
pub fn bounds(zone: &TimeZoneName, first: Date, last: Date) -> Vec<Timestamp> {
    if last < first {
        return Vec::new();
    }
    let days = first.series(jiff::Span::new().days(1)).take_while(|day| *day <= last);
    let mut bounds: Vec<_> = days.map(|day| start(&zone.0, day)).collect();
    bounds.push(match last.tomorrow() {
        Ok(next) => start(&zone.0, next),
        // The last day that there is.
        Err(_) => moment(jiff::Timestamp::MAX),
    });
    bounds
}

/// The day it is in a zone.
pub fn today(zone: &TimeZoneName, now: Timestamp) -> Date {
    let now = jiff::Timestamp::from_millisecond(now.millis()).unwrap_or_default();
    zone.0.to_datetime(now).date()
}

/// The first moment of a day: midnight, the first of two, or where the clock jumps over midnight,
/// that jump.
fn start(zone: &TimeZone, day: Date) -> Timestamp {
    let midnight = day.to_datetime(Time::midnight());
    let first = match zone.to_ambiguous_timestamp(midnight).offset() {
        AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(midnight),
        AmbiguousOffset::Fold { before, .. } => before.to_timestamp(midnight),
        // By the later offset, midnight is before the jump; by the earlier one, not before it.
        AmbiguousOffset::Gap { before, after } => after.to_timestamp(midnight).and_then(|early| {
            let jump = zone.following(early).next().map(|jump| jump.timestamp());
            jump.map_or_else(|| before.to_timestamp(midnight), Ok)
        }),
    };
    // Only at the ends of all time is there none.
    let end = if day.year() < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX };
    moment(first.unwrap_or(end))
}

fn moment(time: jiff::Timestamp) -> Timestamp {
    Timestamp::from_millis(time.as_millisecond())
}

#[cfg(test)]
mod tests;
