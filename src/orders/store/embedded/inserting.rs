//! Inserting orders. Looking first and then writing is safe where one thread writes.

use rusqlite::{Connection, params};

use super::rows::{
    Degrees, EntryRow, RejectionRow, by_id, columns, from_row, one, select, to_json,
};
use crate::orders::model::Order;
use crate::orders::store::Inserted;
use crate::orders::store::contents::ContentsRow;
use crate::text::IdempotencyKey;

pub(super) fn insert(db: &Connection, order: &Order) -> rusqlite::Result<Inserted> {
    if let Some(there) = by_id(db, order.id)? {
        return Ok(Inserted::Stored(there));
    }
    let key = order.client_order_id.as_ref().map(IdempotencyKey::as_str);
    let same = select!("WHERE customer = ?1 AND client_order_id = ?2");
    if let Some(earlier) = one(db, same, params![order.customer, key])? {
        return Ok(Inserted::Repeated(earlier));
    }
    let rejections: Vec<_> = order.rejections.iter().map(RejectionRow::from).collect();
    let history: Vec<_> = order.history.iter().map(EntryRow::from).collect();
    db.prepare_cached(concat!(
        "INSERT INTO orders (",
        columns!(),
        ") SELECT coalesce(max(number), 0) + 1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11,
             ?12, ?13, ?14, ?15 FROM orders RETURNING ",
        columns!()
    ))?
    .query_row(
        params![
            order.id,
            order.customer,
            order.restaurant,
            to_json(&ContentsRow::<Degrees>::from(&order.contents))?,
            key,
            order.status.word(),
            order.driver,
            order.earnings.minor(),
            order.offered_to,
            order.dispatch_at,
            to_json(&order.passed)?,
            to_json(&rejections)?,
            to_json(&history)?,
            order.created_at,
            order.updated_at,
        ],
        from_row,
    )
    .map(Inserted::Stored)
}
