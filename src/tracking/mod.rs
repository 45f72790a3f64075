//! Following orders: where the driver is, where the driver was, and when the order may be there
//! (CONTRACT §7).
//!
//! Events, in `/orders`: `trackOrder`, `untrackOrder`; emits `driverLocation`.
//! Routes: `/api/orders/:id/track`; `/api/v1/drivers/…` for the back office (`fleet.rs`, `v1.rs`).
//! Seed 000's dashboards are in `watch.rs`.

mod eta;
pub mod events;
pub mod fleet;
pub mod routes;
pub mod service;
pub mod v1;
pub mod watch;
pub mod wire;
