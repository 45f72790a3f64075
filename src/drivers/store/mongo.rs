//! Drivers on MongoDB.

mod history;
mod positions;
mod rows;

use std::time::Duration;

use async_trait::async_trait;
use futures_util::TryStreamExt;
use futures_util::future::{join, join_all};
use mongodb::bson::{Document, doc};
use mongodb::options::IndexOptions;
use mongodb::{Collection, Database, IndexModel};

use self::rows::{DriverRow, FixRow};
use super::DriverStore;
use super::latest::latest;
use crate::clock::Timestamp;
use crate::drivers::model::{Fix, Near, Nearby, Trail};
use crate::error::Result;
use crate::ids::UserId;
use crate::store::mongo::index::{index, unique_index};
use crate::store::mongo::operation::run;
use crate::store::mongo::{Mongo, MongoMigration};

/// Where drivers are: their last position and availability.
const DRIVERS: &str = "drivers";
/// Where drivers were.
const LOCATIONS: &str = "driver_locations";
/// Last positions in one command. The database works off a command on one core, so that a batch
/// in pieces takes half the time.
const UPDATES: usize = 250;
/// Removes what was received too long ago.
const AGE: &str = "age";
/// How long that is until it is said otherwise.
const FIRST_RETENTION: Duration = Duration::from_hours(30 * 24);

/// The steps of the drivers' schema.
pub const MIGRATIONS: &[MongoMigration] = &[MongoMigration {
    domain: "drivers",
    version: 1,
    apply: |database| Box::pin(create_indexes(database)),
}];

async fn create_indexes(database: Database) -> mongodb::error::Result<()> {
    let place = doc! { "available": 1, "position.point": "2dsphere" };
    database.collection::<Document>(DRIVERS).create_index(index("place", place)).await?;
    let locations = database.collection::<Document>(LOCATIONS);
    locations
        .create_indexes([
            unique_index("driver_timestamp_unique", doc! { "driver": 1, "timestamp": 1 }),
            index("point", doc! { "point": "2dsphere" }),
        ])
        .await?;
    // A step that runs again must not stumble over an age that was changed since.
    if history::age(&locations).await?.is_none() {
        locations.create_index(age_index()).await?;
    }
    Ok(())
}

fn age_index() -> IndexModel {
    let options =
        IndexOptions::builder().name(AGE.to_owned()).expire_after(FIRST_RETENTION).build();
    IndexModel::builder().keys(doc! { "received_at": 1 }).options(options).build()
}

/// [`DriverStore`] on MongoDB.
#[derive(Debug, Clone)]
pub struct MongoDriverStore {
    database: Database,
    drivers: Collection<DriverRow>,
    locations: Collection<FixRow>,
}

impl MongoDriverStore {
    /// The store in this database, whose schema must be up to date ([`MIGRATIONS`]).
    pub fn new(db: &Mongo) -> Self {
        Self {
            database: db.database().clone(),
            drivers: db.collection(DRIVERS),
            locations: db.collection(LOCATIONS),
        }
    }
}

#[async_trait]
impl DriverStore for MongoDriverStore {
    async fn save_fixes(&self, fixes: &[(UserId, Fix)]) -> Result<()> {
        if fixes.is_empty() {
            return Ok(());
        }
        let (database, locations) = (self.database.clone(), self.locations.clone_with_type());
        let rows = fixes.iter().map(|(driver, fix)| rows::location(*driver, fix)).collect();
        let latest: Vec<_> = latest(fixes).into_iter().collect();
        let pieces: Vec<Vec<_>> = latest
            .chunks(UPDATES)
            .map(|piece| piece.iter().map(|(driver, fix)| positions::moved(*driver, fix)).collect())
            .collect();
        run(async move {
            let appended = history::append(&locations, rows);
            let moved = pieces.into_iter().map(|piece| positions::update(database.clone(), piece));
            // One that fails does not have the others dropped half-way.
            let (appended, moved) = join(appended, join_all(moved)).await;
            moved.into_iter().fold(appended, Result::and)
        })
        .await
    }

    async fn save_availability(&self, drivers: &[(UserId, bool)]) -> Result<()> {
        if drivers.is_empty() {
            return Ok(());
        }
        let (database, updates) = (self.database.clone(), positions::availability(drivers));
        run(positions::update(database, updates)).await
    }

    async fn last_fix(&self, driver: UserId) -> Result<Option<Fix>> {
        let drivers = self.drivers.clone();
        let found = run(async move { drivers.find_one(doc! { "_id": driver }).await }).await?;
        Ok(found.and_then(|row| row.position).map(Fix::from))
    }

    async fn last_fixes(&self, drivers: &[UserId]) -> Result<Vec<(UserId, Fix)>> {
        if drivers.is_empty() {
            return Ok(Vec::new());
        }
        let theirs = doc! { "_id": { "$in": drivers.to_vec() } };
        let drivers = self.drivers.clone();
        let rows: Vec<DriverRow> =
            run(async move { drivers.find(theirs).await?.try_collect().await }).await?;
        Ok(rows.into_iter().filter_map(DriverRow::last).collect())
    }

    async fn nearest(&self, nearby: &Nearby) -> Result<Vec<Near>> {
        positions::nearest(self, nearby).await
    }

    async fn trail(&self, trail: &Trail) -> Result<Vec<Fix>> {
        history::trail(self, trail).await
    }

    async fn forget(&self, driver: UserId) -> Result<()> {
        while history::remove_some(self, driver).await? {}
        let drivers = self.drivers.clone();
        run(async move { drivers.delete_one(doc! { "_id": driver }).await }).await.map(drop)
    }

    async fn keep_history(&self, retention: Duration, _now: Timestamp) -> Result<()> {
        let (database, locations) = (self.database.clone(), self.locations.clone_with_type());
        run(async move { history::keep(&database, &locations, retention).await }).await
    }
}
