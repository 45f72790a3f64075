//! Erasures, as they are stored.

use crate::clock::Timestamp;
use crate::ids::UserId;

/// That an account is to be erased. It outlives a crash: whoever finds it unfinished goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Erasure {
    /// Whose account.
    pub user: UserId,
    /// When it was asked for, last.
    pub requested_at: Timestamp,
    /// When all was gone.
    pub finished_at: Option<Timestamp>,
}
