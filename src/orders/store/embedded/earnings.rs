//! What drivers earned.

use rusqlite::{Connection, params};

use crate::clock::Timestamp;
use crate::ids::UserId;
use crate::money::Money;
use crate::orders::model::Earned;

/// What a driver earned in some time. The index holds all that it reads.
pub(super) const EARNED: &str = "SELECT coalesce(sum(earnings), 0), count(*) FROM orders
    WHERE driver = ?1 AND status = 'delivered' AND updated_at >= ?2 AND updated_at < ?3";

pub(super) fn earned(
    db: &Connection,
    driver: UserId,
    bounds: &[Timestamp],
) -> rusqlite::Result<Vec<Earned>> {
    let mut sums = db.prepare_cached(EARNED)?;
    bounds
        .windows(2)
        .map(|ends| {
            sums.query_row(params![driver, ends[0], ends[1]], |row| {
                let (total, orders): (i64, i64) = (row.get(0)?, row.get(1)?);
                Ok(Earned { total: Money::from_minor(total), orders: orders.unsigned_abs() })
            })
        })
        .collect()
}
