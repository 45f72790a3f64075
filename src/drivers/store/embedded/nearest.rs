//! Who is nearest: looks in circles that grow until enough are in one.

use rusqlite::{Connection, params};

use super::bounds::{Bounds, around};
use super::positions::{COLUMNS, columns, from_row};
use crate::drivers::model::{Near, Nearby};

/// The first circle, in metres.
const FIRST: f64 = 200.0;
/// From here on circles grow faster: not many are left to be read twice.
const CITY: f64 = 20_000.0;
/// Nothing on the globe is so far apart, in metres.
const EVERYWHERE: f64 = 20_020_000.0;

pub(super) fn nearest(db: &Connection, nearby: &Nearby) -> rusqlite::Result<Vec<Near>> {
    let enough = nearby.limit as usize;
    let furthest = nearby.radius.unwrap_or(EVERYWHERE).min(EVERYWHERE);
    if enough == 0 {
        return Ok(Vec::new());
    }
    // Every circle is of one moment.
    let moment = db.unchecked_transaction()?;
    let mut radius = FIRST.min(furthest);
    loop {
        let mut found = within(&moment, nearby, radius)?;
        if found.len() >= enough || radius >= furthest {
            found.sort_by(|one, other| one.distance.total_cmp(&other.distance));
            found.truncate(enough);
            return Ok(found);
        }
        radius = (radius * if radius < CITY { 2.0 } else { 8.0 }).min(furthest);
    }
}

fn within(db: &Connection, nearby: &Nearby, radius: f64) -> rusqlite::Result<Vec<Near>> {
    let mut found = Vec::new();
    for bounds in around(nearby.to, radius) {
        collect(db, nearby, bounds, &mut found)?;
    }
    found.retain(|near| near.distance <= radius && !nearby.except.contains(&near.driver));
    Ok(found)
}

/// Whom a box holds. The tree knows places as boxes of single precision around them, so that it
/// may give too many but never too few.
fn collect(
    db: &Connection,
    nearby: &Nearby,
    bounds: Bounds,
    found: &mut Vec<Near>,
) -> rusqlite::Result<()> {
    let mut statement = db.prepare_cached(concat!(
        "SELECT ",
        columns!(),
        ", driver, available FROM driver_places AS place
             CROSS JOIN drivers ON drivers.id = place.id
         WHERE place.north >= ?1 AND place.south <= ?2 AND place.east >= ?3 AND place.west <= ?4
             AND at >= ?5 AND (available OR NOT ?6)"
    ))?;
    let (Bounds { south, north, west, east }, since) = (bounds, nearby.since);
    let near =
        statement.query_map(params![south, north, west, east, since, nearby.available], |row| {
            let fix = from_row(row)?;
            Ok(Near {
                driver: row.get(COLUMNS)?,
                fix,
                is_available: row.get(COLUMNS + 1)?,
                distance: nearby.to.distance(fix.point),
            })
        })?;
    for near in near {
        found.push(near?);
    }
    Ok(())
}
