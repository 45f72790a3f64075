//! The driver app's REST routes of drivers, under `/api/v1` (seed 002): bare objects in snake_case.

mod routes;
mod wire;

pub use routes::router;
pub use wire::{DriverProfile, OnlineBody, OnlineState, OnlineStatus};
