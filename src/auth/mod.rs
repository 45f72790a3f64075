//! Accounts, login sessions and tokens (CONTRACT §2).

pub mod model;
pub mod store;
