//! Drivers: where they are, where they were, and whether they take orders (CONTRACT §7, §8).
//!
//! Events, in `/orders`: `setAvailability`, `location_update`, `ping`; emits `pong`.
//! Routes: `/api/drivers/…`.

pub mod events;
pub mod model;
mod pool;
pub mod requests;
pub mod routes;
pub mod service;
pub mod store;
pub mod wire;
