//! Drivers on SQLite.

mod bounds;
mod history;
mod nearest;
mod positions;

use std::time::Duration;

use async_trait::async_trait;

use super::DriverStore;
use super::latest::latest;
use crate::clock::Timestamp;
use crate::drivers::model::{Fix, Near, Nearby, Trail};
use crate::error::Result;
use crate::ids::UserId;
use crate::store::Migration;
use crate::store::embedded::Embedded;

/// The tables of drivers and of where they were. `driver_places` has a row for every driver with
/// a position, of the same `id`, written in the same transaction.
pub const MIGRATIONS: &[Migration] = &[Migration {
    domain: "drivers",
    version: 1,
    sql: "
        CREATE TABLE drivers (
            id          INTEGER PRIMARY KEY,
            driver      BLOB NOT NULL UNIQUE,
            available   INTEGER NOT NULL,
            lat         REAL,
            lng         REAL,
            accuracy    REAL,
            heading     REAL,
            speed       REAL,
            battery     REAL,
            at          INTEGER,
            received_at INTEGER
        ) STRICT;
        CREATE VIRTUAL TABLE driver_places USING rtree (id, south, north, west, east);

        CREATE TABLE driver_locations (
            driver      BLOB NOT NULL,
            at          INTEGER NOT NULL,
            lat         REAL NOT NULL,
            lng         REAL NOT NULL,
            accuracy    REAL,
            heading     REAL,
            speed       REAL,
            battery     REAL,
            received_at INTEGER NOT NULL,
            PRIMARY KEY (driver, at)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX driver_locations_age ON driver_locations (received_at);",
}];

/// Drivers in the embedded database.
#[derive(Clone)]
pub struct EmbeddedDriverStore(Embedded);

impl EmbeddedDriverStore {
    /// On a database that was opened with [`MIGRATIONS`].
    pub fn new(db: Embedded) -> Self {
        Self(db)
    }
}

#[async_trait]
impl DriverStore for EmbeddedDriverStore {
    async fn save_fixes(&self, fixes: &[(UserId, Fix)]) -> Result<()> {
        let fixes = fixes.to_vec();
        self.0
            .write(move |db| {
                history::append(db, &fixes)?;
                positions::save(db, &latest(&fixes))
            })
            .await
    }

    async fn save_availability(&self, drivers: &[(UserId, bool)]) -> Result<()> {
        let drivers = drivers.to_vec();
        self.0.write(move |db| positions::save_availability(db, &drivers)).await
    }

    async fn last_fix(&self, driver: UserId) -> Result<Option<Fix>> {
        self.0.read(move |db| positions::last(db, driver)).await
    }

    async fn last_fixes(&self, drivers: &[UserId]) -> Result<Vec<(UserId, Fix)>> {
        if drivers.is_empty() {
            return Ok(Vec::new());
        }
        let drivers = drivers.to_vec();
        self.0.read(move |db| positions::last_of(db, &drivers)).await
    }

    async fn nearest(&self, nearby: &Nearby) -> Result<Vec<Near>> {
        let nearby = nearby.clone();
        self.0.read(move |db| nearest::nearest(db, &nearby)).await
    }

    async fn trail(&self, trail: &Trail) -> Result<Vec<Fix>> {
        let trail = *trail;
        self.0.read(move |db| history::trail(db, &trail)).await
    }

    async fn forget(&self, driver: UserId) -> Result<()> {
        while self.0.write(move |db| history::remove_some_of(db, driver)).await? {}
        self.0.write(move |db| positions::forget(db, driver)).await
    }

    async fn keep_history(&self, retention: Duration, now: Timestamp) -> Result<()> {
        let oldest = now - retention;
        // In pieces, so that nobody's write waits long.
        while self.0.write(move |db| history::remove_some(db, oldest)).await? {}
        Ok(())
    }
}

#[cfg(test)]
mod tests;
