//! What drivers must still be told.

use rusqlite::{Connection, params};

use super::rows::{columns, from_row};
use crate::ids::{OrderId, UserId};
use crate::orders::model::{Notice, Notify, Order};
use crate::store::embedded::word;

/// The notices of a driver with their orders. The orders are found by the notices.
pub(super) const UNTOLD: &str = concat!(
    "SELECT ",
    columns!(),
    ", no, kind FROM (SELECT number AS told, no, kind FROM order_notices
         WHERE driver = ?1 ORDER BY number LIMIT ?2) CROSS JOIN orders ON number = told
     ORDER BY told"
);

/// Forgets a notice, if it is this one.
pub(super) const TOLD: &str = "DELETE FROM order_notices WHERE driver = ?1
    AND number = (SELECT number FROM orders WHERE id = ?2) AND no = ?3";

/// What a change of the order with this number does to its notices; in the same transaction.
pub(super) fn apply(db: &Connection, number: i64, notify: Notify) -> rusqlite::Result<()> {
    match notify {
        Notify::Keep => Ok(()),
        Notify::Set(Notice { driver, no, kind }) => db
            .prepare_cached("INSERT OR REPLACE INTO order_notices VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![driver, number, no, kind.word()])
            .map(drop),
        Notify::Clear(driver) => db
            .prepare_cached("DELETE FROM order_notices WHERE driver = ?1 AND number = ?2")?
            .execute(params![driver, number])
            .map(drop),
    }
}

pub(super) fn untold(
    db: &Connection,
    driver: UserId,
    limit: u32,
) -> rusqlite::Result<Vec<(Order, Notice)>> {
    db.prepare_cached(UNTOLD)?
        .query_map(params![driver, limit], |row| {
            let notice = Notice { driver, no: row.get(16)?, kind: word(row, 17)? };
            Ok((from_row(row)?, notice))
        })?
        .collect()
}

pub(super) fn told(db: &Connection, told: &[(UserId, OrderId, u32)]) -> rusqlite::Result<()> {
    let mut forget = db.prepare_cached(TOLD)?;
    for (driver, order, no) in told {
        forget.execute(params![driver, order, no])?;
    }
    Ok(())
}
