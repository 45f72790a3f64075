//! Changing orders.

use rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE;
use rusqlite::{Connection, OptionalExtension, named_params};

use super::notices;
use super::rows::{EntryRow, RejectionRow, columns, from_row, to_json};
use crate::ids::{OrderId, UserId};
use crate::orders::model::{Change, Notify, Order, Passed, When};
use crate::orders::store::Changed;

/// The change in one statement. Whom `passed` and `rejections` name, they name as JSON does.
const CHANGE: &str = concat!(
    "UPDATE orders SET status = :status, driver = :driver, earnings = :earnings,
         offered_to = :offered_to, dispatch_at = :dispatch_at, updated_at = :at,
         passed = CASE
             WHEN :removed IS NOT NULL THEN
                 (SELECT json_group_array(value) FROM json_each(passed) WHERE value <> :removed)
             WHEN :added IS NULL
                 OR EXISTS (SELECT 1 FROM json_each(passed) WHERE value = :added) THEN passed
             ELSE json_insert(passed, '$[#]', :added) END,
         rejections = iif(:rejection IS NULL, rejections,
             json_insert(rejections, '$[#]', json(:rejection))),
         history = iif(:entry IS NULL, history, json_insert(history, '$[#]', json(:entry)))
     WHERE id = :id AND status = :when_status AND driver IS :when_driver
         AND offered_to IS :when_offered_to
         AND NOT EXISTS (SELECT 1 FROM json_each(rejections) WHERE value ->> 'driver' = :rejects)
         AND (:steps IS NULL OR json_array_length(history) = :steps)
     RETURNING ",
    columns!()
);

pub(super) fn change(
    db: &Connection,
    id: OrderId,
    when: &When,
    change: &Change,
) -> rusqlite::Result<Changed> {
    match update(db, id, when, change) {
        Ok(Some(order)) => {
            notices::apply(db, order.number, change.notify)?;
            Ok(Changed::Done(Box::new(order)))
        }
        Ok(None) => Ok(Changed::Otherwise),
        // Of what is unique, a change can only touch the offer. It undid itself alone.
        Err(rusqlite::Error::SqliteFailure(problem, _))
            if problem.extended_code == SQLITE_CONSTRAINT_UNIQUE =>
        {
            Ok(Changed::Busy)
        }
        Err(problem) => Err(problem),
    }
}

fn update(
    db: &Connection,
    id: OrderId,
    when: &When,
    change: &Change,
) -> rusqlite::Result<Option<Order>> {
    let (added, removed) = match change.passed {
        Passed::Keep => (None, None),
        Passed::Add(driver) => (Some(driver), None),
        Passed::Remove(driver) => (None, Some(driver)),
    };
    let (rejection, entry) = (change.rejection.as_ref(), change.entry.as_ref());
    let steps = match change.notify {
        Notify::Set(notice) => Some(i64::from(notice.no) - 1),
        Notify::Keep | Notify::Clear(_) => None,
    };
    let rejects = rejection.map(|rejection| rejection.driver);
    db.prepare_cached(CHANGE)?
        .query_row(
            named_params! {
                ":id": id,
                ":when_status": when.status.word(),
                ":when_driver": when.driver,
                ":when_offered_to": when.offered_to,
                ":rejects": rejects.map(|driver| driver.to_string()),
                ":steps": steps,
                ":status": change.status.word(),
                ":driver": change.driver,
                ":earnings": change.earnings.minor(),
                ":offered_to": change.offered_to,
                ":dispatch_at": change.dispatch_at,
                ":at": change.at,
                ":added": added.map(|driver: UserId| driver.to_string()),
                ":removed": removed.map(|driver: UserId| driver.to_string()),
                ":rejection": rejection.map(|one| to_json(&RejectionRow::from(one))).transpose()?,
                ":entry": entry.map(|one| to_json(&EntryRow::from(one))).transpose()?,
            },
            from_row,
        )
        .optional()
}
