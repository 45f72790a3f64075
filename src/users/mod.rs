//! The directory of users and their profiles (CONTRACT §2).

pub mod model;
pub mod store;
