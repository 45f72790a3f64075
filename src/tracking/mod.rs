//! Following orders: where the driver is, where the driver was, and when the order may be there
//! (CONTRACT §7).
//!
//! Events, in `/orders`: `trackOrder`, `untrackOrder`; emits `driverLocation`.
//! Routes: `/api/orders/:id/track`.

mod eta;
pub mod events;
pub mod routes;
pub mod service;
pub mod wire;
