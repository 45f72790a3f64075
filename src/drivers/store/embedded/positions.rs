//! The last position of each driver, and whether they are available.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::drivers::model::Fix;
use crate::drivers::requests::AHEAD;
use crate::geo::Point;
use crate::ids::UserId;

/// The columns that [`from_row`] reads, in its order.
macro_rules! columns {
    () => {
        "lat, lng, accuracy, heading, speed, battery, at, received_at"
    };
}
pub(super) use columns;

/// How many those are: what follows them in a row starts here.
pub(super) const COLUMNS: usize = 8;

pub(super) fn from_row(row: &Row<'_>) -> rusqlite::Result<Fix> {
    Ok(Fix {
        point: Point::from_stored(row.get(0)?, row.get(1)?),
        accuracy: row.get(2)?,
        heading: row.get(3)?,
        speed: row.get(4)?,
        battery: row.get(5)?,
        at: row.get(6)?,
        received_at: row.get(7)?,
    })
}

/// Makes these the last positions of their drivers, where [`Fix::replaces`] says so.
pub(super) fn save(db: &Connection, latest: &HashMap<UserId, &Fix>) -> rusqlite::Result<()> {
    let mut moved = db.prepare_cached(concat!(
        "INSERT INTO drivers (driver, available, ",
        columns!(),
        ") VALUES (?1, FALSE, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
         ON CONFLICT (driver) DO UPDATE SET lat = excluded.lat, lng = excluded.lng,
             accuracy = excluded.accuracy, heading = excluded.heading, speed = excluded.speed,
             battery = excluded.battery, at = excluded.at, received_at = excluded.received_at
         WHERE drivers.at IS NULL OR drivers.at < excluded.at OR drivers.at > ?10
         RETURNING id"
    ))?;
    let mut placed = db.prepare_cached(
        "INSERT OR REPLACE INTO driver_places (id, south, north, west, east)
         VALUES (?1, ?2, ?2, ?3, ?3)",
    )?;
    for (driver, fix) in latest {
        let (lat, lng) = (fix.point.latitude(), fix.point.longitude());
        let moved: Option<i64> = moved
            .query_row(
                params![
                    driver,
                    lat,
                    lng,
                    fix.accuracy,
                    fix.heading,
                    fix.speed,
                    fix.battery,
                    fix.at,
                    fix.received_at,
                    fix.received_at + AHEAD,
                ],
                |row| row.get(0),
            )
            .optional()?;
        if let Some(id) = moved {
            placed.execute(params![id, lat, lng])?;
        }
    }
    Ok(())
}

pub(super) fn save_availability(
    db: &Connection,
    drivers: &[(UserId, bool)],
) -> rusqlite::Result<()> {
    let mut noted = db.prepare_cached(
        "INSERT INTO drivers (driver, available) VALUES (?1, ?2)
         ON CONFLICT (driver) DO UPDATE SET available = excluded.available",
    )?;
    for (driver, available) in drivers {
        noted.execute(params![driver, available])?;
    }
    Ok(())
}

pub(super) fn last(db: &Connection, driver: UserId) -> rusqlite::Result<Option<Fix>> {
    db.prepare_cached(concat!(
        "SELECT ",
        columns!(),
        " FROM drivers WHERE driver = ?1 AND at IS NOT NULL"
    ))?
    .query_row([driver], from_row)
    .optional()
}

pub(super) fn last_of(db: &Connection, drivers: &[UserId]) -> rusqlite::Result<Vec<(UserId, Fix)>> {
    let drivers = serde_json::to_string(drivers)
        .map_err(|problem| rusqlite::Error::ToSqlConversionFailure(problem.into()))?;
    db.prepare_cached(concat!(
        "SELECT ",
        columns!(),
        ", driver FROM drivers
         WHERE driver IN (SELECT unhex(value) FROM json_each(?1)) AND at IS NOT NULL"
    ))?
    .query_map([drivers], |row| Ok((row.get(COLUMNS)?, from_row(row)?)))?
    .collect()
}

/// Forgets where a driver is, and that there is one.
pub(super) fn forget(db: &Connection, driver: UserId) -> rusqlite::Result<()> {
    let row: Option<i64> = db
        .prepare_cached("DELETE FROM drivers WHERE driver = ?1 RETURNING id")?
        .query_row([driver], |row| row.get(0))
        .optional()?;
    db.prepare_cached("DELETE FROM driver_places WHERE id = ?1")?.execute([row]).map(drop)
}
