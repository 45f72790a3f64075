//! Orders in snake_case, with small numbers.

use serde::Serialize;
use utoipa::ToSchema;

use super::requests::StatusWord;
use crate::clock::Timestamp;
use crate::drivers::wire::{ADMIN_SOCKET, DRIVER_SOCKET};
use crate::error::{Code, Error};
use crate::ids::OrderId;
use crate::money::Money;
use crate::orders::model::{Order, Place};
use crate::orders::wire::{ItemView, kilometres};
use crate::realtime::events::ServerEvent;

const DRIVERS_SOCKETS: &[&str] = &["/orders", DRIVER_SOCKET];

/// A driver has an order, to that driver.
pub const ORDER_ASSIGNED: ServerEvent<Assignment> =
    ServerEvent::reliable("order_assigned", DRIVERS_SOCKETS);
/// A driver has an order no more, to that driver.
pub const ORDER_TAKEN: ServerEvent<Taken> =
    ServerEvent::reliable("order_cancelled", DRIVERS_SOCKETS);
/// An order can be had, to drivers on the raw socket.
pub const NEW_OFFER: ServerEvent<Assignment> = ServerEvent::reliable("new_order", &[DRIVER_SOCKET]);
/// An order cannot be had any more, to drivers on the raw socket.
pub const OFFER_REMOVED: ServerEvent<OfferRemoved> =
    ServerEvent::reliable("order_removed", &[DRIVER_SOCKET]);
/// An order was placed or has come further, to the back office.
pub const ORDER_UPDATE: ServerEvent<OrderUpdate> =
    ServerEvent::reliable("order_update", &[ADMIN_SOCKET]);

/// An order.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Assignment {
    /// The small number.
    pub order_id: i64,
    /// The id.
    pub id: OrderId,
    /// How far it has come.
    pub status: StatusWord,
    /// Where it is fetched: what the place is called.
    pub restaurant_name: Option<String>,
    /// How people find that.
    pub pickup_address: Option<String>,
    /// Degrees north.
    pub pickup_lat: Option<f64>,
    /// Degrees east.
    pub pickup_lng: Option<f64>,
    /// Where it is brought.
    pub delivery_address: Option<String>,
    /// Degrees north.
    pub delivery_lat: Option<f64>,
    /// Degrees east.
    pub delivery_lng: Option<f64>,
    /// Who gets it: as was said with the order, else the customer's name.
    pub customer_name: Option<String>,
    /// How to reach them.
    pub customer_phone: Option<String>,
    /// What was ordered.
    pub items: Vec<ItemView>,
    /// What it costs.
    pub order_total: Option<Money>,
    /// What the driver gets.
    pub earnings: Money,
    /// Kilometres in a straight line from pickup to delivery.
    pub distance_km: Option<f64>,
    /// What is to be minded.
    pub note: Option<String>,
    /// The number of its driver.
    pub driver_id: Option<i64>,
    /// Until when it is offered to the driver who gets this, where drivers are asked one by one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// When it was placed.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// What the accounts of an order's parties are called.
#[derive(Debug)]
pub struct Names {
    /// The restaurant's.
    pub restaurant: Option<String>,
    /// The customer's.
    pub customer: Option<String>,
}

impl Assignment {
    /// An order, with what its accounts are called and the number of its driver.
    pub fn new(order: &Order, names: Names, driver: Option<i64>) -> Self {
        let contents = &order.contents;
        let (pickup, dropoff) = (contents.pickup.as_ref(), contents.dropoff.as_ref());
        let lat = |place: Option<&Place>| Some(place?.point?.latitude());
        let lng = |place: Option<&Place>| Some(place?.point?.longitude());
        let address = |place: Option<&Place>| Some(place?.address.to_string());
        let name = pickup.and_then(|place| place.name.as_ref()).map(ToString::to_string);
        let contact = contents.contact.as_ref();
        let customer = contact.and_then(|who| who.name.as_ref()).map(ToString::to_string);
        Self {
            order_id: order.number,
            id: order.id,
            status: order.status.into(),
            restaurant_name: name.or(names.restaurant),
            pickup_address: address(pickup),
            pickup_lat: lat(pickup),
            pickup_lng: lng(pickup),
            delivery_address: address(dropoff),
            delivery_lat: lat(dropoff),
            delivery_lng: lng(dropoff),
            customer_name: customer.or(names.customer),
            customer_phone: contact.and_then(|who| who.phone.as_ref()).map(ToString::to_string),
            items: contents.items.iter().map(ItemView::from).collect(),
            order_total: contents.total,
            earnings: order.earnings,
            distance_km: contents.distance().map(kilometres),
            note: contents.note.as_ref().map(ToString::to_string),
            driver_id: driver,
            expires_at: order.offered_to.and(order.dispatch_at),
            created_at: order.created_at,
            updated_at: order.updated_at,
        }
    }
}

/// `{order_id, id, reason}`.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Taken {
    /// The small number.
    pub order_id: i64,
    /// The id.
    pub id: OrderId,
    /// Why.
    #[schema(example = "Customer cancelled")]
    pub reason: String,
}

/// `{order_id, id}`.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct OfferRemoved {
    /// The small number.
    pub order_id: i64,
    /// The id.
    pub id: OrderId,
}

/// `{order_id, id, status, previous_status, driver_id, timestamp}`.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct OrderUpdate {
    /// The small number.
    pub order_id: i64,
    /// The id.
    pub id: OrderId,
    /// How far it has come.
    pub status: StatusWord,
    /// Where it was before; `null` for one that was placed now.
    pub previous_status: Option<StatusWord>,
    /// The number of its driver.
    pub driver_id: Option<i64>,
    /// When.
    pub timestamp: Timestamp,
}

/// What became of a batch of orders for one driver.
#[derive(Debug, Serialize, ToSchema)]
pub struct Pool {
    /// The driver's number.
    pub driver_id: Option<i64>,
    /// The orders that the driver has now.
    pub orders: Vec<Assignment>,
    /// Those that somebody else took in the same moment.
    pub failed: Vec<Failure>,
}

/// An order that could not be given to the driver.
#[derive(Debug, Serialize, ToSchema)]
pub struct Failure {
    /// The small number.
    pub order_id: i64,
    /// The stable word.
    pub code: Code,
    /// A sentence for people.
    pub detail: String,
}

impl Failure {
    /// Why `order` is not in the batch.
    pub fn new(order: &Order, error: &Error) -> Self {
        Self { order_id: order.number, code: error.code, detail: error.message.to_string() }
    }
}
