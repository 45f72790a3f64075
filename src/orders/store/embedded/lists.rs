//! Lists of orders.

use rusqlite::{Connection, named_params, params};

use super::rows::{columns, many, one, select};
use crate::clock::Timestamp;
use crate::ids::UserId;
use crate::orders::model::{Order, OrderPage, Status, Whose};

pub(super) fn page(db: &Connection, page: &OrderPage) -> rusqlite::Result<Vec<Order>> {
    let before = page.before.unwrap_or(i64::MAX);
    match (page.whose, page.status) {
        (Whose::Of(user), status) => {
            let sql = of_user(&["customer", "restaurant", "driver"], stages(status.as_ref()));
            many(db, &sql, named_params! { ":user": user, ":before": before, ":limit": page.limit })
        }
        (Whose::Everybodys, Some(status)) => many(
            db,
            select!("WHERE status = ?1 AND number < ?2 ORDER BY number DESC LIMIT ?3"),
            params![status.word(), before, page.limit],
        ),
        (Whose::Everybodys, None) => many(
            db,
            select!("WHERE number < ?1 ORDER BY number DESC LIMIT ?2"),
            params![before, page.limit],
        ),
    }
}

pub(super) fn under_way(db: &Connection, user: UserId, limit: u32) -> rusqlite::Result<Vec<Order>> {
    let sql = of_user(&["customer", "driver"], &[Status::Preparing, Status::OutForDelivery]);
    many(db, &sql, named_params! { ":user": user, ":before": i64::MAX, ":limit": limit })
}

/// A look at each of these orders: nothing leads to who took a step of somebody else's.
pub(super) fn with_part(
    db: &Connection,
    user: UserId,
    first: i64,
    last: i64,
) -> rusqlite::Result<Vec<Order>> {
    many(
        db,
        select!(
            "WHERE number BETWEEN ?2 AND ?3 AND (?1 IN (customer, restaurant, driver)
                 OR instr(rejections, ?4) OR instr(history, ?4))
             ORDER BY number"
        ),
        params![user, first, last, user.to_string()],
    )
}

/// Only this one, or all.
fn stages(status: Option<&Status>) -> &[Status] {
    status.map_or(&Status::ALL, std::slice::from_ref)
}

/// Selects the orders that have a user in one of the columns and are at one of the stages. Each
/// pair of them is an index in the order of numbers, of which no more is read than is wanted.
pub(super) fn of_user(whose: &[&str], stages: &[Status]) -> String {
    let pairs = whose.iter().flat_map(|column| stages.iter().map(move |stage| (column, stage)));
    let parts: Vec<String> = pairs
        .map(|(column, stage)| {
            format!(
                "SELECT * FROM (SELECT number FROM orders WHERE {column} = :user
                     AND status = '{}' AND number < :before ORDER BY number DESC LIMIT :limit)",
                stage.word()
            )
        })
        .collect();
    format!(
        "SELECT {} FROM orders WHERE number IN ({}) ORDER BY number DESC LIMIT :limit",
        columns!(),
        parts.join(" UNION ")
    )
}

pub(super) fn open(db: &Connection, driver: UserId, limit: u32) -> rusqlite::Result<Vec<Order>> {
    many(
        db,
        select!(
            "WHERE status = 'pending' AND offered_to IS NULL AND NOT EXISTS
                 (SELECT 1 FROM json_each(rejections) WHERE value ->> 'driver' = ?1)
             ORDER BY number DESC LIMIT ?2"
        ),
        params![driver.to_string(), limit],
    )
}

pub(super) fn offered_to(db: &Connection, driver: UserId) -> rusqlite::Result<Option<Order>> {
    one(db, select!("WHERE offered_to = ?1 AND status = 'pending'"), [driver])
}

pub(super) fn due(
    db: &Connection,
    now: Timestamp,
    latest: Timestamp,
    limit: u32,
) -> rusqlite::Result<Vec<Order>> {
    many(
        db,
        select!(
            "WHERE (dispatch_at <= ?1 OR dispatch_at > ?2) AND status = 'pending'
             ORDER BY dispatch_at, number LIMIT ?3"
        ),
        params![now, latest, limit],
    )
}

/// One look into the index of drivers for each.
pub(super) fn busy(db: &Connection, drivers: &[UserId]) -> rusqlite::Result<Vec<UserId>> {
    let mut is_busy = db.prepare_cached(
        "SELECT 1 FROM orders WHERE driver = ?1 AND status IN ('preparing', 'outForDelivery')
         LIMIT 1",
    )?;
    let mut busy = Vec::new();
    for driver in drivers {
        if is_busy.exists([driver])? {
            busy.push(*driver);
        }
    }
    Ok(busy)
}
