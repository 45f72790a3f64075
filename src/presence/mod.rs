//! Who is online (CONTRACT §6).

pub mod store;
