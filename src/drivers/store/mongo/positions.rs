//! Where drivers are, and whether they are available.

use std::collections::HashMap;

use futures_util::TryStreamExt;
use mongodb::Database;
use mongodb::bson::{Bson, Document, doc};

use super::rows::{DriverRow, position};
use super::{DRIVERS, MongoDriverStore};
use crate::drivers::model::{Fix, Near, Nearby};
use crate::drivers::requests::AHEAD;
use crate::error::Result;
use crate::geo;
use crate::ids::UserId;
use crate::store::mongo::geo::{EARTH_RADIUS, GeoPoint};
use crate::store::mongo::operation::{Wait, run, update_each};

/// Half the way round the earth in metres; the database is not asked for more.
const EVERYWHERE: f64 = 2e7;
/// By so much, in metres, more is asked for than is wanted, against errors of rounding.
const SLACK: f64 = 0.01;

pub(super) async fn update(
    database: Database,
    updates: Vec<Document>,
) -> mongodb::error::Result<()> {
    update_each(database, DRIVERS, updates, Wait::Durable).await
}

/// The update that makes this the last position of its driver, where [`Fix::replaces`] says so.
/// What is missing is less than any time.
pub(super) fn moved(driver: UserId, fix: &Fix) -> Document {
    let replaces = doc! { "$or": [
        { "$lt": ["$position.timestamp", fix.at] },
        { "$gt": ["$position.timestamp", fix.received_at + AHEAD] },
    ] };
    let there = doc! { "$literal": position(fix) };
    doc! {
        "q": { "_id": driver },
        "u": [{ "$set": {
            "available": { "$ifNull": ["$available", false] },
            "position": { "$cond": [replaces, there, "$position"] },
        } }],
        "upsert": true,
    }
}

/// The updates that note who is available, one for each.
pub(super) fn availability(drivers: &[(UserId, bool)]) -> Vec<Document> {
    let last: HashMap<UserId, bool> = drivers.iter().copied().collect();
    let noted = |(driver, available): (UserId, bool)| {
        doc! {
            "q": { "_id": driver },
            "u": { "$set": { "available": available } },
            "upsert": true,
        }
    };
    last.into_iter().map(noted).collect()
}

pub(super) async fn nearest(store: &MongoDriverStore, nearby: &Nearby) -> Result<Vec<Near>> {
    if nearby.limit == 0 {
        return Ok(Vec::new());
    }
    let (drivers, limit) = (store.drivers.clone(), i64::from(nearby.limit));
    let around = around(nearby);
    let rows: Vec<DriverRow> =
        run(async move { drivers.find(around).limit(limit).await?.try_collect().await }).await?;
    let mut found: Vec<Near> =
        rows.into_iter().filter_map(|row| row.seen_from(nearby.to)).collect();
    found.retain(|near| nearby.radius.is_none_or(|radius| near.distance <= radius));
    // The database's order, but for places that are equally far but for rounding.
    found.sort_by(|one, other| one.distance.total_cmp(&other.distance));
    Ok(found)
}

/// Says it as a query, not as a stage of an aggregation: only to a query the database does not
/// read thousands more than it is asked for.
fn around(nearby: &Nearby) -> Document {
    let mut near = doc! { "$geometry": GeoPoint::from(nearby.to) };
    if let Some(radius) = nearby.radius.filter(|radius| *radius < EVERYWHERE) {
        let theirs = radius * EARTH_RADIUS / geo::EARTH_RADIUS;
        near.insert("$maxDistance", theirs + SLACK);
    }
    // Always said, because the index begins with it.
    let available: &[bool] = if nearby.available { &[true] } else { &[true, false] };
    let mut query = doc! {
        "available": { "$in": available },
        "position.point": { "$nearSphere": near },
        "position.timestamp": { "$gte": nearby.since },
    };
    if !nearby.except.is_empty() {
        let except: Vec<Bson> = nearby.except.iter().map(|driver| (*driver).into()).collect();
        query.insert("_id", doc! { "$nin": except });
    }
    query
}
