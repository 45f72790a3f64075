//! Orders, from placing to delivery (CONTRACT §7): the state machine, who is told what, and to
//! which driver an order is offered.
//!
//! Events, in `/orders`: `placeOrder`, `orderAccept`, `orderReject`, `updateOrderStatus`,
//! `cancelOrder`; emits `orderPlaced`, `newOrder`, `orderAccepted`, `removeOrder`,
//! `orderStatusUpdated`, `orderCancelled`, `orderUnassigned`, `orderError`.
//! Routes: `/api/orders/…`; `/api/v1/orders/…`, `/api/v1/pools`, `/api/v1/earnings/…` (`v1.rs`).

pub mod days;
pub mod event_wire;
pub mod events;
pub mod lifecycle;
pub mod model;
pub mod requests;
pub mod routes;
pub mod service;
pub mod store;
pub mod v1;
pub mod wire;
