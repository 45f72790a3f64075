//! Drivers: where they are, where they were, and whether they take orders (CONTRACT §7, §8).

pub mod model;
pub mod store;
