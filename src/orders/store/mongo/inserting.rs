//! Inserting orders and giving them their numbers.
//!
//! The counter says which number is next, and the unique index of numbers is what holds: a
//! counter that a failover took back is raised to the highest number there is.

use mongodb::bson::{Document, doc};

use super::lists::find;
use super::rows::OrderRow;
use super::{COUNTERS, MongoOrderStore, NUMBER_UNIQUE};
use crate::error::{Error, Result};
use crate::orders::model::Order;
use crate::orders::store::Inserted;
use crate::store::mongo::operation::{LIMIT, bounded, duplicate_key, run, to_error};

/// How often an order is tried whose number was taken.
const TRIES: u32 = 8;

fn counter() -> Document {
    doc! { "_id": "orderNumber" }
}

pub(super) async fn insert(store: &MongoOrderStore, order: &Order) -> Result<Inserted> {
    // Asked first so that a repeat uses up no number; without a key there is none.
    if order.client_order_id.is_some()
        && let Some(there) = there_already(store, order).await?
    {
        return Ok(there);
    }
    for _ in 0..TRIES {
        let mut numbered = OrderRow::from(order);
        numbered.number = next_number(store).await?;
        let orders = store.orders.clone();
        let inserted =
            bounded(LIMIT, async move { orders.insert_one(&numbered).await.map(|_| numbered) });
        let error = match inserted.await {
            Ok(row) => return Ok(Inserted::Stored(row.into())),
            Err(error) => error,
        };
        let Some(index) = duplicate_key(&error) else { return Err(to_error(&error)) };
        // Somebody was faster with the same order; it says nothing then of the number.
        if let Some(there) = there_already(store, order).await? {
            return Ok(there);
        }
        if index != NUMBER_UNIQUE {
            return Err(to_error(&error));
        }
        raise_counter(store).await?;
    }
    Err(Error::unavailable("The numbers of orders keep colliding, try again"))
}

async fn there_already(store: &MongoOrderStore, order: &Order) -> Result<Option<Inserted>> {
    let mut same = vec![doc! { "_id": order.id }];
    if let Some(key) = &order.client_order_id {
        same.push(doc! { "customer": order.customer, "clientOrderId": key.as_str() });
    }
    for filter in same {
        match find(store, filter).await? {
            Some(there) if there.id == order.id => return Ok(Some(Inserted::Stored(there))),
            Some(earlier) => return Ok(Some(Inserted::Repeated(earlier))),
            None => {}
        }
    }
    Ok(None)
}

/// As a plain command: the driver's own call could be repeated, which costs the database a record
/// of it, and a number that is lost is only left out.
async fn next_number(store: &MongoOrderStore) -> Result<i64> {
    let database = store.database.clone();
    let command = doc! {
        "findAndModify": COUNTERS,
        "query": counter(),
        "update": { "$inc": { "last": 1_i64 } },
        "upsert": true,
        "new": true,
        "writeConcern": { "w": 1 },
    };
    let reply = run(async move { database.run_command(command).await }).await?;
    let last = reply.get_document("value").and_then(|counter| counter.get_i64("last"));
    last.map_err(Error::internal)
}

/// Moves the counter to the highest number there is, if it is behind it.
async fn raise_counter(store: &MongoOrderStore) -> Result<()> {
    let counters = store.database.collection::<Document>(COUNTERS);
    let orders = store.orders.clone();
    run(async move {
        let highest = orders.find_one(doc! {}).sort(doc! { "number": -1 }).await?;
        let last = highest.map_or(0, |order| order.number);
        counters.update_one(counter(), doc! { "$max": { "last": last } }).await.map(drop)
    })
    .await
}
