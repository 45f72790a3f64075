//! What is kept of drivers: the trait, and its two implementations.

pub mod embedded;
mod latest;
pub mod mongo;

use async_trait::async_trait;

use super::model::{Fix, Near, Nearby, Trail};
use crate::clock::Timestamp;
use crate::error::Result;
use crate::ids::UserId;

/// Drivers' positions, their history, and availability. No rules: the service has them.
#[async_trait]
pub trait DriverStore: Send + Sync {
    /// Adds positions to the history of their drivers, all at once, and makes each the last one
    /// of its driver unless a later one (by `at`) is. A position of a driver and an `at` that are
    /// there already is left out, whatever it says. Durable when it returns.
    async fn save_fixes(&self, fixes: &[(UserId, Fix)]) -> Result<()>;

    /// Notes who is available, all at once; a driver named twice is as the last of them says.
    /// Durable when it returns.
    async fn save_availability(&self, drivers: &[(UserId, bool)]) -> Result<()>;

    /// The last position of a driver.
    async fn last_fix(&self, driver: UserId) -> Result<Option<Fix>>;

    /// The last positions of those of these drivers who have one, in any order.
    async fn last_fixes(&self, drivers: &[UserId]) -> Result<Vec<(UserId, Fix)>>;

    /// Drivers with a position who are near a place, the nearest first. Who was never said to be
    /// available is not.
    async fn nearest(&self, nearby: &Nearby) -> Result<Vec<Near>>;

    /// A stretch of the history of a driver, the earliest (by `at`) first.
    async fn trail(&self, trail: &Trail) -> Result<Vec<Fix>>;

    /// Forgets a driver: where they are, where they were, and whether they are available. In
    /// pieces, so that nobody's write waits long; repeatable.
    async fn forget(&self, driver: UserId) -> Result<()>;

    /// Keeps history for so long, counted from `received_at`: says so to a database that removes
    /// by itself, else removes what is older than that at `now`. Last positions stay.
    async fn keep_history(&self, retention: std::time::Duration, now: Timestamp) -> Result<()>;
}
