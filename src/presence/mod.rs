//! Who is online (CONTRACT §6).
//!
//! Events, in `/presence`: `presence_subscribe`, `presence_unsubscribe`; emits `user_status`.
//! A user is online from the first socket on, and offline a while after the last one is gone.

pub mod events;
pub mod model;
pub mod service;
pub mod store;
