//! What presence needs of a store: when each user was last seen.

pub mod embedded;
pub mod mongo;

use async_trait::async_trait;

use crate::clock::Timestamp;
use crate::error::Result;
use crate::ids::UserId;

/// When users were last seen.
#[async_trait]
pub trait PresenceStore: Send + Sync {
    /// Stores when each of these was seen; an older time than the stored one changes nothing.
    async fn save_last_seen(&self, seen: &[(UserId, Timestamp)]) -> Result<()>;
    /// What is known of these; users never seen are left out.
    async fn last_seen(&self, users: &[UserId]) -> Result<Vec<(UserId, Timestamp)>>;
    /// Forgets when a user was seen.
    async fn forget(&self, user: UserId) -> Result<()>;
}
