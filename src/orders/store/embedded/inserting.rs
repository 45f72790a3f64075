//! Inserting orders, and writing over what they say. Looking first and then writing is safe where one thread writes.

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
            rejections(order)?,
            history(order)?,
            order.created_at,
            order.updated_at,
        ],
        from_row,
    )
    .map(Inserted::Stored)
}

fn rejections(order: &Order) -> rusqlite::Result<String> {
    to_json(&order.rejections.iter().map(RejectionRow::from).collect::<Vec<_>>())
}

fn history(order: &Order) -> rusqlite::Result<String> {
    to_json(&order.history.iter().map(EntryRow::from).collect::<Vec<_>>())
}

/// Writes over what an order says, unless it has changed meanwhile.
pub(super) fn redact(db: &Connection, order: &Order) -> rusqlite::Result<bool> {
    db.prepare_cached(
        "UPDATE orders SET contents = ?2, client_order_id = ?3, rejections = ?4, history = ?5
         WHERE id = ?1 AND status = ?6 AND updated_at = ?7
             AND json_array_length(rejections) = ?8 AND json_array_length(history) = ?9",
    )?
    .execute(params![
        order.id,
        to_json(&ContentsRow::<Degrees>::from(&order.contents))?,
        order.client_order_id.as_ref().map(IdempotencyKey::as_str),
        rejections(order)?,
        history(order)?,
        order.status.word(),
        order.updated_at,
        order.rejections.len() as i64,
        order.history.len() as i64,
    ])
    .map(|changed| changed > 0)
}
