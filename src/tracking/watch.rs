//! Seed 000: dashboards that watch one driver, over the raw WebSocket at `/`, and the two REST
//! routes beside it (CONTRACT §8).

pub mod events;
mod rights;
pub mod routes;
mod schedule;
mod service;
pub mod socket;
pub mod wire;

pub use service::{Parts, Watching};
