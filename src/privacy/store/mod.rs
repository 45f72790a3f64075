//! What erasing needs of a store beside that of the other domains: that it is to be done.

pub mod embedded;
pub mod mongo;

use async_trait::async_trait;

use super::model::Erasure;
use crate::clock::Timestamp;
use crate::error::Result;
use crate::ids::UserId;

/// Erasures that were asked for. Every write is durable when it returns.
#[async_trait]
pub trait ErasureStore: Send + Sync {
    /// Notes that an account is to be erased, also where it was before: it is unfinished then.
    async fn request(&self, user: UserId, now: Timestamp) -> Result<()>;
    /// Notes that it is erased, if what was asked for at this time is the last that was; and sees
    /// to it that what was removed is in no file any more.
    async fn finish(&self, request: &Erasure, now: Timestamp) -> Result<()>;
    /// What was asked for last of a user.
    async fn erasure(&self, user: UserId) -> Result<Option<Erasure>>;
    /// Those that are unfinished or were asked for after `since`, in any order.
    async fn erasures(&self, since: Timestamp) -> Result<Vec<Erasure>>;
}
