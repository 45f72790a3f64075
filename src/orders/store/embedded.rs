//! Orders on SQLite.

mod changing;
mod earnings;
mod inserting;
mod lists;
mod notices;
mod rows;

use async_trait::async_trait;

use super::{Changed, Inserted, OrderStore};
use crate::clock::Timestamp;
use crate::error::Result;
use crate::ids::{OrderId, UserId};
use crate::orders::model::{Change, Earned, Notice, Order, OrderPage, When};
use crate::store::Migration;
use crate::store::embedded::Embedded;

/// The table of orders. An index has the number, as that of the row, after its columns.
pub const MIGRATIONS: &[Migration] = &[
    Migration { domain: "orders", version: 1, sql: ORDERS },
    Migration { domain: "orders", version: 2, sql: OF_DRIVERS },
];

const ORDERS: &str = "
    CREATE TABLE orders (
        number          INTEGER PRIMARY KEY,
        id              BLOB NOT NULL UNIQUE,
        customer        BLOB NOT NULL,
        restaurant      BLOB,
        contents        TEXT NOT NULL,
        client_order_id TEXT,
        status          TEXT NOT NULL,
        driver          BLOB,
        earnings        INTEGER NOT NULL,
        offered_to      BLOB,
        dispatch_at     INTEGER,
        passed          TEXT NOT NULL,
        rejections      TEXT NOT NULL,
        history         TEXT NOT NULL,
        created_at      INTEGER NOT NULL,
        updated_at      INTEGER NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX orders_once ON orders (customer, client_order_id)
        WHERE client_order_id IS NOT NULL;
    CREATE UNIQUE INDEX orders_offered ON orders (offered_to) WHERE offered_to IS NOT NULL;
    CREATE INDEX orders_due ON orders (status, dispatch_at) WHERE dispatch_at IS NOT NULL;
    CREATE INDEX orders_status ON orders (status);
    CREATE INDEX orders_customer ON orders (customer, status);
    CREATE INDEX orders_restaurant ON orders (restaurant, status)
        WHERE restaurant IS NOT NULL;
    CREATE INDEX orders_driver ON orders (driver, status) WHERE driver IS NOT NULL;";

/// The table of what drivers must still be told, and the index of what they earned.
const OF_DRIVERS: &str = "
    CREATE TABLE order_notices (
        driver BLOB NOT NULL,
        number INTEGER NOT NULL,
        no     INTEGER NOT NULL,
        kind   TEXT NOT NULL,
        PRIMARY KEY (driver, number)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX orders_earned ON orders (driver, updated_at, earnings)
        WHERE status = 'delivered';";

/// Orders in the embedded database.
#[derive(Clone)]
pub struct EmbeddedOrderStore(Embedded);

impl EmbeddedOrderStore {
    /// On a database that was opened with [`MIGRATIONS`].
    pub fn new(db: Embedded) -> Self {
        Self(db)
    }
}

#[async_trait]
impl OrderStore for EmbeddedOrderStore {
    async fn insert(&self, order: &Order) -> Result<Inserted> {
        let order = order.clone();
        self.0.write(move |db| inserting::insert(db, &order)).await
    }

    async fn order(&self, id: OrderId) -> Result<Option<Order>> {
        self.0.read(move |db| rows::by_id(db, id)).await
    }

    async fn order_by_number(&self, number: i64) -> Result<Option<Order>> {
        self.0.read(move |db| rows::by_number(db, number)).await
    }

    async fn orders(&self, page: &OrderPage) -> Result<Vec<Order>> {
        let page = *page;
        self.0.read(move |db| lists::page(db, &page)).await
    }

    async fn with_part(&self, user: UserId, first: i64, last: i64) -> Result<Vec<Order>> {
        self.0.read(move |db| lists::with_part(db, user, first, last)).await
    }

    async fn redact(&self, order: &Order) -> Result<bool> {
        let order = order.clone();
        self.0.write(move |db| inserting::redact(db, &order)).await
    }

    async fn change(&self, id: OrderId, when: &When, change: &Change) -> Result<Changed> {
        let (when, change) = (*when, change.clone());
        self.0.write(move |db| changing::change(db, id, &when, &change)).await
    }

    async fn under_way(&self, user: UserId, limit: u32) -> Result<Vec<Order>> {
        self.0.read(move |db| lists::under_way(db, user, limit)).await
    }

    async fn open(&self, driver: UserId, limit: u32) -> Result<Vec<Order>> {
        self.0.read(move |db| lists::open(db, driver, limit)).await
    }

    async fn busy(&self, drivers: &[UserId]) -> Result<Vec<UserId>> {
        let drivers = drivers.to_vec();
        self.0.read(move |db| lists::busy(db, &drivers)).await
    }

    async fn offered_to(&self, driver: UserId) -> Result<Option<Order>> {
        self.0.read(move |db| lists::offered_to(db, driver)).await
    }

    async fn due(&self, now: Timestamp, latest: Timestamp, limit: u32) -> Result<Vec<Order>> {
        self.0.read(move |db| lists::due(db, now, latest, limit)).await
    }

    async fn untold(&self, driver: UserId, limit: u32) -> Result<Vec<(Order, Notice)>> {
        self.0.read(move |db| notices::untold(db, driver, limit)).await
    }

    async fn told(&self, told: &[(UserId, OrderId, u32)]) -> Result<()> {
        if told.is_empty() {
            return Ok(());
        }
        let told = told.to_vec();
        self.0.write(move |db| notices::told(db, &told)).await
    }

    async fn earned(&self, driver: UserId, bounds: &[Timestamp]) -> Result<Vec<Earned>> {
        let bounds = bounds.to_vec();
        self.0.read(move |db| earnings::earned(db, driver, &bounds)).await
    }
}

#[cfg(test)]
mod tests;
