//! Orders on MongoDB.

mod changing;
mod earnings;
mod inserting;
mod lists;
mod notices;
mod rows;

use async_trait::async_trait;
use mongodb::bson::{Document, doc};
use mongodb::{Collection, Database};

use self::rows::OrderRow;
use super::{Changed, Inserted, OrderStore};
use crate::clock::Timestamp;
use crate::error::Result;
use crate::ids::{OrderId, UserId};
use crate::orders::model::{Change, Earned, Notice, Order, OrderPage, Status, When};
use crate::store::mongo::index::{index, partial_index, partial_unique_index, unique_index};
use crate::store::mongo::{Mongo, MongoMigration};

/// Where orders are.
const ORDERS: &str = "orders";
/// Where the last number given out is.
const COUNTERS: &str = "counters";
/// Keeps numbers unique.
const NUMBER_UNIQUE: &str = "number_unique";
/// Keeps drivers from being offered two orders at once.
const OFFERED_TO_UNIQUE: &str = "offeredTo_unique";

/// The steps of the orders' schema.
pub const MIGRATIONS: &[MongoMigration] = &[
    MongoMigration {
        domain: "orders",
        version: 1,
        apply: |database| Box::pin(create_indexes(database)),
    },
    MongoMigration {
        domain: "orders",
        version: 2,
        apply: |database| Box::pin(create_drivers_indexes(database)),
    },
];

async fn create_indexes(database: Database) -> mongodb::error::Result<()> {
    let there = |field: &str| doc! { field: { "$exists": true } };
    let once = doc! { "customer": 1, "clientOrderId": 1 };
    let due = doc! { "dispatchAt": 1, "number": 1 };
    let by_number = |whose: &str| doc! { whose: 1, "status": 1, "number": -1 };
    database
        .collection::<Document>(ORDERS)
        .create_indexes([
            unique_index(NUMBER_UNIQUE, doc! { "number": 1 }),
            partial_unique_index("customer_clientOrderId_unique", once, there("clientOrderId")),
            partial_unique_index(OFFERED_TO_UNIQUE, doc! { "offeredTo": 1 }, there("offeredTo")),
            partial_index("due", due, there("dispatchAt")),
            index("status_number", doc! { "status": 1, "number": -1 }),
            index("customer_status_number", by_number("customer")),
            partial_index("restaurant_status_number", by_number("restaurant"), there("restaurant")),
            partial_index("driver_status_number", by_number("driver"), there("driver")),
        ])
        .await?;
    Ok(())
}

/// Of what drivers must still be told, and of what they earned.
async fn create_drivers_indexes(database: Database) -> mongodb::error::Result<()> {
    let untold = doc! { "untold": 1, "number": 1 };
    // With the status, which is always the same, because a query is answered from an index alone
    // only if it has every field that the query names.
    let earned = doc! { "driver": 1, "status": 1, "updatedAt": 1, "earnings": 1 };
    let delivered = doc! { "status": Status::Delivered.word() };
    database
        .collection::<Document>(ORDERS)
        .create_indexes([
            partial_index("untold_number", untold, notices::somebody_is_untold()),
            partial_index("driver_earned", earned, delivered),
        ])
        .await?;
    Ok(())
}

/// [`OrderStore`] on MongoDB.
#[derive(Debug, Clone)]
pub struct MongoOrderStore {
    orders: Collection<OrderRow>,
    database: Database,
}

impl MongoOrderStore {
    /// The store in this database, whose schema must be up to date ([`MIGRATIONS`]).
    pub fn new(db: &Mongo) -> Self {
        Self { orders: db.collection(ORDERS), database: db.database().clone() }
    }
}

#[async_trait]
impl OrderStore for MongoOrderStore {
    async fn insert(&self, order: &Order) -> Result<Inserted> {
        inserting::insert(self, order).await
    }

    async fn order(&self, id: OrderId) -> Result<Option<Order>> {
        lists::find(self, doc! { "_id": id }).await
    }

    async fn order_by_number(&self, number: i64) -> Result<Option<Order>> {
        lists::find(self, doc! { "number": number }).await
    }

    async fn orders(&self, page: &OrderPage) -> Result<Vec<Order>> {
        lists::page(self, page).await
    }

    async fn with_part(&self, user: UserId, first: i64, last: i64) -> Result<Vec<Order>> {
        lists::with_part(self, user, first, last).await
    }

    async fn redact(&self, order: &Order) -> Result<bool> {
        changing::redact(self, order).await
    }

    async fn change(&self, id: OrderId, when: &When, change: &Change) -> Result<Changed> {
        changing::change(self, id, when, change).await
    }

    async fn under_way(&self, user: UserId, limit: u32) -> Result<Vec<Order>> {
        lists::under_way(self, user, limit).await
    }

    async fn open(&self, driver: UserId, limit: u32) -> Result<Vec<Order>> {
        lists::open(self, driver, limit).await
    }

    async fn busy(&self, drivers: &[UserId]) -> Result<Vec<UserId>> {
        lists::busy(self, drivers).await
    }

    async fn offered_to(&self, driver: UserId) -> Result<Option<Order>> {
        lists::find(self, doc! { "offeredTo": driver, "status": "pending" }).await
    }

    async fn due(&self, now: Timestamp, latest: Timestamp, limit: u32) -> Result<Vec<Order>> {
        lists::due(self, now, latest, limit).await
    }

    async fn untold(&self, driver: UserId, limit: u32) -> Result<Vec<(Order, Notice)>> {
        notices::untold(self, driver, limit).await
    }

    async fn told(&self, told: &[(UserId, OrderId, u32)]) -> Result<()> {
        notices::told(self, told).await
    }

    async fn earned(&self, driver: UserId, bounds: &[Timestamp]) -> Result<Vec<Earned>> {
        earnings::earned(self, driver, bounds).await
    }
}
