//! The events of orders (CONTRACT §7). Where one carries an order, that is the payload itself.

use serde::Serialize;
use utoipa::ToSchema;

use super::model::Status;
use super::wire::OrderView;
use crate::caller::Role;
use crate::clock::Timestamp;
use crate::ids::{OrderId, UserId};
use crate::realtime::events::ServerEvent;
use crate::realtime::hub::Audience;

const ORDERS: &[&str] = &["/orders"];

/// The sockets of every admin, where orders are.
pub const ADMINS: Audience = Audience::of("admins", [0; 12]);

/// An order was placed, to its customer.
pub const ORDER_PLACED: ServerEvent<OrderView> = ServerEvent::reliable("orderPlaced", ORDERS);
/// An order can be had, to drivers.
pub const NEW_ORDER: ServerEvent<OrderView> = ServerEvent::reliable("newOrder", ORDERS);
/// A driver has an order, to customer and driver.
pub const ORDER_ACCEPTED: ServerEvent<OrderView> = ServerEvent::reliable("orderAccepted", ORDERS);
/// An order cannot be had any more, to drivers.
pub const REMOVE_ORDER: ServerEvent<WhichOrder> = ServerEvent::reliable("removeOrder", ORDERS);
/// An order has come further, to customer, driver and those who follow it.
pub const ORDER_STATUS_UPDATED: ServerEvent<StatusUpdated> =
    ServerEvent::reliable("orderStatusUpdated", ORDERS);
/// An order will not be delivered, or not by this driver.
pub const ORDER_CANCELLED: ServerEvent<OrderCancelled> =
    ServerEvent::reliable("orderCancelled", ORDERS);
/// No driver is left to be asked, to customer and admins.
pub const ORDER_UNASSIGNED: ServerEvent<WhichOrder> =
    ServerEvent::reliable("orderUnassigned", ORDERS);

/// `{orderId}`.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WhichOrder {
    /// Which order.
    pub order_id: OrderId,
    /// Its small number.
    pub order_number: i64,
}

/// `{orderId, status, previousStatus, timestamp}`.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StatusUpdated {
    /// Which order.
    pub order_id: OrderId,
    /// Its small number.
    pub order_number: i64,
    /// Where it is now.
    pub status: Status,
    /// Where it was before.
    pub previous_status: Status,
    /// When.
    pub timestamp: Timestamp,
}

/// `{orderId, reason, cancelledBy}`.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrderCancelled {
    /// Which order.
    pub order_id: OrderId,
    /// Its small number.
    pub order_number: i64,
    /// Why, where somebody said so.
    pub reason: Option<String>,
    /// Who did it.
    pub cancelled_by: UserId,
    /// What that account is.
    pub cancelled_by_role: Role,
    /// When.
    pub timestamp: Timestamp,
}
