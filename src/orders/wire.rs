//! Orders on the wire.

use serde::Serialize;
use utoipa::ToSchema;

use super::model::{Entry, Item, Order, Place, Rejection, Status};
use crate::auth::model::Account;
use crate::clock::Timestamp;
use crate::drivers::wire::DriverView;
use crate::ids::{OrderId, RoomId, UserId};
use crate::money::Money;

/// Rejections that are shown of an order: it may have many, and goes to many.
const MOST_REJECTIONS: usize = 50;

/// An order as clients see it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrderView {
    /// Id.
    pub id: OrderId,
    /// The same id, for clients that look for it here.
    #[serde(rename = "_id")]
    pub mongo_id: OrderId,
    /// The small number, `order_id` on `/api/v1`.
    pub order_number: i64,
    /// Who placed it.
    pub user_id: UserId,
    /// Who prepares it, where that is an account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restaurant_id: Option<UserId>,
    /// Who brings it.
    pub driver_id: Option<UserId>,
    /// The same with names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub driver: Option<DriverView>,
    /// The room in which customer and driver talk, while the order is under way; later its history.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub room_id: Option<RoomId>,
    /// How far it has come.
    pub status: Status,
    /// What was ordered.
    pub items: Vec<ItemView>,
    /// What it costs; `null` where nobody said so.
    pub total: Option<Money>,
    /// Where it is fetched.
    pub pickup: Option<PlaceView>,
    /// Where it is brought.
    pub dropoff: Option<PlaceView>,
    /// Kilometres in a straight line from pickup to dropoff; `null` where a place is not on the map.
    pub distance_km: Option<f64>,
    /// What the driver gets.
    pub earnings: Money,
    /// What is to be minded.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub note: Option<String>,
    /// The key it was placed with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_order_id: Option<String>,
    /// Until when it is offered to the driver who gets this, where drivers are asked one by one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offer_expires_at: Option<Timestamp>,
    /// Who did not want it, the latest 50.
    pub rejections: Vec<RejectionView>,
    /// Every step it took.
    pub history: Vec<EntryView>,
    /// When it was placed.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// One line of an order.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ItemView {
    /// What.
    pub name: String,
    /// How many.
    pub quantity: u32,
    /// What one costs.
    pub price: Option<Money>,
}

/// A place.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PlaceView {
    /// What it is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// How people find it.
    pub address: String,
    /// Degrees north.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lat: Option<f64>,
    /// Degrees east.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lng: Option<f64>,
}

/// A driver who did not want an order.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RejectionView {
    /// Who.
    pub driver_id: UserId,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// A step that an order took.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EntryView {
    /// Where it was after the step.
    pub status: Status,
    /// When.
    pub at: Timestamp,
    /// Who took it there.
    pub by: UserId,
    /// Who its driver was then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub driver_id: Option<UserId>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl OrderView {
    /// An order, with the account of its driver.
    pub fn new(order: &Order, driver: Option<&Account>) -> Self {
        let contents = &order.contents;
        let older = order.rejections.len().saturating_sub(MOST_REJECTIONS);
        let latest = order.rejections.iter().skip(older);
        Self {
            id: order.id,
            mongo_id: order.id,
            order_number: order.number,
            user_id: order.customer,
            restaurant_id: order.restaurant,
            driver_id: order.driver,
            driver: driver.map(DriverView::from),
            room_id: order.driver.map(|_| order.id.room()),
            status: order.status,
            items: contents.items.iter().map(ItemView::from).collect(),
            total: contents.total,
            pickup: contents.pickup.as_ref().map(PlaceView::from),
            dropoff: contents.dropoff.as_ref().map(PlaceView::from),
            distance_km: contents.distance().map(kilometres),
            earnings: order.earnings,
            note: contents.note.as_ref().map(ToString::to_string),
            client_order_id: order.client_order_id.as_ref().map(|key| key.as_str().to_owned()),
            offer_expires_at: None,
            rejections: latest.map(RejectionView::from).collect(),
            history: order.history.iter().map(EntryView::from).collect(),
            created_at: order.created_at,
            updated_at: order.updated_at,
        }
    }
}

/// Metres as kilometres, to ten metres.
pub fn kilometres(metres: f64) -> f64 {
    (metres / 10.0).round() / 100.0
}

impl From<&Item> for ItemView {
    fn from(item: &Item) -> Self {
        Self { name: item.name.to_string(), quantity: item.quantity, price: item.price }
    }
}

impl From<&Place> for PlaceView {
    fn from(place: &Place) -> Self {
        Self {
            name: place.name.as_ref().map(ToString::to_string),
            address: place.address.to_string(),
            lat: place.point.map(|point| point.latitude()),
            lng: place.point.map(|point| point.longitude()),
        }
    }
}

impl From<&Rejection> for RejectionView {
    fn from(rejection: &Rejection) -> Self {
        Self {
            driver_id: rejection.driver,
            reason: rejection.reason.as_ref().map(ToString::to_string),
            at: rejection.at,
        }
    }
}

impl From<&Entry> for EntryView {
    fn from(entry: &Entry) -> Self {
        Self {
            status: entry.status,
            at: entry.at,
            by: entry.by,
            driver_id: entry.driver,
            reason: entry.reason.as_ref().map(ToString::to_string),
        }
    }
}

/// `{order}`.
#[derive(Debug, Serialize, ToSchema)]
pub struct OneOrder {
    /// The order.
    pub order: OrderView,
}

/// `{orders, nextCursor?}`.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrderList {
    /// The newest first.
    pub orders: Vec<OrderView>,
    /// Where the next page starts; not there on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}
