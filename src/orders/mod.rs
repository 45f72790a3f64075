//! Orders, from placing to delivery (CONTRACT §7): the state machine, who is told what, and to
//! which driver an order is offered.
//!
//! Events, in `/orders`: `placeOrder`, `orderAccept`, `orderReject`, `updateOrderStatus`,
//! `cancelOrder`; emits `orderPlaced`, `newOrder`, `orderAccepted`, `removeOrder`,
//! `orderStatusUpdated`, `orderCancelled`, `orderUnassigned`, `orderError`.
//! Routes: `/api/orders/…`.

pub mod event_wire;
pub mod events;
pub mod lifecycle;
pub mod model;
pub mod requests;
pub mod routes;
pub mod service;
pub mod store;
pub mod wire;
