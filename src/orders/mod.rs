//! Orders, from placing to delivery (CONTRACT §7).

pub mod model;
pub mod store;
