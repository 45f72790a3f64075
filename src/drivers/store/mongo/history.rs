//! Where drivers were.

use std::time::Duration;

use futures_util::TryStreamExt;
use mongodb::bson::{Document, doc};
use mongodb::error::{Error as DriverError, ErrorKind, InsertManyError};
use mongodb::{Collection, Database};

use super::rows::FixRow;
use super::{AGE, LOCATIONS, MongoDriverStore};
use crate::drivers::model::{Fix, Trail};
use crate::error::Result;
use crate::ids::UserId;
use crate::store::mongo::operation::{refused_index, run};

/// Positions of a driver removed at a time.
const SWEEP: i64 = 1000;

/// Adds positions, in their order, without those of a driver and a time that are there.
pub(super) async fn append(
    locations: &Collection<Document>,
    rows: Vec<Document>,
) -> mongodb::error::Result<()> {
    match locations.insert_many(rows).ordered(false).await {
        Err(error) if only_repeats(&error) => Ok(()),
        outcome => outcome.map(drop),
    }
}

/// Whether nothing but repeats was refused, and the rest is durable.
fn only_repeats(error: &DriverError) -> bool {
    let ErrorKind::InsertMany(InsertManyError { write_errors, write_concern_error, .. }) =
        error.kind.as_ref()
    else {
        return false;
    };
    let refused = write_errors.as_deref().unwrap_or_default();
    write_concern_error.is_none()
        && refused.iter().all(|refused| refused_index(refused.code, &refused.message).is_some())
}

pub(super) async fn trail(store: &MongoDriverStore, trail: &Trail) -> Result<Vec<Fix>> {
    // To the database, no positions are as many as there are.
    if trail.limit == 0 {
        return Ok(Vec::new());
    }
    let (locations, limit) = (store.locations.clone(), i64::from(trail.limit));
    let stretch = doc! {
        "driver": trail.driver,
        "timestamp": { "$gt": trail.after, "$lte": trail.until },
    };
    let rows: Vec<FixRow> = run(async move {
        let found = locations.find(stretch).sort(doc! { "timestamp": 1 }).limit(limit).await?;
        found.try_collect().await
    })
    .await?;
    Ok(rows.into_iter().map(Fix::from).collect())
}

/// Removes a handful of a driver's positions; whether there were any.
pub(super) async fn remove_some(store: &MongoDriverStore, driver: UserId) -> Result<bool> {
    let locations = store.locations.clone();
    run(async move {
        let found = locations.find(doc! { "driver": driver }).sort(doc! { "timestamp": 1 });
        let rows: Vec<FixRow> = found.limit(SWEEP).await?.try_collect().await?;
        let Some(last) = rows.into_iter().next_back().map(Fix::from) else { return Ok(false) };
        let until = doc! { "driver": driver, "timestamp": { "$lte": last.at } };
        locations.delete_many(until).await.map(|_| true)
    })
    .await
}

/// How long positions are kept; nothing before that is said.
pub(super) async fn age(
    locations: &Collection<Document>,
) -> mongodb::error::Result<Option<Duration>> {
    let mut indexes = locations.list_indexes().await?;
    while let Some(index) = indexes.try_next().await? {
        if let Some(options) = index.options.filter(|options| options.name.as_deref() == Some(AGE))
        {
            return Ok(options.expire_after);
        }
    }
    Ok(None)
}

/// Has the database remove positions of that age.
pub(super) async fn keep(
    database: &Database,
    locations: &Collection<Document>,
    retention: Duration,
) -> mongodb::error::Result<()> {
    // More than the database can count is 68 years.
    let seconds = i32::try_from(retention.as_secs()).unwrap_or(i32::MAX);
    if age(locations).await? == Some(Duration::from_secs(seconds.unsigned_abs().into())) {
        return Ok(());
    }
    let index = doc! { "name": AGE, "expireAfterSeconds": seconds };
    database.run_command(doc! { "collMod": LOCATIONS, "index": index }).await.map(drop)
}
