//! What drivers must still be told. It stands in the orders: `notices` by driver, and `untold`,
//! the list of those drivers, which an index can be of.

use mongodb::bson::{Document, doc};

use super::lists::rows;
use super::{MongoOrderStore, ORDERS};
use crate::error::Result;
use crate::ids::{OrderId, UserId};
use crate::orders::model::{Notice, Order};
use crate::store::mongo::operation::{Wait, run, update_each};

/// Where the notice of a driver stands.
pub(super) fn field(driver: UserId) -> String {
    format!("notices.{driver}")
}

/// What holds of the orders that the index has. A query must say so too, or it does not go by it.
pub(super) fn somebody_is_untold() -> Document {
    doc! { "untold.0": { "$exists": true } }
}

pub(super) async fn untold(
    store: &MongoOrderStore,
    driver: UserId,
    limit: u32,
) -> Result<Vec<(Order, Notice)>> {
    let mut filter = doc! { "untold": driver };
    filter.extend(somebody_is_untold());
    let name = driver.to_string();
    let found = rows(store, filter, &[("number", 1)], limit).await?.into_iter();
    let with_notice = found.filter_map(|row| {
        let there = *row.notices.get(&name)?;
        let notice = Notice { driver, no: there.no, kind: there.kind };
        Some((row.into(), notice))
    });
    Ok(with_notice.collect())
}

pub(super) async fn told(store: &MongoOrderStore, told: &[(UserId, OrderId, u32)]) -> Result<()> {
    if told.is_empty() {
        return Ok(());
    }
    let forget = told.iter().map(|(driver, order, no)| {
        let notice = field(*driver);
        doc! {
            "q": { "_id": *order, format!("{notice}.no"): i64::from(*no) },
            "u": { "$unset": { notice: "" }, "$pull": { "untold": *driver } },
        }
    });
    run(update_each(store.database.clone(), ORDERS, forget.collect(), Wait::Durable)).await
}
