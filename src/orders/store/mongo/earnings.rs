//! What drivers earned.

use std::collections::HashMap;

use futures_util::TryStreamExt;
use mongodb::bson::{DateTime, Document, doc};
use serde::Deserialize;

use super::{MongoOrderStore, ORDERS};
use crate::clock::Timestamp;
use crate::error::Result;
use crate::ids::UserId;
use crate::money::Money;
use crate::orders::model::{Earned, Status};
use crate::store::mongo::operation::run;

/// What was earned from a moment on, up to the next.
#[derive(Debug, Deserialize)]
struct Bucket {
    #[serde(rename = "_id")]
    from: DateTime,
    total: i64,
    orders: u64,
}

pub(super) async fn earned(
    store: &MongoOrderStore,
    driver: UserId,
    bounds: &[Timestamp],
) -> Result<Vec<Earned>> {
    // The database takes none twice.
    let mut distinct = bounds.to_vec();
    distinct.dedup();
    let buckets = match distinct[..] {
        [first, .., end] => buckets(store, of(driver, first, end), &distinct).await?,
        _ => HashMap::new(),
    };
    let from = |ends: &[Timestamp]| buckets.get(&ends[0]).filter(|_| ends[0] < ends[1]);
    Ok(bounds.windows(2).map(|ends| from(ends).copied().unwrap_or_default()).collect())
}

fn of(driver: UserId, first: Timestamp, end: Timestamp) -> Document {
    doc! {
        "driver": driver,
        "status": Status::Delivered.word(),
        "updatedAt": { "$gte": first, "$lt": end },
    }
}

/// By the moment that each begins with; without those in which nothing was delivered.
async fn buckets(
    store: &MongoOrderStore,
    deliveries: Document,
    bounds: &[Timestamp],
) -> Result<HashMap<Timestamp, Earned>> {
    let sums = doc! { "total": { "$sum": "$earnings" }, "orders": { "$sum": 1 } };
    let stages = [
        doc! { "$match": deliveries },
        doc! { "$bucket": { "groupBy": "$updatedAt", "boundaries": bounds, "output": sums } },
    ];
    let orders = store.database.collection::<Document>(ORDERS);
    let found: Vec<Bucket> = run(async move {
        orders.aggregate(stages).with_type::<Bucket>().await?.try_collect().await
    })
    .await?;
    let earned = |Bucket { from, total, orders }| {
        (from.into(), Earned { total: Money::from_minor(total), orders })
    };
    Ok(found.into_iter().map(earned).collect())
}
