//! Orders as documents.

use std::collections::HashMap;

use mongodb::bson::oid::ObjectId;
use mongodb::bson::{Bson, DateTime, Document, doc};
use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::ids::UserId;
use crate::money::Money;
use crate::orders::model::{Contents, Entry, NoticeKind, Order, Rejection, Status};
use crate::orders::store::contents::ContentsRow;
use crate::store::mongo::geo::GeoPoint;
use crate::text::{Description, IdempotencyKey};

/// An order as a document. What it has not is left out, so that partial indexes leave it out too.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OrderRow {
    #[serde(rename = "_id")]
    pub(super) id: ObjectId,
    pub(super) number: i64,
    customer: ObjectId,
    #[serde(skip_serializing_if = "Option::is_none")]
    restaurant: Option<ObjectId>,
    contents: ContentsRow<GeoPoint>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_order_id: Option<String>,
    status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    driver: Option<ObjectId>,
    earnings: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    offered_to: Option<ObjectId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dispatch_at: Option<DateTime>,
    passed: Vec<ObjectId>,
    rejections: Vec<RejectionRow>,
    history: Vec<EntryRow>,
    /// By the ids of drivers, whom `untold` lists once more for its index. Only changes write them.
    #[serde(default, skip_serializing)]
    pub(super) notices: HashMap<String, NoticeRow>,
    created_at: DateTime,
    updated_at: DateTime,
}

impl From<&Order> for OrderRow {
    fn from(order: &Order) -> Self {
        Self {
            id: order.id.into(),
            number: order.number,
            customer: order.customer.into(),
            restaurant: order.restaurant.map(ObjectId::from),
            contents: ContentsRow::from(&order.contents),
            client_order_id: order.client_order_id.as_ref().map(|key| key.as_str().to_owned()),
            status: order.status,
            driver: order.driver.map(ObjectId::from),
            earnings: order.earnings.minor(),
            offered_to: order.offered_to.map(ObjectId::from),
            dispatch_at: order.dispatch_at.map(DateTime::from),
            passed: order.passed.iter().map(|driver| ObjectId::from(*driver)).collect(),
            rejections: order.rejections.iter().map(RejectionRow::from).collect(),
            history: order.history.iter().map(EntryRow::from).collect(),
            notices: HashMap::new(),
            created_at: order.created_at.into(),
            updated_at: order.updated_at.into(),
        }
    }
}

impl From<OrderRow> for Order {
    fn from(row: OrderRow) -> Self {
        Self {
            id: row.id.into(),
            number: row.number,
            customer: row.customer.into(),
            restaurant: row.restaurant.map(UserId::from),
            contents: Contents::from(row.contents),
            client_order_id: row.client_order_id.map(IdempotencyKey::from_stored),
            status: row.status,
            driver: row.driver.map(UserId::from),
            earnings: Money::from_minor(row.earnings),
            offered_to: row.offered_to.map(UserId::from),
            dispatch_at: row.dispatch_at.map(Timestamp::from),
            passed: row.passed.into_iter().map(UserId::from).collect(),
            rejections: row.rejections.into_iter().map(Rejection::from).collect(),
            history: row.history.into_iter().map(Entry::from).collect(),
            created_at: row.created_at.into(),
            updated_at: row.updated_at.into(),
        }
    }
}

/// A notice as a document; its driver is the name it stands under.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct NoticeRow {
    pub(super) no: u32,
    pub(super) kind: NoticeKind,
}

/// A rejection as a document.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct RejectionRow {
    driver: ObjectId,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    at: DateTime,
}

impl From<&Rejection> for RejectionRow {
    fn from(Rejection { driver, reason, at }: &Rejection) -> Self {
        let reason = reason.as_ref().map(|reason| reason.as_str().to_owned());
        Self { driver: (*driver).into(), reason, at: (*at).into() }
    }
}

impl From<RejectionRow> for Rejection {
    fn from(RejectionRow { driver, reason, at }: RejectionRow) -> Self {
        let reason = reason.map(Description::from_stored);
        Self { driver: driver.into(), reason, at: at.into() }
    }
}

impl From<RejectionRow> for Bson {
    fn from(RejectionRow { driver, reason, at }: RejectionRow) -> Self {
        with_reason(doc! { "driver": driver, "at": at }, reason)
    }
}

/// A step as a document.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct EntryRow {
    status: Status,
    at: DateTime,
    by: ObjectId,
    #[serde(skip_serializing_if = "Option::is_none")]
    driver: Option<ObjectId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl From<&Entry> for EntryRow {
    fn from(entry: &Entry) -> Self {
        Self {
            status: entry.status,
            at: entry.at.into(),
            by: entry.by.into(),
            driver: entry.driver.map(ObjectId::from),
            reason: entry.reason.as_ref().map(|reason| reason.as_str().to_owned()),
        }
    }
}

impl From<EntryRow> for Entry {
    fn from(row: EntryRow) -> Self {
        Self {
            status: row.status,
            at: row.at.into(),
            by: row.by.into(),
            driver: row.driver.map(UserId::from),
            reason: row.reason.map(Description::from_stored),
        }
    }
}

impl From<EntryRow> for Bson {
    fn from(EntryRow { status, at, by, driver, reason }: EntryRow) -> Self {
        let mut row = doc! { "status": status.word(), "at": at, "by": by };
        row.extend(driver.map(|driver| ("driver".to_owned(), driver.into())));
        with_reason(row, reason)
    }
}

fn with_reason(mut row: Document, reason: Option<String>) -> Bson {
    row.extend(reason.map(|reason| ("reason".to_owned(), reason.into())));
    row.into()
}
