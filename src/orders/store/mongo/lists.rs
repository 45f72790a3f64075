//! Finding orders.

use futures_util::TryStreamExt;
use mongodb::bson::{Bson, Document, doc};
use mongodb::options::Hint;

use super::rows::OrderRow;
use super::{MongoOrderStore, NUMBER_UNIQUE};
use crate::clock::Timestamp;
use crate::error::Result;
use crate::ids::UserId;
use crate::orders::model::{Order, OrderPage, Status, Whose};
use crate::store::mongo::operation::run;

/// The highest numbers first.
const NEWEST: &[(&str, i32)] = &[("number", -1)];

pub(super) async fn find(store: &MongoOrderStore, filter: Document) -> Result<Option<Order>> {
    let orders = store.orders.clone();
    let found = run(async move { orders.find_one(filter).await }).await?;
    Ok(found.map(Order::from))
}

async fn list(
    store: &MongoOrderStore,
    filter: Document,
    order: &[(&str, i32)],
    limit: u32,
) -> Result<Vec<Order>> {
    Ok(rows(store, filter, order, limit).await?.into_iter().map(Order::from).collect())
}

pub(super) async fn rows(
    store: &MongoOrderStore,
    filter: Document,
    order: &[(&str, i32)],
    limit: u32,
) -> Result<Vec<OrderRow>> {
    // To the database, no orders are as many as there are.
    if limit == 0 {
        return Ok(Vec::new());
    }
    let sort: Document =
        order.iter().map(|(field, way)| ((*field).to_owned(), Bson::from(*way))).collect();
    let orders = store.orders.clone();
    run(async move {
        orders.find(filter).sort(sort).limit(limit.into()).await?.try_collect().await
    })
    .await
}

pub(super) async fn page(store: &MongoOrderStore, page: &OrderPage) -> Result<Vec<Order>> {
    let filter = match (page.whose, page.status) {
        (Whose::Of(user), status) => {
            let stages = status.as_ref().map_or(&Status::ALL[..], std::slice::from_ref);
            of_user(user, &["customer", "restaurant", "driver"], stages, page.before)
        }
        (Whose::Everybodys, status) => {
            let mut filter = numbered(page.before);
            filter.extend(status.map(|status| ("status".to_owned(), status.word().into())));
            filter
        }
    };
    list(store, filter, NEWEST, page.limit).await
}

pub(super) async fn under_way(
    store: &MongoOrderStore,
    user: UserId,
    limit: u32,
) -> Result<Vec<Order>> {
    let stages = [Status::Preparing, Status::OutForDelivery];
    let filter = of_user(user, &["customer", "driver"], &stages, None);
    list(store, filter, NEWEST, limit).await
}

/// Orders that have a user in one of the fields and are at one of the stages. These are named
/// even where all are wanted: so each pair of them is an index in the order of numbers, and the
/// database merges them.
fn of_user(user: UserId, fields: &[&str], stages: &[Status], before: Option<i64>) -> Document {
    let words: Vec<&str> = stages.iter().map(|stage| stage.word()).collect();
    let either = fields.iter().map(|field| {
        let mut one = doc! { *field: user, "status": { "$in": &words } };
        one.extend(numbered(before));
        one
    });
    doc! { "$or": either.collect::<Vec<_>>() }
}

fn numbered(before: Option<i64>) -> Document {
    before.map_or_else(Document::new, |before| doc! { "number": { "$lt": before } })
}

pub(super) async fn open(
    store: &MongoOrderStore,
    driver: UserId,
    limit: u32,
) -> Result<Vec<Order>> {
    let filter = doc! {
        "status": Status::Pending.word(),
        "offeredTo": Bson::Null,
        "rejections.driver": { "$ne": driver },
    };
    list(store, filter, NEWEST, limit).await
}

pub(super) async fn due(
    store: &MongoOrderStore,
    now: Timestamp,
    latest: Timestamp,
    limit: u32,
) -> Result<Vec<Order>> {
    let at = [doc! { "dispatchAt": { "$lte": now } }, doc! { "dispatchAt": { "$gt": latest } }];
    let filter = doc! { "status": Status::Pending.word(), "$or": at.to_vec() };
    list(store, filter, &[("dispatchAt", 1), ("number", 1)], limit).await
}

/// A look at each of these orders: nothing leads to who took a step of somebody else's.
pub(super) async fn with_part(
    store: &MongoOrderStore,
    user: UserId,
    first: i64,
    last: i64,
) -> Result<Vec<Order>> {
    let parts = ["customer", "restaurant", "driver", "rejections.driver", "history.by"];
    let filter = doc! {
        "number": { "$gte": first, "$lte": last },
        "$or": parts.map(|part| doc! { part: user }).to_vec(),
    };
    let orders = store.orders.clone();
    let rows: Vec<OrderRow> = run(async move {
        let by_number = Hint::Name(NUMBER_UNIQUE.to_owned());
        let found = orders.find(filter).hint(by_number).sort(doc! { "number": 1 });
        found.await?.try_collect().await
    })
    .await?;
    Ok(rows.into_iter().map(Order::from).collect())
}

pub(super) async fn busy(store: &MongoOrderStore, drivers: &[UserId]) -> Result<Vec<UserId>> {
    let stages = [Status::Preparing.word(), Status::OutForDelivery.word()];
    let filter = doc! { "driver": { "$in": drivers }, "status": { "$in": &stages[..] } };
    let orders = store.orders.clone();
    let found = run(async move { orders.distinct("driver", filter).await }).await?;
    let ids = found.iter().filter_map(Bson::as_object_id);
    Ok(ids.map(UserId::from).collect())
}
