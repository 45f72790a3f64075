//! Drivers: where they are, where they were, and whether they take orders (CONTRACT §7, §8).
//!
//! Events, in `/orders`: `setAvailability`, `location_update`, `ping`; emits `pong`.
//! Routes: `/api/drivers/…`, and of the driver app `/api/v1/auth/…`, `/api/v1/driver/…`.
//! Raw WebSockets: `/api/v1/ws/driver/{driver_id}`, `/api/v1/ws/admin` (`socket.rs`).

pub mod events;
pub mod model;
mod pool;
pub mod requests;
pub mod routes;
pub mod service;
pub mod socket;
pub mod store;
pub mod v1;
pub mod wire;
