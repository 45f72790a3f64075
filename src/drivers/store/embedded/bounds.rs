//! The boxes of degrees that hold everything within some distance of a place.

use std::f64::consts::FRAC_PI_2;

use crate::geo::{EARTH_RADIUS, Point};

/// By so much more than computed a box reaches, in radians, against errors of rounding.
const SLACK: f64 = 1e-7;

/// From south to north and from west to east, in degrees.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Bounds {
    pub(super) south: f64,
    pub(super) north: f64,
    pub(super) west: f64,
    pub(super) east: f64,
}

/// What holds everything within so many metres: one box, or two over the date line.
pub(super) fn around(center: Point, metres: f64) -> Vec<Bounds> {
    let angle = metres / EARTH_RADIUS + SLACK;
    let latitude = center.latitude().to_radians();
    let (south, north) = (latitude - angle, latitude + angle);
    let over_a_pole = south <= -FRAC_PI_2 || north >= FRAC_PI_2;
    let band =
        |west, east| Bounds { south: south.to_degrees(), north: north.to_degrees(), west, east };
    if over_a_pole {
        return vec![band(-180.0, 180.0)];
    }
    // Where the circle touches a meridian, which is nearer to the pole than its centre.
    let half = (angle.sin() / latitude.cos()).min(1.0).asin() + SLACK;
    let west = center.longitude() - half.to_degrees();
    let east = center.longitude() + half.to_degrees();
    if west < -180.0 {
        vec![band(-180.0, east), band(west + 360.0, 180.0)]
    } else if east > 180.0 {
        vec![band(west, 180.0), band(-180.0, east - 360.0)]
    } else {
        vec![band(west, east)]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn is_in(bounds: &Bounds, point: Point) -> bool {
        (bounds.south..=bounds.north).contains(&point.latitude())
            && (bounds.west..=bounds.east).contains(&point.longitude())
    }

    proptest! {
        #[test]
        fn what_is_near_is_in_exactly_one_box(
            (lat, lng) in (-90.0..=90.0_f64, -180.0..=180.0_f64),
            (north, east) in (-20.0..=20.0_f64, -180.0..=180.0_f64),
        ) {
            let center = Point::from_stored(lat, lng);
            let point = Point::from_stored(
                f64::clamp(lat + north, -90.0, 90.0),
                (lng + east + 540.0_f64).rem_euclid(360.0) - 180.0,
            );
            let boxes = around(center, center.distance(point));
            let found = boxes.iter().filter(|one| is_in(one, point)).count();
            prop_assert_eq!(found, 1, "{:?} {:?} {:?}", center, point, boxes);
        }
    }

    #[test]
    fn a_small_circle_has_a_small_box_and_everything_has_one() {
        let [small] = around(Point::from_stored(60.0, 10.0), 1000.0)[..] else { panic!() };
        assert!((small.north - small.south - 0.018).abs() < 1e-4, "{small:?}");
        assert!((small.east - small.west - 0.036).abs() < 1e-4, "{small:?}");
        let [all] = around(Point::from_stored(60.0, 10.0), 2.1e7)[..] else { panic!() };
        assert!(all.south < -90.0 && all.north > 90.0 && all.west == -180.0, "{all:?}");
    }
}
