//! Orders by row. What never changes, and lists that are only read whole, stand as JSON.

use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Params, Row};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::geo::Point;
use crate::ids::{OrderId, UserId};
use crate::money::Money;
use crate::orders::model::{Contents, Entry, Order, Rejection, Status};
use crate::orders::store::contents::ContentsRow;
use crate::store::embedded::word;
use crate::text::{Description, IdempotencyKey};

/// The columns that [`from_row`] reads, in its order.
macro_rules! columns {
    () => {
        "number, id, customer, restaurant, contents, client_order_id, status, driver, earnings, \
         offered_to, dispatch_at, passed, rejections, history, created_at, updated_at"
    };
}
pub(super) use columns;

/// The orders that the rest selects.
macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT ", crate::orders::store::embedded::rows::columns!(), " FROM orders ", $rest)
    };
}
pub(super) use select;

pub(super) fn from_row(row: &Row<'_>) -> rusqlite::Result<Order> {
    Ok(Order {
        number: row.get(0)?,
        id: row.get(1)?,
        customer: row.get(2)?,
        restaurant: row.get(3)?,
        contents: Contents::from(json::<ContentsRow<Degrees>>(row, 4)?),
        client_order_id: row.get::<_, Option<String>>(5)?.map(IdempotencyKey::from_stored),
        status: word(row, 6)?,
        driver: row.get(7)?,
        earnings: Money::from_minor(row.get(8)?),
        offered_to: row.get(9)?,
        dispatch_at: row.get(10)?,
        passed: json(row, 11)?,
        rejections: json::<Vec<RejectionRow>>(row, 12)?.into_iter().map(Rejection::from).collect(),
        history: json::<Vec<EntryRow>>(row, 13)?.into_iter().map(Entry::from).collect(),
        created_at: row.get(14)?,
        updated_at: row.get(15)?,
    })
}

fn json<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    serde_json::from_str(row.get_ref(column)?.as_str()?).map_err(|problem| {
        rusqlite::Error::FromSqlConversionFailure(column, Type::Text, problem.into())
    })
}

/// A value as it stands in a column.
pub(super) fn to_json(value: &impl Serialize) -> rusqlite::Result<String> {
    serde_json::to_string(value)
        .map_err(|problem| rusqlite::Error::ToSqlConversionFailure(problem.into()))
}

/// A point as the words of its latitude and longitude. Numbers in JSON would not do: what reads
/// them may miss the last bit.
#[derive(Debug, Serialize, Deserialize)]
#[serde(try_from = "(String, String)", into = "(String, String)")]
pub(super) struct Degrees(Point);

impl Clone for Degrees {
    fn clone(&self) -> Self {
        Self(self.0)
    }
}

impl From<Point> for Degrees {
    fn from(point: Point) -> Self {
        Self(point)
    }
}

impl From<Degrees> for Point {
    fn from(Degrees(point): Degrees) -> Self {
        point
    }
}

impl From<Degrees> for (String, String) {
    fn from(Degrees(point): Degrees) -> Self {
        (point.latitude().to_string(), point.longitude().to_string())
    }
}

impl TryFrom<(String, String)> for Degrees {
    type Error = std::num::ParseFloatError;

    fn try_from((latitude, longitude): (String, String)) -> Result<Self, Self::Error> {
        Ok(Self(Point::from_stored(latitude.parse()?, longitude.parse()?)))
    }
}

/// A rejection as JSON.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct RejectionRow {
    driver: UserId,
    reason: Option<String>,
    at: Timestamp,
}

impl From<&Rejection> for RejectionRow {
    fn from(Rejection { driver, reason, at }: &Rejection) -> Self {
        let reason = reason.as_ref().map(|reason| reason.as_str().to_owned());
        Self { driver: *driver, reason, at: *at }
    }
}

impl From<RejectionRow> for Rejection {
    fn from(RejectionRow { driver, reason, at }: RejectionRow) -> Self {
        Self { driver, reason: reason.map(Description::from_stored), at }
    }
}

/// A step as JSON.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct EntryRow {
    status: Status,
    at: Timestamp,
    by: UserId,
    driver: Option<UserId>,
    reason: Option<String>,
}

impl From<&Entry> for EntryRow {
    fn from(entry: &Entry) -> Self {
        let reason = entry.reason.as_ref().map(|reason| reason.as_str().to_owned());
        let Entry { status, at, by, driver, .. } = *entry;
        Self { status, at, by, driver, reason }
    }
}

impl From<EntryRow> for Entry {
    fn from(EntryRow { status, at, by, driver, reason }: EntryRow) -> Self {
        Self { status, at, by, driver, reason: reason.map(Description::from_stored) }
    }
}

pub(super) fn one(
    db: &Connection,
    sql: &str,
    params: impl Params,
) -> rusqlite::Result<Option<Order>> {
    db.prepare_cached(sql)?.query_row(params, from_row).optional()
}

pub(super) fn many(
    db: &Connection,
    sql: &str,
    params: impl Params,
) -> rusqlite::Result<Vec<Order>> {
    db.prepare_cached(sql)?.query_map(params, from_row)?.collect()
}

pub(super) fn by_id(db: &Connection, id: OrderId) -> rusqlite::Result<Option<Order>> {
    one(db, select!("WHERE id = ?1"), [id])
}

pub(super) fn by_number(db: &Connection, number: i64) -> rusqlite::Result<Option<Order>> {
    one(db, select!("WHERE number = ?1"), [number])
}
