//! One-to-one chat (CONTRACT §4).
//!
//! Events, in `/chat`: `send_message`, `typing_start`, `typing_stop`, `message_read`, `sync`; emits
//! `message_sent`, `receive_message`, `user_typing`, `message_read_receipt`, `sync`.
//! Routes: `/api/messages/…` and `/api/conversations`.

pub mod events;
pub mod model;
pub mod requests;
pub mod routes;
pub mod service;
pub mod store;
mod typing;
pub mod wire;
