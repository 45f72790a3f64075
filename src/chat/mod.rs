//! One-to-one chat (CONTRACT §4).

pub mod model;
pub mod store;
