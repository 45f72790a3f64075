//! Where drivers were.

use rusqlite::{Connection, params};

use super::positions::{columns, from_row};
use crate::clock::Timestamp;
use crate::drivers::model::{Fix, Trail};
use crate::ids::UserId;

/// Positions removed at a time.
const SWEEP: usize = 1000;

/// Adds positions, without those of a driver and a time that are there.
pub(super) fn append(db: &Connection, fixes: &[(UserId, Fix)]) -> rusqlite::Result<()> {
    let mut appended = db.prepare_cached(concat!(
        "INSERT INTO driver_locations (driver, ",
        columns!(),
        ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (driver, at) DO NOTHING"
    ))?;
    for (driver, fix) in fixes {
        appended.execute(params![
            driver,
            fix.point.latitude(),
            fix.point.longitude(),
            fix.accuracy,
            fix.heading,
            fix.speed,
            fix.battery,
            fix.at,
            fix.received_at,
        ])?;
    }
    Ok(())
}

pub(super) fn trail(db: &Connection, trail: &Trail) -> rusqlite::Result<Vec<Fix>> {
    db.prepare_cached(concat!(
        "SELECT ",
        columns!(),
        " FROM driver_locations WHERE driver = ?1 AND at > ?2 AND at <= ?3 ORDER BY at LIMIT ?4"
    ))?
    .query_map(params![trail.driver, trail.after, trail.until, trail.limit], from_row)?
    .collect()
}

/// Removes a handful of what was received before `oldest`; whether there may be more.
pub(super) fn remove_some(db: &Connection, oldest: Timestamp) -> rusqlite::Result<bool> {
    let removed = db
        .prepare_cached(
            "DELETE FROM driver_locations WHERE (driver, at) IN (
                 SELECT driver, at FROM driver_locations WHERE received_at < ?1 LIMIT ?2)",
        )?
        .execute(params![oldest, SWEEP as i64])?;
    Ok(removed == SWEEP)
}

/// Removes a handful of a driver's; whether there may be more.
pub(super) fn remove_some_of(db: &Connection, driver: UserId) -> rusqlite::Result<bool> {
    let removed = db
        .prepare_cached(
            "DELETE FROM driver_locations WHERE driver = ?1 AND at IN (
                 SELECT at FROM driver_locations WHERE driver = ?1 LIMIT ?2)",
        )?
        .execute(params![driver, SWEEP as i64])?;
    Ok(removed == SWEEP)
}
