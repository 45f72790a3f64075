//! What the directory of users needs of a store. It reads and changes the accounts that
//! [`crate::auth::store`] inserts.

pub mod embedded;
pub mod mongo;

use async_trait::async_trait;

use super::model::{ProfileChange, UserQuery};
use crate::auth::model::Account;
use crate::error::Result;
use crate::ids::UserId;

/// What became of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangedProfile {
    /// The account as it is now.
    Changed(Account),
    /// There is no such account.
    Missing,
    /// Another account has this address.
    EmailTaken,
}

/// The directory.
#[async_trait]
pub trait UserStore: Send + Sync {
    /// Accounts by [`crate::credentials::Username::key`], ascending, without those that are erased.
    async fn accounts(&self, query: &UserQuery) -> Result<Vec<Account>>;
    /// Changes what `change` names.
    async fn change_profile(&self, id: UserId, change: &ProfileChange) -> Result<ChangedProfile>;
}
